"""Bytes of a metadata file to JSON, within bounds: size, depth, encoding, and keys that stand twice."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from ngff_practical.errors import MetadataError
from ngff_practical.metadata.wording import escaped, listed, located, number
from ngff_practical.model import Issue

LARGEST_DOCUMENT = 32 * 2**20
"""Bytes of JSON that are parsed; a plate of 1536 wells needs about 0.2 MB."""

MOST_VALUES = 2_000_000
"""Values of one document that are parsed; the consolidated metadata of a plate has up to a million."""

DEEPEST_DOCUMENT = 64
"""Levels of nesting that are parsed; OME-Zarr metadata has about 10."""

LFS_POINTER = b"version https://git-lfs"
"""How the small text begins that git-lfs leaves in place of a file that was not downloaded."""


@dataclass(frozen=True, slots=True)
class Document:
    """A JSON object from a file, and the keys that stood in it more than once."""

    value: dict[str, object]
    repeated: tuple[str, ...] = ()


def parse_document(data: bytes, name: str) -> Document:
    """Return the JSON object in the bytes of a file; `name` is what an error calls the file.

    NaN and Infinity, which are not JSON, are read as numbers all the same: `not_json_numbers` finds them.

    Raises
    ------
    MetadataError
        The bytes are not one JSON object in UTF-8, or larger or deeper than metadata ever is.
    """
    trouble = not_metadata(data)
    if trouble:
        raise MetadataError(f"{name} {trouble}")
    repeated: dict[str, None] = {}

    def from_pairs(pairs: list[tuple[str, object]]) -> dict[str, object]:
        made: dict[str, object] = {}
        for key, value in pairs:
            if key in made:
                repeated[key] = None
            made[key] = value
        return made

    try:
        value = json.loads(data.decode(), object_pairs_hook=from_pairs)
    except UnicodeDecodeError as error:
        raise MetadataError(
            f"{name} is not UTF-8: byte {error.start} is {data[error.start]:#04x}; write it again as UTF-8"
        ) from None
    except json.JSONDecodeError as error:
        raise MetadataError(
            f"{name} is not JSON: {error.msg} in line {error.lineno}, column {error.colno}"
        ) from None
    except ValueError:
        raise MetadataError(f"{name} holds a number with thousands of digits") from None
    except RecursionError:
        raise MetadataError(f"{name} is nested deeper than metadata ever is") from None
    if not isinstance(value, dict):
        kind = "list" if isinstance(value, list) else "single value"
        raise MetadataError(f"{name} holds a {kind}, not an object with keys")
    if _deeper_than(value, DEEPEST_DOCUMENT):
        raise MetadataError(
            f"{name} is nested deeper than {DEEPEST_DOCUMENT} levels, which metadata never is"
        )
    return Document(value, tuple(repeated))


def not_metadata(data: bytes) -> str:
    """Return what bytes are that cannot be JSON at all, as the end of a sentence; "" where they may be."""
    if not data:
        return "is empty; the copy was probably interrupted"
    if len(data) > LARGEST_DOCUMENT:
        return f"is {len(data) / 2**20:.0f} MB large; metadata stays below {LARGEST_DOCUMENT // 2**20} MB"
    if sum(data.count(mark) for mark in b",[{") > MOST_VALUES:
        return f"holds more than {MOST_VALUES} values, which metadata never does"
    if data.startswith(LFS_POINTER):
        return "is a git-lfs pointer, not the file itself; fetch it with `git lfs pull`"
    if data.startswith(b"\xef\xbb\xbf"):
        return "begins with a byte order mark, which JSON must not have; write it again as plain UTF-8"
    if data.startswith(b"\x1f\x8b"):
        return (
            "is compressed with gzip, which readers of Zarr do not expect; unpack it, and have the server "
            "send it as it is"
        )
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in data[:4]:
        return "is UTF-16 or UTF-32, which JSON must not be; write it again as UTF-8"
    if is_web_page(data):
        return "is a web page, not JSON; the server answered with an error page"
    if data[:200].lstrip().lower().startswith(b"<?xml"):
        return "is XML, not JSON; the server probably answered with an error"
    return ""


def is_web_page(data: bytes) -> bool:
    """Return True for HTML, which some servers send for every address, whether anything is there or not."""
    return data[:200].lstrip().lower().startswith((b"<!doctype html", b"<html"))


def repeated_keys(document: Document) -> Iterator[Issue]:
    """Find keys that stand in one object more than once: readers differ in which of them counts."""
    if document.repeated:
        names = listed(document.repeated)
        message = (
            f"{names} stands twice in the same object; the last one is used here, other readers may differ"
        )
        yield Issue("should", located(document.repeated[0]), message, "JSON (RFC 8259), objects")


def not_json_numbers(value: object) -> Iterator[Issue]:
    """Find NaN and Infinity, which Python writes and JSON does not have: the first few of them."""
    return islice(_not_json_numbers(value), 20) if _any_not_finite(value) else iter(())


def _any_not_finite(value: object) -> bool:
    pending = [value]
    while pending:
        item = pending.pop()
        children = item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
        for child in children:
            if isinstance(child, dict | list):
                pending.append(child)
            elif isinstance(child, float) and not math.isfinite(child):
                return True
    return False


def _not_json_numbers(value: object) -> Iterator[Issue]:
    pending: list[tuple[str, object]] = [("", value)]
    while pending:
        where, item = pending.pop()
        if isinstance(item, dict):
            pending.extend(
                (f"{where}.{key}" if where else key, child) for key, child in reversed(item.items())
            )
        elif isinstance(item, list):
            pending.extend((f"{where}[{index}]", child) for index, child in reversed(list(enumerate(item))))
        elif isinstance(item, float) and not math.isfinite(item):
            name = escaped(where.rsplit(".", 1)[-1])
            message = f"{name} is {number(item)}, which JSON cannot hold"
            yield Issue("must", located(where), message, "JSON (RFC 8259), numbers")


def _deeper_than(value: object, limit: int) -> bool:
    level: Sequence[object] = [value]
    for _ in range(limit):
        level = [
            child
            for item in level
            if isinstance(item, dict | list)
            for child in (item.values() if isinstance(item, dict) else item)
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True
