"""Who may do what: bucket `idr` is there to read, `practical` is public and written with the keys."""

from __future__ import annotations

import base64
import hashlib
import re
import zlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from html import unescape

from ngff_practical.sandbox.signature import Refusal, check, is_signed, signer
from ngff_practical.sandbox.wire import Arrived, unchunked

READ_ONLY = "idr"
SHARED = "practical"

_TO_DELETE = re.compile(rb"<Key>(.*?)</Key>", re.DOTALL)
_READING = ("GET", "HEAD", "OPTIONS")
_DENIED = Refusal(403, "AccessDenied", "Access Denied")


class Gate:
    """Decides on each request before S3 sees it.

    `keys` maps the access key ids this sandbox gave out to their secrets, `bucket_exists` asks S3. The keys
    of a learner, which `admit` adds, write below practical/<learner>/ and nowhere else.
    """

    def __init__(self, keys: Mapping[str, str], bucket_exists: Callable[[str], bool]) -> None:
        self._keys = dict(keys)
        self._bucket_exists = bucket_exists
        self._learners: dict[str, str] = {}  # access key id -> name

    def admit(self, learner: str, access_key_id: str, secret_access_key: str) -> tuple[str, str]:
        """Return the keys of a learner: these, or those given out before under the same name."""
        for known, name in self._learners.items():
            if name == learner:
                return known, self._keys[known]
        self._learners[access_key_id] = learner
        self._keys[access_key_id] = secret_access_key
        return access_key_id, secret_access_key

    def refuse(self, request: Arrived, body: bytes = b"") -> Refusal | None:
        """Return why a request may not pass, None where it may; `body` names what is to be deleted."""
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
        learner = self._learners.get(signer(request.signed) or "")
        return _DENIED if learner is not None and not _only_below(learner, request, body) else None


def _only_below(learner: str, request: Arrived, body: bytes) -> bool:
    """Return True where all that a request changes lies below the learner's prefix."""
    if request.bucket != SHARED:
        return False
    keys = [request.key]
    if request.method == "POST" and not request.key:  # DeleteObjects
        keys = [unescape(key.decode("utf-8", "replace")) for key in _TO_DELETE.findall(body)]
    return bool(keys) and all(key.startswith(f"{learner}/") for key in keys)


def refuse_body(request: Arrived, body: bytes) -> Refusal | None:
    """Return why a body is not what its headers promise; None where all that can be checked agrees."""
    promised = request.headers.get("x-amz-content-sha256", "")
    if len(promised) == 64 and hashlib.sha256(body).hexdigest() != promised.lower():
        return Refusal(
            400,
            "XAmzContentSHA256Mismatch",
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
        )
    given = request.headers
    if promised.startswith("STREAMING-"):  # the body is in pieces, its checksum may be behind them
        try:
            body, trailer = unchunked(body)
        except ValueError:
            return Refusal(400, "IncompleteBody", "The request body terminated unexpectedly.")
        given = {**given, **trailer}
    if "uploadId" in request.query and request.method == "POST":
        return None  # the checksum is that of the object, the body a list of its parts
    for header, digest in _DIGESTS.items():
        stated = given.get(header)
        if stated is not None and stated.strip() != base64.b64encode(digest(body)).decode():
            return Refusal(400, "BadDigest", f"The {header} you specified did not match what we received.")
    return None


def _crc32c(body: bytes) -> bytes:
    from ngff_practical.transfer.crc import crc32c

    return crc32c([body]).to_bytes(4, "big")


def _crc64nvme(body: bytes) -> bytes:
    from ngff_practical.transfer.crc import crc64nvme

    return crc64nvme([body]).to_bytes(8, "big")


_DIGESTS: dict[str, Callable[[bytes], bytes]] = {
    "content-md5": lambda body: hashlib.md5(body, usedforsecurity=False).digest(),
    "x-amz-checksum-crc32": lambda body: zlib.crc32(body).to_bytes(4, "big"),
    "x-amz-checksum-crc32c": _crc32c,
    "x-amz-checksum-crc64nvme": _crc64nvme,
    "x-amz-checksum-sha1": lambda body: hashlib.sha1(body, usedforsecurity=False).digest(),
    "x-amz-checksum-sha256": lambda body: hashlib.sha256(body).digest(),
}
