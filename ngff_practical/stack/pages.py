"""Where the pixels of a page lie: every strip and tile is found inside the file before one is read."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import tifffile

from ngff_practical.errors import StackError
from ngff_practical.model import Place
from ngff_practical.stack.chain import Geometry
from ngff_practical.stack.faults import by, shown

# Bits per sample of integers and of floats. Integers of 24 bits lie in the file's byte order for some readers
# and packed for others; what is ambiguous is not read.
_INTEGER_DEPTHS = frozenset({*range(1, 17), 32, 64})
_FLOAT_DEPTHS = frozenset({16, 24, 32, 64})
_MOST_EXPANDED = 256 * 2**20  # bytes; a page that expands to more from next to nothing is taken for a bomb
_MOST_EXPANSION = 500
_TAG_NAMES = {
    256: "width",
    257: "height",
    258: "bits per sample",
    259: "compression",
    262: "photometric interpretation",
    277: "samples per pixel",
    278: "rows per strip",
    284: "planar configuration",
    322: "tile width",
    323: "tile height",
    339: "sample format",
}

type AnyPage = tifffile.TiffPage | tifffile.TiffFrame


@dataclass(frozen=True, slots=True)
class Grid:
    """How a page is cut into strips or tiles of `depth` x `length` x `width` pixels.

    They are numbered along columns, rows, layers and samples, in this order.
    """

    rows: int
    columns: int
    length: int
    width: int
    tiled: bool
    layers: int = 1
    depth: int = 1

    @property
    def per_layer(self) -> int:
        """Number of segments that hold one (y, x) plane."""
        return self.rows * self.columns

    @property
    def per_sample(self) -> int:
        """Number of segments that hold one sample of the page."""
        return self.layers * self.per_layer


def grid_of(page: tifffile.TiffPage) -> Grid:
    """Return how a page is cut."""
    if page.is_tiled:
        depth, length, width = page.tiledepth, page.tilelength, page.tilewidth
    else:
        depth, length, width = 1, page.rowsperstrip, page.imagewidth
    return Grid(
        rows=math.ceil(page.imagelength / length),
        columns=math.ceil(page.imagewidth / width),
        length=length,
        width=width,
        tiled=page.is_tiled,
        layers=math.ceil(page.imagedepth / depth),
        depth=depth,
    )


def check_page(page: tifffile.TiffPage, file: Place, number: int) -> None:
    """Raise StackError where a page claims what cannot be: no pixels, odd samples, an absurd size."""
    name = f"{shown(file)}, page {number}"
    bits = _bits_of(page)
    if page.samplesperpixel < 1 or not page.imagewidth or not page.imagelength:
        raise StackError(
            f"{name} claims {page.imagelength} x {page.imagewidth} pixels of {page.samplesperpixel} "
            "samples each, which is no image; the file is damaged: copy it again, or save it anew"
        )
    if (
        page.dtype is None
        or len(set(bits)) != 1
        or not set(bits) <= (_FLOAT_DEPTHS if page.dtype.kind == "f" else _INTEGER_DEPTHS)
        or page.dtype.kind not in "biuf"
        or page.dtype.itemsize > 8
    ):
        kind = page.dtype.name if page.dtype is not None and page.dtype.kind not in "biu" else "integers"
        raise StackError(
            f"{name} holds {kind} of {' + '.join(map(str, bits))} bits per sample, which cannot be read "
            "here; save it as integers of 8, 16, 32 or 64 bits, or as float"
        )
    if page.imagedepth < 1 or (page.is_tiled and min(page.tiledepth, page.tilelength, page.tilewidth) < 1):
        raise StackError(
            f"{name} claims {page.imagedepth} planes in tiles of "
            f"{by((page.tiledepth, page.tilelength, page.tilewidth))}; the file is damaged: save it anew"
        )
    if not page.is_tiled and page.rowsperstrip < 1:
        raise StackError(
            f"{name} claims strips of {page.rowsperstrip} rows; the file is damaged: save it anew"
        )
    stored = sum(page.databytecounts)
    if page.compression != 1 and page.nbytes > max(_MOST_EXPANDED, _MOST_EXPANSION * stored):
        raise StackError(
            f"{name} claims to expand from {stored} to {page.nbytes} bytes, "
            f"{page.nbytes // max(stored, 1)} times as "
            "much; images do not compress like that, files made to exhaust memory do. If it is genuine, "
            "save it with less compression"
        )


def check_packed(page: tifffile.TiffPage, nbytes: int, name: str) -> None:
    """Raise StackError where samples of odd bits fill whole bytes or words each, and not one another's.

    `nbytes` is the uncompressed size of the first strip or tile. Read as what the file states, such pixels
    would be noise.
    """
    bits, kind = _bits_of(page), page.dtype
    if kind is None or not any(depth % 8 for depth in bits):
        return
    grid = grid_of(page)
    packed = segment_sizes(page, grid)[0]
    rows = grid.length if grid.tiled else min(grid.length, page.imagelength)
    in_words = (
        grid.depth
        * rows
        * grid.width
        * (page.samplesperpixel if page.planarconfig == 1 else 1)
        * kind.itemsize
    )
    if packed < nbytes == in_words:
        raise StackError(
            f"{name} claims {bits[0]} as its bits per sample, but its first strip or tile holds "
            f"{kind.itemsize * 8} for each ({nbytes} bytes instead of {packed}); one of the two is wrong: "
            f"save it anew with {kind.itemsize * 8} bits"
        )


def _bits_of(page: tifffile.TiffPage) -> tuple[int, ...]:
    return page.bitspersample if isinstance(page.bitspersample, tuple) else (page.bitspersample,)


def check_same(geometry: Geometry, first: Geometry, file: Place, number: int, first_number: int) -> None:
    """Raise StackError that names what differs between two pages of one stack."""
    if geometry == first:
        return
    one, other = dict(first), dict(geometry)
    for tag in sorted(one.keys() | other.keys()):
        if one.get(tag) != other.get(tag):
            raise StackError(
                f"{shown(file)}: page {number} has {_TAG_NAMES.get(tag, f'TIFF tag {tag}')} "
                f"{_said(other.get(tag))}, "
                f"page {first_number} has {_said(one.get(tag))}; one stack needs pages of one kind: split "
                "the file"
            )


def _said(values: tuple[int, ...] | None) -> str:
    return "none" if values is None else ", ".join(map(str, values))


def place_segments(page: AnyPage, key: tifffile.TiffPage, nbytes: int, file: Place) -> tuple[int | None, ...]:
    """Return where each sample's plane starts in the file, or raise StackError where a segment is not there.

    A plane has a place where its pixels lie uncompressed in one piece; interleaved samples and everything
    that needs decoding have none. `key` is the page that describes how this one is stored.
    """
    name = f"{shown(file)}, page {page.index + 1}"
    grid = grid_of(key)
    separate = key.samplesperpixel if key.planarconfig == 2 else 1
    expected = grid.per_sample * separate
    offsets, counts = page.dataoffsets, page.databytecounts
    if len(offsets) != expected or len(counts) != expected:
        raise StackError(
            f"{name} lists {len(offsets)} strips or tiles with {len(counts)} sizes, its shape needs "
            f"{expected}; the file is damaged: copy it again, or save it anew"
        )
    sizes = segment_sizes(key, grid)
    if min(offsets) <= 0 or min(counts) <= 0:
        raise StackError(
            f"{name} leaves {sum(1 for at, n in zip(offsets, counts, strict=True) if at <= 0 or n <= 0)} "
            "of its "
            f"{expected} strips or tiles empty; missing pixels are not replaced by zeros: save the file anew"
        )
    end = max(at + count for at, count in zip(offsets, counts, strict=True))
    if key.compression == 1:
        short = [
            i for i, (count, size) in enumerate(zip(counts, sizes * separate, strict=True)) if count < size
        ]
        if short:
            raise StackError(
                f"{name}: strip or tile {short[0] + 1} holds {counts[short[0]]} bytes and needs "
                f"{sizes[short[0] % len(sizes)]}; the file is damaged: copy it again, or save it anew"
            )
        check_packed(key, counts[0], name)
    if end > nbytes:
        raise StackError(
            f"{name} needs bytes up to {end}, but the file ends at {nbytes}; it is cut off "
            "or damaged: copy or download it again"
        )
    if not (key.is_final and grid.columns == grid.layers == 1 and (grid.width == key.imagewidth)):
        return (None,) * key.samplesperpixel
    starts: list[int | None] = []
    for sample in range(separate):
        part = range(sample * grid.per_sample, (sample + 1) * grid.per_sample)
        whole = all(offsets[i] + sizes[i % len(sizes)] == offsets[i + 1] for i in part[:-1])
        starts.append(offsets[part[0]] if whole else None)
    return tuple(starts) if separate == key.samplesperpixel else (None,) * key.samplesperpixel


def segment_sizes(page: tifffile.TiffPage, grid: Grid) -> tuple[int, ...]:
    """Return the uncompressed size in bytes of every segment of one sample (of all, where interleaved)."""
    bits = page.bitspersample
    per_pixel = (
        sum(bits)
        if isinstance(bits, tuple)
        else bits * (1 if page.planarconfig == 2 else page.samplesperpixel)
    )
    line = (grid.width * per_pixel + 7) // 8
    if grid.tiled:
        return (line * grid.length * grid.depth,) * grid.per_sample
    last = page.imagelength - (grid.rows - 1) * grid.length
    return ((line * grid.length,) * (grid.rows - 1) + (line * last,)) * grid.layers


def native(dtype: np.dtype[np.generic]) -> np.dtype[np.generic]:
    """Return a dtype in this machine's byte order."""
    return dtype.newbyteorder("=")
