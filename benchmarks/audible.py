"""What copies sound like, in figures: level, peaks, gaps, what lies where in the spectrum. Nobody's ear is replaced.

    python -m benchmarks.audible MEDIA [--pictures DIR]

Each language of ``revoice`` says two sentences in all ten voices, and readings are disguised; all of it is coded as in
a copy and decoded again. Needs the package pyloudnorm (ITU-R BS.1770). --pictures: spectrograms as PNG.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pyloudnorm
from numpy.typing import NDArray
from scipy.signal import resample_poly, spectrogram

from benchmarks.voices import english
from safelight.hide.sound.disguise import Disguise
from safelight.hide.sound.engine import VOICES, Engine
from safelight.hide.sound.languages import LANGUAGES
from safelight.hide.sound.speak import fitted
from safelight.media.sound import RATE, SoundTrack
from safelight.plan import Sound, SoundAction

SENTENCES = {
    "ar": ("هذه شهادة من المدينة القديمة", "كان الجنود يقفون أمام الباب في الصباح"),
    "de": ("Dies ist eine Aussage aus der Altstadt", "Am Morgen standen Soldaten vor der Tür"),
    "en": ("This is a testimony from the old city", "In the morning soldiers stood before the door"),
    "fa": ("این یک شهادت از شهر قدیم است", "صبح سربازان جلوی در ایستاده بودند"),
    "fr": ("Ceci est un témoignage de la vieille ville", "Le matin, des soldats étaient devant la porte"),
    "ku": ("Ev şahidiyek ji bajarê kevn e", "Serê sibê leşker li ber derî bûn"),
    "sv": ("Det här är ett vittnesmål från gamla staden", "På morgonen stod soldater framför dörren"),
    "tr": ("Bu eski şehirden bir tanıklıktır", "Sabah askerler kapının önünde duruyordu"),
}
QUIET = 0.003  # 50 dB under full scale


def coded(wave: NDArray[np.float32]) -> NDArray[np.float64]:
    """As it comes out of a copy."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as out:
        SoundTrack(out, iter([wave])).finish(len(wave) / RATE)
    file.seek(0)
    with av.open(file) as film:
        return np.concatenate([frame.to_ndarray()[0] for frame in film.decode(audio=0)]).astype(float)[: len(wave)]


def figures(wave: NDArray[np.float64]) -> list[str]:
    """A row: seconds, loudness, peak, samples at full scale, constant part, longest gap, shares of the spectrum."""
    loud = np.abs(wave) > QUIET
    edges = np.flatnonzero(
        np.diff(np.concatenate(([1], loud[np.argmax(loud) : len(loud) - np.argmax(loud[::-1])], [1])))
    )
    gap = max((edges[1::2] - edges[::2]).max(initial=0), 0) / RATE
    power = np.square(np.abs(np.fft.rfft(wave)))
    hertz = np.fft.rfftfreq(len(wave), 1 / RATE)
    shares = [
        power[(hertz >= low) & (hertz < high)].sum() / power.sum() for low, high in ((0, 60), (300, 3400), (8000, RATE))
    ]
    return [
        f"{len(wave) / RATE:.0f}",
        f"{pyloudnorm.Meter(RATE).integrated_loudness(wave):.1f}",
        f"{20 * np.log10(np.abs(wave).max()):.1f}",
        f"{np.count_nonzero(np.abs(wave) >= 0.999)}",
        f"{np.abs(wave.mean()):.5f}",
        f"{gap:.2f}",
        *(f"{100 * share:.1f}" for share in shares),
    ]


def languages() -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Each language, all its voices one after the other, half a second between them."""
    engine = Engine()
    for language in sorted(LANGUAGES):
        parts: list[Any] = []
        for number, voice in enumerate(VOICES):
            text = SENTENCES[language][number % 2]
            cue = Sound(start=0, end=3, action=SoundAction.REVOICE, text=text, language=language, decided_by="bench")
            parts += [fitted(engine, cue, voice, 5), np.zeros(RATE // 2, np.float32)]
        yield f"revoice, {language}", np.concatenate(parts)


def disguised(media: Path) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Six readings, disguised."""
    disguise = Disguise()
    for name, halves in list(english(media / "speech", 6).items()):
        speech = np.concatenate(halves)
        yield f"disguise, reader {name}", disguise(np.asarray(resample_poly(speech, 3, 1), np.float32))


def picture(wave: NDArray[np.float64], path: Path) -> None:
    """The first 8 seconds, up to 9 kHz, 70 dB."""
    _, _, power = spectrogram(wave[: 8 * RATE], RATE, nperseg=1024, noverlap=768)
    logs = 10 * np.log10(power[:192] + 1e-14)
    grey = np.clip((logs - logs.max() + 70) / 70 * 255, 0, 255).astype(np.uint8)
    cv2.imwrite(str(path), cv2.applyColorMap(np.ascontiguousarray(grey[::-1]), cv2.COLORMAP_INFERNO))


def main() -> None:
    parser = argparse.ArgumentParser(description="What copies sound like, in figures.")
    parser.add_argument("media", type=Path)
    parser.add_argument("--pictures", type=Path)
    chosen = parser.parse_args()
    print("| what | s | LUFS | peak dB | clipped | DC | longest gap s | under 60 Hz % | 300-3400 Hz % | over 8 kHz % |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for found in (languages(), disguised(chosen.media)):
        for name, wave in found:
            heard = coded(wave)
            print(f"| {name} | {' | '.join(figures(heard))} |", flush=True)
            if chosen.pictures:
                picture(heard, chosen.pictures / f"{name.replace(', ', '-')}.png")


if __name__ == "__main__":
    main()
