"""What a worker does with one band: read, write, average, write. Workers share no voxel and no lock.

Every function here takes picklable values and nothing else, so that any `concurrent.futures.Executor` can
run it: threads share the opened files and arrays of their process through small caches.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass

import numpy as np

from ngff_practical.convert.arrays import Pixels, read_region, write_region
from ngff_practical.model import Level, Place, Pyramid, Shape, StackSource
from ngff_practical.pyramid import Band, downsample_mean, downsample_nearest
from ngff_practical.pyramid.bands import Region, level_factors
from ngff_practical.stack import StackReader

_buffers = threading.local()


@dataclass(frozen=True, slots=True)
class Step:
    """What the bands of one pass have in common: where the levels are, and which are read and written.

    `run` is another word for each conversion: a cluster may remember the result of a call it has seen.
    """

    place: Place
    pyramid: Pyramid
    fine: Level
    coarse: Level | None
    write_fine: bool
    run: str


def work_on_band(step: Step, band: Band, reader: StackReader | None) -> int:
    """Read a band slab by slab, write what the step asks for, and return the number of slabs done.

    `reader` gives the pixels of the first pass; without one they come from the fine level itself.
    """
    fine_buffer, coarse_buffer = "large", "small"
    if (
        not step.write_fine
    ):  # slabs are smaller than in the first pass, and boxes of the coarse level as large
        fine_buffer, coarse_buffer = coarse_buffer, fine_buffer
    coarse_block: Pixels | None = None
    if step.coarse and band.coarse:
        coarse_block = _scratch(coarse_buffer, _extent(band.coarse), step.coarse.dtype)
    for slab in band.slabs:
        block = _scratch(fine_buffer, _extent(slab), step.fine.dtype)
        if step.write_fine and reader is not None:
            read_stack_region(reader, slab, out=block)
            write_region(step.place, step.pyramid, step.fine, slab, block)
        else:
            read_region(step.place, step.pyramid, step.fine, slab, out=block)
        if coarse_block is not None and step.coarse and band.coarse:
            factors = level_factors(step.fine, step.coarse)
            inside = covered(slab, step.coarse.shape, factors)
            target = coarse_block[_within(inside, band.coarse, factors)]
            if target.size:
                shrink(block[tuple(slice(0, n) for n in _extent(inside))], factors, step.pyramid, out=target)
    if coarse_block is not None and coarse_block.size and step.coarse and band.coarse:
        write_region(step.place, step.pyramid, step.coarse, band.coarse, coarse_block)
    return len(band.slabs)


def shrink(block: Pixels, factors: Shape, pyramid: Pyramid, *, out: Pixels | None = None) -> Pixels:
    """Return the block one level coarser, the way the plan says (and in `out`, if given)."""
    down = downsample_nearest if pyramid.downsampling == "nearest" else downsample_mean
    return down(block, factors, out=out)


def covered(region: Region, coarse_shape: Shape, factors: Shape) -> Region:
    """Return the part of a region that the next level stands for (some tools drop a last odd row)."""
    return tuple(
        slice(part.start, max(part.start, min(part.stop, size * factor)))
        for part, size, factor in zip(region, coarse_shape, factors, strict=True)
    )


def read_stack_region(reader: StackReader, region: Region, *, out: Pixels | None = None) -> Pixels:
    """Return a box of the stack, in native byte order (in `out`, if given); outer axes count planes."""
    source: StackSource = reader.source
    *outer, rows, columns = region
    block = np.empty(_extent(region), dtype=source.dtype) if out is None else out
    planes = block.reshape(-1, *block.shape[-2:])
    whole_rows = columns.stop - columns.start == source.shape[-1]
    row_buffer = None if whole_rows else np.empty((block.shape[-2], source.shape[-1]), dtype=source.dtype)
    grid = [np.arange(part.start, part.stop) for part in outer]
    indices = np.ravel_multi_index(np.ix_(*grid), source.shape[:-2]).ravel() if outer else np.array([0])
    if row_buffer is None:
        reader.read_planes(indices.tolist(), rows, planes)
        return block
    for plane, index in zip(planes, indices, strict=True):
        reader.read(int(index), rows, row_buffer)
        plane[...] = row_buffer[:, columns]
    return block


def _scratch(name: str, shape: Shape, dtype: str) -> Pixels:
    """Return an array that this thread uses again and again: fresh memory costs more than reading does."""
    nbytes = math.prod(shape) * np.dtype(dtype).itemsize
    buffer = getattr(_buffers, name, None)
    if buffer is None or buffer.nbytes < nbytes:
        buffer = np.empty(nbytes, dtype="uint8")
        setattr(_buffers, name, buffer)
    return buffer[:nbytes].view(dtype).reshape(shape)


def _extent(region: Region) -> Shape:
    return tuple(part.stop - part.start for part in region)


def _within(slab: Region, coarse_band: Region, factors: Shape) -> Region:
    """Return where a slab's coarse voxels lie inside the band's coarse block."""
    return tuple(
        slice(part.start // factor - band.start, -(-part.stop // factor) - band.start)
        for part, band, factor in zip(slab, coarse_band, factors, strict=True)
    )
