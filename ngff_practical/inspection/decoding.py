"""Chunks decoded one by one, in parallel and within bounded memory, to find the damaged ones."""

from __future__ import annotations

import json
import lzma
import math
import os
import warnings
import zlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import batched
from typing import Literal

import zarr
from zarr.core.buffer import Buffer
from zarr.core.buffer.cpu import Buffer as Bytes
from zarr.core.metadata import ArrayV2Metadata, ArrayV3Metadata
from zarr.storage import MemoryStore

from ngff_practical.errors import StorageError
from ngff_practical.inspection.chunks import RULE, Stored
from ngff_practical.inspection.claims import Packing, packed_raw, packing_of
from ngff_practical.inspection.keys import join
from ngff_practical.inspection.shards import shard_fault
from ngff_practical.inspection.tree import Tree
from ngff_practical.metadata import ArrayInfo, escaped
from ngff_practical.metadata.arrays import KNOWN_CODECS, UNSAFE_CODECS
from ngff_practical.metadata.documents import is_web_page
from ngff_practical.metadata.wording import listed, plural
from ngff_practical.model import Issue, Shape, StoredObject

type _Array = zarr.Array[ArrayV2Metadata] | zarr.Array[ArrayV3Metadata]

LARGEST_DECODED = 512 * 2**20
"""Bytes of voxels that are decoded in one piece."""

_MEMORY = 2**30  # bytes, for all that is decoded at one time
_AT_ONCE = 8
_BATCH = 512
_MOST_IN_SHARD = 2**20
_INDEX = ({"name": "bytes", "configuration": {"endian": "little"}}, {"name": "crc32c"})

# What zarr raises over documents that contradict themselves, and codecs over damaged bytes.
UNDECODABLE = (
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


def not_decoded(array: ArrayInfo, document: Mapping[str, object]) -> str:
    """Return why the chunks of an array are not decoded, as the end of a sentence; "" where they are."""
    if UNSAFE_CODECS & set(array.codecs):
        return "run code from the file when they are decoded"
    if not KNOWN_CODECS.issuperset(array.codecs):
        return "are packed in a way that is not known"
    if math.prod(array.object_shape) * array.itemsize > LARGEST_DECODED:
        return f"are larger than {LARGEST_DECODED // 2**20} MB"
    if (
        _packing(array) is None
        or packed_raw(document.get("compressor"))
        or packed_raw(document.get("codecs"))
    ):
        return "are packed in a way that does not tell their size beforehand"
    if array.shards and (not _plain_shards(document) or _inner(array) > _MOST_IN_SHARD):
        return "are in shards of an unusual kind"
    return ""


def opening_fault(document: Mapping[str, object]) -> str:
    """Return why Zarr does not open an array with this document, "" where it does; all codecs are known."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _opened(document, {})
    except UNDECODABLE as error:
        return _cause(error)
    return ""


def decoding_issues(
    tree: Tree,
    level: str,
    array: ArrayInfo,
    document: Mapping[str, object],
    stored: Stored,
    *,
    on_chunk: Callable[[], None] = lambda: None,
) -> Iterator[Issue]:
    """Decode every stored chunk, or shard, and find those that are truncated, altered or of another size.

    `document` is the array's own; `not_decoded` has found nothing against it. `on_chunk` is called after
    each.
    """
    sound = [(position, found) for position, found in stored.chunks.items() if found.nbytes]
    objects: dict[str, Buffer] = {}
    most = _most_stored(array)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Zarr's remarks about documents, which our own rules judge
        try:
            opened = _opened({**document, "zarr_format": array.zarr_format}, objects)
        except UNDECODABLE:  # said of its document
            return

        def decode(item: tuple[Shape, StoredObject]) -> str:
            position, found = item
            region = tuple(
                slice(at * step, min((at + 1) * step, size))
                for at, step, size in zip(position, array.object_shape, array.shape, strict=True)
            )
            if found.nbytes > most:
                return f"it has {found.nbytes} bytes, far more than its voxels can take up"
            data = b""
            try:
                data = tree.read(join(level, found.key), most)
                fault = _fault(array, document, data)
                if fault:
                    return _told(data, fault)
                objects[found.key] = Bytes.from_bytes(data)
                opened[region]
            except UNDECODABLE as error:
                return _told(data, _cause(error))
            finally:
                objects.pop(found.key, None)
            return ""

        damaged = []
        with ThreadPoolExecutor(_workers(array)) as pool:
            for batch in batched(sound, _BATCH):
                for (_, found), cause in zip(batch, pool.map(decode, batch), strict=True):
                    on_chunk()
                    if cause:
                        damaged.append((found.key, cause))
    if damaged:
        keys = [key for key, _ in damaged]
        message = f"{plural(len(keys), 'chunk')} cut short or damaged: {listed(keys)} ({damaged[0][1]})"
        yield Issue("data", level, message, RULE)


def _opened(document: Mapping[str, object], objects: dict[str, Buffer]) -> _Array:
    """Return an array of which only the document, and whatever else is put into `objects`, is there."""
    bare = {key: value for key, value in document.items() if key != "attributes"}
    zarr_format: Literal[2, 3] = 2 if document["zarr_format"] == 2 else 3
    objects["zarr.json" if zarr_format == 3 else ".zarray"] = Bytes.from_bytes(json.dumps(bare).encode())
    return zarr.open_array(MemoryStore(objects), mode="r", zarr_format=zarr_format)


def _packing(array: ArrayInfo) -> Packing | None:
    start = array.codecs.index("sharding_indexed") + 1 if "sharding_indexed" in array.codecs else 0
    return packing_of(array.codecs[start:], math.prod(array.chunks) * array.itemsize)


def _inner(array: ArrayInfo) -> int:
    return math.prod(outer // inner for outer, inner in zip(array.object_shape, array.chunks, strict=True))


def _most_stored(array: ArrayInfo) -> int:
    """Return how many bytes an object may have: packing adds little, and shards may have gaps."""
    packing, inner = _packing(array), _inner(array) if array.shards else 1
    return 4 * inner * (packing.nbytes if packing else 0) + 16 * inner + 2**20


def _plain_shards(document: Mapping[str, object]) -> bool:
    """Return True for shards that are nothing but shards, with an index as the specification writes it."""
    codecs = document["codecs"]
    shards = codecs[0] if isinstance(codecs, list) and len(codecs) == 1 else None
    configuration = shards.get("configuration") if isinstance(shards, dict) else None
    if not isinstance(configuration, dict):
        return False
    index = configuration.get("index_codecs", list(_INDEX))
    return index in ([*_INDEX], [_INDEX[0], "crc32c"], [_INDEX[0], {**_INDEX[1], "configuration": {}}])


def _fault(array: ArrayInfo, document: Mapping[str, object], data: bytes) -> str:
    """Return what is wrong with the sizes that a chunk, or every chunk in a shard, claims to have."""
    packing = _packing(array)
    if packing is None or not array.shards:
        return packing.fault(data) if packing else ""
    configuration = document["codecs"][0]["configuration"]  # type: ignore[index]
    first = configuration.get("index_location") == "start"
    return shard_fault(data, _inner(array), index_first=first, chunk_fault=packing.fault)


def _told(data: bytes, cause: str) -> str:
    """Return why a chunk is not decoded, or what was saved in its place."""
    if cause and is_web_page(data):
        return "it is a web page, saved in place of the chunk"
    if cause and data.startswith(b"<?xml"):
        return "it is XML, probably a server's error, saved in place of the chunk"
    return cause


def _workers(array: ArrayInfo) -> int:
    nbytes = 3 * math.prod(array.object_shape) * array.itemsize  # as stored, unpacked, and as voxels
    return max(1, min(_AT_ONCE, (os.cpu_count() or 1) + 2, _MEMORY // max(nbytes, 1)))


def _cause(error: BaseException) -> str:
    if isinstance(error, StorageError):
        return escaped(str(error), limit=200)
    return escaped(" ".join(str(error).split()), limit=120) or type(error).__name__
