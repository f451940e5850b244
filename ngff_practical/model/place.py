"""Where something is stored, and what lies there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from ngff_practical.errors import StorageError

_ADDRESS = re.compile(r"[A-Za-z0-9._~:/\[\]%!$&'()*+,;=-]+")


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
        object.__setattr__(self, "endpoint", _checked(self.endpoint))
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


def _checked(endpoint: str) -> str:
    """Return an endpoint without a trailing slash; raises StorageError where no request can go there."""
    scheme, _, rest = endpoint.partition("://")
    if scheme.lower() not in ("http", "https") or not rest.strip("/"):
        raise StorageError(f"endpoint {endpoint!r} is not a URL; it starts with https:// (or http://)")
    if "@" in rest.partition("/")[0]:
        raise StorageError(
            f"the endpoint at {rest.partition('/')[0].rpartition('@')[2]} carries a name or a password; take "
            "them out, credentials come from the environment only"
        )
    try:
        parts = urlsplit(endpoint)
        usable = bool(parts.hostname) and parts.port != 0 and _ADDRESS.fullmatch(rest) is not None
    except ValueError:  # what is no port, or half an IPv6 address
        usable = False
    if not usable:
        raise StorageError(
            f"endpoint {endpoint!r} cannot be an address: write https://host or http://host:9000, with plain "
            "letters and a port below 65536, and without ? or #"
        )
    return f"{scheme.lower()}://{rest.rstrip('/')}"


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
