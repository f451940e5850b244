"""The index of a shard: which bytes it gives to each chunk, and whether that can be true."""

from __future__ import annotations

import struct
from collections.abc import Callable
from itertools import pairwise

import google_crc32c  # Zarr's own

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
    index = data[start : start + length - _CHECKSUM]
    if google_crc32c.value(index) != int.from_bytes(data[start + length - _CHECKSUM :][:_CHECKSUM], "little"):
        return "the checksum of the shard's index is wrong; the shard was cut short or altered"
    numbers = struct.unpack(f"<{2 * count}Q", index)
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
