"""What a group names: the series of a collection, labels of an image, wells of a plate, fields of a well."""

from __future__ import annotations

from itertools import takewhile
from operator import itemgetter

from ngff_practical.inspection.keys import attributes_key, join
from ngff_practical.inspection.tree import Node, Tree
from ngff_practical.metadata import kind_of
from ngff_practical.metadata.structure import entries
from ngff_practical.metadata.versions import metadata_of

_MOST_SERIES = 1000


def series_of(tree: Tree, node: Node) -> tuple[str, ...]:
    """Return the images of a bioformats2raw collection: those that OME lists, else 0, 1, 2 and so on.

    Quotes OME-Zarr 0.4, bioformats2raw.layout.
    """
    if "series" in metadata_of(node.attributes):
        return texts_of(node, "series")
    listing = tree.node(join(node.path, "OME"), first=node.zarr_format)
    if listing is not None and "series" in metadata_of(listing.attributes):
        return texts_of(listing, "series")
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


def images_of(tree: Tree, node: Node) -> tuple[str, ...]:
    """Return the images that a well, a collection or a scene holds."""
    match kind_of(node.attributes):
        case "well":
            return paths_of(node, "well", "images")
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


def texts_of(node: Node, key: str) -> tuple[str, ...]:
    """Return the texts in a list of the metadata; what else is in it is left out."""
    values = metadata_of(node.attributes).get(key)
    return tuple(value for value in values if isinstance(value, str)) if isinstance(values, list) else ()


def paths_of(node: Node, part: str, key: str, name: str = "path") -> tuple[str, ...]:
    """Return what the entries of a list call `name`, such as the paths of the wells of a plate."""
    values = (item.get(name) for item in entries(metadata_of(node.attributes).get(part), key))
    return tuple(value for value in values if isinstance(value, str))
