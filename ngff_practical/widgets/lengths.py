"""Lengths of image axes in one unit, whatever units the file states."""

from __future__ import annotations

from ngff_practical.model import Level, Pyramid

METRES = {
    "angstrom": 1e-10,
    "nanometer": 1e-9,
    "micrometer": 1e-6,
    "millimeter": 1e-3,
    "centimeter": 1e-2,
    "meter": 1.0,
}


def cell_size(pyramid: Pyramid, level: Level) -> tuple[float, str] | None:
    """Return how large a voxel of a level is in space, and in which unit; None where that is not stated.

    Cubic micrometres, or square ones for an image without z.
    """
    space = [axis for axis, one in enumerate(pyramid.axes) if one.name in ("z", "y", "x")]
    size = 1.0
    for axis in space:
        metres = METRES.get(pyramid.axes[axis].unit or "")
        if metres is None or not level.scale[axis] > 0:
            return None
        size *= level.scale[axis] * metres * 1e6
    return size, "µm³" if len(space) == 3 else "µm²"
