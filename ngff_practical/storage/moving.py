"""Objects moved whole: puts that answer with their ETag, gets that notice a replaced object, patience."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import obstore
from obstore.exceptions import BaseError, PreconditionError

from ngff_practical.errors import ExistsError, NotFoundError, StorageError
from ngff_practical.model import Location, StoredObject
from ngff_practical.storage.clients import bucket_store
from ngff_practical.storage.explain import diagnose, explained

if TYPE_CHECKING:
    from obstore import GetOptions

PATIENCE_S = 60.0  # how long one object may be waited for, pauses together
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 10.0
_PARTS_AT_ONCE = 4
_PASSING_TROUBLE = ("refused", "timeout", "broken", "unknown host")
_PASSING_STATUS = (408, 429, 500, 502, 503, 504)


@dataclass(frozen=True, slots=True)
class Received:
    """Bytes of an object, or of a range of it, and the ETag it had when they were sent."""

    data: memoryview
    etag: str | None


class Objects:
    """The objects at and below a location; keys are relative to it, "" is the location itself.

    obstore repeats a request for a second or two when a server is busy or a connection breaks. On top of
    that each method is patient for up to a minute, with growing, uneven pauses, while the trouble is of the
    kind that passes (no network, 503, 429, timeouts); refusals (403, 404, 412) are told at once.
    `pause` is called with the seconds to wait, and may raise to give up.
    """

    def __init__(self, location: Location, *, pause: Callable[[float], object] = time.sleep) -> None:
        self.location = location
        self._pause = pause
        with explained(location):
            self._store = bucket_store(location)

    def head(self, key: str = "") -> StoredObject:
        """Return size and ETag of one object; its key is the one asked for.

        Raises
        ------
        NotFoundError
            Nothing is stored there.
        """
        path = self._path(key)
        with explained(self.location, key):
            meta = patiently(lambda: obstore.head(self._store, path), self._pause)
        return StoredObject(key, meta["size"], _bare(meta["e_tag"]))

    def get(
        self, key: str = "", *, start: int = 0, stop: int | None = None, etag: str | None = None
    ) -> Received:
        """Return the bytes of one object, or those from `start` up to `stop`.

        With `etag` the object has to be the one that had it, else StorageError says that it was replaced.
        """
        path = self._path(key)
        options: GetOptions = {}
        if stop is not None:
            options["range"] = (start, stop)
        if etag is not None:
            options["if_match"] = f'"{etag}"'

        def attempt() -> Received:
            result = obstore.get(self._store, path, options=options)
            return Received(memoryview(result.bytes()), _bare(result.meta["e_tag"]))

        with explained(self.location, key):
            try:
                return patiently(attempt, self._pause)
            except PreconditionError:
                raise StorageError(
                    f"{self.url(key)} was replaced while it was being read; start again"
                ) from None

    def put(self, key: str, data: bytes | memoryview, *, overwrite: bool = False) -> str | None:
        """Store one object, whole or not at all, and return the ETag the server gave it.

        Raises
        ------
        ExistsError
            The key is taken and `overwrite` is False; or it is taken by these very bytes, where an earlier
            answer of the server got lost.
        """
        path = self._path(key)
        mode: Literal["overwrite", "create"] = "overwrite" if overwrite else "create"

        def attempt() -> str | None:
            return obstore.put(self._store, path, data, mode=mode, use_multipart=False)["e_tag"]

        with explained(self.location, key, doing="write"):
            try:
                return _bare(patiently(attempt, self._pause))
            except BaseError as error:
                if overwrite or diagnose(error).status != 501:
                    raise
        self._refuse_taken(key)  # a server that does not know create-only
        return self.put(key, data, overwrite=True)

    def put_parts(
        self, key: str, parts: Callable[[], Iterator[bytes]], *, part_nbytes: int, overwrite: bool = False
    ) -> str | None:
        """Store one large object as a multipart upload, and return the ETag the server gave it.

        `parts` is called for a fresh iterator at each attempt. Where it raises, or an attempt fails, the
        parts already sent are given up (the upload is aborted). S3 offers no create-only multipart upload
        here: that the key is free is asked for just before.
        """
        path = self._path(key)
        if not overwrite:
            self._refuse_taken(key)

        def attempt() -> str | None:
            return obstore.put(
                self._store,
                path,
                parts(),
                use_multipart=True,
                chunk_size=part_nbytes,
                max_concurrency=_PARTS_AT_ONCE,
            )["e_tag"]

        with explained(self.location, key, doing="write"):
            return _bare(patiently(attempt, self._pause))

    def url(self, key: str = "") -> str:
        """Return the address of an object, as errors name it."""
        return f"{self.location.url}/{key}" if key else self.location.url

    def _refuse_taken(self, key: str) -> None:
        try:
            self.head(key)
        except NotFoundError:
            return
        raise ExistsError(f"{self.url(key)} exists already; nothing was overwritten")

    def _path(self, key: str) -> str:
        path = "/".join(part for part in (self.location.key, key) if part)
        if not path:
            raise StorageError(f"{self.location.url} is a whole bucket, not an object; add the key")
        return path


def patiently[T](attempt: Callable[[], T], pause: Callable[[float], object] = time.sleep) -> T:
    """Return what an attempt returns, tried again for up to a minute while the trouble is one that passes."""
    waited = 0.0
    for number in itertools.count():
        try:
            return attempt()
        except (BaseError, OSError) as error:
            rest = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2**number)
            rest *= random.uniform(0.5, 1)  # noqa: S311 - so that many clients do not come back at once
            if not _passes(error) or waited + rest > PATIENCE_S:
                raise
        waited += rest
        pause(rest)
    raise AssertionError("unreachable")


def _passes(error: Exception) -> bool:
    failure = diagnose(error)
    return failure.trouble in _PASSING_TROUBLE or failure.status in _PASSING_STATUS


def _bare(etag: str | None) -> str | None:
    return None if etag is None else etag.strip('"')
