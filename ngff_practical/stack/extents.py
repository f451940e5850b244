"""Where the bytes of a stack's pages lie: no two strips or tiles may share any."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import tifffile

from ngff_practical.errors import StackError
from ngff_practical.model import Place
from ngff_practical.stack.faults import shown
from ngff_practical.stack.pages import AnyPage, grid_of, segment_sizes


@dataclass(slots=True)
class _File:
    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    pages: list[int] = field(default_factory=list)


class Extents:
    """The strips and tiles of pages, file by file; costs some microseconds for each."""

    def __init__(self) -> None:
        self._files: dict[Place, _File] = {}
        self._may_repeat = False

    def add(self, file: Place, page: AnyPage, key: tifffile.TiffPage) -> None:
        """Remember where a page's segments lie, without the padding that may follow uncompressed ones."""
        held = self._files.setdefault(file, _File())
        offsets, counts = page.dataoffsets, page.databytecounts
        self._may_repeat = key.compression != 1  # some writers store equal tiles, empty ones above all, once
        if not self._may_repeat:
            sizes = segment_sizes(key, grid_of(key))
            counts = tuple(min(count, sizes[at % len(sizes)]) for at, count in enumerate(counts))
        held.starts += offsets
        held.ends += (at + count for at, count in zip(offsets, counts, strict=True))
        held.pages += [page.index + 1] * len(offsets)

    def check(self) -> None:
        """Raise StackError that names two pages of which one lies in the bytes of the other."""
        for file, held in self._files.items():
            starts, ends, pages = (
                np.array(values, "uint64") for values in (held.starts, held.ends, held.pages)
            )
            order = np.lexsort((ends, starts))
            starts, ends, pages = starts[order], ends[order], pages[order]
            shared = ends[:-1] > starts[1:]
            if self._may_repeat:
                shared &= (starts[:-1] != starts[1:]) | (ends[:-1] != ends[1:])
            if shared.any():
                at = int(np.argmax(shared))
                one, other = sorted((int(pages[at]), int(pages[at + 1])))
                where = f"two strips or tiles of page {one}" if one == other else f"pages {one} and {other}"
                raise StackError(
                    f"{shown(file)}: {where} both use the bytes from {int(starts[at + 1])} on; a "
                    "plane would be read twice and another be lost: the file is damaged, copy it again or "
                    "save it anew"
                )
