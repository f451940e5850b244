"""A TIFF stack, described but not read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ngff_practical.model.image import Axis, Channel, Shape, Vector
from ngff_practical.model.place import Place


@dataclass(frozen=True, slots=True)
class Plane:
    """Where one (y, x) plane of a stack lives.

    `offset` is set where the plane's pixels lie uncompressed and in one piece in the file, so that rows can
    be read without decoding the page; `sample` is the index into the samples of an RGB page, `layer` that
    into the planes of a page that holds several (tiles with a depth, or colours behind one directory).
    """

    file: int
    page: int
    sample: int | None = None
    offset: int | None = None
    layer: int = 0


@dataclass(frozen=True, slots=True)
class StackSource:
    """A TIFF stack, described but not read.

    `axes`, `shape` and `voxel_size` run in the order t, c, z, y, x (absent axes left out); `planes` lists
    the (y, x) planes in C order over the other axes. `voxel_size` is 1.0 along every axis nobody has
    calibrated, and such an axis has no unit. `byteorder` is that of the pixels in the files, "<" or ">".
    `versions` tells each remote file from one that replaces it; empty where all files are local.
    `notes` are sentences about what was assumed, ignored or left out; show them to the person.
    """

    name: str
    axes: tuple[Axis, ...]
    shape: Shape
    dtype: str
    itemsize: int
    voxel_size: Vector
    files: tuple[Place, ...] = field(repr=False)
    planes: tuple[Plane, ...] = field(repr=False)
    byteorder: Literal["<", ">"] = "<"
    channels: tuple[Channel, ...] = ()
    notes: tuple[str, ...] = ()
    versions: tuple[str, ...] = field(default=(), repr=False)

    def _repr_html_(self) -> str:
        from ngff_practical.model.html import stack_html

        return stack_html(self)

    @property
    def axis_names(self) -> tuple[str, ...]:
        """Axis names in order, as in ("z", "y", "x")."""
        return tuple(axis.name for axis in self.axes)

    @property
    def plane_shape(self) -> Shape:
        """Shape (y, x) of one plane."""
        return self.shape[-2:]
