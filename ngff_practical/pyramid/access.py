"""What reading a region of a level touches: the arithmetic behind "which chunks light up"."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ngff_practical.errors import PlanError
from ngff_practical.model import ChunkAccess, Level, Shape


def chunk_access(level: Level, region: Sequence[slice]) -> ChunkAccess:
    """Return the chunks, objects and bytes (before compression) that reading a region touches.

    `region` has one slice per axis, step 1, within the level. A chunk at the edge counts with the voxels it
    holds, not with its padding.

    Raises
    ------
    PlanError
        The region does not lie within the level.
    """
    if len(region) != len(level.shape):
        raise PlanError(
            f"the region has {len(region)} slices, level {level.path} has {len(level.shape)} axes"
        )
    starts, stops = [], []
    for axis, (part, size) in enumerate(zip(region, level.shape, strict=True)):
        start, stop, step = part.indices(size)
        if step != 1 or start >= stop:
            raise PlanError(f"slice {part} of axis {axis} is empty or has a step; the axis has {size} voxels")
        starts.append(start)
        stops.append(stop)
    wanted = math.prod(stop - start for start, stop in zip(starts, stops, strict=True))
    chunks, read = _touched(level.shape, level.chunks, starts, stops)
    objects, _ = _touched(level.shape, level.object_shape, starts, stops)
    return ChunkAccess(level.path, chunks, objects, wanted * level.itemsize, read * level.itemsize)


def _touched(shape: Shape, grid: Shape, starts: Sequence[int], stops: Sequence[int]) -> tuple[int, int]:
    """Return how many cells of a grid the box meets, and the voxels these hold."""
    cells, voxels = 1, 1
    for size, step, start, stop in zip(shape, grid, starts, stops, strict=True):
        first, last = start // step, (stop - 1) // step
        cells *= last - first + 1
        voxels *= min((last + 1) * step, size) - first * step
    return cells, voxels
