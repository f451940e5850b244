"""Files beside a stack that are none of its planes: previews, projections, and copies that browsers make."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePath

from ngff_practical.errors import StackError
from ngff_practical.stack.faults import listed

_COPY = re.compile(
    r"^(?:copy(?: \([0-9]+\))? of )?(?P<name>.*?)"
    r"(?: ?\([0-9]+\)| - copy(?: \([0-9]+\))?|[ _]copy(?:[ _]?[0-9]+)?)?$",
    re.I,
)
_THUMB = re.compile(r"(?<![a-z])(?:thumb|preview)", re.I)
# What programs call the planes they make of a stack; ImageJ puts MAX_, AVG_ and so on before the name.
_PROJECTION = re.compile(
    r"^(?:MAX|MIN|AVG|SUM|STD|MED)_|(?<![A-Za-z])(?:MIPs?|max[ _-]?proj\w*|maximum[ _-]?(?:intensity\w*)?|"
    r"(?:mean|avg|sum|min|std|z)[ _-]?proj\w*|projections?)(?![A-Za-z])",
    re.I,
)


def is_thumbnail(file: PurePath) -> bool:
    """Return True for names that microscopes give to previews, or to the folders these are in."""
    return any(_THUMB.search(part) for part in file.with_suffix("").parts)


def is_projection(file: PurePath) -> bool:
    """Return True for names that programs give to projections, or to the folders these are in."""
    return any(_PROJECTION.search(part) for part in file.with_suffix("").parts)


def refuse_copies(files: Sequence[PurePath]) -> None:
    """Raise StackError that names browser and explorer copies, and the same name with two endings."""
    stems = {(file.parent, _stem(file).casefold()): file for file in files}
    pairs: list[tuple[PurePath, PurePath]] = []
    for file in files:
        twin = stems[file.parent, _stem(file).casefold()]
        if twin is not file:
            pairs.append((file, twin))
            continue
        match = _COPY.match(_stem(file))
        original = stems.get((file.parent, match["name"].casefold())) if match else None
        if original is not None and original is not file:
            pairs.append((file, original))
    if pairs:
        raise StackError(
            f"the folder holds copies: {listed(f'{a.name} (of {b.name})' for a, b in pairs)}; "
            "each plane may be there once: move the copies away"
        )


def _stem(file: PurePath) -> str:
    """Return a name without its ending; that of an OME-TIFF has two parts."""
    return file.stem[:-4] if file.stem.lower().endswith(".ome") else file.stem
