"""Say what a conversion would take, from a sample of the stack compressed for real."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import zarr
from zarr.storage import MemoryStore

from ngff_practical.convert.arrays import Pixels, compressors
from ngff_practical.convert.machine import default_workers
from ngff_practical.convert.work import read_stack_region
from ngff_practical.model import Level, Pyramid, StackSource
from ngff_practical.pyramid import peak_memory_bytes
from ngff_practical.stack import StackReader

SAMPLE_BYTES = 8 * 2**20


@dataclass(frozen=True, slots=True)
class Prediction:
    """What writing a pyramid would take: stored bytes per level and in all, objects, memory and seconds."""

    level_bytes: tuple[int, ...]
    nbytes: int
    objects: int
    peak_memory_bytes: int
    seconds: float


def predict(source: StackSource, pyramid: Pyramid) -> Prediction:
    """Return what a conversion would take; reads a few chunks from the middle of the stack.

    Bytes and seconds are scaled up from that sample: right to some tens of per cent where the stack is much
    the same everywhere. Objects are exact.
    """
    first = pyramid.levels[0]
    with StackReader(source) as reader:
        rows_together = reader.rows_together
        workers = default_workers(pyramid, rows_together)
        began = time.perf_counter()
        block = read_stack_region(reader, _sample_region(first))
        stored = _stored_bytes(block, first, pyramid.codec)
        seconds = time.perf_counter() - began
    ratio = stored / block.nbytes
    level_bytes = tuple(round(level.nbytes * ratio) for level in pyramid.levels)
    return Prediction(
        level_bytes=level_bytes,
        nbytes=sum(level_bytes),
        objects=pyramid.objects,
        peak_memory_bytes=peak_memory_bytes(pyramid, workers=workers, rows_together=rows_together),
        seconds=seconds * pyramid.nbytes / block.nbytes / workers,
    )


def _sample_region(level: Level) -> tuple[slice, ...]:
    """Return a run of chunks in the middle of the level, as long along x as 8 MiB allow."""
    region = []
    for size, chunk in zip(level.shape, level.chunks, strict=True):
        start = size // 2 // chunk * chunk
        region.append(slice(start, min(start + chunk, size)))
    rows = int(np.prod([part.stop - part.start for part in region[:-1]])) * level.itemsize
    width = max(1, SAMPLE_BYTES // (rows * level.chunks[-1])) * level.chunks[-1]
    region[-1] = slice(0, min(width, level.shape[-1]))
    return tuple(region)


def _stored_bytes(block: Pixels, level: Level, codec: str | None) -> int:
    store = MemoryStore()
    array = zarr.create_array(
        store,
        shape=block.shape,
        dtype=block.dtype,
        chunks=tuple(min(chunk, size) for chunk, size in zip(level.chunks, block.shape, strict=True)),
        compressors=compressors(codec, level.itemsize),
    )
    array[...] = block
    return array.nbytes_stored()
