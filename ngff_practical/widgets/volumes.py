"""How many voxels each label has, counted once, a slab at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from ngff_practical.meter import bytes_text
from ngff_practical.model import Level, Pyramid
from ngff_practical.widgets.lengths import cell_size
from ngff_practical.widgets.pixels import Levels, Voxels
from ngff_practical.widgets.regions import Region

_COUNTED = 64 * 2**20  # voxels of a level that are counted to tell volumes
_SLAB = 8 * 2**20  # voxels that are held at a time
_DENSE = 10**6  # ids up to here are counted by position


@dataclass(frozen=True, slots=True)
class Volumes:
    """Voxels by label id, of one level at one place in time; `level` is None where none is small enough."""

    pyramid: Pyramid
    level: Level | None
    counts: Mapping[int, int]

    def of(self, label: int) -> str:
        """Return how large a label is, in words."""
        full = self.pyramid.levels[0]
        if self.level is None:
            return f"its size is not counted: even the coarsest level is {bytes_text(full.nbytes)}"
        count = self.counts.get(label, 0)
        if not count:
            return f"too small to be seen at level {self.level.path}, where sizes are counted"
        exact = self.level is full
        where = "" if exact else f" of level {self.level.path}"
        size = cell_size(self.pyramid, self.level)
        if size is None:
            return f"{count:,} voxels{where}"
        about = "" if exact else "about "
        return f"{about}{count * size[0]:,.4g} {size[1]} ({count:,} voxels{where})"


def count_labels(levels: Levels, at: Mapping[int, int]) -> Volumes:
    """Return the sizes of all labels; `at` is where along the axes that are not of space.

    Counted at the finest level that has at most 64 million voxels there.

    Raises
    ------
    StorageError
        They cannot be read.
    """
    pyramid = levels.pyramid
    for index, level in enumerate(pyramid.levels):
        whole = [slice(at[axis], at[axis] + 1) if axis in at else slice(0, size)
                 for axis, size in enumerate(level.shape)]  # fmt: skip
        if math.prod(part.stop - part.start for part in whole) > _COUNTED:
            continue
        counts: dict[int, int] = {}
        for region in _slabs(tuple(whole), level.chunks):
            for label, count in _counted(levels.read(index, region)):
                counts[label] = counts.get(label, 0) + count
        return Volumes(pyramid, level, counts)
    return Volumes(pyramid, None, {})


def _slabs(region: Region, chunks: tuple[int, ...]) -> Iterator[Region]:
    """Yield a region in parts of whole chunks along its longest axis."""
    sizes = [part.stop - part.start for part in region]
    axis = sizes.index(max(sizes))
    across = math.prod(sizes) // max(sizes[axis], 1)
    step = max(_SLAB // max(across, 1) // chunks[axis], 1) * chunks[axis]
    for start in range(region[axis].start, region[axis].stop, step):
        yield (*region[:axis], slice(start, min(start + step, region[axis].stop)), *region[axis + 1 :])


def _counted(values: Voxels) -> Iterator[tuple[int, int]]:
    ids = values.ravel()
    if ids.dtype.kind in "bu" and ids.size and int(ids.max()) < _DENSE:
        found = np.bincount(ids.astype(np.int32))
        for label in np.flatnonzero(found):
            yield int(label), int(found[label])
    else:
        for label, count in zip(*np.unique(ids, return_counts=True), strict=True):
            yield int(label), int(count)
