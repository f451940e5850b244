"""From what a person types to a place: a local path, or endpoint, bucket, key and access."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ngff_practical.errors import StorageError
from ngff_practical.model import Location, Place

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
_ENDPOINT_VARIABLES = (
    "AWS_ENDPOINT_URL_S3",
    "AWS_ENDPOINT_URL",
)  # the more specific one first, as AWS has it


def parse_place(text: str | Path, *, endpoint: str | None = None, anonymous: bool | None = None) -> Place:
    """Return the place that `text` names.

    A local path (or file://) gives a Path. `s3://bucket/key` carries no endpoint: it is taken from
    `endpoint`, else from AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL, and its key is taken literally.
    `https://host/bucket/key` carries its own, path style, and is percent-decoded. Unless `anonymous` says
    so, https:// URLs are read unsigned and s3:// URLs with the environment's keys. Nothing is contacted.

    Raises
    ------
    StorageError
        The text names no place, or an s3:// URL has no endpoint.
    """
    if isinstance(text, Path):
        return text
    scheme = _SCHEME.match(text)
    if scheme is None:
        if not text.strip():
            raise StorageError(
                "the address is empty; give a folder, s3://bucket/key or https://host/bucket/key"
            )
        try:
            return Path(text).expanduser()
        except RuntimeError:  # nobody has that name: it is a file's
            return Path(text)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise StorageError(f"{text!r} is not valid Unicode, as an address has to be; rename it") from None
    match scheme.group(1).lower():
        case "file":
            return _local(text)
        case "s3":
            return _s3(text, endpoint, anonymous=bool(anonymous))
        case "http" | "https":
            return _web(text, endpoint, anonymous=anonymous is not False)
        case other:
            raise StorageError(
                f"{other}:// addresses are not supported; give a folder, s3://bucket/key or https://host/bucket/key"
            )


def _local(text: str) -> Path:
    parts = urlsplit(text)
    if parts.netloc not in ("", "localhost"):
        raise StorageError(
            f"{text} names a file on the machine {parts.netloc!r}; write file:///folder for this one"
        )
    from urllib.request import url2pathname  # brings http and ssl, which nothing else here needs

    return Path(url2pathname(parts.path))


def _s3(text: str, endpoint: str | None, *, anonymous: bool) -> Location:
    bucket, _, key = text.split("://", 1)[1].partition("/")
    if not bucket:
        raise StorageError(f"{text} names no bucket; write s3://bucket/key")
    if endpoint is None:
        endpoint = next((os.environ[name] for name in _ENDPOINT_VARIABLES if os.environ.get(name)), None)
    if endpoint is None:
        raise StorageError(
            f"{text} does not say which server holds the bucket {bucket!r}; give the endpoint "
            "(--endpoint URL, or the environment variable AWS_ENDPOINT_URL), "
            "or start the practice server with `ngff-practical sandbox start`"
        )
    return Location(endpoint, bucket, key, anonymous)


def _web(text: str, endpoint: str | None, *, anonymous: bool) -> Location:
    parts = urlsplit(text)
    if parts.username is not None or parts.password is not None:
        raise StorageError(
            f"the address of {parts.hostname} carries a name or a password; take them out, "
            "credentials come from the environment only"
        )
    if parts.query or parts.fragment:
        raise StorageError(
            f"{text.split('?')[0].split('#')[0]} is followed by a query; give the address alone "
            '(a "?" or "#" that belongs to the key is written %3F or %23)'
        )
    if not parts.hostname:
        raise StorageError(f"{text} names no server; write https://host/bucket/key")
    root = f"{parts.scheme.lower()}://{parts.netloc}"
    path = parts.path
    if endpoint is not None:
        given = endpoint.rstrip("/")
        if not (text.rstrip("/") + "/").startswith(given + "/"):
            raise StorageError(
                f"{text} is not on the endpoint {given}; give s3://bucket/key, or leave the endpoint out"
            )
        root, path = given, text[len(given) :]
    bucket, _, key = path.lstrip("/").partition("/")
    if not bucket:
        raise StorageError(f"{text} names no bucket; write {root}/bucket/key")
    return Location(root, unquote(bucket), unquote(key), anonymous)
