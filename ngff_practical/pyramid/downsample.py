"""Average or pick the cells of a block: the pixels of the next coarser level."""

from __future__ import annotations

import itertools
import math

import numpy as np
from numpy.typing import NDArray

from ngff_practical.model import Shape

type Block = NDArray[np.generic]

_CACHED_VOXELS = 2**18


def downsample_mean(block: Block, factors: Shape, *, out: Block | None = None) -> Block:
    """Return the mean of each cell of `factors` voxels, in the dtype of the block (and in `out`, if given).

    The result has ceil(size / factor) voxels along each axis: a cell that the edge cuts is averaged over
    the voxels it holds. Integers are summed exactly and rounded to the nearest, ties to even, so that
    repeated halving does not drift; floats are summed in double precision (float16 in single).
    """
    if out is None:
        out = np.empty(coarse_shape(block.shape, factors), dtype=block.dtype)
    for fine, coarse, cell in _uniform_parts(block.shape, factors):
        _mean_into(out[coarse], block[fine], cell)
    return out


def downsample_nearest(block: Block, factors: Shape, *, out: Block | None = None) -> Block:
    """Return one voxel of each cell of `factors` voxels, its middle one (the lower of two): for label ids."""
    if out is None:
        out = np.empty(coarse_shape(block.shape, factors), dtype=block.dtype)
    starts = tuple((factor - 1) // 2 for factor in factors)
    last = tuple(size - 1 for size in block.shape)
    index = [
        np.minimum(np.arange(start, start + factor * size, factor), end)
        for start, factor, size, end in zip(
            starts, factors, coarse_shape(block.shape, factors), last, strict=True
        )
    ]
    out[...] = block[np.ix_(*index)]
    return out


def coarse_shape(shape: Shape, factors: Shape) -> Shape:
    """Return ceil(size / factor) along each axis: no voxel at the edge is dropped."""
    return tuple(-(-size // factor) for size, factor in zip(shape, factors, strict=True))


def _uniform_parts(shape: Shape, factors: Shape) -> list[tuple[tuple[slice, ...], tuple[slice, ...], Shape]]:
    """Split a block where the edge cuts cells, so that all cells of one part hold as many voxels."""
    per_axis = []
    for size, factor in zip(shape, factors, strict=True):
        whole, rest = divmod(size, factor)
        parts = []
        if whole:
            parts.append((slice(0, whole * factor), slice(0, whole), factor))
        if rest:
            parts.append((slice(whole * factor, size), slice(whole, whole + 1), rest))
        per_axis.append(parts)
    return [
        (tuple(p[0] for p in combo), tuple(p[1] for p in combo), tuple(p[2] for p in combo))
        for combo in itertools.product(*per_axis)
    ]


def _mean_into(out: Block, block: Block, cell: Shape) -> None:
    """Fill `out` a few planes at a time, so that the sums stay in the processor's cache."""
    axis = next((index for index, size in enumerate(out.shape) if size > 1), 0)
    step = max(1, _CACHED_VOXELS // max(1, block.size // out.shape[axis]))
    head = (slice(None),) * axis
    for start in range(0, out.shape[axis], step):
        stop = min(start + step, out.shape[axis])
        part = block[(*head, slice(start * cell[axis], stop * cell[axis]))]
        out[(*head, slice(start, stop))] = _round(_cell_sums(part, cell), math.prod(cell), block.dtype)


def _cell_sums(block: Block, cell: Shape) -> list[Block]:
    """Return the sums of all cells as [sum], or for 64-bit integers as [quotients, remainders].

    The first axis is summed first: it adds whole planes, which numpy does fastest.
    """
    count = math.prod(cell)
    if block.dtype.kind in "iu" and block.dtype.itemsize == 8:
        return [_add_cells(block // count, cell), _add_cells(block % count, cell)]
    return [_add_cells(block, cell, _sum_type(block, count))]


def _add_cells(block: Block, cell: Shape, dtype: np.dtype[np.generic] | None = None) -> Block:
    sums = block
    for axis, length in enumerate(cell):
        if length == 1:
            continue
        picks = [sums[(slice(None),) * axis + (slice(start, None, length),)] for start in range(length)]
        total = np.add(picks[0], picks[1], dtype=dtype)
        for pick in picks[2:]:
            np.add(total, pick, out=total)
        sums = total
    return sums


def _sum_type(block: Block, count: int) -> np.dtype[np.generic]:
    """Return a type that holds the sum of `count` of the values exactly (floats: precisely enough).

    Unsigned ones need no more than their largest asks for, and room to round: what a camera makes with 12 of
    16 bits is summed in 16, in about two thirds of the time.
    """
    dtype = block.dtype
    if dtype.kind == "u":
        return np.promote_types(dtype, np.min_scalar_type((int(block.max()) + 1) * count))
    if dtype.kind == "f":
        return np.dtype(np.float32 if dtype.itemsize == 2 else np.float64)
    if dtype.kind == "b":
        return np.dtype(np.uint32)
    return np.dtype(np.int32 if dtype.itemsize <= 2 and count <= 2**15 else np.int64)


def _round(sums: list[Block], count: int, dtype: np.dtype[np.generic]) -> Block:
    if count == 1:
        return sums[0].astype(dtype, copy=False)
    if dtype.kind == "f":
        return np.true_divide(sums[0], count).astype(dtype)
    if len(sums) == 2:  # 64-bit integers: the sum of the quotients, and the mean of the remainders
        quotients, remainders = sums
        extra, rest = np.divmod(remainders, count)
        return _to_even(np.add(quotients, extra), rest, count).astype(dtype)
    if count & (count - 1) == 0:
        return _shift_to_even(sums[0], count.bit_length() - 1).astype(dtype, copy=False)
    mean, rest = np.divmod(sums[0], count)
    return _to_even(mean, rest, count).astype(dtype, copy=False)


def _to_even(mean: Block, rest: Block, count: int) -> Block:
    """Return `mean` plus 1 where `rest` is more than half of `count`, or half and `mean` odd."""
    twice = np.multiply(rest, 2)
    up = (twice > count) | ((twice == count) & np.equal(np.bitwise_and(mean, 1), 1))
    result: Block = np.add(mean, up.astype(mean.dtype))
    return result


def _shift_to_even(total: Block, shift: int) -> Block:
    """Return `total / 2**shift` rounded, ties to even: add half, less one where the result would be even."""
    result: Block = np.right_shift(total, shift)
    np.bitwise_and(result, 1, out=result)
    np.add(result, 2 ** (shift - 1) - 1, out=result)
    np.add(result, total, out=result)
    np.right_shift(result, shift, out=result)
    return result
