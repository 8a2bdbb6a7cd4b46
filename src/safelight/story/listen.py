"""A first draft of a transcript by faster-whisper, where a person has installed it and a model of it. Never needed.

Whatever a machine hears is marked as machine-made until a person confirms it. The sound that is heard is the copy's; a
confined worker decodes it, the library gets samples only.
"""

from __future__ import annotations

import importlib
import tempfile
import threading
from pathlib import Path
from typing import Any

from safelight.errors import Code, SafelightError
from safelight.inputs import Original, printable
from safelight.story.transcript import By, Line, Transcript
from safelight.workers.messages import Listened, ListenJob
from safelight.workers.parent import left, run

PACKAGE = "faster_whisper"
FILES = (("model.bin",), ("config.json",), ("tokenizer.json",), ("vocabulary.txt", "vocabulary.json"))  # of a model
MOST = 2 << 30  # bytes of sound: nine hours


def draft(copy: Path, model: Path, language: str | None) -> Transcript:
    """A machine's transcript of a clip; ``model``: folder of a CTranslate2 Whisper model, never fetched.

    Raises SL-TOOL-MISSING when faster-whisper or the model is not installed or the model cannot be loaded,
    SL-NOTHING-HEARD for a copy without sound or words, and what opening and decoding a copy raise.
    """
    try:
        library: Any = importlib.import_module(PACKAGE)
    except ImportError as error:
        raise SafelightError(
            Code.TOOL_MISSING, "faster-whisper is not installed (pip install faster-whisper)."
        ) from error
    for names in FILES:
        if not any((model / name).is_file() for name in names):
            missing = f"There is no Whisper model for faster-whisper in this folder: {names[0]} is missing."
            raise SafelightError(Code.TOOL_MISSING, missing, file=printable(model))
    sound = _sound(copy)
    try:
        whisper = library.WhisperModel(str(model), device="cpu", compute_type="int8", local_files_only=True)
    except (RuntimeError, ValueError, OSError) as error:
        detail = f"The model cannot be loaded: {str(error)[:300]}."
        raise SafelightError(Code.TOOL_MISSING, detail, file=printable(model)) from error
    segments, about = whisper.transcribe(sound, language=language, vad_filter=False)
    lines = [
        Line(
            id=str(number),
            start=round(s.start, 3),
            end=round(max(s.end, s.start + 0.01), 3),
            text=s.text.strip(),
            by=By.MACHINE,
        )
        for number, s in enumerate(segments, 1)
        if s.text.strip()
    ]
    if not lines:
        raise SafelightError(Code.NOTHING_HEARD, "The machine heard no words.", file=printable(copy))
    return Transcript(language=language or about.language, lines=lines)


def _sound(copy: Path) -> Any:
    """A copy's sound as (n,) float32 at 16 kHz."""
    import numpy as np

    with Original(copy) as opened, tempfile.TemporaryDirectory(prefix="safelight-listen-") as folder:
        work = Path(folder)
        try:
            done = run(
                ListenJob(), opened.descriptor, work, progress=lambda done, total: None, cancel=threading.Event()
            )
            assert isinstance(done, Listened)
            sound = left(work / "sound.f32", MOST).read_bytes()
            if len(sound) != 4 * done.samples:
                raise SafelightError(Code.WORKER_LIED, "There is more or less sound than was said.")
            samples = np.frombuffer(sound, "<f4")
        except SafelightError as error:
            error.file = error.file or printable(copy)
            raise
    if not np.any(samples):
        raise SafelightError(Code.NOTHING_HEARD, "The copy has no sound, or is silent.", file=printable(copy))
    return np.nan_to_num(samples)
