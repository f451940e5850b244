"""Rules about the arrays behind the levels: they are there, get smaller, and agree with the metadata."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

from ngff_practical.metadata.arrays import ArrayInfo
from ngff_practical.metadata.paths import path_fault
from ngff_practical.metadata.subject import Rule, Subject
from ngff_practical.metadata.wording import listed, number, plural, quoted
from ngff_practical.model import Issue
from ngff_practical.model.wording import shape_text

_PLACED = ("coordinateTransformations", "path")  # what a scale is compared by


def safe_paths(image: Subject) -> Iterator[Issue]:
    """Demand paths relative to the group, one array for each level (0.5, multiscales metadata)."""
    for found in image.multiscales:
        first_at: dict[str, int] = {}
        again: list[tuple[str, str]] = []
        for index, dataset in enumerate(found.datasets):
            path = dataset.path
            if path is None:
                continue
            spot, fault = image.spot("multiscales metadata", f"{dataset.where}.path"), path_fault(path)
            if fault:
                yield spot.must(f"the path {quoted(path)} {fault}")
            elif path in first_at:
                message = f"levels {first_at[path]} and {index} are the same array {quoted(path)}"
                again.append((spot.where, message))
            first_at.setdefault(path, index)
        if again:
            where, message = again[0]
            yield image.spot("multiscales metadata", where).must(f"{message}{_likewise(again)}")


def number_of_dimensions(image: Subject) -> Iterator[Issue]:
    """Demand as many dimensions as there are axes (0.5, axes metadata)."""
    for found in image.multiscales:
        count = len(found.axes or ())
        levels = list(image.levels(found)) if 2 <= count <= 5 else []
        other = [(where, len(array.shape)) for where, array in levels if len(array.shape) != count]
        if other:
            where, number_there = other[0]
            message = f"the array has {number_there} dimensions, but the image has {count} axes"
            yield image.spot("axes metadata", f"{where}.path").must(f"{message}{_likewise(other)}")


def shrinking_levels(image: Subject) -> Iterator[Issue]:
    """Demand levels from largest to smallest (0.5, multiscales metadata); the first that is not is named."""
    for found in image.multiscales:
        for (_, before), (where, after) in pairwise(image.levels(found)):
            spot = image.spot("multiscales metadata", f"{where}.path")
            if len(before.shape) != len(after.shape) or after is before:
                continue
            if any(now > then for now, then in zip(after.shape, before.shape, strict=True)):
                larger = f"{shape_text(after.shape)}, larger than the one before, {shape_text(before.shape)}"
                yield spot.must(f"the level is {larger}; list the levels from the largest to the smallest")
                break
            if after.shape == before.shape and after.shape.count(1) < len(after.shape):
                same = f"{shape_text(after.shape)}, as large as the one before"
                yield spot.should(f"the level is {same}, so it saves nothing")


def one_data_type(image: Subject) -> Iterator[Issue]:
    """Demand the same data type of all levels (0.6, multiscales metadata)."""
    for found in image.multiscales:
        levels = list(_against_first(image.levels(found)))
        other = [(where, array.dtype) for (_, first), (where, array) in levels if array.dtype != first.dtype]
        if other:
            where, dtype = other[0]
            message = f"the level is {dtype}, but level 0 is {levels[0][0][1].dtype}; expected the same"
            yield image.spot("multiscales metadata", f"{where}.path").must(f"{message}{_likewise(other)}")


def scale_fits_shape(image: Subject) -> Iterator[Issue]:
    """Demand the voxel size that the shape of a level amounts to (0.5, multiscales metadata)."""
    for found in image.multiscales if image.calibrated else ():
        scales = {dataset.where: dataset.own.scale or () for dataset in found.datasets}
        axes, other = found.axes or (), list[tuple[str, str]]()
        for (at, first), (where, array) in _against_first(image.levels(found)):
            scale, base = scales[where], scales[at]
            if any(image.faulty(f"{level}.{key}") for level in (at, where) for key in _PLACED):
                continue
            if not len(axes) == len(scale) == len(base) == len(array.shape) == len(first.shape):
                continue
            for axis, size, size_0, step, step_0 in zip(
                axes, array.shape, first.shape, scale, base, strict=True
            ):
                if not _plausible(size, size_0, step, step_0):
                    message = (
                        f"along {quoted(axis.name)} the level has {size} of {size_0} voxels, so each should "
                        f"be about {number(size_0 / size)} times as large as in level 0, but the scale says "
                        f"{number(step / step_0)} times"
                    )
                    other.append((where, message))
                    break
        if other:
            spot = image.spot("multiscales metadata", f"{other[0][0]}.coordinateTransformations")
            yield spot.must(f"{other[0][1]}{_likewise(other)}")


def dimension_names(image: Subject) -> Iterator[Issue]:
    """Demand dimension_names that match the axes (0.5, axes metadata; 0.3: _ARRAY_DIMENSIONS).

    Where an array has none at all it is a `should`: docs/validators.md says why.
    """
    key = {"0.5": "dimension_names", "0.3": "_ARRAY_DIMENSIONS"}.get(image.version)
    for found in image.multiscales if key else ():
        expected = tuple(axis.name for axis in found.axes or ())
        missing, other = [], list[tuple[str, str]]()
        if image.faulty(image.axes_at(found)):
            continue
        for where, array in image.levels(found):
            if array.zarr_format != image.expected_format:
                continue  # said by another rule
            if array.dimension_names is None:
                missing.append(where)
            elif len(array.shape) == len(expected) and array.dimension_names != expected:
                names = listed(name or "null" for name in array.dimension_names)
                other.append((where, f"the array's {key} are {names}, but the axes are {listed(expected)}"))
        if other:
            spot = image.spot("axes metadata", f"{other[0][0]}.path")
            yield spot.must(f"{other[0][1]}{_likewise(other)}")
        if missing:
            which = "all arrays" if len(missing) == len(found.datasets) else "an array"
            message = f"{key} are missing in {which}, expected {listed(expected)}"
            yield image.spot("axes metadata", f"{missing[0]}.path").should(message)


def chunk_separator(image: Subject) -> Iterator[Issue]:
    """Recommend nested chunk folders, "0/0/0", from 0.2 on and flat names before (0.4, storage format)."""
    expected = {"0.1": ".", "0.2": "/", "0.3": "/", "0.4": "/"}.get(image.version)
    for found in image.multiscales if expected else ():
        arrays = [(where, array) for where, array in image.levels(found) if array.zarr_format == 2]
        wrong = [(where, array.separator) for where, array in arrays if array.separator != expected]
        if wrong:
            where, separator = wrong[0]
            message = (
                f'chunks are named with "{separator}", expected "{expected}": some readers do not find them'
            )
            yield image.spot("storage format", f"{where}.path").should(message)


def zarr_format_of_arrays(image: Subject) -> Iterator[Issue]:
    """Demand Zarr v2 throughout up to 0.4 and Zarr v3 from 0.5 on (0.5, storage format)."""
    expected = image.expected_format
    for found in image.multiscales if image.zarr_format in (expected, None) else ():
        wrong = [(where, array) for where, array in image.levels(found) if array.zarr_format != expected]
        if wrong:
            where, array = wrong[0]
            message = (
                f"the array is Zarr v{array.zarr_format}, but OME-Zarr {image.version} is Zarr v{expected}"
            )
            yield image.spot("storage format", f"{where}.path").must(message)


def integer_labels(image: Subject) -> Iterator[Issue]:
    """Demand integers as the pixels of label images (0.5, labels metadata)."""
    for found in image.multiscales if image.kind == "label" else ():
        for where, array in image.levels(found):
            if not array.dtype.startswith(("int", "uint")):
                message = f"the label image is {array.dtype}, expected whole numbers such as uint32"
                yield image.spot("labels metadata", f"{where}.path").must(message)
                break


ARRAY_RULES: tuple[Rule, ...] = (
    safe_paths,
    number_of_dimensions,
    shrinking_levels,
    one_data_type,
    scale_fits_shape,
    dimension_names,
    chunk_separator,
    zarr_format_of_arrays,
    integer_labels,
)


def _likewise(levels: Sequence[tuple[str, object]]) -> str:
    """Return how many levels beside the first have its fault, as the end of a sentence about it."""
    return f"; {plural(len(levels) - 1, 'more level')} likewise" if len(levels) > 1 else ""


def _plausible(size: int, size_0: int, step: float, step_0: float) -> bool:
    """Return True where a level of this size can have this scale, whichever way odd sizes were rounded."""
    if not (math.isfinite(step) and math.isfinite(step_0)) or step_0 <= 0 or not size:
        return True  # other rules say so, as they do of levels that grow
    if step < step_0 or size > size_0:
        return True
    factor = step / step_0
    return abs(size_0 / factor - size) < 1 or abs(size_0 / size / factor - 1) < 0.05


def _against_first(
    levels: Iterator[tuple[str, ArrayInfo]],
) -> Iterator[tuple[tuple[str, ArrayInfo], tuple[str, ArrayInfo]]]:
    found = list(levels)
    for level in found[1:]:
        yield found[0], level
