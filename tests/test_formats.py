"""One stack in six formats: the same pixels in each, and every byte of each accounted for."""

from pathlib import Path

import h5py
import numpy as np
import pytest
import tensorstore
import tifffile
import zarr

from ngff_practical.errors import ExistsError, StackError, StorageError
from ngff_practical.formats import FORMATS, byte_map, write_formats
from ngff_practical.model import ByteMap, Segment

CHUNKS, SHARDS = (4, 16, 16), (8, 32, 32)
STACK = np.random.default_rng(2).integers(1, 60_000, (12, 40, 48)).astype("uint16")


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write_formats(STACK, tmp_path_factory.mktemp("formats"), chunks=CHUNKS, shards=SHARDS)


def test_every_format_holds_the_same_pixels(paths: dict[str, Path]) -> None:
    assert (tifffile.imread(paths["TIFF"]) == STACK).all()
    with h5py.File(paths["HDF5"]) as file:
        assert (file["stack"][...] == STACK).all()
    n5 = tensorstore.open({"driver": "n5", "kvstore": f"file://{paths['N5']}/"}).result()
    assert (n5.read().result().T == STACK).all()
    for name in ("Zarr v2", "Zarr v3", "Zarr v3, sharded"):
        assert (zarr.open_array(paths[name], mode="r")[...] == STACK).all()


def test_chunks_and_shards_are_those_asked_for(paths: dict[str, Path]) -> None:
    with h5py.File(paths["HDF5"]) as file:
        assert file["stack"].chunks == CHUNKS
    assert zarr.open_array(paths["Zarr v2"], mode="r").chunks == CHUNKS
    assert zarr.open_array(paths["Zarr v3, sharded"], mode="r").shards == SHARDS


@pytest.mark.parametrize("name", FORMATS)
def test_a_map_leaves_no_byte_out_and_counts_none_twice(paths: dict[str, Path], name: str) -> None:
    found = byte_map(paths[name])
    root = paths[name]
    for key in found.keys:
        at = 0
        for segment in (segment for segment in found.segments if segment.key == key):
            assert segment.start == at
            at = segment.end
        assert at == (root / key if key else root).stat().st_size
    files = [root] if root.is_file() else [path for path in root.rglob("*") if path.is_file()]
    assert len(found.keys) == len(files)
    assert found.nbytes == sum(path.stat().st_size for path in files)


def stored(paths: dict[str, Path], name: str, segment: Segment) -> bytes:
    file = paths[name] / segment.key if segment.key else paths[name]
    return file.read_bytes()[segment.start : segment.end]


def test_a_plane_of_the_tiff_lies_where_the_map_says(paths: dict[str, Path]) -> None:
    planes = byte_map(paths["TIFF"]).holding("pixels")
    assert [segment.label for segment in planes] == [f"plane {number}" for number in range(12)]
    assert stored(paths, "TIFF", planes[10]) == STACK[10].tobytes()


def test_the_tiff_has_one_directory_for_each_plane(paths: dict[str, Path]) -> None:
    labels = [segment.label for segment in byte_map(paths["TIFF"]).holding("metadata")]
    assert [label for label in labels if label.startswith("IFD")] == [f"IFD {number}" for number in range(12)]


@pytest.mark.parametrize("name", ["HDF5", "Zarr v2", "Zarr v3", "Zarr v3, sharded"])
def test_a_chunk_lies_where_the_map_says(paths: dict[str, Path], name: str) -> None:
    [segment] = [part for part in byte_map(paths[name]).segments if part.label == "chunk 1/1/2"]
    assert stored(paths, name, segment) == STACK[4:8, 16:32, 32:48].tobytes()


def test_a_chunk_of_n5_is_a_file_named_from_x_to_z(paths: dict[str, Path]) -> None:
    [segment] = [part for part in byte_map(paths["N5"]).segments if part.label == "chunk 2/1/1"]
    assert stored(paths, "N5", segment).endswith(STACK[4:8, 16:32, 32:48].astype(">u2").tobytes())


def test_a_shard_ends_with_its_index(paths: dict[str, Path]) -> None:
    found = byte_map(paths["Zarr v3, sharded"])
    indices = found.holding("index")
    assert len(indices) == 2 * 2 * 2
    assert {segment.nbytes for segment in indices} == {2 * 2 * 2 * 16 + 4}


def test_chunks_that_a_shard_leaves_out_are_not_on_the_map(tmp_path: Path) -> None:
    array = zarr.create_array(
        tmp_path / "a.zarr", shape=(4, 4), dtype="uint8", chunks=(2, 2), shards=(4, 4), compressors=None
    )
    array[:2, :2] = 1
    assert [segment.label for segment in byte_map(tmp_path / "a.zarr").holding("pixels")] == ["chunk 0/0"]


def test_nothing_is_written_over(paths: dict[str, Path]) -> None:
    with pytest.raises(ExistsError, match=r"stack\.tif exists already"):
        write_formats(STACK, paths["TIFF"].parent, chunks=CHUNKS, shards=SHARDS)


@pytest.mark.parametrize("name", ["nothing.tif", "folder"])
def test_what_is_none_of_the_formats_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(StorageError, match="no N5 or Zarr array"):
        byte_map(tmp_path / name)


def test_a_file_that_only_ends_like_a_tiff_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(b"not a TIFF at all")
    with pytest.raises(StackError, match="cannot be read as TIFF"):
        byte_map(tmp_path / "a.tif")


def test_keys_are_in_order_and_named_once() -> None:
    segments = (
        Segment("a", 0, 3, "pixels", "x"),
        Segment("a", 3, 1, "index", "i"),
        Segment("b", 0, 2, "pixels", "y"),
    )
    assert ByteMap("m", "Zarr", segments).keys == ("a", "b")
