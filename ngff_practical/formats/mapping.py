"""Say of every byte of a stored array what it holds: pixels of a plane or chunk, an index, or metadata."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import zarr
from zarr.core.metadata import ArrayV3Metadata

from ngff_practical.errors import NgffPracticalError, StorageError
from ngff_practical.formats.planes import DAMAGED
from ngff_practical.model import ByteMap, Holds, Segment
from ngff_practical.stack.segments import page_places
from ngff_practical.storage import list_objects

_MISSING = np.iinfo("uint64").max  # offset and length of a chunk that a shard leaves out (Zarr v3, sharding)
_DOCUMENTS = frozenset({"zarr.json", ".zarray", ".zattrs", ".zgroup", ".zmetadata", "attributes.json"})

type Known = tuple[int, int, Holds, str]


def byte_map(path: str | Path) -> ByteMap:
    """Return the map of a TIFF or HDF5 file, or of an N5 or Zarr array in a folder.

    Raises
    ------
    StorageError
        There is nothing of these formats at the path, or it is damaged.
    StackError
        A file called .tif is no TIFF that can be read.
    """
    place = Path(path)
    try:
        return _mapped(place)
    except NgffPracticalError:
        raise
    except DAMAGED as error:
        raise StorageError(
            f"{place} cannot be mapped byte by byte ({error}); it is damaged, or of another format"
        ) from None


def _mapped(place: Path) -> ByteMap:
    if place.is_file() and place.suffix.lower() in {".tif", ".tiff"}:
        return ByteMap(place.name, "TIFF", _filled("", place.stat().st_size, _tiff(place)))
    if place.is_file() and place.suffix.lower() in {".h5", ".hdf5"}:
        return ByteMap(place.name, "HDF5", _filled("", place.stat().st_size, _hdf5(place)))
    if (place / "zarr.json").is_file() or (place / ".zarray").is_file():
        return ByteMap(place.name, "Zarr", _zarr(place))
    if (place / "attributes.json").is_file():
        return ByteMap(place.name, "N5", _objects(place, "pixels"))
    raise StorageError(f"{place} is no TIFF or HDF5 file and no N5 or Zarr array; check the path")


def _tiff(path: Path) -> Iterator[Known]:
    yield 0, 8, "metadata", "header"
    for number, places in enumerate(page_places(path)):
        yield *places.directory, "metadata", f"IFD {number}"
        for start, nbytes in places.pixels:
            yield start, nbytes, "pixels", f"plane {number}"


def _hdf5(path: Path) -> Iterator[Known]:
    import h5py

    with h5py.File(path, "r") as file:
        names: list[str] = []
        file.visit(names.append)
        for name in names:
            dataset = file[name]
            if not isinstance(dataset, h5py.Dataset):
                continue
            if dataset.chunks is None:
                if (start := dataset.id.get_offset()) is not None:
                    yield start, dataset.id.get_storage_size(), "pixels", name
                continue
            for number in range(dataset.id.get_num_chunks()):
                chunk = dataset.id.get_chunk_info(number)
                index = (at // step for at, step in zip(chunk.chunk_offset, dataset.chunks, strict=True))
                yield chunk.byte_offset, chunk.size, "pixels", _chunk(index)


def _zarr(path: Path) -> tuple[Segment, ...]:
    array = zarr.open_array(path, mode="r")
    if array.shards is None or not isinstance(array.metadata, ArrayV3Metadata):
        return _objects(path, "pixels")
    per_shard = tuple(shard // chunk for shard, chunk in zip(array.shards, array.chunks, strict=True))
    segments: list[Segment] = []
    for key, nbytes in _files(path):
        if key in _DOCUMENTS:
            segments.append(Segment(key, 0, nbytes, "metadata", key))
        else:
            shard = tuple(int(part) for part in key.removeprefix("c/").split("/"))
            segments.extend(_filled(key, nbytes, _shard(path / key, shard, per_shard)))
    return tuple(segments)


def _shard(path: Path, shard: tuple[int, ...], per_shard: tuple[int, ...]) -> Iterator[Known]:
    """Yield the chunks of a shard and its index: pairs (offset, length), then a CRC-32C, at the end."""
    size = 16 * int(np.prod(per_shard)) + 4
    content = path.read_bytes()
    start = len(content) - size
    yield start, size, "index", "index of the shard"
    index = np.frombuffer(content[start:-4], dtype="<u8").reshape(*per_shard, 2)
    for inner in np.ndindex(per_shard):
        offset, nbytes = (int(value) for value in index[inner])
        if offset != _MISSING:
            chunk = (s * n + i for s, n, i in zip(shard, per_shard, inner, strict=True))
            yield offset, nbytes, "pixels", _chunk(chunk)


def _objects(path: Path, holds: Holds) -> tuple[Segment, ...]:
    """Return one segment for each file: in N5 and unsharded Zarr each chunk has one of its own."""
    return tuple(
        Segment(key, 0, nbytes, "metadata", key)
        if key in _DOCUMENTS
        else Segment(key, 0, nbytes, holds, f"chunk {key.removeprefix('c/')}")
        for key, nbytes in _files(path)
    )


def _files(path: Path) -> list[tuple[str, int]]:
    """Return key and size of each file, metadata first, then in the order of the chunk grid."""
    found = ((file.key, file.nbytes) for file in list_objects(path))
    return sorted(found, key=lambda item: (item[0] not in _DOCUMENTS, _numbers(item[0]), item[0]))


def _numbers(key: str) -> tuple[int, ...]:
    return tuple(int(part) for part in key.split("/") if part.isdigit())


def _chunk(index: Iterable[int]) -> str:
    return f"chunk {'/'.join(str(number) for number in index)}"


def _filled(key: str, nbytes: int, known: Iterable[Known]) -> tuple[Segment, ...]:
    """Return what is known of a file in order, with the bytes between as segments of their own."""
    segments: list[Segment] = []
    at = 0
    for start, length, holds, label in sorted(known):
        if start > at:
            segments.append(Segment(key, at, start - at, "other", "between"))
        begin = max(start, at)
        if (end := min(start + length, nbytes)) > begin:
            segments.append(Segment(key, begin, end - begin, holds, label))
            at = end
    if at < nbytes:
        segments.append(Segment(key, at, nbytes - at, "other", "between"))
    return tuple(segments)
