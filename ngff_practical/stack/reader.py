"""Reading rows of planes: straight from the file where they lie uncompressed, decoded where they do not."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import FileIO
from types import TracebackType
from typing import Self

import numpy as np
import tifffile

from ngff_practical.errors import StackError
from ngff_practical.model import Plane, StackSource
from ngff_practical.stack.faults import by, reading, shown
from ngff_practical.stack.pages import Grid, grid_of, place_segments

type Pixels = np.ndarray[tuple[int, ...], np.dtype[np.generic]]

_MOST_HANDLES = 48
_MOST_TIFFS = 16
_MOST_PAGES = 128
_JPEG = (6, 7, 33007, 34892)


@dataclass(frozen=True, slots=True)
class _Page:
    """What decoding a page needs, once its directory was read."""

    key: tifffile.TiffPage
    grid: Grid
    offsets: tuple[int, ...]
    counts: tuple[int, ...]
    start: int | None  # where interleaved, uncompressed pixels begin


class StackReader:
    """Reads rows of a stack's planes; several threads may call `read` at once.

    A context manager. At most some dozens of files are open at a time, however many the stack has.
    """

    def __init__(self, source: StackSource) -> None:
        self.source = source
        self._dtype = np.dtype(source.dtype)
        self._swap = self._dtype.itemsize > 1 and self._dtype.newbyteorder(source.byteorder) != self._dtype
        self._lock = threading.Lock()
        self._parsing = threading.Lock()
        self._handles: list[tuple[int, FileIO]] = []
        self._tiffs: OrderedDict[int, tifffile.TiffFile] = OrderedDict()
        self._pages: OrderedDict[tuple[int, int], _Page] = OrderedDict()
        self._last = threading.local()

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
        with self._parsing, self._lock, ExitStack() as stack:
            for _, handle in self._handles:
                stack.callback(handle.close)
            for tif in self._tiffs.values():
                stack.callback(tif.close)
            self._handles.clear()
            self._tiffs.clear()
            self._pages.clear()
            self._last = threading.local()

    @property
    def rows_together(self) -> int:
        """Number of rows that are decoded together: 1 where rows can be read alone, else a strip or tile.

        As the first plane has it. Reading bands of a multiple of this decodes nothing twice.
        """
        plane = self.source.planes[0]
        if plane.offset is not None:
            return 1
        with reading(self.source.files[plane.file], plane.page):
            page = self._page(plane)
            return 1 if page.start is not None else min(page.grid.length, page.key.imagelength)

    def read(self, plane_index: int, rows: slice, out: Pixels) -> None:
        """Fill `out`, of shape (rows, x) and the stack's dtype in native byte order, with rows of one plane.

        Only those rows are read where the pixels lie uncompressed, only the strips or tiles that meet them
        where not. Raises StackError where the file is shorter or other than it was, or cannot be decoded.
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
                self._decode(plane, start, stop, out)
            else:
                line = width * self._dtype.itemsize
                self._read_pixels(plane, plane.offset + start * line, out, swap=self._swap)

    def _read_pixels(self, plane: Plane, offset: int, out: Pixels, *, swap: bool) -> None:
        """Fill an array with the bytes that lie at one place of a file."""
        whole = out if out.flags.c_contiguous else np.empty(out.shape, out.dtype)
        self._read_bytes(plane, offset, memoryview(whole.reshape(-1).view(np.uint8)))
        if swap:
            whole.byteswap(inplace=True)
        if whole is not out:
            out[...] = whole

    def _read_bytes(self, plane: Plane, offset: int, view: memoryview) -> None:
        """Fill a buffer from one place of a file, or raise StackError where the file ends before that."""
        with self._handle(plane.file) as handle:
            handle.seek(offset)
            done = 0
            while done < len(view):
                count = handle.readinto(view[done:])
                if not count:
                    raise StackError(
                        f"{shown(self.source.files[plane.file])}, page {plane.page + 1}: wanted "
                        f"{len(view)} bytes at "
                        f"{offset}, but only {done} are there; the file was cut off: copy or download it "
                        "again"
                    )
                done += count

    @contextmanager
    def _handle(self, file: int) -> Iterator[FileIO]:
        """Lend a file handle of which no other thread knows, so that no position is shared."""
        with self._lock:
            at = next((i for i in reversed(range(len(self._handles))) if self._handles[i][0] == file), None)
            handle = None if at is None else self._handles.pop(at)[1]
        if handle is None:
            handle = FileIO(self.source.files[file])
        try:
            yield handle
        except BaseException:
            handle.close()
            raise
        with self._lock:
            self._handles.append((file, handle))
            surplus = self._handles.pop(0)[1] if len(self._handles) > _MOST_HANDLES else None
        if surplus is not None:
            surplus.close()

    def _decode(self, plane: Plane, start: int, stop: int, out: Pixels) -> None:
        """Fill `out` with rows from the strips or tiles that meet them, or from interleaved samples."""
        page = self._page(plane)
        sample = plane.sample or 0
        if page.start is not None:
            key = page.key
            lines = np.empty((stop - start, key.imagewidth, key.samplesperpixel), self._dtype)
            line = lines.nbytes // (stop - start)
            swap = self._dtype.itemsize > 1 and self._dtype.newbyteorder(key.parent.byteorder) != self._dtype
            self._read_pixels(plane, page.start + start * line, lines, swap=swap)
            out[...] = lines[:, :, sample]
            return
        grid = page.grid
        separate = page.key.planarconfig == 2 and page.key.samplesperpixel > 1
        first = sample * grid.per_sample if separate else 0
        for row in range(start // grid.length, (stop - 1) // grid.length + 1):
            top = row * grid.length
            bottom = min(top + grid.length, page.key.imagelength)
            for column in range(grid.columns):
                left = column * grid.width
                right = min(left + grid.width, page.key.imagewidth)
                block = self._segment(plane, page, first + row * grid.columns + column)
                wanted = (bottom - top, right - left)
                if block.shape[0] < wanted[0] or block.shape[1] < wanted[1] or not self._suits(block):
                    raise StackError(
                        f"{shown(self.source.files[plane.file])}, page {plane.page + 1}: a strip or tile "
                        f"holds {by(block.shape[:2])} {block.dtype} pixels instead of {by(wanted)} "
                        f"{self._dtype}; the file is damaged: copy it again, or save it anew"
                    )
                upper, lower = max(start, top), min(stop, bottom)
                out[upper - start : lower - start, left:right] = block[
                    upper - top : lower - top, : right - left, 0 if separate else sample
                ]

    def _suits(self, block: Pixels) -> bool:
        """Return True where a codec gave the stack's own type; for single bits most give bytes of 0 and 1."""
        return block.dtype == self._dtype or (self._dtype == np.bool_ and block.dtype == np.uint8)

    def _segment(self, plane: Plane, page: _Page, index: int) -> Pixels:
        """Return one decoded strip or tile as (rows, columns, samples); each thread keeps its last one."""
        name = (plane.file, plane.page, index)
        if getattr(self._last, "name", None) == name:
            kept: Pixels = self._last.block
            return kept
        data = bytearray(page.counts[index])
        self._read_bytes(plane, page.offsets[index], memoryview(data))
        block = decode_segment(page.key, page.key.jpegtables, bytes(data), index)
        self._last.name, self._last.block = name, block
        return block

    def _page(self, plane: Plane) -> _Page:
        """Return a page's directory, read again from its file and compared with what the source says."""
        name = (plane.file, plane.page)
        with self._parsing:
            page = self._pages.get(name)
            if page is None:
                page = self._pages[name] = self._parse(plane)
                if len(self._pages) > _MOST_PAGES:
                    self._pages.popitem(last=False)
            else:
                self._pages.move_to_end(name)
        return page

    def _parse(self, plane: Plane) -> _Page:
        file = self.source.files[plane.file]
        tif = self._tiffs.get(plane.file)
        if tif is None:
            tif = self._tiffs[plane.file] = tifffile.TiffFile(file)
            if len(self._tiffs) > _MOST_TIFFS:
                self._tiffs.popitem(last=False)[1].close()
        key = tif.pages[plane.page]
        if not isinstance(key, tifffile.TiffPage):
            key = key.aspage()
        if (key.imagelength, key.imagewidth) != self.source.plane_shape or key.dtype != self._dtype:
            raise StackError(
                f"{shown(file)}, page {plane.page + 1}, is {key.imagelength} x {key.imagewidth} "
                f"{key.dtype} now, the "
                f"stack is {by(self.source.plane_shape)} {self._dtype}; the file has changed: start again"
            )
        place_segments(key, key, tif.filehandle.size, file)
        key.init_decode()
        interleaved = key.is_final and key.planarconfig == 1 and not key.is_tiled
        start = key.dataoffsets[0] if interleaved else None
        return _Page(key, grid_of(key), tuple(key.dataoffsets), tuple(key.databytecounts), start)


def decode_segment(key: tifffile.TiffPage, jpegtables: bytes | None, data: bytes, index: int) -> Pixels:
    """Return one strip or tile as (rows, columns, samples), decoded and in native byte order."""
    if key.compression in _JPEG:
        block, _, _ = key.decode(data, index, jpegtables=jpegtables, jpegheader=key.jpegheader)
    else:
        block, _, _ = key.decode(data, index)
    if block is None:
        raise ValueError(f"strip or tile {index + 1} is empty")
    pixels: Pixels = np.asarray(block)[0]
    return pixels


def read_stack(source: StackSource) -> Pixels:
    """Return the whole stack as one array in the order of its axes; for small data, lessons and tests."""
    stack = np.empty(source.shape, source.dtype)
    planes = stack.reshape(-1, *source.plane_shape)
    with StackReader(source) as reader:
        for index, plane in enumerate(planes):
            reader.read(index, slice(None), plane)
    return stack


def _reader_of_this_process(source: StackSource) -> StackReader:
    """Return a reader for work that arrived from another process; the last one is kept for the next piece."""
    with _arriving:
        if not _arrived or _arrived[0].source != source:
            _arrived[:] = [StackReader(source)]
        return _arrived[0]


_arriving = threading.Lock()
_arrived: list[StackReader] = []
