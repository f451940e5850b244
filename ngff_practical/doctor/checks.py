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


def ready(checks: Iterable[Check]) -> bool:
    """Return True where everything that is needed is right."""
    return all(check.ok or not check.needed for check in checks)


def failed(name: str, error: Exception, *, needed: bool = True) -> Check:
    """Return the check that an error of ours makes: what is wrong, then the way out."""
    found, _, fix = str(error).partition("; ")
    return Check(name, False, found, fix or "see above", needed)
