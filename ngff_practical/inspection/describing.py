"""What is stored at a place, from its metadata alone: no pixel is read."""

from __future__ import annotations

import json
from itertools import takewhile
from operator import itemgetter
from pathlib import Path

from ngff_practical.errors import AccessError, MetadataError, NotFoundError, StorageError
from ngff_practical.inspection.keys import array_key, attributes_key, join
from ngff_practical.inspection.tree import Node, Tree, open_tree
from ngff_practical.metadata import (
    ArrayInfo,
    array_info,
    assumed_version,
    escaped,
    kind_of,
    pyramid_of,
    version_of,
)
from ngff_practical.metadata.reading import level_paths, multiscales_of
from ngff_practical.metadata.structure import entries
from ngff_practical.metadata.versions import metadata_of
from ngff_practical.metadata.wording import listed
from ngff_practical.model import Description, Place, Pyramid

_MOST_SERIES = 1000
_LONGEST_DOCUMENT = 256 * 2**10  # characters


def describe(place: str | Place) -> Description:
    """Return what is stored at a place: an image, a plate, labels, or "none" where it is no OME-Zarr.

    Names and labels are as the file has them; escape them before showing (`metadata.escaped`).

    Raises
    ------
    NotFoundError
        Nothing is stored there.
    MetadataError
        It is OME-Zarr, but what it says of itself cannot be understood.
    """
    with open_tree(place) as tree:
        return _description(tree)


def describe_image(place: str | Place) -> Pyramid:
    """Return the image at a place: its axes, levels, channels and the names of its labels.

    On S3 that takes one request for every level, at the same time, and two more. A third is needed where the
    key does not name the version and there are labels, or nothing may be listed (`guessing` has the table).

    Raises
    ------
    NotFoundError
        Nothing is stored there.
    MetadataError
        What is there is no image (the message says what it is), or cannot be understood.
    """
    with open_tree(place) as tree:
        node = tree.node()
        if node is None or node.node_type == "array" or kind_of(node.attributes) not in ("image", "label"):
            raise MetadataError(f"{tree.place} is no OME-Zarr image: {what_is_there(tree, node)}")
        return _pyramid(tree, node)


def what_is_there(tree: Tree, node: Node | None) -> str:
    """Return what a place that is no image holds, and where to look instead, as the end of a sentence.

    Raises
    ------
    NotFoundError
        It holds nothing.
    """
    if node is None:
        return _without_zarr(tree)
    if node.node_type == "array":
        return "it is a single Zarr array; give the folder above it, which knows the levels and axes"
    kind = kind_of(node.attributes)
    if kind == "plate":
        wells = _paths(node, "plate", "wells")
        return (
            f"it is a plate with {len(wells)} wells ({listed(wells)}); give a field of a well, such as A/1/0"
        )
    if kind in ("well", "bioformats2raw", "scene"):
        return f"it holds the images {listed(_images(tree, node)) or '(none)'}; give one of them"
    if kind == "labels":
        return f"it holds the label images {listed(_texts(node, 'labels'))}; give one of them"
    keys = listed(node.attributes) or "none"
    return f"it is a Zarr v{node.zarr_format} group without OME-Zarr metadata (its attributes: {keys})"


def series_of(tree: Tree, node: Node) -> tuple[str, ...]:
    """Return the images of a bioformats2raw collection: those that OME lists, else 0, 1, 2 and so on.

    Quotes OME-Zarr 0.4, bioformats2raw.layout.
    """
    if "series" in metadata_of(node.attributes):
        return _texts(node, "series")
    listing = tree.node(join(node.path, "OME"), first=node.zarr_format)
    if listing is not None and "series" in metadata_of(listing.attributes):
        return _texts(listing, "series")
    found: list[str] = []
    while len(found) < _MOST_SERIES:
        batch = [str(number) for number in range(len(found), len(found) + 8)]
        nodes = tree.each(lambda name: tree.node(join(node.path, name), first=node.zarr_format), batch)
        there = [name for name, _ in takewhile(itemgetter(1), zip(batch, nodes, strict=True))]
        found += there
        if len(there) < len(batch):
            break
    return tuple(found)


def labels_of(tree: Tree, image: Node) -> tuple[str, ...]:
    """Return the paths that the "labels" group of an image lists, without asking whether they exist."""
    document = tree.document(attributes_key(join(image.path, "labels"), image.zarr_format))
    if document is None:
        return ()
    attributes = document.value.get("attributes") if image.zarr_format == 3 else document.value
    labels = metadata_of(attributes).get("labels") if isinstance(attributes, dict) else None
    return tuple(label for label in labels if isinstance(label, str)) if isinstance(labels, list) else ()


def _description(tree: Tree) -> Description:
    node = tree.node()
    location = str(tree.place)
    if node is None or node.node_type == "array" or kind_of(node.attributes) == "none":
        what_is_there(tree, node)  # raises where there is nothing at all
        return Description(location, "none", None)
    kind, stated = kind_of(node.attributes), version_of(node.attributes)
    if kind in ("image", "label"):
        return _image_description(tree, node, location)
    return Description(
        location,
        kind,
        stated,
        labels=_texts(node, "labels"),
        wells=_paths(node, "plate", "wells"),
        images=_images(tree, node),
        rows=_paths(node, "plate", "rows", "name"),
        columns=_paths(node, "plate", "columns", "name"),
        document=_document(node),
    )


def _pyramid(tree: Tree, node: Node) -> Pyramid:
    version = assumed_version(node.attributes, node.zarr_format)
    found = multiscales_of(node.attributes, version)
    paths = level_paths(found[0]) if found else ()
    keys = [array_key(join(node.path, path), node.zarr_format) for path in paths]
    tree.fetch([*keys, attributes_key(join(node.path, "labels"), node.zarr_format)])
    arrays: dict[str, ArrayInfo] = {}
    for path in paths:
        document = tree.array(join(node.path, path), node.zarr_format)
        if document is None:
            raise MetadataError(
                f"{tree.place} lists the level {escaped(path)}, but no array is stored there; "
                "the copy may be incomplete"
            )
        arrays[path] = array_info(document.value, escaped(path))
    return pyramid_of(
        node.attributes,
        arrays,
        version=version,
        stated=version_of(node.attributes),
        name=tree.place.name,
        labels=labels_of(tree, node),
    )


def _image_description(tree: Tree, node: Node, location: str) -> Description:
    kind, version = kind_of(node.attributes), assumed_version(node.attributes, node.zarr_format)
    found = multiscales_of(node.attributes, version)
    axes = found[0].axes or () if found else ()
    paths = tuple(dataset.path or "" for dataset in found[0].datasets) if found else ()
    try:
        image = _pyramid(tree, node)
    except MetadataError as error:
        stated = version_of(node.attributes) or version
        return Description(
            location, kind, stated, axes=axes, paths=paths, problem=str(error), document=_document(node)
        )
    return Description(
        location,
        kind,
        image.version,
        image,
        labels=image.labels,
        axes=axes,
        paths=paths,
        document=_document(node),
    )


def _document(node: Node) -> str:
    """Return a group's own metadata as JSON, "" where it is too long to be looked at."""
    found = node.attributes_document
    if found is None:
        return ""
    value = {key: item for key, item in found.value.items() if key != "consolidated_metadata"}
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_DOCUMENT else ""


def _images(tree: Tree, node: Node) -> tuple[str, ...]:
    match kind_of(node.attributes):
        case "well":
            return _paths(node, "well", "images")
        case "bioformats2raw":
            return series_of(tree, node)
        case "scene":
            return scene_images(node)
    return ()


def scene_images(node: Node) -> tuple[str, ...]:
    """Return the images that the transformations of a scene connect (0.6, scene metadata)."""
    paths: dict[str, None] = {}
    for transformation in entries(metadata_of(node.attributes).get("scene"), "coordinateTransformations"):
        for end in (transformation.get("input"), transformation.get("output")):
            path = end.get("path") if isinstance(end, dict) else None
            if isinstance(path, str):
                paths[path] = None
    return tuple(paths)


def _texts(node: Node, key: str) -> tuple[str, ...]:
    values = metadata_of(node.attributes).get(key)
    return tuple(value for value in values if isinstance(value, str)) if isinstance(values, list) else ()


def _paths(node: Node, part: str, key: str, name: str = "path") -> tuple[str, ...]:
    values = (item.get(name) for item in entries(metadata_of(node.attributes).get(part), key))
    return tuple(value for value in values if isinstance(value, str))


def _without_zarr(tree: Tree) -> str:
    if isinstance(tree.place, Path) and not tree.packed and not tree.place.is_dir():
        return "it is a single file, not a folder with an image in it"
    try:
        folders, objects = tree.list_folder()
    except AccessError:
        raise
    except StorageError as error:
        raise NotFoundError(
            f"there is neither zarr.json nor .zattrs at {tree.place}; check the address"
        ) from error
    if not folders and not objects:
        if tree.local:
            return f"the {'archive' if tree.packed else 'folder'} is empty"
        raise NotFoundError(f"there is nothing at {tree.place}; check the spelling of the key")
    inside = [name for name in folders if name.endswith(".zarr")]
    if inside:
        if tree.packed:
            return f"it is an archive with {listed(inside)} in it; unpack it, and give one of them"
        return f"it is a folder with {listed(inside)} in it; give one of them"
    names = [*folders, *(item.key for item in objects)]
    return f"it has neither zarr.json nor .zattrs, only {listed(names)}"
