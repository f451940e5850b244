"""A place where names laid under each other differ: what stands there, and which axis that counts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ngff_practical.stack import words
from ngff_practical.stack.grid import MOST_LISTED, are_wavelengths, even, listing
from ngff_practical.stack.pattern import Value, number_of

_ROW = re.compile(r"(?:^|[\W_])[A-P]$", re.I)
_WELL = re.compile(r"[A-P]-?[0-9]{1,2}", re.I)
_FEW = 4  # more are rarely channels


@dataclass(frozen=True, slots=True)
class Column:
    """What stands between `before` and `after` in every name; `lead` is all before it in the first name."""

    before: str
    after: str
    texts: tuple[str, ...]
    is_number: bool
    lead: str = ""

    @property
    def values(self) -> tuple[Value, ...]:
        """The number in each name, or the word in lower case."""
        return tuple(number_of(text) if self.is_number else text for text in self.texts)

    @property
    def word(self) -> str:
        """The word of a number, in lower case: "z" in embryo_z01, embryoZ01 and Z/01, "t" in 000z_0001t."""
        if words.BEHIND.search(self.lead):
            return re.split(r"[\W_]", self.after.lower(), maxsplit=1)[0]
        return words.word_of(self.before)

    @property
    def letter(self) -> str:
        """The axis that this counts, "" where the names do not say."""
        if not self.is_number:
            return "c" if all(words.DYE.fullmatch(text) for text in self.texts) else ""
        if self.word == "w" and all(len(text) == 1 for text in self.texts):
            return "c"  # MetaXpress: w1 is a wavelength; W00001 elsewhere is a well
        if self._is_light or words.DYE_OF_PLATE.search(self.lead):
            return "c"
        if words.TILE.search(self.lead) or words.CLOCK.search(self.lead):
            return ""
        return words.AXES.get(self.word, "")

    @property
    def letter_or_time(self) -> str:
        """The same, and time where only hours or days behind the number say so, as in 00d12h00m."""
        span = self.is_number and words.SPAN.match(self.after) and not self.may_be_position
        return self.letter or ("t" if span else "")

    @property
    def _is_light(self) -> bool:
        """True for numbers that are lasers or dyes: 488nm, 488 beside 561, Alexa488, Cy5."""
        numbers = {value for value in self.values if isinstance(value, int)}
        if self.word == "cy":
            return numbers <= words.CYANINES and max(numbers) - min(numbers) > 1
        named = self.after.lower().startswith("nm") or self.word in words.NUMBERED_DYES
        lasers = numbers <= words.LASERS and self.word not in words.AXES.keys() | words.PLACES
        return are_wavelengths(self.values) and (named or lasers)

    @property
    def is_position(self) -> bool:
        """True where this tells wells, fields or tiles apart, which are images of their own."""
        if not self.is_number:
            return all(_WELL.fullmatch(text) for text in self.texts)
        return not self.letter and (self.word in words.PLACES or words.TILE.search(self.lead) is not None)

    @property
    def may_be_position(self) -> bool:
        """True for short words too, which mean a position where other numbers vary beside them."""
        if self.is_position or not self.is_number or self.letter:
            return self.is_position
        well = _ROW.search(self.lead) is not None and {len(text) for text in self.texts} == {2}
        return well or self.word in words.SHORT_PLACES

    @property
    def is_stamp(self) -> bool:
        """True for numbers of which each is there once, in steps that differ: a clock, a serial number."""
        once = len(set(self.values)) == len(self.texts)
        return self.is_number and once and not even(self.values) and not self.may_be_position

    @property
    def shown_values(self) -> tuple[str, ...]:
        """Its values as they stand in the names, each once, with the word before a number."""
        match = words.WORD.search(self.before) if self.is_number else None
        word = match[1] if match and len(match[1]) <= 12 else ""
        return tuple(word + text for text in dict.fromkeys(self.texts))

    def likeliest(self, free: Sequence[str]) -> str:
        """Return the axis that this may count where nothing says so, of those that are free."""
        if self.is_number and "t" in free and words.SPAN.match(self.after):
            return "t"
        few = "z" not in free and len(set(self.values)) <= _FEW
        light = are_wavelengths(self.values) and not even(self.values)
        return "c" if not self.is_number or light or (few and "c" in free) or not free else free[0]

    def field(self, letter: str) -> str:
        """Return how a pattern names this axis; a few numbers in steps that differ have to be listed."""
        uneven = self.is_number and not even(self.values) and not are_wavelengths(self.values)
        if uneven and len(set(self.values)) <= MOST_LISTED:
            return listing(letter, self.values)
        return f"{{{letter}}}"

    def follows(self, other: Column) -> bool:
        """Return True where the other column decides what stands here."""
        pairs = dict(zip(other.texts, self.texts, strict=True))
        return all(pairs[theirs] == ours for theirs, ours in zip(other.texts, self.texts, strict=True))
