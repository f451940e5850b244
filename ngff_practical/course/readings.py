"""Other ways to write the same answer: what people hand in for `40` or `(1, 64, 64)`, and plainly mean."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Iterator, KeysView, ValuesView
from itertools import islice

import numpy as np

from ngff_practical.course.answers import LONGEST, number
from ngff_practical.model import Location

_LONGEST_TEXT = 200
_THOUSANDS = re.compile(r"[+-]?\d{1,3}([,_ '\u00a0\u202f]\d{3})+")
_WITH_UNIT = re.compile(r"([+-]?[\d.,_]+(?:e[+-]?\d+)?) ?([^\W\d_]+)", re.IGNORECASE)
_CALLED = re.compile(r"([^\W\d_]+) (\d+)")
_WITH_COMMA = re.compile(r"[+-]?\d+,\d+")
_BETWEEN_NAMES = re.compile(r"\s*[,;]\s*(?:and\s+)?|\s+and\s+")
_BETWEEN_NUMBERS = re.compile(r"\s*[x×*;]\s*|\s+")
_OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
}


def readings(answer: object, wants: str) -> tuple[object, ...]:
    """Return what an answer may mean besides what it is; `wants` names the unit that a number may carry.

    One thing in brackets is the thing; a generator, a dictionary, a box of slices or "1 x 64 x 64" is a row;
    "40 s" is a number where seconds are asked for, and `1,572,864`, `11,82` and "264 / 8" are numbers, too.
    """
    if isinstance(answer, str | Location) and "of a level" in wants:
        return _of_level(str(answer)[-_LONGEST_TEXT:])
    if isinstance(answer, str):
        return _of_text(answer.strip(), wants) if len(answer) <= _LONGEST_TEXT else ()
    if isinstance(answer, bytearray | memoryview):
        return (bytes(answer),)
    row = _row(answer)
    if row is None:
        return ()
    found: list[object] = [] if isinstance(answer, tuple | list) else [row]
    if len(row) == 1:
        found += [row[0], *readings(row[0], wants)]
    if any(_row(part) is not None or isinstance(part, slice) for part in row):
        found.append(_flat(row))
    if (
        len(row) == 2
        and type(answer) is tuple
        and all(type(part) is int and 0 <= part < 10**9 for part in row)
    ):
        found.append(float(f"{row[0]}.{row[1]}"))
    return (*found, *_in_thousands(row))


def _of_text(text: str, wants: str) -> tuple[object, ...]:
    found: list[object] = []
    try:
        found.append(ast.literal_eval(text))
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        bare = text.strip("()[]{} ")
        if len(names := _BETWEEN_NAMES.split(bare)) > 1:
            found.append(tuple(names))
        parts = _BETWEEN_NUMBERS.split(bare)
        if len(parts) > 1 and all(number(part) is not None for part in parts):
            found.append(tuple(parts))
        found += _value(text)
    if found and _row(found[0]) is not None:
        found += readings(found[0], wants)
    if _THOUSANDS.fullmatch(text):
        found.append(int(re.sub(r"[^\d+-]", "", text)))
    elif (told := _WITH_UNIT.fullmatch(text)) and _is_unit(told[2], wants):
        found += [told[1], *_of_text(told[1], wants)]
    elif (told := _CALLED.fullmatch(text)) and _is_unit(told[1], wants):
        found.append(told[2])
    if _WITH_COMMA.fullmatch(text):
        found.append(text.replace(",", "."))
    return tuple(found)


def _value(text: str) -> tuple[float, ...]:
    """Return what a sum such as `571 * 20 / 1000 + 0.4` comes to; nothing where it is none."""

    def of(node: ast.expr) -> float:
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
            return float(node.value)
        if isinstance(node, ast.BinOp) and (calculate := _OPERATORS.get(type(node.op))):
            return float(calculate(of(node.left), of(node.right)))
        raise ValueError("no sum")

    try:
        return (of(ast.parse(text, mode="eval").body),)
    except (ValueError, SyntaxError, MemoryError, RecursionError, ArithmeticError):
        return ()


def _of_level(text: str) -> tuple[object, ...]:
    """Return the path of a level that somebody calls "level 1", "1/" or by its whole address."""
    last = text.strip(" /").rpartition("/")[2]
    return (re.sub(r"^level\s+", "", last, flags=re.IGNORECASE).strip("\"'"),)


def _is_unit(word: str, wants: str) -> bool:
    return any(
        asked.startswith(word.lower()) or (len(asked) > 2 and word.lower() == f"{asked}s")
        for asked in re.findall(r"\w+", wants.lower())
    )


def _row(answer: object) -> tuple[object, ...] | None:
    """Return the parts of a row that is not too long, None for everything else."""
    if isinstance(answer, np.ndarray):
        return tuple(answer.tolist()) if 0 < answer.size <= LONGEST and answer.ndim else None
    if isinstance(answer, dict):
        answer = answer.values()
    if not isinstance(answer, tuple | list | set | frozenset | range | Iterator | KeysView | ValuesView):
        return None
    row = tuple(islice(answer, LONGEST + 1))
    return row if len(row) <= LONGEST else None


def _flat(row: tuple[object, ...]) -> tuple[object, ...]:
    """Return the parts of the parts; a slice has two."""
    parts: list[object] = []
    for part in row:
        if isinstance(part, slice):
            parts += [part.start, part.stop]
        else:
            parts += _row(part) or (part,)
    return tuple(parts)


def _in_thousands(row: tuple[object, ...]) -> tuple[int, ...]:
    """Return the number that somebody wrote as `1,572,864`: Python takes that for three numbers."""
    digits = [part for part in row if type(part) is int]
    if len(digits) != len(row) or len(row) < 2 or not 0 < digits[0] < 1000:
        return ()
    if any(not 0 <= part < 1000 for part in digits):
        return ()
    return (int("".join([str(digits[0]), *(f"{part:03}" for part in digits[1:])])),)
