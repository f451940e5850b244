"""Fetch an image from S3: complete and proven under its name, or under no name at all."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ngff_practical.errors import AccessError, ExistsError, NotFoundError, StorageError, TransferError
from ngff_practical.model import Location, Manifest, ManifestEntry, StoredObject, TransferReport
from ngff_practical.storage import list_folder, list_objects
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
from ngff_practical.transfer.crew import Crew, weight
from ngff_practical.transfer.keys import check_local_names, local_path, waves
from ngff_practical.transfer.manifest import local_root, manifest_path, write_manifest
from ngff_practical.transfer.report import Progress

_PARTS_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class _Fetched:
    entry: ManifestEntry
    proven: bool
    copied: bool


def download(
    source: Location,
    destination: str | Path,
    *,
    overwrite: bool = False,
    dry_run: bool = False,
    on_object: Progress | None = None,
) -> TransferReport:
    """Fetch an image (or a single object) from S3 and return what was fetched, skipped and proven.

    `destination` is the image's own path, and never a folder to put it in. Everything is written to
    "<destination>.part" first, which takes its name when all of it is there; a broken-off download goes on
    there, and fetches again only what is missing. An object is proven when its ETag is a checksum of the
    bytes that arrived; servers need not give such ETags, and then the report's `verified` is smaller than
    `objects`. The manifest is written beside the destination.

    Parameters
    ----------
    overwrite
        Replace what is at the destination, at the very end.
    dry_run
        Only look; the report counts what would be fetched, its manifest has sizes and no checksums.
    on_object
        Called with the number of objects done (skipped ones included) and of all.

    Raises
    ------
    NotFoundError
        Nothing is stored there; the message lists what is beside it.
    ExistsError
        The destination exists.
    TransferError
        It began and could not end; the message says how to go on.
    """
    started = time.monotonic()
    target = local_root(destination)
    part = target.with_name(target.name + ".part")
    with Crew() as crew:
        objects = Objects(source, pause=crew.pause, ease=crew.ease)
        found = _find(objects)
        check_local_names(key for key in found if key)
        _refuse_existing(target, overwrite)
        missing = [
            stored for stored in found.values() if not _has_size(local_path(part, stored.key), stored.nbytes)
        ]
        _check_space(target, sum(stored.nbytes for stored in missing))
        if dry_run:
            fetched = [
                _Fetched(ManifestEntry(stored.key, stored.nbytes, ""), proven=False, copied=stored in missing)
                for stored in found.values()
            ]
        else:
            fetched = _fetch_all(found, objects, crew, part, on_object)
    manifest = Manifest(target.name, tuple(sorted((f.entry for f in fetched), key=lambda entry: entry.key)))
    if not dry_run:
        with _local_trouble(part):
            _clear_extra(part, found)
            _take_name(part, target)
        write_manifest(manifest, manifest_path(target))
    copied = sum(f.copied for f in fetched)
    return TransferReport(
        source=str(source),
        destination=str(destination),
        manifest=manifest,
        copied=copied,
        skipped=len(fetched) - copied,
        verified=sum(f.proven for f in fetched),
        problems=(),
        seconds=time.monotonic() - started,
        dry_run=dry_run,
    )


def _find(objects: Objects) -> dict[str, StoredObject]:
    """Return the object at the location, or else all objects below it."""
    location = objects.location
    if location.key:
        try:
            return {"": objects.head()}
        except (NotFoundError, AccessError):  # also what S3 says of a key that is only a prefix
            pass
    found = {stored.key: stored for stored in list_objects(location)}
    if found:
        return found
    if not location.key:
        raise NotFoundError(f"{location.url} is an empty bucket")
    parent = Location(location.endpoint, location.bucket, location.key.rpartition("/")[0], location.anonymous)
    folders, files = list_folder(parent)
    beside = [*(f"{name}/" for name in folders), *(stored.key for stored in files)]
    listed = ", ".join(beside[:8]) + (f" and {len(beside) - 8} more" if len(beside) > 8 else "")
    raise NotFoundError(
        f"nothing is stored at {location.url}, neither an object nor an image; "
        f"{parent.url} holds {listed or 'nothing'}"
    )


def _refuse_existing(target: Path, overwrite: bool) -> None:
    if not target.exists() or overwrite or (target.is_dir() and not any(target.iterdir())):
        return
    raise ExistsError(
        f"{target} exists already; nothing was fetched. Give the image a name of its own "
        f"(such as {target / 'embryo.ome.zarr'}), or ask to overwrite (overwrite=True, --overwrite)"
        if target.is_dir()
        else f"{target} exists already; nothing was fetched. Choose another name, or ask to overwrite "
        "(overwrite=True, --overwrite)"
    )


def _has_size(path: Path, nbytes: int) -> bool:
    return path.is_file() and path.stat().st_size == nbytes


def _check_space(target: Path, needed: int) -> None:
    folder = next(parent for parent in target.parents if parent.exists())
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise StorageError(
            f"{needed / 1e6:.1f} MB are to be fetched, and the disk of {folder} has "
            f"{free / 1e6:.1f} MB free; make room, or choose another disk"
        )


def _fetch_all(
    found: dict[str, StoredObject], objects: Objects, crew: Crew, part: Path, on_object: Progress | None
) -> list[_Fetched]:
    fetched: list[_Fetched] = []
    single = set(found) == {""}
    try:
        with _local_trouble(part):
            if part.exists() and part.is_dir() == single:
                raise StorageError(f"{part} is in the way; move it away")
            (part.parent if single else part).mkdir(parents=True, exist_ok=True)
        for group in waves(found):

            def fetch(key: str) -> _Fetched:
                return _fetch(found[key], objects, crew, local_path(part, key))

            for _, one in crew.each(group, fetch, lambda key: weight(found[key].nbytes)):
                fetched.append(one)
                if on_object:
                    on_object(len(fetched), len(found))
    except (StorageError, TransferError) as error:
        raise TransferError(
            f"{error}. {len(fetched)} of {len(found)} objects are in {part}; run the same command again: "
            "what is there is not fetched again"
        ) from error
    return fetched


def _fetch(stored: StoredObject, objects: Objects, crew: Crew, path: Path) -> _Fetched:
    with _local_trouble(path):
        if _has_size(path, stored.nbytes) and etag_proves(stored.etag, path, stored.nbytes):
            entry = ManifestEntry(stored.key, stored.nbytes, sha256_of_file(path))
            return _Fetched(entry, proven=True, copied=False)
        path.parent.mkdir(parents=True, exist_ok=True)
    if stored.nbytes > LARGE_NBYTES:
        return _fetch_large(stored, objects, crew, path)
    data, proven = _receive(stored, objects)
    with _local_trouble(path):
        path.write_bytes(data)
    entry = ManifestEntry(stored.key, stored.nbytes, hashlib.sha256(data).hexdigest())
    return _Fetched(entry, proven, copied=True)


def _receive(stored: StoredObject, objects: Objects) -> tuple[memoryview, bool]:
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


def _fetch_large(stored: StoredObject, objects: Objects, crew: Crew, path: Path) -> _Fetched:
    lock = threading.Lock()
    with _local_trouble(path), path.open("wb") as file, ThreadPoolExecutor(_PARTS_AT_ONCE) as readers:

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
    return _Fetched(ManifestEntry(stored.key, stored.nbytes, sha256), proven, copied=True)


def _altered(stored: StoredObject, objects: Objects) -> TransferError:
    return TransferError(
        f"{objects.url(stored.key)} arrived twice with different bytes, neither those its ETag promises; "
        "something between the server and this computer changes data"
    )


def _clear_extra(part: Path, found: dict[str, StoredObject]) -> None:
    """Leave in the folder what the server has and nothing else, and make sure that all of it is there."""
    if part.is_file():
        return
    kept = 0
    for here, folders, names in os.walk(part, topdown=False):
        for name in names:
            path = Path(here, name)
            if path.relative_to(part).as_posix() in found:
                kept += 1
            else:
                path.unlink()
        for name in folders:
            if not any(Path(here, name).iterdir()):
                Path(here, name).rmdir()
    if kept != len(found):
        raise TransferError(
            f"{part} holds {kept} files where {len(found)} were fetched; "
            "this disk cannot tell some of the keys apart (upper and lower case, say)"
        )


def _take_name(part: Path, target: Path) -> None:
    if target.is_dir():
        old = Path(tempfile.mkdtemp(prefix=f"{target.name}.old-", dir=target.parent))
        target.rename(old / target.name)
        part.rename(target)
        shutil.rmtree(old)
    else:
        part.replace(target)


@contextmanager
def _local_trouble(path: Path) -> Iterator[None]:
    try:
        yield
    except (StorageError, TransferError):
        raise
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror or error}") from None
