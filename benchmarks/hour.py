"""A long recording in flat memory: silence, revoice and disguise of real speech, repeated to the length asked for.

    OPENBLAS_NUM_THREADS=1 python -m benchmarks.hour MEDIA [--minutes 60] [--manners revoice]

Each manner runs in a process of its own, so that its peak memory is its own; sound only, no picture. Processor time is
that of reading, treating and coding the sound; for ``revoice`` also of speaking a cue every four seconds.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from benchmarks.voices import RATE, speech
from safelight.hide.sound.speak import Speech, speak
from safelight.hide.sound.track import copy_sound
from safelight.media.facts import SoundFacts
from safelight.media.sound import SoundTrack
from safelight.media.soundline import SoundSource
from safelight.plan import Clip, Origin, Plan, Sound, SoundAction


def record(media: Path, target: Path, seconds: float) -> None:
    """The shared English readings, over and over, as FLAC in Matroska."""
    files = sorted((media / "speech" / "librispeech_1utt").glob("*.flac"))
    block = (np.concatenate([speech(file) for file in files]) * 32767).astype(np.int16)
    with av.open(str(target), "w") as out:
        stream = out.add_stream("flac", rate=RATE, layout="mono")
        for start in range(0, round(seconds * RATE), 4096):
            places = np.arange(start, min(start + 4096, round(seconds * RATE))) % len(block)
            frame = av.AudioFrame.from_ndarray(block[places][None], format="s16", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = RATE, start, Fraction(1, RATE)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))


def spans(manner: str, seconds: float) -> list[Sound]:
    """What the plan says."""
    if manner == "disguise":
        return [Sound(start=0, end=seconds, action=SoundAction.DISGUISE, decided_by="bench")]
    words = {"text": "This is a testimony from the old city", "language": "en", "decided_by": "bench"}
    starts = np.arange(1, seconds - 4, 4.0) if manner == "revoice" else []
    return [Sound(start=float(at), end=float(at) + 3, action=SoundAction.REVOICE, **words) for at in starts]


def measure(manner: str, recording: Path, seconds: float, told: multiprocessing.Queue[tuple[float, float]]) -> None:
    """Make the track of a copy; tells processor-seconds and peak memory in MiB."""
    clip = Clip(sha256="0" * 64, width=2, height=2, frames=1, time_base=(1, 25), first_pts=0, last_pts=0)
    plan = Plan(clip=clip, origin=Origin(safelight="0"), sounds=spans(manner, seconds))
    facts = SoundFacts(codec="flac", rate=RATE, channels=1, start=0, duration=seconds)
    began = time.process_time()
    with tempfile.TemporaryDirectory() as folder, recording.open("rb") as file:
        files = Path(folder) / "speech.pcm", Path(folder) / "speech.json"
        if manner == "revoice":
            speak(plan, *files)
        said = Speech(*files) if manner == "revoice" else None
        with av.open(str(Path(folder) / "copy.mp4"), "w") as out:
            SoundTrack(out, copy_sound(plan, SoundSource(file, facts), said)).finish(seconds)
    told.put((time.process_time() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def main() -> None:
    parser = argparse.ArgumentParser(description="A long recording in flat memory.")
    parser.add_argument("media", type=Path)
    parser.add_argument("--minutes", type=float, nargs="+", default=[5, 60])
    parser.add_argument("--manners", nargs="+", default=["silence", "revoice", "disguise"])
    chosen = parser.parse_args()
    fresh = multiprocessing.get_context("spawn")
    print("| manner | minutes | processor-seconds | times real time | peak MiB |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for minutes in chosen.minutes:
            recording = Path(folder) / f"{minutes:g}.mkv"
            record(chosen.media, recording, minutes * 60)
            for manner in chosen.manners:
                told = fresh.Queue()
                worker = fresh.Process(target=measure, args=(manner, recording, minutes * 60, told))
                worker.start()
                spent, peak = told.get()
                worker.join()
                print(f"| {manner} | {minutes:g} | {spent:.1f} | {minutes * 60 / spent:.0f} | {peak:.0f} |", flush=True)


if __name__ == "__main__":
    main()
