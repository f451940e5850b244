"""Numbers with a decimal point in names: the height of a plane, as in z0.5um, or a time, as in 12.5s."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ngff_practical.stack import words

_NUMBER = re.compile(r"(?<![0-9.])[0-9]+(?:\.[0-9]+)?(?!\.?[0-9])")


@dataclass(frozen=True, slots=True)
class Decimals:
    """Names cut at the number that has a point in some of them."""

    before: tuple[str, ...]
    texts: tuple[str, ...]
    behind: tuple[str, ...]


def cut_decimals(names: Sequence[str]) -> Decimals | None:
    """Return names cut at the one varying number that is written with a point, None where there is none.

    A point counts behind a word for z and before a unit only: img_1.02 may be image 1, plane 2, and z01.02 is
    plane 1 of something.
    """
    measures = [tuple(_measures(name)) for name in names]
    if len({len(found) for found in measures}) > 1:
        return None
    for under in zip(*measures, strict=True):
        texts = tuple(match[0] for match in under)
        if len(set(texts)) > 1 and any("." in text for text in texts):
            return Decimals(
                tuple(name[: match.start()] for name, match in zip(names, under, strict=True)),
                texts,
                tuple(name[match.end() :] for name, match in zip(names, under, strict=True)),
            )
    return None


def _measures(name: str) -> Iterator[re.Match[str]]:
    """Yield the numbers in a name that have a word for z before them, or a unit behind."""
    for match in _NUMBER.finditer(name):
        padded = match[0][0] == "0" and match[0][1:2].isdigit()
        height = not padded and words.AXES.get(words.word_of(name[: match.start()])) == "z"
        if height or words.LENGTH_OR_TIME.match(name, match.end()):
            yield match
