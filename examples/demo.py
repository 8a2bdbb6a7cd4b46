"""`make demo`: do the main job on a short clip, or on one of yours, and say where the results lie."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

FOLDER = Path("demo")


def main() -> int:
    """Run the demonstration; returns the program's own exit status."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--clip", type=Path, help="your own clip instead of the one made here")
    clip = ask.parse_args().clip
    FOLDER.mkdir(exist_ok=True)
    if clip is None:
        clip = FOLDER / "portrait.mp4"
        if not clip.exists():
            from examples.clip import write_clip

            print("Making a short clip with a moving face and sound ...", flush=True)
            made = clip.with_suffix(".making.mp4")
            write_clip(made)
            made.replace(clip)
    program = Path(sys.executable).with_name("safelight")
    done = subprocess.run(
        [program, "protect", "--json", "--out", FOLDER, "--", clip], stdout=subprocess.PIPE, check=False
    )
    for result in json.loads(done.stdout)["results"] if done.stdout else []:
        if result["status"] == "refused":
            print(f"\n{result['source']} was refused ({result['code']}): {result['detail']}\n{result['next_step']}")
            continue
        figures = result["figures"]
        print(
            f"\n{result['source']}: {figures['frames']['written']} frames, {figures['tracks']['hidden']} tracks "
            f"hidden, {figures['share_hidden_mean']:.1%} of the picture covered"
            + (" (done before; nothing to do)" if result["status"] == "already done" else "")
        )
        print(f"  the copy, to be published:     {result['copy']}")
        print(f"  the contact sheet, to look at: {result['sheet'] or 'none, nothing was hidden'}")
        print(f"  the account of what was done:  {result['account']}")
        print(f"  the plan, to be mended:        {result['plan']}")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
