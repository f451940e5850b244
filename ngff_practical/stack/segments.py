"""Where the parts of a TIFF file lie: its directories (IFDs) and the strips or tiles of its pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import tifffile

from ngff_practical.errors import StackError
from ngff_practical.stack.faults import shown


@dataclass(frozen=True, slots=True)
class PagePlaces:
    """Byte ranges (start, length) of one page: its directory, and its strips or tiles in order."""

    directory: tuple[int, int]
    pixels: tuple[tuple[int, int], ...]


def page_places(file: Path) -> tuple[PagePlaces, ...]:
    """Return where each page of a TIFF file lies.

    Raises
    ------
    StackError
        The file is no TIFF that can be read.
    """
    try:
        with tifffile.TiffFile(file) as tiff:
            return tuple(_places(tiff))
    except (tifffile.TiffFileError, OSError, ValueError) as error:
        raise StackError(f"{shown(file)} cannot be read as TIFF: {error}; look for another copy") from None


def _places(tiff: tifffile.TiffFile) -> Iterator[PagePlaces]:
    for index in range(len(tiff.pages)):
        page = tiff.pages.get(index, cache=False, aspage=True)
        if not isinstance(page, tifffile.TiffPage):
            continue
        count_size, entry_size, next_size = tiff.tiff.tagnosize, tiff.tiff.tagsize, tiff.tiff.offsetsize
        directory = (page.offset, count_size + entry_size * len(page.tags) + next_size)
        yield PagePlaces(directory, tuple(zip(page.dataoffsets, page.databytecounts, strict=True)))
