"""Convert a realistic stack and compare wall time, CPU, memory and objects with the floor of this machine.

The floor is what nobody can go below with these chunks and this codec: reading every byte, averaging it,
compressing every chunk and writing the result, on all processors at once. Both are measured in one run:

    python benchmarks/bench_convert.py                  256 x 2048 x 2048, 2 GiB
    python benchmarks/bench_convert.py 64,512,512       something smaller
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numcodecs
import numpy as np
import tifffile
from stack import make_planes

from ngff_practical.convert.machine import processors
from ngff_practical.pyramid import downsample_mean

CHUNKS = (64, 128, 128)
LEVELS = 5
SAMPLE_ROWS = 512


def measure(command: list[str]) -> tuple[float, float, dict[str, object]]:
    """Run a command; return its wall and CPU seconds and the JSON document it printed."""
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        output = process.stdout.read() if process.stdout else ""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}")
    return time.perf_counter() - began, usage.ru_utime + usage.ru_stime, json.loads(output)


def floor(planes: Path, shape: tuple[int, int, int]) -> float:
    """Return the seconds below which no conversion of the stack can go here, scaled up from a part of it.

    Memory is touched before it is timed: a program need not pay for fresh pages more than once.
    """
    files = sorted(planes.iterdir())[: CHUNKS[0]]
    rows = min(SAMPLE_ROWS, shape[1])
    block = np.zeros((len(files), rows, shape[2]), dtype="uint16")
    seconds = 0.0
    for file, plane in zip(files, block, strict=True):
        with tifffile.TiffFile(file) as tif:
            offset = tif.pages.first.dataoffsets[0]
        began = time.process_time()
        with file.open("rb", buffering=0) as stream:
            stream.seek(offset)
            stream.readinto(plane)
        seconds += time.process_time() - began
    coarse = downsample_mean(block, (2, 2, 2))
    began = time.process_time()
    downsample_mean(block, (2, 2, 2), out=coarse)
    seconds += time.process_time() - began
    codec = numcodecs.Blosc("zstd", clevel=3, shuffle=numcodecs.Blosc.SHUFFLE)
    numcodecs.blosc.set_nthreads(1)
    with tempfile.TemporaryFile() as out:
        began = time.process_time()
        for level in (block, coarse):
            for y in range(0, level.shape[1], CHUNKS[1]):
                for x in range(0, level.shape[2], CHUNKS[2]):
                    chunk = np.ascontiguousarray(level[:, y : y + CHUNKS[1], x : x + CHUNKS[2]])
                    out.write(codec.encode(chunk))
        seconds += time.process_time() - began
    return seconds * (shape[0] * shape[1]) / (len(files) * rows) / processors()


def main() -> None:
    """Make the stack, convert it with and without shards, and print the table."""
    shape = tuple(int(size) for size in (sys.argv[1] if len(sys.argv) > 1 else "256,2048,2048").split(","))
    work = Path(tempfile.gettempdir()) / f"ngff-practical-bench-{'x'.join(map(str, shape))}"
    planes = make_planes(work, shape)
    fastest = floor(planes, shape)
    print(
        f"{' x '.join(map(str, shape))} uint16, chunks {CHUNKS}, blosc-zstd 3 with shuffle, {LEVELS} levels"
    )
    print(f"{'':<28}{'wall s':>8}{'CPU s':>8}{'peak MB':>9}{'objects':>9}{'x floor':>9}")
    print(f"{'floor':<28}{fastest:>8.2f}")
    for name, shards in (("unsharded", "none"), ("shards (64,1024,1024)", "64,1024,1024")):
        destination = work / "out.ome.zarr"
        shutil.rmtree(destination, ignore_errors=True)
        command = [sys.executable, "-m", "ngff_practical", "convert", str(planes), str(destination), "--json"]
        command += ["--chunks", ",".join(map(str, CHUNKS)), "--shards", shards, "--levels", str(LEVELS)]
        wall, cpu, report = measure(command)
        peak, objects = report["peak_memory_bytes"] / 1e6, report["objects"]
        print(f"{name:<28}{wall:>8.2f}{cpu:>8.2f}{peak:>9.0f}{objects:>9}{wall / fastest:>9.2f}")
    shutil.rmtree(destination, ignore_errors=True)


if __name__ == "__main__":
    main()
