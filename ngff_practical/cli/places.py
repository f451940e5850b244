"""Turn what a person types into a place: a folder, or a Location with an endpoint."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ngff_practical.cli.output import say
from ngff_practical.errors import StorageError
from ngff_practical.model import Location, Place
from ngff_practical.storage import parse_place

if TYPE_CHECKING:
    from ngff_practical.sandbox import Sandbox


def resolve(url: str, endpoint: str | None, anonymous: bool) -> Place:
    """Return the place a URL or path names.

    Where neither `--endpoint` nor AWS_ENDPOINT_URL says which server s3:// means, it is the running
    sandbox, and that is said. Requests to the sandbox are signed with the sandbox's own keys.
    """
    server = _sandbox() if url.startswith(("s3://", "http://")) else None
    stated = endpoint or os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if server and url.startswith("s3://") and not stated:
        say(f"no endpoint given: using the sandbox at {server.endpoint}")
        endpoint = server.endpoint
    place = parse_place(url, endpoint=endpoint, anonymous=anonymous or None)
    if server and isinstance(place, Location) and place.endpoint == server.endpoint:
        server.use()
    return place


def resolve_source(url: str, endpoint: str | None, anonymous: bool) -> Place:
    """Return the place to read from, for a command whose `--endpoint` is meant for s3:// addresses alone.

    An https:// address carries its own server, so that a stack can come from another one than the image
    goes to.
    """
    return resolve(url, endpoint if url.startswith("s3://") else None, anonymous)


def resolve_destination(url: str, endpoint: str | None) -> Place:
    """Return the place to write to; requests are signed, as no bucket takes unsigned ones."""
    place = resolve(url, endpoint if url.startswith("s3://") else None, anonymous=False)
    return replace(place, anonymous=False) if isinstance(place, Location) else place


def resolve_location(url: str, endpoint: str | None, anonymous: bool) -> Location:
    """Return the place on S3 a URL names.

    Raises
    ------
    StorageError
        It names a local folder.
    """
    return _on_s3(url, resolve(url, endpoint, anonymous))


def resolve_upload(url: str, endpoint: str | None) -> Location:
    """Return the place on S3 to send to, signed; raises StorageError where it is a local folder."""
    return _on_s3(url, resolve_destination(url, endpoint))


def _sandbox() -> Sandbox | None:
    from ngff_practical.sandbox import running  # local files need not wait for it

    return running()


def _on_s3(url: str, place: Place) -> Location:
    if isinstance(place, Path):
        raise StorageError(f"{url} is a local path; write s3://bucket/key or https://host/bucket/key")
    return place
