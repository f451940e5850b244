"""What this machine has and what this process has used of it, on every system."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

import psutil

from ngff_practical.model import Pyramid
from ngff_practical.pyramid import fitting_workers

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8  # as malloc.h has them
KEPT_BYTES = 8 * 2**20
REUSED_BYTES = 4 * 2**20  # a chunk and what it is compressed into


def reuse_freed_memory() -> bool:
    """Let this process keep a few megabytes that it freed; return whether the C library can be told so.

    As it comes, glibc hands the memory of each encoded chunk back and asks for it again, which the kernel
    then clears page by page: an eighth of the time of a long conversion. And each thread frees into a heap
    that others rarely use, while a shard takes many threads: a sixth of the time of writing shards. For a
    program that does nothing else; a notebook's process is not ours to tune.
    """
    if sys.platform != "linux":
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    return mallopt is not None and bool(
        mallopt(M_MMAP_THRESHOLD, REUSED_BYTES)
        and mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)
        and mallopt(M_ARENA_MAX, processors())
    )


def processors() -> int:
    """Return the number of processors this process may use."""
    return (
        len(psutil.Process().cpu_affinity())
        if hasattr(psutil.Process, "cpu_affinity")
        else os.cpu_count() or 1
    )


def default_workers(pyramid: Pyramid, rows_together: int) -> int:
    """Return how many bands a conversion works on at once: one per processor, fewer where bands are large."""
    return fitting_workers(pyramid, processors=processors(), rows_together=rows_together)


def peak_memory() -> int:
    """Return the largest resident memory of this process since it started, in bytes."""
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    if sys.platform == "linux":  # getrusage there counts what the program that started this one held
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) * 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
