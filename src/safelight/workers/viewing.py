"""Inside a worker that shows pictures: hear what is asked, show it, until nobody asks any more."""

from __future__ import annotations

import os
import queue
import struct
import threading
from typing import BinaryIO, NoReturn

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.errors import Code, SafelightError
from safelight.geometry import Box
from safelight.hide.curtain import draw_curtain
from safelight.hide.picture import hide_areas
from safelight.media.access import Access
from safelight.media.develop import Developer
from safelight.workers.messages import MAX_LINE, Failure
from safelight.workers.views import ASK, Ask, FactsAsk, Payload, StillAsk, TimesAsk

_JPEG_QUALITY = 90


def serve(source: int, asks: BinaryIO, answers: BinaryIO) -> NoReturn:
    """Answer until ``asks`` ends; the process ends then, whatever it is doing."""
    waiting: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def listen() -> None:
        while line := asks.readline(MAX_LINE):
            waiting.put(line)
        os._exit(0)

    threading.Thread(target=listen, daemon=True).start()
    access: Access | None = None
    while True:
        ask = ASK.validate_json(waiting.get())
        try:
            if access is None:
                access = Access(source)
            pts, payload = _answer(access, ask)
        except SafelightError as error:
            answers.write(Failure(code=error.code, detail=error.detail[:4000]).model_dump_json().encode() + b"\n")
        except MemoryError:
            refusal = Failure(code=Code.WORKER_GREW, detail="The worker ran out of memory.")
            answers.write(refusal.model_dump_json().encode() + b"\n")
        else:
            answers.write(Payload(size=len(payload), pts=pts).model_dump_json().encode() + b"\n" + payload)
        answers.flush()


def _answer(access: Access, ask: Ask) -> tuple[int, bytes]:
    if isinstance(ask, TimesAsk):
        times = access.count() if ask.sure else access.survey()
        return 0, struct.pack(f"<{len(times)}q", *times)
    if isinstance(ask, FactsAsk):
        return 0, access.facts.model_dump_json().encode()
    return _still(access, ask)


def _still(access: Access, ask: StillAsk) -> tuple[int, bytes]:
    picture = access.picture(ask.index)
    planes = picture.planes()
    raster = access.facts.raster
    if not ask.bare:
        hidden = [(form, Box(*box)) for form, *box in ask.hidden]
        if ask.curtain:
            draw_curtain(planes, [(form, Box(*box)) for form, *box in ask.revealed], hidden, raster)
        else:
            hide_areas(planes, hidden, raster, ask.look, picture.index)
    developer = Developer(access.facts)
    developed = (developer.develop(planes, picture.pts) + developer.finish())[0]
    width, height = raster.shown_size
    if ask.cut is not None:
        pixels = _cut(developed.bgr(width, height), Box(*ask.cut), ask.width or width)
    else:
        wide = min(ask.width or width, width)
        pixels = developed.bgr(wide, max(round(height * wide / width), 1))
    options = [] if ask.exact else [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    done, encoded = cv2.imencode(".png" if ask.exact else ".jpg", pixels, options)
    if not done:
        raise SafelightError(Code.UNSUPPORTED, "The picture could not be shown.")
    return picture.pts, encoded.tobytes()


def _cut(pixels: NDArray[np.uint8], box: Box, width: int) -> NDArray[np.uint8]:
    """A part of a picture, scaled to a width; grey where it reaches outside."""
    x1, y1 = round(box.x1), round(box.y1)
    x2, y2 = max(round(box.x2), x1 + 2), max(round(box.y2), y1 + 2)
    tall, wide = pixels.shape[:2]
    sides = (max(-y1, 0), max(y2 - tall, 0), max(-x1, 0), max(x2 - wide, 0))
    if max(sides) > 4 * max(tall, wide):
        raise SafelightError(Code.UNSUPPORTED, "This part lies too far outside the picture.")
    padded = cv2.copyMakeBorder(pixels, *sides, cv2.BORDER_CONSTANT, value=(40, 40, 40))
    part = padded[y1 + sides[0] : y2 + sides[0], x1 + sides[2] : x2 + sides[2]]
    height = max(round(width * part.shape[0] / part.shape[1]), 2)
    scaled: NDArray[np.uint8] = np.asarray(cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    return scaled
