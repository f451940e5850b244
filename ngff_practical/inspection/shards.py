"""The index of a shard: which bytes it gives to each chunk, and whether that can be true."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from itertools import pairwise

import zarr
from zarr.core.buffer import Buffer
from zarr.core.buffer.cpu import Buffer as Bytes
from zarr.storage import MemoryStore

_EMPTY = 2**64 - 1  # offset and size of a chunk that is not stored
_CHECKSUM = 4  # bytes


def shard_fault(
    data: bytes, count: int, *, index_first: bool, chunk_fault: Callable[[memoryview], str]
) -> str:
    """Return what is wrong with a shard of `count` chunks, or with the size of one of them; "" for nothing.

    Two entries may share all their bytes, as writers may store equal chunks once, but not some of them.
    """
    length = 16 * count + _CHECKSUM
    if len(data) < length:
        return f"the shard has {len(data)} bytes, its index alone takes {length}"
    start = 0 if index_first else len(data) - length
    index = data[start : start + length]
    if not _checksum_fits(index):
        return "the checksum of the shard's index is wrong; the shard was cut short or altered"
    numbers = struct.unpack_from(f"<{2 * count}Q", index)
    spans = sorted(set(zip(numbers[::2], numbers[1::2], strict=True)) - {(_EMPTY, _EMPTY)})
    for offset, size in spans:
        if offset + size > len(data):
            return f"the index of the shard leads to byte {offset + size} of {len(data)}"
    for (offset, size), (following, _) in pairwise(sorted([*spans, (start, length)])):
        if offset <= following < offset + size:
            return (
                "the index of the shard gives the same bytes to two chunks, or to a chunk and itself, "
                f"from byte {following} on"
            )
    view = memoryview(data)
    faults = (chunk_fault(view[offset : offset + size]) for offset, size in spans)
    return next((fault for fault in faults if fault), "")


def _checksum_fits(index: bytes) -> bool:
    """Return True where Zarr reads an index, as the array of numbers with a checksum that it is."""
    nbytes = len(index) - _CHECKSUM
    document = {
        **{"zarr_format": 3, "node_type": "array", "shape": [nbytes], "data_type": "uint8", "fill_value": 0},
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [nbytes]}},
        "chunk_key_encoding": {"name": "default"},
        "codecs": [{"name": "bytes"}, {"name": "crc32c"}],
    }
    objects: dict[str, Buffer] = {
        "zarr.json": Bytes.from_bytes(json.dumps(document).encode()),
        "c/0": Bytes.from_bytes(index),
    }
    try:
        zarr.open_array(MemoryStore(objects), mode="r", zarr_format=3)[:]
    except ValueError:
        return False
    return True
