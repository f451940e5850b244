"""What is wrong with what holds images: plates and their wells, collections, scenes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice

from ngff_practical.errors import AccessError, MetadataError, NotFoundError, StorageError, TooLargeError
from ngff_practical.inspection.children import MOST_LOCAL, children_issues, open_child, own_issues, subject_of
from ngff_practical.inspection.images import image_issues
from ngff_practical.inspection.keys import below, join
from ngff_practical.inspection.members import scene_images, series_of
from ngff_practical.inspection.tree import Node
from ngff_practical.inspection.walk import Walk
from ngff_practical.metadata import Subject, kind_of
from ngff_practical.metadata.documents import LFS_POINTER, is_web_page
from ngff_practical.metadata.paths import path_fault
from ngff_practical.metadata.rules_plate import acquisitions_of_well, fields_of_well
from ngff_practical.metadata.structure import LONGEST_LIST, Spot
from ngff_practical.metadata.wording import listed
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
    rows = _folders(walk, node.path)
    stored = (f"{row}/{column}" for row in rows for column in _folders(walk, join(node.path, row)))
    named = _paths(plate, "plate", "wells")
    yield from _unnamed(walk, node, plate.spot("plate metadata", "plate.wells"), named, stored, own)


def well_issues(walk: Walk, node: Node, plate: Subject | None = None) -> Iterator[Issue]:
    """Find what is wrong with a well and its images; `plate` is what it belongs to."""
    well = subject_of(node, "well")
    own = list(own_issues(walk, node, well))
    yield from own
    if plate is not None:
        fitting = (*acquisitions_of_well(well, plate), *fields_of_well(well, plate))
        yield from (below(node.path, issue) for issue in fitting)
    yield from _images(walk, node, _paths(well, "well", "images"), own)
    named, stored = _paths(well, "well", "images"), _folders(walk, node.path)
    yield from _unnamed(walk, node, well.spot("well metadata", "well.images"), named, stored, own)


def collection_issues(walk: Walk, node: Node) -> Iterator[Issue]:
    """Find what is wrong with a bioformats2raw collection and its images."""
    collection = subject_of(node, "bioformats2raw")
    yield from own_issues(walk, node, collection)
    if "bioformats2raw.layout" not in collection.metadata:
        return  # the group OME itself, whose images are beside it
    listing, issues = open_child(walk, join(node.path, "OME"), node)
    yield from issues
    listed_wrong = False
    for issue in own_issues(walk, listing, subject_of(listing, "bioformats2raw")) if listing else ():
        listed_wrong = listed_wrong or (issue.severity == "must" and "series" in issue.where)
        yield issue
    spot = collection.spot("bioformats2raw.layout metadata", "")
    fault = _xml_fault(walk, join(node.path, "OME/METADATA.ome.xml"))
    if fault:
        message = f"OME/METADATA.ome.xml {fault}; it describes the images of the collection"
        yield replace(spot, where="OME/METADATA.ome.xml").should(message)
    if issues:
        return  # the list of images is not readable
    images = series_of(walk.tree, node)
    if not images and not listed_wrong:
        yield spot.must("the collection holds no image: expected one in 0, or a list of them in OME")
    named = {path: f"OME: series[{index}]" for index, path in enumerate(images)}
    yield from _images(walk, node, named)
    if images:
        listing_spot = replace(spot, where="OME: series")
        yield from _unnamed(walk, node, listing_spot, images, _folders(walk, node.path))


def _xml_fault(walk: Walk, key: str) -> str:
    """Return what keeps the OME-XML from being read, "" where nothing does; it is not parsed here."""
    try:
        text = walk.tree.read(key, _LARGEST_XML).lstrip(b"\xef\xbb\xbf \t\r\n")
    except NotFoundError:
        return "is missing"
    except AccessError:
        return "may not be read" if walk.tree.local else "is missing"
    except TooLargeError:
        return ""
    if is_web_page(text):
        return "is a web page" if walk.tree.local else "is missing"
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


def _folders(walk: Walk, path: str) -> tuple[str, ...]:
    """Return the folders directly below a path of this machine; a server would be asked too often."""
    if not walk.tree.local:
        return ()
    try:
        return walk.tree.list_folder(path)[0]
    except StorageError:
        return ()


def _unnamed(
    walk: Walk,
    node: Node,
    spot: Spot,
    named: Iterable[str],
    stored: Iterable[str],
    own: Iterable[Issue] = (),
) -> Iterator[Issue]:
    """Find wells, fields or series that are stored and not named at a spot: no viewer shows them.

    Nothing is said where `own` has a name that is wrong: that is why it is not the stored one's.
    """
    kinds = ("well",) if spot.where == "plate.wells" else ("image", "label")
    if any(issue.severity == "must" and spot.where in issue.where for issue in own):
        return
    known = {path.rstrip("/") for path in named}
    extra = []
    for path in islice((path for path in stored if path not in known and not path_fault(path)), MOST_LOCAL):
        try:
            found = walk.tree.node(join(node.path, path), first=node.zarr_format)
        except MetadataError:
            continue  # nothing says that it belongs here
        if found is not None and kind_of(found.attributes) in kinds:
            extra.append(path)
    if extra:
        message = f"{listed(extra)} is stored there, but not listed, so viewers do not find it"
        yield below(node.path, spot.should(message))


def _paths(subject: Subject, part: str, key: str) -> dict[str, str]:
    """Return the paths in a list, each with its place in the metadata."""
    holder = subject.metadata.get(part)
    items = holder.get(key) if isinstance(holder, dict) else None
    found: dict[str, str] = {}
    for index, item in enumerate(items[:LONGEST_LIST] if isinstance(items, list) else ()):
        path = item.get("path") if isinstance(item, dict) else None
        if isinstance(path, str):
            found.setdefault(path, f"{part}.{key}[{index}].path")
    return found
