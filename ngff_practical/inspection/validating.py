"""Whether a place holds what its metadata says, it and all that it contains."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator

from ngff_practical.inspection.archives import archive_issues, ozx_issues
from ngff_practical.inspection.consistency import consolidated_issues
from ngff_practical.inspection.elsewhere import what_is_there
from ngff_practical.inspection.images import image_issues, labels_issues
from ngff_practical.inspection.plates import collection_issues, plate_issues, scene_issues, well_issues
from ngff_practical.inspection.tree import Node, Tree, UnreadableError, open_tree
from ngff_practical.inspection.walk import Walk
from ngff_practical.metadata import assumed_version, kind_of, version_of
from ngff_practical.model import Issue, Issues, Place, ValidationReport

_MOST_ISSUES = 1000


def validate(
    place: str | Place, *, data: bool = False, on_chunk: Callable[[int, int], None] | None = None
) -> Issues:
    """Return every issue found at a place, as `validation_report` does; () means that all is well."""
    return Issues(validation_report(place, data=data, on_chunk=on_chunk).issues)


def validation_report(
    place: str | Place, *, data: bool = False, on_chunk: Callable[[int, int], None] | None = None
) -> ValidationReport:
    """Return every issue found at a place and in what it contains: levels, labels, wells, fields, series.

    Chunks are counted wherever the place can be listed. Those of local images are decoded, too, as long as
    they are small (8 MB in all); with `data` every chunk is decoded, however many there are and wherever,
    and `on_chunk(decoded, found so far)` is called after each.

    Raises
    ------
    NotFoundError
        Nothing is stored there.
    """
    try:
        with open_tree(place) as tree:
            return _report(tree, data, on_chunk)
    except UnreadableError as error:
        issue = Issue("must", error.key, str(error), "Zarr, group metadata")
        return ValidationReport(str(place), "none", None, (issue,))


def _report(tree: Tree, data: bool, on_chunk: Callable[[int, int], None] | None) -> ValidationReport:
    location = str(tree.place)
    issues = [*archive_issues(tree.packed)] if tree.packed else []
    said = {issue.where for issue in issues}
    try:
        node = tree.node()
    except UnreadableError as error:
        issues = [*_unreadable(error, said, "Zarr, group metadata"), *issues]
        return ValidationReport(location, "none", None, tuple(issues))
    if node is None or node.node_type == "array" or kind_of(node.attributes) == "none":
        issue = Issue("must", "", f"this is no OME-Zarr: {what_is_there(tree, node)}", "OME-Zarr, metadata")
        return ValidationReport(location, "none", None, (issue, *issues))
    version = version_of(node.attributes) or assumed_version(node.attributes, node.zarr_format)
    walk = Walk(tree, data, version, on_chunk)
    try:
        if tree.packed:
            issues += ozx_issues(tree, tree.packed, node)
        found = (issue for issue in _issues_of(walk, node) if not issue.where or issue.where not in said)
        issues += _most(walk, found)
    except UnreadableError as error:
        issues += _unreadable(error, said, "Zarr, metadata documents")
    return ValidationReport(location, kind_of(node.attributes), version, tuple(issues), tuple(walk.notes))


def _unreadable(error: UnreadableError, said: Container[str], rule: str) -> Iterator[Issue]:
    """Yield that a document cannot be read, unless something is said of the same file already."""
    if error.key not in said:
        yield Issue("must", error.key, str(error), rule)


def _most(walk: Walk, issues: Iterator[Issue]) -> Iterator[Issue]:
    """Yield the first issues; advice without end does not hide what is broken further on."""
    advice = faults = 0
    for issue in issues:
        advice += issue.severity == "should"
        faults += issue.severity != "should"
        if issue.severity != "should" or advice <= _MOST_ISSUES:
            yield issue
        if advice > _MOST_ISSUES:
            walk.note(f"the first {_MOST_ISSUES} recommendations are listed, there are more")
        if faults >= _MOST_ISSUES:
            walk.note(f"the first {_MOST_ISSUES} faults are listed, there may be more")
            return


def _issues_of(walk: Walk, node: Node) -> Iterator[Issue]:
    yield from _issues_of_kind(walk, node)
    if kind_of(node.attributes) not in ("image", "label"):  # theirs are found with their levels
        yield from consolidated_issues(walk.tree, node)


def _issues_of_kind(walk: Walk, node: Node) -> Iterator[Issue]:
    match kind_of(node.attributes):
        case "image" | "label":
            return image_issues(walk, node)
        case "labels":
            return labels_issues(walk, node)
        case "plate":
            return plate_issues(walk, node)
        case "well":
            return well_issues(walk, node)
        case "bioformats2raw":
            return collection_issues(walk, node)
        case _:
            return scene_issues(walk, node)
