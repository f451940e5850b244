"""Which segments of a byte map hold a plane: what counts planes in their labels, and how many one holds."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import zarr

from ngff_practical.errors import StorageError

DAMAGED = (OSError, ValueError, LookupError, TypeError, RuntimeError, ArithmeticError)
"""What readers raise over files that are cut short or contradict themselves."""


@dataclass(frozen=True, slots=True)
class PlaneOrder:
    """How the first axis is stored: `position` of its number in a label, `depth` planes in each segment.

    `planes` is the length of the axis, 0 where only the labels say it.
    """

    position: int = 0
    depth: int = 1
    planes: int = 0


def plane_order(path: str | Path) -> PlaneOrder:
    """Return how planes are laid out in what `byte_map` takes.

    Raises
    ------
    StorageError
        It is damaged.
    """
    place = Path(path)
    try:
        return _order(place)
    except DAMAGED as error:
        raise StorageError(f"{place} does not say how its planes lie ({error}); it is damaged") from None


def _order(place: Path) -> PlaneOrder:
    if place.is_file():
        return _of_hdf5(place) if place.suffix.lower() in {".h5", ".hdf5"} else PlaneOrder()
    if (place / "attributes.json").is_file() and not (place / "zarr.json").is_file():
        said = json.loads((place / "attributes.json").read_text(encoding="utf-8"))
        return PlaneOrder(len(said["blockSize"]) - 1, said["blockSize"][-1], said["dimensions"][-1])
    array = zarr.open_array(place, mode="r")
    return PlaneOrder(0, array.chunks[0], array.shape[0])


def _of_hdf5(path: Path) -> PlaneOrder:
    import h5py

    with h5py.File(path, "r") as file:
        names: list[str] = []
        file.visit(names.append)
        found = [file[name] for name in names]
        for dataset in found:
            if isinstance(dataset, h5py.Dataset) and dataset.shape:
                return PlaneOrder(0, dataset.chunks[0] if dataset.chunks else 1, dataset.shape[0])
    return PlaneOrder()
