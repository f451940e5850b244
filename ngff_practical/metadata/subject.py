"""What the rules look at: one group's metadata, taken apart as far as it is readable."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from ngff_practical.metadata.arrays import ArrayInfo
from ngff_practical.metadata.reading import Multiscale, multiscales_of
from ngff_practical.metadata.shapes import rule_name
from ngff_practical.metadata.structure import Spot
from ngff_practical.metadata.versions import is_draft, metadata_of, version_of
from ngff_practical.model import Issue, Kind, Version, zarr_format_of


@dataclass(frozen=True)
class Subject:
    """One group and the version its metadata is judged by.

    `arrays` holds the levels that were found, by path; rules about arrays pass over those that are not in it.
    `zarr_format` is None where only a document is judged, not a stored group. `faults` are the places where a
    MUST is broken, as far as is known: what is built on them is not judged, so that each is said once.
    """

    kind: Kind
    version: Version
    attributes: Mapping[str, object]
    arrays: Mapping[str, ArrayInfo] = field(default_factory=dict)
    zarr_format: Literal[2, 3] | None = None
    faults: frozenset[str] = frozenset()

    @cached_property
    def metadata(self) -> dict[str, object]:
        """The OME-Zarr metadata among the attributes."""
        return metadata_of(self.attributes)

    @cached_property
    def multiscales(self) -> tuple[Multiscale, ...]:
        """The readable images among the metadata."""
        return multiscales_of(self.attributes, self.version)

    @property
    def modern(self) -> bool:
        """True from 0.5 on: Zarr v3, and everything below the key "ome"."""
        return self.expected_format == 3

    @property
    def expected_format(self) -> Literal[2, 3]:
        """The Zarr format that the version is stored in."""
        return zarr_format_of(self.version)

    @property
    def calibrated(self) -> bool:
        """True from 0.4 on: axes have types and units, levels have scales."""
        return self.version in ("0.4", "0.5", "0.6")

    @property
    def draft(self) -> bool:
        """True for a development version of the specification ("0.6.dev3"), not for a release candidate."""
        stated = version_of(self.attributes) or ""
        return is_draft(stated) and "dev" in stated

    def spot(self, part: str, where: str) -> Spot:
        """Return a place in the metadata and the section of the specification that rules it."""
        return Spot(where, rule_name(self.version, part))

    def axes_at(self, image: Multiscale) -> str:
        """Return where the axes of an image stand in its metadata."""
        return f"{image.where}.{'coordinateSystems' if self.version == '0.6' else 'axes'}"

    def faulty(self, where: str) -> bool:
        """Return True where a MUST is broken at a place, or below it."""
        return any(fault == where or fault.startswith((f"{where}.", f"{where}[")) for fault in self.faults)

    def levels(self, image: Multiscale) -> Iterator[tuple[str, ArrayInfo]]:
        """Yield the levels of an image whose arrays were found: where each is named, and the array."""
        for dataset in image.datasets:
            array = self.arrays.get((dataset.path or "").rstrip("/"))
            if array is not None:
                yield dataset.where, array


type Rule = Callable[[Subject], Iterator[Issue]]
