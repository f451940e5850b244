"""One remote object read in ranges, as from a file: few requests, and never a mixture of two versions."""

from __future__ import annotations

import io
import threading
from collections import OrderedDict
from collections.abc import Buffer
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError, PreconditionError

from ngff_practical.errors import StorageError
from ngff_practical.model import Location
from ngff_practical.storage.clients import bucket_store, web_store
from ngff_practical.storage.explain import diagnose, explained
from ngff_practical.storage.odd_keys import explain_path
from ngff_practical.storage.patience import Patience

if TYPE_CHECKING:
    from obstore import Bytes, GetOptions, GetResult
    from obstore.store import HTTPStore, S3Store

# A directory of a TIFF page takes some 200 bytes, and writers put it either with all others or behind the
# pixels of its page. Measured for 64 planes, with 50 ms for a request and 10 MB/s: all together, 2 requests
# whatever the block; behind pages of 128 KiB, blocks of 64 KiB that do not grow need 64 requests (3.6 s),
# these 10 (1.3 s), as what is wanted near the last block brings twice as much each time; behind pages of
# 2 MiB, 64 requests are the least, and 1 MiB each would be thrown away (29 s instead of 3.3 s).
BLOCK = 2**14
_NEAR = 2**18
_MOST_AT_ONCE = 2**21
_MOST_BLOCKS = 2**11  # 32 MiB, or 2,000 directories far apart, which are walked three times
_MOST_AT_A_TIME = 2**24  # of pixels: what one answer may take of memory


class RemoteObject:
    """An object behind https:// or on S3, of which parts are read; several threads may read at once.

    The first block is asked for when it is made. `version` is a text that changes when the object is
    replaced; where one is given, the object has to be that one, and nothing is asked for until it is read.
    Every answer is compared with it: a server that knows ETags is asked for nothing but that version, and
    others state size and time.

    Raises
    ------
    NotFoundError, AccessError, StorageError
        Nothing is stored there, it may not be read, the server sends whole objects only, or the object is
        another one than it was.
    """

    def __init__(self, location: Location, *, version: str | None = None) -> None:
        self.location = location
        self.failure: StorageError | None = None
        self._lock = threading.Lock()
        self._blocks: OrderedDict[int, bytes] = OrderedDict()
        self._end = 0  # where the last fetch ended, and how many blocks it brought
        self._length = 1
        self._etag: str | None = None
        self._store: S3Store | HTTPStore
        with explained(location):
            if location.anonymous:
                # Unsigned S3 is plain HTTP, and so plain web servers are read alike, objects at the root too.
                self._store = web_store(location.endpoint)
                self._path = "/".join(part for part in (location.bucket, location.key) if part)
            elif location.key:
                self._store, self._path = bucket_store(location), location.key
            else:
                raise StorageError(f"{location.url} is a whole bucket, not an object; add the key")
        if version is None:
            self.nbytes, self.version, self._etag, self._blocks[0] = self._open()
        else:
            stated, nbytes = version.rsplit(" ", 1)
            self.nbytes, self.version = int(nbytes), version
            self._etag = stated if stated.startswith(('"', "W/")) else None

    @property
    def name(self) -> str:
        """Last part of the key."""
        return self.location.name

    def open(self) -> RemoteFile:
        """Return a seekable file over the object; all such files share the blocks they read."""
        return RemoteFile(self)

    def read(self, start: int, stop: int) -> bytes:
        """Return a few bytes, fewer where the object ends, by way of the kept blocks."""
        stop = min(stop, self.nbytes)
        if start >= stop:
            return b""
        with self._lock:
            first, last = start // BLOCK, (stop - 1) // BLOCK
            parts = [self._block(number, last) for number in range(first, last + 1)]
            return b"".join(parts)[start - first * BLOCK : stop - first * BLOCK]

    def read_into(self, start: int, view: memoryview) -> int:
        """Fill a buffer with what lies from `start` on, past the kept blocks; returns how much there was."""
        stop = min(start + len(view), self.nbytes)
        for at in range(start, stop, _MOST_AT_A_TIME):
            until = min(at + _MOST_AT_A_TIME, stop)
            view[at - start : until - start] = memoryview(self._fetch(at, until))
        return max(0, stop - start)

    def _block(self, number: int, last: int) -> bytes:
        kept = self._blocks.get(number)
        if kept is not None:
            self._blocks.move_to_end(number)
            return kept
        near = 0 <= number * BLOCK - self._end <= _NEAR
        self._length = min(self._length * 2, _MOST_AT_ONCE // BLOCK) if near else 1
        start = number * BLOCK
        stop = min(max(number + self._length, last + 1) * BLOCK, start + _MOST_AT_ONCE, self.nbytes)
        data = memoryview(self._fetch(start, stop))
        self._end = stop
        for at in range(0, stop - start, BLOCK):
            self._blocks[(start + at) // BLOCK] = bytes(data[at : at + BLOCK])
        while len(self._blocks) > _MOST_BLOCKS:
            self._blocks.popitem(last=False)
        return self._blocks[number]

    def _open(self) -> tuple[int, str, str | None, bytes]:
        """Return size, version, ETag and first block, from one request."""
        with explained(self.location), explain_path(self.location):
            try:
                answer = obstore.get(self._store, self._path, options={"range": (0, BLOCK)})
            except BaseError as error:
                if diagnose(error).status == 416:  # nothing is in range where there is nothing
                    return 0, "empty 0", None, b""
                raise
            data = bytes(answer.bytes())
        self._end = len(data)
        return answer.meta["size"], _version(answer), answer.meta["e_tag"], data

    def _fetch(self, start: int, stop: int) -> Bytes:
        options: GetOptions = {"range": (start, stop)}
        if self._etag and self._etag.startswith('"'):  # a weak one ("W/...") never matches (RFC 9110, 13.1.1)
            options["if_match"] = self._etag

        def attempt() -> Bytes:
            answer = obstore.get(self._store, self._path, options=options)
            if _version(answer) != self.version or answer.range != (start, stop):
                raise self._replaced()
            return answer.bytes()

        try:
            with explained(self.location):
                try:
                    return Patience().run(attempt)
                except PreconditionError:
                    raise self._replaced() from None
                except BaseError as error:
                    if diagnose(error).status == 416:  # it has become shorter
                        raise self._replaced() from None
                    raise
        except StorageError as failure:
            self.failure = failure
            raise

    def _replaced(self) -> StorageError:
        return StorageError(f"{self.location.url} was replaced while it was being read; start again")


class RemoteFile(io.RawIOBase):
    """A read-only file over a RemoteObject, with a position of its own."""

    def __init__(self, remote: RemoteObject) -> None:
        self.name = remote.location.url
        self._remote = remote
        self._at = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move, and return the new position."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._remote.nbytes}[whence]
        if start + offset < 0:
            raise ValueError(f"seek to byte {start + offset} of {self.name}")
        self._at = start + offset
        return self._at

    def readinto(self, buffer: Buffer, /) -> int:
        """Fill a buffer, and return how many bytes there were."""
        view = memoryview(buffer).cast("B")
        if len(view) > _MOST_AT_ONCE:
            count = self._remote.read_into(self._at, view)
        else:
            data = self._remote.read(self._at, self._at + len(view))
            count = len(data)
            view[:count] = data
        self._at += count
        return count


def _version(answer: GetResult) -> str:
    """Return what tells this object from another: ETag, else the time it was changed, and its size."""
    meta = answer.meta
    return f"{meta['e_tag'] or meta['last_modified'].isoformat()} {meta['size']}"
