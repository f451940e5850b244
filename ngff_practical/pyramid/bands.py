"""Cut a level into bands: units of work that yield whole objects of it and of the level made from it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from ngff_practical.model import Level, Pyramid, Shape

type Region = tuple[slice, ...]

SLAB_BYTES = 64 * 2**20  # the aim for one piece; a single object may need more
READ_BYTES = 16 * 2**20  # the aim for a piece that is only read
SCRATCH = "scratch"  # ends the path of a level that is there during a conversion only
WORKERS_BYTES = 512 * 2**20  # the aim for all workers together
PROGRAM_BYTES = 110 * 2**20  # interpreter, numpy, zarr and the codecs, before the first pixel


@dataclass(frozen=True, slots=True)
class Band:
    """A box of a level that workers share with nobody.

    `slabs` tile the band in pieces that end where objects end, so that each is read, written and averaged
    on its own; `coarse` is the box of the next level the band yields, None where there is no next level.
    """

    region: Region
    slabs: tuple[Region, ...]
    coarse: Region | None


@dataclass(frozen=True, slots=True)
class Pass:
    """One walk over a level in bands: from where its pixels come, and what is written on the way.

    With `write_fine` the pixels come from the stack and `fine` is written; without, `fine` is there already.
    `coarse` is the level made from it, None where only `fine` is written.
    """

    fine: Level
    coarse: Level | None
    write_fine: bool
    bands: tuple[Band, ...]


def level_factors(fine: Level, coarse: Level) -> Shape:
    """Return the whole-number factor along each axis from one level to the next."""
    return tuple(round(b / a) for a, b in zip(fine.scale, coarse.scale, strict=True))


def plan_bands(
    fine: Level, coarse: Level | None, *, rows_together: int = 1, write_fine: bool = True
) -> list[Band]:
    """Return the bands of a level, in the order they should be read.

    A band spans whole objects of what is written (`coarse`, and `fine` too unless `write_fine` is False)
    along every axis; where `fine` is only read, slabs are of whole chunks. `rows_together` is the number of
    rows that the stack can only decode together: bands are at least as tall, and x is whole, so that little
    is decoded twice. Every voxel lies in exactly one band, and in exactly one of its slabs.
    """
    slab, band = _band_shape(fine, coarse, rows_together, write_fine)
    factors = level_factors(fine, coarse) if coarse else (1,) * len(fine.shape)
    return [
        Band(
            region,
            tuple(boxes(region, slab)),
            _coarse_region(region, factors, coarse.shape) if coarse else None,
        )
        for region in boxes(tuple(slice(0, size) for size in fine.shape), band)
    ]


def plan_passes(pyramid: Pyramid, *, rows_together: int = 1) -> list[Pass]:
    """Return what to do to write a pyramid: passes that follow each other, each of bands that share nothing.

    The first pass reads the stack and makes level 1 on the way; every later one reads a level already
    written. Where objects are so large (shards) that a worker had better hold one at a time, level 1 goes
    through a scratch level of small uncompressed chunks, which costs less than decoding level 0 again.
    """
    first, *rest = pyramid.levels
    coarse = rest[0] if rest else None
    if coarse and _object_voxels(first) * first.itemsize > SLAB_BYTES:
        coarse = _scratch_level(first, coarse)
        rest = [coarse, *rest]
    bands = plan_bands(first, coarse, rows_together=rows_together)
    passes = [Pass(first, coarse, True, tuple(bands))]
    for one, other in itertools.pairwise(rest):
        passes.append(Pass(one, other, False, tuple(plan_bands(one, other, write_fine=False))))
    return passes


def _scratch_level(fine: Level, coarse: Level) -> Level:
    """Return a level like `coarse`, of which each object of `fine` yields whole chunks."""
    factors = level_factors(fine, coarse)
    chunks = [max(1, size // factor) for size, factor in zip(fine.object_shape, factors, strict=True)]
    rows = len(chunks) - 2
    chunks[rows] = math.gcd(chunks[rows], coarse.chunks[rows])  # small ones, since writing copies each
    return replace(coarse, path=f"{coarse.path}.{SCRATCH}", chunks=tuple(chunks), shards=None)


def peak_memory_bytes(pyramid: Pyramid, *, workers: int, rows_together: int = 1) -> int:
    """Return about how much memory writing the pyramid takes, the program itself included."""
    return PROGRAM_BYTES + max(
        _pass_memory(one, workers, rows_together) for one in plan_passes(pyramid, rows_together=rows_together)
    )


def fitting_workers(pyramid: Pyramid, *, processors: int, rows_together: int = 1) -> int:
    """Return how many bands to work on at once: one per processor, fewer where bands are large."""
    passes = plan_passes(pyramid, rows_together=rows_together)
    fitting = (
        workers
        for workers in range(processors, 1, -1)
        if all(_pass_memory(one, workers, rows_together) <= WORKERS_BYTES for one in passes)
    )
    return next(fitting, 1)


def _pass_memory(one: Pass, workers: int, rows_together: int) -> int:
    """Return the most bytes that workers hold: a slab and the coarse band each, and what is being encoded.

    Unsharded, each encodes for itself; shards are encoded one at a time. Pixels may not compress at all.
    """
    rows = rows_together if one.write_fine else 1
    slab, band = _band_shape(one.fine, one.coarse, rows, one.write_fine)
    held = math.prod(slab)
    if one.coarse:
        factors = level_factors(one.fine, one.coarse)
        held += math.prod(-(-size // factor) for size, factor in zip(band, factors, strict=True))
    written = one.fine if one.write_fine else one.coarse
    encoded = _object_voxels(written) if written and written.shards else workers * math.prod(slab)
    return (workers * held + encoded) * one.fine.itemsize


def _object_voxels(level: Level) -> int:
    """Return how many voxels an object of a level holds at most; what lies beyond the edge is not held."""
    return math.prod(min(pair) for pair in zip(level.object_shape, level.shape, strict=True))


def _band_shape(
    fine: Level, coarse: Level | None, rows_together: int, write_fine: bool
) -> tuple[Shape, Shape]:
    """Return the shapes of a slab and of a band, clipped to the image."""
    slab, band = [], []
    factors = level_factors(fine, coarse) if coarse else (1,) * len(fine.shape)
    own = fine.object_shape if write_fine else fine.chunks
    for axis, size in enumerate(fine.shape):
        piece = math.lcm(own[axis], factors[axis])
        unit = math.lcm(piece, coarse.object_shape[axis] * factors[axis]) if coarse else piece
        slab.append(min(piece, size))
        band.append(min(unit, size))
    y, x = len(slab) - 2, len(slab) - 1
    if rows_together > 1:
        slab[y] = min(math.ceil(rows_together / slab[y]) * slab[y], fine.shape[y])
        band[y] = min(math.ceil(slab[y] / band[y]) * band[y], fine.shape[y])
        slab[x] = band[x] = fine.shape[x]
    else:
        fitting = (SLAB_BYTES if write_fine else READ_BYTES) // (math.prod(slab[:-1]) * fine.itemsize)
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
