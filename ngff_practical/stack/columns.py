"""Names laid under each other: what they share, what varies, and the pattern that says so."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ngff_practical.stack import words
from ngff_practical.stack.column import Column
from ngff_practical.stack.decimals import cut_decimals
from ngff_practical.stack.grid import even
from ngff_practical.stack.pattern import Value, literal

_BETWEEN = re.compile(r"([\W_]+)")
_NUMBER = re.compile(r"([0-9]+)")

type Flat = list[str | tuple[tuple[str, ...], bool]]  # shared texts, and varying ones: are they numbers?


@dataclass(frozen=True, slots=True)
class Unlike:
    """Names that have no common form; `texts` are what is around the numbers of each."""

    texts: tuple[tuple[str, ...], ...]
    word: Names | None = None  # where they differ in nothing but one word


@dataclass(frozen=True, slots=True)
class Names:
    """Names of one form: texts that all share, and columns."""

    pieces: tuple[str | Column, ...]

    @property
    def varying(self) -> tuple[Column, ...]:
        """The columns, from left to right."""
        return tuple(piece for piece in self.pieces if isinstance(piece, Column))

    def assign(self) -> tuple[list[tuple[Column, str]], list[Column]]:
        """Return the columns that count along an axis with its letter, and those nobody explains.

        A column that another one decides (a time stamp, a channel's name beside its number) counts nothing.
        One unexplained number is left without a letter: planes, most likely.
        """
        assigned: list[tuple[Column, str]] = []
        rest: list[Column] = []
        for column in reversed(self.varying):  # a well C01 comes before a channel C01
            taken = next((other for other, letter in assigned if letter == column.letter), None)
            if column.letter and taken is None:
                assigned.append((column, column.letter))
            elif taken and column.is_number and not taken.is_number and taken.follows(column):
                assigned[assigned.index((taken, "c"))] = column, "c"  # the dye is the channel's name
            elif taken is None or not column.follows(taken):
                rest.append(column)
        rest = _without_echoes(rest[::-1], [column for column, _ in assigned])
        alone = rest[0] if len(rest) == 1 and "z" not in {letter for _, letter in assigned} else None
        if alone is not None and alone.is_number and not alone.may_be_position and not alone.letter:
            span = alone.letter_or_time
            assigned.append((rest.pop(), "" if span in {letter for _, letter in assigned} else span))
        order = self.varying
        return sorted(assigned, key=lambda pair: order.index(pair[0])), rest

    def words_of(self, channels: Column) -> dict[Value, str]:
        """Return what the names call each channel, beside its number; {} where they do not."""
        for column in self.varying:
            if not column.is_number and column.letter == "c" and column.follows(channels):
                return dict(zip(channels.values, column.texts, strict=True))
        return {}

    def pattern(self, *, guess: bool = True) -> str:
        """Return the pattern that is likeliest, with positions fixed to those of the first name.

        What nobody explains is guessed to be an axis, or without `guess` fixed as well.
        """
        assigned, rest = self.assign()
        letters = {id(column): letter for column, letter in assigned}
        free = [letter for letter in "ztc" if letter not in letters.values()]
        unexplained = [
            column for column in self.varying if (guess and column in rest) or letters.get(id(column)) == ""
        ]
        for column in reversed(unexplained):
            letter = column.likeliest(free)
            if letter in free and not column.may_be_position:
                letters[id(column)] = letter
                free.remove(letter)
        text = ""
        for piece in self.pieces:
            if isinstance(piece, str):
                text += literal(piece)
            elif letters.get(id(piece)):
                text += piece.field(letters[id(piece)])
            elif piece in rest:
                text += literal(piece.texts[0])
            else:
                text += "{}"
        return text + ".tif"


def _without_echoes(rest: Sequence[Column], assigned: Sequence[Column]) -> list[Column]:
    """Return the columns that say something of their own, or tell places apart.

    Time stamps and names in folders do not: another column decides them, or all that count do together.
    """
    if _are_complete(assigned):
        return [column for column in rest if column.may_be_position]
    own: list[Column] = []
    for column in sorted(rest, key=lambda each: not even(each.values)):
        others = [*assigned, *(other for other in own if other.follows(column))]
        if column.may_be_position or not any(column.follows(other) for other in others):
            own.append(column)
    count = [column for column in own if not column.is_stamp]
    own = count if count and _are_complete([*assigned, *count]) else own
    return sorted(own, key=rest.index)


def _are_complete(columns: Sequence[Column]) -> bool:
    """Return True where these columns alone tell all names apart, and every combination is there."""
    rows = set(zip(*(column.values for column in columns), strict=True))
    grid = math.prod(len(set(column.values)) for column in columns)
    return bool(columns) and len(rows) == grid == len(columns[0].texts)


def split_names(names: Sequence[str]) -> Names | Unlike:
    """Return the common form of names, in any order; their numbers and words may vary."""
    texts = tuple(tuple(piece.casefold() for piece in _NUMBER.split(name)[::2]) for name in names)
    flat = _cut(names)
    if flat is None:
        return Unlike(texts)
    pieces: list[str | Column] = []
    for at, piece in enumerate(flat):
        if isinstance(piece, str):
            pieces.append(piece)
            continue
        before = "".join(_texts_before(flat, at))
        after = flat[at + 1] if at + 1 < len(flat) else ""
        lead = "".join(text if isinstance(text, str) else text[0][0] for text in flat[:at])
        pieces.append(Column(before, after if isinstance(after, str) else "", *piece, lead))
    found = Names(tuple(pieces))
    words_vary = [column for column in found.varying if not column.is_number]
    if words_vary and len(found.varying) == 1 and not (words_vary[0].letter and len(found.pieces) > 1):
        return Unlike(texts, found)
    if words_vary and not _even(words_vary):
        return Unlike(texts)
    return found


def _even(columns: Sequence[Column]) -> bool:
    """Return True where each word is in equally many names, as channels are and odd files are not."""
    counts = [Counter(column.texts).values() for column in columns]
    return all(min(count) * 2 >= max(count) for count in counts)


def _texts_before(flat: Flat, at: int) -> list[str]:
    texts: list[str] = []
    for piece in reversed(flat[:at]):
        if not isinstance(piece, str):
            break
        texts.insert(0, piece)
    return texts


def _cut(names: Sequence[str]) -> Flat | None:
    """Return what names share and what varies, numbers with a point in one piece."""
    decimals = cut_decimals(names)
    if decimals is None:
        return _cut_text(names)
    before, behind = _cut_text(decimals.before), _cut(decimals.behind)
    return None if before is None or behind is None else [*before, (decimals.texts, True), *behind]


def _cut_text(under: Sequence[str]) -> Flat | None:
    """Return what texts under each other share, and what varies, None where they are built differently."""
    cut = [_BETWEEN.split(text) for text in under]
    if len({tuple(parts[1::2]) for parts in cut}) > 1:
        return None
    return [piece for texts in zip(*cut, strict=True) for piece in _cut_word(texts)]


def _cut_word(under: Sequence[str]) -> Flat:
    """Return what words under each other share, and what varies: numbers, or the words as a whole."""
    if len({word.casefold() for word in under}) == 1:
        return [under[0]]
    cut = [_NUMBER.split(word) for word in under]
    if len({len(pieces) for pieces in cut}) > 1 or not all(
        map(_are_alike, zip(*(c[::2] for c in cut), strict=True))
    ):
        return [(tuple(under), False)]
    pieces: Flat = []
    for at, texts in enumerate(zip(*cut, strict=True)):
        values = {int(text) if at % 2 else text.casefold() for text in texts}
        if len(values) > 1:
            pieces.append((tuple(texts), at % 2 == 1))
        elif texts[0]:
            pieces.append(texts[0])
    return pieces


def _are_alike(texts: Sequence[str]) -> bool:
    """Return True for texts between numbers that are the same, or all of them dyes."""
    return len({text.casefold() for text in texts}) == 1 or all(map(words.DYE.fullmatch, texts))
