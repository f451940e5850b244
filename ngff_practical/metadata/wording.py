"""Text out of files made fit for a sentence: escaped, shortened, and called by the name of its kind."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable

from ngff_practical.model.wording import escaped, plural

__all__ = ["escaped", "is_plain", "listed", "located", "number", "numbers", "plural", "quoted", "shown"]

LONGEST_PLACE = 400
"""Characters of where something is."""

_JOINERS = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"
_SILENT = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that move the cursor, turn the writing direction or show nothing."""


def is_plain(text: str) -> bool:
    """Return True where text shows what it holds: no control, bidirectional or invisible characters.

    What joins or parts letters, as Persian and Hindi are written and emojis put together, may be there.
    """
    return all(unicodedata.category(character) not in _SILENT or character in _JOINERS for character in text)


def shown(value: object) -> str:
    """Return a value from a file as a sentence calls it: `the text "0.5"`, `the number 2`, `a list of 3`."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"the text {quoted(value)}" if value else "an empty text"
    if isinstance(value, int | float):
        return f"the number {escaped(number(value))}"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return "an object"


def quoted(text: str) -> str:
    """Return a text from a file in quotation marks, escaped and shortened."""
    return f'"{escaped(text)}"'


def located(where: str) -> str:
    """Return a path into the metadata, or a key, escaped; none that tools write is long enough to be cut."""
    return escaped(where, limit=LONGEST_PLACE)


def number(value: float) -> str:
    """Return a number as people write it: `2`, `0.25`, `1e+30`, `NaN`."""
    if isinstance(value, int):
        return str(value)
    if math.isnan(value):
        return "NaN"
    return f"{value:.6g}" if math.isfinite(value) else "Infinity" if value > 0 else "-Infinity"


def numbers(values: Iterable[float]) -> str:
    """Return a vector as JSON would write it, shortened: `[0.5, 0.25, 0.25]`."""
    return f"[{', '.join(number(value) for value in values)}]"


def listed(names: Iterable[str], *, limit: int = 5) -> str:
    """Return names in one phrase: `a, b and c`, or `a, b, c, d, e and 3 more`."""
    given = list(names)
    every = [escaped(name) for name in given[:limit]]
    if len(given) > limit:
        return f"{', '.join(every)} and {len(given) - limit} more"
    return " and ".join((", ".join(every[:-1]), every[-1])) if len(every) > 1 else "".join(every)
