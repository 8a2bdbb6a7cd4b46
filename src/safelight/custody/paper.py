"""One document of a whole case, such as the list of protected names: sealed to the members, every use in the log."""

from __future__ import annotations

from safelight.custody.case import Case
from safelight.custody.entry import Act

NAMES = "names"


class Paper:
    """A document's sealed home in an opened case. Its plain bytes are in memory only."""

    def __init__(self, case: Case, kind: str = NAMES, changed: Act = Act.NAMES) -> None:
        """``kind``: of the document; ``changed``: the act by which the log tells of a new version."""
        self._case = case
        self._kind = kind
        self._changed = changed

    def load(self) -> bytes | None:
        """The newest version; None when there is none. The log says who opened it. Raises SL-CASE-BROKEN."""
        data = self._case.document(None, self._kind)
        if data is not None:
            self._case.note(Act.OPENED, note=self._kind)
        return data

    def version(self) -> str:
        """The hash of the newest version as it is sealed, which tells nothing of what is in it; "" for none."""
        return self._case.sealed_sha256(None, self._kind) or ""

    def save(self, data: bytes) -> None:
        """Seal a new version; older ones stay, as everything in a case. Raises SL-DISK-FULL, SL-NOT-WRITABLE."""
        self._case.seal_documents(None, {self._kind: data}, self._changed)
