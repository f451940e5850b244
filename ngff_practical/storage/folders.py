"""A folder as a zarr store that writes large objects in pieces, shards in those they are made of."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import cached_property
from uuid import uuid4

import numpy as np
from zarr.codecs import ShardingCodec
from zarr.core.buffer import ArrayLike, Buffer, BufferPrototype
from zarr.core.buffer.cpu import Buffer as MemoryBuffer
from zarr.registry import register_codec
from zarr.storage import LocalStore

PIECE_NBYTES = 2**20
SHARDING = "sharding_indexed"  # as the specification names the codec
UNJOINED = {
    f"codecs.{SHARDING}": f"{__name__}.UnjoinedShards"
}  # zarr's configuration of an array to be opened


class Pieces(MemoryBuffer):
    """Bytes of several arrays, one after the other; in one block only where somebody asks for it."""

    def __init__(self, *parts: ArrayLike) -> None:
        self.parts = [np.asanyarray(part) for part in parts]

    @cached_property
    def _data(self) -> ArrayLike:  # type: ignore[override]  # an attribute there
        return np.concatenate(self.parts)

    def __len__(self) -> int:
        return sum(map(len, self.parts))


class UnjoinedShards(ShardingCodec):
    """zarr's sharding, but the chunks of a shard and its index are handed to the store as they are.

    Joined, a shard of 64 MB is as much fresh memory and a copy more. A zarr that puts its shards together
    elsewhere is right, too, and slower; a test says so.
    """

    def _assemble_shard(
        self,
        index_bytes: Buffer,
        buffers: list[Buffer],
        buffer_prototype: BufferPrototype,
        *,
        chunks_per_shard: tuple[int, ...],
    ) -> Buffer:
        index = super()._assemble_shard(index_bytes, [], buffer_prototype, chunks_per_shard=chunks_per_shard)
        parts = [index, *buffers] if self.index_location == "start" else [*buffers, index]
        return Pieces(*(part.as_array_like() for part in parts))


register_codec(SHARDING, UnjoinedShards)  # taken where zarr's configuration is `UNJOINED`, nowhere else


class FolderStore(LocalStore):
    """zarr's LocalStore, but an object is handed to the system a megabyte at a time.

    Linux looks for as much memory in one block as one call writes: a shard of 64 MB written in one go took
    three to ten times as long as in pieces. An object appears whole or not at all, as in LocalStore.
    """

    async def set(self, key: str, value: Buffer) -> None:
        """Write an object."""
        await asyncio.to_thread(self.set_sync, key, value)

    def set_sync(self, key: str, value: Buffer) -> None:
        """Write an object."""
        if len(value) <= PIECE_NBYTES:
            super().set_sync(key, value)
            return
        self._ensure_open_sync()
        self._check_writable()
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.{uuid4().hex}.partial")
        try:
            with part.open("wb") as file:
                for piece in _pieces(value):
                    file.write(piece)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


def _pieces(value: Buffer) -> Iterator[memoryview]:
    for part in value.parts if isinstance(value, Pieces) else [value.as_numpy_array()]:
        for start in range(0, len(part), PIECE_NBYTES):
            yield memoryview(part[start : start + PIECE_NBYTES])
