"""From the attributes of a group, of any version, to axes, levels and channels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ngff_practical.errors import MetadataError
from ngff_practical.metadata.arrays import ArrayInfo
from ngff_practical.metadata.paths import path_fault
from ngff_practical.metadata.structure import MOST_LEVELS, entries, is_number
from ngff_practical.metadata.transforms import Placement, coordinate_system_name, placement_of, vector
from ngff_practical.metadata.versions import metadata_of
from ngff_practical.metadata.wording import escaped, listed, quoted
from ngff_practical.model import Axis, Channel, Level, Pyramid, Vector, Version, axis_type

FIVE_AXES = tuple(Axis(name, axis_type(name)) for name in "tczyx")
"""The axes of every image up to 0.2, where nothing states them (0.1, multiscales metadata)."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """One entry of "datasets": what is readable of it, None where it is not."""

    where: str
    path: str | None
    own: Placement
    placement: Placement  # with the multiscale's own transformations applied


@dataclass(frozen=True, slots=True)
class Multiscale:
    """One entry of "multiscales": what is readable of it, `axes` None where they are not."""

    where: str
    name: str
    axes: tuple[Axis, ...] | None
    datasets: tuple[Dataset, ...]
    method: str | None = None


def multiscales_of(attributes: Mapping[str, object], version: Version) -> tuple[Multiscale, ...]:
    """Return every entry of "multiscales", however damaged; nothing is raised for what is missing."""
    items = metadata_of(attributes).get("multiscales")
    found = []
    for index, item in enumerate(items[:MOST_LEVELS] if isinstance(items, list) else ()):
        if isinstance(item, dict):
            found.append(_multiscale(item, f"multiscales[{index}]", version))
    return tuple(found)


def pyramid_of(
    attributes: Mapping[str, object],
    arrays: Mapping[str, ArrayInfo],
    *,
    version: Version,
    stated: str | None = None,
    name: str = "",
    labels: Sequence[str] = (),
) -> Pyramid:
    """Return the first multiscale image that attributes describe, with its arrays' shapes.

    `arrays` are the levels by path; `stated` is the version as written, where it is not `version` itself.
    A level whose size nobody states has scale 1.0 along every axis. Values are as the file has them:
    escape texts before showing them.

    Raises
    ------
    MetadataError
        There is no readable image in the attributes, or its axes do not fit its arrays.
    """
    found = multiscales_of(attributes, version)
    if not found:
        raise MetadataError('the attributes hold no readable entry of "multiscales", so this is no image')
    image = found[0]
    paths = level_paths(image)
    axes = image.axes
    if axes is None:
        raise MetadataError(
            f"the axes of {image.where} are missing or unreadable, so the arrays mean nothing"
        )
    levels = []
    for dataset, path in zip(image.datasets, paths, strict=True):
        array = arrays[path]
        if len(array.shape) != len(axes):
            raise MetadataError(
                f"level {escaped(path)} has {len(array.shape)} dimensions, the image {len(axes)} axes "
                f"({listed(axis.name for axis in axes)})"
            )
        levels.append(_level(path, array, dataset.placement))
    return Pyramid(
        name=image.name or name,
        version=stated or version,
        axes=axes,
        levels=tuple(levels),
        channels=channels_of(attributes),
        labels=tuple(labels),
        downsampling=image.method,
    )


def level_paths(image: Multiscale) -> tuple[str, ...]:
    """Return the paths of the levels, safe to follow.

    Raises
    ------
    MetadataError
        A path is missing, or is none that may be followed.
    """
    if not image.datasets:
        raise MetadataError(f"{image.where} lists no datasets, so there are no pixels to find")
    paths = []
    for dataset in image.datasets:
        if dataset.path is None:
            raise MetadataError(f"{dataset.where} has no path, so its array cannot be found")
        fault = path_fault(dataset.path)
        if fault:
            raise MetadataError(f"the path {quoted(dataset.path)} of {dataset.where} {fault}")
        paths.append(dataset.path.rstrip("/"))
    return tuple(paths)


def channels_of(attributes: Mapping[str, object]) -> tuple[Channel, ...]:
    """Return the channels that "omero" describes; what is not readable of one is None."""
    channels = []
    for item in entries(metadata_of(attributes).get("omero"), "channels"):
        label, color, window = item.get("label"), item.get("color"), item.get("window")
        limits = (
            [window.get(key) for key in ("min", "max", "start", "end")] if isinstance(window, dict) else []
        )
        values = vector(limits)
        channels.append(
            Channel(
                label if isinstance(label, str) else str(label) if is_number(label) else "",
                color if isinstance(color, str) else None,
                (values[0], values[1], values[2], values[3]) if values else None,
            )
        )
    return tuple(channels)


def _multiscale(item: Mapping[str, object], where: str, version: Version) -> Multiscale:
    outer = Placement() if version == "0.6" else placement_of(item.get("coordinateTransformations"))
    datasets = []
    found = item.get("datasets")
    for index, dataset in enumerate(found[:MOST_LEVELS] if isinstance(found, list) else ()):
        fields: dict[str, object] = dataset if isinstance(dataset, dict) else {}
        path = fields.get("path")
        own = placement_of(fields.get("coordinateTransformations"))
        datasets.append(
            Dataset(
                f"{where}.datasets[{index}]", path if isinstance(path, str) else None, own, own.then(outer)
            )
        )
    name, method = item.get("name"), item.get("type")
    return Multiscale(
        where,
        name if isinstance(name, str) else "",
        _axes(item, version),
        tuple(datasets),
        method if isinstance(method, str) else None,
    )


def _axes(item: Mapping[str, object], version: Version) -> tuple[Axis, ...] | None:
    drafted = "axes" not in item and "coordinateSystems" in item  # as RFC-5 was tried out before 0.6
    listed_axes = intrinsic_axes(item) if version == "0.6" or drafted else item.get("axes")
    if listed_axes is None and version in ("0.1", "0.2"):
        return FIVE_AXES
    return axes_of(listed_axes)


def axes_of(value: object) -> tuple[Axis, ...] | None:
    """Return a list of axes, as objects or (0.3) as letters; None where one of them is not readable."""
    if not isinstance(value, list) or not value:
        return None
    axes = [_axis(axis) for axis in value]
    return tuple(axis for axis in axes if axis is not None) if None not in axes else None


def intrinsic_axes(item: Mapping[str, object]) -> object:
    """Return the axes of the coordinate system that the levels lead to (0.6, multiscales metadata).

    Where that one only counts voxels (axes of type "array"), the next that names its axes is returned.
    """
    output = None
    for dataset in entries(item, "datasets"):
        for transformation in entries(dataset, "coordinateTransformations"):
            output = output or coordinate_system_name(transformation.get("output"))
    systems = entries(item, "coordinateSystems")
    named = [system for system in systems if system.get("name") == output]
    chosen = [*named, *systems]
    telling = [
        system for system in chosen if any(axis.get("type") != "array" for axis in entries(system, "axes"))
    ]
    return (telling or chosen)[0].get("axes") if chosen else item.get("axes")


def _axis(value: object) -> Axis | None:
    if isinstance(value, str):  # 0.3
        return Axis(value, axis_type(value.lower()))
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        return None
    kind, unit = value.get("type"), value.get("unit")
    return Axis(
        value["name"], kind if isinstance(kind, str) else None, unit if isinstance(unit, str) else None
    )


def _level(path: str, array: ArrayInfo, placement: Placement) -> Level:
    count = len(array.shape)
    scale: Vector = placement.scale if placement.scale and len(placement.scale) == count else (1.0,) * count
    translation = placement.translation
    return Level(
        path=path,
        shape=array.shape,
        dtype=array.dtype,
        chunks=array.chunks,
        scale=scale,
        translation=translation if translation and len(translation) == count else None,
        shards=array.shards,
        itemsize=array.itemsize,
    )
