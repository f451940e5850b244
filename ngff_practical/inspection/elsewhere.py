"""What a place that is no image holds, and where to look instead."""

from __future__ import annotations

from pathlib import Path

from ngff_practical.errors import AccessError, MetadataError, NotFoundError, StorageError
from ngff_practical.inspection.keys import join
from ngff_practical.inspection.members import images_of, paths_of, texts_of
from ngff_practical.inspection.packed import ROOTS
from ngff_practical.inspection.tree import Node, Tree
from ngff_practical.metadata import kind_of
from ngff_practical.metadata.wording import listed
from ngff_practical.model import Location
from ngff_practical.storage import refuse_portal

_MOST_BELOW = 24  # folders that are looked into where an image is missing


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
        wells = paths_of(node, "plate", "wells")
        return (
            f"it is a plate with {len(wells)} wells ({listed(wells)}); give a field of a well, such as A/1/0"
        )
    if kind in ("well", "bioformats2raw", "scene"):
        return f"it holds the images {listed(images_of(tree, node)) or '(none)'}; give one of them"
    if kind == "labels":
        return f"it holds the label images {listed(texts_of(node, 'labels'))}; give one of them"
    keys = listed(node.attributes) or "none"
    group = f"it is a Zarr v{node.zarr_format} group without OME-Zarr metadata (its attributes: {keys})"
    inside = _below(tree, node)
    choice = "one of them" if len(inside) > 1 else "that"
    return f"{group}, with {listed(inside)} in it; give {choice}" if inside else group


def _below(tree: Tree, node: Node) -> list[str]:
    """Return what is OME-Zarr below a group that is not: in it, and where nothing is, one folder deeper."""
    folders, left = [node.path], _MOST_BELOW
    while folders and left > 0:
        found, deeper = list[str](), list[str]()
        for folder in folders:
            for path in _folders(tree, folder)[:left]:
                left -= 1
                child = _readable(tree, path, node)
                if child is not None and child.node_type == "group":
                    (deeper if kind_of(child.attributes) == "none" else found).append(path)
        if found or folders != [node.path]:
            return [path.removeprefix(f"{node.path}/") for path in found]
        folders = deeper
    return []


def _folders(tree: Tree, path: str) -> list[str]:
    try:
        return [join(path, name) for name in tree.list_folder(path)[0]]
    except StorageError:
        return []


def _readable(tree: Tree, path: str, parent: Node) -> Node | None:
    try:
        return tree.node(path, first=parent.zarr_format)
    except (MetadataError, StorageError):
        return None


def _without_zarr(tree: Tree) -> str:
    if isinstance(tree.place, Path) and not tree.packed and not tree.place.is_dir():
        return "it is a single file, not a folder with an image in it"
    if tree.pages:
        raise NotFoundError(
            f"{tree.place} answers with a web page in place of {tree.pages[0]}: there is no image at this "
            "address, or one has to log in to see it"
        )
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
        if isinstance(tree.place, Location):
            refuse_portal(tree.place)
        raise NotFoundError(f"there is nothing at {tree.place}; check the spelling of the key")
    inside = [name for name in folders if name.endswith(".zarr")]
    if inside:
        if tree.packed:
            return f"it is an archive with {listed(inside)} in it; unpack it, and give one of them"
        return f"it is a folder with {listed(inside)} in it; give one of them"
    documents = [name for name in folders if name in ROOTS]
    if documents:
        return f"{documents[0]} is a folder there, expected a file; the copy went wrong"
    names = [*folders, *(item.key for item in objects)]
    return f"it has neither zarr.json nor .zattrs, only {listed(names)}"
