"""Who may do what: bucket `idr` is there to read, `practical` is public and written with the keys."""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from ngff_practical.sandbox.signature import Refusal, check, is_signed
from ngff_practical.sandbox.wire import Arrived

READ_ONLY = "idr"
SHARED = "practical"

_READING = ("GET", "HEAD", "OPTIONS")
_DENIED = Refusal(403, "AccessDenied", "Access Denied")


class Gate:
    """Decides on each request before S3 sees it.

    `keys` maps the access key ids this sandbox gave out to their secrets, `bucket_exists` asks S3.
    """

    def __init__(self, keys: Mapping[str, str], bucket_exists: Callable[[str], bool]) -> None:
        self._keys = keys
        self._bucket_exists = bucket_exists

    def refuse(self, request: Arrived) -> Refusal | None:
        """Return why a request may not pass, None where it may."""
        signed = is_signed(request.signed)
        if signed:
            wrong = check(request.signed, self._keys, datetime.now(UTC))
            if wrong is not None:
                return wrong
        if not request.bucket:  # the list of buckets
            return None if signed else _DENIED
        creating = request.method == "PUT" and not request.key
        if not creating and not self._bucket_exists(request.bucket):
            return Refusal(404, "NoSuchBucket", "The specified bucket does not exist")
        if request.method in _READING:
            return None if signed or request.bucket in (READ_ONLY, SHARED) else _DENIED
        removing_bucket = request.method == "DELETE" and not request.key
        if not signed or request.bucket == READ_ONLY or (removing_bucket and request.bucket == SHARED):
            return _DENIED
        return None


def refuse_body(request: Arrived, body: bytes) -> Refusal | None:
    """Return why a body is not what its headers promise; None where all that can be checked agrees."""
    promised = request.headers.get("x-amz-content-sha256", "")
    if len(promised) == 64 and hashlib.sha256(body).hexdigest() != promised.lower():
        return Refusal(
            400,
            "XAmzContentSHA256Mismatch",
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
        )
    if promised.startswith("STREAMING-"):
        return None  # the body is in signed pieces, its checksum at the end
    for header, digest in _DIGESTS.items():
        given = request.headers.get(header)
        if given is not None and given.strip() != base64.b64encode(digest(body)).decode():
            return Refusal(400, "BadDigest", f"The {header} you specified did not match what we received.")
    return None


_DIGESTS: dict[str, Callable[[bytes], bytes]] = {
    "content-md5": lambda body: hashlib.md5(body, usedforsecurity=False).digest(),
    "x-amz-checksum-crc32": lambda body: zlib.crc32(body).to_bytes(4, "big"),
    "x-amz-checksum-sha1": lambda body: hashlib.sha1(body, usedforsecurity=False).digest(),
    "x-amz-checksum-sha256": lambda body: hashlib.sha256(body).digest(),
}
