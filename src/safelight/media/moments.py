"""Single pictures of a published copy, by time: stills and posters. Runs inside a worker."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image

from safelight.errors import Code, SafelightError
from safelight.media.read import Picture, Reader

_QUALITY = 82  # JPEG


def save_moments(reader: Reader, seconds: Sequence[float], widths: Sequence[int], folder: Path) -> Iterator[float]:
    """Write the pictures shown at the ascending ``seconds`` in each width: ``still-00-480.jpg`` and so on.

    Yields how far it is, in seconds counted from the first picture; the last thing yielded is the copy's duration.
    Nothing is enlarged to a width in pixels. Raises SL-NO-FRAMES for a time after the copy's end, and what reading
    raises.
    """
    shown, last, first = list(seconds), 0.0, None
    previous: Picture | None = None
    number = 0
    for picture in reader.pictures():
        now = float(picture.pts * reader.facts.base)
        first = now if first is None else first
        while number < len(shown) and previous is not None and now - first > shown[number] + 1e-3:
            _save(previous, reader, widths, folder / f"still-{number:02d}")
            number += 1
        previous, last = picture, now - first
        yield last
    # the last picture stays on the screen as long as the one before it
    end = max(reader.facts.duration or 0.0, last)
    while number < len(shown) and previous is not None and shown[number] <= end + 1e-3:
        _save(previous, reader, widths, folder / f"still-{number:02d}")
        number += 1
    if number < len(shown):
        raise SafelightError(
            Code.NO_FRAMES, f"There is no picture at {shown[number]:g} s; the copy ends at {end:.2f} s."
        )
    yield end


def _save(picture: Picture, reader: Reader, widths: Sequence[int], stem: Path) -> None:
    full_width, full_height = reader.facts.raster.shown_size
    for width in widths:
        factor = min(width / full_width, 1.0)
        size = max(round(full_width * factor), 2), max(round(full_height * factor), 2)
        pixels = picture.bgr(*size)[:, :, ::-1]
        path = stem.with_name(f"{stem.name}-{width}.jpg")
        Image.fromarray(pixels.copy()).save(path, "JPEG", quality=_QUALITY, optimize=True)
