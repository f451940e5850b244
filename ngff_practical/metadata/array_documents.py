"""The JSON documents of Zarr arrays, v2 and v3: which keys they have and what they look like."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ngff_practical.metadata.structure import (
    Check,
    Spot,
    a_number,
    anything,
    choice,
    each,
    mapping,
    may,
    must,
    record,
    should,
    text,
)
from ngff_practical.model import Issue, Shape

LONGEST_AXIS = 2**63 - 1
"""Voxels along one axis that can be counted."""

_V2_DTYPE = re.compile(r"[<>|](?:(b)1|([iufc])(\d+))")
_V3_DTYPE = re.compile(r"bool|u?int(8|16|32|64)|float(16|32|64)|complex(64|128)")
_V2_NAMES = {"i": "int", "u": "uint", "f": "float", "c": "complex"}


def document_issues(document: Mapping[str, object]) -> Iterator[Issue]:
    """Find what keeps an array's document from being understood."""
    spot = Spot("", array_rule(document))
    table = _V2 if document.get("zarr_format") == 2 else _V3
    found = list(table(dict(document), spot))
    yield from found
    if any(issue.severity == "must" for issue in found):
        return
    shape, chunks = document["shape"], chunk_shape(document)
    if isinstance(shape, list) and isinstance(chunks, list) and len(shape) != len(chunks):
        message = f"the chunks have {len(chunks)} dimensions, the shape has {len(shape)}"
        yield spot.key("chunks").must(message)
    inner = shard_chunks(document)
    if inner is not None and isinstance(shape, list) and len(inner) != len(shape):
        message = f"the chunks in a shard have {len(inner)} dimensions, the shape has {len(shape)}"
        yield spot.key("codecs").must(message)


def array_rule(document: Mapping[str, object]) -> str:
    """Return the name of the rule that an array's document follows."""
    return f"Zarr v{2 if document.get('zarr_format') == 2 else 3}, array metadata"


def _sizes(least: int) -> Check:
    return each(a_number(integer=True, least=least, most=LONGEST_AXIS), least=1, most=64)


def _v2_dtype(value: object, spot: Spot) -> Iterator[Issue]:
    if not isinstance(value, str) or numpy_name(value) is None:
        yield spot.wrong(value, 'a number type such as "<u2"')


def _v3_dtype(value: object, spot: Spot) -> Iterator[Issue]:
    if not isinstance(value, str) or not _V3_DTYPE.fullmatch(value):
        yield spot.wrong(value, 'a number type such as "uint16"')


def _codec(value: object, spot: Spot) -> Iterator[Issue]:
    if not isinstance(value, str):
        yield from record(must("name", text(), "which codec this is"), may("configuration", mapping))(
            value, spot
        )
    elif not value:
        yield spot.wrong(value, "the name of a codec")
    if isinstance(value, dict) and value.get("name") == "sharding_indexed":
        inside = record(must("chunk_shape", _sizes(1), "how large a chunk is"), may("codecs", _codecs))
        yield from inside(value.get("configuration"), spot.key("configuration"))


def _codecs(value: object, spot: Spot) -> Iterator[Issue]:
    yield from each(_codec, least=1, most=64)(value, spot)


def _dimension_names(value: object, spot: Spot) -> Iterator[Issue]:
    if value is not None:
        yield from each(lambda name, at: iter(()) if name is None else text()(name, at))(value, spot)


def _filters(value: object, spot: Spot) -> Iterator[Issue]:
    if value is not None:
        yield from each(_numcodec, most=64)(value, spot)


def _numcodec(value: object, spot: Spot) -> Iterator[Issue]:
    if value is not None:
        yield from record(must("id", text(), "which codec this is"))(value, spot)


_V2 = record(
    must("shape", _sizes(0), "how large the array is"),
    must("chunks", _sizes(1), "how large a chunk is"),
    must("dtype", _v2_dtype, "what a voxel is stored as"),
    should("compressor", _numcodec, "how a chunk is compressed; Zarr takes none for null"),
    must("fill_value", anything, "what an absent chunk reads as"),
    must("order", choice("C", "F"), "in which order voxels lie"),
    should("filters", _filters, "what is done to a chunk before that; Zarr takes none for null"),
    may("dimension_separator", choice("/", ".")),
)
_SEPARATOR = record(may("separator", choice("/", ".")))
_V3 = record(
    must("zarr_format", choice(3), "which version of Zarr this is"),
    must("node_type", choice("array"), "whether this is an array or a group"),
    must("shape", _sizes(0), "how large the array is"),
    must("data_type", _v3_dtype, "what a voxel is stored as"),
    must(
        "chunk_grid",
        record(
            must("name", choice("regular"), "that all chunks are alike"),
            must(
                "configuration", record(must("chunk_shape", _sizes(1), "their size")), "how large a chunk is"
            ),
        ),
        "how the array is cut into chunks",
    ),
    must(
        "chunk_key_encoding",
        record(must("name", choice("default", "v2"), "how"), may("configuration", _SEPARATOR)),
        "how chunk files are called",
    ),
    must("fill_value", anything, "what an absent chunk reads as"),
    must("codecs", _codecs, "how a chunk is compressed"),
    may("dimension_names", _dimension_names),
    may("storage_transformers", each(mapping, most=0)),
)


def chunk_shape(document: Mapping[str, object]) -> object:
    """Return the shape of what is stored as one object, from a document that has passed `document_issues`."""
    if document.get("zarr_format") == 2:
        return document["chunks"]
    grid = document["chunk_grid"]
    return grid["configuration"]["chunk_shape"] if isinstance(grid, dict) else None


def shard_chunks(document: Mapping[str, object]) -> Shape | None:
    """Return the shape of a chunk inside a shard, None where there are no shards."""
    codecs = document.get("codecs")
    for codec in codecs if isinstance(codecs, list) else ():
        if isinstance(codec, dict) and codec["name"] == "sharding_indexed":
            return as_shape(codec["configuration"]["chunk_shape"])
    return None


def numpy_name(dtype: str) -> str | None:
    """Return numpy's name of a Zarr v2 number type ("<u2" is "uint16"), None for any other type."""
    match = _V2_DTYPE.fullmatch(dtype)
    if match is None:
        return None
    if match.group(1):
        return "bool"
    name = f"{_V2_NAMES[match.group(2)]}{int(match.group(3)) * 8}"
    return name if _V3_DTYPE.fullmatch(name) else None


def as_shape(value: object) -> Shape:
    """Return a JSON list of sizes as a tuple."""
    return tuple(value) if isinstance(value, list) else ()
