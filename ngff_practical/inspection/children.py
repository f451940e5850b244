"""One group of a walk and the groups that it names: opened, judged, and missed where they are not there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from ngff_practical.errors import MetadataError, StorageError
from ngff_practical.inspection.consistency import group_issues, version_issues
from ngff_practical.inspection.keys import attributes_key, below, join
from ngff_practical.inspection.tree import Node, UnreadableError
from ngff_practical.inspection.walk import Walk
from ngff_practical.metadata import Subject, assumed_version, check, escaped, kind_of
from ngff_practical.metadata.paths import path_fault
from ngff_practical.metadata.wording import listed, located
from ngff_practical.model import Issue, Kind

MOST_LOCAL = 2000
"""Wells, fields, series or labels of one group that are looked at on this machine."""

MOST_REMOTE = 100
"""Wells, fields, series or labels of one group that are looked at on a server."""


def subject_of(node: Node, kind: Kind | None = None) -> Subject:
    """Return a group as the rules see it, as what it says that it is or as another kind."""
    version = assumed_version(node.attributes, node.zarr_format)
    return Subject(kind or kind_of(node.attributes), version, node.attributes, zarr_format=node.zarr_format)


def own_issues(walk: Walk, node: Node, subject: Subject) -> Iterator[Issue]:
    """Find what is wrong with one group itself: its documents, its metadata, its version."""
    try:
        yield from group_issues(walk.tree, node)
    except UnreadableError as error:
        yield Issue("must", error.key, str(error), f"Zarr v{node.zarr_format}, group metadata")
    yield from (below(node.path, issue) for issue in check(subject))
    if node.path:
        yield from version_issues(node, walk.version)


def open_child(walk: Walk, path: str, parent: Node) -> tuple[Node | None, list[Issue]]:
    """Return the group at a path, None where there is none, and what is wrong with opening it."""
    try:
        node = walk.tree.node(path, first=parent.zarr_format)
    except (MetadataError, StorageError) as error:
        where = attributes_key(path, parent.zarr_format)
        return None, [
            Issue("must", located(where), str(error), f"Zarr v{parent.zarr_format}, group metadata")
        ]
    if node is not None and node.zarr_format != parent.zarr_format:
        message = f"the group is Zarr v{node.zarr_format}, but the one above it is Zarr v{parent.zarr_format}"
        return node, [Issue("must", located(path), message, "Zarr, hierarchies")]
    return node, []


def children_issues(
    walk: Walk,
    parent: Node,
    named: Mapping[str, str],
    *,
    what: str,
    kinds: tuple[Kind, ...],
    said: Iterable[Issue] = (),
    look: Callable[[Node], Iterable[Issue]],
) -> Iterator[Issue]:
    """Find what is wrong with the groups that a group names, one finding for all that are not there.

    `named` says where in the parent's metadata each path stands; paths that lead elsewhere are passed over,
    and absent ones of which `said` has a finding already.
    """
    subject = subject_of(parent)
    rule = f"{'bioformats2raw.layout' if subject.kind == 'bioformats2raw' else subject.kind} metadata"

    def open_and_look(path: str) -> list[Issue] | None:
        node, issues = open_child(walk, join(parent.path, path.rstrip("/")), parent)
        if node is None:
            return issues or None
        found = kind_of(node.attributes)
        if found not in kinds:
            message = (
                f"{escaped(path)} is {'no OME-Zarr' if found == 'none' else f'a {found}'}, expected {what}"
            )
            return [*issues, below(parent.path, subject.spot(rule, named[path]).must(message))]
        return [*issues, *look(node)]

    paths = _some(walk, [path for path in named if not path_fault(path)], what)
    walk.tree.fetch(attributes_key(join(parent.path, path), parent.zarr_format) for path in paths)
    results = walk.tree.each(open_and_look, paths)
    known = {issue.where for issue in said if issue.severity == "must"}
    absent = [path for path, issues in zip(paths, results, strict=True) if issues is None]
    missing = [
        path
        for path in absent
        if below(parent.path, subject.spot("", named[path]).must("")).where not in known
    ]
    if missing:
        many = f"{len(missing)} of {len(paths)} are not there" if len(missing) > 1 else "it is not there"
        message = f"expected {what} in {listed(missing)}, but {many}; the copy may be incomplete"
        yield below(parent.path, subject.spot(rule, named[missing[0]]).must(message))
    for issues in results:
        yield from issues or ()


def _some(walk: Walk, paths: list[str], what: str) -> list[str]:
    most = MOST_LOCAL if walk.tree.local else MOST_REMOTE
    if len(paths) > most:
        walk.note(f"where {len(paths)} times {what} is named, the first {most} were looked at")
    return paths[:most]
