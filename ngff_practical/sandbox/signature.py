"""Whether a request was signed with keys that this sandbox gave out (AWS Signature Version 4)."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from urllib.parse import parse_qsl, quote, unquote_to_bytes

_ALGORITHM = "AWS4-HMAC-SHA256"
_SKEW = timedelta(minutes=15)  # as on AWS
_LONGEST = timedelta(days=7)  # of a presigned address


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not answered: status, S3's code for it and a sentence."""

    status: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Signed:
    """A request as its signature covers it; `target` is as sent, `headers` have lower-case names."""

    method: str
    target: str
    headers: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Claim:
    access_key_id: str
    scope: tuple[str, str, str, str]  # date, region, service, "aws4_request"
    signed_headers: tuple[str, ...]
    signature: str = field(repr=False)
    at: str
    valid_s: int | None = None  # set for a presigned address


_UNREADABLE = Refusal(
    400, "AuthorizationHeaderMalformed", "The authorization header that you provided is not valid."
)
_OLD = Refusal(
    400,
    "InvalidRequest",
    "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
)


def is_signed(request: Signed) -> bool:
    """Return True where the request claims to come from somebody."""
    return "authorization" in request.headers or bool(
        re.search(r"[?&](X-Amz-(Algorithm|Signature)|AWSAccessKeyId)=", request.target, re.IGNORECASE)
    )


def signer(request: Signed) -> str | None:
    """Return the access key id a request claims to be signed with, whether or not that is true."""
    claim = _claim(request)
    return claim.access_key_id if isinstance(claim, _Claim) else None


def check(request: Signed, keys: Mapping[str, str], now: datetime) -> Refusal | None:
    """Return why a signed request is not to be believed, None where its signature is right.

    `keys` maps access key ids to secrets.
    """
    claim = _claim(request)
    if isinstance(claim, Refusal):
        return claim
    secret = keys.get(claim.access_key_id)
    if secret is None:
        return Refusal(
            403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."
        )
    late = _time_refusal(claim, now)
    if late is not None:
        return late
    string_to_sign = "\n".join(
        (_ALGORITHM, claim.at, "/".join(claim.scope), _sha256(_canonical(request, claim)))
    )
    key = _signing_key(secret, *claim.scope)
    right = hmac.new(key, string_to_sign.encode(), hashlib.sha256).hexdigest()
    if hmac.compare_digest(right, claim.signature):
        return None
    return Refusal(
        403,
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided. "
        "Check your key and signing method.",
    )


def _claim(request: Signed) -> _Claim | Refusal:
    header = request.headers.get("authorization")
    if header is not None:
        scheme, _, rest = header.partition(" ")
        if scheme != _ALGORITHM:
            return _OLD
        fields = dict(part.strip().partition("=")[::2] for part in rest.split(","))
        at = request.headers.get("x-amz-date", "")
    else:
        query = dict(parse_qsl(request.target.partition("?")[2], keep_blank_values=True))
        if query.get("X-Amz-Algorithm") != _ALGORITHM:
            return _OLD
        fields = {
            name: query.get(f"X-Amz-{name}", "") for name in ("Credential", "SignedHeaders", "Signature")
        }
        at = query.get("X-Amz-Date", "")
    credential = fields.get("Credential", "").rsplit("/", 4)
    if len(credential) != 5 or not fields.get("Signature") or not re.fullmatch(r"\d{8}T\d{6}Z", at):
        return _UNREADABLE
    valid_s = None
    if header is None:
        if not re.fullmatch(r"\d{1,7}", query.get("X-Amz-Expires", "")):
            return _UNREADABLE
        valid_s = int(query["X-Amz-Expires"])
    access, date, region, service, end = credential
    signed_headers = tuple(fields.get("SignedHeaders", "").split(";"))
    return _Claim(access, (date, region, service, end), signed_headers, fields["Signature"], at, valid_s)


def _time_refusal(claim: _Claim, now: datetime) -> Refusal | None:
    try:
        signed_at = datetime.strptime(claim.at, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return _UNREADABLE
    if claim.valid_s is None:
        if abs(now - signed_at) > _SKEW:
            return Refusal(
                403,
                "RequestTimeTooSkewed",
                "The difference between the request time and the current time is too large.",
            )
    elif now > signed_at + min(timedelta(seconds=claim.valid_s), _LONGEST):
        return Refusal(403, "AccessDenied", "Request has expired")
    return None


def _canonical(request: Signed, claim: _Claim) -> str:
    path, _, query = request.target.partition("?")
    pairs = [part.partition("=") for part in query.split("&") if part]
    names = sorted(  # a blank may be sent as "+", and is signed as %20
        (_encode(name.replace("+", "%20")), _encode(value.replace("+", "%20")))
        for name, _, value in pairs
        if name != "X-Amz-Signature"
    )
    headers = "".join(
        f"{name}:{' '.join(request.headers.get(name, '').split())}\n" for name in claim.signed_headers
    )
    payload = (
        "UNSIGNED-PAYLOAD"
        if claim.valid_s is not None
        else request.headers.get("x-amz-content-sha256", "UNSIGNED-PAYLOAD")
    )
    return "\n".join(
        (
            request.method,
            _encode(path, keep="/"),
            "&".join(f"{name}={value}" for name, value in names),
            headers,
            ";".join(claim.signed_headers),
            payload,
        )
    )


def _encode(text: str, keep: str = "") -> str:
    """Return percent-encoding as AWS has it, whatever the client left unencoded."""
    return quote(unquote_to_bytes(text), safe=keep + "-_.~")


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@lru_cache(maxsize=64)
def _signing_key(secret: str, date: str, region: str, service: str, end: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (date, region, service, end):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key
