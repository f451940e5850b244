"""Reading rows of planes: straight from the file where they lie uncompressed, decoded where they do not."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

import numpy as np

from ngff_practical.model import Location, Plane, StackSource
from ngff_practical.stack.bytesource import ByteSource
from ngff_practical.stack.decoding import Decoder, Pixels, bytes_of
from ngff_practical.stack.faults import reading
from ngff_practical.stack.spool import WORTH_BYTES, Spool, open_spool
from ngff_practical.storage.threads import Threads

_AT_ONCE = 16  # requests for pixels of a remote file: each waits for an answer, and together they fill a line


class StackReader:
    """Reads rows of a stack's planes; several threads may call `read` at once.

    A context manager. At most some dozens of files are open at a time, however many the stack has.
    """

    def __init__(self, source: StackSource) -> None:
        self.source = source
        self._dtype = np.dtype(source.dtype)
        self._swap = self._dtype.itemsize > 1 and self._dtype.newbyteorder(source.byteorder) != self._dtype
        self._files = ByteSource(source)
        self._decoder = Decoder(source, self._files)
        self._remote = any(isinstance(file, Location) for file in source.files)
        self._lock = threading.Lock()
        self._threads: Threads | None = None
        self._spool: Spool | None = None
        self._spooling: bool | None = None  # whether it is used; None until a page was looked at

    def __reduce__(self) -> tuple[Callable[[StackSource], StackReader], tuple[StackSource]]:
        return _reader_of_this_process, (self.source,)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every file; a reader that is used again opens them again."""
        with self._lock:
            threads, self._threads = self._threads, None
            spool, self._spool, self._spooling = self._spool, None, None
        if spool is not None:
            spool.close()
        if threads is not None:
            threads.shutdown()
        self._decoder.close()
        self._files.close()

    @property
    def rows_together(self) -> int:
        """Number of rows that are best read together: 1 where rows can be read alone, else a strip or tile.

        As the first plane has it. Reading bands of a multiple of this decodes nothing twice. Tall strips and
        tiles do not count where decoded planes can be kept on disk. 2 or more asks for bands as wide as the
        image: rows of a remote file or of a kept plane are read whole, and should be so only once.
        """
        plane = self.source.planes[0]
        least = 2 if self._remote else 1
        if plane.offset is not None:
            return least
        with reading(self.source.files[plane.file], plane.page):
            if self._spool_for(plane) is not None:
                return 2
            return max(least, self._decoder.page(plane).rows_together)

    def read(self, plane_index: int, rows: slice, out: Pixels) -> None:
        """Fill `out`, of shape (rows, x) and the stack's dtype in native byte order, with rows of one plane.

        Only those rows are read where the pixels lie uncompressed, only the strips or tiles that meet them
        where not. Raises StackError where the file is shorter or other than it was, or cannot be decoded,
        StorageError where a remote file was replaced or cannot be reached.
        """
        height, width = self.source.plane_shape
        start, stop, step = rows.indices(height)
        if step != 1 or out.shape != (max(0, stop - start), width) or out.dtype != self._dtype:
            raise ValueError(
                f"out is {out.shape} {out.dtype}, rows {rows} of this stack need "
                f"{(max(0, stop - start), width)} {self._dtype} and step 1"
            )
        if not 0 <= plane_index < len(self.source.planes):
            raise IndexError(f"plane {plane_index} of {len(self.source.planes)}")
        if stop <= start:
            return
        plane = self.source.planes[plane_index]
        with reading(self.source.files[plane.file], plane.page):
            if plane.offset is None:
                spool = self._spool_for(plane) if stop - start < height else None
                if spool is None:
                    self._decoder.decode(plane, start, stop, out)
                else:
                    spool.read(plane_index, start, out, self._decode_whole)
            else:
                line = width * self._dtype.itemsize
                self._read_pixels(plane, plane.offset + start * line, out)

    def read_planes(self, indices: Sequence[int], rows: slice, out: Pixels) -> None:
        """Fill `out`, of shape (planes, rows, x), with the same rows of several planes; see `read`.

        From a remote file several planes are asked for at once.
        """
        if not self._remote:
            for index, plane in zip(indices, out, strict=True):
                self.read(index, rows, plane)
            return
        with self._lock:
            if self._threads is None:
                self._threads = Threads(_AT_ONCE, "ranges")
            threads = self._threads
        jobs = [
            threads.submit(self.read, index, rows, plane) for index, plane in zip(indices, out, strict=True)
        ]
        try:
            for job in jobs:
                job.result()
        finally:
            for job in jobs:
                job.cancel()

    def _decode_whole(self, plane_index: int, out: Pixels) -> None:
        plane = self.source.planes[plane_index]
        with reading(self.source.files[plane.file], plane.page):
            self._decoder.decode(plane, 0, len(out), out)

    def _spool_for(self, plane: Plane) -> Spool | None:
        """Return where decoded planes are kept, None where a page's strips or tiles are better held."""
        page = self._decoder.page(plane)
        with self._lock:
            if self._spooling is None:
                tall = page.rows_together * self.source.plane_shape[1] * self._dtype.itemsize
                if page.rows_together > 1 and tall > WORTH_BYTES:
                    self._spool = open_spool(len(self.source.planes), self.source.plane_shape, self._dtype)
                self._spooling = self._spool is not None
            return self._spool

    def _read_pixels(self, plane: Plane, offset: int, out: Pixels) -> None:
        """Fill an array with the bytes that lie at one place of a file."""
        whole = out if out.flags.c_contiguous else np.empty(out.shape, out.dtype)
        self._files.read_into(plane, offset, bytes_of(whole))
        if self._swap:
            whole.byteswap(inplace=True)
        if whole is not out:
            out[...] = whole


def read_stack(source: StackSource) -> Pixels:
    """Return the whole stack as one array in the order of its axes; for small data, lessons and tests."""
    stack = np.empty(source.shape, source.dtype)
    planes = stack.reshape(-1, *source.plane_shape)
    with StackReader(source) as reader:
        reader.read_planes(range(len(planes)), slice(None), planes)
    return stack


def _reader_of_this_process(source: StackSource) -> StackReader:
    """Return a reader for work that arrived from another process; the last one is kept for the next piece."""
    with _arriving:
        if not _arrived or _arrived[0].source != source:
            _arrived[:] = [StackReader(source)]
        return _arrived[0]


_arriving = threading.Lock()
_arrived: list[StackReader] = []
