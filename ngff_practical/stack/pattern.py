"""What a person types to say how files are named: "img_{z}_ch{c}.tif", and the files that fit it.

`{t}`, `{c}` and `{z}` stand for what counts along that axis, `{}` (or `*`) for what does not matter;
everything else must be there as it is written. `{c:2}` is two characters long, `{c=1,3}` is 1 or 3. Slashes
lead into folders, the ending may be left out, upper and lower case are the same. `{{` is a brace.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import PurePath

from ngff_practical.errors import StackError
from ngff_practical.stack.faults import clean
from ngff_practical.stack.typed import typed

# MetaXpress ends each name with one: it says nothing, and begins with digits that would join the channel's.
_GUID = re.compile(r"[_\- ]?[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}$", re.I)
_ENDING = re.compile(r"\.(?:tiff?|btf|tf[28]|stk|lsm)$", re.I)
_PIECE = re.compile(r"\{\{|\}\}|\{(?P<field>[^{}]*)\}|(?P<any>\*)|(?P<odd>[{}])|(?P<text>[^{}*]+)")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?", re.A)
_FIELD = re.compile(r"(?P<name>[tczTCZ])(?::0*(?P<width>[1-9][0-9]?)d?|=(?P<values>[^{}/]+))?")

type Value = int | Decimal | str


@dataclass(frozen=True, slots=True)
class Found:
    """What a name says where it fits: a value for each axis of the pattern, and the text of every `{}`."""

    values: tuple[Value, ...]
    free: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern that was understood; `letters` are its axes in the order they were written.

    `listed` has those of them whose values are all written out, as in {c=1,2,4}.
    """

    text: str
    letters: tuple[str, ...]
    listed: frozenset[str]
    depth: int
    _expression: re.Pattern[str]
    _fields: tuple[str, ...]
    _pieces: tuple[str, ...]

    def match(self, path: PurePath) -> Found | None:
        """Return what a path, relative to the folder, says; None where it does not fit."""
        match = self._expression.fullmatch(plain_name(path))
        if match is None:
            return None
        values: dict[str, Value] = {}
        free: list[str] = []
        for field, text in zip(self._fields, match.groups(), strict=True):
            if not field:
                free.append(text)
                continue
            value = number_of(text) if _NUMBER.fullmatch(text) and (field != "c" or "." not in text) else text
            if values.setdefault(field, value) != value:
                return None  # Z1/img_Z2.tif does not fit Z{z}/img_Z{z}.tif
        return Found(tuple(values[letter] for letter in self.letters), tuple(free))

    def filled(self, free: Sequence[str]) -> str:
        """Return the pattern with the text of one file in the place of every `{}`."""
        rest = iter(free)
        return "".join(literal(next(rest)) if piece == "{}" else piece for piece in self._pieces)


def number_of(text: str) -> int | Decimal:
    """Return the number that digits say, with a point or without."""
    return Decimal(text) if "." in text else int(text)


def plain_name(path: PurePath) -> str:
    """Return a relative path without its ending and without the random number that MetaXpress adds."""
    return _GUID.sub("", _ENDING.sub("", path.as_posix()))


def literal(text: str) -> str:
    """Return text as it is written in a pattern."""
    return text.replace("{", "{{").replace("}", "}}").replace("*", "{}")


def parse_pattern(text: str) -> Pattern:
    """Return what somebody typed as a pattern, or raise StackError that shows how one is written."""
    written = text.replace("\\", "/").removeprefix("./").strip("/")
    written = _ENDING.sub("", written)
    expression: list[str] = []
    fields: list[str] = []
    pieces: list[str] = []
    listed: set[str] = set()
    for piece in _PIECE.finditer(written):
        if piece["text"]:
            expression.append(re.escape(piece["text"]))
            pieces.append(piece["text"])
        elif piece["any"] or piece["field"] == "":
            expression.append("([^/]*?)")
            fields.append("")
            pieces.append("{}")
        elif piece["field"]:
            field = _FIELD.fullmatch(piece["field"].strip())
            if field is None:
                raise _misread(text, f"{{{piece['field']}}} is no axis")
            letter = field["name"].lower()
            fields.append(letter)
            listed |= {letter} if field["values"] else set()
            pieces.append(piece[0])
            expression.append(f"({_values(letter, field['width'], field['values'])})")
        elif piece["odd"]:
            raise _misread(text, f"{piece['odd']!r} stands alone")
        else:
            expression.append(re.escape(piece[0][0]))
            pieces.append(piece[0])
    if not written.strip() or written.startswith("/") or ".." in written.split("/"):
        raise _misread(text, "it names no files inside the folder")
    letters = tuple(dict.fromkeys(field for field in fields if field))
    compiled = re.compile("".join(expression), re.I)
    return Pattern(
        text, letters, frozenset(listed), written.count("/"), compiled, tuple(fields), tuple(pieces)
    )


def _values(letter: str, width: str | None, values: str | None) -> str:
    """Return the expression for what an axis counts: numbers along z and t, anything for a channel."""
    if values is not None:
        words = [word.strip() for word in values.split(",")]
        return "|".join(_number(word) if _NUMBER.fullmatch(word) else re.escape(word) for word in words)
    one = "[0-9]" if letter in "tz" else "[^/]"
    if width is not None:
        return f"{one}{{{width}}}"
    return _NUMBER.pattern if letter in "tz" else f"{one}+?"


def _number(text: str) -> str:
    """Return the expression for a number however many zeros are written before and behind it."""
    whole, _, part = text.partition(".")
    whole, part = whole.lstrip("0") or "0", part.rstrip("0")
    return f"0*{whole}" + (rf"\.{part}0*" if part else r"(?:\.0+)?")


def _misread(text: str, why: str) -> StackError:
    return StackError(
        f"the pattern {clean(text)!r} cannot be read: {why}; write {{t}}, {{c}} or {{z}} for what "
        "counts along an axis and {} for what does not matter, as in "
        f"{typed(pattern='img_{z}_ch{c}.tif')}"
    )
