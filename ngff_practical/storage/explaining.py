"""zarr's ObjectStore with errors that explain themselves."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence

from obstore.store import S3Store
from zarr.abc.store import ByteRequest
from zarr.core.buffer import Buffer, BufferPrototype
from zarr.storage import ObjectStore

from ngff_practical.errors import NgffPracticalError
from ngff_practical.model import Location
from ngff_practical.storage.clients import object_store
from ngff_practical.storage.explain import explained


class ExplainingObjectStore(ObjectStore[S3Store]):
    """An ObjectStore whose failures are StorageError and its kinds, each naming the object."""

    def __init__(self, store: S3Store, *, location: Location, read_only: bool = False) -> None:
        super().__init__(store, read_only=read_only)
        self.location = location

    def with_read_only(self, read_only: bool = False) -> ExplainingObjectStore:
        """Return the same store with another `read_only`."""
        return ExplainingObjectStore(self.store, location=self.location, read_only=read_only)

    def __str__(self) -> str:
        return self.location.url

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, ExplainingObjectStore)
            and self.location == other.location
            and self.read_only == other.read_only
        )

    def __reduce__(self) -> tuple[Callable[[Location, bool], ExplainingObjectStore], tuple[Location, bool]]:
        # Another process finds the keys in its own environment: none travel.
        return open_store, (self.location, self.read_only)

    async def get(
        self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None
    ) -> Buffer | None:
        """Return the bytes of a key, or None where nothing is stored."""
        with explained(self.location, key):
            return await super().get(key, prototype, byte_range)

    async def get_partial_values(
        self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]
    ) -> list[Buffer | None]:
        """Return several ranges."""
        with explained(self.location):
            return await super().get_partial_values(prototype, key_ranges)

    async def get_ranges(
        self,
        key: str,
        byte_ranges: Sequence[ByteRequest | None],
        *,
        prototype: BufferPrototype,
        max_concurrency: int = 10,
        max_gap_bytes: int = 1 << 20,
        max_coalesced_bytes: int = 16 << 20,
    ) -> AsyncIterator[Sequence[tuple[int, Buffer | None]]]:
        """Return ranges of one key, neighbours joined."""
        try:
            async for group in super().get_ranges(
                key,
                byte_ranges,
                prototype=prototype,
                max_concurrency=max_concurrency,
                max_gap_bytes=max_gap_bytes,
                max_coalesced_bytes=max_coalesced_bytes,
            ):
                yield group
        except BaseExceptionGroup as failures:  # several reads at once fail as a group: one reason is enough
            ours = failures.subgroup(NgffPracticalError)
            if ours is None:
                raise
            raise _first(ours) from None

    async def exists(self, key: str) -> bool:
        """Return True where the key is stored."""
        with explained(self.location, key):
            return await super().exists(key)

    async def getsize(self, key: str) -> int:
        """Return the size of a key's value."""
        with explained(self.location, key):
            return await super().getsize(key)

    async def set(self, key: str, value: Buffer) -> None:
        """Store a value."""
        with explained(self.location, key, doing="write"):
            await super().set(key, value)

    async def set_if_not_exists(self, key: str, value: Buffer) -> None:
        """Store a value unless the key is taken."""
        with explained(self.location, key, doing="write"):
            await super().set_if_not_exists(key, value)

    async def delete(self, key: str) -> None:
        """Delete a key."""
        with explained(self.location, key, doing="delete"):
            await super().delete(key)

    async def delete_dir(self, prefix: str) -> None:
        """Delete everything below a prefix."""
        with explained(self.location, prefix, doing="delete"):
            await super().delete_dir(prefix)

    def list(self) -> AsyncGenerator[str, None]:
        """Yield every key."""
        return self._explained_list(super().list())

    def list_prefix(self, prefix: str) -> AsyncGenerator[str, None]:
        """Yield every key below a prefix."""
        return self._explained_list(super().list_prefix(prefix))

    def list_dir(self, prefix: str) -> AsyncGenerator[str, None]:
        """Yield the names directly below a prefix."""
        return self._explained_list(super().list_dir(prefix))

    async def _explained_list(self, keys: AsyncGenerator[str, None]) -> AsyncGenerator[str, None]:
        with explained(self.location, doing="list"):
            async for key in keys:
                yield key


def open_store(location: Location, read_only: bool) -> ExplainingObjectStore:
    """Return the location as a zarr store."""
    return ExplainingObjectStore(object_store(location), location=location, read_only=read_only)


def _first(failures: BaseExceptionGroup[NgffPracticalError]) -> NgffPracticalError:
    first = failures.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
