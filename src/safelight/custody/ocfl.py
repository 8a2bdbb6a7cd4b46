"""The store: a storage root of OCFL 1.1 (ocfl.io), one object a clip, extension 0003, sha256."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from safelight.custody.disk import write_new

ROOT_MARK = ("0=ocfl_1.1", "ocfl_1.1\n")
OBJECT_MARK = ("0=ocfl_object_1.1", "ocfl_object_1.1\n")
INVENTORY = "inventory.json"
SIDECAR = "inventory.json.sha256"
EXTENSION = "0003-hash-and-id-n-tuple-storage-layout"
LAYOUT = {
    "extension": EXTENSION,
    "description": "Objects lie under their identifier, three folders of three digits of its sha256 above.",
}
PARAMETERS = {
    "extensionName": EXTENSION,
    "digestAlgorithm": "sha256",
    "tupleSize": 3,
    "numberOfTuples": 3,
}


def write_root(root: Path) -> None:
    """Make an empty storage root."""
    folder = root / "extensions" / EXTENSION
    folder.mkdir(parents=True, mode=0o700)
    write_new(root / ROOT_MARK[0], ROOT_MARK[1].encode())
    write_new(root / "ocfl_layout.json", as_json(LAYOUT))
    write_new(folder / "config.json", as_json(PARAMETERS))


def place_of(identifier: str) -> PurePosixPath:
    """Where an object lies below the root."""
    digest = hashlib.sha256(identifier.encode()).hexdigest()
    name = "".join(c if c.isalnum() or c in "-_" else f"%{ord(c):02x}" for c in identifier)
    return PurePosixPath(digest[:3], digest[3:6], digest[6:9], name)


@dataclass(frozen=True)
class Inventory:
    """One object. ``manifest``: sha256 → path in the object; ``states``: name → sha256, one for each version."""

    identifier: str
    manifest: dict[str, str] = field(default_factory=dict)
    states: tuple[dict[str, str], ...] = ()
    created: tuple[str, ...] = ()

    @property
    def version(self) -> int:
        """The newest version, from 1."""
        return len(self.states)

    def path(self, name: str) -> str | None:
        """Where the newest content under a logical name lies, relative to the object."""
        digest = self.states[-1].get(name) if self.states else None
        return self.manifest[digest] if digest is not None else None

    def next(self, added: dict[str, str]) -> Inventory:
        """The inventory after a version in which these files (logical name → sha256) are new or replaced."""
        version = self.version + 1
        fresh = {digest: f"v{version}/content/{name}" for name, digest in added.items()}
        return Inventory(
            self.identifier,
            {**fresh, **self.manifest},
            (*self.states, {**(self.states[-1] if self.states else {}), **added}),
            (*self.created, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")),
        )

    def to_bytes(self) -> bytes:
        """The document."""
        versions = {
            f"v{number}": {"created": created, "state": {digest: [name] for name, digest in sorted(state.items())}}
            for number, (state, created) in enumerate(zip(self.states, self.created, strict=True), 1)
        }
        return as_json(
            {
                "id": self.identifier,
                "type": "https://ocfl.io/1.1/spec/#inventory",
                "digestAlgorithm": "sha256",
                "head": f"v{self.version}",
                "manifest": {digest: [path] for digest, path in sorted(self.manifest.items())},
                "versions": versions,
            }
        )

    @classmethod
    def parse(cls, data: bytes) -> Inventory:
        """Read what :meth:`to_bytes` wrote. Raises ValueError for anything else."""
        try:
            told = json.loads(data)
            versions = [told["versions"][f"v{number}"] for number in range(1, len(told["versions"]) + 1)]
            found = cls(
                told["id"],
                {digest: paths[0] for digest, paths in told["manifest"].items()},
                tuple({names[0]: digest for digest, names in version["state"].items()} for version in versions),
                tuple(version["created"] for version in versions),
            )
        except (KeyError, TypeError, AttributeError, IndexError) as error:
            raise ValueError("this is no inventory") from error
        if found.to_bytes() != data:
            raise ValueError("this inventory is not as it was written")
        return found


def write_inventory(folder: Path, inventory: Inventory) -> str:
    """Write inventory and side-car into a folder; returns the inventory's sha256."""
    data = inventory.to_bytes()
    digest = hashlib.sha256(data).hexdigest()
    write_new(folder / INVENTORY, data)
    write_new(folder / SIDECAR, sidecar(digest))
    return digest


def sidecar(digest: str) -> bytes:
    """What stands in the side-car of an inventory with this sha256."""
    return f"{digest}  {INVENTORY}\n".encode()


def as_json(what: Any) -> bytes:
    """A document of the store."""
    return (json.dumps(what, indent=1) + "\n").encode()
