"""What is wrong with an image: its metadata, its levels, their chunks, and the label images below it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ngff_practical.errors import StorageError
from ngff_practical.inspection.children import children_issues, open_child, own_issues, subject_of
from ngff_practical.inspection.consistency import consolidated_issues
from ngff_practical.inspection.keys import attributes_key, below, join
from ngff_practical.inspection.levels import arrays_of, chunk_issues
from ngff_practical.inspection.tree import Node
from ngff_practical.inspection.walk import Walk
from ngff_practical.metadata import Subject, escaped, kind_of
from ngff_practical.metadata.paths import resolved
from ngff_practical.metadata.rules_labels import label_fits_image
from ngff_practical.metadata.wording import listed, quoted
from ngff_practical.model import Issue


def image_issues(walk: Walk, node: Node) -> Iterator[Issue]:
    """Find what is wrong with an image, or a label image, and with the labels below it."""
    subject, issues = _judged(walk, node, subject_of(node))
    yield from issues
    labels, issues = open_child(walk, join(node.path, "labels"), node)
    yield from issues
    if labels is not None and labels.node_type == "group" and labels.attributes:
        yield from labels_issues(walk, labels, subject)
    elif not issues and (labels is None or labels.node_type == "group"):
        yield from _without_list(walk, node, subject, there=labels is not None)


def labels_issues(walk: Walk, node: Node, image: Subject | None = None) -> Iterator[Issue]:
    """Find what is wrong with a "labels" group and its label images; `image` is what they belong to."""
    subject = subject_of(node, "labels")
    yield from own_issues(walk, node, subject)
    listed_paths = subject.metadata.get("labels")
    paths = [path for path in listed_paths if isinstance(path, str)] if isinstance(listed_paths, list) else []
    named = {path: f"labels[{index}]" for index, path in reversed(list(enumerate(paths)))}

    def look(label: Node) -> list[Issue]:
        judged, issues = _judged(walk, label, subject_of(label, "label"))
        if image is not None:
            known = {(issue.severity, issue.where) for issue in issues}
            fitting = [below(label.path, issue) for issue in label_fits_image(judged, image)]
            issues += [issue for issue in fitting if (issue.severity, issue.where) not in known]
        return [*issues, *_source_issues(walk, label, judged, alone=image is None)]

    yield from children_issues(
        walk, node, dict(reversed(named.items())), what="a label image", kinds=("image", "label"), look=look
    )
    if isinstance(listed_paths, list):
        yield from _unlisted(walk, node, subject, paths)


def _judged(walk: Walk, node: Node, subject: Subject) -> tuple[Subject, list[Issue]]:
    """Return an image with its arrays, and what is wrong with it and them."""
    arrays, array_issues = arrays_of(walk.tree, node, subject)
    subject = replace(subject, arrays=arrays)
    return subject, [
        *own_issues(walk, node, subject),
        *array_issues,
        *consolidated_issues(walk.tree, node),
        *chunk_issues(walk, node, subject),
    ]


def _unlisted(walk: Walk, node: Node, subject: Subject, paths: Sequence[str]) -> Iterator[Issue]:
    """Find label images that the list leaves out: all should be in it (0.5, labels metadata)."""
    if not walk.tree.local:
        return
    try:
        folders, _ = walk.tree.list_folder(node.path)
    except StorageError:
        return
    known = {path.split("/")[0] for path in paths}
    extra = [name for name in folders if name not in known and not name.startswith(".")]
    if extra:
        message = f"{listed(extra)} is stored there, but not listed, so viewers do not find it"
        yield below(node.path, subject.spot("labels metadata", "labels").should(message))


def _without_list(walk: Walk, node: Node, image: Subject, *, there: bool) -> Iterator[Issue]:
    """Find label images in a folder "labels" that lists none of them (0.5, labels metadata)."""
    if not walk.tree.local:
        return
    try:
        folders, _ = walk.tree.list_folder(join(node.path, "labels"))
    except StorageError:
        return
    found = [name for name in folders if not name.startswith(".")]
    if found:
        key = attributes_key("labels", node.zarr_format)
        missing = "the list of them is missing" if there else f"{key}, which lists them, is missing"
        message = f"label images are stored below labels ({listed(found)}), but {missing}"
        spot = image.spot("labels metadata", "labels")
        yield below(node.path, spot.must(message) if there else spot.should(message))


def _source_issues(walk: Walk, node: Node, label: Subject, *, alone: bool) -> Iterator[Issue]:
    """Find a source that leads to no image; by default it is "../../" (0.5, labels metadata)."""
    described = label.metadata.get("image-label")
    source = described.get("source") if isinstance(described, dict) else None
    path = source.get("image") if isinstance(source, dict) else None
    if not isinstance(path, str):
        return
    target = resolved(node.path, path)
    if target is None and alone:
        return  # above what is looked at
    spot = label.spot("labels metadata", "image-label.source.image")
    if target is None:
        message = (
            f"the source {quoted(path)} leads out of what is looked at here, expected the image above, ../../"
        )
        yield below(node.path, spot.must(message))
        return
    found, _ = open_child(walk, target, node)
    if found is None or kind_of(found.attributes) not in ("image", "label"):
        message = (
            f"the source {quoted(path)} leads to {escaped(target) or 'the top'}, where there is no image"
        )
        yield below(node.path, spot.must(message))
