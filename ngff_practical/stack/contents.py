"""The TIFFs in a folder and in the folders inside it, and notes that name everything else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from ngff_practical.errors import StackError
from ngff_practical.stack.faults import clean, listed
from ngff_practical.stack.listing import Folder
from ngff_practical.stack.names import suggestion
from ngff_practical.stack.pattern import Pattern
from ngff_practical.stack.previews import is_projection, is_thumbnail
from ngff_practical.stack.typed import option, typed
from ngff_practical.stack.words import AXES, word_of

_DEEPEST = 3
_ZARR = ("zarr.json", ".zattrs", ".zgroup", ".zarray")


@dataclass(frozen=True, slots=True)
class Contents:
    """The TIFFs that may make a stack, and what was left out."""

    files: tuple[PurePath, ...]
    notes: tuple[str, ...]


def contents_of(folder: Folder) -> Contents:
    """Return the TIFFs in a folder, or where it holds none, those in the folders inside it."""
    top = folder.listing()
    listing, depth = top, 0
    while not listing.files and listing.folders and depth < _DEEPEST:
        depth += 1
        listing = folder.listing(listing.folders)
    if not listing.files and any(place.name in _ZARR for place in top.others):
        raise StackError(
            f"{folder.called} is stored as Zarr and needs no conversion; look into it with validate or info, "
            "or name the TIFF it was made of"
        )
    if not listing.files:
        names = listed(place.name for place in top.folders)
        inside = f"; it holds folders ({names}): name the one with the planes" if names else ""
        raise StackError(f"{folder.called} holds no TIFF (*.tif, *.tiff){inside}")
    files, notes = _without_previews(folder, listing.files)
    if not depth:
        _refuse_both(folder, files, top.folders)
    elif listing.folders:
        raise StackError(
            f"{folder.called} holds TIFFs ({_named(folder, files, 2)}) and folders "
            f"({_named(folder, listing.folders, 2)}) at the same depth; name the folder of the stack, or say "
            f"which files make it with {option('pattern')}"
        )
    if listing.others:
        notes.append(f"Ignored, not TIFF: {_named(folder, listing.others)}.")
    if listing.folders:
        notes.append(f"Ignored, folders: {_named(folder, listing.folders)}.")
    return Contents(tuple(files), tuple(notes))


def all_tiffs(folder: Folder, pattern: Pattern) -> Contents:
    """Return the TIFFs that fit a pattern; every other one is left out and said."""
    listing, depth = folder.listing(), 0
    while depth < pattern.depth:
        depth += 1
        listing = folder.listing(listing.folders)
    fitting = [file for file in listing.files if pattern.match(file.relative_to(folder.path)) is not None]
    if not fitting:
        found = (
            f"the {len(listing.files)} TIFFs {'there' if depth else 'in it'} are named like "
            f"{_named(folder, listing.files, 2)}"
            if listing.files
            else "no TIFF is where it points"
        )
        better = suggestion(folder.path, listing.files) if len(listing.files) > 1 else None
        way = f": try {typed(pattern=better)}" if better else "; write the names as they are"
        raise StackError(f"no file of {folder.called} fits the pattern {clean(pattern.text)!r}; {found}{way}")
    files, notes = _without_previews(folder, fitting)
    left = [file for file in listing.files if file not in set(fitting)]
    if left:
        notes.append(
            f"Left out by the pattern, {len(left)} of {len(listing.files)} TIFFs: {_named(folder, left)}."
        )
    return Contents(tuple(files), tuple(notes))


def _without_previews(folder: Folder, files: list[PurePath]) -> tuple[list[PurePath], list[str]]:
    """Return files without previews and projections, where others are left, and notes that name them."""
    notes: list[str] = []
    for what, is_one in (("previews", is_thumbnail), ("projections", is_projection)):
        found = [file for file in files if is_one(file.relative_to(folder.path))]
        if found and len(found) < len(files):
            files = [file for file in files if file not in set(found)]
            notes.append(f"Ignored as {what}: {_named(folder, found)}.")
    return files, notes


def _refuse_both(folder: Folder, files: Sequence[PurePath], folders: Sequence[PurePath]) -> None:
    """Raise StackError where TIFFs lie beside folders of TIFFs that count planes, channels or time points."""
    counting = _counts_along([place.name for place in folders])
    inside = folder.listing([place for place in folders if place.name in counting]).files if counting else []
    if not inside:
        return
    inside, _ = _without_previews(folder, inside)
    better = suggestion(folder.path, inside) or f"{folders[0].name}/{{}}.tif"
    raise StackError(
        f"{folder.called} holds {len(files)} TIFFs and {len(counting)} folders of TIFFs "
        f"({listed(counting)}); say which make the stack: {typed(pattern=better)} for the folders, "
        f"{typed(pattern='{}.tif')} for the files alone"
    )


def _named(folder: Folder, places: Sequence[PurePath], limit: int = 4) -> str:
    return listed((place.relative_to(folder.path).as_posix() for place in places), limit)


def _counts_along(folders: Sequence[str]) -> list[str]:
    """Return the folders whose names count along an axis, as ch0 and ch1 do; [] where fewer than two do."""
    counting = [
        name
        for name in folders
        if (match := re.search(r"[0-9]+", name)) and AXES.get(word_of(name[: match.start()]))
    ]
    return counting if len(counting) > 1 else []
