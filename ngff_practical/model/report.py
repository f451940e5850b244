"""What inspecting, converting and transferring found out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ngff_practical.model.image import Axis, Pyramid
from ngff_practical.model.stack import StackSource

type Severity = Literal["must", "should", "data"]
type Kind = Literal["image", "label", "labels", "plate", "well", "bioformats2raw", "scene", "none"]
type Version = Literal["0.1", "0.2", "0.3", "0.4", "0.5", "0.6"]


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

    @property
    def rank(self) -> int:
        """Place in a list for people, the gravest first: 0 for `must`, 1 for `data`, 2 for `should`."""
        return ("must", "data", "should").index(self.severity)

    def __str__(self) -> str:
        return f"{self.severity}: {self.where}: {self.message} ({self.rule})"


class Issues(tuple[Issue, ...]):
    """Findings, in the order in which they were made; a table in a notebook, and a tuple everywhere."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        from ngff_practical.model.html import issues_html

        return issues_html(self)


@dataclass(frozen=True, slots=True)
class Description:
    """What is stored at a place, from its metadata alone.

    For an image that cannot be put together (a level is missing, say) `image` is None and `problem` says why;
    `axes` and `paths`, those of its levels, are there as far as they are readable. `document` is the JSON
    text of its own metadata, "" where that is too long to be shown.
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
    document: str = field(default="", repr=False, compare=False)

    def _repr_html_(self) -> str:
        from ngff_practical.model.html import description_html

        return description_html(self)


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

    def _repr_html_(self) -> str:
        from ngff_practical.model.html import report_html

        return report_html(self)

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
