"""The same plane of several arrays: where it lies in each, and what is said of how they differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ngff_practical.errors import PlanError, StorageError
from ngff_practical.widgets.pixels import Grey, Voxels, contrast, grey

AXES = "tczyx"
_MOST_SIDE = 512  # pixels of a picture's longer side


class Stored(Protocol):
    """An array to read planes from: numpy's, zarr's, h5py's."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes in axis order; the last two are y and x."""

    def __getitem__(self, index: tuple[int, ...], /) -> object:
        """Return the plane at an index of the axes before y and x."""


@dataclass(frozen=True, slots=True)
class Plane:
    """A plane of one array: its name, its picture, and a sentence."""

    name: str
    said: str
    picture: Grey


def leading(arrays: Mapping[str, Stored]) -> tuple[tuple[str, int], ...]:
    """Return the axes before y and x with their sizes, as the first array has them.

    Raises
    ------
    PlanError
        There is no array, one has no planes, or they differ in their number of axes.
    """
    counts = {name: len(array.shape) for name, array in arrays.items()}
    if not counts or len(set(counts.values())) > 1 or not 2 <= min(counts.values()) <= len(AXES):
        told = ", ".join(f"{name} has {count} axes" for name, count in counts.items()) or "none was given"
        raise PlanError(f"arrays of 2 to {len(AXES)} axes, as many in each, can be compared; {told}")
    first = next(iter(arrays.values()))
    return tuple(zip(AXES[-len(first.shape) :], first.shape[:-2], strict=False))


def planes(arrays: Mapping[str, Stored], at: tuple[int, ...]) -> tuple[Plane, ...]:
    """Return a plane of each array; `at` is where it lies in the first, and others may be coarser.

    Raises
    ------
    StorageError
        An array cannot be read.
    """
    first = next(iter(arrays.values()))
    read: dict[str, Voxels] = {}
    for name, array in arrays.items():
        sizes = zip(at, array.shape[:-2], first.shape[:-2], strict=True)
        place = tuple(min(index * size // max(whole, 1), size - 1) for index, size, whole in sizes)
        try:
            read[name] = np.asarray(array[place])
        except (OSError, ValueError, RuntimeError, TypeError) as error:
            raise StorageError(f"{name} cannot be read ({error}); validate it with --data") from None
    before = next(iter(read.values()))
    limits = contrast(before)
    return tuple(
        Plane(name, _said(values, None if values is before else before), grey(_small(values), *limits))
        for name, values in read.items()
    )


def _said(values: Voxels, before: Voxels | None) -> str:
    size = f"{values.shape[0]} x {values.shape[1]} voxels"
    if before is None:
        return size
    if values.shape == before.shape:
        unlike = (values != before) & ((values == values) | (before == before))  # no number is like no number
        differing = int(np.count_nonzero(unlike))
        if not differing:
            return f"{size}, the same in every one"
        return f"{size}, another value in {differing:,} of {values.size:,}"
    return f"{size}, their mean {_mean(values)} against {_mean(before)}"


def _mean(values: Voxels) -> str:
    return f"{float(values.astype(np.float64).mean()):.4g}"


def _small(values: Voxels) -> Voxels:
    step = -(-max(values.shape) // _MOST_SIDE)
    return values[::step, ::step]
