"""Keys that obstore cannot say ("a//b", "a/", "a/./b"), through botocore: slower, and every key S3 allows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, TypedDict

from ngff_practical.model import Location, StoredObject
from ngff_practical.storage.clients import exact_client
from ngff_practical.storage.credentials import region, require_keys
from ngff_practical.storage.etags import plain_etag
from ngff_practical.storage.explain import Doing, explain
from ngff_practical.storage.patience import Patience

if TYPE_CHECKING:
    from botocore.client import BaseClient

_CHECKSUMS = ("SHA256", "SHA1", "CRC32", "CRC32C", "CRC64NVME")
_ODD = re.compile(r"(?:^|/)\.{0,2}(?:/|$)|[\x00-\x1f\x7f]")


class _Page(TypedDict, total=False):
    """What of a page of a list is looked at."""

    Contents: list[dict[str, str]]
    CommonPrefixes: list[dict[str, str]]
    IsTruncated: bool
    NextContinuationToken: str


@dataclass(frozen=True, slots=True)
class Promise:
    """What a server says of an object's bytes.

    `checksums` are those of the whole object, by algorithm and in base64. `own_etag` is True where the
    object is encrypted so that its ETag is no MD5.
    """

    checksums: dict[str, str]
    own_etag: bool = False


def is_odd(key: str) -> bool:
    """Return True for keys with an empty part, "." or ".." as a part, or a control character."""
    return _ODD.search(key) is not None


def list_below(place: Location, *, patience: Patience | None = None) -> tuple[StoredObject, ...]:
    """Return everything below the location's key, folder markers ("a/") left out, sorted by key."""
    prefix = f"{place.key}/" if place.key else ""

    def attempt() -> dict[str, StoredObject]:
        return {found.key: found for found in _below(_pages(client, place, prefix), prefix)}

    with botocore_client(place, doing="list", patience=patience) as client:
        found = patience.run(attempt, failures()) if patience else attempt()
    return tuple(sorted(found.values(), key=attrgetter("key")))


def list_here(place: Location) -> tuple[tuple[str, ...], tuple[StoredObject, ...]]:
    """Return folder names and objects directly below the location's key."""
    prefix = f"{place.key}/" if place.key else ""
    folders: set[str] = set()
    objects: dict[str, StoredObject] = {}
    with botocore_client(place, doing="list") as client:
        for page in _pages(client, place, prefix, Delimiter="/"):
            folders.update(item["Prefix"][len(prefix) : -1] for item in page.get("CommonPrefixes", ()))
            objects.update((found.key, found) for found in _below([page], prefix))
    return tuple(sorted(folders)), tuple(sorted(objects.values(), key=attrgetter("key")))


def _below(pages: Iterable[_Page], prefix: str) -> Iterator[StoredObject]:
    for page in pages:
        for item in page.get("Contents", ()):
            if item["Key"].startswith(prefix) and not item["Key"].endswith("/"):
                yield stored(item, prefix)


def _pages(client: BaseClient, place: Location, prefix: str, **more: str) -> Iterator[_Page]:
    """Yield the pages of a list.

    Where there are more and the server says not how to go on, or says the same again, it knows only the
    first version of lists; they begin anew in that.
    """
    asked = {"Bucket": place.bucket, "Prefix": prefix, **more}
    token, before = "", None
    while True:
        page = client.list_objects_v2(**asked, **({"ContinuationToken": token} if token else {}))
        yield page
        if not page.get("IsTruncated"):
            return
        known, token = token, page.get("NextContinuationToken", "")
        if token in ("", known) or (before and page.get("Contents") == before):
            break
        before = page.get("Contents")
    yield from client.get_paginator("list_objects").paginate(**asked)


def read(place: Location, path: str, *, limit: int | None = None) -> bytes:
    """Return the bytes of the object with this key in the location's bucket, at most `limit` + 1 of them."""
    with botocore_client(place, path) as client:
        body = client.get_object(Bucket=place.bucket, Key=path)["Body"]
        data: bytes = body.read(None if limit is None else limit + 1)
        body.close()  # what was not read is not wanted
    return data


def head(place: Location, path: str) -> None:
    """Ask for the object with this key; returns where it is there."""
    with botocore_client(place, path) as client:
        client.head_object(Bucket=place.bucket, Key=path)


def promise(place: Location, path: str, *, patience: Patience) -> Promise:
    """Return what the server says of an object besides its size and ETag."""
    with botocore_client(place, path, patience=patience) as client:
        answer = patience.run(
            lambda: client.head_object(Bucket=place.bucket, Key=path, ChecksumMode="ENABLED"), failures()
        )
    found = {name: answer.get(f"Checksum{name}") for name in _CHECKSUMS}
    whole = answer.get("ChecksumType", "FULL_OBJECT") == "FULL_OBJECT"
    return Promise(
        {name: value for name, value in found.items() if value and whole and "-" not in value},
        own_etag="SSECustomerAlgorithm" in answer
        or str(answer.get("ServerSideEncryption", "")).startswith("aws:kms"),
    )


def write(place: Location, path: str, data: bytes, *, overwrite: bool) -> None:
    """Store an object under this key."""
    guard = {} if overwrite else {"IfNoneMatch": "*"}
    with botocore_client(place, path, doing="write") as client:
        client.put_object(Bucket=place.bucket, Key=path, Body=data, **guard)


def delete(place: Location, path: str, *, patience: Patience | None = None) -> None:
    """Delete the object with this key."""

    def attempt() -> None:
        client.delete_object(Bucket=place.bucket, Key=path)

    with botocore_client(place, path, doing="delete", patience=patience) as client:
        if patience:
            patience.run(attempt, failures())
        else:
            attempt()


def failures() -> tuple[type[Exception], ...]:
    """Return what botocore raises; importing it takes a while, and most never need it."""
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    return BotoCoreError, ClientError, ResponseParserError


def _anything() -> tuple[type[Exception], ...]:
    return *failures(), RecursionError  # it follows a redirect to the same address for as long as it can


@contextmanager
def botocore_client(
    place: Location, path: str = "", *, doing: Doing = "read", patience: Patience | None = None
) -> Iterator[BaseClient]:
    """Give a client whose errors, raised inside the block, become ours and name the key.

    Where there is a `patience`, repeating is left to it.
    """
    who = "" if place.anonymous else require_keys().fingerprint
    try:
        yield _cached_client(place.endpoint, place.anonymous, region(), who, 0 if patience else 1)
    except _anything() as error:
        whole_bucket = Location(place.endpoint, place.bucket, anonymous=place.anonymous)
        raise explain(error, whole_bucket if path else place, path, doing=doing) from None


@lru_cache(maxsize=16)
def _cached_client(endpoint: str, anonymous: bool, region: str, who: str, retries: int) -> BaseClient:
    return exact_client(Location(endpoint, "any", anonymous=anonymous), retries=retries)


def stored(item: Mapping[str, str | int], prefix: str) -> StoredObject:
    """Return an object as a listing of botocore's names it; its key is relative to the prefix."""
    name = str(item["Key"])[len(prefix) :]
    return StoredObject(name, int(item["Size"]), plain_etag(str(item.get("ETag", ""))))
