"""The speech engine: eSpeak NG, out of the package ``espeakng-loader``.

The engine is under the GPL, so it is loaded in a worker process of its own and in no other; what comes out is sound.
It is a formant synthesiser: no person's recordings are in its voices, so it can sound like nobody in particular.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from safelight.errors import Code, SafelightError

# Variants of a voice, tried by ear and by spectrogram for being clear; (name, pitch 0 to 99).
VOICES: tuple[tuple[str, int], ...] = (
    ("m3", 45),
    ("f2", 50),
    ("m7", 35),
    ("f4", 55),
    ("m1", 60),
    ("f1", 40),
    ("m2", 30),
    ("f3", 65),
    ("m8", 50),
    ("f5", 45),
)
SLOWEST, USUAL, FASTEST = 120, 160, 400  # words a minute

_SYNCHRONOUS, _DONT_EXIT, _UTF8 = 2, 0x8000, 1
_RATE, _PITCH, _RANGE = 1, 3, 4  # espeak_PARAMETER


class Engine:
    """One engine a process, and the same words in the same order give the same samples only in a fresh one: the library
    keeps the state of its oscillators. Not for several threads.
    """

    def __init__(self) -> None:
        """Load it. Raises SafelightError SL-VOICE-MISSING when it is not installed or not for this machine."""
        self._library, self.rate = _library()
        self._parts: list[NDArray[np.int16]] = []
        kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
        self._callback = kind(self._take)  # kept: the library holds only its address
        self._library.espeak_SetSynthCallback(self._callback)

    def say(
        self, text: str, voice: str, *, pitch: int = 50, spread: int = 50, speed: int = USUAL
    ) -> NDArray[np.float32]:
        """Speak; mono samples, -1 to 1, at ``rate`` a second.

        ``voice``: such as ``sv+f2``. ``pitch``, ``spread``: 0 to 99. ``speed``: words a minute.
        """
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise SafelightError(Code.BUG, f"The speech engine has no voice {voice}.")
        for parameter, value in ((_RATE, speed), (_PITCH, pitch), (_RANGE, spread)):
            self._library.espeak_SetParameter(parameter, value, 0)
        self._library.espeak_ng_SetRandSeed(1)  # breath is noise: the same text must give the same samples
        self._parts = []
        data = text.replace("\0", " ").encode() + b"\0"
        if self._library.espeak_Synth(data, len(data), 0, 0, 0, _UTF8, None, None) != 0:
            raise SafelightError(Code.BUG, "The speech engine failed.")
        self._library.espeak_Synchronize()
        spoken = np.concatenate(self._parts) if self._parts else np.zeros(0, np.int16)
        return spoken.astype(np.float32) / np.float32(32768)

    def _take(self, samples: Any, count: int, _: Any) -> int:
        if samples and count > 0:
            self._parts.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0


@cache
def _library() -> tuple[Any, int]:
    try:
        import espeakng_loader

        library = ctypes.CDLL(espeakng_loader.get_library_path())
        data = espeakng_loader.get_data_path()
    except (ImportError, OSError, RuntimeError) as error:
        raise SafelightError(Code.VOICE_MISSING, "The speech engine could not be loaded.") from error
    library.espeak_Synth.argtypes = [
        ctypes.c_char_p,
        ctypes.c_size_t,
        ctypes.c_uint,
        ctypes.c_int,
        ctypes.c_uint,
        ctypes.c_uint,
        ctypes.c_void_p,
        ctypes.c_void_p,
    ]
    rate = library.espeak_Initialize(_SYNCHRONOUS, 0, data.encode(), _DONT_EXIT)
    if rate <= 0:
        raise SafelightError(Code.VOICE_MISSING, "The speech engine could not be started.")
    return library, rate
