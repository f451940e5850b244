"""Typed axes with lengths, as in zc2yx: pages in one row that hold two axes or more, one within the other."""

from __future__ import annotations

import math
import re

from ngff_practical.errors import StackError
from ngff_practical.model import Shape
from ngff_practical.stack.faults import by, clean
from ngff_practical.stack.typed import typed

_AXIS = re.compile(r"([a-z])([0-9]{0,9})", re.A)


def has_lengths(axes: str) -> bool:
    """Return True where typed axes hold a number."""
    return any(sign in "0123456789" for sign in axes)


def split_pages(stored: str, shape: Shape, axes: str, what: str) -> tuple[str, Shape, str]:
    """Return stored axes and shape with the row of pages cut as typed, and the typed letters alone.

    All axes before y but one need their length; that one takes what is left.
    """
    plain = axes.strip().replace(",", "").lower()
    parts = _AXIS.findall(plain)
    letters = "".join(letter for letter, _ in parts)
    lead = parts[: letters.find("y")] if "y" in letters else []
    if "".join(letter + length for letter, length in parts) != plain or any(
        length for _, length in parts[len(lead) :]
    ):
        raise StackError(
            f"axes {clean(axes)!r} are none: lengths stand behind the letters of axes before y, as in "
            f"{typed(axes='zc2yx')} where 2 channels of each plane follow each other"
        )
    kept = [at for at, size in enumerate(shape) if size > 1]
    rows = [at for at in kept if stored[at] not in "YXS"]
    if len(rows) != 1:
        raise StackError(
            f"axes {clean(axes)!r} give lengths, which cut one row of pages; {what} holds "
            f"{by(shape[at] for at in kept)} values, stored as {clean(''.join(stored[at] for at in kept))}: "
            "leave the lengths out"
        )
    count = shape[rows[0]]
    known = [int(length) for _, length in lead if length]
    inner = math.prod(known)
    unknown = len(lead) - len(known)
    if unknown > 1 or not inner or count % inner or (not unknown and count != inner):
        raise StackError(
            f"axes {clean(axes)!r} do not fit {what}: lengths of {by(known)} do not make its {count} pages; "
            f"write those of all axes before y but one, so that they divide {count}"
        )
    lengths = tuple(int(length) if length else count // inner for _, length in lead)
    codes = "".join(letter.upper() for letter, _ in lead)
    at = rows[0]
    return stored[:at] + codes + stored[at + 1 :], shape[:at] + lengths + shape[at + 1 :], letters
