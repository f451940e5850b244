"""The floor: what no conversion with these chunks and this codec can go below on this machine."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numcodecs
import numpy as np
import tifffile
from measuring import processors

SAMPLE_ROWS = 512


def floor_s(planes: Path, chunks: tuple[int, int, int], work: Path) -> float:
    """Return the seconds for reading every byte, the means, compressing every chunk and writing it to `work`.

    A part of the stack is measured, in CPU seconds, scaled up to all of it and shared among all processors.
    Memory is touched before it is timed: a program need not pay for fresh pages more than once.
    """
    every = sorted(planes.glob("*.tif"))
    files = every[: chunks[0]]
    height, width = tifffile.imread(files[0]).shape
    block = np.zeros((len(files), min(SAMPLE_ROWS, height), width), dtype="uint16")
    with tifffile.TiffFile(files[0]) as tif:
        offset = tif.pages.first.dataoffsets[0]
    began = time.process_time()
    for file, plane in zip(files, block, strict=True):
        with file.open("rb", buffering=0) as stream:
            stream.seek(offset)
            stream.readinto(plane)
    seconds = time.process_time() - began
    coarse = halved(block)
    began = time.process_time()
    coarse = halved(block, out=coarse)
    seconds += time.process_time() - began
    codec = numcodecs.Blosc("zstd", clevel=3, shuffle=numcodecs.Blosc.SHUFFLE)
    numcodecs.blosc.set_nthreads(1)
    with tempfile.TemporaryFile(dir=work) as out:
        began = time.process_time()
        for level in (block, coarse):
            for y in range(0, level.shape[1], chunks[1]):
                for x in range(0, level.shape[2], chunks[2]):
                    chunk = np.ascontiguousarray(level[:, y : y + chunks[1], x : x + chunks[2]])
                    out.write(codec.encode(chunk))
        seconds += time.process_time() - began
    return seconds * (len(every) * height) / (len(files) * block.shape[1]) / processors()


def halved(block: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """Return the means of 2 x 2 x 2 cells, ties to even, plane by plane: the quickest that numpy has."""
    if out is None:
        out = np.empty(tuple(size // 2 for size in block.shape), dtype=block.dtype)
    for z, plane in enumerate(out):
        sums = np.add(block[2 * z], block[2 * z + 1], dtype="uint32")
        sums = sums[0::2] + sums[1::2]
        sums = sums[:, 0::2] + sums[:, 1::2]
        plane[...] = (sums + 3 + ((sums >> 3) & 1)) >> 3
    return out
