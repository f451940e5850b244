"""Filling moto's S3 from folders, in the process itself: no request, no copy over the network."""

from __future__ import annotations

import mimetypes
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.s3.models import S3Backend, s3_backends

from ngff_practical.sandbox.gate import READ_ONLY, SHARED

_INVERTED = bytes(range(255, -1, -1))


def backend() -> S3Backend:
    """Return the S3 that the server of this process answers from."""
    return s3_backends[DEFAULT_ACCOUNT_ID]["aws"]


def bucket_exists(name: str) -> bool:
    """Return True where the bucket exists."""
    return name in backend().buckets


def fill(seed: Mapping[str, str]) -> None:
    """Make the course's buckets and put every file of each folder under its "bucket/key"."""
    s3 = backend()
    for name in dict.fromkeys([READ_ONLY, SHARED, *(target.partition("/")[0] for target in seed)]):
        s3.create_bucket(name, "us-east-1")
    for target, folder in seed.items():
        bucket, _, prefix = target.partition("/")
        for key, path in _files(Path(folder)):
            stored = s3.put_object(
                bucket, f"{prefix}/{key}" if prefix else key, path.read_bytes(), disable_notification=True
            )
            kind = mimetypes.guess_type(path.name)[0]
            if kind is not None:
                stored.set_metadata({"Content-Type": kind})


def replace_object(bucket: str, key: str) -> None:
    """Put other bytes of the same size in an object's place; nothing happens where there is none."""
    found = backend().buckets[bucket].keys.get(key) if bucket_exists(bucket) else None
    if found is not None:
        backend().put_object(bucket, key, found.value.translate(_INVERTED), disable_notification=True)


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    for here, _, names in os.walk(folder):
        for name in names:
            path = Path(here, name)
            yield path.relative_to(folder).as_posix(), path
