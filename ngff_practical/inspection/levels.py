"""The levels of one image as they are stored: their arrays, and whether their chunks are all there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ngff_practical.errors import MetadataError, StorageError
from ngff_practical.inspection.chunks import (
    Stored,
    object_issues,
    pointers_in,
    presence_issues,
    stored_chunks,
    stray_issues,
)
from ngff_practical.inspection.decoding import decoding_issues, not_decoded, opening_fault
from ngff_practical.inspection.keys import ZarrFormat, array_key, below, join
from ngff_practical.inspection.tree import Node, Tree
from ngff_practical.inspection.walk import Walk
from ngff_practical.metadata import ArrayInfo, Document, Subject, array_info, array_issues, escaped
from ngff_practical.metadata.documents import not_json_numbers, repeated_keys
from ngff_practical.metadata.paths import path_fault
from ngff_practical.metadata.reading import Dataset
from ngff_practical.metadata.structure import is_number
from ngff_practical.metadata.wording import located, shown
from ngff_practical.model import Issue


def arrays_of(tree: Tree, node: Node, subject: Subject) -> tuple[dict[str, ArrayInfo], list[Issue]]:
    """Return the arrays of an image's levels by path, and what is wrong with their documents."""
    datasets = [dataset for found in subject.multiscales for dataset in found.datasets]
    followed = {
        dataset.path: dataset for dataset in datasets if dataset.path and not path_fault(dataset.path)
    }
    tree.fetch(array_key(join(node.path, path), node.zarr_format) for path in followed)
    arrays: dict[str, ArrayInfo] = {}
    issues: list[Issue] = []
    for path, dataset in followed.items():
        name = path.rstrip("/")
        try:
            found = _array(tree, node, name)
        except MetadataError as error:
            where = array_key(join(node.path, name), node.zarr_format)
            issues.append(
                Issue("must", located(where), str(error), f"Zarr v{node.zarr_format}, array metadata")
            )
            continue
        if found is None:
            issues.append(below(node.path, _absent(tree, node, dataset, name, subject)))
            continue
        zarr_format, document = found
        prefix = located(array_key(join(node.path, name), zarr_format))
        faults = list(_document_issues(document, zarr_format))
        issues += [replace(issue, where=f"{prefix}: {issue.where}".removesuffix(": ")) for issue in faults]
        try:
            info = array_info({**document.value, "zarr_format": zarr_format}, escaped(name))
        except MetadataError:
            continue  # among the faults
        arrays[name] = _with_dimensions(tree, node, name, info, subject)
    return arrays, issues


def chunk_issues(walk: Walk, node: Node, subject: Subject) -> Iterator[Issue]:
    """Compare what is stored of every level with what its array says."""
    stored: dict[str, Stored] = {}
    for name, array in subject.arrays.items():
        level = join(node.path, name)
        try:
            found = stored_chunks(walk.tree, level, array) if array.objects else None
        except StorageError as error:
            yield Issue("must", located(level), str(error), "Zarr, storage of chunks")
            continue
        if found is not None:
            stored[name] = found
        elif array.objects:
            walk.note("chunks were not counted where the server does not list them, or there are too many")
    if walk.data:
        walk.found(sum(chunk.nbytes > 0 for found in stored.values() for chunk in found.chunks.values()))
    for name, found in stored.items():
        array, level = subject.arrays[name], join(node.path, name)
        elsewhere = any(other.chunks for key, other in stored.items() if key != name)
        label = subject.kind == "label"
        issues = [*presence_issues(level, array, found, elsewhere=elsewhere, label=label)]
        issues += stray_issues(level, array, found)
        pointers = pointers_in(walk.tree, level, found)
        issues += object_issues(level, found, pointers.values())
        others = {position: chunk for position, chunk in found.chunks.items() if position not in pointers}
        if others and walk.decodes(found.nbytes):
            issues += _decoding_issues(walk, level, array, replace(found, chunks=others))
        yield from (replace(issue, where=located(issue.where)) for issue in issues)


def _decoding_issues(walk: Walk, level: str, array: ArrayInfo, found: Stored) -> Iterator[Issue]:
    document = walk.tree.array(level, array.zarr_format)
    if document is None:
        return
    reason = not_decoded(array, document.value)
    if reason:
        if walk.data:
            walk.note(f"the chunks of {escaped(level)} were not decoded, as they {reason}")
        return
    yield from decoding_issues(walk.tree, level, array, document.value, found, on_chunk=walk.decoded)


def _array(tree: Tree, node: Node, name: str) -> tuple[ZarrFormat, Document] | None:
    """Return the document of a level, in the group's own Zarr format or else in the other one."""
    formats: tuple[ZarrFormat, ...] = (3, 2) if node.zarr_format == 3 else (2, 3)
    for zarr_format in formats:
        document = tree.array(join(node.path, name), zarr_format)
        if document is not None and document.value.get("node_type", "array") == "array":
            return zarr_format, document
    return None


def _document_issues(document: Document, zarr_format: ZarrFormat) -> Iterator[Issue]:
    """Find what is wrong with an array's document: as JSON, by our own rules, and else by Zarr itself."""
    rule = f"Zarr v{zarr_format}, array metadata"
    value = {**document.value, "zarr_format": zarr_format}
    stated = document.value.get("zarr_format")
    if stated != zarr_format or not is_number(stated):
        message = f"zarr_format is {shown(stated)}, expected the number {zarr_format}"
        yield Issue("must", "zarr_format", message, rule)
    yield from repeated_keys(document)
    found = [*not_json_numbers(document.value), *array_issues(value)]
    yield from found
    if not any(issue.severity == "must" for issue in found):
        fault = opening_fault(value)
        if fault:
            yield Issue("must", "", f"Zarr cannot open the array: {fault}", rule)


def _absent(tree: Tree, node: Node, dataset: Dataset, name: str, subject: Subject) -> Issue:
    missing = array_key(name, node.zarr_format)
    message = f"the array {escaped(name)} is not there: expected {escaped(missing)}"
    if tree.document(join(node.path, f"{name}/zarr.json")) or tree.document(
        join(node.path, f"{name}/.zgroup")
    ):
        message = f"{escaped(name)} is a group, expected an array"
    elif tree.holds_below(join(node.path, name)):
        message += ", of which only other files are stored; the copy is incomplete"
    return subject.spot("multiscales metadata", f"{dataset.where}.path").must(message)


def _with_dimensions(tree: Tree, node: Node, name: str, array: ArrayInfo, subject: Subject) -> ArrayInfo:
    """Return an array of 0.3 with the names that its "_ARRAY_DIMENSIONS" give (0.3, multiscales metadata)."""
    if subject.version != "0.3":
        return array
    try:
        document = tree.document(join(node.path, f"{name}/.zattrs"))
    except MetadataError:
        return array
    names = document.value.get("_ARRAY_DIMENSIONS") if document else None
    if not isinstance(names, list) or not all(isinstance(item, str) for item in names):
        return array
    return replace(array, dimension_names=tuple(names))
