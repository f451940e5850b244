"""The attributes to write at the root of an image and of its labels, for OME-Zarr 0.4 to 0.6."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from importlib.metadata import version as package_version

from ngff_practical.errors import MetadataError
from ngff_practical.metadata.arrays import integer_limits
from ngff_practical.model import Channel, Level, Pyramid, axis_type

WRITTEN_VERSIONS = ("0.4", "0.5", "0.6")
"""Versions that can be written."""

_SYSTEM = "physical"
_COLOR = re.compile(r"[0-9A-F]{6}")
_PALETTE = (
    "FFFFFF",
    "00FF00",
    "FF00FF",
    "00FFFF",
    "FFFF00",
    "FF0000",
    "0000FF",
)  # for channels without a colour

type Rgba = tuple[int, int, int, int]
type Json = dict[str, object]


def image_document(pyramid: Pyramid, *, label_colors: Mapping[int, Rgba] | None = None) -> Json:
    """Return the attributes of an image's root group: {"ome": {...}}, or {"multiscales": [...]} for 0.4.

    Channels without a colour get one, and those without a window are shown over the whole range of their
    integers, or from 0 to 1. With `label_colors` (it may be empty) it is a label image of the group two
    folders above it.

    Raises
    ------
    MetadataError
        The pyramid's version is none that is written.
    """
    _require_written(pyramid.version)
    document: Json = {"multiscales": [_multiscale(pyramid)]}
    if pyramid.channels:
        document["omero"] = {"channels": _omero_channels(pyramid)}
    if label_colors is not None:
        document["image-label"] = _image_label(label_colors, pyramid.version)
    return _placed(document, pyramid.version)


def labels_document(paths: Sequence[str], *, version: str) -> Json:
    """Return the attributes of the group "labels": the paths of the label images in it.

    Raises
    ------
    MetadataError
        The version is none that is written.
    """
    _require_written(version)
    return _placed({"labels": list(paths)}, version)


def _require_written(version: str) -> None:
    if version not in WRITTEN_VERSIONS:
        raise MetadataError(f"OME-Zarr {version} is not written; choose {' or '.join(WRITTEN_VERSIONS)}")


def _placed(document: Json, version: str) -> Json:
    return document if version == "0.4" else {"ome": {"version": version, **document}}


def _multiscale(pyramid: Pyramid) -> Json:
    axes = [
        {
            "name": axis.name,
            **({"type": kind} if (kind := axis.type or axis_type(axis.name)) else {}),
            **({"unit": axis.unit} if axis.unit else {}),
        }
        for axis in pyramid.axes
    ]
    document: Json = {"version": "0.4"} if pyramid.version == "0.4" else {}
    document["name"] = pyramid.name
    if pyramid.downsampling:
        document["type"] = pyramid.downsampling
        document["metadata"] = {
            "method": f"ngff_practical.pyramid.downsample_{pyramid.downsampling}",
            "version": package_version("ngff-practical"),
        }
    if pyramid.version == "0.6":
        document["coordinateSystems"] = [{"name": _SYSTEM, "axes": axes}]
        document["datasets"] = [
            {"path": level.path, "coordinateTransformations": [_connected(level)]} for level in pyramid.levels
        ]
    else:
        document["axes"] = axes
        document["datasets"] = [
            {"path": level.path, "coordinateTransformations": _steps(level)} for level in pyramid.levels
        ]
    return document


def _steps(level: Level) -> list[Json]:
    """Return scale, then translation: so both are in physical units (0.5, multiscales metadata)."""
    steps: list[Json] = [{"type": "scale", "scale": list(level.scale)}]
    if level.translation is not None and any(level.translation):
        steps.append({"type": "translation", "translation": list(level.translation)})
    return steps


def _connected(level: Level) -> Json:
    """Return one transformation, from the array to the coordinate system (0.6, multiscales metadata)."""
    steps = _steps(level)
    whole = steps[0] if len(steps) == 1 else {"type": "sequence", "transformations": steps}
    return {**whole, "input": {"path": level.path}, "output": {"name": _SYSTEM}}


def _omero_channels(pyramid: Pyramid) -> list[Json]:
    limits = integer_limits(pyramid.dtype) or (0, 1)
    return [
        {
            "label": channel.label,
            "color": _color(channel, index),
            "window": dict(zip(("min", "max", "start", "end"), _window(channel) or limits * 2, strict=True)),
            "active": True,
        }
        for index, channel in enumerate(pyramid.channels)
    ]


def _color(channel: Channel, index: int) -> str:
    """Return six hexadecimal digits: no "#", as matplotlib would have it (0.5, omero metadata)."""
    color = (channel.color or "").removeprefix("#").upper()
    return color if _COLOR.fullmatch(color) else _PALETTE[index % len(_PALETTE)]


def _window(channel: Channel) -> tuple[float, float, float, float] | None:
    """Return four limits, or none: JSON has no NaN and no infinity."""
    window = channel.window
    return window if window is not None and all(map(math.isfinite, window)) else None


def _image_label(colors: Mapping[int, Rgba], version: str) -> Json:
    document: Json = {} if version == "0.6" else {"version": version}
    if colors:
        document["colors"] = [{"label-value": value, "rgba": list(rgba)} for value, rgba in colors.items()]
    document["source"] = {"image": "../../"}
    return document
