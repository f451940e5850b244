"""What reading a region of a level touches: the arithmetic behind "which chunks light up"."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

from ngff_practical.errors import PlanError
from ngff_practical.model import ChunkAccess, Level, Pyramid, Shape


def chunk_access(level: Level, region: Sequence[slice]) -> ChunkAccess:
    """Return the chunks, objects and bytes (before compression) that reading a region touches.

    `region` has one slice per axis, step 1, within the level. A chunk at the edge counts with the voxels it
    holds, not with its padding.

    Raises
    ------
    PlanError
        The region does not lie within the level.
    """
    starts, stops = _bounds(level, region)
    wanted = math.prod(stop - start for start, stop in zip(starts, stops, strict=True))
    chunks, read = _touched(level.shape, level.chunks, starts, stops)
    objects, _ = _touched(level.shape, level.object_shape, starts, stops)
    requests = objects * (2 if level.shards else 1)
    return ChunkAccess(level.path, chunks, objects, wanted * level.itemsize, read * level.itemsize, requests)


def touched_cells(grid: Shape, level: Level, region: Sequence[slice]) -> tuple[range, ...]:
    """Return the positions, along each axis, of the cells of a grid (chunks, shards) that a region meets."""
    starts, stops = _bounds(level, region)
    return tuple(
        range(start // step, (stop - 1) // step + 1)
        for start, stop, step in zip(starts, stops, grid, strict=True)
    )


def object_keys(pyramid: Pyramid, level: Level, region: Sequence[slice]) -> Iterator[str]:
    """Yield the key, below the image, of every object that a region meets, in the order of the grid.

    Keys are those that the version has: "0/c/0/1/2" from OME-Zarr 0.5 on (Zarr v3), "0/0/1/2" from 0.2 to 0.4
    and "0/0.1.2" in 0.1 (Zarr v2).
    """
    prefix = f"{level.path}/c/" if pyramid.zarr_format == 3 else f"{level.path}/"
    separator = "." if pyramid.version.startswith("0.1") else "/"
    for position in itertools.product(*touched_cells(level.object_shape, level, region)):
        yield prefix + separator.join(map(str, position))


def _bounds(level: Level, region: Sequence[slice]) -> tuple[list[int], list[int]]:
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
    return starts, stops


def _touched(shape: Shape, grid: Shape, starts: Sequence[int], stops: Sequence[int]) -> tuple[int, int]:
    """Return how many cells of a grid the box meets, and the voxels these hold."""
    cells, voxels = 1, 1
    for size, step, start, stop in zip(shape, grid, starts, stops, strict=True):
        first, last = start // step, (stop - 1) // step
        cells *= last - first + 1
        voxels *= min((last + 1) * step, size) - first * step
    return cells, voxels
