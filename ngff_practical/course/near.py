"""How near an answer is that no known mistake explains: what of it is right, and by what it is off."""

from __future__ import annotations

import re
from collections.abc import Callable

from ngff_practical.course.answers import Equals, number, numbers, same, texts
from ngff_practical.metadata.wording import listed

_FACTORS = {
    2: "",
    8: " A byte has 8 bits.",
    60: " A minute has 60 seconds.",
    1000: " Which unit is it in?",
    1024: " Which unit is it in?",
    10**6: " Which unit is it in?",
    2**20: " Which unit is it in?",
}
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")


def nearness(right: Callable[[object], bool], answer: object) -> str | None:
    """Return a sentence on what an answer has in common with the right one; None where that is nothing."""
    value = number(answer)
    if value is not None:
        return _of_number(right, value)
    if isinstance(answer, str) and (value := number(re.sub(r"[^\W\d_]+$", "", answer))) is not None:
        return "The number is right. Look at its unit." if right(value) else _of_number(right, value)
    expected = right.expected if isinstance(right, Equals) else None
    if isinstance(expected, tuple):
        row: tuple[object, ...] | None = numbers(answer) or texts(answer)
        return None if row is None else _of_row(right, expected, row)
    return None


def _of_number(right: Callable[[object], bool], value: float) -> str | None:
    if value == int(value) and (right(value + 1) or right(value - 1)):
        return "Off by one: does your counting begin, and end, where it should?"
    if value < 0 and right(-value):
        return "The size is right, the sign is not."
    for factor, words in _FACTORS.items():
        if right(value * factor) or right(value / factor):
            return f"Too {'small' if right(value * factor) else 'large'} by a factor of {factor:,}.{words}"
    if isinstance(right, Equals) and same(value, right.expected, within=0.02):
        return "All but equal: was it rounded?"
    return None


def _of_row(
    right: Callable[[object], bool], expected: tuple[object, ...], row: tuple[object, ...]
) -> str | None:
    if len(row) != len(expected):
        return f"{len(expected)} parts are asked for, these are {len(row)}."
    if right(row[::-1]):
        return "The right ones, the other way round: which comes first?"
    fitting = [same(part, wanted, within=1e-6) for part, wanted in zip(row, expected, strict=True)]
    if all(fitting):
        return "All but equal: were these rounded, or should they be?"
    if len(row) > len(_ORDINALS) or not any(fitting):
        return None
    kept = [name for name, fits in zip(_ORDINALS, fitting, strict=False) if fits]
    return f"Right is the {listed(kept)}: look at the rest."
