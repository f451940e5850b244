"""Findings as a person reads them, in a terminal or a notebook: gathered, counted, the gravest first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ngff_practical.model.report import Issue, Severity

FEW_PLACES = 4
"""Places that are named of those where the same is found."""


def gathered(issues: Iterable[Issue]) -> list[tuple[Issue, tuple[str, ...]]]:
    """Return findings for people: the gravest first, each once, with where else the same is found.

    The images of a plate come from one program, which did the same to all of them.
    """
    found: dict[tuple[Severity, str, str], list[Issue]] = {}
    for issue in sorted(issues, key=attrgetter("rank")):
        found.setdefault((issue.severity, issue.message, issue.rule), []).append(issue)
    return [(first, tuple(other.where for other in others)) for first, *others in found.values()]


def elsewhere_text(places: Sequence[str]) -> str:
    """Return where else the same is found: `and the same in A/2/0, A/3/0 and 93 more places`."""
    groups = list(dict.fromkeys(place.partition(": ")[0] for place in places))
    names = groups if len(groups) == len(places) else list(places)
    more = (
        f" and {len(names) - FEW_PLACES} more place{'s' * (len(names) - FEW_PLACES > 1)}"
        if len(names) > FEW_PLACES
        else ""
    )
    return f"and the same in {', '.join(names[:FEW_PLACES])}{more}"


def findings_text(issues: Iterable[Issue]) -> str:
    """Return how many findings there are, as in `1 rule broken, 2 recommendations not followed`."""
    found = [issue.severity for issue in issues]
    words: dict[Severity, tuple[str, str]] = {
        "must": ("rule", " broken"),
        "data": ("fault", " in the data"),
        "should": ("recommendation", " not followed"),
    }
    counts = [(found.count(severity), *phrase) for severity, phrase in words.items()]
    return ", ".join(f"{count} {one}{'s' * (count > 1)}{rest}" for count, one, rest in counts if count)
