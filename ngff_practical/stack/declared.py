"""What a TIFF declares, compared with what it holds, before and after tifffile has interpreted it."""

from __future__ import annotations

import json
import math

import tifffile

from ngff_practical.errors import StackError
from ngff_practical.model import Place, Shape
from ngff_practical.stack.chain import Chain
from ngff_practical.stack.faults import by, clean, shown
from ngff_practical.stack.ome import OmeImage
from ngff_practical.stack.pages import check_same, place_segments
from ngff_practical.stack.typed import typed

_STK_PLANES = 33629  # MetaMorph's tag that counts the planes behind one directory
_PLAIN_KINDS = ("generic", "uniform", "shaped")
_SIZES = (256, 257)  # tags of a page's width and height
_COPY_OR_MASK = 1 | 4  # bits of a page's subfile type
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


def counts_images_only(tif: tifffile.TiffFile) -> bool:
    """Return True for an ImageJ stack behind one directory that says how many images it has and no more.

    So did ImageJ before 2005. tifffile takes one image for all of them; told that they are slices, it finds
    them, and what they are is left to be asked.
    """
    metadata = tif.imagej_metadata if tif.is_imagej and not tif.pages.is_multipage else None
    if not metadata or {"channels", "slices", "frames"} & metadata.keys():
        return False
    count = metadata.get("images")
    if not isinstance(count, int) or count < 2:
        return False
    metadata["slices"] = count
    return True


def check_planes(stored: str, shape: Shape, key: tifffile.TiffPage, file: Place) -> None:
    """Raise StackError where a page is declared to be another plane than one of y and x."""
    sizes = dict(zip(stored, shape, strict=True))
    planes = stored.replace("S", "").endswith("YX") and stored.count("Y") == stored.count("X") == 1
    if planes and (sizes["Y"], sizes["X"]) == (key.imagelength, key.imagewidth):
        return
    raise StackError(
        f"{shown(file)} declares the axes {clean(stored)} = {by(shape)} for pages of {key.imagelength} x "
        f"{key.imagewidth} pixels; only pages of rows (y) and columns (x) can be read: save it anew "
        "with y and x as the last axes"
    )


def check_rivals(every: tifffile.TiffSeries, planes: int, chain: Chain, file: Place) -> None:
    """Raise StackError where pages beside the first image may be planes of it, or are the real stack.

    Where no metadata says what is what, tifffile takes the first pages that are alike for the image; here
    only what is clearly something else is left out: previews, pages marked as such, single pages.
    """
    first, *others = list(every)
    key = first.keyframe
    if first.kind not in _PLAIN_KINDS:
        area = key.imagelength * key.imagewidth
        larger = [one for one in others if one.keyframe.imagelength * one.keyframe.imagewidth > area]
        if larger:
            raise StackError(
                f"{shown(file)} holds {1 + len(others)} images, and the first ({by(key.shape)}) is smaller "
                f"than another ({by(larger[0].keyframe.shape)}); say which is meant by its number, as in "
                f"{typed(image=list(every).index(larger[0]) + 1)}"
            )
        return
    for number, geometry in enumerate(chain.pages, 1):
        sizes = dict(geometry)
        if number - 1 not in chain.copies and not all(sizes.get(tag, (0,))[0] for tag in _SIZES):
            raise StackError(
                f"{shown(file)}: page {number} of {len(chain.pages)} claims no width or height; the file is "
                "damaged: copy it again, or save it anew"
            )
    for page in (other.keyframe for other in others if not _is_copy(other.keyframe)):
        place_segments(page, page, chain.nbytes, file)
    rivals = [
        other
        for other in others
        if not _is_copy(other.keyframe) and (_is_copy(key) or _is_rival(other, key, planes))
    ]
    for page in (rival.keyframe for rival in rivals):
        check_same(chain.pages[page.index], chain.pages[key.index], file, page.index + 1, key.index + 1)
    if rivals:
        raise StackError(
            f"{shown(file)} holds {1 + len(rivals)} images of {by(key.shape)} {key.dtype}, and nothing says "
            f"which is meant; choose one by its number, as in {typed(image=1)}"
        )


def check_number(number: int, count: int, file: Place) -> None:
    """Raise StackError where somebody typed the number of an image that is not there."""
    if not 1 <= number <= count:
        way = f"choose 1 to {count}" if count > 1 else "leave the number out"
        raise StackError(
            f"{shown(file)} holds {count} image{'s' if count > 1 else ''}, and {number} is the number of "
            f"none; {way}"
        )


def check_shaped(every: tifffile.TiffSeries, chain: Chain, file: Place) -> None:
    """Raise StackError where tifffile's description fits no longer, and leaves pages that are in no image."""
    if every[0].kind != "shaped":
        return
    used = sum(
        math.prod(level.shape) // math.prod(level.keyframe.shaped) for one in every for level in one.levels
    )
    lost = len(chain.pages) - len(chain.copies) - used
    if lost > 0:
        raise StackError(
            f"{shown(file)}: its description fits {used} of its {len(chain.pages)} pages and says nothing of "
            f"the other {lost}; {_ADVICE}"
        )


def _is_rival(other: tifffile.TiffPageSeries, key: tifffile.TiffPage, planes: int) -> bool:
    """Return True for pages of much the same size as the image's, and for a stack of larger ones.

    Single planes are rivals where both have one shape, data type and photometric interpretation.
    """
    page = other.keyframe
    count = math.prod(other.shape) // math.prod(page.shaped)
    pairs = ((page.imagelength, key.imagelength), (page.imagewidth, key.imagewidth))
    alike = all(2 * size > like + 1 and size < 2 * like for size, like in pairs)
    larger = page.imagelength * page.imagewidth > key.imagelength * key.imagewidth
    twin = (page.shape, page.dtype, page.photometric) == (key.shape, key.dtype, key.photometric)
    return twin or (alike and max(count, planes) > 1) or (larger and count > planes)


def _is_copy(page: tifffile.TiffPage) -> bool:
    """Return True for smaller copies and masks of other pages, by their tag or as their children."""
    return bool(int(page.subfiletype) & _COPY_OR_MASK) or len(page.treeindex) > 1


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
        planes = math.prod(series.shape) // math.prod(series.keyframe.shaped[-3:-1])
        stated = metadata.get("images", 1)
        fewer = isinstance(stated, int) and stated > planes
        if series.kind != "imagej" or complaint or len(tif.pages) > pages or fewer:
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
