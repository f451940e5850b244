"""Listing, reading and writing objects by key: one set of functions for folders and for S3."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from operator import attrgetter
from pathlib import Path

import obstore
from obstore.exceptions import BaseError, InvalidPathError

from ngff_practical.errors import NotFoundError, StorageError, TooLargeError
from ngff_practical.model import Location, Place, StoredObject
from ngff_practical.storage import exact, local
from ngff_practical.storage.clients import RETRIES, bucket_store, object_store
from ngff_practical.storage.etags import plain_etag
from ngff_practical.storage.explain import diagnose, explained
from ngff_practical.storage.patience import Patience

_by_key = attrgetter("key")
_PAGE = 1000
FEWEST_LISTED = 100  # servers list so many keys on a page, or a multiple of it


def list_objects(place: Place, *, patience: Patience | None = None) -> Iterator[StoredObject]:
    """Yield everything below a place, sorted by key; keys are relative to it, with "/" separators.

    On S3 nothing below the key yields nothing, as no folder is there to be missed; objects that mark a
    folder (their key ends in "/") are left out. Without `patience` a network that is away is told
    within seconds.

    Raises
    ------
    StorageError
        The folder or the bucket does not exist, may not be listed, or is on a plain web server.
    """
    if isinstance(place, Path):
        return iter(sorted(local.list_files(place), key=_by_key))
    with explained(place, doing="list"):
        try:
            found = patience.run(lambda: _list_all(place, retries=0)) if patience else _list_all(place)
        except (InvalidPathError, ValueError):
            found = None
        except BaseError as error:
            if diagnose(error).trouble != "no list":
                raise
            with suppress(StorageError, ValueError, KeyError):  # it may be one, with times of its own form
                return iter(exact.list_below(place, patience=patience))
            raise
    if found is None or _is_doubtful(found):
        return iter(exact.list_below(place, patience=patience))
    return iter(sorted(found, key=_by_key))


def list_folder(place: Place) -> tuple[tuple[str, ...], tuple[StoredObject, ...]]:
    """Return the names of the folders and the objects directly below a place, each sorted.

    Raises
    ------
    StorageError
        As for list_objects.
    """
    if isinstance(place, Path):
        return local.list_files_here(place)
    with explained(place, doing="list"):
        try:
            found = obstore.list_with_delimiter(bucket_store(place), prefix=place.key or None)
        except (InvalidPathError, ValueError):
            return exact.list_here(place)
    objects = [_stored(place, item["path"], item["size"], item["e_tag"]) for item in found["objects"]]
    if _is_doubtful(objects, len(found["common_prefixes"])):
        return exact.list_here(place)
    folders = sorted(path.rsplit("/", 1)[-1] for path in found["common_prefixes"])
    return tuple(folders), tuple(sorted(objects, key=_by_key))


def read_object(
    place: Place, key: str = "", *, limit: int | None = None, timeout_s: float | None = None
) -> bytes:
    """Return the bytes of one object; `key` is relative to the place, "" is the place itself.

    `timeout_s` is how long a server may take for it altogether, repetitions included.

    Raises
    ------
    TooLargeError
        It has more than `limit` bytes. The server says so before it sends them, and none is received.
    NotFoundError
        Nothing is stored there.
    AccessError
        It may not be read. S3 answers so, too, for a missing key in a bucket that may not be listed.
    """
    if isinstance(place, Path):
        return local.read_file(place, key, limit=limit)
    with explained(place, key):
        path = _full_key(place, key)
        if exact.is_odd(path):
            data = exact.read(place, path, limit=limit)
            _bound(len(data), limit, place, key)
            return data
        answer = obstore.get(bucket_store(place, timeout_s=timeout_s), path)
        _bound(answer.meta["size"], limit, place, key)
        return bytes(answer.bytes())


def object_exists(place: Place, key: str = "") -> bool:
    """Return True where an object (or a file, not a folder) is stored under the key.

    Raises
    ------
    AccessError
        The server does not say.
    """
    if isinstance(place, Path):
        return local.file_exists(place, key)
    try:
        with explained(place, key):
            path = _full_key(place, key)
            if exact.is_odd(path):
                exact.head(place, path)
            else:
                obstore.head(bucket_store(place), path)
    except NotFoundError:
        return False
    return True


def write_object(place: Place, key: str, data: bytes, *, overwrite: bool = False) -> None:
    """Store one object, whole or not at all.

    Raises
    ------
    ExistsError
        The key is taken and `overwrite` is False. Nothing was written; S3 itself sees to it.
    """
    if isinstance(place, Path):
        local.write_file(place, key, data, overwrite=overwrite)
        return
    with explained(place, key, doing="write"):
        path = _full_key(place, key)
        if exact.is_odd(path):
            exact.write(place, path, data, overwrite=overwrite)
        else:
            obstore.put(
                bucket_store(place),
                path,
                data,
                mode="overwrite" if overwrite else "create",
                use_multipart=False,
            )


def delete_object(place: Place, key: str | Iterable[str], *, patience: Patience | None = None) -> None:
    """Delete one object or several; what is not there is no error.

    Without `patience` a network that is away is told within seconds.
    """
    keys = [key] if isinstance(key, str) else list(key)
    if isinstance(place, Path):
        for name in keys:
            local.delete_file(place, name)
        return
    with explained(place, keys[0] if len(keys) == 1 else "", doing="delete"):
        paths = [_full_key(place, name) for name in keys]
        odd = [path for path in paths if exact.is_odd(path)]
        plain = [path for path in paths if not exact.is_odd(path)]
        if plain and patience:
            store = bucket_store(place, retries=0)
            patience.run(lambda: obstore.delete(store, plain))
        elif plain:
            obstore.delete(bucket_store(place), plain)
        for path in odd:
            exact.delete(place, path, patience=patience)


def reachable(location: Location, *, timeout_s: float = 3.0) -> bool:
    """Return True where a server answers at the location's endpoint within the time, whatever it answers."""
    try:
        obstore.head(
            object_store(
                Location(location.endpoint, location.bucket, anonymous=True), retries=0, timeout_s=timeout_s
            ),
            "zarr.json",
        )
    except (BaseError, OSError) as error:
        return diagnose(error).status is not None
    return True


def _list_all(place: Location, *, retries: int = RETRIES) -> list[StoredObject] | None:
    """Return what is below a place as obstore lists it, None where the list repeats itself for ever."""
    found: dict[str, StoredObject] = {}
    prefix = f"{place.key}/" if place.key else ""
    pages = obstore.list(bucket_store(place, retries=retries), prefix=place.key or None, chunk_size=_PAGE)
    for page in pages:
        known = len(found)
        for item in page:
            if item["path"].startswith(prefix):
                found[item["path"]] = _stored(place, item["path"], item["size"], item["e_tag"])
        if len(found) == known:
            return None
    return list(found.values())


def _is_doubtful(found: Sequence[StoredObject], folders: int = 0) -> bool:
    """Return True where obstore may have seen less of a list than is there, or a marker as an object.

    It takes a page that does not say how to go on for the last one, as in the first version of S3's lists,
    and the marker "a/" for an object "a".
    """
    count = len(found) + folders
    if count and count % FEWEST_LISTED == 0:
        return True
    keys = {stored.key for stored in found}
    above = {key.rpartition("/")[0] for key in keys}
    while above := above - {""}:
        if above & keys:
            return True
        above = {key.rpartition("/")[0] for key in above}
    return any(stored.nbytes == 0 for stored in found)


def _stored(place: Location, path: str, nbytes: int, etag: str | None) -> StoredObject:
    return StoredObject(path.removeprefix(f"{place.key}/" if place.key else ""), nbytes, plain_etag(etag))


def _bound(nbytes: int, limit: int | None, place: Location, key: str) -> None:
    if limit is not None and nbytes > limit:
        raise TooLargeError(f"{place / key if key else place} has more than {limit} bytes; it was not read")


def _full_key(place: Location, key: str) -> str:
    path = "/".join((place.key, key)) if place.key and key else place.key or key
    if not path:
        raise StorageError(f"{place.url} is a whole bucket, not an object; add the key")
    return path
