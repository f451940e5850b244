"""The same stack as TIFF, HDF5, N5, Zarr v2, Zarr v3 and sharded Zarr v3: same chunks, uncompressed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import zarr
from numpy.typing import NDArray

from ngff_practical.errors import ExistsError
from ngff_practical.model import Shape

type Pixels = NDArray[np.generic]

FORMATS = {
    "TIFF": "stack.tif",
    "HDF5": "stack.h5",
    "N5": "stack.n5",
    "Zarr v2": "stack_v2.zarr",
    "Zarr v3": "stack_v3.zarr",
    "Zarr v3, sharded": "stack_sharded.zarr",
}


def write_formats(stack: Pixels, folder: str | Path, *, chunks: Shape, shards: Shape) -> dict[str, Path]:
    """Write a stack (z, y, x) in each format below a folder; return the paths by the names of `FORMATS`.

    TIFF stores one plane in one piece, the others the chunks asked for. Nothing is compressed, so that every
    difference is one of layout.

    Raises
    ------
    ExistsError
        One of the files is there already.
    """
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    paths = {name: place / file for name, file in FORMATS.items()}
    for path in paths.values():
        if path.exists():
            raise ExistsError(f"{path} exists already; choose a new folder, or remove it first")
    _write_tiff(paths["TIFF"], stack)
    _write_hdf5(paths["HDF5"], stack, chunks)
    _write_n5(paths["N5"], stack, chunks)
    for name, zarr_format, shard in (
        ("Zarr v2", 2, None),
        ("Zarr v3", 3, None),
        ("Zarr v3, sharded", 3, shards),
    ):
        _write_zarr(paths[name], stack, chunks, shard, zarr_format)
    return paths


def _write_tiff(path: Path, stack: Pixels) -> None:
    import tifffile

    tifffile.imwrite(path, stack, photometric="minisblack", metadata=None, contiguous=False)


def _write_hdf5(path: Path, stack: Pixels, chunks: Shape) -> None:
    import h5py

    with h5py.File(path, "w-") as file:
        file.create_dataset("stack", data=stack, chunks=chunks)


def _write_n5(path: Path, stack: Pixels, chunks: Shape) -> None:
    """Write N5 through tensorstore; N5 counts axes from the fastest, x, y, z."""
    import tensorstore

    metadata = {
        "dimensions": stack.shape[::-1],
        "blockSize": chunks[::-1],
        "dataType": stack.dtype.name,
        "compression": {"type": "raw"},
    }
    spec = {"driver": "n5", "kvstore": {"driver": "file", "path": str(path)}, "metadata": metadata}
    tensorstore.open(spec, create=True).result().write(stack.T).result()


def _write_zarr(path: Path, stack: Pixels, chunks: Shape, shards: Shape | None, zarr_format: int) -> None:
    array = zarr.create_array(
        path,
        shape=stack.shape,
        dtype=stack.dtype,
        chunks=chunks,
        shards=shards,
        compressors=None,
        zarr_format=2 if zarr_format == 2 else 3,
        chunk_key_encoding={"name": "v2", "separator": "/"} if zarr_format == 2 else None,
        config={"write_empty_chunks": True},
    )
    array[...] = stack
