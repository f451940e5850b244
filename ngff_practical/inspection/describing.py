"""What is stored at a place, from its metadata alone: no pixel is read."""

from __future__ import annotations

import json

from ngff_practical.errors import MetadataError
from ngff_practical.inspection.elsewhere import what_is_there
from ngff_practical.inspection.keys import array_key, attributes_key, join
from ngff_practical.inspection.members import images_of, labels_of, paths_of, texts_of
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
from ngff_practical.model import Description, Place, Pyramid

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
        labels=texts_of(node, "labels"),
        wells=paths_of(node, "plate", "wells"),
        images=images_of(tree, node),
        rows=paths_of(node, "plate", "rows", "name"),
        columns=paths_of(node, "plate", "columns", "name"),
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
