"""Speed, memory and timing of a copy's sound, without any picture.

    OPENBLAS_NUM_THREADS=1 python -m benchmarks.sound [--minutes 5]

A made-up recording full of cues of three seconds; processor-seconds for speaking them, and for making and coding the
track; how far each cue's first sound lies from its time.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

import av
import numpy as np

from safelight.hide.sound.speak import Speech, speak
from safelight.hide.sound.track import copy_sound
from safelight.media.sound import RATE, SoundTrack
from safelight.plan import Clip, Origin, Plan, Sound, SoundAction

TEXTS = (
    ("en", "This is a testimony from the old city"),
    ("ar", "هذه شهادة من المدينة القديمة"),
    ("sv", "Det här är ett vittnesmål från staden"),
    ("ku", "Ev şahidiyek ji bajarê kevn e"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description="Speed of a copy's sound.")
    parser.add_argument("--minutes", type=float, default=5)
    seconds = parser.parse_args().minutes * 60
    cues = []
    for number, start in enumerate(np.arange(1, seconds - 4, 4.0)):
        language, text = TEXTS[number % len(TEXTS)]
        span = {"start": float(start), "end": float(start) + 3, "text": text, "language": language}
        cues.append(Sound(action=SoundAction.REVOICE, decided_by="bench", **span))
    clip = Clip(sha256="0" * 64, width=2, height=2, frames=1, time_base=(1, 25), first_pts=0, last_pts=0)
    plan = Plan(clip=clip, origin=Origin(safelight="0"), sounds=cues)
    with tempfile.TemporaryDirectory() as folder:
        files = Path(folder) / "speech.pcm", Path(folder) / "speech.json"
        began = time.process_time()
        speak(plan, *files)
        spoken = time.process_time() - began
        for name, speech in (("silence", None), ("revoice", Speech(*files))):
            target = Path(folder) / f"{name}.mp4"
            began = time.process_time()
            with av.open(str(target), "w") as out:
                track = SoundTrack(out, copy_sound(plan, None, speech))
                track.finish(seconds)
            spent = time.process_time() - began + (spoken if speech is not None else 0)
            print(f"{name}: {spent:.1f} processor-seconds for {seconds:.0f} s, {seconds / spent:.0f} times real time")
        print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")
        with av.open(str(target)) as film:
            wave = np.concatenate([frame.to_ndarray()[0] for frame in film.decode(audio=0)])
    late = []
    for cue in cues:
        part = wave[round((cue.start - 0.5) * RATE) : round(cue.end * RATE)]
        late.append(float(np.flatnonzero(np.abs(part) > 0.02)[0]) / RATE - 0.5)
    low, middle, high = np.percentile(np.abs(late), (0, 50, 100)) * 1000
    print(f"{len(cues)} cues begin {middle:.0f} ms from their time (median; {low:.0f} to {high:.0f} ms)")


if __name__ == "__main__":
    main()
