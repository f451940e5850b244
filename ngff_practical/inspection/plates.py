"""What is wrong with what holds images: plates and their wells, collections, scenes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from ngff_practical.errors import AccessError, NotFoundError, TooLargeError
from ngff_practical.inspection.children import children_issues, open_child, own_issues, subject_of
from ngff_practical.inspection.describing import scene_images, series_of
from ngff_practical.inspection.images import image_issues
from ngff_practical.inspection.keys import below, join
from ngff_practical.inspection.levels import Walk
from ngff_practical.inspection.tree import Node
from ngff_practical.metadata import Subject
from ngff_practical.metadata.documents import LFS_POINTER
from ngff_practical.metadata.rules_plate import acquisitions_of_well
from ngff_practical.model import Issue

_LARGEST_XML = 64 * 2**20  # bytes; that of a plate with many fields has some


def plate_issues(walk: Walk, node: Node) -> Iterator[Issue]:
    """Find what is wrong with a plate, its wells and their images."""
    plate = subject_of(node, "plate")
    own = list(own_issues(walk, node, plate))
    yield from own
    yield from children_issues(
        walk,
        node,
        _paths(plate, "plate", "wells"),
        what="a well",
        kinds=("well",),
        said=own,
        look=lambda well: list(well_issues(walk, well, plate)),
    )


def well_issues(walk: Walk, node: Node, plate: Subject | None = None) -> Iterator[Issue]:
    """Find what is wrong with a well and its images; `plate` is what it belongs to."""
    well = subject_of(node, "well")
    own = list(own_issues(walk, node, well))
    yield from own
    if plate is not None:
        yield from (below(node.path, issue) for issue in acquisitions_of_well(well, plate))
    yield from _images(walk, node, _paths(well, "well", "images"), own)


def collection_issues(walk: Walk, node: Node) -> Iterator[Issue]:
    """Find what is wrong with a bioformats2raw collection and its images."""
    collection = subject_of(node, "bioformats2raw")
    yield from own_issues(walk, node, collection)
    if "bioformats2raw.layout" not in collection.metadata:
        return  # the group OME itself, whose images are beside it
    listing, issues = open_child(walk, join(node.path, "OME"), node)
    yield from issues
    if listing is not None:
        yield from own_issues(walk, listing, subject_of(listing, "bioformats2raw"))
    spot = collection.spot("bioformats2raw.layout metadata", "")
    fault = _xml_fault(walk, join(node.path, "OME/METADATA.ome.xml"))
    if fault:
        message = f"OME/METADATA.ome.xml {fault}; it describes the images of the collection"
        yield replace(spot, where="OME/METADATA.ome.xml").should(message)
    if issues:
        return  # the list of images is not readable
    images = series_of(walk.tree, node)
    if not images:
        yield spot.must("the collection holds no image: expected one in 0, or a list of them in OME")
    named = {path: f"OME: series[{index}]" for index, path in enumerate(images)}
    yield from _images(walk, node, named)


def _xml_fault(walk: Walk, key: str) -> str:
    """Return what keeps the OME-XML from being read, "" where nothing does; it is not parsed here."""
    try:
        text = walk.tree.read(key, _LARGEST_XML).lstrip(b"\xef\xbb\xbf \t\r\n")
    except (NotFoundError, AccessError):
        return "is missing"
    except TooLargeError:
        return ""
    if not text:
        return "is empty, the copy was probably interrupted"
    if text.startswith(LFS_POINTER):
        return "is a git-lfs pointer, fetch it with `git lfs pull`"
    if not text.startswith((b"<", b"\xff\xfe", b"\xfe\xff")):
        return "is no XML"
    if b"<!ENTITY" in text:
        return "declares entities, which can be made to fill the memory of whoever reads it"
    return ""


def scene_issues(walk: Walk, node: Node) -> Iterator[Issue]:
    """Find what is wrong with a scene and the images that it brings together."""
    yield from own_issues(walk, node, subject_of(node, "scene"))
    named = dict.fromkeys(scene_images(node), "scene.coordinateTransformations")
    yield from _images(walk, node, named)


def _images(walk: Walk, node: Node, named: dict[str, str], said: Iterable[Issue] = ()) -> Iterator[Issue]:
    yield from children_issues(
        walk,
        node,
        named,
        what="an image",
        kinds=("image", "label"),
        said=said,
        look=lambda image: list(image_issues(walk, image)),
    )


def _paths(subject: Subject, part: str, key: str) -> dict[str, str]:
    """Return the paths in a list, each with its place in the metadata."""
    holder = subject.metadata.get(part)
    items = holder.get(key) if isinstance(holder, dict) else None
    found: dict[str, str] = {}
    for index, item in enumerate(items[:10_000] if isinstance(items, list) else ()):
        path = item.get("path") if isinstance(item, dict) else None
        if isinstance(path, str):
            found.setdefault(path, f"{part}.{key}[{index}].path")
    return found
