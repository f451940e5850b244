"""Fetch one object into a file: proven by a checksum of the server's, seen twice alike, or not at all."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ngff_practical.errors import StorageError, TransferError
from ngff_practical.model import ManifestEntry, StoredObject
from ngff_practical.storage.exact import Promise
from ngff_practical.storage.moving import Objects, Received
from ngff_practical.transfer.checksums import (
    LARGE_NBYTES,
    checksum_proves,
    etag_proves,
    looks_like_md5,
    ranges,
    sha256_of_file,
    sha256_of_object,
)
from ngff_practical.transfer.crew import Crew

_PARTS_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Fetched:
    """An object that is in its file: `proven` by a checksum, `copied` where it was not there before."""

    entry: ManifestEntry
    proven: bool
    copied: bool


def fetch_object(stored: StoredObject, objects: Objects, crew: Crew, path: Path) -> Fetched:
    """Return an object once it is in the file at `path`; what is there and proven stays."""
    with local_trouble(path):
        if has_size(path, stored.nbytes) and etag_proves(stored.etag, path, stored.nbytes):
            entry = ManifestEntry(stored.key, stored.nbytes, sha256_of_file(path))
            return Fetched(entry, proven=True, copied=False)
        path.parent.mkdir(parents=True, exist_ok=True)
    if stored.nbytes > LARGE_NBYTES:
        return _fetch_large(stored, objects, crew, path)
    data, proven = receive(stored, objects)
    with local_trouble(path):
        path.write_bytes(data)
    entry = ManifestEntry(stored.key, stored.nbytes, hashlib.sha256(data).hexdigest())
    return Fetched(entry, proven, copied=True)


def receive(stored: StoredObject, objects: Objects) -> tuple[memoryview, bool]:
    """Return the bytes of an object, and whether a checksum of the server's proves them."""
    first = _get_whole(stored, objects)
    if etag_proves(stored.etag, first.data, stored.nbytes):
        return first.data, True
    promise = objects.promise(stored.key)
    if promise and checksum_proves(promise.checksums, first.data):
        return first.data, True
    # altered on the way, or a server whose ETags are no checksums; a second look tells
    second = _get_whole(stored, objects)
    if etag_proves(stored.etag, second.data, stored.nbytes):
        return second.data, True
    if first.data != second.data:
        raise _altered(stored, objects)
    _refuse_damaged(stored, promise, objects)
    return second.data, False


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
    if received.etag != stored.etag:
        raise TransferError(f"{objects.url(stored.key)} was replaced while the image was being fetched")
    return received


def _fetch_large(stored: StoredObject, objects: Objects, crew: Crew, path: Path) -> Fetched:
    lock = threading.Lock()
    with local_trouble(path), path.open("wb") as file, ThreadPoolExecutor(_PARTS_AT_ONCE) as readers:

        def fetch(span: tuple[int, int]) -> None:
            crew.pause(0)
            start, stop = span
            received = objects.get(stored.key, start=start, stop=stop, etag=stored.etag)
            with lock:
                file.seek(start)
                file.write(received.data)

        for _ in readers.map(fetch, ranges(stored.nbytes)):
            pass
    sha256 = sha256_of_file(path)
    proven = etag_proves(stored.etag, path, stored.nbytes)
    if not proven:
        promise = objects.promise(stored.key)
        proven = promise is not None and checksum_proves(promise.checksums, path)
        if not proven and sha256_of_object(objects, stored) != sha256:
            raise _altered(stored, objects)
        if not proven:
            _refuse_damaged(stored, promise, objects)
    return Fetched(ManifestEntry(stored.key, stored.nbytes, sha256), proven, copied=True)


def _altered(stored: StoredObject, objects: Objects) -> TransferError:
    return TransferError(
        f"{objects.url(stored.key)} arrived twice with different bytes, neither those its ETag promises; "
        "something between the server and this computer changes data"
    )


def has_size(path: Path, nbytes: int) -> bool:
    """Return True for a file of this size."""
    return path.is_file() and path.stat().st_size == nbytes


@contextmanager
def local_trouble(path: Path) -> Iterator[None]:
    """Turn what this computer's disk raises inside into StorageError."""
    try:
        yield
    except (StorageError, TransferError):
        raise
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror or error}") from None
