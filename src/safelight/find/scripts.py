"""Arabic and Cyrillic writing in a picture, read by Tesseract where a person has installed it. Never needed.

Tesseract (https://github.com/tesseract-ocr, Apache-2.0) comes with the package ``tesserocr`` (MIT). It is none of
Safelight's own packages: its wheel brings JBIG-KIT along, which is under the GPL. Its networks for the two scripts are
in the manifest. Each line is read in several ways, because a name that one of them gets right is a name found; all
readings are for the search only.
"""

from __future__ import annotations

import gzip
import importlib
import importlib.util
import os
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from safelight.models import store
from safelight.models.manifest import Group, weights

PACKAGE = "tesserocr"
_WAYS = (7, 13)  # Tesseract's page segmentation: a line, with and without its own search for words
_HEIGHTS = (32, 48)  # pixels to which a line is brought
_MARGIN = 12  # pixels of empty page around it
_SURE = 70  # Tesseract's own confidence, of 100, from which a line counts as read


class Scripts:
    """Reads single lines; make one with :func:`installed`."""

    def __init__(self, library: Any) -> None:
        """Raises SafelightError: as :func:`safelight.models.store.load`."""
        os.environ["OMP_THREAD_LIMIT"] = "1"  # workers share the processor among themselves
        self._engines = []
        for weight in weights(Group.SCRIPTS):
            # the library takes a path only, and reads the file once; a worker may make files but no folders
            with tempfile.NamedTemporaryFile(prefix=f"{weight.name}-", suffix=".traineddata") as file:
                file.write(gzip.decompress(store.load(weight)))
                file.flush()
                place = Path(file.name)
                self._engines += [
                    library.PyTessBaseAPI(path=str(place.parent), lang=place.stem, psm=way) for way in _WAYS
                ]

    def read(self, line: NDArray[np.uint8]) -> tuple[list[str], bool]:
        """The readings of one line (height, width, 3), and whether any of them is sure."""
        found: dict[str, int] = {}
        for height in _HEIGHTS:
            page = Image.fromarray(_page(line, height))
            for engine in self._engines:
                engine.SetImage(page)
                text = " ".join(engine.GetUTF8Text().split())
                if sum(character.isalpha() for character in text) > 1:
                    found[text] = max(engine.MeanTextConf(), found.get(text, 0))
        return list(found), any(sure >= _SURE for sure in found.values())


def installed() -> Scripts | None:
    """A reader, or None where the library or its networks are missing."""
    missing = importlib.util.find_spec(PACKAGE) is None
    if missing or any(store.inspect(weight)[0] is not store.State.READY for weight in weights(Group.SCRIPTS)):
        return None
    return Scripts(importlib.import_module(PACKAGE))


def _page(line: NDArray[np.uint8], height: int) -> NDArray[np.uint8]:
    """The line in grey, dark on light, of one height, on an empty page."""
    grey = cv2.cvtColor(line, cv2.COLOR_BGR2GRAY)
    factor = height / grey.shape[0]
    grey = np.asarray(cv2.resize(grey, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC), np.uint8)
    low, high = np.percentile(grey, (2, 98))
    grey = np.clip((grey.astype(np.float32) - low) * 255 / max(high - low, 1), 0, 255).astype(np.uint8)
    limit, _ = cv2.threshold(grey, 0, 255, cv2.THRESH_OTSU)
    if (grey > limit).mean() < 0.5:
        grey = 255 - grey
    light = int(np.median(grey[grey >= limit])) if (grey >= limit).any() else 255
    border = (_MARGIN,) * 4
    return np.asarray(cv2.copyMakeBorder(grey, *border, cv2.BORDER_CONSTANT, value=(light,)), np.uint8)
