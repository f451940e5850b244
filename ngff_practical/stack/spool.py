"""Decoded planes kept in an unnamed scratch file: a page in one strip is decoded once, not once per band.

Bands take some rows of many planes, and a page compressed in one strip gives all its rows or none. Whole
planes in memory would need a plane times the depth of a chunk (1 GiB for 128 planes of 2048 x 2048); the
scratch file needs as much disk, written and read once.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ngff_practical.errors import StackError
from ngff_practical.model import Shape
from ngff_practical.stack.decoding import Pixels, bytes_of

WORTH_BYTES = 2**20  # strips or tiles across the image that are smaller are well held in memory
_FEWEST_PLANES = 256  # two slabs of 128 planes: what bands under way want, and less would be decoded again
_MOST_PLANES = 512
_SHARE_OF_DISK = 0.5  # of what is free when the reader begins; the rest is for others, the image among them
_AHEAD = 8


class Spool:
    """Keeps decoded planes on disk until all their rows were read; several threads may read at once."""

    def __init__(self, planes: int, plane_shape: Shape, dtype: np.dtype[np.generic], most: int) -> None:
        self._count = planes
        self._shape = plane_shape
        self._dtype = dtype
        self._most = most
        self._line = plane_shape[1] * dtype.itemsize
        self._file = tempfile.TemporaryFile(buffering=0, dir=scratch_folder())  # noqa: SIM115 - see close
        self._changed = threading.Condition()
        self._kept: OrderedDict[int, int] = OrderedDict()  # plane -> its place in the file
        self._left: dict[int, int] = {}  # rows of it that were not read yet
        self._free: list[int] = []
        self._busy: set[int] = set()
        self._done: set[int] = set()

    def close(self) -> None:
        """Give the disk space back."""
        self._file.close()

    def read(self, plane: int, start: int, out: Pixels, decode: Callable[[int, Pixels], None]) -> None:
        """Fill `out` with rows from `start` on; `decode` fills an array with a whole plane, by number.

        Where another thread decodes the plane already, this one decodes one of the next in the meantime.
        """
        while True:
            with self._changed:
                if plane in self._kept:
                    self._serve(plane, start, out)
                    return
                mine = self._claim(plane)
                if mine is None:
                    self._changed.wait()
                    continue
            try:
                whole = np.empty(self._shape, self._dtype)
                decode(mine, whole)
                with self._changed:
                    self._store(mine, whole)
            finally:
                with self._changed:
                    self._busy.discard(mine)
                    self._changed.notify_all()

    def _claim(self, plane: int) -> int | None:
        """Return the plane to decode, else one of the next that nobody wanted so far, else None."""
        if plane not in self._busy:
            self._busy.add(plane)
            return plane
        for ahead in range(plane + 1, min(plane + _AHEAD, self._count)):
            if not (ahead in self._busy or ahead in self._kept or ahead in self._done):
                self._busy.add(ahead)
                return ahead
        return None

    def _store(self, plane: int, whole: Pixels) -> None:
        if self._free:
            place = self._free.pop()
        elif len(self._kept) < self._most:
            place = len(self._kept)
        else:
            oldest, place = self._kept.popitem(last=False)
            del self._left[oldest]
        try:
            self._file.seek(place * self._shape[0] * self._line)
            view = bytes_of(whole)
            while view:
                view = view[self._file.write(view) :]
        except OSError as error:
            self._free.append(place)
            raise StackError(
                f"decoded planes cannot be kept in {scratch_folder()}: {error.strerror or error}; make room "
                "there, or name another folder in the environment variable TMPDIR"
            ) from error
        self._kept[plane] = place
        self._left[plane] = self._shape[0]

    def _serve(self, plane: int, start: int, out: Pixels) -> None:
        whole = out if out.flags.c_contiguous else np.empty(out.shape, out.dtype)
        self._file.seek(self._kept[plane] * self._shape[0] * self._line + start * self._line)
        view = bytes_of(whole)
        while view:
            count = self._file.readinto(view)
            if not count:
                raise StackError(f"the scratch file in {scratch_folder()} ended early; run the same again")
            view = view[count:]
        if whole is not out:
            out[...] = whole
        self._left[plane] -= len(out)
        if self._left[plane] <= 0:
            self._free.append(self._kept.pop(plane))
            del self._left[plane]
            self._done.add(plane)
        else:
            self._kept.move_to_end(plane)


def open_spool(planes: int, plane_shape: Shape, dtype: np.dtype[np.generic]) -> Spool | None:
    """Return a spool for a stack, or None where the disk has no room for the planes of two slabs."""
    nbytes = plane_shape[0] * plane_shape[1] * dtype.itemsize
    room = int(shutil.disk_usage(scratch_folder()).free * _SHARE_OF_DISK) // nbytes
    if room < min(planes, _FEWEST_PLANES):
        return None
    return Spool(planes, plane_shape, dtype, min(room, _MOST_PLANES))


def scratch_folder() -> Path:
    """Return the folder for large scratch files: TMPDIR, else /var/tmp, as /tmp often lies in memory."""
    disk = Path("/var/tmp")  # noqa: S108 - the file in it has no name
    if not os.environ.get("TMPDIR") and disk.is_dir() and os.access(disk, os.W_OK):
        return disk
    return Path(tempfile.gettempdir())
