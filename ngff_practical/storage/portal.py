"""Networks that want a login first: they answer every request with a page of their own."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError

from ngff_practical.errors import NgffPracticalError, StorageError
from ngff_practical.storage.clients import bucket_store

if TYPE_CHECKING:
    from obstore import GetResult

    from ngff_practical.model import Location

_PAGES = (b"<!doctype html", b"<html")
_ASKED_S = 5.0
_LOOKED_AT = 1024


def may_be_page(answer: GetResult, path: str) -> bool:
    """Return True for an answer that S3 hardly gives to this key: a web page, or one without type or ETag."""
    kind = _kind(answer.attributes)
    page = "html" in kind and not path.lower().endswith((".html", ".htm"))
    return page or not kind or answer.meta["e_tag"] is None


def refuse_portal(location: Location) -> None:
    """Raise StorageError where a web page answers in the server's place, as `answers_with_pages` finds out.

    Every other answer, and none, is left to be told by whoever needs it.
    """
    if answers_with_pages(location):
        raise portal_error(location.endpoint)


def answers_with_pages(location: Location) -> bool:
    """Return True where a key that nobody has is answered with a web page, as all others are then."""
    nobodys = f"nobodys-{secrets.token_hex(8)}"
    path = "/".join(part for part in (location.key, nobodys) if part)
    try:
        answer = obstore.get(bucket_store(location, retries=0, timeout_s=_ASKED_S), path)
        return "html" in _kind(answer.attributes) or _looks_like_page(answer)
    except (BaseError, OSError, ValueError, NgffPracticalError):
        return False


def portal_error(endpoint: str) -> StorageError:
    """Return what is said where something on the way answers in the server's place."""
    return StorageError(
        f"{endpoint} is not what answers: every key, even one that nobody has, gets a web page, as from a "
        "network that wants a login first. Open any web page in a browser, log in, and start again; or check "
        "that the address is that of an S3 server"
    )


def _kind(attributes: Mapping[str, str]) -> str:
    return attributes.get("Content-Type", "").lower()


def _looks_like_page(answer: GetResult) -> bool:
    first = next(iter(answer.stream(min_chunk_size=_LOOKED_AT)), b"")
    return bytes(first[:_LOOKED_AT]).lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_PAGES)
