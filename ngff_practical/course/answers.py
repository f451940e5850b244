"""What a learner's answer says, read with care: an answer may be any object, and none of these trust it."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import PurePath
from types import BuiltinFunctionType, FunctionType, MethodType

import numpy as np

from ngff_practical.metadata.wording import escaped, quoted
from ngff_practical.metadata.wording import number as spelled
from ngff_practical.model import ConversionReport, Level, Location, TransferReport

LONGEST = 16
"""An answer has at most this many parts: longer ones are not gone through."""

_LONGEST_NUMBER = 40
_LONGEST_WORDS = 160


def number(answer: object) -> float | None:
    """Return a finite number, None for everything else; text like "12" counts, True and False do not."""
    if isinstance(answer, np.ndarray | np.generic) and answer.size == 1 and answer.dtype.kind in "iuf":
        answer = answer.item()
    if isinstance(answer, str):
        try:
            answer = float(answer.strip()) if len(answer) <= _LONGEST_NUMBER else None
        except ValueError:
            return None
    if isinstance(answer, bool) or not isinstance(answer, int | float | Decimal | Fraction):
        return None
    try:
        value = float(answer)
    except (OverflowError, ValueError):
        return None
    return value if math.isfinite(value) else None


def numbers(answer: object) -> tuple[float, ...] | None:
    """Return a row of numbers (tuple, list or array), None for everything else."""
    if isinstance(answer, np.ndarray):
        answer = answer.tolist() if answer.ndim == 1 and answer.size <= LONGEST else None
    if not isinstance(answer, tuple | list) or len(answer) > LONGEST:
        return None
    values = tuple(number(part) for part in answer)
    known = tuple(value for value in values if value is not None)
    return known if len(known) == len(values) else None


def whole_numbers(answer: object) -> tuple[int, ...] | None:
    """Return a shape: a row of whole numbers, None for everything else."""
    values = numbers(answer)
    if values is None or any(value != int(value) for value in values):
        return None
    return tuple(int(value) for value in values)


def text(answer: object) -> str | None:
    """Return text without blanks around it; a whole number, a path and a location have their usual text.

    A level is called by its path, a report by where it wrote to, and a zarr group or array on disk by its
    folder.
    """
    if isinstance(answer, str | PurePath | Location):
        return str(answer).strip()
    if isinstance(answer, Level):
        return answer.path
    if isinstance(answer, ConversionReport | TransferReport):
        return answer.destination
    if (folder := _folder_of(answer)) is not None:
        return folder
    value = number(answer)
    return None if value is None or value != int(value) else str(int(value))


def texts(answer: object) -> tuple[str, ...] | None:
    """Return a row of texts (tuple, list or set), None for everything else; a set comes sorted."""
    if not isinstance(answer, tuple | list | set | frozenset) or len(answer) > LONGEST:
        return None
    found = tuple(text(part) for part in answer)
    known = tuple(part for part in found if part is not None)
    if len(known) != len(found):
        return None
    return tuple(sorted(known)) if isinstance(answer, set | frozenset) else known


def same(answer: object, expected: object, *, within: float = 1e-9) -> bool:
    """Return True where an answer says the same as the expected value, in that value's own type.

    `within` is the share by which numbers may differ.
    """
    if isinstance(expected, bool):
        return isinstance(answer, bool | np.bool_) and bool(answer) is expected
    if isinstance(expected, int | float):
        value = number(answer)
        return value is not None and math.isclose(value, expected, rel_tol=within, abs_tol=1e-12)
    if isinstance(expected, str):
        return text(answer) == expected
    if isinstance(expected, tuple) and all(isinstance(part, str) for part in expected):
        return texts(answer) == expected
    if isinstance(expected, tuple):
        row = numbers(answer)
        return (
            row is not None
            and len(row) == len(expected)
            and all(same(value, part, within=within) for value, part in zip(row, expected, strict=True))
        )
    return answer is expected


@dataclass(frozen=True, slots=True)
class Equals:
    """The check that an answer says the same as the expected value."""

    expected: object
    within: float = 1e-9

    def __call__(self, answer: object) -> bool:
        """Return True where it does."""
        return same(answer, self.expected, within=self.within)


def equals(expected: object, *, within: float = 1e-9) -> Equals:
    """Return the check that an answer says the same as the expected value."""
    return Equals(expected, within)


def shown(answer: object) -> str:
    """Return an answer as a sentence calls it; no method of an unknown object is called."""
    if answer is None:
        return "`None`"
    if isinstance(answer, bool):
        return f"`{answer}`"
    if isinstance(answer, np.ndarray):
        return f"an array of shape {answer.shape}"
    if isinstance(answer, int | float) and type(answer) in (int, float):
        return f"`{_spelled(answer)}`"
    if isinstance(answer, str) and type(answer) is str:
        return quoted(answer)
    if isinstance(answer, np.generic):
        return f"`{escaped(str(answer))}`"
    if isinstance(answer, FunctionType | BuiltinFunctionType | MethodType | type):
        return "a function that was not called: its `()` are missing"
    if isinstance(answer, PurePath | Location):
        return quoted(str(answer))
    row = numbers(answer) if type(answer) in (tuple, list) else None
    if row is not None:
        return f"`({', '.join(map(_spelled, row))})`"
    words = texts(answer) if type(answer) in (tuple, list, set) else None
    if words is not None and sum(map(len, words)) <= _LONGEST_WORDS:
        return f"({', '.join(map(quoted, words))})"
    if isinstance(answer, tuple | list | dict | set) and type(answer) in (tuple, list, dict, set):
        return f"a {type(answer).__name__} of {len(answer)}"
    return f"an object of type {escaped(type(answer).__name__)}"


def _folder_of(answer: object) -> str | None:
    """Return the folder of a zarr group or array on disk; nobody holds one before zarr was imported."""
    if "zarr" not in sys.modules:
        return None
    import zarr
    from zarr.storage import LocalStore

    if not isinstance(answer, zarr.Group | zarr.Array) or not isinstance(answer.store, LocalStore):
        return None
    return str(answer.store.root / answer.path)


def _spelled(value: float) -> str:
    if isinstance(value, int):
        return str(value) if abs(value) < 10**30 else "a huge number"
    if math.isfinite(value) and value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return spelled(value)
