"""What s3fs asks a server for, told to a recorder as it happens."""

from __future__ import annotations

import io
import time
from collections.abc import Mapping
from typing import IO, TYPE_CHECKING, TypedDict
from urllib.parse import urlsplit

from ngff_practical.meter import request_key
from ngff_practical.model import Request

if TYPE_CHECKING:
    from botocore.awsrequest import AWSRequest
    from s3fs import S3FileSystem

    from ngff_practical.meter import Recorder

_OURS = "ngff_practical"


class _Response(TypedDict):
    status_code: int
    headers: Mapping[str, str]


def listen(filesystem: S3FileSystem, recorder: Recorder) -> None:
    """Tell `recorder` every request the filesystem makes from now on, repetitions included.

    botocore's own events are used, because they see what s3fs' `_call_s3` does not: a request that botocore
    repeats. A GET counts the bytes its answer announces; its time ends when they begin to arrive.
    """
    filesystem.connect()
    events = filesystem.s3.meta.events

    def began(request: AWSRequest, **_: object) -> None:
        request.context[_OURS] = (request, _size(request.data), time.time(), time.perf_counter())

    def ended(
        response_dict: _Response | None, context: dict[str, tuple[AWSRequest, int, float, float]], **_: object
    ) -> None:
        request, sent, at, started = context.pop(_OURS)
        method, address = str(request.method), urlsplit(str(request.url))
        recorder.record(
            Request(
                method=method,
                key=request_key(f"{address.path}?{address.query}"),
                range=_text(request.headers.get("Range")),
                status=response_dict["status_code"] if response_dict else 0,
                nbytes=_nbytes(method, sent, response_dict),
                ms=(time.perf_counter() - started) * 1000,
                client="s3fs",
                at=at,
            )
        )

    events.register("request-created.s3", began)
    events.register("response-received.s3", ended)


def _nbytes(method: str, sent: int, response: _Response | None) -> int:
    if method == "HEAD" or response is None or response["status_code"] >= 400:
        return 0
    if method == "GET":
        return int(_text(response["headers"].get("Content-Length")) or 0)
    return sent


def _size(body: bytes | bytearray | IO[bytes] | None) -> int:
    if not body:
        return 0
    if isinstance(body, bytes | bytearray):
        return len(body)
    here = body.tell()
    size = body.seek(0, io.SEEK_END)
    body.seek(here)
    return size


def _text(value: str | bytes | None) -> str | None:
    return value.decode("latin-1") if isinstance(value, bytes) else value
