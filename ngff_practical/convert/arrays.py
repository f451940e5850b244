"""The arrays and root group of an image as zarr creates them: chunks, shards and codec exactly as planned."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from functools import lru_cache
from pathlib import Path
from threading import Lock

import numcodecs
import numpy as np
import zarr
import zarr.codecs
from numpy.typing import NDArray
from zarr.abc.codec import BytesBytesCodec
from zarr.buffer.cpu import NDBuffer
from zarr.core.metadata import ArrayV2Metadata, ArrayV3Metadata

from ngff_practical.metadata import image_document
from ngff_practical.metadata.writing import Rgba
from ngff_practical.model import Level, Place, Pyramid
from ngff_practical.pyramid.bands import Region, boxes
from ngff_practical.storage import delete_object, list_objects, zarr_store
from ngff_practical.storage.folders import UNJOINED, FolderStore

type Pixels = NDArray[np.generic]

FAST_PIPELINE = "zarrs.ZarrsCodecPipeline"
BLOSC_LEVEL = 3
BLOSC_BLOCK_NBYTES = 2**19  # Blosc would take 2**17, and set up its compressor four times as often
ZSTD_LEVEL = 3
GZIP_LEVEL = 5

_ONE_SHARD = Lock()  # zarr encodes a shard on all processors; two at once would only take twice the memory
_OPENING = Lock()  # zarr's configuration is global, and an array keeps what it finds when it is opened


def create_level(place: Place, pyramid: Pyramid, level: Level) -> None:
    """Create the empty array of one level below `place`; the root stays without metadata."""
    store = zarr_store(place / level.path, read_only=False)
    if pyramid.zarr_format == 2:
        zarr.create_array(
            store,
            shape=level.shape,
            dtype=level.dtype,
            chunks=level.chunks,
            compressors=_v2_compressor(pyramid.codec),
            filters=None,
            fill_value=0,
            order="C",
            zarr_format=2,
            chunk_key_encoding={"name": "v2", "separator": "/"},
        )
    else:
        zarr.create_array(
            store,
            shape=level.shape,
            dtype=level.dtype,
            chunks=level.chunks,
            shards=level.shards,
            compressors=compressors(pyramid.codec, level.itemsize),
            fill_value=0,
            zarr_format=3,
            dimension_names=list(pyramid.axis_names),
        )


def remove_level(place: Place, level: Level) -> None:
    """Delete a level with all its objects."""
    folder = place / level.path
    if isinstance(folder, Path):
        shutil.rmtree(folder)
    else:
        delete_object(folder, [stored.key for stored in list_objects(folder)])


def remove_leftovers(place: Place) -> None:
    """Delete the half-written files of killed workers; zarr writes under another name and renames."""
    if isinstance(place, Path):
        for path in place.rglob("*.partial"):
            path.unlink()


def write_region(place: Place, pyramid: Pyramid, level: Level, region: Region, block: Pixels) -> None:
    """Write whole objects of a level. Black ones are stored, too: an absent object always means a lost one.

    The fast pipeline (zarrs 0.2) leaves out objects that hold nothing but the fill value, whatever it is
    told; zarr's own then writes those. It writes shards, too: there it is the faster one, in half the memory.
    """
    exact = level.shards is not None or level not in pyramid.levels
    array = open_level(place, pyramid, level, exact=exact)
    with _as_os_errors(), _ONE_SHARD if level.shards else nullcontext():
        array[region] = block
    if exact:
        return
    for box in boxes(region, level.object_shape):
        inside = (slice(b.start - r.start, b.stop - r.start) for b, r in zip(box, region, strict=True))
        part = block[tuple(inside)]
        if not part.flat[0] and not part.any():
            open_level(place, pyramid, level, exact=True)[box] = part


def read_region(
    place: Place, pyramid: Pyramid, level: Level, region: Region, *, out: Pixels | None = None
) -> Pixels:
    """Return a box of a level as it is stored (in `out`, if given)."""
    array = open_level(place, pyramid, level)
    into = None if out is None else NDBuffer.from_ndarray_like(out)
    with _as_os_errors():
        return np.asarray(array.get_basic_selection(region, out=into))


@contextmanager
def _as_os_errors() -> Iterator[None]:
    """Turn what the fast pipeline raises when a disk is full, a RuntimeError, into what zarr's own raises."""
    try:
        yield
    except RuntimeError as error:
        raise OSError(str(error)) from error


@lru_cache(maxsize=64)
def open_level(
    place: Place, pyramid: Pyramid, level: Level, *, exact: bool = False
) -> zarr.Array[ArrayV2Metadata] | zarr.Array[ArrayV3Metadata]:
    """Return a level's array, open for reading and writing; kept open, since every band asks for it.

    Workers of a cluster live longer than a conversion, so it is kept for this plan only.

    Zarr v3 in a local folder goes through the `zarrs` codec pipeline, which takes half the time; zarr's own
    pipeline does the rest, and everything where `exact` asks for it.
    """
    folder = place / level.path
    store, settings = zarr_store(folder, read_only=False), {}
    if isinstance(folder, Path):
        if pyramid.zarr_format == 3 and not exact:
            settings = {"codec_pipeline.path": FAST_PIPELINE}
        else:
            store, settings = FolderStore(folder), UNJOINED
    with _OPENING, zarr.config.set(settings):
        return zarr.open_array(
            store,
            mode="r+",
            zarr_format=pyramid.zarr_format,
            config={"write_empty_chunks": True},
        )


def write_root(place: Place, pyramid: Pyramid, *, label_colors: Mapping[int, Rgba] | None = None) -> None:
    """Write the root group with its OME-Zarr metadata: from here on the image opens."""
    zarr.create_group(
        zarr_store(place, read_only=False),
        zarr_format=pyramid.zarr_format,
        attributes=image_document(pyramid, label_colors=label_colors),
    )


def compressors(codec: str | None, itemsize: int) -> tuple[BytesBytesCodec, ...]:
    """Return the codec of a plan as zarr's Zarr v3 codecs."""
    if codec == "blosc-zstd":
        return (
            zarr.codecs.BloscCodec(
                cname="zstd",
                clevel=BLOSC_LEVEL,
                shuffle="shuffle",
                typesize=itemsize,
                blocksize=BLOSC_BLOCK_NBYTES,
            ),
        )
    if codec == "zstd":
        return (zarr.codecs.ZstdCodec(level=ZSTD_LEVEL),)
    if codec == "gzip":
        return (zarr.codecs.GzipCodec(level=GZIP_LEVEL),)
    return ()


def _v2_compressor(codec: str | None) -> numcodecs.abc.Codec | None:
    if codec == "blosc-zstd":
        return numcodecs.Blosc(
            cname="zstd", clevel=BLOSC_LEVEL, shuffle=numcodecs.Blosc.SHUFFLE, blocksize=BLOSC_BLOCK_NBYTES
        )
    if codec == "zstd":
        return numcodecs.Zstd(level=ZSTD_LEVEL)
    if codec == "gzip":
        return numcodecs.GZip(level=GZIP_LEVEL)
    return None
