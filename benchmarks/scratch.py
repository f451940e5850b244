"""Where programs write while they are measured: memory, so that it is not the disk that is compared."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from environments import CACHE

MEMORY = Path("/dev/shm")


@contextmanager
def scratch_folder(most_bytes: int) -> Iterator[Path]:
    """Give a new folder, in memory where there is one that holds so many bytes twice, else on the disk.

    A disk adds times of its own, and not the same to everybody. ext4 without a journal, for one, keeps what
    was deleted out of use for minutes and searches past it whenever a file is made: a third of the time of
    writing 5,000 objects where 5,000 had been removed just before.
    """
    place = MEMORY if _free(MEMORY) >= 2 * most_bytes else CACHE / "work"
    place.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="ngff-practical-bench-", dir=place))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def told_of(folder: Path) -> str:
    """Say what it is in."""
    return "memory" if MEMORY in folder.parents else "the disk"


def _free(folder: Path) -> int:
    return min(shutil.disk_usage(folder).free, psutil.virtual_memory().available) if folder.is_dir() else 0
