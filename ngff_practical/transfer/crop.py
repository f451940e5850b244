"""Some levels or a region of an image: which objects they need, and the image that comes of them."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import zarr

from ngff_practical.errors import MetadataError, NotFoundError, PlanError
from ngff_practical.metadata import (
    ArrayInfo,
    array_info,
    assumed_version,
    image_document,
    kind_of,
    parse_document,
    pyramid_of,
    version_of,
)
from ngff_practical.metadata.reading import level_paths, multiscales_of
from ngff_practical.metadata.versions import metadata_of
from ngff_practical.model import Axis, Channel, Level, Pyramid, StoredObject
from ngff_practical.pyramid.bands import Region, boxes
from ngff_practical.storage import ARCHIVES, list_objects
from ngff_practical.storage.moving import Objects
from ngff_practical.transfer.fetching import receive

type Bounds = Mapping[str, tuple[float, float]]
type Json = dict[str, object]
type Heads = Callable[[Iterable[str]], Iterable[StoredObject | None]]

_KEYS_PER_LISTING = 200  # where there are more keys for each one needed, single ones are asked for
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Part:
    """Part of a stored image: `pyramid` is what it will be, `regions` where its levels lie in their arrays.

    `found` are the objects it needs, by key; `root` is the document of its root, `whole` is True where the
    levels stay as they are.
    """

    pyramid: Pyramid
    regions: dict[str, Region]
    found: dict[str, StoredObject]
    root: Json
    whole: bool

    def finish(self, stage: Path, made: Path) -> Path:
        """Make the image from the objects fetched into `stage`, and return its folder: `stage`, or `made`.

        Every block is read and written on its own; the root's document comes last.
        """
        if self.whole:
            self._write_root(stage)
            return stage
        for level in self.pyramid.levels:
            _crop(stage / level.path, made / level.path, self.regions[level.path])
        self._write_root(made)
        return made

    def _write_root(self, folder: Path) -> None:
        if self.pyramid.zarr_format == 2:
            (folder / ".zgroup").write_text(json.dumps({"zarr_format": 2}), encoding="utf-8")
        name = ".zattrs" if self.pyramid.zarr_format == 2 else "zarr.json"
        text = json.dumps(self.root, indent=2, ensure_ascii=False)
        (folder / name).write_text(text + "\n", encoding="utf-8")


def choose(objects: Objects, levels: Sequence[int] | None, region: Bounds | None, heads: Heads) -> Part:
    """Return the part of an image made of some levels (None: all), and of a region of them (None: all of it).

    Levels are numbered from 0, the full resolution. A region has bounds along some axes, in the unit of the
    axis; the voxels whose centres lie from the lower up to, but not at, the upper one belong to it, and
    at least one does. Labels are not part of it. `heads` asks for single objects, many at once.

    Raises
    ------
    MetadataError
        There is no image at the place.
    PlanError
        The image has no such level, axis or region, or is a zip archive.
    """
    document, attributes, zarr_format = _root(objects)
    if kind_of(attributes) not in ("image", "label"):
        raise MetadataError(f"{objects.location} is no image, but a {kind_of(attributes)}; give one image")
    version = assumed_version(attributes, zarr_format)
    paths = level_paths(multiscales_of(attributes, version)[0])
    chosen = _chosen(paths, levels)
    attributes = _with_levels(attributes, {paths[index] for index in chosen})
    name = "zarr.json" if zarr_format == 3 else ".zarray"
    arrays = {
        paths[index]: array_info(_document(objects, f"{paths[index]}/{name}"), paths[index])
        for index in chosen
    }
    pyramid = pyramid_of(
        attributes, arrays, version=version, stated=version_of(attributes), name=objects.location.name
    )
    regions = {level.path: _region(pyramid.axes, level, region or {}) for level in pyramid.levels}
    found: dict[str, StoredObject] = {}
    for level in pyramid.levels:
        found |= _needed(objects, level.path, arrays[level.path], regions[level.path], heads)
    if region is None:
        root: Json = {**document, "attributes": attributes} if zarr_format == 3 else attributes
        root.pop("consolidated_metadata", None)
        return Part(pyramid, regions, found, root, whole=True)
    cut = _cut(pyramid, regions, version if version >= "0.4" else "0.4")
    made = image_document(cut)
    root = {"zarr_format": 3, "node_type": "group", "attributes": made} if zarr_format == 3 else made
    return Part(cut, regions, found, root, whole=False)


def _root(objects: Objects) -> tuple[Json, Json, Literal[2, 3]]:
    try:
        document = _document(objects, "zarr.json")
    except NotFoundError:
        try:
            attributes = _document(objects, ".zattrs")
        except NotFoundError:
            if objects.location.name.lower().endswith(ARCHIVES):
                raise PlanError(
                    f"{objects.location} is one zip archive, and is fetched whole: leave out level and region"
                ) from None
            raise NotFoundError(
                f"there is neither zarr.json nor .zattrs at {objects.location}; check the address"
            ) from None
        return attributes, attributes, 2
    stated = document.get("attributes")
    return document, dict(stated) if isinstance(stated, dict) else {}, 3


def _document(objects: Objects, key: str) -> Json:
    data, _ = receive(objects.head(key), objects)
    return dict(parse_document(bytes(data), key).value)


def _chosen(paths: Sequence[str], levels: Sequence[int] | None) -> list[int]:
    chosen = sorted(set(levels)) if levels is not None else list(range(len(paths)))
    wrong = [level for level in chosen if not 0 <= level < len(paths)]
    if wrong or not chosen:
        asked = f"no level {wrong[0]}" if wrong else "not none of its levels"
        raise PlanError(
            f"the image has {asked}; it has {len(paths)}, from 0 (the finest) to {len(paths) - 1}"
        )
    return chosen


def _with_levels(attributes: Json, paths: set[str]) -> Json:
    """Return the attributes with the first multiscale image alone, and of its levels those chosen."""
    metadata = metadata_of(attributes)
    items = metadata["multiscales"]
    first = dict(items[0]) if isinstance(items, list) else {}
    first["datasets"] = [dataset for dataset in first["datasets"] if dataset.get("path") in paths]
    inner: Json = {**metadata, "multiscales": [first]}
    if "ome" not in attributes:
        return inner
    return {**attributes, "ome": inner}


def _region(axes: Sequence[Axis], level: Level, bounds: Bounds) -> Region:
    names = [axis.name for axis in axes]
    unknown = sorted(set(bounds) - set(names))
    if unknown:
        raise PlanError(f"the image has no axis {unknown[0]!r}; its axes are {', '.join(names)}")
    shift = level.translation or (0.0,) * len(axes)
    places = zip(axes, level.shape, level.scale, shift, strict=True)
    return tuple(_span(axis, size, step, first, bounds.get(axis.name)) for axis, size, step, first in places)


def _span(axis: Axis, size: int, step: float, first: float, bounds: tuple[float, float] | None) -> slice:
    if bounds is None:
        return slice(0, size)
    low, high = bounds
    start, stop = (math.ceil((bound - first) / step - _ROUNDING) for bound in (low, high))
    if start >= stop:  # smaller than a voxel of this level: the one it lies in
        start = math.floor(((low + high) / 2 - first) / step + 0.5)
        stop = start + 1
    if not low < high or start >= size or stop <= 0:
        unit = f" {axis.unit}" if axis.unit else ""
        raise PlanError(
            f"the region {axis.name}={low:g}:{high:g} holds no voxel; the image reaches from "
            f"{first - step / 2:g} to {first + (size - 0.5) * step:g}{unit} along {axis.name}"
        )
    return slice(max(start, 0), min(stop, size))


def _needed(
    objects: Objects, path: str, array: ArrayInfo, region: Region, heads: Heads
) -> dict[str, StoredObject]:
    """Return the objects of a level that a region touches, and the level's own documents."""
    grid = [
        range(span.start // step, -(-span.stop // step))
        for span, step in zip(region, array.object_shape, strict=True)
    ]
    documents = ["zarr.json"] if array.zarr_format == 3 else [".zarray", ".zattrs"]
    if math.prod(map(len, grid)) * _KEYS_PER_LISTING <= array.objects:
        positions = itertools.product(*grid)
        keys = (array.prefix + array.separator.join(map(str, position)) for position in positions)
        asked = heads(f"{path}/{key}" for key in itertools.chain(documents, keys))
        return {stored.key: stored for stored in asked if stored is not None}
    found = {}
    for stored in list_objects(objects.location / path):
        position = array.object_at(stored.key)
        inside = position is not None and all(at in span for at, span in zip(position, grid, strict=True))
        if inside or stored.key in documents:
            found[f"{path}/{stored.key}"] = replace(stored, key=f"{path}/{stored.key}")
    return found


def _cut(pyramid: Pyramid, regions: dict[str, Region], version: str) -> Pyramid:
    levels = tuple(_cut_level(level, regions[level.path]) for level in pyramid.levels)
    channels = _channels(pyramid, regions)
    return replace(pyramid, version=version, levels=levels, channels=channels, labels=())


def _cut_level(level: Level, region: Region) -> Level:
    shift = level.translation or (0.0,) * len(level.shape)
    return replace(
        level,
        shape=tuple(span.stop - span.start for span in region),
        translation=tuple(
            first + span.start * step for first, span, step in zip(shift, region, level.scale, strict=True)
        ),
    )


def _channels(pyramid: Pyramid, regions: dict[str, Region]) -> tuple[Channel, ...]:
    for index, axis in enumerate(pyramid.axes):
        if axis.type == "channel" or axis.name == "c":
            return pyramid.channels[regions[pyramid.levels[0].path][index]]
    return pyramid.channels


def _crop(source: Path, made: Path, region: Region) -> None:
    old = zarr.open_array(source, mode="r")
    shape = tuple(span.stop - span.start for span in region)
    new = zarr.create_array(
        made,
        shape=shape,
        dtype=old.dtype,
        chunks=old.chunks if old.shards else tuple(map(min, old.chunks, shape)),
        shards=old.shards,
        compressors=old.compressors or None,
        filters=old.filters or None,
        fill_value=old.fill_value,
        zarr_format=old.metadata.zarr_format,
        chunk_key_encoding={"name": "v2", "separator": "/"} if old.metadata.zarr_format == 2 else None,
        dimension_names=getattr(old.metadata, "dimension_names", None),
        config={"write_empty_chunks": True},  # an absent object always means a lost one
    )
    for box in boxes(tuple(slice(0, size) for size in shape), new.shards or new.chunks):
        new[box] = old[
            tuple(
                slice(span.start + part.start, span.start + part.stop)
                for span, part in zip(region, box, strict=True)
            )
        ]
