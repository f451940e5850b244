"""Other ways to write the same answer: what people hand in for `40` or `(1, 64, 64)`, and plainly mean."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, KeysView, ValuesView
from itertools import islice

import numpy as np

from ngff_practical.course.answers import LONGEST
from ngff_practical.model import Location

_LONGEST_TEXT = 200
_THOUSANDS = re.compile(r"[+-]?\d{1,3}([,_ '\u00a0\u202f]\d{3})+")
_WITH_UNIT = re.compile(r"([+-]?[\d.,_]+(?:e[+-]?\d+)?) ?([^\W\d_]+)", re.IGNORECASE)


def readings(answer: object, wants: str) -> tuple[object, ...]:
    """Return what an answer may mean besides what it is; `wants` names the unit that a number may carry.

    One thing in brackets is the thing; a generator, a dictionary or a box of slices is a row; "40 s" is a
    number where seconds are asked for, and `1,572,864` is one, too.
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
    thousands = _in_thousands(row)
    return tuple(found if thousands is None else [*found, thousands])


def _of_text(text: str, wants: str) -> tuple[object, ...]:
    found: list[object] = []
    try:
        found.append(ast.literal_eval(text))
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        if "," in text:
            found.append(tuple(part.strip() for part in text.strip("()[]{}").split(",")))
    if found and _row(found[0]) is not None:
        found += readings(found[0], wants)
    if _THOUSANDS.fullmatch(text):
        found.append(int(re.sub(r"[^\d+-]", "", text)))
    elif (told := _WITH_UNIT.fullmatch(text)) and _is_unit(told[2], wants):
        found += [told[1], *_of_text(told[1], wants)]
    return tuple(found)


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


def _in_thousands(row: tuple[object, ...]) -> int | None:
    """Return the number that somebody wrote as `1,572,864`: Python takes that for three numbers."""
    digits = [part for part in row if type(part) is int]
    if len(digits) != len(row) or len(row) < 2 or not 0 < digits[0] < 1000:
        return None
    if any(not 0 <= part < 1000 for part in digits):
        return None
    return int("".join([str(digits[0]), *(f"{part:03}" for part in digits[1:])]))
