"""What Zarr itself hides: chunks that are not there, empty, cut short, or not chunks at all.

A chunk that is not stored reads as the fill value, without a word. So stored objects are compared with the
grid of the array here, and, where asked for, decoded one by one.
"""

from __future__ import annotations

import lzma
import math
import warnings
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import zarr

from ngff_practical.errors import StorageError
from ngff_practical.inspection.tree import Tree, join
from ngff_practical.metadata import ArrayInfo, escaped
from ngff_practical.metadata.arrays import KNOWN_CODECS, UNSAFE_CODECS
from ngff_practical.metadata.documents import LFS_POINTER
from ngff_practical.metadata.wording import listed, plural
from ngff_practical.model import Issue, Shape, StoredObject
from ngff_practical.storage import read_object, zarr_store

MOST_LISTED_REMOTE = 20_000
"""Objects of one level that are listed on a server; each thousand is a request."""

_LARGEST_DECODED = 512 * 2**20  # bytes of voxels that are decoded in one piece
_POINTER_SIZES = range(100, 400)  # bytes of a git-lfs pointer
_POINTERS_LOCAL, _POINTERS_REMOTE = 200, 3  # chunks of such a size that are read: git-lfs leaves all or none
_DOCUMENTS = frozenset({"zarr.json", ".zarray", ".zattrs", ".zgroup", ".zmetadata"})
_RULE = "Zarr, storage of chunks"

_SAME_SIZE = frozenset({"bytes", "endian", "transpose", "shuffle", "numcodecs.shuffle"})  # change no size

# Whatever the codecs raise over damaged bytes; which of these depends on the codec.
_UNDECODABLE = (
    ValueError,
    RuntimeError,
    TypeError,
    OSError,
    EOFError,
    LookupError,
    ArithmeticError,
    MemoryError,
    BufferError,
    zlib.error,
    lzma.LZMAError,
)


@dataclass(frozen=True, slots=True)
class Stored:
    """The objects found of one array: chunks by grid position, and the keys that are none of its chunks."""

    chunks: dict[Shape, StoredObject]
    others: tuple[StoredObject, ...]

    @property
    def nbytes(self) -> int:
        """Stored size of the chunks."""
        return sum(stored.nbytes for stored in self.chunks.values())


def stored_chunks(tree: Tree, path: str, array: ArrayInfo) -> Stored | None:
    """Return what is stored of an array, None where the server does not list it, or it would take too long.

    Raises
    ------
    StorageError
        A link in a local folder leads out of it.
    """
    if not tree.local and array.objects > MOST_LISTED_REMOTE:
        return None
    chunks: dict[Shape, StoredObject] = {}
    others = []
    try:
        for stored in tree.everything(path):
            position = array.object_at(stored.key)
            if position is not None:
                chunks[position] = stored
            elif stored.key.rsplit("/", 1)[-1] not in _DOCUMENTS:
                others.append(stored)
    except StorageError:
        if tree.local:
            raise
        return None
    return Stored(chunks, tuple(others))


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
        yield Issue("should", level, message, _RULE)
        return
    misnamed = [other for other in stored.others if _looks_like_a_chunk(other.key, array)]
    if misnamed:
        message = (
            f"the {what} are named like {escaped(misnamed[0].key)}, but the array says that the separator is "
            f'"{array.separator}", so every voxel reads as the fill value'
        )
        yield Issue("data", level, message, _RULE)
    elif label and not elsewhere:
        yield Issue(
            "should",
            level,
            f"{_none(expected, what)} stored: the label image is empty, or incomplete",
            _RULE,
        )
    else:
        message = (
            f"{_none(expected, what)} stored, so every voxel reads as the fill value; the copy is incomplete"
        )
        yield Issue("data", level, message, _RULE)


def object_issues(tree: Tree, level: str, stored: Stored) -> Iterator[Issue]:
    """Find chunks of zero bytes, and git-lfs pointers in place of chunks."""
    empty = [found.key for found in stored.chunks.values() if found.nbytes == 0]
    if empty:
        yield Issue(
            "data",
            level,
            f"{plural(len(empty), 'chunk')} of zero bytes: {listed(empty)}; the copy is damaged",
            _RULE,
        )
    likely = [found.key for found in stored.chunks.values() if found.nbytes in _POINTER_SIZES]
    looked_at = likely[: _POINTERS_LOCAL if tree.local else _POINTERS_REMOTE]
    pointers = [key for key in looked_at if _read(tree, join(level, key)).startswith(LFS_POINTER)]
    if pointers:
        message = f"{plural(len(pointers), 'git-lfs pointer')} in place of chunks: {listed(pointers)}"
        yield Issue("data", level, f"{message}; fetch them with `git lfs pull`", _RULE)


def decoding_issues(tree: Tree, level: str, array: ArrayInfo, stored: Stored) -> Iterator[Issue]:
    """Decode every stored chunk, or shard, and find those that are truncated, altered or of another size.

    Arrays with unknown or unsafe codecs are left alone, as are chunks too large to hold.
    """
    if UNSAFE_CODECS & set(array.codecs) or not KNOWN_CODECS.issuperset(array.codecs):
        return
    if math.prod(array.object_shape) * array.itemsize > _LARGEST_DECODED:
        return
    sound = [(position, found) for position, found in stored.chunks.items() if found.nbytes]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Zarr's remarks about documents, which our own rules judge
        yield from _decode_all(tree, level, array, sound)


def _decode_all(
    tree: Tree, level: str, array: ArrayInfo, sound: list[tuple[Shape, StoredObject]]
) -> Iterator[Issue]:
    try:
        opened = zarr.open_array(zarr_store(tree.place), path=level, mode="r", zarr_format=array.zarr_format)
    except _UNDECODABLE as error:
        yield Issue("data", level, f"Zarr cannot open the array: {_cause(error)}", _RULE)
        return

    def decode(item: tuple[Shape, StoredObject]) -> str:
        position, found = item
        start = _inflation(tree, join(level, found.key), array)
        if start:
            return start
        region = tuple(
            slice(at * step, min((at + 1) * step, size))
            for at, step, size in zip(position, array.object_shape, array.shape, strict=True)
        )
        try:
            opened[region]
        except _UNDECODABLE as error:
            return _cause(error)
        return ""

    with ThreadPoolExecutor() as pool:
        causes = list(pool.map(decode, sound))
    damaged = [(found.key, cause) for (_, found), cause in zip(sound, causes, strict=True) if cause]
    if damaged:
        keys = [key for key, _ in damaged]
        message = f"{plural(len(keys), 'chunk')} cut short or damaged: {listed(keys)} ({damaged[0][1]})"
        yield Issue("data", level, message, _RULE)


def _inflation(tree: Tree, key: str, array: ArrayInfo) -> str:
    """Return a fault where a chunk claims to hold more bytes than it may, before room is made for them."""
    compressor = array.codecs[-1] if array.codecs else ""
    if array.shards or not isinstance(tree.place, Path) or not _SAME_SIZE.issuperset(array.codecs[:-1]):
        return ""
    with (tree.place / key).open("rb") as file:
        claimed = _claimed(compressor.removeprefix("numcodecs."), file.read(18))
    expected = math.prod(array.chunks) * array.itemsize
    return (
        "" if claimed in (None, expected) else f"it claims to hold {claimed} bytes, the array says {expected}"
    )


def _claimed(compressor: str, head: bytes) -> int | None:
    """Return how many bytes a compressed chunk says it holds, None where its head does not tell."""
    if compressor == "blosc" and len(head) >= 16:
        return int.from_bytes(head[4:8], "little")
    if compressor == "lz4" and len(head) >= 4:
        return int.from_bytes(head[:4], "little")
    if compressor == "zstd" and head[:4] == b"\x28\xb5\x2f\xfd" and len(head) == 18:
        single, size_flag, dictionary = head[4] >> 5 & 1, head[4] >> 6, (0, 1, 2, 4)[head[4] & 3]
        length = (1 if single else 0, 2, 4, 8)[size_flag]
        start = 5 + (0 if single else 1) + dictionary
        size = int.from_bytes(head[start : start + length], "little") + (256 if length == 2 else 0)
        return size if length and start + length <= len(head) else None
    return None


def _none(expected: int, what: str) -> str:
    return f"none of the {expected} {what} is" if expected > 1 else f"the only {what[:-1]} is not"


def _read(tree: Tree, key: str) -> bytes:
    try:
        return read_object(tree.place, key)
    except StorageError:
        return b""


def _looks_like_a_chunk(key: str, array: ArrayInfo) -> bool:
    other = "." if array.separator == "/" else "/"
    parts = key.removeprefix("c" + other).removeprefix("c" + array.separator).replace("/", ".").split(".")
    return len(parts) == len(array.shape) and all(part.isdecimal() for part in parts)


def _cause(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return escaped(text, limit=120) or type(error).__name__
