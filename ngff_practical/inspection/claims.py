"""How many bytes a packed chunk unpacks to, found out without making room for what it claims."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

SAME_SIZE = frozenset({"bytes", "endian", "transpose", "shuffle"})
"""Codecs that leave the number of bytes as it is."""

_REMODELLING = frozenset(
    ("delta", "fixedscaleoffset", "quantize", "packbits", "astype", "bitround", "cast_value", "scale_offset")
)
_CHECKSUMS = frozenset({"crc32c", "crc32", "adler32", "fletcher32", "jenkins_lookup3"})
_PACKERS = frozenset({"blosc", "lz4", "zstd", "zlib", "gzip", "bz2", "lzma"})
_ITEM_GROWTH = 16  # a voxel stored as one byte and read as complex128
_LZMA_MEMORY = 256 * 2**20
_BLOSC_HEAD = 16
_ZSTD_BLOCK = 128 * 2**10
_ZSTD_FRAME = b"\x28\xb5\x2f\xfd"


@dataclass(frozen=True, slots=True)
class Packing:
    """How a chunk is packed: by which codec, and how many bytes may come out; `exact` where just so many.

    `tail` is the number of bytes of a checksum behind the packed ones.
    """

    packer: str | None
    nbytes: int
    exact: bool
    tail: int = 0

    def fault(self, data: bytes | memoryview) -> str:
        """Return what is wrong with the size that a chunk unpacks to, as a sentence without a subject."""
        inside = bytes(data[: len(data) - self.tail])
        expected = f"the array says {self.nbytes}"
        if self.packer is None:
            found = len(inside)
            return f"it has {found} bytes, {expected}" if self.exact and found != self.nbytes else ""
        if self.packer in ("blosc", "lz4", "zstd"):
            if self.packer == "zstd" and not inside.startswith(_ZSTD_FRAME):
                return "it does not begin like zstd"
            claimed = _claimed(self.packer, inside)
            wrong = claimed is not None and (claimed != self.nbytes if self.exact else claimed > self.nbytes)
            if wrong:
                return f"it claims to hold {claimed} bytes, {expected}"
            most = _most_of_zstd(inside) if self.packer == "zstd" and claimed is None else 0
            if most > _ITEM_GROWTH * (self.nbytes + 2**20):
                return f"it may unpack to {most} bytes, {expected}"
            return _cut_short(inside) if self.packer == "blosc" else ""
        return _unpacked_fault(self.packer, inside, self.nbytes)


def packing_of(codecs: Iterable[str], nbytes: int) -> Packing | None:
    """Return how chunks of so many bytes are packed, None for a way whose size cannot be told beforehand."""
    names = [codec.removeprefix("numcodecs.") for codec in codecs]
    tail = 4 * (names[-1:] == ["crc32c"])
    packers = [name for name in names if name in _PACKERS]
    before = names[: names.index(packers[0])] if packers else names[: len(names) - bool(tail)]
    after = names[len(before) + len(packers) : len(names) - bool(tail)]
    known = SAME_SIZE | _REMODELLING | _CHECKSUMS
    if len(packers) > 1 or after or not known.issuperset(before):
        return None
    grown = _ITEM_GROWTH if _REMODELLING & set(before) else 1
    summed = 4 * sum(name in _CHECKSUMS for name in before)
    exact = grown == 1 and not summed
    return Packing(packers[0] if packers else None, nbytes * grown + summed, exact, tail)


def packed_raw(codecs: object) -> bool:
    """Return True where lzma is used without its header, so that nothing tells how much memory it takes."""
    return any(
        isinstance(codec, Mapping) and codec.get("format", codec.get("configuration")) not in (None, 0, 1, 2)
        for codec in (codecs if isinstance(codecs, list) else [codecs])
        if isinstance(codec, Mapping) and "lzma" in (codec.get("id"), codec.get("name"))
    )


def _cut_short(data: bytes) -> str:
    """Return what is missing of what Blosc has packed: it reads on behind the end, whatever is there."""
    stated = int.from_bytes(data[12:16], "little")
    if len(data) < _BLOSC_HEAD or len(data) < stated:
        return f"it has {len(data)} bytes, its own head says {max(stated, _BLOSC_HEAD)}"
    return ""


def _claimed(packer: str, data: bytes) -> int | None:
    """Return how many bytes a chunk says it holds, None where its head does not tell."""
    if packer == "blosc" and len(data) >= 16:
        return int.from_bytes(data[4:8], "little")
    if packer == "lz4" and len(data) >= 4:
        return int.from_bytes(data[:4], "little")
    if packer == "zstd" and data[:4] == _ZSTD_FRAME and len(data) > 5:
        return _zstd_head(data, 0)[1]
    return None


def _zstd_head(data: bytes, at: int) -> tuple[int, int | None]:
    """Return where the blocks of a frame begin, and the size that it states (Zstandard, RFC 8878)."""
    flags = data[at + 4]
    single, size_flag, dictionary = flags >> 5 & 1, flags >> 6, (0, 1, 2, 4)[flags & 3]
    length = (1 if single else 0, 2, 4, 8)[size_flag]
    start = at + 5 + (0 if single else 1) + dictionary
    size = int.from_bytes(data[start : start + length], "little") + (256 if length == 2 else 0)
    return start + length, size if length else None


def _most_of_zstd(data: bytes) -> int:
    """Return the most bytes that frames without a stated size can unpack to, by the heads of their blocks."""
    at = most = 0
    while at + 5 < len(data) and data[at : at + 4] == _ZSTD_FRAME:
        checksum = data[at + 4] >> 2 & 1
        at, last = _zstd_head(data, at)[0], False
        while not last and at + 3 <= len(data):
            head = int.from_bytes(data[at : at + 3], "little")
            last, kind, size = bool(head & 1), head >> 1 & 3, head >> 3
            most += _ZSTD_BLOCK if kind == 2 else size
            at += 3 + (1 if kind == 1 else size)
        at += 4 * checksum
    return most


class _Flow(Protocol):
    """What unpacks a stream as far as it is asked to."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def _flow(packer: str) -> _Flow:
    match packer:
        case "bz2":
            return bz2.BZ2Decompressor()
        case "lzma":
            return lzma.LZMADecompressor(memlimit=_LZMA_MEMORY)
    return zlib.decompressobj(wbits=47)  # the head of zlib or of gzip


def _unpacked_fault(packer: str, data: bytes, most: int) -> str:
    """Unpack as far as the chunk may go, and say where it goes further."""
    room = most + 1
    try:
        while data and room > 0:
            flow = _flow(packer)
            room -= len(flow.decompress(data, room))
            data = flow.unused_data if flow.eof else b""
    except (zlib.error, OSError, EOFError, lzma.LZMAError, MemoryError) as error:
        return " ".join(str(error).split()) or type(error).__name__
    return f"it unpacks to more than {most} bytes, as many as the array says" if room <= 0 else ""
