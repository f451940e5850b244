"""S3 requests and answers as the sandbox's front reads and writes them (WSGI)."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl

from ngff_practical.sandbox.signature import Refusal, Signed

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

type Headers = list[tuple[str, str]]
type App = Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]

_CLIENTS = (  # the first that its User-Agent contains, and what learners call it
    ("aws-cli", "aws-cli"),
    ("aiobotocore", "s3fs"),
    ("boto3", "boto3"),
    ("botocore", "botocore"),
    ("object_store", "obstore"),
    ("tensorstore", "tensorstore"),
    ("s5cmd", "s5cmd"),
    ("rclone", "rclone"),
    ("mozilla", "browser"),
)


class ResetError(ConnectionError):
    """The connection is to be broken off at once, without another byte."""


class Arrived(NamedTuple):
    """An S3 request, path style."""

    signed: Signed
    bucket: str
    key: str
    query: Mapping[str, str]
    client: str

    @property
    def method(self) -> str:
        """GET, HEAD, PUT, POST, DELETE or OPTIONS."""
        return self.signed.method

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers by their names in lower case."""
        return self.signed.headers


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer that the front gives itself."""

    status: str
    headers: Headers
    body: bytes = field(default=b"", repr=False)


def arrived(environ: WSGIEnvironment) -> Arrived:
    """Return the request that a WSGI environment holds."""
    headers = {
        name[5:].replace("_", "-").lower(): str(value)
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            headers[name.replace("_", "-").lower()] = str(environ[name])
    path = str(environ["PATH_INFO"]).encode("latin-1").decode("utf-8", "replace")
    bucket, _, key = path.removeprefix("/").partition("/")
    target = str(environ.get("RAW_URI") or environ["PATH_INFO"])
    query = dict(parse_qsl(str(environ.get("QUERY_STRING", "")), keep_blank_values=True))
    return Arrived(
        Signed(str(environ["REQUEST_METHOD"]), target, headers),
        bucket,
        key,
        query,
        client_name(headers.get("user-agent", "")),
    )


def client_name(user_agent: str) -> str:
    """Return the short name of the library or program behind a User-Agent."""
    known = user_agent.lower()
    for part, name in _CLIENTS:
        if part in known:
            return name
    return user_agent.split("/")[0].split()[0][:20].lower() if user_agent.strip() else "unknown"


def take_half(environ: WSGIEnvironment) -> None:
    """Read the first half of the request's body."""
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0) // 2)


def put_body(environ: WSGIEnvironment, body: bytes) -> None:
    """Leave another body of the same length to be read."""
    environ["wsgi.input"] = io.BytesIO(body)


def take_body(environ: WSGIEnvironment) -> bytes:
    """Return the request's body, and leave it to be read again.

    Raises
    ------
    ConnectionError
        The client went away in the middle: nothing of it may be stored.
    """
    stream = environ["wsgi.input"]
    length = environ.get("CONTENT_LENGTH")
    if length:
        body = bytes(stream.read(int(length)))
        if len(body) != int(length):
            raise ConnectionError(f"{len(body)} of {length} bytes arrived")
    elif environ.get("wsgi.input_terminated"):
        body = bytes(stream.read())
        environ["CONTENT_LENGTH"] = str(len(body))
    else:
        body = b""
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def unchunked(body: bytes) -> tuple[bytes, dict[str, str]]:
    """Return what a body sent in pieces ("aws-chunked") holds, and the headers that follow it.

    Raises
    ------
    ValueError
        It is cut short, or not in pieces.
    """
    pieces: list[bytes] = []
    at = 0
    while True:
        end = body.index(b"\r\n", at)
        nbytes = int(body[at:end].partition(b";")[0], 16)
        at = end + 2
        if nbytes <= 0:
            break
        piece = body[at : at + nbytes]
        if len(piece) != nbytes:
            raise ValueError(f"{len(piece)} of {nbytes} bytes")
        pieces.append(piece)
        at += nbytes + 2
    lines = (line.partition(":") for line in body[at:].decode("latin-1").split("\r\n"))
    return b"".join(pieces), {name.strip().lower(): value.strip() for name, found, value in lines if found}


def error(refusal: Refusal, request: Arrived) -> Answer:
    """Return a refusal as S3 words it; a HEAD gets the status alone."""
    where = f"/{request.bucket}/{request.key}" if request.key else f"/{request.bucket}"
    body = (
        b""
        if request.method == "HEAD"
        else (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f"<Error><Code>{refusal.code}</Code><Message>{escape(refusal.message)}</Message>"
            f"<Resource>{escape(where)}</Resource><RequestId>sandbox</RequestId></Error>"
        ).encode()
    )
    return Answer(
        f"{refusal.status} {_REASONS.get(refusal.status, 'Error')}",
        [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))],
        body,
    )


_REASONS = {
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    503: "Slow Down",
}
