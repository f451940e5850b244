"""The zarr store that writes large objects in pieces: the same objects, whole or not at all."""

from __future__ import annotations

import errno
import io
from pathlib import Path

import numpy as np
import pytest
import zarr
from zarr.codecs import ShardingCodec
from zarr.core.buffer import default_buffer_prototype
from zarr.core.sync import sync
from zarr.storage import LocalStore

from ngff_practical.storage.folders import PIECE_NBYTES, UNJOINED, FolderStore, Pieces


def a_buffer(data: bytes):
    return default_buffer_prototype().buffer.from_bytes(data)


@pytest.mark.parametrize("size", [0, 1, PIECE_NBYTES - 1, PIECE_NBYTES, PIECE_NBYTES + 1, 3 * PIECE_NBYTES])
def test_an_object_of_any_size_is_stored_as_it_is(tmp_path, size):
    data = np.random.default_rng(size).bytes(size)
    sync(FolderStore(tmp_path).set("c/0/0", a_buffer(data)))
    assert (tmp_path / "c/0/0").read_bytes() == data
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["0"]


def shards_of(store, pixels, index_location="end"):
    """Return a new array of shards of (64, 256, 128), opened as the configuration of the moment says."""
    codec = ShardingCodec(chunk_shape=(32, 64, 64), index_location=index_location)
    zarr.create_array(
        store, shape=pixels.shape, dtype="uint16", chunks=(64, 256, 128), serializer=codec, compressors=None
    )
    return zarr.open_array(store, mode="r+")


@pytest.mark.parametrize("index_location", ["start", "end"])
def test_shards_are_the_same_bytes_as_zarr_writes_them(tmp_path, index_location):
    pixels = np.random.default_rng(0).integers(0, 60_000, (64, 256, 256), dtype="uint16")
    pixels[:32, :64, :64] = 0  # a chunk that is left out
    with zarr.config.set(UNJOINED):
        shards_of(FolderStore(tmp_path / "ours"), pixels, index_location)[...] = pixels
    shards_of(LocalStore(tmp_path / "theirs"), pixels, index_location)[...] = pixels
    ours, theirs = (
        {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file()
        }
        for folder in (tmp_path / "ours", tmp_path / "theirs")
    )
    assert max(len(data) for data in ours.values()) > 2 * PIECE_NBYTES
    assert ours == theirs


def test_a_shard_reaches_the_folder_in_its_parts_and_is_never_joined(tmp_path, monkeypatch):
    pixels = np.random.default_rng(0).integers(0, 60_000, (64, 256, 128), dtype="uint16")
    monkeypatch.setattr(Pieces, "as_numpy_array", lambda _: pytest.fail("joined"))
    with zarr.config.set(UNJOINED):
        array = shards_of(FolderStore(tmp_path), pixels)
    kept = FolderStore.set_sync
    parts = []

    def noted(self, key, value):
        parts.append(len(value.parts))
        kept(self, key, value)

    monkeypatch.setattr(FolderStore, "set_sync", noted)
    array[...] = pixels
    assert parts == [2 * 4 * 2 + 1]  # its chunks, and the index


def test_a_shard_in_parts_is_whole_to_whoever_asks(tmp_path):
    whole = Pieces(*(a_buffer(data).as_array_like() for data in (b"chunk", b"", b"index")))
    assert len(whole) == 10
    assert whole.to_bytes() == whole.as_array_like().tobytes() == b"chunkindex"
    assert whole[3:7].to_bytes() == b"nkin"
    assert whole.combine([a_buffer(b"more")]).to_bytes() == b"chunkindexmore"
    sync(FolderStore(tmp_path).set("c/0", whole))
    assert (tmp_path / "c/0").read_bytes() == b"chunkindex"


def test_a_disk_that_fills_up_leaves_the_object_that_was_there(tmp_path, monkeypatch):
    store = FolderStore(tmp_path)
    sync(store.set("c/0", a_buffer(b"before")))
    opened = Path.open

    def nearly_full(path, mode="r", *more):
        file = opened(path, mode, *more)
        if "w" in mode:
            file = NearlyFull(file.detach())
        return file

    monkeypatch.setattr(Path, "open", nearly_full)
    with pytest.raises(OSError, match="No space left"):
        sync(store.set("c/0", a_buffer(b"x" * 3 * PIECE_NBYTES)))
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["0"]
    assert (tmp_path / "c/0").read_bytes() == b"before"


class NearlyFull(io.BufferedWriter):
    """A file on a disk with room for one piece and no more."""

    left = PIECE_NBYTES

    def write(self, data):
        self.left -= len(data)
        if self.left < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(data)
