"""What a TIFF declares, compared with what it holds, before and after tifffile has interpreted it."""

from __future__ import annotations

import json
import math

import tifffile

from ngff_practical.errors import StackError
from ngff_practical.model import Place, Shape
from ngff_practical.stack.faults import by, clean, shown
from ngff_practical.stack.ome import OmeImage

_STK_PLANES = 33629  # MetaMorph's tag that counts the planes behind one directory
_ADVICE = "pages are missing, left over or damaged: copy the file again, or save it anew"


def check_count(tif: tifffile.TiffFile, image: OmeImage | None, pages: int, file: Place) -> None:
    """Raise StackError where more is declared than the pages can hold, before room is made for it.

    `pages` counts those of all files of the set.
    """
    page = tif.pages.first
    if image is not None:
        declared = by(image.sizes[letter] for letter in "TCZYX")
        planes = math.prod(image.sizes[letter] for letter in "TCZ")
        if min(image.sizes.values()) < 1 or planes > pages * page.samplesperpixel * max(page.imagedepth, 1):
            raise StackError(
                f"{shown(file)}: its OME-XML declares {declared} (t, c, z, y, x), its {pages} pages "
                f"cannot hold that; {_ADVICE}"
            )
    elif page.shaped_description and not tif.is_imagej:
        shape = _shape_of_tifffile(page.shaped_description)
        held = pages * math.prod(page.shaped)
        if not shape or min(shape) < 1:
            text = clean(page.shaped_description, 60)
            raise StackError(f"{shown(file)} declares {text}, which is no shape of an image; save it anew")
        itemsize = 1 if page.dtype is None else page.dtype.itemsize
        one_piece = page.compression == 1 and math.prod(shape) * itemsize <= tif.filehandle.size
        if math.prod(shape) > held and not one_piece:
            raise StackError(
                f"{shown(file)} declares {by(shape)} values, but has {pages} pages of {page.imagelength} x "
                f"{page.imagewidth} in {tif.filehandle.size} bytes; {_ADVICE}"
            )


def _shape_of_tifffile(description: str) -> tuple[int, ...]:
    """Return the shape that tifffile wrote into a description, () where it is none."""
    if description.startswith("shape="):  # as tifffile wrote until 2014: shape=(5, 20, 24)
        description = '{"shape": ' + description[6:].translate(str.maketrans("()", "[]")) + "}"
    try:
        shape = json.loads(description)["shape"]
    except (ValueError, KeyError):
        return ()
    whole = isinstance(shape, list) and all(type(size) is int for size in shape)
    return tuple(shape) if whole else ()


def check_planes(stored: str, shape: Shape, key: tifffile.TiffPage, file: Place) -> None:
    """Raise StackError where a page is declared to be another plane than one of y and x."""
    sizes = dict(zip(stored, shape, strict=True))
    planes = stored.replace("S", "").endswith("YX")
    if planes and (sizes["Y"], sizes["X"]) == (key.imagelength, key.imagewidth):
        return
    raise StackError(
        f"{shown(file)} declares the axes {clean(stored)} = {by(shape)} for pages of {key.imagelength} x "
        f"{key.imagewidth} pixels; only pages of rows (y) and columns (x) can be read: save it anew "
        "with y and x as the last axes"
    )


def check_declared(
    tif: tifffile.TiffFile,
    series: tifffile.TiffPageSeries,
    image: OmeImage | None,
    heard: list[str],
    file: Place,
) -> None:
    """Raise StackError where the file holds another image than its metadata says."""
    sizes = dict.fromkeys("TCZSYX", 1)
    for letter, size in zip(series.axes, series.shape, strict=True):
        sizes[letter] = sizes.get(letter, 1) * int(size)
    complaint = next((text for text in heard if " series " in text and "shaped" not in text), "")
    about = f" ({clean((complaint.partition('> ')[2] or complaint).partition('. ')[0])})" if complaint else ""
    if image is not None:
        declared = by(image.sizes[letter] for letter in "TCZYX")
        found = by((sizes["T"], sizes["C"] * sizes["S"], sizes["Z"], sizes["Y"], sizes["X"]))
        if series.kind != "ome" or math.prod(image.sizes.values()) != math.prod(sizes.values()) or complaint:
            raise StackError(
                f"{shown(file)}: its OME-XML declares {declared} (t, c, z, y, x), which its pages do not hold"
                f"{about}; {_ADVICE}"
            )
        if set(series.axes) <= set("TCZSYX") and declared != found:
            raise StackError(
                f"{shown(file)}: its OME-XML declares {declared} (t, c, z, y, x), its pages hold {found}; "
                f"{_ADVICE}"
            )
    elif tif.is_imagej and not tif.pages.first.is_stk:
        metadata = tif.imagej_metadata or {}
        declared = ", ".join(
            f"{metadata[word]} {word}" for word in ("channels", "slices", "frames") if word in metadata
        )
        pages = math.prod(series.shape) // math.prod(series.keyframe.shaped)
        if series.kind != "imagej" or complaint or len(tif.pages) > pages:
            raise StackError(
                f"{shown(file)}: its ImageJ metadata declares {metadata.get('images', 1)} images "
                f"({declared or 'no more'}), but it has {len(tif.pages)} pages in {tif.filehandle.size} "
                f"bytes; {_ADVICE}"
            )
    elif tif.is_lsm:
        declared_planes = math.prod(series.shape) // math.prod(series.keyframe.shaped)
        held = (len(tif.pages) + 1) // 2  # a thumbnail follows each plane
        if series.kind != "lsm" or declared_planes != held:
            raise StackError(
                f"{shown(file)}: its LSM metadata declares {declared_planes} planes with a thumbnail each, "
                f"but it has {held} in {len(tif.pages)} pages; {_ADVICE}"
            )
    elif _STK_PLANES in tif.pages.first.tags and series.kind != "stk":
        raise StackError(
            f"{shown(file)}: its MetaMorph metadata is damaged, and its planes with it; {_ADVICE}"
        )
