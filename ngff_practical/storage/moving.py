"""Objects moved whole: puts that answer with their ETag, gets that notice a replaced object, patience."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import obstore
from obstore.exceptions import BaseError, PreconditionError

from ngff_practical.errors import ExistsError, NotFoundError, StorageError
from ngff_practical.model import Location, StoredObject, check_location
from ngff_practical.storage.clients import bucket_store, sends_checksums
from ngff_practical.storage.etags import plain_etag
from ngff_practical.storage.exact import is_odd
from ngff_practical.storage.explain import diagnose, explained
from ngff_practical.storage.objects import FEWEST_LISTED, delete_object, list_objects
from ngff_practical.storage.odd_keys import odd_key
from ngff_practical.storage.patience import DAMAGED, Patience, ShortError
from ngff_practical.storage.portal import may_be_page, refuse_portal

if TYPE_CHECKING:
    from obstore import GetOptions, GetResult

    from ngff_practical.storage.crew import Crew
    from ngff_practical.storage.exact import Promise


_PIECE_NBYTES = 2**18


@dataclass(frozen=True, slots=True)
class Received:
    """Bytes of an object, or of a range of it, and the ETag it had when they were sent."""

    data: memoryview
    etag: str | None


class Objects:
    """The objects at and below a location; keys are relative to it, "" is the location itself.

    Each method is patient for up to a minute, with growing, uneven pauses (for seconds, where the server has
    not answered once), while the trouble is of the kind that passes (no network, 503, 429, timeouts, bytes
    altered on the way up, answers cut short); refusals (403, 404, 412) are told at once. `pause` is called
    with the seconds to wait, and may raise to give up; `ease` is called when the server says that it is
    asked too much.
    """

    def __init__(
        self,
        location: Location,
        *,
        pause: Callable[[float], object] = time.sleep,
        ease: Callable[[], object] | None = None,
    ) -> None:
        check_location(location)
        self.location = location
        self._patience = Patience(pause, ease, met=False)
        self._compares = True
        with explained(location):
            self._store = bucket_store(location, retries=0)  # what obstore repeats, `ease` would not hear of
            self._sealing = bucket_store(location, retries=0, checksums=True) if sends_checksums() else None

    def list(self) -> Sequence[StoredObject]:
        """Return everything below the location, sorted by key.

        Raises
        ------
        StorageError
            A web page is there in place of the list, or of its last page; it reads like an empty one.
        """
        found = list(list_objects(self.location, patience=self._patience))
        if found and len(found) % FEWEST_LISTED == 0:
            refuse_portal(self.location)
        return found

    def delete(self, key: str | Iterable[str]) -> None:
        """Delete one object or several; what is not there is no error."""
        delete_object(self.location, key, patience=self._patience)

    def head(self, key: str = "") -> StoredObject:
        """Return size and ETag of one object; its key is the one asked for.

        Raises
        ------
        NotFoundError
            Nothing is stored there.
        StorageError
            A web page is there, and for every other key as well.
        """
        path = self._path(key)
        with explained(self.location, key):
            try:
                answer = self._patience.run(lambda: obstore.get(self._store, path, options={"head": True}))
            except BaseError as error:
                if diagnose(error).status in (400, 403):  # the refusal of a GET has a body, which says why
                    obstore.get(self._store, path, options={"range": (0, 1)})
                raise
        self._refuse_page(answer, path)
        return StoredObject(key, answer.meta["size"], plain_etag(answer.meta["e_tag"]))

    def get(
        self,
        key: str = "",
        *,
        start: int = 0,
        stop: int | None = None,
        etag: str | None = None,
        nbytes: int | None = None,
    ) -> Received:
        """Return the bytes of one object, or those from `start` up to `stop`.

        With `etag` the object has to be the one that had it, else StorageError says that it was replaced.
        With `nbytes`, or of a range, other than so many bytes are not believed, but asked for again.
        """
        path = self._path(key)
        options: GetOptions = {}
        if stop is not None:
            options["range"] = (start, stop)
        if etag is not None and self._compares:
            options["if_match"] = f'"{etag}"'

        def attempt() -> Received:
            result = obstore.get(self._store, path, options=options)
            data = memoryview(result.bytes())
            expected = nbytes if stop is None else stop - start
            if expected is not None and len(data) != expected:
                self._refuse_page(result, path)
                raise ShortError(f"{len(data)} of {expected} bytes")
            now = plain_etag(result.meta["e_tag"])
            if etag is not None and now not in (etag, None):
                raise self._replaced(key)
            return Received(data, now)

        with explained(self.location, key):
            try:
                return self._patience.run(attempt)
            except PreconditionError:
                if self.head(key).etag not in (etag, None):
                    raise self._replaced(key) from None
                self._compares = False  # with its own spelling: a weak one, say, that never matches
                return self.get(key, start=start, stop=stop, etag=etag, nbytes=nbytes)
            except ShortError as error:
                raise self._cut_short(key, error) from None

    def stream(
        self, key: str, begin: Callable[[], Callable[[memoryview], object]], *, nbytes: int
    ) -> str | None:
        """Hand the bytes of one object on in pieces, as they arrive, and return its ETag.

        `begin` is called before the first piece, and again where all of it has to come again; it returns
        what each piece is handed to. Other than `nbytes` bytes are not believed, as in `get`.
        """
        path = self._path(key)

        def attempt() -> str | None:
            result = obstore.get(self._store, path)
            take, arrived = begin(), 0
            for piece in result.stream(min_chunk_size=_PIECE_NBYTES):
                view = memoryview(piece)
                arrived += len(view)
                take(view)
            if arrived != nbytes:
                self._refuse_page(result, path)
                raise ShortError(f"{arrived} of {nbytes} bytes")
            return plain_etag(result.meta["e_tag"])

        with explained(self.location, key):
            try:
                return self._patience.run(attempt)
            except ShortError as error:
                raise self._cut_short(key, error) from None

    def promise(self, key: str) -> Promise | None:
        """Return what else the server says of one object; None where it does not tell."""
        from ngff_practical.storage import exact

        try:
            return exact.promise(self.location, self._path(key), patience=self._patience)
        except StorageError:  # a help that is not needed
            return None

    def put(self, key: str, data: bytes | memoryview, *, overwrite: bool = False) -> str | None:
        """Store one object, whole or not at all, and return the ETag the server gave it.

        Its SHA-256 goes with it, for the server to check and to keep, until a server refuses that.

        Raises
        ------
        ExistsError
            The key is taken and `overwrite` is False; or it is taken by these very bytes, where an earlier
            answer of the server got lost.
        """
        path = self._path(key)
        mode: Literal["overwrite", "create"] = "overwrite" if overwrite else "create"
        sealing = self._sealing
        store = sealing or self._store

        def attempt() -> str | None:
            return obstore.put(store, path, data, mode=mode, use_multipart=False)["e_tag"]

        with explained(self.location, key, doing="write"):
            try:
                return plain_etag(self._patience.run(attempt))
            except BaseError as error:
                failure = diagnose(error)
                stranger = failure.status in (400, 501) and failure.code not in DAMAGED
                stranger = stranger or failure.code == "SignatureDoesNotMatch"
                if not (sealing and stranger) and (overwrite or failure.status != 501):
                    raise
        if sealing:  # a server that knows no checksums, or something on the way that takes them off
            self._sealing = None
            return self.put(key, data, overwrite=overwrite)
        self._refuse_taken(key)  # a server that does not know create-only
        return self.put(key, data, overwrite=True)

    def put_parts(
        self,
        key: str,
        parts: Callable[[], Iterator[bytes]],
        *,
        overwrite: bool = False,
        crew: Crew | None = None,
    ) -> str | None:
        """Store one large object as a multipart upload, and return the ETag the server gave it.

        `parts` is called for fresh iterators over the same parts. Where one raises, the upload is aborted.
        An earlier upload of these very bytes that was cut off is gone on with. The threads that send the
        parts stop with the `crew`.

        Raises
        ------
        ExistsError
            The key is taken and `overwrite` is False.
        """
        from ngff_practical.storage.parts import send_parts

        path = self._path(key)
        if not overwrite:
            self._refuse_taken(key)
        return send_parts(self.location, path, parts, overwrite=overwrite, patience=self._patience, crew=crew)

    def abort_parts(self) -> None:
        """Give up the multipart uploads at and below the location that were never finished."""
        from ngff_practical.storage.parts import abort_uploads, open_uploads

        abort_uploads(
            self.location, open_uploads(self.location, patience=self._patience), patience=self._patience
        )

    def url(self, key: str = "") -> str:
        """Return the address of an object, as errors name it."""
        return f"{self.location.url}/{key}" if key else self.location.url

    def _refuse_page(self, answer: GetResult, path: str) -> None:
        if may_be_page(answer, path):
            refuse_portal(self.location)

    def _replaced(self, key: str) -> StorageError:
        return StorageError(f"{self.url(key)} was replaced while it was being read; start again")

    def _cut_short(self, key: str, error: ShortError) -> StorageError:
        return StorageError(
            f"{self.url(key)} keeps arriving with {error}; something between the server and this "
            "computer changes answers on their way"
        )

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
        if is_odd(path):
            raise odd_key(self.url(key))
        return path
