"""The first image of an open TIFF: its planes, each found in its file, compared with what is declared."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import tifffile

from ngff_practical.errors import StackError
from ngff_practical.model import Channel, Place, Plane, Shape
from ngff_practical.stack.calibration import Calibration
from ngff_practical.stack.chain import Chain, walk_chain
from ngff_practical.stack.channels import stated_channels
from ngff_practical.stack.declared import (
    check_count,
    check_declared,
    check_number,
    check_planes,
    check_rivals,
    check_shaped,
    counts_images_only,
)
from ngff_practical.stack.decoding import decode_segment, unpacked_size
from ngff_practical.stack.extents import Extents
from ngff_practical.stack.faults import by, reading, shown
from ngff_practical.stack.ome import OmeImage
from ngff_practical.stack.opening import Opener
from ngff_practical.stack.pages import (
    AnyPage,
    check_packed,
    check_page,
    check_same,
    grid_of,
    native,
    place_segments,
    segment_sizes,
)
from ngff_practical.stack.stated import remarks_on, stated_calibration


@dataclass(frozen=True, slots=True)
class StoredImage:
    """An image as its files store it.

    `stored` has tifffile's letter for every axis, those of length 1 included; `planes` runs in C order over
    the axes other than Y and X. `notes` are about the file alone, whatever becomes of it; `left_out` counts
    other images in it.
    """

    files: tuple[Place, ...]
    stored: str
    shape: Shape
    dtype: np.dtype[np.generic]
    byteorder: Literal["<", ">"]
    planes: tuple[Plane, ...]
    calibration: Calibration
    channels: tuple[Channel, ...]
    notes: tuple[str, ...]
    versions: tuple[str, ...] = ()
    left_out: int = 0


class Files:
    """The files an image may use, as they were named, with their pages; tifffile knows their real paths."""

    def __init__(self, tried: set[int]) -> None:
        self.tried = tried
        self.opener = Opener()
        self._known: dict[str, tuple[Place, Chain]] = {}

    def add(self, file: Place) -> None:
        """Walk a file's pages, once; raises StackError where they are damaged."""
        real = os.path.realpath(file) if isinstance(file, Path) else Opener.path_of(file)
        if real not in self._known:
            with reading(file), self.opener.open(file) as handle:
                self._known[real] = file, walk_chain(file, handle)

    @property
    def pages(self) -> int:
        """Number of pages in all these files."""
        return sum(len(chain.pages) for _, chain in self._known.values())

    def find(self, tif: tifffile.TiffFile) -> tuple[Place, Chain]:
        """Return the name and the pages of an open file, or raise StackError where it is none of these."""
        path = tif.filehandle.path
        if path not in self._known:
            raise StackError(
                f"{shown(Path(path))} is used by the metadata, but is not one of the files it names"
            )
        return self._known[path]


def load_series(
    tif: tifffile.TiffFile,
    files: Files,
    image: OmeImage | None,
    heard: list[str],
    *,
    number: int | None = None,
    notes: tuple[str, ...] = (),
) -> StoredImage:
    """Return a series of an open file, after comparing it with what its metadata declares.

    `number` is what somebody typed, from 1 on; without it the first is meant, and has to be the only one.
    """
    file, chain = files.find(tif)
    check_page(tif.pages.first, file, 1)
    if len(set(chain.pages)) > 1:
        tif.is_uniform = False  # tifffile judges by three pages
    check_count(tif, image, files.pages, file)
    asked = image is None and counts_images_only(tif)
    every = tif.series(kind=None if image is None else "ome", squeeze=False)
    if image is None and len(every) == len(chain.pages) > 1 == len(set(chain.pages)) and not chain.copies:
        every = tif.series(kind="generic", squeeze=False)  # planes that were written one at a time
    if not every and image is not None:
        every = tif.series(kind="generic", squeeze=False)
    if not every:
        raise StackError(f"{shown(file)} holds no image; save it again from the program that made it")
    if number is not None:
        check_number(number, len(every), file)
    series = every[(number or 1) - 1]
    key = series.keyframe
    check_page(key, file, key.index + 1)
    stored = series.axes.upper() if series.kind == "shaped" else series.axes
    stored = stored.replace("Z", "Q") if asked else stored
    shape = tuple(int(size) for size in series.shape)
    check_planes(stored, shape, key, file)
    check_declared(tif, series, image, heard, file)
    used, planes = _planes(tif, series, files, file)
    if not key.is_final and key.compression not in files.tried:
        _try_codec(key, files.find(key.parent)[0], files.opener)
        files.tried.add(key.compression)
    if image is None:
        check_shaped(every, chain, file)
        if number is None:
            check_rivals(every, math.prod(shape) // math.prod(key.shaped), chain, file)
    channels, about_channels = stated_channels(tif, key, image, stored, shape)
    return StoredImage(
        files=used,
        stored=stored,
        shape=shape,
        dtype=native(np.dtype(key.dtype)),
        byteorder=key.parent.byteorder,
        planes=planes,
        calibration=stated_calibration(tif, series, image),
        channels=channels,
        notes=(*notes, *about_channels, *remarks_on(every, series, image, heard)),
        left_out=0 if number else len(every) - 1,
    )


def _planes(
    tif: tifffile.TiffFile, series: tifffile.TiffPageSeries, known: Files, file: Place
) -> tuple[tuple[Place, ...], tuple[Plane, ...]]:
    """Return the files of a series and all its planes, every one of them found in its file."""
    key = series.keyframe
    per_page = math.prod(key.shaped)
    count, rest = divmod(math.prod(series.shape), per_page)
    if rest or not count:
        raise StackError(
            f"{shown(file)} declares {by(series.shape)} values, which are no whole pages; save it anew"
        )
    files: dict[Place, int] = {}
    planes: list[Plane] = []
    own = known.find(tif)[1]
    if _one_piece(series, count, len(own.pages)):
        return (file,), _planes_in_one_piece(key, count, own, file)
    first = known.find(key.parent)[1].pages[key.index]
    used: set[tuple[Place, int]] = set()
    extents = Extents()
    for page in _pages(tif, series, count):
        if page is None:
            raise StackError(
                f"{shown(file)} declares {count} pages, and page {len(used) + 1} is missing; "
                "missing planes are not replaced by black ones: get the whole file, or save it anew"
            )
        place, chain = known.find(page.parent)
        if len(page.treeindex) > 1 or page.index >= len(chain.pages):
            raise StackError(
                f"{shown(file)} declares a page in {shown(place)} that is not there; save it anew"
            )
        check_same(chain.pages[page.index], first, place, page.index + 1, key.index + 1)
        if (place, page.index) in used:
            raise StackError(
                f"{shown(file)}: its metadata uses page {page.index + 1} of {shown(place)} for two planes; "
                "save it anew from the program that made it"
            )
        used.add((place, page.index))
        number = files.setdefault(place, len(files))
        starts = place_segments(page, key, chain.nbytes, place)
        extents.add(place, page, key)
        if page.parent.byteorder != key.parent.byteorder:
            starts = (None,) * len(starts)  # decoded instead: a source has one byte order
        planes += _planes_of_page(number, page.index, key, starts)
    _check_gaps(used, file, series, own.copies)
    extents.check()
    return tuple(files), tuple(planes)


def _planes_of_page(
    file: int, page: int, key: tifffile.TiffPage, starts: tuple[int | None, ...]
) -> list[Plane]:
    """Return the planes of a page in C order over its samples and layers, as tifffile has them."""
    several = len(starts) > 1
    if key.planarconfig == 2:
        pairs = [(sample, layer) for sample in range(len(starts)) for layer in range(key.imagedepth)]
    else:
        pairs = [(sample, layer) for layer in range(key.imagedepth) for sample in range(len(starts))]
    return [Plane(file, page, sample if several else None, starts[sample], layer) for sample, layer in pairs]


def _pages(tif: tifffile.TiffFile, series: tifffile.TiffPageSeries, count: int) -> Iterator[AnyPage | None]:
    """Yield the pages of a series, read as light frames where tifffile has not read them yet."""
    if len(series) < count:
        yield from series
        yield None
        return
    if series.keyframe.parent is tif:
        tif.pages.useframes = True
        tif.pages.set_keyframe(series.keyframe.index)
    for index in range(count):
        yield series[index]


def _one_piece(series: tifffile.TiffPageSeries, count: int, pages: int) -> bool:
    """Return True where one directory describes planes that follow each other (ImageJ > 4 GB, STK)."""
    key = series.keyframe
    return series.kind != "ome" and pages == 1 and (count > 1 or key.imagedepth > 1) and key.is_final


def _planes_in_one_piece(key: tifffile.TiffPage, count: int, chain: Chain, file: Place) -> tuple[Plane, ...]:
    """Return planes that lie one after the other from the first page's offset on."""
    grid = grid_of(key)
    start = key.dataoffsets[0]
    samples = key.samplesperpixel if key.planarconfig == 1 else 1
    step = sum(segment_sizes(key, grid)) // grid.layers
    total = count * math.prod(key.shaped[:2])
    if start <= 0 or start + total * step > chain.nbytes:
        raise StackError(
            f"{shown(file)} declares {total} planes of {step} bytes from byte {start} on, but ends at byte "
            f"{chain.nbytes}; it is cut off: copy or download it again"
        )
    if samples > 1:
        pairs = [(number, sample) for number in range(total) for sample in range(samples)]
        return tuple(Plane(0, key.index, sample, None, number) for number, sample in pairs)
    return tuple(Plane(0, key.index, None, start + number * step) for number in range(total))


def _check_gaps(
    used: set[tuple[Place, int]], file: Place, series: tifffile.TiffPageSeries, copies: frozenset[int]
) -> None:
    """Raise StackError where pages that nothing explains lie between planes, or some planes are marked."""
    if series.kind not in ("generic", "uniform"):
        return
    indices = {index for _, index in used}
    marked = sorted(indices & copies)
    if marked and len(marked) < len(indices):
        raise StackError(
            f"{shown(file)}: {len(marked)} of {len(indices)} pages of one size are marked as smaller copies "
            f"or masks of others (page {marked[0] + 1} is the first); it is not clear which are planes: save "
            "it anew without the others"
        )
    between = set(range(min(indices), max(indices))) - indices - copies
    if between:
        raise StackError(
            f"{shown(file)}: page {min(between) + 1} is of another shape or data type than the pages around "
            "it; one stack needs pages of one kind: split the file"
        )


def _try_codec(key: tifffile.TiffPage, file: Place, opener: Opener) -> None:
    """Decode one strip or tile, so that a codec nobody has is known before a conversion starts."""
    with reading(file), opener.open(file) as handle:
        handle.seek(key.dataoffsets[0])
        data = handle.read(key.databytecounts[0])
        try:
            decode_segment(key, key.jpegtables, data, 0)
            check_packed(key, unpacked_size(key, data), f"{shown(file)}, page {key.index + 1}")
        except (ImportError, KeyError, NotImplementedError, ValueError) as error:
            if isinstance(error, ValueError) and "COMPRESSION" not in str(error):
                raise
            name = getattr(key.compression, "name", key.compression)
            raise StackError(
                f"{shown(file)} cannot be read as a TIFF image here: nothing decodes {name}; save it with "
                "Deflate, LZW or without compression, where a program still reads it"
            ) from error
