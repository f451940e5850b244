"""What the names of files say about their order: natural numbers, gaps, copies, and letters like z, c, t."""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ngff_practical.errors import StackError
from ngff_practical.model import Shape
from ngff_practical.stack.faults import clean, listed, shown

_NUMBER = re.compile(r"([0-9]+)")
_WORD = re.compile(r"([A-Za-z]+)[\s_\-=.#]*$")
_COPY = re.compile(
    r"^(?:copy(?: \([0-9]+\))? of )?(?P<name>.*?)"
    r"(?: ?\([0-9]+\)| - copy(?: \([0-9]+\))?|[ _]copy(?:[ _]?[0-9]+)?)?$",
    re.I,
)
_THUMB = re.compile(r"(?<![a-z])thumb", re.I)
_AXES = {
    "z": "z", "zstep": "z", "slice": "z", "section": "z", "plane": "z",
    "t": "t", "time": "t", "timepoint": "t", "frame": "t",
    "c": "c", "ch": "c", "chan": "c", "channel": "c",
}  # fmt: skip


type Texts = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Numbered:
    """Files in order, as a grid: a letter ("" where names give none) and a length per varying number."""

    files: tuple[Path, ...]
    axes: tuple[str, ...]
    shape: Shape


def is_thumbnail(file: Path) -> bool:
    """Return True for names that microscopes give to previews."""
    return _THUMB.search(file.stem) is not None


def refuse_copies(files: Sequence[Path]) -> None:
    """Raise StackError that names browser and explorer copies, and the same name with two extensions."""
    stems = {file.stem.casefold(): file for file in files}
    pairs: list[tuple[Path, Path]] = []
    for file in files:
        twin = stems[file.stem.casefold()]
        if twin is not file:
            pairs.append((file, twin))
            continue
        match = _COPY.match(file.stem)
        original = stems.get(match["name"].casefold()) if match else None
        if original is not None and original is not file:
            pairs.append((file, original))
    if pairs:
        raise StackError(
            f"the folder holds copies: {listed(f'{a.name} (of {b.name})' for a, b in pairs)}; "
            "each plane may be there once: move the copies away"
        )


def order_files(files: Sequence[Path], *, single: bool) -> Numbered:
    """Return files in natural order, as a grid over the numbers that vary in their names.

    `single` is True where somebody said that all files lie along one axis: then names may differ freely.
    Raises StackError that names the files for gaps, repeated numbers, and names that say too little.
    """
    ordered = tuple(sorted(files, key=_sorting))
    line = Numbered(ordered, ("",), (len(ordered),))
    if len(ordered) == 1:
        return line
    parts = [_parts(file) for file in ordered]
    patterns = Counter(texts for texts, _ in parts)
    if len(patterns) > 1:
        if single:
            return line
        raise _unlike(ordered, [texts for texts, _ in parts], patterns)
    texts = parts[0][0]
    numbers = [values for _, values in parts]
    varying = [at for at in range(len(numbers[0])) if len({values[at] for values in numbers}) > 1]
    _refuse_repeats(ordered, numbers, varying)
    if len(varying) == 1:
        at = varying[0]
        letter, values = _letter(texts[at]), [row[at] for row in numbers]
        if letter == "c" and _are_wavelengths(values):
            return Numbered(ordered, (letter,), (len(ordered),))
        _refuse_gaps(ordered, values)
        digits = min(len(_NUMBER.findall(file.stem)[at]) for file in ordered)
        if letter == "c" and digits > 2:
            letter = ""  # ch00000 ... ch00029 number planes, not channels
        return Numbered(ordered, (letter,), (len(ordered),))
    if single:
        return line
    lettered = [at for at in varying if _letter(texts[at])]
    letters = [_letter(texts[at]) for at in lettered]
    if not letters or len(set(letters)) < len(letters):
        raise StackError(
            f"the names differ in {len(varying)} numbers "
            f"({listed(f.name for f in (ordered[0], ordered[-1]))}), and "
            "only z, c and t before a number say what it counts; put one stack into one folder, rename the "
            "files, or say that they are one row of planes: --axes zyx"
        )
    return _grid(ordered, numbers, lettered, letters)


def _unlike(files: Sequence[Path], texts: Sequence[Texts], patterns: Counter[Texts]) -> StackError:
    """Return the error for names that differ in more than numbers: the odd ones, or that none is."""
    common, times = patterns.most_common(1)[0]
    if times > len(files) / 2:
        odd = [file.name for file, text in zip(files, texts, strict=True) if text != common]
        return StackError(
            f"the names of {listed(odd)} do not fit those of the other {times} files "
            f"({clean('#'.join(common))}, where # is a number); move them away, or rename them"
        )
    return StackError(
        f"the names differ in more than numbers ({listed(f.name for f in (files[0], files[-1]))}), so "
        "their order is "
        "not clear; rename the files with one running number, or say what they are: --axes cyx for "
        "channels in the order of their names"
    )


def _grid(
    files: tuple[Path, ...], numbers: Sequence[tuple[int, ...]], at: list[int], letters: list[str]
) -> Numbered:
    """Return files as a full grid over lettered numbers, or raise StackError that names what is missing."""
    values = [sorted({row[index] for row in numbers}) for index in at]
    cells = {tuple(row[index] for index in at): file for file, row in zip(files, numbers, strict=True)}
    shape = tuple(map(len, values))
    if len(cells) < len(files):
        raise StackError(
            f"{len(files)} files share {len(cells)} places along {', '.join(letters)}: their names differ "
            f"in other numbers too ({listed(file.name for file in files)}); put one stack into one folder"
        )
    missing = [cell for cell in itertools.product(*values) if cell not in cells]
    if missing:
        named = [
            " ".join(f"{letter}{number}" for letter, number in zip(letters, cell, strict=True))
            for cell in missing
        ]
        raise StackError(
            f"{len(missing)} of {math.prod(shape)} planes are missing: {listed(named)}; "
            "add them, or move the incomplete channels, planes or time points away"
        )
    for index, letter in zip(range(len(at)), letters, strict=True):
        if letter != "c" or not _are_wavelengths(values[index]):
            _refuse_gaps([cells[cell] for cell in sorted(cells)], values[index], letter)
    return Numbered(tuple(cells[cell] for cell in itertools.product(*values)), tuple(letters), shape)


def _parts(file: Path) -> tuple[Texts, tuple[int, ...]]:
    """Return the texts around the numbers of a name, and the numbers."""
    pieces = _NUMBER.split(file.stem)
    return tuple(piece.casefold() for piece in pieces[::2]), tuple(int(piece) for piece in pieces[1::2])


def _sorting(file: Path) -> tuple[tuple[str | int, ...], str]:
    pieces = _NUMBER.split(file.stem)
    return tuple(int(piece) if at % 2 else piece.casefold() for at, piece in enumerate(pieces)), file.name


def _letter(text: str) -> str:
    """Return the axis that the text before a number names, "" where it names none."""
    word = _WORD.search(text)
    return _AXES.get(word[1], "") if word else ""


def _are_wavelengths(values: Sequence[int]) -> bool:
    """Return True for channels named after light in nanometers, whose numbers need no equal steps."""
    return all(300 <= value <= 1100 for value in values)


def _refuse_repeats(files: Sequence[Path], numbers: Sequence[tuple[int, ...]], varying: list[int]) -> None:
    seen: dict[tuple[int, ...], Path] = {}
    for file, values in zip(files, numbers, strict=True):
        key = tuple(values[at] for at in varying)
        if key in seen:
            raise StackError(
                f"{shown(seen[key])} and {shown(file)} have the same number; each plane may be there once: "
                "move one of them away"
            )
        seen[key] = file


def _refuse_gaps(files: Sequence[Path], values: Sequence[int], letter: str = "") -> None:
    """Raise StackError where numbers do not run in equal steps."""
    steps = [after - before for before, after in itertools.pairwise(values)]
    if len(set(steps)) <= 1:
        return
    step = min(steps)
    missing = [
        number for before, after in itertools.pairwise(values) for number in range(before + step, after, step)
    ][:1000]
    gap = next(index for index, size in enumerate(steps) if size != step)
    where = (
        f"after {shown(files[gap])} comes {shown(files[gap + 1])}"
        if len(files) == len(values)
        else f"after {letter}{values[gap]} comes {letter}{values[gap + 1]}"
    )
    raise StackError(
        f"the numbering has gaps: {where}; missing: {listed(map(str, missing))}. "
        "Add the missing planes, or renumber the files if nothing is missing"
    )
