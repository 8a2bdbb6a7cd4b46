"""Weights and the networks made of them: what is used, where it comes from, and that it is what it should be."""

from safelight.models.manifest import Group, weights
from safelight.models.store import require

__all__ = ["identities", "require"]


def identities(group: str) -> dict[str, str]:
    """Name and sha256 of every weight of a group, for plans and accounts."""
    return {weight.name: weight.sha256 for weight in weights(Group(group))}
