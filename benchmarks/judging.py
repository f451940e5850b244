"""Judge an image that some program wrote, from its bytes and the planes it was made of; trusts nobody.

It reads with zarr and calculates with whole numbers of its own: nothing of ngff_practical is used here.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile
import zarr

BLOCK_VOXELS = 2**25


@dataclass(frozen=True)
class Verdict:
    """What is true of an image; each text begins with "yes" or "no"."""

    objects: int
    exact: str
    means: str
    translation: str
    layout: str


def judge(
    image: Path, planes: Path, chunks: Sequence[int], levels: int, *, depth: int | None = None
) -> Verdict:
    """Return what is true of an image; with `depth`, of so many planes at its start and at its end."""
    objects = sum(path.is_file() for path in image.rglob("*"))
    group = zarr.open_group(image, mode="r")
    attributes = group.attrs.asdict()
    multiscale = attributes.get("ome", attributes)["multiscales"][0]
    datasets = multiscale["datasets"]
    arrays = [group[dataset["path"]] for dataset in datasets]
    steps = [_steps(dataset, len(array.shape)) for dataset, array in zip(datasets, arrays, strict=True)]
    return Verdict(
        objects=objects,
        exact=judge_level_0(arrays[0], sorted(planes.glob("*.tif")), depth),
        means=judge_means(list(zip(arrays, steps, strict=True)), depth),
        translation=judge_translation(steps),
        layout=judge_layout(arrays, chunks, levels),
    )


def judge_level_0(array: zarr.Array, files: Sequence[Path], depth: int | None = None) -> str:
    """Compare the finest level with the planes themselves."""
    height, width = tifffile.imread(files[0]).shape
    if array.shape[-3:] != (len(files), height, width) or array.size != len(files) * height * width:
        return f"no: its shape is {array.shape}, the stack's {(len(files), height, width)}"
    step = array.chunks[-3]
    for start in range(0, len(files), step):
        if depth and depth <= start < len(files) - depth:
            continue
        truth = np.stack([tifffile.imread(file) for file in files[start : start + step]])
        for top in range(0, height, 512):
            stored = array[..., start : start + step, top : top + 512, :].reshape(len(truth), -1, width)
            if not np.array_equal(stored, truth[:, top : top + 512]):
                return f"no: pixels differ in planes {start} to {start + len(truth)}"
    return "yes"


def judge_means(levels: Sequence[tuple], depth: int | None = None) -> str:
    """Compare each level with the exact means of the one below it, and name the way they were rounded.

    A program that takes every level from the finest one is right as well, and told so.
    """
    found = _compare(list(itertools.pairwise(levels)), depth)
    if found.startswith("no: off"):
        direct = _compare([(levels[0], level) for level in levels[1:]], depth)
        if direct.startswith("yes"):
            return f"{direct}, all from level 0"
    return found


def _compare(pairs: Sequence[tuple], depth: int | None) -> str:
    if not pairs:
        return "no: there is one level only"
    even = up = truncated = True
    worst = excess = 0.0
    for number, ((fine, fine_steps), (coarse, coarse_steps)) in enumerate(pairs, 1):
        factors = [round(b / a) for a, b in zip(fine_steps[0], coarse_steps[0], strict=True)]
        right = tuple(-(-size // factor) for size, factor in zip(fine.shape, factors, strict=True))
        if coarse.shape != right:
            return f"no: level {number} is {coarse.shape}, of {fine.shape} by {tuple(factors)}"
        differences, voxels = 0.0, 0
        for fine_box, coarse_box in _boxes(fine.shape, coarse, factors, depth):
            sums, counts = cell_sums(fine[fine_box], factors)
            stored = coarse[coarse_box]
            floor, rest = np.divmod(sums, counts)
            tie, above = 2 * rest == counts, 2 * rest > counts
            if even and np.array_equal(stored, floor + (above | (tie & (floor & 1 == 1)))):
                continue  # the other ways of rounding only matter where this one was not taken
            even = False
            up &= np.array_equal(stored, floor + (above | tie))
            truncated &= np.array_equal(stored, floor)
            away = stored - sums / counts
            worst = max(worst, float(np.abs(away).max()))
            differences += float(away.sum())
            voxels += away.size
        excess += differences / max(1, voxels)
    if even:
        return "yes, ties to even"
    if truncated:
        return f"no: truncated ({excess:+.2f} over all levels)"
    if up:
        return f"yes, but ties up ({excess:+.2f} over all levels)"
    if worst <= 0.5:
        return f"yes, ties not to even ({excess:+.2f} over all levels)"
    return f"no: off by up to {worst:.1f} ({excess:+.2f} over all levels)"


def judge_translation(steps: Sequence[tuple[list[float], list[float] | None]]) -> str:
    """Check that each level says where the centre of its first voxel lies: amid the voxels it stands for."""
    (finest, start), *coarser = steps
    start = start or [0.0] * len(finest)
    if not coarser:
        return "no: there is one level only"
    for number, (scale, translation) in enumerate(coarser, 1):
        right = [t + (s - f) / 2 for t, s, f in zip(start, scale, finest, strict=True)]
        if translation is None:
            return "no: missing"
        if not np.allclose(translation, right):
            return f"no: level {number} says {translation}, not {right}"
    return "yes"


def judge_layout(arrays: Sequence[zarr.Array], chunks: Sequence[int], levels: int) -> str:
    """Check levels, chunks and codec against what was asked for."""
    wrong = []
    if len(arrays) != levels:
        wrong.append(f"{len(arrays)} levels")
    for number, array in enumerate(arrays):
        asked = tuple(chunks)
        clipped = tuple(min(pair) for pair in zip(asked, array.shape[-3:], strict=True))
        if array.chunks[-3:] not in (asked, clipped):
            wrong.append(f"level {number} in chunks {array.chunks}")
    codec = str(arrays[0].compressors)
    if not all(part in codec for part in ("zstd", "clevel=3", "shuffle='shuffle'")):
        wrong.append("another codec")
    return "no: " + "; ".join(wrong) if wrong else "yes"


def cell_sums(block: np.ndarray, factors: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Return the exact sum of each cell, and how many voxels it holds (fewer at an odd edge)."""
    sums = block.astype("uint32" if block.dtype == "uint16" else "int64")
    counts = np.ones((1,) * block.ndim, sums.dtype)
    for axis, factor in enumerate(factors):
        size = block.shape[axis]
        ahead = (slice(None),) * axis
        whole, rest = divmod(size, factor)
        total = sums[(*ahead, slice(0, whole * factor, factor))].copy()
        for start in range(1, factor):
            total += sums[(*ahead, slice(start, whole * factor, factor))]
        if rest:
            edge = sums[(*ahead, slice(whole * factor, size))].sum(axis, keepdims=True, dtype=sums.dtype)
            total = np.concatenate([total, edge], axis)
        sums = total
        held = np.array([factor] * whole + [rest] * bool(rest), sums.dtype)
        counts = counts * held.reshape([-1 if index == axis else 1 for index in range(block.ndim)])
    return sums, counts


def _steps(dataset: dict, ndim: int) -> tuple[list[float], list[float] | None]:
    told = {one["type"]: one[one["type"]] for one in dataset["coordinateTransformations"]}
    return told.get("scale", [1.0] * ndim), told.get("translation")


def _boxes(shape: tuple, coarse: zarr.Array, factors: Sequence[int], depth: int | None) -> Iterator[tuple]:
    """Tile a level and the coarser one together, in boxes of whole chunks that fit in memory."""
    step = [min(chunk, size) for chunk, size in zip(coarse.chunks, coarse.shape, strict=True)]
    while max(step) > 1 and np.prod([s * f for s, f in zip(step, factors, strict=True)]) > 2 * BLOCK_VOXELS:
        longest = int(np.argmax(step))
        step[longest] = -(-step[longest] // 2)
    while np.prod([s * f for s, f in zip(step, factors, strict=True)]) < BLOCK_VOXELS:
        axis = next((a for a in reversed(range(len(step))) if step[a] < coarse.shape[a]), None)
        if axis is None:
            break
        step[axis] *= 2
    for corner in itertools.product(*(range(0, size, s) for size, s in zip(coarse.shape, step, strict=True))):
        if depth and depth <= corner[-3] * factors[-3] < shape[-3] - depth:
            continue
        yield (
            tuple(slice(c * f, (c + s) * f) for c, s, f in zip(corner, step, factors, strict=True)),
            tuple(slice(c, c + s) for c, s in zip(corner, step, strict=True)),
        )
