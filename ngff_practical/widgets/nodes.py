"""The metadata of a place as lines to read: key, value, what it means, and what the validator finds there."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ngff_practical.errors import MetadataError
from ngff_practical.inspection import (
    Node,
    Tree,
    UnreadableError,
    images_of,
    join,
    labels_of,
    open_tree,
    paths_of,
    texts_of,
    what_is_there,
)
from ngff_practical.metadata import (
    assumed_version,
    kind_of,
    level_paths,
    multiscales_of,
)
from ngff_practical.model import Issue, Place
from ngff_practical.widgets.counting import counted
from ngff_practical.widgets.meanings import meaning, meaning_of_item

MOST_NODES = 40
MOST_ITEMS = 60  # of one list or object
_LONGEST = 120  # characters of a value
_COPY = "consolidated_metadata"
_DOCUMENTS = ("zarr.json", ".zattrs", ".zgroup", ".zarray")
_CALLED_OTHERWISE = {"chunks": "chunk_grid", "dtype": "data_type"}  # what Zarr v3 calls it


@dataclass(frozen=True, slots=True)
class Line:
    """One key of a document; `where` is its path into the metadata, as findings give it."""

    where: str
    depth: int
    key: str
    value: str
    meaning: str
    holds: bool
    issues: tuple[Issue, ...] = ()


@dataclass(frozen=True, slots=True)
class NodeLines:
    """A group or array: its own documents line by line; `issues` are those of the node as a whole."""

    path: str
    kind: str
    lines: tuple[Line, ...]
    issues: tuple[Issue, ...] = ()

    @property
    def all_issues(self) -> tuple[Issue, ...]:
        """Findings at the node and at each of its lines."""
        return self.issues + tuple(issue for line in self.lines for issue in line.issues)


def read_nodes(place: str | Place) -> tuple[NodeLines, ...]:
    """Return the nodes of an OME-Zarr, itself first, at most `MOST_NODES`; no pixel is read.

    Raises
    ------
    MetadataError
        What is there has no Zarr metadata.
    """
    with open_tree(place) as tree:
        made: list[NodeLines] = []
        pending = [""]
        while pending and len(made) < MOST_NODES:
            path = pending.pop(0)
            try:
                node = tree.node(path)
                value = _documents(tree, node) if node else {}
            except UnreadableError as error:
                made.append(NodeLines(path, f"unreadable: {error}", ()))
                continue
            if node is None and not path:
                raise MetadataError(f"{tree.place} is no OME-Zarr: {what_is_there(tree, None)}")
            if node is None:
                made.append(NodeLines(path, "named, but not there", ()))
                continue
            made.append(NodeLines(path, _kind(node), lines_of(value)))
            if node.node_type == "group":
                pending += [join(path, name) for name in _children(tree, node)]
        return tuple(made)


def lines_of(value: Mapping[str, object]) -> tuple[Line, ...]:
    """Return a document line by line, keys before what they hold; long lists are cut."""
    return tuple(_lines(value, "", 0, ()))


def with_issues(nodes: Sequence[NodeLines], issues: Sequence[Issue]) -> tuple[NodeLines, ...]:
    """Return the nodes with each finding at the line it is about, or at the nearest that holds it."""
    paths = [node.path for node in nodes]
    known = [{line.where for line in node.lines} for node in nodes]
    found: dict[tuple[int, str], list[Issue]] = defaultdict(list)
    for issue in issues:
        path, where = _address(issue.where, paths)
        index = paths.index(path)
        found[index, _nearest(where, known[index])].append(issue)

    def taken(index: int, where: str) -> tuple[Issue, ...]:
        return tuple(found.pop((index, where), ()))  # each finding once, where a key stands in two places

    return tuple(
        replace(
            node,
            lines=tuple(replace(line, issues=taken(index, line.where)) for line in node.lines),
            issues=taken(index, ""),
        )
        for index, node in enumerate(nodes)
    )


def _documents(tree: Tree, node: Node) -> dict[str, object]:
    """Return a node's own document; those of Zarr v2, which has two, as one."""
    if node.zarr_format == 3:
        return dict(node.document.value) if node.document else {}
    first = node.document or tree.document(join(node.path, ".zgroup"))
    value = dict(first.value) if first else {}
    return value | (node.attributes_document.value if node.attributes_document else {})


def _kind(node: Node) -> str:
    if node.node_type == "array":
        return "array"
    kind = kind_of(node.attributes)
    return "group" if kind == "none" else kind


def _children(tree: Tree, node: Node) -> list[str]:
    match kind_of(node.attributes):
        case "image" | "label":
            version = assumed_version(node.attributes, node.zarr_format)
            found = multiscales_of(node.attributes, version)
            levels = list(level_paths(found[0])) if found else []
            return levels + (["labels"] if labels_of(tree, node) else [])
        case "labels":
            return list(texts_of(node, "labels"))
        case "plate":
            return list(paths_of(node, "plate", "wells"))
    return list(images_of(tree, node))


def _lines(value: object, where: str, depth: int, parents: tuple[str, ...]) -> Iterator[Line]:
    pairs: list[tuple[str, object]]
    if isinstance(value, dict):
        pairs = [(str(key), item) for key, item in value.items()]
    elif isinstance(value, list):
        pairs = [(f"[{index}]", item) for index, item in enumerate(value)]
    else:
        return
    for key, item in pairs[:MOST_ITEMS]:
        inner = f"{where}{key}" if key.startswith("[") or not where else f"{where}.{key}"
        is_item = isinstance(value, list)
        said = meaning_of_item(parents) if is_item else meaning(parents, key)
        holds = isinstance(item, dict | list) and not _plain(item) and key != _COPY
        yield Line(_as_findings(inner), depth, key, _short(item, key), said, holds)
        if holds:
            yield from _lines(item, inner, depth + 1, parents if is_item else (*parents, key))
    if len(pairs) > MOST_ITEMS:
        text = f"and {len(pairs) - MOST_ITEMS:,} more"
        yield Line(f"{_as_findings(where)}[…]", depth, "…", text, "", holds=False)


def _plain(item: object) -> bool:
    """Return whether a list is short and simple enough for one line: [1, 0.5, 0.5]."""
    if isinstance(item, list):
        return bool(item) and len(item) <= 8 and not any(isinstance(part, dict | list) for part in item)
    return not item


def _short(item: object, key: str) -> str:
    if isinstance(item, dict | list) and (key == _COPY or not _plain(item)):
        return counted(len(item), "key" if isinstance(item, dict) else "item")
    text = json.dumps(item, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _as_findings(where: str) -> str:
    """Return a path as findings give it: relative to OME-Zarr's metadata, wherever the version keeps them."""
    for prefix in ("attributes.ome.", "attributes."):
        if where.startswith(prefix):
            return where.removeprefix(prefix)
    return where


def _address(where: str, paths: Sequence[str]) -> tuple[str, str]:
    """Return the node that a finding is about, and its path into that node's metadata."""
    head, colon, rest = where.partition(": ")
    if not colon and head not in paths and not head.endswith(_DOCUMENTS):
        above = [path for path in paths if path and head.startswith(f"{path}/")]
        return (max(above, key=len), "") if above else ("", head)
    folder = head
    for name in _DOCUMENTS:
        folder = folder.removesuffix(name).removesuffix("/")
    while folder not in paths and folder:
        folder = folder.rpartition("/")[0]
    return folder, rest


def _nearest(where: str, known: set[str]) -> str:
    where = _CALLED_OTHERWISE.get(where, where) if where not in known else where
    while where and where not in known:
        where = where[: max(where.rfind("."), where.rfind("["), 0)]
    return where
