"""Near duplicates found and missed: `python -m benchmarks.near CLIP...` (needs the program `ffmpeg`).

Of each clip altered copies are made; the rows tell what was done. A copy's second counts as found when a reported
stretch holds it and puts it no more than 0.3 seconds from where it was in the original. *Others*: seconds of all copies
that are reported as another clip. Last: how long making and comparing took.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import time
from pathlib import Path

from safelight.custody.near import Stretch, stretches
from safelight.custody.trace import STEP, Trace
from safelight.find.trace import trace

NEAR = 0.3  # seconds
HALF = "scale=trunc(iw/4)*2:trunc(ih/4)*2"
THIRD = "scale=trunc(iw/6)*2:trunc(ih/6)*2"
X264 = ["-c:v", "libx264", "-pix_fmt", "yuv420p"]
ALTERED: dict[str, tuple[str, float, list[str]]] = {  # filter, share cut off at the beginning, how it is coded
    "coded anew, poor (x264 crf 36)": ("null", 0, [*X264, "-crf", "36"]),
    "a third of the size": (THIRD, 0, [*X264, "-crf", "28"]),
    "the middle 40 %": ("null", 0.3, X264),
    "the middle 40 %, half size, MPEG-4, 15 a second": (HALF, 0.3, ["-c:v", "mpeg4", "-q:v", "8", "-r", "15"]),
    "brighter, less colour": ("eq=brightness=0.08:saturation=0.4", 0, X264),
    "a mark in a corner": ("drawbox=x=iw*0.75:y=ih*0.05:w=iw*0.2:h=ih*0.1:color=white:t=fill", 0, X264),
    "2 % cut off each side": ("crop=iw*0.96:ih*0.96", 0, X264),
    "10 % cut off each side": ("crop=iw*0.8:ih*0.8", 0, X264),
    "mirrored": ("hflip", 0, X264),
    "10 % faster": ("setpts=PTS/1.1", 0, X264),
}


def traced(path: Path) -> Trace:
    """What a clip is recognised by."""
    with path.open("rb") as file:
        return trace(file, lambda done, total: None)


def altered(clip: Path, seconds: float, what: str, target: Path) -> float:
    """Make a copy; returns the second of the clip that it begins with."""
    filters, share, coding = ALTERED[what]
    begin = share * seconds
    zero = "setpts=PTS-STARTPTS"  # times count from the first picture, as in a trace
    cut = f"{zero},trim=start={begin:.3f}:duration={0.4 * seconds:.3f},{zero}" if share else zero
    every = f"{cut},{filters},scale=trunc(iw/2)*2:trunc(ih/2)*2"
    words = ["ffmpeg", "-v", "error", "-y", "-i", str(clip), "-an", "-vf", every, *coding, str(target)]
    subprocess.run(words, check=True)
    return begin


def found(spans: list[Stretch], begin: float, speed: float) -> float:
    """Seconds of a copy that were found where they are."""
    total = 0.0
    for span in spans:
        ends = [(span.begin, span.other_begin), (span.end, span.other_end)]
        if all(abs(begin + mine * speed - theirs) <= NEAR for mine, theirs in ends):
            total += span.end - span.begin
    return total


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="+", type=Path)
    clips = parser.parse_args().clips
    began = time.process_time()
    known = {clip: traced(clip) for clip in clips}
    length = sum(one.seconds for one in known.values())
    took = {"tracing": time.process_time() - began, "comparing": 0.0}
    pairs = 0
    print("copies | seconds | found | as others")
    with tempfile.TemporaryDirectory() as name:
        for what in ALTERED:
            seconds = right = wrong = 0.0
            for clip, original in known.items():
                target = Path(name) / ("copy.avi" if "MPEG-4" in what else "copy.mp4")
                begin = altered(clip, original.seconds, what, target)
                copy = traced(target)
                seconds += len(copy.pictures) * STEP
                began = time.process_time()
                for other, theirs in known.items():
                    spans, pairs = stretches(copy.pictures, theirs.pictures), pairs + 1
                    if other == clip:
                        right += found(spans, begin, 1.1 if "faster" in what else 1)
                    else:
                        wrong += sum(span.end - span.begin for span in spans)
                took["comparing"] += time.process_time() - began
            print(f"{what} | {seconds:.0f} | {right / seconds:.0%} | {wrong:.1f}", flush=True)
    print(f"{took['tracing'] / length:.2f} s of processor a second of film to trace; {pairs} pairs in ", end="")
    print(f"{took['comparing']:.1f} s")


if __name__ == "__main__":
    main()
