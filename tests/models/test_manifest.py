from __future__ import annotations

from importlib import resources
from typing import Any

import pytest
from pydantic import ValidationError

from safelight import models
from safelight.models.manifest import Group, Manifest, manifest, weight, weights


def changed(**changes: Any) -> dict[str, Any]:
    raw = manifest().model_dump(mode="json")
    raw["weight"][0] |= changes
    return raw


def test_every_weight_says_whose_it_is_and_where_it_lies() -> None:
    assert len(weights()) == sum(len(weights(group)) for group in Group)
    for entry in weights():
        carrier = manifest().carrier_of(entry)
        assert entry.licence
        assert entry.author
        assert entry.origin
        assert carrier.licence
        top = "package" if carrier.registry == "npm" else carrier.archive.split("-")[0]
        assert all(part.member.lower().startswith(f"{top.lower()}/") for part in entry.parts)
        assert entry.file.endswith((".onnx", ".pb", ".dat", ".pt", ".part1", ".part2", ".gz"))


def test_identities_name_each_weight_by_its_hash() -> None:
    assert models.identities("find")["yunet"] == weight("yunet").sha256
    assert "sface" not in models.identities("find")


def test_the_manifest_knows_no_address() -> None:
    text = resources.files(models).joinpath("weights.toml").read_text("utf-8").lower()
    assert "://" not in text
    assert ".org" not in text


@pytest.mark.parametrize(
    "changes",
    [
        {"carrier": "nobody"},
        {"sha256": "0" * 63},
        {"size": 0},
        {"name": "../up"},
        {"format": "pickle"},
        {"outputs": []},
        {"surprise": 1},
        {"name": "centerface"},  # the name of another
    ],
)
def test_a_manifest_that_does_not_hold_together_is_refused(changes: dict[str, Any]) -> None:
    Manifest.model_validate(changed())
    with pytest.raises(ValidationError):
        Manifest.model_validate(changed(**changes))


def test_an_archive_name_cannot_lead_out_of_its_folder() -> None:
    raw = manifest().model_dump(mode="json")
    raw["carrier"][0]["archive"] = "../x.whl"
    with pytest.raises(ValidationError):
        Manifest.model_validate(raw)


def test_an_unknown_name_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        weight("nobody")
