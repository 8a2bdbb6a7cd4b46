"""Names written in pictures: how many of them a scan finds. `python -m benchmarks.signs [--names N] [--script S]`.

Names of ``spellings.tsv`` in Latin letters (or Arabic or Cyrillic ones: `pip install tesserocr` first) are put on
boards and straight into a busy scene, in up to two fonts and four sizes, a little in perspective, compressed as JPEG;
then read and searched as `safelight names scan` does it. Where nothing is found, a person is told of unread lines.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter

from PIL import ImageFont
from tests.find.written import compressed, ink, scenery, window, write

from benchmarks.names import entered, spellings
from safelight.find.reading import TextReader
from safelight.names.match import Level
from safelight.names.passages import IN_PICTURE, Passage
from safelight.names.people import Person, Roster
from safelight.names.scan import Scanner

FONTS = (None, "DejaVuSerif.ttf")  # Pillow's own, and one that has letters with marks
HEIGHTS = (10, 14, 20, 32)  # pixels, of a capital and its descender
SCRIPTS = {"latin": (" ", "~"), "arabic": ("\u0600", "\u06ff"), "cyrillic": ("\u0400", "\u04ff")}
BOARDS = (None, (225, 235, 235))


def main() -> None:
    """Print the share found, by size and font; and what is found where another name stands."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--names", type=int, default=12)
    parser.add_argument("--script", choices=SCRIPTS, default="latin")
    asked = parser.parse_args()
    known = [entered(name, others, "both") for name, others in spellings("all").items()]
    first, last = SCRIPTS[asked.script]
    shown = -1 if asked.script == "latin" else 0
    names = [both for both in known if all(first <= c <= last or c == " " for c in both[shown])][: asked.names]
    fonts = FONTS if asked.script == "latin" else ("DejaVuSans.ttf",)
    reader = TextReader()
    found: Counter[tuple[int, str, str]] = Counter()
    seen: Counter[tuple[int, str]] = Counter()
    wrong = 0
    started = time.process_time()
    for number, both in enumerate(names):
        scanner = Scanner(Roster(people=[Person(id="w", pseudonym="X", names=both)]))
        other = Scanner(Roster(people=[Person(id="w", pseudonym="X", names=names[number - 1])]))
        for font in fonts:
            if font is not None and not _there(font):
                continue
            for height in HEIGHTS:
                for board in BOARDS:
                    picture = window(scenery(number), 300, 100)
                    write(picture, ink(both[shown], height, font), 90, 150, (25, 25, 35), board, slant=0.1)
                    reading = reader.read(compressed(picture))
                    read = [Passage(IN_PICTURE, reading.text, caseless=True)]
                    levels = [f.level for f in scanner.findings("a", read)]
                    kind = "board" if board else "scene"
                    seen[height, kind] += 1
                    found[height, kind, "block"] += Level.BLOCK in levels
                    found[height, kind, "listed"] += bool(levels)
                    found[height, kind, "told"] += bool(levels) or reading.unread > 0
                    wrong += bool(other.findings("a", read))
    for (height, kind), count in sorted(seen.items()):
        block, listed, told = (found[height, kind, what] / count for what in ("block", "listed", "told"))
        print(
            f"{height:3} px, {kind}: {count} pictures, {block:.0%} block, {listed:.0%} block or list, "
            f"{told:.0%} or told"
        )
    total = sum(seen.values())
    empty = sum(reader.read(compressed(window(scenery(number), 300, 100))).unread > 0 for number in range(len(names)))
    print(f"without any writing: {empty} of {len(names)} pictures are told as unread")
    print(f"another person's name: {wrong} of {total} pictures found something")
    print(f"{(time.process_time() - started) / total:.2f} processor-seconds a picture of 640x360")


def _there(font: str) -> bool:
    try:
        ImageFont.truetype(font, 10)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main()
