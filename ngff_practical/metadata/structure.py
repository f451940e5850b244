"""A small language for the shape of JSON metadata: records, lists, texts and numbers that name their faults.

ome-zarr-models knows three of the six versions and takes the text "0.5" for a number and "#FF0000" for a
colour, so every version's own table (`shapes.py`) is written in this language first.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeGuard

from ngff_practical.metadata.wording import escaped, number, plural, shown
from ngff_practical.model import Issue, Severity

LONGEST_LIST = 10_000
"""Entries of one list that are looked at; a plate of 1536 wells stays far below."""

MOST_LEVELS = 64
"""Levels of one image that are looked at; halving the largest array there can be takes 63."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in the metadata, and the rule that holds there."""

    where: str
    rule: str

    def key(self, name: str) -> Spot:
        """Return the spot of a key of the object that is here."""
        return replace(self, where=f"{self.where}.{name}" if self.where else name)

    def item(self, index: int) -> Spot:
        """Return the spot of an entry of the list that is here."""
        return replace(self, where=f"{self.where}[{index}]")

    @property
    def name(self) -> str:
        """What a sentence calls the value here: the last part of its path, as in `scale[1]`."""
        return self.where.rsplit(".", 1)[-1] or "the metadata"

    def issue(self, severity: Severity, message: str) -> Issue:
        """Return a finding about the value here."""
        return Issue(severity, self.where, message, self.rule)

    def must(self, message: str) -> Issue:
        """Return a finding that breaks a MUST here."""
        return self.issue("must", message)

    def should(self, message: str) -> Issue:
        """Return a finding that breaks a SHOULD here."""
        return self.issue("should", message)

    def wrong(self, value: object, expected: str, severity: Severity = "must") -> Issue:
        """Return the finding that the value here is not of the kind it has to be."""
        return self.issue(severity, f"{self.name} is {shown(value)}, expected {expected}")


type Check = Callable[[object, Spot], Iterator[Issue]]


@dataclass(frozen=True, slots=True)
class Field:
    """A key of a record: how its value looks, and whether it has to be there."""

    name: str
    check: Check
    need: Literal["must", "should", "may"]
    purpose: str = ""


def must(name: str, check: Check, purpose: str) -> Field:
    """Return a key that has to be there; `purpose` completes "it is missing; it says ..."."""
    return Field(name, check, "must", purpose)


def should(name: str, check: Check, purpose: str) -> Field:
    """Return a key that ought to be there; `purpose` completes "it is missing; it says ..."."""
    return Field(name, check, "should", purpose)


def may(name: str, check: Check) -> Field:
    """Return a key that has to look right where it is there."""
    return Field(name, check, "may")


def record(*fields: Field) -> Check:
    """Return the check of a JSON object; keys that no field names are free, as the specification has it."""

    def check(value: object, spot: Spot) -> Iterator[Issue]:
        if not isinstance(value, dict):
            yield spot.wrong(value, "an object")
            return
        for field in fields:
            here = spot.key(field.name)
            if field.name in value:
                yield from field.check(value[field.name], here)
            elif field.need != "may":
                yield here.issue(
                    field.need, f"{field.name} is missing{field.purpose and '; it says '}{field.purpose}"
                )

    return check


def each(entry: Check, *, least: int = 0, most: int = LONGEST_LIST, distinct: str = "") -> Check:
    """Return the check of a JSON list; `distinct` names the key whose value no two entries may share."""

    def check(value: object, spot: Spot) -> Iterator[Issue]:
        if not isinstance(value, list):
            yield spot.wrong(value, "a list")
            return
        if len(value) < least:
            found = plural(len(value), "entry", "entries")
            yield spot.must(f"{spot.name} has {found}, expected at least {least}")
        if len(value) > most:
            yield spot.must(f"{spot.name} has {len(value)} entries, expected at most {most}")
        for index, item in enumerate(value[:most]):
            yield from entry(item, spot.item(index))
        if distinct:
            yield from _repeated(value[:most], distinct, spot)

    return check


def text(pattern: str = "", expected: str = "a text", *, severity: Severity = "must") -> Check:
    """Return the check of a text, which has to match `pattern` as a whole where one is given."""
    matches = re.compile(pattern, re.DOTALL).fullmatch

    def check(value: object, spot: Spot) -> Iterator[Issue]:
        if not isinstance(value, str) or (pattern and not matches(value)):
            yield spot.wrong(value, expected, severity)

    return check


def a_number(
    *, integer: bool = False, whole: bool = False, least: float = -math.inf, most: float = math.inf
) -> Check:
    """Return the check of a number; NaN passes here, for the document as a whole is searched for it.

    To JSON 2.0 is a `whole` number like 2; an `integer` is one to Zarr, too, which counts with it.
    """
    kind = "a whole number" if integer or whole else "a number"
    bounds = [f"not below {number(least)}"] * (least > -math.inf) + [f"not above {number(most)}"] * (
        most < math.inf
    )
    expected = ", ".join([kind, *bounds])

    def check(value: object, spot: Spot) -> Iterator[Issue]:
        if (
            not is_number(value)
            or (integer and not isinstance(value, int))
            or (whole and isinstance(value, float) and not value.is_integer())
            or value < least
            or value > most
        ):
            yield spot.wrong(value, expected)

    return check


def vector(value: object, spot: Spot) -> Iterator[Issue]:
    """Check that a value is a list of numbers; of several wrong ones the first is named."""
    if not isinstance(value, list):
        yield spot.wrong(value, "a list of numbers, one for every axis")
        return
    wrong = [index for index, item in enumerate(value) if not is_number(item)]
    if wrong:
        at = spot.item(wrong[0])
        more = "" if len(wrong) == 1 else f"; {len(wrong)} entries are no numbers"
        yield at.must(f"{at.name} is {shown(value[wrong[0]])}, expected a number{more}")


def is_number(value: object) -> TypeGuard[int | float]:
    """Return True for a JSON number: Python takes true for 1, JSON does not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def choice(*allowed: object) -> Check:
    """Return the check of a value that has to be one of a few."""
    expected = shown(allowed[0]) if len(allowed) == 1 else f"one of {', '.join(map(str, allowed))}"

    def check(value: object, spot: Spot) -> Iterator[Issue]:
        if type(value) not in {type(option) for option in allowed} or value not in allowed:
            yield spot.wrong(value, expected)

    return check


def flag(value: object, spot: Spot) -> Iterator[Issue]:
    """Check that a value is true or false."""
    if not isinstance(value, bool):
        yield spot.wrong(value, "true or false")


def mapping(value: object, spot: Spot) -> Iterator[Issue]:
    """Check that a value is an object, whatever its keys."""
    if not isinstance(value, dict):
        yield spot.wrong(value, "an object")


def anything(value: object, spot: Spot) -> Iterator[Issue]:
    """Accept every value."""
    yield from ()


def section(rule: str, check: Check) -> Check:
    """Return the check under another rule's name, for a part with a section of its own."""
    return lambda value, spot: check(value, replace(spot, rule=rule))


def entries(value: object, key: str) -> Sequence[dict[str, object]]:
    """Return the objects in the list at `key`, and nothing where there is no such list."""
    items = value.get(key) if isinstance(value, dict) else None
    return (
        [item for item in items[:LONGEST_LIST] if isinstance(item, dict)] if isinstance(items, list) else []
    )


def _repeated(items: Sequence[object], key: str, spot: Spot) -> Iterator[Issue]:
    first_at: dict[object, int] = {}
    for index, item in enumerate(items):
        value = item.get(key) if isinstance(item, dict) else None
        if not isinstance(value, str | int) or isinstance(value, bool):
            continue
        if value in first_at:
            yield (
                spot.item(index)
                .key(key)
                .issue(
                    "must",
                    f"{key} {escaped(str(value))} stands twice, in entries {first_at[value]} and {index}",
                )
            )
        first_at.setdefault(value, index)
