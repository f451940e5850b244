"""A zarr store that records what is asked of it: exact where one question is one request, as with obstore."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from zarr.abc.store import ByteRequest, OffsetByteRequest, RangeByteRequest, Store
from zarr.core.buffer import Buffer, BufferPrototype
from zarr.storage import WrapperStore

from ngff_practical.meter.recorder import Recorder
from ngff_practical.model import Request


@dataclass(slots=True)
class _Outcome:
    status: int = 0
    nbytes: int = 0


class MeteredStore(WrapperStore[Store]):
    """A store that passes everything on and tells a recorder each read and write of a key.

    `root` is put before each key ("bucket/key of the image"), `client` names the library below.
    A listing counts as one request, however many pages it takes.
    """

    def __init__(self, store: Store, recorder: Recorder, *, root: str = "", client: str = "zarr") -> None:
        super().__init__(store)
        self._recorder = recorder
        self._root = root
        self._client = client

    def _with_store(self, store: Store) -> MeteredStore:
        return MeteredStore(store, self._recorder, root=self._root, client=self._client)

    def __getstate__(self) -> dict[str, object]:
        raise TypeError(
            "a store with a recorder cannot be sent to another process; open the image there without one"
        )

    async def get(
        self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None
    ) -> Buffer | None:
        """Return the bytes of a key, or of a range of it; recorded as GET."""
        with self._recording("GET", key, _header(byte_range)) as outcome:
            found = await self._store.get(key, prototype, byte_range)
            if found is None:
                outcome.status = 404
            else:
                outcome.status = 200 if byte_range is None else 206
                outcome.nbytes = len(found)
        return found

    async def get_partial_values(
        self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]
    ) -> list[Buffer | None]:
        """Return several ranges; one GET each."""
        return await asyncio.gather(*(self.get(key, prototype, byte_range) for key, byte_range in key_ranges))

    async def get_ranges(
        self,
        key: str,
        byte_ranges: Sequence[ByteRequest | None],
        *,
        prototype: BufferPrototype,
        max_concurrency: int | None = None,
        max_gap_bytes: int | None = None,
        max_coalesced_bytes: int | None = None,
    ) -> AsyncIterator[Sequence[tuple[int, Buffer | None]]]:
        """Return ranges of one key, neighbours joined as zarr does it; one GET for each joined range."""
        asked = {
            "max_concurrency": max_concurrency,
            "max_gap_bytes": max_gap_bytes,
            "max_coalesced_bytes": max_coalesced_bytes,
        }
        limits = {name: value for name, value in asked.items() if value is not None}
        # The wrapper's own get_ranges would ask the store below, past our get.
        async for group in Store.get_ranges(self, key, byte_ranges, prototype=prototype, **limits):
            yield group

    async def _get_many(
        self, requests: Iterable[tuple[str, BufferPrototype, ByteRequest | None]]
    ) -> AsyncGenerator[tuple[str, Buffer | None], None]:
        for key, prototype, byte_range in requests:
            yield key, await self.get(key, prototype, byte_range)

    async def exists(self, key: str) -> bool:
        """Return True where the key is stored; recorded as HEAD."""
        with self._recording("HEAD", key) as outcome:
            found = await self._store.exists(key)
            outcome.status = 200 if found else 404
        return found

    async def getsize(self, key: str) -> int:
        """Return the size of a key's value; recorded as HEAD."""
        with self._recording("HEAD", key) as outcome:
            size = await self._store.getsize(key)
            outcome.status = 200
        return size

    async def set(self, key: str, value: Buffer) -> None:
        """Store a value; recorded as PUT."""
        with self._recording("PUT", key) as outcome:
            await self._store.set(key, value)
            outcome.status, outcome.nbytes = 200, len(value)

    async def set_if_not_exists(self, key: str, value: Buffer) -> None:
        """Store a value unless the key is taken; recorded as PUT."""
        with self._recording("PUT", key) as outcome:
            await self._store.set_if_not_exists(key, value)
            outcome.status, outcome.nbytes = 200, len(value)

    async def _set_many(self, values: Iterable[tuple[str, Buffer]]) -> None:
        await asyncio.gather(*(self.set(key, value) for key, value in values))

    async def delete(self, key: str) -> None:
        """Delete a key; recorded as DELETE."""
        with self._recording("DELETE", key) as outcome:
            await self._store.delete(key)
            outcome.status = 204

    async def delete_dir(self, prefix: str) -> None:
        """Delete everything below a prefix: one listing, one DELETE for each key."""
        await Store.delete_dir(self, prefix)

    async def is_empty(self, prefix: str) -> bool:
        """Return True where nothing is stored below the prefix; recorded as a listing."""
        return await Store.is_empty(self, prefix)

    async def clear(self) -> None:
        """Delete everything: one listing, one DELETE for each key."""
        await Store.clear(self)

    async def list(self) -> AsyncIterator[str]:
        """Yield every key; recorded as a listing."""
        with self._recording("GET", "?") as outcome:
            async for key in self._store.list():
                yield key
            outcome.status = 200

    async def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        """Yield every key below a prefix; recorded as a listing."""
        with self._recording("GET", f"?prefix={prefix}") as outcome:
            async for key in self._store.list_prefix(prefix):
                yield key
            outcome.status = 200

    async def list_dir(self, prefix: str) -> AsyncIterator[str]:
        """Yield the names directly below a prefix; recorded as a listing."""
        with self._recording("GET", f"?prefix={prefix}&delimiter=/") as outcome:
            async for name in self._store.list_dir(prefix):
                yield name
            outcome.status = 200

    @property
    def _supports_sync_io(self) -> bool:
        return False  # zarr then takes the methods above, which record

    @contextmanager
    def _recording(self, method: str, key: str, byte_range: str | None = None) -> Iterator[_Outcome]:
        outcome = _Outcome()
        at, started = time.time(), time.perf_counter()
        try:
            yield outcome
        except FileNotFoundError:
            outcome.status = 404
            raise
        except PermissionError:
            outcome.status = 403
            raise
        finally:
            ms = (time.perf_counter() - started) * 1000
            full_key = "/".join(part for part in (self._root, key) if part)
            self._recorder.record(
                Request(method, full_key, byte_range, outcome.status, outcome.nbytes, ms, self._client, at)
            )


def _header(byte_range: ByteRequest | None) -> str | None:
    match byte_range:
        case None:
            return None
        case RangeByteRequest(start, end):
            return f"bytes={start}-{end - 1}"
        case OffsetByteRequest(offset):
            return f"bytes={offset}-"
        case _:
            return f"bytes=-{byte_range.suffix}"
