"""Rows of pages that are compressed, tiled or interleaved: only the strips or tiles that meet them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import batched

import numpy as np
import tifffile

from ngff_practical.errors import StackError
from ngff_practical.model import Location, Place, Plane, StackSource
from ngff_practical.stack.bytesource import ByteSource
from ngff_practical.stack.faults import by, shown
from ngff_practical.stack.pages import Grid, grid_of, place_segments

type Pixels = np.ndarray[tuple[int, ...], np.dtype[np.generic]]

_MOST_TIFFS = 16
_MOST_PAGES = 128
_MOST_VOLUMES = 2**26  # bytes of decoded tiles that hold several planes
_SEGMENTS_AT_ONCE = 64  # read before they are decoded
_MAKE_BYTES = (5, 8, 32773, 32946, 34925, 34926, 50000)  # LZW, Deflate, PackBits, LZMA and Zstd
_JPEG = (6, 7, 33007, 34892)


@dataclass(frozen=True, slots=True)
class Page:
    """What decoding a page needs, once its directory was read."""

    key: tifffile.TiffPage
    grid: Grid
    offsets: tuple[int, ...]
    counts: tuple[int, ...]
    start: int | None  # where interleaved, uncompressed pixels begin

    @property
    def rows_together(self) -> int:
        """Number of rows that are decoded together."""
        return 1 if self.start is not None else min(self.grid.length, self.key.imagelength)


class Decoder:
    """Decodes rows of planes; several threads may do so at once."""

    def __init__(self, source: StackSource, files: ByteSource) -> None:
        self._source = source
        self._files = files
        self._dtype = np.dtype(source.dtype)
        self._parsing = threading.Lock()
        self._waiting: dict[int, threading.Lock] = {}  # one for each remote file, whose headers take time
        self._tiffs: OrderedDict[int, tifffile.TiffFile] = OrderedDict()
        self._pages: OrderedDict[tuple[int, int], Page] = OrderedDict()
        self._volumes: OrderedDict[tuple[int, int, int], Pixels] = OrderedDict()
        self._last = threading.local()

    def close(self) -> None:
        """Close every file."""
        with self._parsing, ExitStack() as stack:
            for tif in self._tiffs.values():
                stack.callback(tif.close)
            self._tiffs.clear()
            self._pages.clear()
            self._volumes.clear()
            self._last = threading.local()

    def decode(self, plane: Plane, start: int, stop: int, out: Pixels) -> None:
        """Fill `out` with rows from the strips or tiles that meet them, or from interleaved samples."""
        page = self.page(plane)
        sample = plane.sample or 0
        if page.start is not None:
            key = page.key
            lines = np.empty((stop - start, key.imagewidth, key.samplesperpixel), self._dtype)
            line = lines.nbytes // (stop - start)
            first_row = plane.layer * key.imagelength + start
            self._files.read_into(plane, page.start + first_row * line, bytes_of(lines))
            if self._dtype.itemsize > 1 and self._dtype.newbyteorder(key.parent.byteorder) != self._dtype:
                lines.byteswap(inplace=True)
            out[...] = lines[:, :, sample]
            return
        grid = page.grid
        separate = page.key.planarconfig == 2 and page.key.samplesperpixel > 1
        base = (sample * grid.per_sample if separate else 0) + plane.layer // grid.depth * grid.per_layer
        first = base + start // grid.length * grid.columns
        wanted = range(first, base + ((stop - 1) // grid.length + 1) * grid.columns)
        part = stop - start < page.key.imagelength
        deep = grid.depth > 1
        blocks = self._deep(plane, page, wanted) if deep else self._segments(plane, page, wanted, keep=part)
        for index, volume in zip(wanted, blocks, strict=True):
            block = volume[plane.layer % grid.depth]
            row, column = divmod(index - base, grid.columns)
            top, left = row * grid.length, column * grid.width
            bottom = min(top + grid.length, page.key.imagelength)
            right = min(left + grid.width, page.key.imagewidth)
            need = (bottom - top, right - left)
            if block.shape[0] < need[0] or block.shape[1] < need[1] or not self._suits(block):
                raise StackError(
                    f"{shown(self._source.files[plane.file])}, page {plane.page + 1}: a strip or tile "
                    f"holds {by(block.shape[:2])} {block.dtype} pixels instead of {by(need)} "
                    f"{self._dtype}; the file is damaged: copy it again, or save it anew"
                )
            upper, lower = max(start, top), min(stop, bottom)
            out[upper - start : lower - start, left:right] = block[
                upper - top : lower - top, : right - left, 0 if separate else sample
            ]

    def _suits(self, block: Pixels) -> bool:
        """Return True where a codec gave the stack's own type; for single bits most give bytes of 0 and 1."""
        return block.dtype == self._dtype or (self._dtype == np.bool_ and block.dtype == np.uint8)

    def _segments(self, plane: Plane, page: Page, wanted: range, *, keep: bool) -> Iterator[Pixels]:
        """Yield decoded strips or tiles as `decode_segment` does; each thread may keep its last one."""
        kept: Pixels | None = None
        if getattr(self._last, "name", None) == (plane.file, plane.page, wanted[0]):
            kept = self._last.block
            yield kept
        rest = wanted[1:] if kept is not None else wanted
        for indices in batched(rest, _SEGMENTS_AT_ONCE):
            pieces = [(page.offsets[index], page.counts[index]) for index in indices]
            for index, data in zip(indices, self._files.read_pieces(plane, pieces), strict=True):
                block = decode_segment(page.key, page.key.jpegtables, data, index)
                if keep:
                    self._last.name, self._last.block = (plane.file, plane.page, index), block
                yield block

    def _deep(self, plane: Plane, page: Page, wanted: range) -> Iterator[Pixels]:
        """Yield decoded tiles that hold several planes; as much as fits is kept for the next of these."""
        for index in wanted:
            name = (plane.file, plane.page, index)
            with self._parsing:
                block = self._volumes.get(name)
            if block is None:
                (block,) = self._segments(plane, page, range(index, index + 1), keep=False)
                with self._parsing:
                    self._volumes[name] = block
                    while len(self._volumes) > max(1, _MOST_VOLUMES // block.nbytes):
                        self._volumes.popitem(last=False)
            yield block

    def page(self, plane: Plane) -> Page:
        """Return a page's directory, read again from its file and compared with what the source says."""
        name = (plane.file, plane.page)
        with self._parsing:
            if (page := self._known(name)) is not None:
                return page
            if not isinstance(self._source.files[plane.file], Location):
                return self._keep(name, self._parse(plane))
            waiting = self._waiting.setdefault(plane.file, threading.Lock())
        with waiting:
            with self._parsing:
                if (page := self._known(name)) is not None:
                    return page
            page = self._parse(plane)
            with self._parsing:
                return self._keep(name, page)

    def _known(self, name: tuple[int, int]) -> Page | None:
        page = self._pages.get(name)
        if page is not None:
            self._pages.move_to_end(name)
        return page

    def _keep(self, name: tuple[int, int], page: Page) -> Page:
        self._pages[name] = page
        if len(self._pages) > _MOST_PAGES:
            self._pages.popitem(last=False)
        return page

    def _parse(self, plane: Plane) -> Page:
        file = self._source.files[plane.file]
        with self._files.opener.honest():
            return self._page_of(self._tiff(plane.file), plane, file)

    def _tiff(self, number: int) -> tifffile.TiffFile:
        """Return an open file; a remote one may still be read by another thread when it is let go of."""
        file = self._source.files[number]
        tif = self._tiffs.get(number)
        if tif is None:
            tif = self._tiffs[number] = self._files.opener.open_tiff(file)
            if len(self._tiffs) > _MOST_TIFFS:
                oldest, dropped = self._tiffs.popitem(last=False)
                if not isinstance(self._source.files[oldest], Location):
                    dropped.close()
        return tif

    def _page_of(self, tif: tifffile.TiffFile, plane: Plane, file: Place) -> Page:
        key = tif.pages[plane.page]
        if not isinstance(key, tifffile.TiffPage):
            key = key.aspage()
        if (key.imagelength, key.imagewidth) != self._source.plane_shape or key.dtype != self._dtype:
            raise StackError(
                f"{shown(file)}, page {plane.page + 1}, is {key.imagelength} x {key.imagewidth} "
                f"{key.dtype} now, the "
                f"stack is {by(self._source.plane_shape)} {self._dtype}; the file has changed: start again"
            )
        place_segments(key, key, tif.filehandle.size, file)
        key.init_decode()
        interleaved = key.is_final and key.planarconfig == 1 and not key.is_tiled
        start = key.dataoffsets[0] if interleaved else None
        return Page(key, grid_of(key), tuple(key.dataoffsets), tuple(key.databytecounts), start)


def decode_segment(key: tifffile.TiffPage, jpegtables: bytes | None, data: bytes, index: int) -> Pixels:
    """Return one strip or tile as (depth, rows, columns, samples), decoded and in native byte order."""
    if key.compression in _JPEG:
        block, _, _ = key.decode(data, index, jpegtables=jpegtables, jpegheader=key.jpegheader)
    else:
        block, _, _ = key.decode(data, index)
    if block is None:
        raise ValueError(f"strip or tile {index + 1} is empty")
    pixels: Pixels = np.asarray(block)
    return pixels


def unpacked_size(key: tifffile.TiffPage, data: bytes) -> int:
    """Return how many bytes a strip or tile expands to, 0 where its codec makes pixels and not bytes."""
    if key.compression == 1:
        return len(data)
    return len(tifffile.TIFF.DECOMPRESSORS[key.compression](data)) if key.compression in _MAKE_BYTES else 0


def bytes_of(array: Pixels) -> memoryview:
    """Return the memory of a contiguous array."""
    return memoryview(array.reshape(-1).view(np.uint8))
