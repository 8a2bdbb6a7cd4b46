"""A first draft of a transcript by faster-whisper, where a person has installed it and a model of it. Never needed.

Whatever a machine hears is marked as machine-made until a person confirms it. The sound that is heard is the copy's.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from safelight.errors import Code, SafelightError
from safelight.inputs import printable
from safelight.story.transcript import By, Line, Transcript

PACKAGE = "faster_whisper"


def draft(copy: Path, model: Path, language: str | None) -> Transcript:
    """A machine's transcript of a clip; ``model``: folder of a CTranslate2 Whisper model, never fetched.

    Raises SL-TOOL-MISSING when faster-whisper or the model is not installed.
    """
    try:
        library: Any = importlib.import_module(PACKAGE)
    except ImportError as error:
        raise SafelightError(Code.TOOL_MISSING, "faster-whisper is not installed.") from error
    if not (model / "model.bin").is_file():
        raise SafelightError(Code.TOOL_MISSING, "There is no Whisper model in this folder.", file=printable(model))
    whisper = library.WhisperModel(str(model), device="cpu", compute_type="int8", local_files_only=True)
    segments, about = whisper.transcribe(str(copy), language=language, vad_filter=False)
    lines = [
        Line(id=str(number), start=s.start, end=max(s.end, s.start + 0.01), text=s.text.strip(), by=By.MACHINE)
        for number, s in enumerate(segments, 1)
        if s.text.strip()
    ]
    return Transcript(language=language or about.language, lines=lines)
