"""What Zarr itself hides: chunks that are not there, empty, cut short, or not chunks at all.

A chunk that is not stored reads as the fill value, without a word. So stored objects are compared with the
grid of the array here. Whether they can be decoded is for `decoding` to say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ngff_practical.errors import StorageError
from ngff_practical.inspection.keys import join
from ngff_practical.inspection.tree import Tree
from ngff_practical.metadata import ArrayInfo, escaped
from ngff_practical.metadata.documents import LFS_POINTER
from ngff_practical.metadata.wording import listed, plural
from ngff_practical.model import Issue, Shape, StoredObject
from ngff_practical.model.wording import shape_text

MOST_LISTED_REMOTE = 20_000
"""Objects of one level that are listed on a server; each thousand is a request."""

MOST_LISTED_LOCAL = 2_000_000
"""Objects of one level that are listed on this machine."""

_POINTER_SIZES = range(100, 400)  # bytes of a git-lfs pointer
_POINTERS_LOCAL, _POINTERS_REMOTE = 200, 3  # chunks of such a size that are read: git-lfs leaves all or none
_DOCUMENTS = frozenset({"zarr.json", ".zarray", ".zattrs", ".zgroup", ".zmetadata"})
RULE = "Zarr, storage of chunks"
"""What findings about chunks appeal to."""


@dataclass(frozen=True, slots=True)
class Stored:
    """The objects found of one array: chunks by grid position, its documents, and what is neither."""

    chunks: dict[Shape, StoredObject]
    others: tuple[StoredObject, ...]
    documents: frozenset[str] = frozenset()

    @property
    def nbytes(self) -> int:
        """Stored size of the chunks."""
        return sum(stored.nbytes for stored in self.chunks.values())


def stored_chunks(tree: Tree, path: str, array: ArrayInfo) -> Stored | None:
    """Return what is stored of an array, None where the server does not list it, or it would take too long.

    A list without the array's own document, which has been read, is none: some servers answer every question.

    Raises
    ------
    StorageError
        A link in a local folder leads out of it.
    """
    if not tree.packed and array.objects > (MOST_LISTED_LOCAL if tree.local else MOST_LISTED_REMOTE):
        return None
    chunks: dict[Shape, StoredObject] = {}
    others, documents = [], set()
    try:
        for stored in tree.everything(path):
            position = array.object_at(stored.key)
            if position is not None:
                chunks[position] = stored
            elif stored.key.rsplit("/", 1)[-1] not in _DOCUMENTS:
                others.append(stored)
            else:
                documents.add(stored.key)
    except StorageError:
        if tree.local:
            raise
        return None
    if not (tree.local or documents):
        return None
    return Stored(chunks, tuple(others), frozenset(documents))


def presence_issues(
    level: str, array: ArrayInfo, stored: Stored, *, elsewhere: bool, label: bool
) -> Iterator[Issue]:
    """Find chunks that are not there.

    A few missing ones are legal (an empty region) and are a `should`. None at all is a `data` issue: the
    copy stopped early. `elsewhere` says that other levels do have chunks; a label image without a single
    chunk anywhere may truly be empty.
    """
    expected, present = array.objects, len(stored.chunks)
    what = "shards" if array.shards else "chunks"
    if not expected or present == expected:
        return
    if present:
        message = (
            f"{plural(expected - present, what[:-1])} of {expected} not stored, reading as the fill value: "
            "legal for empty regions, but the copy may be incomplete"
        )
        yield Issue("should", level, message, RULE)
        return
    misnamed = [other for other in stored.others if _looks_like_a_chunk(other.key, array)]
    if misnamed:
        message = (
            f"the {what} are named like {escaped(misnamed[0].key)}, but the array says that the separator is "
            f'"{array.separator}", so every voxel reads as the fill value'
        )
        yield Issue("data", level, message, RULE)
    elif label and not elsewhere:
        yield Issue(
            "should",
            level,
            f"{_none(expected, what)} stored: the label image is empty, or incomplete",
            RULE,
        )
    else:
        message = (
            f"{_none(expected, what)} stored, so every voxel reads as the fill value; the copy is incomplete"
        )
        yield Issue("data", level, message, RULE)


def pointers_in(tree: Tree, level: str, stored: Stored) -> dict[Shape, StoredObject]:
    """Return the chunks that are git-lfs pointers, as far as they are looked at: it leaves all or none."""
    likely = [item for item in stored.chunks.items() if item[1].nbytes in _POINTER_SIZES]
    looked_at = likely[: _POINTERS_LOCAL if tree.local else _POINTERS_REMOTE]
    return {
        position: found
        for position, found in looked_at
        if _read(tree, join(level, found.key)).startswith(LFS_POINTER)
    }


def object_issues(level: str, stored: Stored, pointers: Iterable[StoredObject]) -> Iterator[Issue]:
    """Find chunks of zero bytes, and git-lfs pointers in place of chunks."""
    empty = [found.key for found in stored.chunks.values() if found.nbytes == 0]
    if empty:
        yield Issue(
            "data",
            level,
            f"{plural(len(empty), 'chunk')} of zero bytes: {listed(empty)}; the copy is damaged",
            RULE,
        )
    keys = [found.key for found in pointers]
    if keys:
        message = f"{plural(len(keys), 'git-lfs pointer')} in place of chunks: {listed(keys)}"
        yield Issue("data", level, f"{message}; fetch them with `git lfs pull`", RULE)


def stray_issues(level: str, array: ArrayInfo, stored: Stored) -> Iterator[Issue]:
    """Find what no reader of the array looks at: chunks beyond its grid, the other Zarr format's document."""
    version = f"Zarr v{array.zarr_format}"
    beyond = [
        other.key
        for other in stored.others
        if array.named_position(other.key) is not None
        or (stored.chunks and _looks_like_a_chunk(other.key, array))
    ]
    if beyond:
        message = (
            f"{plural(len(beyond), 'file')} named like a chunk, but not of the grid of "
            f"{shape_text(array.object_grid)}: {listed(beyond)}; nothing reads it, "
            "and the array was larger once or its shape is wrong"
        )
        yield Issue("should", level, message, f"{version}, chunk grids")
    mine, other = (".zarray", "zarr.json") if array.zarr_format == 2 else ("zarr.json", ".zarray")
    if other in stored.documents:
        where = join(level, other)
        message = f"{other} stands beside {mine}, in another Zarr format; readers take the one or the other"
        yield Issue("should", where, message, f"{version}, array metadata")


def _none(expected: int, what: str) -> str:
    return f"none of the {expected} {what} is" if expected > 1 else f"the only {what[:-1]} is not"


def _read(tree: Tree, key: str) -> bytes:
    try:
        return tree.read(key, _POINTER_SIZES.stop)
    except StorageError:
        return b""


def _looks_like_a_chunk(key: str, array: ArrayInfo) -> bool:
    other = "." if array.separator == "/" else "/"
    parts = key.removeprefix("c" + other).removeprefix("c" + array.separator).replace("/", ".").split(".")
    return len(parts) == len(array.shape) and all(part.isdecimal() for part in parts)
