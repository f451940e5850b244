"""Whether the documents of a group agree: with its Zarr format, each other, and their consolidated copy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

from ngff_practical.errors import MetadataError
from ngff_practical.inspection.keys import attributes_key, join
from ngff_practical.inspection.tree import Node, Tree
from ngff_practical.metadata import Document
from ngff_practical.metadata.documents import repeated_keys
from ngff_practical.metadata.paths import path_fault
from ngff_practical.metadata.versions import base_version, version_of
from ngff_practical.metadata.wording import escaped, listed, located, quoted, shown
from ngff_practical.model import Issue

_MOST_ASKED_FOR = 1000  # documents that a consolidated copy lists


def group_issues(tree: Tree, node: Node) -> Iterator[Issue]:
    """Find what keeps Zarr from opening a group at all, and documents of the other Zarr format beside it."""
    rule = f"Zarr v{node.zarr_format}, group metadata"
    if node.zarr_format == 2:
        where = join(node.path, ".zgroup")
        document = node.document or tree.document(where)
        if document is None:
            yield Issue("must", where, ".zgroup is missing, so Zarr does not open the group", rule)
    else:
        where = join(node.path, "zarr.json")
        document = node.document
        kind = document.value.get("node_type") if document else None
        if document and kind != "group":
            yield Issue("must", where, f'node_type is {shown(kind)}, expected "group"', rule)
    stated = document.value.get("zarr_format") if document else node.zarr_format
    if stated != node.zarr_format:
        yield Issue(
            "must", where, f"zarr_format is {shown(stated)}, expected the number {node.zarr_format}", rule
        )
    if node.attributes_document is not None:
        for issue in repeated_keys(node.attributes_document):
            yield Issue(
                issue.severity,
                f"{attributes_key(node.path, node.zarr_format)}: {issue.where}",
                issue.message,
                issue.rule,
            )
    if tree.local or not node.path:  # on a server each name is a request
        others = (".zgroup", ".zattrs") if node.zarr_format == 3 else ("zarr.json",)
        beside = [join(node.path, name) for name in others if tree.holds(join(node.path, name))]
        if beside:
            mine = "zarr.json (Zarr v3)" if node.zarr_format == 3 else ".zgroup (Zarr v2)"
            found = f"{beside[0].rsplit('/', 1)[-1]} (Zarr v{5 - node.zarr_format})"
            message = f"{found} stands beside {mine}; readers take the one or the other"
            yield Issue("should", located(beside[0]), message, rule)


def version_issues(node: Node, root: str | None) -> Iterator[Issue]:
    """Find a version other than that of the whole: it is the same throughout (0.5, OME-Zarr Metadata)."""
    stated = version_of(node.attributes)
    modern = "0.5", "0.6"
    if root is None or stated is None or stated == root or base_version(root) not in modern:
        return
    message = f"version is {quoted(stated)}, but {quoted(root)} at the top; expected the same throughout"
    yield Issue(
        "must", f"{located(node.path)}: version", message, f"OME-Zarr {base_version(root)}, OME-Zarr Metadata"
    )


def consolidated_issues(tree: Tree, node: Node) -> Iterator[Issue]:
    """Find a consolidated copy of the metadata that says something else than the documents themselves."""
    key = ".zmetadata" if node.zarr_format == 2 else "zarr.json"
    rule = f"Zarr v{node.zarr_format}, consolidated metadata"
    try:
        copies = _consolidated(tree, node)
    except MetadataError as error:
        yield Issue("must", located(join(node.path, key)), str(error), rule)
        return
    outside = [name for name in copies if path_fault(name)]
    if outside:
        message = f"the copy in {key} names {quoted(outside[0])}, which {path_fault(outside[0])}"
        yield Issue("must", located(join(node.path, key)), message, rule)
    ghosts = [name for name in islice(copies, _MOST_ASKED_FOR) if _is_ghost(tree, join(node.path, name))]
    if ghosts:
        message = f"the copy in {key} lists {listed(ghosts)}, but nothing is stored there"
        yield Issue("must", located(join(node.path, ghosts[0])), message, rule)
    differing = list(_differing(tree, node, copies))
    for where, part in differing:
        message = f"the copy in {key} differs in {escaped(part)}, so some readers see something else"
        yield Issue("must", located(where), message, rule)
    left_out = [where for where in _levels(tree, node) if copies and where not in copies]
    if left_out and not differing:
        message = f"the copy in {key} leaves {listed(left_out)} out, so some readers do not see it"
        yield Issue("must", located(join(node.path, left_out[0])), message, rule)


def _differing(tree: Tree, node: Node, copies: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Yield documents that were read and differ from their copy, and in which part."""
    for name, copy in copies.items():
        where = join(node.path, name)
        data = tree.fetched.get(where)
        document = _readable(tree, where) if data is not None else None
        if document is None:
            continue
        mine = {part: value for part, value in document.value.items() if part != "consolidated_metadata"}
        theirs = copy if isinstance(copy, dict) else {}
        differing = [part for part in mine if (theirs.get(part) or None) != (mine[part] or None)]
        if differing:
            yield where, differing[0]


def _readable(tree: Tree, key: str) -> Document | None:
    try:
        return tree.document(key)
    except MetadataError:
        return None  # said where it is read


def _levels(tree: Tree, node: Node) -> Iterator[str]:
    """Yield the keys of arrays directly below a group, as far as they were read, relative to it."""
    start = join(node.path, "") if node.path else ""
    for where, data in tree.fetched.items():
        name = where.removeprefix(start)
        if data is not None and where.startswith(start) and name.count("/") == 1 and _is_array(where, tree):
            yield name


def _is_array(key: str, tree: Tree) -> bool:
    if key.endswith("/.zarray"):
        return True
    document = _readable(tree, key) if key.endswith("/zarr.json") else None
    return document is not None and document.value.get("node_type") == "array"


def _is_ghost(tree: Tree, key: str) -> bool:
    """Return True for a document that is not there; on a server only those are known that were asked for."""
    if path_fault(key):
        return False
    return tree.fetched[key] is None if key in tree.fetched else tree.local and not tree.holds(key)


def _consolidated(tree: Tree, node: Node) -> Mapping[str, object]:
    """Return the documents in a consolidated copy by their key.

    Raises
    ------
    MetadataError
        There is a copy, and it cannot be read.
    """
    if node.zarr_format == 2:
        document = tree.document(join(node.path, ".zmetadata"))
        copy: object = document.value if document else None
    else:
        copy = node.document.value.get("consolidated_metadata") if node.document else None
    if copy is None:
        return {}
    copies = copy.get("metadata") if isinstance(copy, dict) else None
    if not isinstance(copies, dict):
        found = shown(copies if isinstance(copy, dict) else copy)
        raise MetadataError(f"the consolidated metadata is {found}, expected an object of documents")
    return copies if node.zarr_format == 2 else {f"{path}/zarr.json": item for path, item in copies.items()}
