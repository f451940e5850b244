"""TIFFs written byte by byte, as no library writes them: any tag, any bits, any order of the parts."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

type Tags = dict[int, tuple[int, Sequence[int | float] | bytes]]

_FORMATS = {1: "B", 3: "H", 4: "I", 5: "I", 12: "d", 16: "Q"}
_TEXT, _RATIONAL = 2, 5


@dataclass
class Page:
    """Tags, and the strips or tiles as they shall lie in the file; `subs` are pages behind a link in it."""

    tags: Tags
    segments: Sequence[bytes]
    subs: Sequence[Page] = field(default_factory=tuple)


def page_tags(height: int, width: int, *, bits: int = 16, samples: int = 1, **more: int) -> Tags:
    """The tags of a grey page in one strip; `more` are others by number, as in _266=2."""
    tags: Tags = {
        256: (3, [width]),
        257: (3, [height]),
        258: (3, [bits] * samples),
        259: (3, [1]),
        262: (3, [2 if samples == 3 else 1]),
        277: (3, [samples]),
        278: (3, [height]),
    }
    return tags | {int(name[1:]): (3, [value]) for name, value in more.items()}


def raw_tiff(pages: Sequence[Page], order: str = "<", *, big: bool = False, lead: int = 0) -> bytes:
    """The bytes of a TIFF: each page's segments, then its directory; `lead` empty bytes come first."""
    link = struct.Struct(order + ("Q" if big else "I"))
    head = struct.pack(order + "HHH", 43, 8, 0) if big else struct.pack(order + "H", 42)
    out = bytearray((b"II" if order == "<" else b"MM") + head + bytes(link.size) + bytes(lead))
    where = len(head) + 2
    for page in pages:
        start, end = _write(page, out, order, link, big=big)
        link.pack_into(out, where, start)
        where = end
    return bytes(out)


def packed(plane: np.ndarray, bits: int) -> bytes:
    """Rows of numbers of so many bits each, the highest bit first; every row begins in a byte of its own."""
    rows = []
    for row in plane.reshape(len(plane), -1):
        text = "".join(format(int(value), f"0{bits}b") for value in row)
        text += "0" * (-len(text) % 8)
        rows.append(int(text, 2).to_bytes(len(text) // 8, "big"))
    return b"".join(rows)


def _write(page: Page, out: bytearray, order: str, link: struct.Struct, *, big: bool) -> tuple[int, int]:
    """Append a page; returns where its directory starts, and where the link to the next one stands."""
    tags = dict(page.tags)
    offsets = []
    for segment in page.segments:
        out.extend(bytes(len(out) % 2))
        offsets.append(len(out))
        out.extend(segment)
    kind = 16 if big else 4
    at, sizes = (324, 325) if 322 in tags else (273, 279)
    tags.setdefault(at, (kind, offsets))
    tags.setdefault(sizes, (kind, [len(segment) for segment in page.segments]))
    if page.subs:
        tags[330] = kind, [_write(sub, out, order, link, big=big)[0] for sub in page.subs]
    entries = b""
    for tag, (type_, values) in sorted(tags.items()):
        data = (
            bytes(values)
            if type_ in (_TEXT, 7)
            else struct.pack(f"{order}{len(values)}{_FORMATS[type_]}", *values)
        )
        count = len(values) // 2 if type_ == _RATIONAL else len(values)
        if len(data) > link.size:
            out.extend(bytes(len(out) % 2))
            place = len(out)
            out.extend(data)
            data = link.pack(place)
        entries += struct.pack(order + "HH", tag, type_) + link.pack(count) + data.ljust(link.size, b"\0")
    out.extend(bytes(len(out) % 2))
    start = len(out)
    out.extend(struct.pack(order + ("Q" if big else "H"), len(tags)) + entries)
    out.extend(bytes(link.size))
    return start, len(out) - link.size
