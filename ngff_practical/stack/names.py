"""What the names of files say about their order: numbers and words that vary, and letters like z, c, t."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePath

from ngff_practical.errors import StackError
from ngff_practical.stack.column import Column
from ngff_practical.stack.columns import Names, Unlike, split_names
from ngff_practical.stack.decimals import cut_decimals
from ngff_practical.stack.faults import clean, listed
from ngff_practical.stack.grid import Numbered, are_wavelengths, arrange, natural, rank, refuse_gaps
from ngff_practical.stack.pattern import Pattern, Value, literal, number_of, parse_pattern, plain_name
from ngff_practical.stack.typed import option, typed
from ngff_practical.stack.words import SPELLED_CHANNELS

# Namings that say more than letters do: Micro-Manager's (time, channel, plane) and Harmony's of Operetta
# and Opera Phenix (row, column, field, plane, channel, time).
_KNOWN = ("img_{t:9}_{c}_{z}", "{}r{}c{}f{}p{z}-ch{c}sk{t}fk{}fl{}")
_MOST_CHANNELS = 32
_CHANNEL_AND_PLANE = "ch{c:1}{z:4}"  # ch10000 is plane 0 of channel 1


def order_files(folder: PurePath, files: Sequence[PurePath], *, single: bool) -> Numbered:
    """Return files in natural order, as a grid over the numbers that vary in their names.

    `single` is True where somebody said that all files lie along one axis: then names may differ freely.
    Raises StackError that names the files for gaps, repeated numbers, and names that say too little.
    """
    ordered = _in_order(folder, files)
    line = Numbered(tuple(ordered), ("",), (len(ordered),))
    if len(ordered) == 1:
        return line
    known = None if single else _by_known_naming(folder, ordered)
    if known is not None:
        return known
    names = split_names([_name(folder, file) for file in ordered])
    if isinstance(names, Unlike):
        if single:
            return line
        raise _unlike(folder, ordered, names)
    varying = names.varying
    _refuse_repeats(folder, ordered, _rows(varying, len(ordered)))
    if len(varying) == 1 and varying[0].is_number and not (varying[0].is_position and not single):
        return _one_number(folder, ordered, varying[0])
    if single:
        return line
    assigned, doubtful = names.assign()
    if doubtful or not assigned:
        raise _doubt(folder, ordered, names)
    letters = [letter for _, letter in assigned]
    grid = arrange(ordered, letters, _rows([column for column, _ in assigned], len(ordered)))
    for column, letter in assigned:
        words = names.words_of(column) if letter == "c" else {}
        if words:
            return replace(grid, channels=tuple(words[value] for value in sorted(words, key=rank)))
    return grid


def _in_order(folder: PurePath, files: Sequence[PurePath]) -> list[PurePath]:
    """Return files in natural order; where one number has a point, in the order of that: 0.25 before 0.5."""
    names = {file: _name(folder, file) for file in files}
    ordered = sorted(files, key=lambda file: (natural(names[file]), file.name))
    decimals = cut_decimals([names[file] for file in ordered])
    if decimals is None or len(set(zip(decimals.before, decimals.behind, strict=True))) > 1:
        return ordered
    heights = dict(zip(ordered, map(number_of, decimals.texts), strict=True))
    return sorted(ordered, key=heights.__getitem__)


def _rows(columns: Sequence[Column], count: int) -> list[tuple[Value, ...]]:
    """Return the values of the columns file by file."""
    return list(zip(*(column.values for column in columns), strict=True)) if columns else [()] * count


def order_by_pattern(folder: PurePath, files: Sequence[PurePath], pattern: Pattern) -> Numbered:
    """Return files that fit a pattern with axes as the grid it describes."""
    ordered = _in_order(folder, files)
    found = [pattern.match(file.relative_to(folder)) for file in ordered]
    fitting = [(file, match) for file, match in zip(ordered, found, strict=True) if match is not None]
    places: dict[tuple[Value, ...], tuple[PurePath, tuple[str, ...]]] = {}
    for file, match in fitting:
        other = places.setdefault(match.values, (file, match.free))
        if other[1] != match.free:
            same = [
                text
                for texts in zip(
                    *(each.free for _, each in fitting if each.values == match.values), strict=True
                )
                if len(set(texts)) > 1
                for text in texts
            ]
            place = " ".join(
                f"{letter}{value}" for letter, value in zip(pattern.letters, match.values, strict=True)
            )
            better = suggestion(folder, ordered) or ""
            if not all(f"{{{letter}}}" in better for letter in pattern.letters):
                better = pattern.filled(other[1])
            raise StackError(
                f"{clean(_name(folder, other[0]))} and {clean(_name(folder, file))} both are {place} of the "
                f"pattern {clean(pattern.text)!r}: {listed(dict.fromkeys(same))} stand where it says {{}}. "
                f"Several images? Write one of them there: {_typed(better)}"
            )
    return arrange(
        [file for file, _ in fitting],
        pattern.letters,
        [match.values for _, match in fitting],
        complete=pattern.listed,
    )


def suggestion(folder: PurePath, files: Sequence[PurePath]) -> str | None:
    """Return the pattern that selects the first image of these files, None where their names are unlike."""
    names = split_names([_name(folder, file) for file in files])
    return None if isinstance(names, Unlike) else names.pattern()


def row_pattern(folder: PurePath, files: Sequence[PurePath], letter: str) -> str | None:
    """Return the pattern of files that differ in one number, None where they differ in more."""
    names = split_names([_name(folder, file) for file in files])
    if isinstance(names, Unlike) or len(names.varying) != 1 or not names.varying[0].is_number:
        return None
    pieces = [literal(piece) if isinstance(piece, str) else f"{{{letter}}}" for piece in names.pieces]
    return "".join(pieces) + ".tif"


def _name(folder: PurePath, file: PurePath) -> str:
    return plain_name(file.relative_to(folder))


def _typed(pattern: str) -> str:
    return typed(pattern=pattern)


def _by_known_naming(folder: PurePath, files: Sequence[PurePath]) -> Numbered | None:
    """Return the grid of a microscope's own naming, None where the names are not of that kind."""
    parents = {file.relative_to(folder).parent for file in files}
    inside = "" if len(parents) > 1 or parents == {PurePath()} else f"{literal(parents.pop().as_posix())}/"
    for text in _KNOWN:
        pattern = parse_pattern(inside + text)
        found = [pattern.match(file.relative_to(folder)) for file in files]
        if all(match is not None for match in found):
            return order_by_pattern(folder, files, pattern)
    return None


def _one_number(folder: PurePath, files: Sequence[PurePath], column: Column) -> Numbered:
    """Return files along the one number that varies in their names."""
    letter = column.letter_or_time
    if letter == "c" and (are_wavelengths(column.values) or column.word == "cy"):
        return Numbered(tuple(files), (letter,), (len(files),))
    spelled = column.word in SPELLED_CHANNELS and len(files) <= _MOST_CHANNELS
    if letter == "c" and min(map(len, column.texts)) > 2 and not spelled:
        letter = ""  # ch00000 ... ch00029 number planes, not channels
    try:
        refuse_gaps(files, column.values)
    except StackError:
        pattern = parse_pattern("{}" + _CHANNEL_AND_PLANE + "{}")
        rows = [match.values for file in files if (match := pattern.match(file.relative_to(folder)))]
        if len({channel for channel, _ in rows}) * len({plane for _, plane in rows}) != len(files):
            raise
        return arrange(files, pattern.letters, rows)
    return Numbered(tuple(files), (letter,), (len(files),))


def _refuse_repeats(folder: PurePath, files: Sequence[PurePath], rows: Sequence[tuple[Value, ...]]) -> None:
    seen: dict[tuple[Value, ...], PurePath] = {}
    for file, row in zip(files, rows, strict=True):
        if row in seen:
            raise StackError(
                f"{_shown(folder, seen[row])} and {_shown(folder, file)} have the same number; each "
                "plane may be there once: move one of them away"
            )
        seen[row] = file


def _doubt(folder: PurePath, files: Sequence[PurePath], names: Names) -> StackError:
    """Return the error for names that leave open what counts what: what varies, and what to type."""
    ends = listed(_shown(folder, file) for file in (files[0], files[-1]))
    varying = names.varying
    differ = "; ".join(listed(column.shown_values) for column in varying)
    things = "1 thing" if len(varying) == 1 else f"{len(varying)} things"
    one, all_of_them = names.pattern(guess=False), names.pattern()
    if any(column.may_be_position for column in varying):
        doubt = "so they may be several images; choose one"
        way = _typed(all_of_them)
        if len(varying) == 1 and varying[0].is_number:
            way += f", or if they are planes of one stack: {typed(axes='zyx')}"
    else:
        doubt = "and do not say clearly what is z, c or t; say it, for example"
        way = f"{_typed(all_of_them)}, or if they are one row of planes: {typed(axes='zyx')}"
        if "{" in one and one != all_of_them:
            way = f"{_typed(all_of_them)}, or {_typed(one)} for one image of several"
    return StackError(f"the names ({ends}) differ in {things} ({differ}), {doubt}: {way}")


def _unlike(folder: PurePath, files: Sequence[PurePath], unlike: Unlike) -> StackError:
    """Return the error for names that differ in more than numbers: the odd ones, or that none is."""
    common, times = Counter(unlike.texts).most_common(1)[0]
    channels = "" if unlike.word is None else f" or {_typed(unlike.word.pattern())}"
    if times > len(files) / 2:
        usual = [file for file, text in zip(files, unlike.texts, strict=True) if text == common]
        odd = [_shown(folder, file) for file, text in zip(files, unlike.texts, strict=True) if text != common]
        pattern = suggestion(folder, usual)
        leave = f", or leave them out: {_typed(pattern)}" if pattern else ""
        return StackError(
            f"the names of {listed(odd)} do not fit those of the other {times} files "
            f"({clean('#'.join(common))}, where # is a number); move them away{leave}"
        )
    ends = listed(_shown(folder, file) for file in (files[0], files[-1]))
    return StackError(
        f"the names differ in more than numbers ({ends}), so their order is not clear; if they are channels "
        f"in the order of their names, say so: {typed(axes='cyx')}{channels}; if only some belong together, "
        f"say which with {option('pattern')}, or name one file"
    )


def _shown(folder: PurePath, file: PurePath) -> str:
    return clean(file.relative_to(folder).as_posix(), 255)
