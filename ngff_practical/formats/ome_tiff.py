"""The way back: an OME-Zarr image as OME-TIFF, one file for programs that know no Zarr."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.core.metadata import ArrayV2Metadata, ArrayV3Metadata

from ngff_practical.errors import ExistsError, MetadataError, NotFoundError, StorageError
from ngff_practical.inspection import describe_image
from ngff_practical.model import Level, Place, Pyramid
from ngff_practical.storage import parse_place, zarr_store

type Pixels = NDArray[np.generic]
type Array = zarr.Array[ArrayV2Metadata] | zarr.Array[ArrayV3Metadata]

MEMORY = 256 * 2**20
"""Bytes of planes that are held at a time: a chunk of many planes is decoded once, not for each of them."""

_TILE = 256
_DTYPES = ("int8", "int16", "int32", "uint8", "uint16", "uint32", "float32", "float64")
_UNITS = {
    "angstrom": "Å",
    "centimeter": "cm",
    "meter": "m",
    "micrometer": "µm",
    "millimeter": "mm",
    "nanometer": "nm",
    "picometer": "pm",
    "microsecond": "µs",
    "millisecond": "ms",
    "minute": "min",
    "second": "s",
}


def to_ome_tiff(
    image: str | Place, path: str | Path, *, level: int = 0, pyramid: bool = True, overwrite: bool = False
) -> Path:
    """Write an OME-Zarr image, local or on S3, as one tiled OME-TIFF, and return its path.

    Pixels, axes, voxel size with its unit and the names of channels go over; translations and labels do not.
    Planes are streamed. The file appears when it is complete.

    Parameters
    ----------
    level
        The level that becomes the full resolution.
    pyramid
        Write coarser levels, too. OME-TIFF keeps them below each plane (as SubIFDs), so only those have a
        place in it that have as many planes.

    Raises
    ------
    NotFoundError
        The image has no such level.
    ExistsError
        The path exists, and nothing said that it may be replaced.
    MetadataError
        The image has axes, or a data type, that OME-TIFF does not know.
    """
    place = parse_place(image) if isinstance(image, str) else image
    target = Path(path)
    if target.exists() and not overwrite:
        raise ExistsError(f"{target} exists already; choose another name, or replace it with overwrite=True")
    found = describe_image(place)
    levels = _levels(found, level, pyramid)
    _check(found, place)
    group = zarr.open_group(zarr_store(place), mode="r")
    part = target.with_name(f".{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _write(part, group, found, levels)
        part.replace(target)
    except OSError as error:
        if isinstance(error, StorageError):
            raise
        raise StorageError(f"{target} cannot be written ({error.strerror or error})") from error
    finally:
        part.unlink(missing_ok=True)
    return target


def _levels(image: Pyramid, first: int, pyramid: bool) -> tuple[Level, ...]:
    if not 0 <= first < len(image.levels):
        raise NotFoundError(f"there is no level {first}; the image has levels 0 to {len(image.levels) - 1}")
    full, *coarser = image.levels[first:]
    planes = full.shape[:-2]
    return (full, *(level for level in coarser if pyramid and level.shape[:-2] == planes))


def _check(image: Pyramid, place: Place) -> None:
    names = image.axis_names
    if names[-2:] != ("y", "x") or not set(names) <= set("tczyx"):
        raise MetadataError(
            f"{place} has the axes {', '.join(names)}; OME-TIFF knows t, c, z, y, x, with y and x last"
        )
    if np.dtype(image.dtype).name not in _DTYPES:
        raise MetadataError(f"{place} holds {image.dtype}; OME-TIFF can hold {', '.join(_DTYPES)}")


def _write(path: Path, group: zarr.Group, image: Pyramid, levels: tuple[Level, ...]) -> None:
    import tifffile

    full = levels[0]
    with tifffile.TiffWriter(path, ome=True, bigtiff=True) as file:
        for number, level in enumerate(levels):
            file.write(
                _tiles(_array(group, level.path), level),
                shape=level.shape,
                dtype=np.dtype(level.dtype),
                tile=(_TILE, _TILE),
                compression="zlib",
                photometric="minisblack",
                subifds=len(levels) - 1 if number == 0 else None,
                subfiletype=1 if number else 0,
                metadata=_notes(image, full) if number == 0 else None,
            )


def _array(group: zarr.Group, path: str) -> Array:
    array = group[path]
    if not isinstance(array, zarr.Array):
        raise MetadataError(f"{path} is no array, so there are no pixels to write")
    return array


def _notes(image: Pyramid, level: Level) -> dict[str, object]:
    """Return what the OME-XML states, as tifffile takes it."""
    notes: dict[str, object] = {"Name": image.name, "axes": "".join(image.axis_names).upper()}
    for axis, size in zip(image.axes, level.scale, strict=True):
        unit = _UNITS.get(axis.unit or "")
        if axis.name == "c" or unit is None:  # OME-XML takes a size without a unit for micrometres
            continue
        key = "TimeIncrement" if axis.name == "t" else f"PhysicalSize{axis.name.upper()}"
        notes |= {key: size, f"{key}Unit": unit}
    if image.channels:
        notes["Channel"] = {"Name": [channel.label for channel in image.channels]}
    return notes


def _tiles(array: Array, level: Level) -> Iterator[Pixels]:
    """Yield every tile in the order of the file: plane by plane, row by row."""
    for plane in _planes(array, level):
        for y in range(0, plane.shape[0], _TILE):
            for x in range(0, plane.shape[1], _TILE):
                yield plane[y : y + _TILE, x : x + _TILE]


def _planes(array: Array, level: Level) -> Iterator[Pixels]:
    """Yield every plane in order, reading as many at once as a chunk holds and memory allows."""
    *outer, height, width = level.shape
    if not outer:
        yield np.asarray(array[...])
        return
    allowed = MEMORY // max(1, height * width * level.itemsize)
    depth = max(1, min(level.object_shape[len(outer) - 1], allowed))
    for index in np.ndindex(*outer[:-1]):
        for start in range(0, outer[-1], depth):
            yield from np.asarray(array[(*index, slice(start, start + depth))])
