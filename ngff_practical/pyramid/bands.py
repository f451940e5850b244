"""Cut a level into bands: units of work that yield whole objects of it and of the level made from it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

from ngff_practical.model import Level, Pyramid, Shape

type Region = tuple[slice, ...]

BAND_BYTES = 64 * 2**20  # the aim for what one worker holds; a single object's rows may need more
WORKERS_BYTES = 512 * 2**20  # the aim for all workers together
PROGRAM_BYTES = 130 * 2**20  # interpreter, numpy, zarr and the codecs, before the first pixel


@dataclass(frozen=True, slots=True)
class Band:
    """A box of a level that workers share with nobody.

    `slabs` tile the band in pieces that end where objects end, so that each is read, written and averaged
    on its own; `coarse` is the box of the next level the band yields, None where there is no next level.
    """

    region: Region
    slabs: tuple[Region, ...]
    coarse: Region | None


def level_factors(fine: Level, coarse: Level) -> Shape:
    """Return the whole-number factor along each axis from one level to the next."""
    return tuple(round(b / a) for a, b in zip(fine.scale, coarse.scale, strict=True))


def plan_bands(fine: Level, coarse: Level | None, *, rows_together: int = 1) -> list[Band]:
    """Return the bands of a level, in the order they should be read.

    A band spans whole objects of `fine` and of `coarse` (of which it is the source) along every axis, as
    wide along x as 64 MiB for a slab allow. `rows_together` is the number of rows that the stack can only
    decode together: bands are at least as tall, and x is whole, so that little is decoded twice. Every voxel
    lies in exactly one band, and in exactly one of its slabs.
    """
    slab, band = _band_shape(fine, coarse, rows_together)
    factors = level_factors(fine, coarse) if coarse else (1,) * len(fine.shape)
    return [
        Band(
            region,
            tuple(boxes(region, slab)),
            _coarse_region(region, factors, coarse.shape) if coarse else None,
        )
        for region in boxes(tuple(slice(0, size) for size in fine.shape), band)
    ]


def band_memory(fine: Level, coarse: Level | None, *, rows_together: int = 1) -> int:
    """Return the most bytes one worker holds while it works on a band: a slab twice and the coarse band."""
    slab, band = _band_shape(fine, coarse, rows_together)
    need = 2 * math.prod(slab)
    if coarse:
        need += math.prod(-(-size // f) for size, f in zip(band, level_factors(fine, coarse), strict=True))
    return need * fine.itemsize


def peak_memory_bytes(pyramid: Pyramid, *, workers: int, rows_together: int = 1) -> int:
    """Return about how much memory writing the pyramid takes, the program itself included."""
    return PROGRAM_BYTES + workers * _largest_band(pyramid, rows_together)


def fitting_workers(pyramid: Pyramid, *, processors: int, rows_together: int = 1) -> int:
    """Return how many bands to work on at once: one per processor, fewer where bands are large."""
    return max(1, min(processors, WORKERS_BYTES // _largest_band(pyramid, rows_together)))


def _largest_band(pyramid: Pyramid, rows_together: int) -> int:
    pairs = itertools.zip_longest(pyramid.levels, pyramid.levels[1:])
    return max(
        band_memory(fine, coarse, rows_together=rows_together if fine is pyramid.levels[0] else 1)
        for fine, coarse in pairs
    )


def _band_shape(fine: Level, coarse: Level | None, rows_together: int) -> tuple[Shape, Shape]:
    """Return the shapes of a slab and of a band: whole objects of both levels, clipped to the image."""
    slab, band = [], []
    factors = level_factors(fine, coarse) if coarse else (1,) * len(fine.shape)
    for axis, size in enumerate(fine.shape):
        piece = math.lcm(fine.object_shape[axis], factors[axis])
        unit = math.lcm(piece, coarse.object_shape[axis] * factors[axis]) if coarse else piece
        slab.append(min(piece, size))
        band.append(min(unit, size))
    y, x = len(slab) - 2, len(slab) - 1
    if rows_together > 1:
        slab[y] = min(math.ceil(rows_together / slab[y]) * slab[y], fine.shape[y])
        band[y] = min(math.ceil(slab[y] / band[y]) * band[y], fine.shape[y])
        slab[x] = band[x] = fine.shape[x]
    else:
        fitting = BAND_BYTES // (math.prod(slab[:-1]) * fine.itemsize)
        band[x] = min(max(1, fitting // band[x]) * band[x], fine.shape[x])
        slab[x] = min(max(1, fitting // slab[x]) * slab[x], band[x])
    return tuple(slab), tuple(band)


def boxes(region: Region, shape: Shape) -> Iterator[Region]:
    """Tile a region with boxes of a shape, from its first voxel on, the last clipped, in C order."""
    ranges = [
        [slice(start, min(start + step, part.stop)) for start in range(part.start, part.stop, step)]
        for part, step in zip(region, shape, strict=True)
    ]
    return itertools.product(*ranges)


def _coarse_region(region: Region, factors: Shape, shape: Shape) -> Region:
    return tuple(
        slice(part.start // factor, min(-(-part.stop // factor), size))
        for part, factor, size in zip(region, factors, shape, strict=True)
    )
