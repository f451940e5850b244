"""Plan a pyramid: levels, chunks, shards, scale and translation, before a byte is written."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from ngff_practical.errors import PlanError
from ngff_practical.model import Axis, Level, Pyramid, Shape, StackSource, Vector, spatial, zarr_format_of
from ngff_practical.pyramid.downsample import coarse_shape

CHUNK_BYTES = 2**20
MOST_OBJECTS = 1000
MOST_CHUNK_BYTES = 2**31 - 2**10  # what Blosc packs, and every worker holds one in memory
MOST_CHUNKS_IN_SHARD = 2**26  # whose places are written behind them, 16 bytes each
SMALLEST_SIDE = 128  # a level whose y and x fit this is small enough to be the last
CODECS = ("blosc-zstd", "zstd", "gzip", "none")
VERSIONS = ("0.4", "0.5", "0.6")


def plan_pyramid(
    source: StackSource,
    *,
    version: str = "0.5",
    chunks: Shape | Literal["auto"] = "auto",
    shards: Shape | Literal["auto"] | None = "auto",
    codec: str = "blosc-zstd",
    levels: int | Literal["auto"] = "auto",
    factors: Shape | None = None,
    downsampling: Literal["mean", "nearest"] = "mean",
) -> Pyramid:
    """Return the pyramid a stack would be written as; nothing is written.

    Parameters
    ----------
    source
        The stack, from `find_stack`.
    version
        OME-Zarr version: "0.4" (Zarr v2), "0.5" or "0.6" (Zarr v3).
    chunks, shards
        Shapes in axis order, used at every level exactly as given. "auto" makes chunks of about 1 MiB that
        fit the image (and whole into the shards asked for), and shards only where the image would otherwise
        be more than 1,000 objects. None means no shards; Zarr v2 has none.
    codec
        "blosc-zstd" (level 3, with shuffle), "zstd", "gzip" or "none".
    levels
        Number of levels; "auto" halves until y and x are at most 128.
    factors
        Whole-number factor per axis from each level to the next. By default t and c stay, and an axis of
        space is halved while its voxels are not clearly longer (by more than the square root of 2) than the
        shortest: z waits until y and x have caught up.
    downsampling
        "mean" for intensities, "nearest" for labels.

    Raises
    ------
    PlanError
        Something asked for does not fit the image or the version.
    """
    if version not in VERSIONS:
        raise PlanError(
            f"OME-Zarr version {version!r} cannot be written; choose one of {', '.join(VERSIONS)}"
        )
    if codec not in CODECS:
        raise PlanError(f"codec {codec!r} is not offered; choose one of {', '.join(CODECS)}")
    _check_shape("chunks", chunks, source.shape)
    _check_shape("shards", shards, source.shape)
    _check_shape("factors", factors, source.shape)
    nbytes = 0 if chunks == "auto" else math.prod(chunks) * source.itemsize
    if nbytes > MOST_CHUNK_BYTES:
        raise PlanError(
            f"a chunk of {chunks} takes {nbytes} bytes, and {MOST_CHUNK_BYTES} are the most that are packed "
            f"in one piece; the image is {source.shape}: choose smaller chunks, {CHUNK_BYTES} bytes are usual"
        )
    if levels != "auto" and levels < 1:
        raise PlanError(f"a pyramid has at least 1 level, not {levels}")
    first = Level(
        path="0",
        shape=source.shape,
        dtype=source.dtype,
        itemsize=source.itemsize,
        chunks=auto_chunks(source.shape, source.itemsize) if chunks == "auto" else chunks,
        scale=source.voxel_size,
    )
    pyramid_levels = _all_levels(first, source.axes, levels, factors)
    if chunks == "auto":
        clipped = [_clip(first.chunks, level.shape) for level in pyramid_levels]
        if isinstance(shards, tuple):
            clipped = [_dividing(chunk, shards) for chunk in clipped]
        pyramid_levels = [
            replace(level, chunks=chunk) for level, chunk in zip(pyramid_levels, clipped, strict=True)
        ]
    pyramid_levels = with_shards(pyramid_levels, shards, version)
    return Pyramid(
        name=source.name,
        version=version,
        axes=source.axes,
        levels=tuple(pyramid_levels),
        channels=source.channels,
        codec=codec,
        downsampling=downsampling,
    )


def shrink_level(level: Level, factors: Shape, *, path: str) -> Level:
    """Return the next coarser level.

    The centre of its first voxel lies (factor - 1) / 2 fine voxels further along each axis, because a coarse
    voxel stands for the mean of `factor` fine ones (OME-Zarr 0.6, multiscales: the translation of a level
    made by binning is half the difference of the voxel sizes).
    """
    start = level.translation or (0.0,) * len(level.shape)
    shift = [(factor - 1) / 2 * step for factor, step in zip(factors, level.scale, strict=True)]
    return replace(
        level,
        path=path,
        shape=coarse_shape(level.shape, factors),
        scale=tuple(step * factor for step, factor in zip(level.scale, factors, strict=True)),
        translation=tuple(a + b for a, b in zip(start, shift, strict=True)),
    )


def halving_factors(axes: Sequence[Axis], shape: Shape, scale: Vector) -> Shape:
    """Return 2 for every axis of space that is long enough and not coarser than the others, else 1."""
    candidates = [axis for axis in spatial(axes) if shape[axis] > 1]
    if not candidates:
        return (1,) * len(shape)
    limit = min(scale[axis] for axis in candidates) * math.sqrt(2)
    return tuple(2 if axis in candidates and scale[axis] <= limit else 1 for axis in range(len(shape)))


def auto_chunks(shape: Shape, itemsize: int) -> Shape:
    """Return a chunk of about 1 MiB: one t and c, near-equal sides in z, y and x, never past the edge."""
    chunk = [1] * len(shape)
    space = range(max(0, len(shape) - 3), len(shape))
    while math.prod(chunk) * itemsize < CHUNK_BYTES:
        open_axes = [axis for axis in space if chunk[axis] < shape[axis]]
        if not open_axes:
            break
        shortest = min(open_axes, key=lambda axis: (chunk[axis], -axis))
        chunk[shortest] = min(chunk[shortest] * 2, shape[shortest])
    return tuple(chunk)


def _all_levels(
    first: Level, axes: Sequence[Axis], count: int | Literal["auto"], factors: Shape | None
) -> list[Level]:
    levels = [first]
    sides = [index for index, axis in enumerate(axes) if axis.name in ("y", "x")]
    while len(levels) < count if count != "auto" else max(levels[-1].shape[a] for a in sides) > SMALLEST_SIDE:
        last = levels[-1]
        step = factors or halving_factors(axes, last.shape, last.scale)
        if all(size == 1 for size, factor in zip(last.shape, step, strict=True) if factor > 1):
            if count != "auto":
                raise PlanError(
                    f"{count} levels do not fit an image of {first.shape}: level {last.path} is already "
                    f"{last.shape}; ask for at most {len(levels)}"
                )
            break
        step = tuple(factor if size > 1 else 1 for factor, size in zip(step, last.shape, strict=True))
        levels.append(shrink_level(last, step, path=str(len(levels))))
    return levels


def with_shards(levels: list[Level], shards: Shape | Literal["auto"] | None, version: str) -> list[Level]:
    """Return the levels with the shards asked for, or with as many as keep the image below 1,000 objects."""
    if zarr_format_of(version) == 2:
        if shards not in ("auto", None):
            raise PlanError(
                "OME-Zarr 0.4 is stored as Zarr v2, which has no shards; ask for version 0.5, or no shards"
            )
        return levels
    if shards is None:
        return levels
    if shards != "auto":
        for level in levels:
            _check_shards(level.chunks, shards)
        return [replace(level, shards=shards) for level in levels]
    documents = 1 + len(levels)  # a zarr.json for the group and each array
    while documents + sum(level.objects for level in levels) > MOST_OBJECTS:
        largest = max(range(len(levels)), key=lambda index: levels[index].objects)
        grown = _grow_shard(levels[largest])
        if grown is None:
            break
        levels = [*levels[:largest], grown, *levels[largest + 1 :]]
    return levels


def _grow_shard(level: Level) -> Level | None:
    """Return the level with shards twice as long along one axis of space (x, then y, then z, in turn)."""
    shape = level.object_shape
    space = range(max(0, len(shape) - 3), len(shape))
    counts = [-(-shape[axis] // level.chunks[axis]) for axis in range(len(shape))]
    growing = [axis for axis in space if shape[axis] < level.shape[axis]]
    if not growing:
        return None
    axis = min(growing, key=lambda axis: (counts[axis], -axis))
    return replace(
        level, shards=tuple(size * 2 if index == axis else size for index, size in enumerate(shape))
    )


def _dividing(chunk: Shape, shards: Shape) -> Shape:
    """Return the largest chunk within `chunk` of which whole ones fill a shard."""
    return tuple(
        next(length for length in range(min(size, shard), 0, -1) if shard % length == 0)
        for size, shard in zip(chunk, shards, strict=True)
    )


def _check_shards(chunks: Shape, shards: Shape) -> None:
    if any(shard % chunk for shard, chunk in zip(shards, chunks, strict=True)):
        raise PlanError(
            f"shards {shards} are not whole multiples of chunks {chunks} along every axis; "
            "a shard holds whole chunks (Zarr v3, sharding-indexed codec)"
        )
    count = math.prod(shard // chunk for shard, chunk in zip(shards, chunks, strict=True))
    if count > MOST_CHUNKS_IN_SHARD:
        raise PlanError(
            f"a shard of {shards} holds {count} chunks of {chunks}, and {MOST_CHUNKS_IN_SHARD} are the most "
            "here; choose smaller shards or larger chunks"
        )


def _check_shape(what: str, value: Shape | Literal["auto"] | None, shape: Shape) -> None:
    if value is None or isinstance(value, str):
        if isinstance(value, str) and value != "auto":
            raise PlanError(f"{what} {value!r} is neither a shape nor 'auto'")
        return
    if len(value) != len(shape):
        raise PlanError(f"{what} {value} has {len(value)} numbers, the image has {len(shape)} axes: {shape}")
    if any(not isinstance(size, int) or size < 1 for size in value):
        raise PlanError(f"{what} {value} must be whole numbers of at least 1")


def _clip(chunks: Shape, shape: Shape) -> Shape:
    return tuple(min(chunk, size) for chunk, size in zip(chunks, shape, strict=True))
