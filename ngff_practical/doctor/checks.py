"""One thing that was looked at: whether it is right, what was found, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """One finding. `fix` is empty where nothing is to be done; what is not `needed` stops nobody."""

    name: str
    ok: bool
    found: str
    fix: str = ""
    needed: bool = True

    @property
    def verdict(self) -> str:
        """One word: "ok", "note" for what stops nobody, "WRONG" for what is to be done first."""
        return "ok" if self.ok else "WRONG" if self.needed else "note"


def ready(checks: Iterable[Check]) -> bool:
    """Return True where everything that is needed is right."""
    return all(check.verdict != "WRONG" for check in checks)


def failed(name: str, error: Exception, *, needed: bool = True) -> Check:
    """Return the check that an error of ours makes: what is wrong, then the way out."""
    found, _, fix = str(error).partition("; ")
    return Check(name, False, found, fix or "see above", needed)
