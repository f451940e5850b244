"""Checksums: SHA-256 for the manifest, and what an ETag proves about bytes."""

from __future__ import annotations

import base64
import hashlib
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import batched
from pathlib import Path

from ngff_practical.model import StoredObject
from ngff_practical.storage.crew import Crew
from ngff_practical.storage.moving import Objects

LARGE_NBYTES = 64 * 2**20  # above it objects travel in parts
PART_NBYTES = 16 * 2**20
PARTS_AT_ONCE = 4
_MOST_PARTS = 9_000  # S3 allows 10,000
_MD5 = re.compile(r"[0-9a-f]{32}")
_PARTS = re.compile(r"[0-9a-f]{32}-(\d{1,5})")
_USUAL_PARTS_MIB = (5, 8, 10, 15, 16, 20, 25, 32, 50, 64, 100, 128, 256, 512)


def part_nbytes(nbytes: int) -> int:
    """Return the part size for an object: 16 MiB, and more where that would make too many parts."""
    size = PART_NBYTES
    while nbytes > size * _MOST_PARTS:
        size *= 2
    return size


def sha256_of_file(path: Path) -> str:
    """Return the SHA-256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of_object(objects: Objects, stored: StoredObject, crew: Crew) -> str:
    """Return the SHA-256 of an object as the server gives it out, read in a few parts at once if large."""
    if stored.nbytes <= LARGE_NBYTES:
        return sha256(objects.get(stored.key, nbytes=stored.nbytes).data)
    digest = hashlib.sha256()

    def read(span: tuple[int, int]) -> memoryview:
        return objects.get(stored.key, start=span[0], stop=span[1], etag=stored.etag).data

    with crew.team(PARTS_AT_ONCE) as team:
        for spans in batched(ranges(stored.nbytes), PARTS_AT_ONCE):
            parts = dict(team.each(spans, read, lambda _: 0))
            for span in spans:
                digest.update(parts.pop(span))
    return digest.hexdigest()


def read_weight(nbytes: int) -> int:
    """Return the memory that reading an object of this size takes, as `sha256_of_object` does."""
    return nbytes if nbytes <= LARGE_NBYTES else PARTS_AT_ONCE * part_nbytes(nbytes)


def ranges(nbytes: int) -> Iterator[tuple[int, int]]:
    """Yield (start, stop) of the pieces a large object is read in."""
    step = part_nbytes(nbytes)
    return ((start, min(start + step, nbytes)) for start in range(0, nbytes, step))


def sha256(data: bytes | memoryview) -> str:
    """Return the SHA-256 of some bytes."""
    return hashlib.sha256(data).hexdigest()


def md5(data: bytes | memoryview) -> str:
    """Return the MD5 of some bytes: what S3 answers as the ETag of a plain, unencrypted PUT."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def looks_like_md5(etag: str | None) -> bool:
    """Return True for an ETag that may be the MD5 of the object; encrypting servers give others."""
    return etag is not None and _MD5.fullmatch(etag) is not None


def etag_of_parts(digests: Sequence[bytes]) -> str:
    """Return the ETag S3 gives an object of several parts with these MD5 digests."""
    return f"{hashlib.md5(b''.join(digests), usedforsecurity=False).hexdigest()}-{len(digests)}"


def etag_proves(etag: str | None, content: memoryview | bytes | Path, nbytes: int) -> bool:
    """Return True where the ETag is a checksum of exactly these bytes.

    False proves nothing: an ETag need not be a checksum. That of a multipart upload depends on the size of
    the parts, which nobody states; the usual ones are tried.
    """
    if etag is None:
        return False
    if looks_like_md5(etag):
        if not isinstance(content, Path):
            return md5(content) == etag
        with content.open("rb") as file:
            return hashlib.file_digest(file, _md5).hexdigest() == etag
    found = _PARTS.fullmatch(etag)
    if found is None:
        return False
    count = int(found.group(1))
    sizes = {part_nbytes(nbytes), *(size * 2**20 for size in _USUAL_PARTS_MIB)}
    return any(
        etag_of_parts(list(_part_digests(content, size))) == etag
        for size in sorted(sizes)
        if -(-nbytes // size) == count
    )


def checksum_proves(stated: Mapping[str, str], content: memoryview | bytes | Path) -> bool:
    """Return True where one of the checksums, by algorithm and in base64, is that of these bytes."""
    return any(base64.b64encode(_STORED[name](content)).decode() == value for name, value in stated.items())


def _digest(name: str) -> Callable[[memoryview | bytes | Path], bytes]:
    def digest(content: memoryview | bytes | Path) -> bytes:
        if not isinstance(content, Path):
            return hashlib.new(name, content, usedforsecurity=False).digest()
        with content.open("rb") as file:
            return hashlib.file_digest(file, name).digest()

    return digest


def _crc32(content: memoryview | bytes | Path) -> bytes:
    value = 0
    for piece in _pieces(content):
        value = zlib.crc32(piece, value)
    return value.to_bytes(4, "big")


def _pieces(content: memoryview | bytes | Path) -> Iterator[bytes | memoryview]:
    if not isinstance(content, Path):
        yield content
        return
    with content.open("rb") as file:
        while piece := file.read(PART_NBYTES):
            yield piece


def _crc32c(content: memoryview | bytes | Path) -> bytes:
    from ngff_practical.transfer.crc import crc32c

    return crc32c(_pieces(content)).to_bytes(4, "big")


def _crc64nvme(content: memoryview | bytes | Path) -> bytes:
    from ngff_practical.transfer.crc import crc64nvme

    return crc64nvme(_pieces(content)).to_bytes(8, "big")


_STORED = {
    "SHA256": _digest("sha256"),
    "SHA1": _digest("sha1"),
    "CRC32": _crc32,
    "CRC32C": _crc32c,
    "CRC64NVME": _crc64nvme,
}


def _md5() -> hashlib._Hash:
    return hashlib.md5(usedforsecurity=False)


def _part_digests(content: memoryview | bytes | Path, size: int) -> Iterator[bytes]:
    if isinstance(content, Path):
        with content.open("rb") as file:
            while piece := file.read(size):
                yield hashlib.md5(piece, usedforsecurity=False).digest()
    else:
        view = memoryview(content)
        for start in range(0, len(view), size):
            yield hashlib.md5(view[start : start + size], usedforsecurity=False).digest()
