"""Fetch one object into a file: proven by a checksum of the server's, seen twice alike, or not at all."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ngff_practical.errors import StorageError, TransferError
from ngff_practical.model import ManifestEntry, StoredObject
from ngff_practical.storage.crew import Crew
from ngff_practical.storage.exact import Promise
from ngff_practical.storage.moving import Objects, Received
from ngff_practical.transfer.checksums import (
    LARGE_NBYTES,
    PARTS_AT_ONCE,
    checksum_proves,
    etag_proves,
    looks_like_md5,
    part_nbytes,
    ranges,
    sha256,
    sha256_of_file,
)

_STREAMED_NBYTES = 2**20  # above it an object is written and hashed while it arrives


type Look = Callable[[], tuple[str, bool]]
"""Fetches an object into its file; returns the SHA-256 of what came, and whether the ETag proves it."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """An object that is in its file: `proven` by a checksum, `copied` where it was not there before."""

    entry: ManifestEntry
    proven: bool
    copied: bool


def keep_object(stored: StoredObject, path: Path) -> Fetched | None:
    """Return an object whose file was there before, None where nothing proves that it is whole and right."""
    with local_trouble(path):
        if not etag_proves(stored.etag, path, stored.nbytes):
            return None
        entry = ManifestEntry(stored.key, stored.nbytes, sha256_of_file(path))
    return Fetched(entry, proven=True, copied=False)


def fetch_object(stored: StoredObject, objects: Objects, crew: Crew, path: Path) -> Fetched:
    """Return an object once it is in the file at `path`, whose folder is there.

    What is hashed is what arrived, before it is written: what the disk makes of it, `verify` tells.
    """
    if stored.nbytes > _STREAMED_NBYTES:
        look = _look_in_ranges if stored.nbytes > LARGE_NBYTES else _stream
        return _fetch_into(path, lambda: look(stored, objects, crew, path), stored, objects)
    data, proven = receive(stored, objects)
    entry = ManifestEntry(stored.key, stored.nbytes, sha256(data))
    crew.pause(0)  # raises when the crew was to stop meanwhile: another may write here by now
    try:
        with open(path, "wb", buffering=0) as file:  # noqa: PTH123 - for thousands, Path's own way takes long
            while data:
                data = data[file.write(data) :]
    except OSError as error:
        raise _cannot_write(path, error) from None
    return Fetched(entry, proven, copied=True)


def receive(stored: StoredObject, objects: Objects) -> tuple[memoryview, bool]:
    """Return the bytes of an object, and whether a checksum of the server's proves them."""
    first = _get_whole(stored, objects)
    if etag_proves(stored.etag, first.data, stored.nbytes):
        return first.data, True
    # altered on the way, or the server's ETags are no checksums: what else it states, or a second look, tells
    promise = objects.promise(stored.key)
    if _keeps(promise, first.data):
        return first.data, True
    second = _get_whole(stored, objects)
    if etag_proves(stored.etag, second.data, stored.nbytes) or _keeps(promise, second.data):
        return second.data, True
    if second.data != first.data:
        raise _altered(stored, objects)
    _refuse_damaged(stored, promise, objects)
    return first.data, False


def _keeps(promise: Promise | None, content: memoryview | Path) -> bool:
    return promise is not None and checksum_proves(promise.checksums, content)


def _fetch_into(path: Path, look: Look, stored: StoredObject, objects: Objects) -> Fetched:
    """Return an object that is written and hashed while it arrives: a fraction of the memory of the whole.

    A second look, where nothing proves the first, takes the place of the first in the file.
    """
    arrived, proven = look()
    if not proven:
        promise = objects.promise(stored.key)
        proven = _keeps(promise, path)
    if not proven:
        first = arrived
        arrived, proven = look()
        proven = proven or _keeps(promise, path)
        if not proven and arrived != first:
            raise _altered(stored, objects)
        if not proven:
            _refuse_damaged(stored, promise, objects)
    return Fetched(ManifestEntry(stored.key, stored.nbytes, arrived), proven, copied=True)


def _stream(stored: StoredObject, objects: Objects, crew: Crew, path: Path) -> tuple[str, bool]:
    """Return the SHA-256 of what was streamed into the file, and whether the ETag proves it."""
    hashes = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    with local_trouble(path), path.open("wb") as file:

        def begin() -> Callable[[memoryview], None]:
            nonlocal hashes
            hashes = both = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
            if file.tell():  # an attempt that broke off
                file.seek(0)
                file.truncate()

            def take(piece: memoryview) -> None:
                crew.pause(0)
                for one in both:
                    one.update(piece)
                with local_trouble(path):
                    file.write(piece)

            return take

        _refuse_replaced(stored, objects.stream(stored.key, begin, nbytes=stored.nbytes), objects)
    arrived, md5 = (one.hexdigest() for one in hashes)
    return arrived, stored.etag == md5 or etag_proves(stored.etag, path, stored.nbytes)


def fetched_weight(nbytes: int) -> int:
    """Return the memory that fetching an object of this size takes."""
    if nbytes <= _STREAMED_NBYTES:
        return nbytes
    return 4 * _STREAMED_NBYTES if nbytes <= LARGE_NBYTES else PARTS_AT_ONCE * part_nbytes(nbytes)


def _refuse_damaged(stored: StoredObject, promise: Promise | None, objects: Objects) -> None:
    """Raise TransferError where a checksum of the server's speaks against bytes that came twice alike."""
    if promise is None or not (promise.checksums or (looks_like_md5(stored.etag) and not promise.own_etag)):
        return
    against = " and ".join(promise.checksums) or "ETag"
    raise TransferError(
        f"{objects.url(stored.key)} arrived twice with the same bytes, and its {against} is that of others: "
        "it is damaged on the server, or altered on every way from there; ask its owner for an intact copy"
    )


def _get_whole(stored: StoredObject, objects: Objects) -> Received:
    received = objects.get(stored.key, nbytes=stored.nbytes)
    _refuse_replaced(stored, received.etag, objects)
    return received


def _refuse_replaced(stored: StoredObject, etag: str | None, objects: Objects) -> None:
    if None not in (etag, stored.etag) and etag != stored.etag:
        raise TransferError(f"{objects.url(stored.key)} was replaced while the image was being fetched")


def _look_in_ranges(stored: StoredObject, objects: Objects, crew: Crew, path: Path) -> tuple[str, bool]:
    """Return the SHA-256 of what came into the file in ranges, and whether the ETag proves it."""
    lock = threading.Lock()
    with local_trouble(path), path.open("wb") as file, crew.team(PARTS_AT_ONCE) as team:

        def fetch(span: tuple[int, int]) -> None:
            crew.pause(0)
            start, stop = span
            received = objects.get(stored.key, start=start, stop=stop, etag=stored.etag)
            with lock:
                file.seek(start)
                file.write(received.data)

        for _ in team.each(ranges(stored.nbytes), fetch, lambda _: 0):
            pass
    with local_trouble(path), crew.team(2) as team:
        looks: tuple[Callable[[], str | bool], ...] = (
            lambda: sha256_of_file(path),
            lambda: etag_proves(stored.etag, path, stored.nbytes),
        )
        seen = dict(team.each(looks, lambda look: look(), lambda _: 0))
    return str(seen[looks[0]]), bool(seen[looks[1]])


def _altered(stored: StoredObject, objects: Objects) -> TransferError:
    return TransferError(
        f"{objects.url(stored.key)} arrived twice with different bytes, neither those its ETag promises; "
        "something between the server and this computer changes data"
    )


@contextmanager
def local_trouble(path: Path) -> Iterator[None]:
    """Turn what this computer's disk raises inside into StorageError."""
    try:
        yield
    except (StorageError, TransferError):
        raise
    except OSError as error:
        raise _cannot_write(path, error) from None


def _cannot_write(path: Path, error: OSError) -> StorageError:
    return StorageError(f"{path} cannot be written: {error.strerror or error}")
