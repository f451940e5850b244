"""What was asked of S3, and what reading a region touches."""

from __future__ import annotations

from dataclasses import dataclass


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
    """What reading a region touches: chunks, objects, bytes wanted and bytes read (before compression).

    `requests` is the number that zarr makes at best: one for an object that is a chunk; two for a shard, its
    index and then the chunks in one piece.
    """

    level: str
    chunks: int
    objects: int
    bytes_wanted: int
    bytes_read: int
    requests: int

    @property
    def useful(self) -> float:
        """Share of the bytes read that were wanted, 0 to 1."""
        return self.bytes_wanted / self.bytes_read if self.bytes_read else 0.0
