"""`make example`: draw the pictures and the film of a made-up story, protect and attack the film, build the site.

It plays all parts that people play at a desk. The approval it writes stands for one who has watched the copy.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from examples.drawings import write_film, write_pictures
from safelight.approval import Approval, CopyFacts, Signed, VerdictFacts

HERE = Path(__file__).parent / "closed-city"
PASSPHRASE = "only an example"
# whom the made-up women of the story would be, were they real
PEOPLE = (
    ("Om Yasin", ("رقية الزبيدي", "Ruqayya al-Zubaidi"), ("street=Dyers' Lane 7", "date=1979-08-21")),
    ("Shirin", ("نسرين خوشناو", "Nasrin Khoshnaw"), ("number=0770 553 1896",)),
)


def run(*words: str | Path, cwd: Path | None = None) -> None:
    """Run safelight; a step that fails ends the example."""
    program = Path(sys.executable).with_name("safelight")
    print(f"safelight {' '.join(str(word) for word in words)}", flush=True)
    done = subprocess.run(
        [program, *words], cwd=cwd, env=os.environ | {"SAFELIGHT_PASSPHRASE": PASSPHRASE}, check=False
    )
    if done.returncode:
        sys.exit(f"This step of the example failed with status {done.returncode}.")


def approve(copy: Path, verdict: Path, who: str) -> None:
    """Write the approval that the desk writes when a person has watched a copy that held."""
    made = Approval(
        copy_=CopyFacts(name=copy.name, sha256=hashlib.sha256(copy.read_bytes()).hexdigest()),
        verdict=VerdictFacts(outcome="held", sha256=hashlib.sha256(verdict.read_bytes()).hexdigest()),
        signed=[Signed(who=who, when=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"))],
    )
    copy.with_name(f"{copy.stem}-approval.json").write_text(made.to_json(), encoding="utf-8")


def prepare(work: Path) -> Path:
    """The story's folder with film, pictures, verdict, approval and sealed names; returns it."""
    story = work / "closed-city"
    if (story / "clips").is_dir():
        shutil.copytree(HERE, story, dirs_exist_ok=True)
        return story
    shutil.copytree(HERE, story, dirs_exist_ok=True)
    write_pictures(story / "pictures")
    film = work / "card" / "road.mp4"
    film.parent.mkdir(parents=True, exist_ok=True)
    write_film(film)
    run("protect", "--sensor", "off", "--out", work / "protected", film)  # drawn: no camera made it
    copy = work / "protected" / "road.safelight.mp4"
    for pseudonym, names, facts in PEOPLE:
        words = [option for name in names for option in ("--name", name)]
        words += [option for fact in facts for option in ("--fact", fact)]
        run("names", "add", "--pseudonym", pseudonym, *words, "--names", story / "names.age")
    clips = story / "making"
    clips.mkdir(exist_ok=True)
    verdict = clips / "road.safelight-report.json"
    shutil.copyfile(copy, clips / copy.name)
    shutil.copyfile(work / "protected" / verdict.name, verdict)
    approve(clips / copy.name, verdict, "editor 1")
    clips.rename(story / "clips")
    return story


def main() -> None:
    """Prepare and build; print where the site lies."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--out", type=Path, default=Path("demo"))
    work = ask.parse_args().out.absolute()
    work.mkdir(exist_ok=True)
    story = prepare(work)
    key = work / "desk-key.age"
    if not key.exists():
        run("story", "key", "The Lamp Desk", "--out", key)
    run("story", "build", story, "--out", work / "site", "--sign", key)


if __name__ == "__main__":
    main()
