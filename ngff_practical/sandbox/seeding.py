"""Filling moto's S3 from folders, in the process itself: no request, no copy over the network."""

from __future__ import annotations

import mimetypes
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.s3.models import S3Backend, s3_backends

from ngff_practical.sandbox.gate import READ_ONLY, SHARED


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


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    for here, _, names in os.walk(folder):
        for name in names:
            path = Path(here, name)
            yield path.relative_to(folder).as_posix(), path
