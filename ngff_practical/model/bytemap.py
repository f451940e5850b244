"""Where the bytes of a stored array lie: the same value for one file and for many objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

type Holds = Literal["pixels", "index", "metadata", "other"]


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of bytes in one file or object, and what it holds.

    `key` is the file's name, relative to what was looked at ("" where that is a single file). `label` says
    which page or chunk it is: "plane 10", "chunk 0/1/2".
    """

    key: str
    start: int
    nbytes: int
    holds: Holds
    label: str

    @property
    def end(self) -> int:
        """First byte behind the segment."""
        return self.start + self.nbytes


@dataclass(frozen=True, slots=True)
class ByteMap:
    """Every byte of a stored array, in order within each file: segments touch and leave nothing out."""

    name: str
    format: str
    segments: tuple[Segment, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """The files or objects, in order."""
        return tuple(dict.fromkeys(segment.key for segment in self.segments))

    @property
    def nbytes(self) -> int:
        """Size of all files together."""
        return sum(segment.nbytes for segment in self.segments)

    def holding(self, holds: Holds) -> tuple[Segment, ...]:
        """Return the segments of one kind."""
        return tuple(segment for segment in self.segments if segment.holds == holds)
