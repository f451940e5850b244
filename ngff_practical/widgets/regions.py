"""Regions as people give them: typed, dragged over a plane, moved by keys; always inside the image."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from ngff_practical.errors import PlanError
from ngff_practical.model import Shape
from ngff_practical.widgets.counting import counted

type Region = tuple[slice, ...]

_PART = re.compile(r"(-?\d*)\s*(:?)\s*(-?\d*)")


def parse_region(text: str, axes: Sequence[str], shape: Shape) -> Region:
    """Return the region that a text as in numpy names: "0, 118, 0:100, :", one part for each axis.

    Raises
    ------
    PlanError
        A part is missing, no range, or empty.
    """
    parts = [part.strip() for part in text.strip().strip("[]()").split(",")]
    if len(parts) != len(shape):
        raise PlanError(
            f"the region {text.strip()!r} has {counted(len(parts), 'part')}, "
            f"the image has {len(shape)} axes: {', '.join(axes)}; "
            f"write one for each, as in {region_text(middle(shape))}"
        )
    return tuple(_part(part, name, size) for part, name, size in zip(parts, axes, shape, strict=True))


def region_text(region: Region) -> str:
    """Return a region as numpy writes it: "0, 118, 0:100, 64:192"."""
    return ", ".join(
        f"{part.start}" if part.stop - part.start == 1 else f"{part.start}:{part.stop}" for part in region
    )


def middle(shape: Shape) -> Region:
    """Return the middle quarter of the last two axes, in the middle of the one before them."""
    region = []
    for axis, size in enumerate(shape):
        from_end = len(shape) - axis
        if from_end <= 2:
            start = size * 3 // 8
            region.append(slice(start, max(start + 1, size * 5 // 8)))
        else:
            start = size // 2 if from_end == 3 else 0
            region.append(slice(start, start + 1))
    return tuple(region)


def dragged(
    region: Region, shape: Shape, plane: tuple[int, int], begin: tuple[float, float], end: tuple[float, float]
) -> Region:
    """Return the region with the plane's two axes set to a rectangle, in shares of the plane (0 to 1)."""
    made = list(region)
    for axis, one, other in zip(plane, begin, end, strict=True):
        low, high = sorted((min(max(one, 0.0), 1.0), min(max(other, 0.0), 1.0)))
        start = min(math.floor(low * shape[axis]), shape[axis] - 1)
        made[axis] = slice(start, max(start + 1, math.ceil(high * shape[axis])))
    return tuple(made)


def moved(region: Region, shape: Shape, by: Mapping[int, int], *, grow: bool = False) -> Region:
    """Return the region moved along axes (or with its far end moved), as far as the image goes."""
    made = list(region)
    for axis, step in by.items():
        start, stop, size = made[axis].start, made[axis].stop, shape[axis]
        if grow:
            made[axis] = slice(start, min(max(stop + step, start + 1), size))
        else:
            shift = min(max(step, -start), size - stop)
            made[axis] = slice(start + shift, stop + shift)
    return tuple(made)


def on_level(region: Region, full: Shape, shape: Shape) -> Region:
    """Return the voxels of a coarser level that a region of the full resolution covers."""
    made = []
    for part, whole, size in zip(region, full, shape, strict=True):
        start = min(part.start * size // whole, size - 1)
        made.append(slice(start, min(max(start + 1, -(-part.stop * size // whole)), size)))
    return tuple(made)


def _part(text: str, axis: str, size: int) -> slice:
    match = _PART.fullmatch(text)
    if match is None or not (match[1] or match[2]):
        raise PlanError(f"{text!r} is no range of {axis}; write 5, 0:10 or : (all {size} voxels)")
    if not match[2]:
        start = int(match[1]) + (size if match[1].startswith("-") else 0)
        stop = start + 1
    else:
        start, stop, _ = slice(
            int(match[1]) if match[1] else None, int(match[3]) if match[3] else None
        ).indices(size)
    if not 0 <= start < stop <= size:
        raise PlanError(f"{text!r} holds no voxel of {axis}, which has {size}; write 0:{size} for all")
    return slice(start, stop)
