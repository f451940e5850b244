"""What is wrong with a zip archive as such: names, sizes and packing, and what RFC-9 asks of `.ozx`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from itertools import islice

from ngff_practical.errors import MetadataError
from ngff_practical.inspection.packed import Packed
from ngff_practical.inspection.tree import Node, Tree
from ngff_practical.metadata import array_info, escaped, version_of
from ngff_practical.metadata.documents import parse_document
from ngff_practical.metadata.paths import path_fault
from ngff_practical.metadata.wording import listed, located, plural, quoted
from ngff_practical.model import Issue, Severity
from ngff_practical.storage import Member, unreadable

_ZIP = "ZIP, file names and sizes"
_RFC_9 = "RFC-9, OME-Zarr in ZIP"
_MOST_PACKED = 1033  # bytes that one packed byte of deflate can become
_MOST_ARRAYS = 200  # whose documents are read to see whether they are sharded


def archive_issues(packed: Packed) -> Iterator[Issue]:
    """Find members that no reader should follow, that cannot be read, or that lie about their size."""
    members = packed.archive.members
    outside = [(member.name, path_fault(member.name.rstrip("/"))) for member in members]
    outside = [(name, fault) for name, fault in outside if fault]
    if outside:
        name, fault = outside[0]
        message = f"{plural(len(outside), 'name')} that no program should unpack: {quoted(name)} {fault}"
        yield Issue("must", located(name), message, _ZIP)
    counts = Counter(member.name for member in members)
    twice = [name for name, count in counts.items() if count > 1]
    if twice:
        message = f"{listed(twice)} {'is' if len(twice) == 1 else 'are'} in the archive more than once; "
        yield Issue("must", located(twice[0]), f"{message}readers differ in which of them counts", _ZIP)
    closed: dict[str, list[str]] = {}
    for member in members:
        if unreadable(member):
            closed.setdefault(unreadable(member), []).append(member.name)
    for trouble, names in closed.items():
        more = f" (and {len(names) - 1} more)" if len(names) > 1 else ""
        yield Issue("must", located(names[0]), f"{escaped(names[0])}{more} {trouble}", _ZIP)
    yield from _sizes(packed, members)


def ozx_issues(tree: Tree, packed: Packed, node: Node) -> Iterator[Issue]:
    """Find what RFC-9 demands or recommends of a zipped OME-Zarr, and of the name `.ozx`.

    An archive of another name is held to the recommendations only, and one of Zarr v2 to nothing.
    """
    ozx = tree.place.name.lower().endswith(".ozx")
    grave: Severity = "must" if ozx else "should"
    if packed.folder:
        message = (
            f"the image lies in the folder {quoted(packed.folder)} of the archive, expected at its top; "
            "pack what is in the folder, not the folder"
        )
        yield Issue(grave, located(packed.folder), message, _RFC_9)
    if node.zarr_format == 2:
        if ozx:
            message = "the image is Zarr v2, but .ozx is for Zarr v3, that is OME-Zarr 0.5 or later"
            yield Issue("must", "", message, _RFC_9)
        return
    inside = [name for name in packed.members if name.lower().endswith((".zip", ".ozx"))]
    if inside:
        message = f"{listed(inside)} is an archive in the archive, expected one hierarchy"
        yield Issue(grave, located(inside[0]), message, _RFC_9)
    if not ozx:
        yield Issue("should", "", f"{quoted(tree.place.name)} is called .zip, expected .ozx", _RFC_9)
    yield from _packing(packed)
    yield from _order(packed)
    yield from _comment(packed, version_of(node.attributes))
    yield from _sharding(tree, packed)


def _sizes(packed: Packed, members: tuple[Member, ...]) -> Iterator[Issue]:
    whole = packed.archive.nbytes
    beyond = [member.name for member in members if member.offset + member.packed > whole]
    if beyond or sum(member.packed for member in members) > whole:
        names = listed(beyond) or "its members"
        message = f"{names} would take up more than the {whole} bytes of the archive; its directory is wrong"
        yield Issue("data", located(beyond[0]) if beyond else "", message, _ZIP)
        return
    lies = [
        member
        for member in members
        if (member.method == 0 and member.nbytes != member.packed and not member.encrypted)
        or member.nbytes > member.packed * _MOST_PACKED + _MOST_PACKED
    ]
    if lies:
        first = lies[0]
        message = (
            f"{escaped(first.name)} says that {first.packed} bytes hold {first.nbytes}, which cannot be; "
            f"its directory is wrong{f', as for {len(lies) - 1} more' if len(lies) > 1 else ''}"
        )
        yield Issue("data", located(first.name), message, _ZIP)


def _packing(packed: Packed) -> Iterator[Issue]:
    files = list(packed.members.values())
    compressed = [member.name for member in files if member.method]
    if compressed:
        message = (
            f"{len(compressed)} of {len(files)} members are compressed by ZIP, expected stored as they are: "
            "chunks are compressed already, and cannot be read in parts now"
        )
        yield Issue("should", "", message, _RFC_9)
    if not packed.archive.zip64 and not any(member.zip64 for member in files):
        yield Issue("should", "", "the archive is not ZIP64, expected even where it is small", _RFC_9)


def _order(packed: Packed) -> Iterator[Issue]:
    names = [key for key, _ in sorted(packed.members.items(), key=lambda item: item[1].offset)]
    documents = [name for name in names if name.rsplit("/", 1)[-1] == "zarr.json"]
    if "zarr.json" in packed.members and names[0] != "zarr.json":
        message = (
            f"zarr.json comes after {escaped(names[0])}, expected first, so that readers find it at once"
        )
        yield Issue("should", "zarr.json", message, _RFC_9)
    elif names[: len(documents)] != documents:
        message = "chunks come before metadata, expected every zarr.json before the first chunk"
        yield Issue("should", "", message, _RFC_9)
    elif [name.count("/") for name in documents] != sorted(name.count("/") for name in documents):
        message = "the zarr.json of deeper groups come before those of higher ones, expected breadth first"
        yield Issue("should", "", message, _RFC_9)


def _comment(packed: Packed, version: str | None) -> Iterator[Issue]:
    comment = packed.archive.comment.rstrip(b"\0")
    expected = json.dumps({"ome": {"version": version or "0.5"}})
    try:
        value = parse_document(comment, "the comment").value if comment else {}
    except MetadataError:
        value = {}
    ome = value.get("ome")
    stated = ome.get("version") if isinstance(ome, dict) else None
    if not comment:
        yield Issue("should", "", f"the archive has no comment, expected {escaped(expected)}", _RFC_9)
    elif stated != version:
        found = quoted(comment.decode(errors="replace"))
        yield Issue("should", "", f"the archive's comment is {found}, expected {escaped(expected)}", _RFC_9)


def _sharding(tree: Tree, packed: Packed) -> Iterator[Issue]:
    documents = (key for key in packed.members if key.endswith("/zarr.json"))
    for key in islice(documents, _MOST_ARRAYS):
        try:
            document = tree.document(key)
            array = array_info(document.value, key) if document else None
        except MetadataError:
            continue  # a group, or judged where it is an image's level
        if array and not array.shards and array.objects > 1:
            message = (
                f"{escaped(key)} has {array.objects} chunks and no shards, expected shards in an archive"
            )
            yield Issue("should", located(key), message, _RFC_9)
            return
