"""Voxels of a stored image for pictures: levels opened once, read by region, and made grey."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import zarr
from zarr.core.metadata import ArrayV2Metadata, ArrayV3Metadata

from ngff_practical.errors import StorageError
from ngff_practical.inspection import UNDECODABLE
from ngff_practical.meter import Recorder
from ngff_practical.model import Axis, Place, Pyramid, spatial
from ngff_practical.model.wording import shape_text
from ngff_practical.storage import zarr_store
from ngff_practical.widgets.regions import Region

type Grey = npt.NDArray[np.uint8]
type _Array = zarr.Array[ArrayV2Metadata | ArrayV3Metadata]
type Voxels = npt.NDArray[np.generic]


class Levels:
    """The arrays of an image, each opened when it is first read; several threads may read at a time."""

    def __init__(self, place: Place, pyramid: Pyramid, *, recorder: Recorder | None = None) -> None:
        self.pyramid = pyramid
        self._store = zarr_store(place, recorder=recorder)
        self._arrays: dict[int, _Array] = {}
        self._lock = threading.Lock()

    def read(self, level: int, region: Region) -> Voxels:
        """Return the voxels of a region of a level.

        Raises
        ------
        StorageError
            They cannot be read.
        """
        path = self.pyramid.levels[level].path
        try:
            values = np.asarray(self._array(level)[region])
        except StorageError:
            raise
        except UNDECODABLE as error:
            raise StorageError(
                f"level {path} of {self.pyramid.name} cannot be read ({error}); validate it with --data"
            ) from None
        if values.dtype.kind not in "biuf":
            raise StorageError(
                f"level {path} of {self.pyramid.name} holds {values.dtype}; only numbers can be shown as grey"
            )
        return values

    def middle_plane(self, level: int) -> Voxels:
        """Return a plane (rows, columns) of a level: the middle of its space, at the first time and channel.

        Raises
        ------
        StorageError
            There is none, or it cannot be read.
        """
        axes, sizes = self.pyramid.axes, self.pyramid.levels[level].shape
        if len(sizes) < 2 or 0 in sizes:
            raise StorageError(f"{self.pyramid.name} has no plane: it is {shape_text(sizes)}")
        row, column = plane_axes(axes)
        region = [
            slice(size // 2, size // 2 + 1) if axis.type == "space" else slice(0, 1)
            for axis, size in zip(axes, sizes, strict=True)
        ]
        region[row], region[column] = slice(0, sizes[row]), slice(0, sizes[column])
        return self.read(level, tuple(region)).reshape(sizes[row], sizes[column])

    def _array(self, level: int) -> _Array:
        with self._lock:
            if level not in self._arrays:
                path = self.pyramid.levels[level].path
                self._arrays[level] = zarr.open_array(
                    self._store, path=path, mode="r", zarr_format=self.pyramid.zarr_format
                )
            return self._arrays[level]


def plane_axes(axes: Sequence[Axis]) -> tuple[int, int]:
    """Return the axes whose plane is looked at, rows before columns: the last two of space, else of all."""
    space = spatial(axes)
    row, column = space[-2:] if len(space) >= 2 else (len(axes) - 2, len(axes) - 1)
    return row, column


def contrast(values: Voxels) -> tuple[float, float]:
    """Return the values to show as black and as white: 1 and 99.8 of 100 lie above and below.

    Where hardly anything is there, as in an image of a few bright points, white is the brightest.
    """
    finite = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    if finite.size == 0:
        return 0.0, 1.0
    low, high = (float(value) for value in np.percentile(finite.astype(np.float64), (1, 99.8)))
    if high <= low:
        high = float(finite.max())
    return (low, high) if high > low else (low, low + 1.0)


def grey(values: Voxels, low: float, high: float) -> Grey:
    """Return values as 0 to 255, `low` and below as 0, `high` and above as 255; what is no number is 0."""
    share = 255 / (high - low if high > low else 1.0)
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = (
            (values.astype(np.float64) - low) * share
            if values.dtype.itemsize > 2
            else (values.astype(np.float32) - np.float32(low)) * np.float32(share)
        )
    made: Grey = np.nan_to_num(np.clip(scaled, 0, 255), nan=0.0).astype(np.uint8)
    return made
