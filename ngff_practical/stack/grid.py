"""Files in order, as a grid over the numbers and words that vary in their names; nothing may be missing."""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import PurePath

from ngff_practical.errors import StackError
from ngff_practical.model import Shape
from ngff_practical.stack.faults import Named, clean, listed, shown
from ngff_practical.stack.pattern import Value
from ngff_practical.stack.typed import option

_MOST_NAMED = 4
MOST_LISTED = 8  # more values are no pleasure to type
_NUMBER = re.compile(r"([0-9]+)")


@dataclass(frozen=True, slots=True)
class Numbered:
    """Files in order, as a grid: a letter ("" where names give none) and a length per varying number.

    `channels` are the words that tell channels apart in the names, () where numbers do.
    """

    files: tuple[PurePath, ...]
    axes: tuple[str, ...]
    shape: Shape
    channels: tuple[str, ...] = ()


def natural(text: str) -> tuple[str | int, ...]:
    """Return a key that sorts z2 before z10."""
    return tuple(int(piece) if at % 2 else piece.casefold() for at, piece in enumerate(_NUMBER.split(text)))


def are_wavelengths(values: Sequence[Value]) -> bool:
    """Return True for channels named after light in nanometers, whose numbers need no equal steps."""
    return all(isinstance(value, int) and 300 <= value <= 1100 for value in values)


def arrange(
    files: Sequence[PurePath],
    letters: Sequence[str],
    rows: Sequence[tuple[Value, ...]],
    *,
    complete: Collection[str] = (),
) -> Numbered:
    """Return files as a full grid, each with its row of values; raises StackError that names what is missing.

    Axes with a single value are left out. Values must run in equal steps, except words, wavelengths and those
    of axes that are known to be `complete`.
    """
    cells: dict[tuple[Value, ...], PurePath] = {}
    for file, row in zip(files, rows, strict=True):
        if row in cells:
            raise StackError(
                f"{' and '.join(told_apart(cells[row], file))} have the same number; each plane may be "
                "there once: move one of them away"
            )
        cells[row] = file
    values = [sorted({row[at] for row in rows}, key=rank) for at in range(len(letters))]
    lacking = math.prod(map(len, values)) - len(cells)
    if lacking:
        missing = (cell for cell in itertools.product(*values) if cell not in cells)
        named = [
            " ".join(f"{letter}{value}" for letter, value in zip(letters, cell, strict=True))
            for cell in itertools.islice(missing, _MOST_NAMED)
        ]
        more = f" and {lacking - len(named)} more" if lacking > len(named) else ""
        raise StackError(
            f"{lacking} of {lacking + len(cells)} planes are missing: {listed(named)}{more}; add them, "
            f"or leave the incomplete ones out{_complete(letters, values, rows)}"
        )
    ordered = tuple(cells[cell] for cell in itertools.product(*values))
    for letter, steps in zip(letters, values, strict=True):
        if letter not in complete and not (letter == "c" and are_wavelengths(steps)):
            refuse_gaps(ordered, steps, letter)
    kept = [at for at in range(len(letters)) if len(values[at]) > 1] or [0]
    named_channels = next(
        (values[at] for at in kept if letters[at] == "c" and not all(isinstance(v, int) for v in values[at])),
        [],
    )
    return Numbered(
        ordered,
        tuple(letters[at] for at in kept),
        tuple(len(values[at]) for at in kept),
        tuple(map(str, named_channels)),
    )


def even(values: Sequence[Value]) -> bool:
    """Return True for numbers that run in equal steps."""
    numbers = sorted({value for value in values if not isinstance(value, str)})
    return _are_equal([after - before for before, after in itertools.pairwise(numbers)])


def _are_equal(steps: Sequence[int | Decimal]) -> bool:
    """Return True for equal steps, up to the last digit of decimals: 0.33, 0.67, 1.00 are thirds."""
    if len(set(steps)) <= 1:
        return True
    digits = [-int(step.as_tuple().exponent) for step in steps if isinstance(step, Decimal)]
    small, large = min(steps), max(steps)
    return bool(digits) and large - small <= 2 * Decimal(1).scaleb(-max(digits)) and large < 2 * small


def listing(letter: str, values: Sequence[Value]) -> str:
    """Return the field of a pattern that has all values of an axis: {c=1,2,4}."""
    return f"{{{letter}={','.join(map(str, sorted(set(values), key=rank)))}}}"


def refuse_gaps(files: Sequence[PurePath], values: Sequence[Value], letter: str = "") -> None:
    """Raise StackError where numbers do not run in equal steps."""
    numbers = [value for value in values if not isinstance(value, str)]
    steps = [after - before for before, after in itertools.pairwise(numbers)]
    if _are_equal(steps) or len(numbers) < len(values):
        return
    step = min(steps)
    missing = (
        before + step * number
        for before, size in zip(numbers, steps, strict=False)
        for number in range(1, math.ceil(size / step))
        if not _are_equal([step, size])
    )
    gap = next(index for index, size in enumerate(steps) if not _are_equal([step, size]))
    where = (
        "after {} comes {}".format(*told_apart(files[gap], files[gap + 1]))
        if len(files) == len(values)
        else f"after {letter}{numbers[gap]} comes {letter}{numbers[gap + 1]}"
    )
    way = "renumber the files"
    if letter and len(numbers) <= MOST_LISTED:
        way = f"list what is there with {listing(letter, numbers)} in a {option('pattern')}"
    raise StackError(
        f"the numbering has gaps: {where}; missing: {listed(map(str, itertools.islice(missing, 1000)))}. "
        f"Add the missing planes, or {way} if nothing is missing"
    )


def told_apart(one: Named, other: Named) -> tuple[str, str]:
    """Return the names of two files, with their folders where the names are the same."""
    if one.name != other.name:
        return shown(one), shown(other)
    parts, others = _parts(one), _parts(other)
    pairs = zip(parts, others, strict=False)
    same = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))
    return clean("/".join(parts[same:]), 255), clean("/".join(others[same:]), 255)


def _parts(file: Named) -> tuple[str, ...]:
    return file.parts if isinstance(file, PurePath) else tuple(file.url.split("/"))


def _complete(
    letters: Sequence[str], values: Sequence[list[Value]], rows: Sequence[tuple[Value, ...]]
) -> str:
    """Return how a pattern keeps the channels that are whole, "" where no channel is."""
    if "c" in letters:
        at = list(letters).index("c")
        counts = Counter(row[at] for row in rows)
        planes = math.prod(len(steps) for letter, steps in zip(letters, values, strict=True) if letter != "c")
        whole = [value for value in values[at] if counts[value] == planes]
        if whole:
            return f" with {{c={','.join(map(str, whole))}}} in a {option('pattern')}"
    return f" with a {option('pattern')}, or move them away"


def rank(value: Value) -> tuple[bool, tuple[str | int | Decimal, ...]]:
    """Return a key that sorts numbers, then words."""
    return (True, natural(value)) if isinstance(value, str) else (False, ("", value))
