"""What a Zarr array's own document (.zarray or zarr.json) says, and what is wrong with it; no pixels."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from ngff_practical.errors import MetadataError
from ngff_practical.metadata.array_documents import (
    LONGEST_AXIS,
    array_rule,
    as_shape,
    chunk_shape,
    document_issues,
    numpy_name,
    shard_chunks,
)
from ngff_practical.metadata.fill_values import fill_value_issues
from ngff_practical.metadata.structure import Spot
from ngff_practical.metadata.wording import escaped, listed
from ngff_practical.model import Issue, Shape, StoredGrid
from ngff_practical.model.wording import shape_text

_LARGEST_CHUNK = 2**31 - 1  # bytes, the most that Blosc packs

UNSAFE_CODECS = frozenset({"pickle", "numcodecs.pickle"})
"""Codecs that run code from the file when a chunk is decoded."""

_NUMCODECS = frozenset(
    [
        "blosc",
        "zlib",
        "gzip",
        "bz2",
        "lzma",
        "lz4",
        "zstd",
        "shuffle",
        "delta",
        "fixedscaleoffset",
        "quantize",
        "packbits",
        "astype",
        "bitround",
        "crc32",
        "crc32c",
        "adler32",
        "fletcher32",
        "jenkins_lookup3",
        "zfpy",
        "pcodec",
    ]
)
KNOWN_CODECS = frozenset(
    {*_NUMCODECS, *(f"numcodecs.{name}" for name in _NUMCODECS)}
    | {"bytes", "endian", "transpose", "sharding_indexed", "cast_value", "scale_offset"}
)
"""Codecs that Zarr and numcodecs read."""
_ARRAY_TO_BYTES = frozenset({"bytes", "endian", "numcodecs.zfpy", "numcodecs.pcodec"})


@dataclass(frozen=True, slots=True)
class ArrayInfo(StoredGrid):
    """A Zarr array as its document describes it; `codecs` are all named there, those of shards included.

    `dtype` is numpy's name. `chunks` are what is compressed on its own and `shards`, where there are any,
    what is stored as one object.
    """

    shape: Shape
    dtype: str
    chunks: Shape
    zarr_format: Literal[2, 3]
    shards: Shape | None = None
    dimension_names: tuple[str | None, ...] | None = None
    separator: Literal["/", "."] = "/"
    prefix: str = ""
    codecs: tuple[str, ...] = ()

    @property
    def itemsize(self) -> int:
        """Bytes of one voxel."""
        digits = re.search(r"\d+$", self.dtype)
        return int(digits.group()) // 8 if digits else 1

    def object_at(self, key: str) -> Shape | None:
        """Return the grid position of the object stored under a key of the array, None for any other key."""
        position = self.named_position(key)
        if position is None or any(at >= count for at, count in zip(position, self.object_grid, strict=True)):
            return None
        return position

    def named_position(self, key: str) -> Shape | None:
        """Return the position that a key names, within the grid or not; None where it names none."""
        if not key.startswith(self.prefix):
            return None
        parts = key.removeprefix(self.prefix).split(self.separator)
        if len(parts) != len(self.shape) or not all(
            re.fullmatch("0|[1-9][0-9]{0,18}", part) for part in parts
        ):
            return None
        return tuple(int(part) for part in parts)


def integer_limits(dtype: str) -> tuple[int, int] | None:
    """Return the least and the greatest value of an integer type, None for any other type."""
    match = re.fullmatch(r"(u?)int(\d+)", dtype)
    if match is None:
        return None
    bits = int(match.group(2))
    return (0, 2**bits - 1) if match.group(1) else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def array_info(document: Mapping[str, object], name: str) -> ArrayInfo:
    """Return what an array's document says; `name` is what an error calls the array.

    Raises
    ------
    MetadataError
        The document is not that of an array whose voxels are numbers, or its sizes are impossible.
    """
    for issue in document_issues(document):
        if issue.severity == "must":
            raise MetadataError(f"the array {name} cannot be understood: {issue.message}")
    return _info_v2(document) if document.get("zarr_format") == 2 else _info_v3(document)


def array_issues(document: Mapping[str, object]) -> Iterator[Issue]:
    """Find what is wrong with an array's document, as such and for anyone who would read its chunks."""
    found = list(document_issues(document))
    yield from found
    if any(issue.severity == "must" for issue in found):
        return
    info = _info_v2(document) if document.get("zarr_format") == 2 else _info_v3(document)
    spot = Spot("", array_rule(document))
    for codec in dict.fromkeys(info.codecs):
        if codec in UNSAFE_CODECS:
            message = (
                f'the codec "{codec}" runs code from the file when a chunk is read; do not open this array'
            )
            yield spot.key("codecs").must(message)
        elif codec not in KNOWN_CODECS:
            yield spot.key("codecs").issue(
                "must", f'the codec "{escaped(codec)}" is not known, so no chunk can be read'
            )
    yield from fill_value_issues(document, info.dtype, spot)
    if info.zarr_format == 3 and not _to_bytes(document["codecs"]):
        message = f'among the codecs {listed(info.codecs)} none turns voxels into bytes, expected "bytes"'
        yield spot.key("codecs").must(message)
    if math.prod(info.shape) > LONGEST_AXIS:
        yield spot.key("shape").issue(
            "must", f"shape {_sides(info.shape)} has more voxels than any computer can count"
        )
    if info.shards and any(outer % inner for outer, inner in zip(info.shards, info.chunks, strict=True)):
        message = f"the chunks {_sides(info.chunks)} do not fill the shards {_sides(info.shards)} evenly"
        yield spot.key("codecs").must(message)
    if math.prod(info.chunks) * info.itemsize > _LARGEST_CHUNK:
        gigabytes = math.prod(info.chunks) * info.itemsize / 1e9
        size = f"{_sides(info.chunks)} is {gigabytes:.3g} GB"
        message = f"one chunk {size}, all of which is read to show a single voxel"
        yield spot.key("chunks").should(message)


def _info_v2(document: Mapping[str, object]) -> ArrayInfo:
    filters = document.get("filters")
    named = [*(filters if isinstance(filters, list) else ()), document.get("compressor")]
    codecs = tuple(str(codec["id"]) for codec in named if isinstance(codec, dict))
    return ArrayInfo(
        shape=as_shape(document["shape"]),
        dtype=numpy_name(str(document["dtype"])) or "",
        chunks=as_shape(document["chunks"]),
        zarr_format=2,
        separator="/" if document.get("dimension_separator") == "/" else ".",
        codecs=codecs,
    )


def _info_v3(document: Mapping[str, object]) -> ArrayInfo:
    outer, inner = as_shape(chunk_shape(document)), shard_chunks(document)
    encoding = document["chunk_key_encoding"]
    default = isinstance(encoding, dict) and encoding["name"] == "default"
    configuration = encoding.get("configuration") if isinstance(encoding, dict) else None
    stated = configuration.get("separator") if isinstance(configuration, dict) else None
    separator: Literal["/", "."] = "/" if (stated or ("/" if default else ".")) == "/" else "."
    names = document.get("dimension_names")
    info = ArrayInfo(
        shape=as_shape(document["shape"]),
        dtype=str(document["data_type"]),
        chunks=outer,
        zarr_format=3,
        dimension_names=tuple(names) if isinstance(names, list) else None,
        separator=separator,
        prefix=f"c{separator}" if default else "",
        codecs=tuple(_codec_names(document["codecs"])),
    )
    return replace(info, chunks=inner, shards=outer) if inner else info


def _codec_names(codecs: object) -> Iterator[str]:
    for codec in codecs if isinstance(codecs, list) else ():
        yield codec if isinstance(codec, str) else str(codec["name"])
        if isinstance(codec, dict) and codec["name"] == "sharding_indexed":
            yield from _codec_names(codec["configuration"].get("codecs"))


def _to_bytes(codecs: object) -> bool:
    """Return True where a codec turns an array into bytes, or any is not known; within shards, too."""
    for codec in codecs if isinstance(codecs, list) else ():
        name = codec if isinstance(codec, str) else str(codec["name"])
        if name == "sharding_indexed":
            inner = codec["configuration"].get("codecs")
            return inner is None or _to_bytes(inner)
        if name in _ARRAY_TO_BYTES or name not in KNOWN_CODECS:
            return True
    return False


def _sides(shape: Shape) -> str:
    return escaped(shape_text(shape))
