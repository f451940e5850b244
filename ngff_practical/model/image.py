"""An image as levels of chunks: the same values for a plan and for one that is stored."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

type Shape = tuple[int, ...]
type Vector = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of an image; `type` is "time", "channel" or "space" where the file says so."""

    name: str
    type: str | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel as `omero` metadata describes it: `color` is six hex digits, without "#"."""

    label: str
    color: str | None = None
    window: tuple[float, float, float, float] | None = None  # min, max, start, end


class StoredGrid:
    """The grid of stored objects that an array's shape, chunks and shards make."""

    __slots__ = ()

    shape: Shape
    chunks: Shape
    shards: Shape | None

    @property
    def object_shape(self) -> Shape:
        """Shape of the region one stored object holds: the shard where there is one, else the chunk."""
        return self.shards or self.chunks

    @property
    def object_grid(self) -> Shape:
        """Number of stored objects along each axis."""
        return tuple(-(-size // step) for size, step in zip(self.shape, self.object_shape, strict=True))

    @property
    def objects(self) -> int:
        """Number of chunk (or shard) objects of the fully written array, metadata not counted."""
        return math.prod(self.object_grid)


@dataclass(frozen=True, slots=True)
class Level(StoredGrid):
    """One resolution of a pyramid; every tuple runs in axis order.

    `scale` and `translation` are physical: the centre of voxel `i` lies at `i * scale + translation`.
    `dtype` is numpy's name ("uint16"). `shards` is None where every chunk is an object of its own.
    """

    path: str
    shape: Shape
    dtype: str
    chunks: Shape
    scale: Vector
    translation: Vector | None = None
    shards: Shape | None = None
    itemsize: int = 1

    @property
    def nbytes(self) -> int:
        """Size of the pixels before compression."""
        return math.prod(self.shape) * self.itemsize


@dataclass(frozen=True, slots=True)
class Pyramid:
    """A multiscale image: the same type for a plan and for an image found on disk or S3.

    `levels[0]` is full resolution. `codec` and `downsampling` say how a plan is to be written and are
    None for an image found, whose files do not state them uniformly.
    """

    name: str
    version: str
    axes: tuple[Axis, ...]
    levels: tuple[Level, ...]
    channels: tuple[Channel, ...] = ()
    labels: tuple[str, ...] = ()
    codec: str | None = None
    downsampling: str | None = None

    def _repr_html_(self) -> str:
        from ngff_practical.model.html import pyramid_html

        return pyramid_html(self)

    @property
    def axis_names(self) -> tuple[str, ...]:
        """Axis names in order, as in ("c", "z", "y", "x")."""
        return tuple(axis.name for axis in self.axes)

    @property
    def shape(self) -> Shape:
        """Shape of the full resolution."""
        return self.levels[0].shape

    @property
    def dtype(self) -> str:
        """Data type of the full resolution."""
        return self.levels[0].dtype

    @property
    def zarr_format(self) -> Literal[2, 3]:
        """Zarr format the version is stored in."""
        return zarr_format_of(self.version)

    @property
    def objects(self) -> int:
        """Number of objects of the written image, metadata documents included."""
        per_node = 1 if self.zarr_format == 3 else 2  # zarr.json | .zgroup or .zarray, and .zattrs
        return sum(level.objects for level in self.levels) + per_node * (1 + len(self.levels))

    @property
    def nbytes(self) -> int:
        """Size of all levels before compression."""
        return sum(level.nbytes for level in self.levels)


def zarr_format_of(version: str) -> Literal[2, 3]:
    """Return the Zarr format of a version: 2 up to OME-Zarr 0.4, 3 from 0.5 on (0.5, storage format)."""
    return 2 if version.startswith(("0.1", "0.2", "0.3", "0.4")) else 3


def axis_type(name: str) -> str | None:
    """Return the type OME-Zarr gives an axis of this name, None for names it has no type for."""
    return {"t": "time", "c": "channel", "z": "space", "y": "space", "x": "space"}.get(name)


def spatial(axes: Sequence[Axis]) -> tuple[int, ...]:
    """Return the indices of the axes of type space."""
    return tuple(index for index, axis in enumerate(axes) if axis.type == "space")
