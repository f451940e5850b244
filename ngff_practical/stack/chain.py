"""The pages of a TIFF as its directories list them: checked to the last link before anything else is read.

tifffile stops at the first bad link, keeps the pages before it, and takes every page for the twin of the
first; a stack that ends early or holds an odd page would pass. This walk costs microseconds per page.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO

from ngff_practical.errors import StackError
from ngff_practical.model import Place
from ngff_practical.stack.faults import shown

# Tags that must agree for two pages to be decoded alike: width, length, bits, compression, photometric
# interpretation, fill order, samples, rows per strip, planar configuration, predictor, tile width and
# length, extra samples, sample format, depth and tile depth.
_GEOMETRY = frozenset({256, 257, 258, 259, 262, 266, 277, 278, 284, 317, 322, 323, 338, 339, 32997, 32998})
_INTEGERS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 16: "Q", 17: "q"}
_SIZES = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}
_SUBFILE = 254
_NO_PLANE = 1 | 4  # bits of that tag: a smaller copy of another page, a mask for one
_MOST_TAGS = 4096
_MOST_VALUES = 64

type Geometry = tuple[tuple[int, tuple[int, ...]], ...]


@dataclass(frozen=True, slots=True)
class Chain:
    """Every page of a file: `pages[i]` says how page i is stored, `nbytes` how large the file is.

    `copies` are the pages that are marked as smaller copies or masks of others.
    """

    nbytes: int
    pages: tuple[Geometry, ...]
    copies: frozenset[int] = frozenset()


def walk_chain(file: Place, handle: BinaryIO) -> Chain:
    """Return the pages of a TIFF, or raise StackError where it is no TIFF, ends early or runs in circles."""
    nbytes = handle.seek(0, 2)
    handle.seek(0)
    header = handle.read(512)
    _check_kind(file, header, nbytes)
    order = "<" if header[:2] == b"II" else ">"
    big = struct.unpack_from(order + "H", header, 2)[0] == 43
    link = struct.Struct(order + ("Q" if big else "I"))
    if len(header) < (16 if big else 8):
        raise StackError(f"{shown(file)} ends after {nbytes} bytes, inside its header; copy it again")
    (offset,) = link.unpack_from(header, 8 if big else 4)
    seen: dict[int, int] = {}
    pages: list[Geometry] = []
    copies: set[int] = set()
    while offset:
        if offset in seen:
            raise StackError(
                f"{shown(file)} runs in a circle: after page {len(pages)} comes page "
                f"{seen[offset] + 1} again; it is damaged: save it anew from the program that made it"
            )
        if offset < 8 or offset >= nbytes:
            raise StackError(
                f"{shown(file)} says that page {len(pages) + 1} starts at byte {offset}, but the file "
                f"has {nbytes} bytes; it is cut off or damaged: copy or download it again"
            )
        seen[offset] = len(pages)
        page, offset = _read_page(file, handle, offset, order, nbytes, big=big, number=len(pages) + 1)
        if any(tag == _SUBFILE and values[0] & _NO_PLANE for tag, values in page):
            copies.add(len(pages))
        pages.append(tuple(entry for entry in page if entry[0] != _SUBFILE))
    if not pages:
        raise StackError(
            f"{shown(file)} is a TIFF without any page; save it again from the program that made it"
        )
    return Chain(nbytes, tuple(pages), frozenset(copies))


def _read_page(
    file: Place, handle: BinaryIO, offset: int, order: str, nbytes: int, *, big: bool, number: int
) -> tuple[Geometry, int]:
    """Return the geometry of the page whose directory starts at `offset`, and where the next one starts."""
    count_format = struct.Struct(order + ("Q" if big else "H"))
    entry_format = struct.Struct(order + ("HHQ" if big else "HHI"))
    link = struct.Struct(order + ("Q" if big else "I"))
    entry_size = 20 if big else 12
    handle.seek(offset)
    start = handle.read(count_format.size)
    count = count_format.unpack(start)[0] if len(start) == count_format.size else -1
    size = count * entry_size + link.size
    data = handle.read(size) if 0 < count <= _MOST_TAGS else b""
    if len(data) != size:
        raise StackError(
            f"{shown(file)}: the directory of page {number} at byte {offset} is cut off or damaged; "
            "copy or download the file again"
        )
    page: list[tuple[int, tuple[int, ...]]] = []
    for at in range(0, count * entry_size, entry_size):
        tag, kind, values = entry_format.unpack_from(data, at)
        nbytes_tag = _SIZES.get(kind, 0) * values
        if nbytes_tag > link.size and link.unpack_from(data, at + entry_format.size)[0] + nbytes_tag > nbytes:
            raise StackError(
                f"{shown(file)}: tag {tag} of page {number} lies beyond the file's end at byte {nbytes}; "
                "it is cut off or damaged: copy or download it again"
            )
        if (
            (tag not in _GEOMETRY and tag != _SUBFILE)
            or kind not in _INTEGERS
            or not 0 < values <= _MOST_VALUES
        ):
            continue
        numbers = struct.Struct(f"{order}{values}{_INTEGERS[kind]}")
        inline = data[at + entry_format.size : at + entry_size]
        if numbers.size <= len(inline):
            page.append((tag, numbers.unpack_from(inline)))
            continue
        handle.seek(link.unpack(inline)[0])
        raw = handle.read(numbers.size)
        if len(raw) == numbers.size:
            page.append((tag, numbers.unpack(raw)))
    return tuple(sorted(page)), int(link.unpack_from(data, count * entry_size)[0])


def _check_kind(file: Place, header: bytes, nbytes: int) -> None:
    """Raise StackError that says what a file is, where it is no TIFF."""
    name = shown(file)
    text = header.lstrip(b"\xef\xbb\xbf \t\r\n")
    if not nbytes:
        raise StackError(f"{name} is empty (0 bytes); copy or download it again")
    if header.startswith(b"version https://git-lfs"):
        raise StackError(
            f"{name} is a git-lfs pointer of {nbytes} bytes, not the image; fetch the image with `git lfs "
            "pull`"
        )
    if header[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return
    if text[:1] == b"<":
        raise StackError(
            f"{name} is not a TIFF but a web page or error message of {nbytes} bytes, saved under that name; "
            "download it again"
        )
    raise StackError(
        f"{name} is not a TIFF: it starts with {header[:4]!r} instead of {b'II*'!r} or {b'MM'!r}; "
        "move it away, or convert it to TIFF"
    )
