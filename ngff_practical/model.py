"""Frozen values that every part of the package speaks; no I/O, nothing but the standard library."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ngff_practical.errors import StorageError

type Shape = tuple[int, ...]
type Vector = tuple[float, ...]
type Severity = Literal["must", "should", "data"]
type Kind = Literal["image", "label", "labels", "plate", "well", "bioformats2raw", "scene", "none"]
type Version = Literal["0.1", "0.2", "0.3", "0.4", "0.5", "0.6"]


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of an image; `type` is "time", "channel" or "space" where the file says so."""

    name: str
    type: str | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel as `omero` metadata describes it: `color` is six hex digits, without "#"."""

    label: str
    color: str | None = None
    window: tuple[float, float, float, float] | None = None  # min, max, start, end


class StoredGrid:
    """The grid of stored objects that an array's shape, chunks and shards make."""

    __slots__ = ()

    shape: Shape
    chunks: Shape
    shards: Shape | None

    @property
    def object_shape(self) -> Shape:
        """Shape of the region one stored object holds: the shard where there is one, else the chunk."""
        return self.shards or self.chunks

    @property
    def object_grid(self) -> Shape:
        """Number of stored objects along each axis."""
        return tuple(-(-size // step) for size, step in zip(self.shape, self.object_shape, strict=True))

    @property
    def objects(self) -> int:
        """Number of chunk (or shard) objects of the fully written array, metadata not counted."""
        return math.prod(self.object_grid)


@dataclass(frozen=True, slots=True)
class Level(StoredGrid):
    """One resolution of a pyramid; every tuple runs in axis order.

    `scale` and `translation` are physical: the centre of voxel `i` lies at `i * scale + translation`.
    `dtype` is numpy's name ("uint16"). `shards` is None where every chunk is an object of its own.
    """

    path: str
    shape: Shape
    dtype: str
    chunks: Shape
    scale: Vector
    translation: Vector | None = None
    shards: Shape | None = None
    itemsize: int = 1

    @property
    def nbytes(self) -> int:
        """Size of the pixels before compression."""
        return math.prod(self.shape) * self.itemsize


@dataclass(frozen=True, slots=True)
class Pyramid:
    """A multiscale image: the same type for a plan and for an image found on disk or S3.

    `levels[0]` is full resolution. `codec` and `downsampling` say how a plan is to be written and are
    None for an image found, whose files do not state them uniformly.
    """

    name: str
    version: str
    axes: tuple[Axis, ...]
    levels: tuple[Level, ...]
    channels: tuple[Channel, ...] = ()
    labels: tuple[str, ...] = ()
    codec: str | None = None
    downsampling: str | None = None

    @property
    def axis_names(self) -> tuple[str, ...]:
        """Axis names in order, as in ("c", "z", "y", "x")."""
        return tuple(axis.name for axis in self.axes)

    @property
    def shape(self) -> Shape:
        """Shape of the full resolution."""
        return self.levels[0].shape

    @property
    def dtype(self) -> str:
        """Data type of the full resolution."""
        return self.levels[0].dtype

    @property
    def zarr_format(self) -> Literal[2, 3]:
        """Zarr format the version is stored in: 2 up to OME-Zarr 0.4, 3 from 0.5 on."""
        return 2 if self.version.startswith(("0.1", "0.2", "0.3", "0.4")) else 3

    @property
    def objects(self) -> int:
        """Number of objects of the written image, metadata documents included."""
        per_node = 1 if self.zarr_format == 3 else 2  # zarr.json | .zgroup or .zarray, and .zattrs
        return sum(level.objects for level in self.levels) + per_node * (1 + len(self.levels))

    @property
    def nbytes(self) -> int:
        """Size of all levels before compression."""
        return sum(level.nbytes for level in self.levels)


@dataclass(frozen=True, slots=True)
class Plane:
    """Where one (y, x) plane of a stack lives.

    `offset` is set where the plane's pixels lie uncompressed and in one piece in the file, so that rows can
    be read without decoding the page; `sample` is the index into the samples of an RGB page.
    """

    file: int
    page: int
    sample: int | None = None
    offset: int | None = None


@dataclass(frozen=True, slots=True)
class StackSource:
    """A TIFF stack, described but not read.

    `axes`, `shape` and `voxel_size` run in the order t, c, z, y, x (absent axes left out); `planes` lists
    the (y, x) planes in C order over the other axes. `voxel_size` is 1.0 along every axis nobody has
    calibrated, and such an axis has no unit. `byteorder` is that of the pixels in the files, "<" or ">".
    `notes` are sentences about what was assumed, ignored or left out; show them to the person.
    """

    name: str
    axes: tuple[Axis, ...]
    shape: Shape
    dtype: str
    itemsize: int
    voxel_size: Vector
    files: tuple[Path, ...]
    planes: tuple[Plane, ...] = field(repr=False)
    byteorder: Literal["<", ">"] = "<"
    channels: tuple[Channel, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def axis_names(self) -> tuple[str, ...]:
        """Axis names in order, as in ("z", "y", "x")."""
        return tuple(axis.name for axis in self.axes)

    @property
    def plane_shape(self) -> Shape:
        """Shape (y, x) of one plane."""
        return self.shape[-2:]


@dataclass(frozen=True, slots=True)
class Location:
    """A place on S3: endpoint, bucket, key and access. It never holds credentials.

    `endpoint` is a URL without a trailing slash; `key` has no slash at either end ("" is the whole bucket).
    `anonymous` is the access: True sends unsigned requests, False signs them with the environment's keys.
    """

    endpoint: str
    bucket: str
    key: str = ""
    anonymous: bool = False

    def __post_init__(self) -> None:
        if not self.endpoint.startswith(("http://", "https://")):
            raise StorageError(
                f"endpoint {self.endpoint!r} is not a URL; it starts with https:// (or http://)"
            )
        object.__setattr__(self, "endpoint", self.endpoint.rstrip("/"))
        object.__setattr__(self, "key", self.key.strip("/"))

    def __truediv__(self, name: str) -> Location:
        return Location(
            self.endpoint, self.bucket, f"{self.key}/{name}" if self.key else name, self.anonymous
        )

    def __str__(self) -> str:
        return self.url

    @property
    def url(self) -> str:
        """The address a browser would open (path style)."""
        return "/".join(part for part in (self.endpoint, self.bucket, self.key) if part)

    @property
    def name(self) -> str:
        """Last part of the key, or the bucket's name."""
        return self.key.rsplit("/", 1)[-1] or self.bucket


type Place = Path | Location


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object (or file) below a place: `key` is relative to it, with "/" on every system."""

    key: str
    nbytes: int
    etag: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One S3 request, whoever made it: `range` is the Range header's value, `nbytes` the body's size.

    `nbytes` counts what was received for GET and what was sent for PUT; a HEAD has none, and the text of an
    error does not count. `at` is seconds since the epoch when the request began, `ms` how long it took,
    `client` a short name of the library.
    """

    method: str
    key: str
    range: str | None
    status: int
    nbytes: int
    ms: float
    client: str
    at: float


@dataclass(frozen=True, slots=True)
class ChunkAccess:
    """What reading a region touches: chunks, objects, bytes wanted and bytes read (before compression)."""

    level: str
    chunks: int
    objects: int
    bytes_wanted: int
    bytes_read: int

    @property
    def useful(self) -> float:
        """Share of the bytes read that were wanted, 0 to 1."""
        return self.bytes_wanted / self.bytes_read if self.bytes_read else 0.0


@dataclass(frozen=True, slots=True)
class Issue:
    """One finding of the validator.

    `must` breaks a MUST of the specification, `should` a SHOULD or plain sense, `data` means that the bytes
    contradict the metadata. `where` is a path into the metadata ("multiscales[0].axes[2].unit"), `rule` the
    version and section it comes from.
    """

    severity: Severity
    where: str
    message: str
    rule: str

    def __str__(self) -> str:
        return f"{self.severity}: {self.where}: {self.message} ({self.rule})"


@dataclass(frozen=True, slots=True)
class Description:
    """What is stored at a place, from its metadata alone.

    For an image that cannot be put together (a level is missing, say) `image` is None and `problem` says why;
    `axes` and `paths`, those of its levels, are there as far as they are readable.
    """

    location: str
    kind: Kind
    version: str | None
    image: Pyramid | None = None
    labels: tuple[str, ...] = ()
    wells: tuple[str, ...] = ()
    images: tuple[str, ...] = ()  # series of a bioformats2raw collection, fields of a well
    rows: tuple[str, ...] = ()  # of a plate
    columns: tuple[str, ...] = ()
    axes: tuple[Axis, ...] = ()  # of an image
    paths: tuple[str, ...] = ()
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class ValidationReport:
    """Every issue found at a place; valid means that no `must` and no `data` issue is among them.

    `notes` are sentences about what was not looked at, such as chunks that a server does not list.
    """

    location: str
    kind: Kind
    version: str | None
    issues: tuple[Issue, ...]
    notes: tuple[str, ...] = ()

    @property
    def valid(self) -> bool:
        """True where no `must` and no `data` issue was found."""
        return not any(issue.severity in ("must", "data") for issue in self.issues)


@dataclass(frozen=True, slots=True)
class ConversionReport:
    """What a conversion wrote: objects and bytes as counted in the destination afterwards."""

    source: StackSource
    destination: str
    pyramid: Pyramid
    level_bytes: tuple[int, ...]
    objects: int
    nbytes: int
    peak_memory_bytes: int
    seconds: float


@dataclass(frozen=True, slots=True)
class ManifestEntry:
    """One object of a transfer: its key below the image, its size and the SHA-256 of its bytes."""

    key: str
    nbytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """Every object of an image with its checksum; `name` is the image's own name."""

    name: str
    entries: tuple[ManifestEntry, ...]

    @property
    def nbytes(self) -> int:
        """Size of all objects together."""
        return sum(entry.nbytes for entry in self.entries)


@dataclass(frozen=True, slots=True)
class Problem:
    """One object that is not as it should be: `missing`, `changed` or `extra`."""

    kind: Literal["missing", "changed", "extra"]
    key: str
    message: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.message}"


@dataclass(frozen=True, slots=True)
class TransferReport:
    """What a transfer did, or with `dry_run` would do."""

    source: str
    destination: str
    manifest: Manifest = field(repr=False)
    copied: int
    skipped: int
    verified: int
    problems: tuple[Problem, ...]
    seconds: float
    dry_run: bool = False

    @property
    def objects(self) -> int:
        """Number of objects of the image."""
        return len(self.manifest.entries)

    @property
    def nbytes(self) -> int:
        """Size of all objects of the image."""
        return self.manifest.nbytes


def axis_type(name: str) -> str | None:
    """Return the type OME-Zarr gives an axis of this name, None for names it has no type for."""
    return {"t": "time", "c": "channel", "z": "space", "y": "space", "x": "space"}.get(name)


def spatial(axes: Sequence[Axis]) -> tuple[int, ...]:
    """Return the indices of the axes of type space."""
    return tuple(index for index, axis in enumerate(axes) if axis.type == "space")
