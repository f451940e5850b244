"""Where something is stored, and what lies there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ngff_practical.errors import StorageError


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


def check_location(place: object) -> None:
    """Refuse text and folders where a place on S3 is needed."""
    if not isinstance(place, Location):
        raise StorageError(
            f"{str(place)!r} is no place on S3; give a Location, as in "
            'Location(endpoint, "bucket", "ada/embryo.ome.zarr")'
        )


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object (or file) below a place: `key` is relative to it, with "/" on every system."""

    key: str
    nbytes: int
    etag: str | None = None
