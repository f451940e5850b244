"""A small S3 server for measuring clients: objects in memory, one process, each answer late by a set time.

It parses no more than it must and checks no signature, so that on the processors it shares with the client it
takes as little as a server can; it counts requests and its own CPU seconds. Started as a process of its own:
prints its port, answers GET /-/stats and /-/digests, ends with its standard input.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
import time
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

REASONS = {200: "OK", 204: "No Content", 206: "Partial Content", 404: "Not Found", 412: "Precondition Failed"}
STAMP = "2026-01-01T00:00:00.000Z"
HTTP_DATE = "Thu, 01 Jan 2026 00:00:00 GMT"


class Bucket:
    """Objects by key, and the parts of uploads that are under way."""

    def __init__(self) -> None:
        self.objects: dict[str, tuple[bytes, str]] = {}
        self.parts: dict[str, dict[int, tuple[bytes, str]]] = {}
        self.requests = 0

    def answer(
        self, method: str, target: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict, bytes]:
        """Return status, headers and body for a request."""
        path, query = urlsplit(target).path, parse_qs(urlsplit(target).query, keep_blank_values=True)
        if path == "/-/stats":
            told = {"requests": self.requests, "cpu_s": time.process_time()}
            return 200, {}, json.dumps(told).encode()
        if path == "/-/digests":
            told = {key: hashlib.md5(data).hexdigest() for key, (data, _) in self.objects.items()}
            return 200, {}, json.dumps(told).encode()
        self.requests += 1
        key = unquote(path).lstrip("/").partition("/")[2]
        if not key:
            return self._about_bucket(method, query, body)
        if method == "PUT":
            return self._put(key, query, headers, body)
        if method == "POST":
            return self._multipart(key, query)
        if method == "DELETE":
            self.objects.pop(key, None)
            return 204, {}, b""
        return self._get(key, headers)

    def _about_bucket(self, method: str, query: dict, body: bytes) -> tuple[int, dict, bytes]:
        if method == "POST":  # DeleteObjects
            for part in body.decode().split("<Key>")[1:]:
                self.objects.pop(part.partition("</Key>")[0], None)
            return 200, {}, b"<DeleteResult/>"
        if method != "GET" or "location" in query:
            return 200, {}, b"<LocationConstraint/>"
        prefix = query.get("prefix", [""])[0]
        after = query.get("continuation-token", query.get("start-after", query.get("marker", [""])))[0]
        delimiter = query.get("delimiter", [""])[0]
        limit = int(query.get("max-keys", ["1000"])[0])
        return 200, {}, self._listing(prefix, after, delimiter, limit)

    def _listing(self, prefix: str, after: str, delimiter: str, limit: int) -> bytes:
        lines: list[str] = []
        last, folders = "", set()
        for key in sorted(key for key in self.objects if key.startswith(prefix) and key > after):
            head, found, _ = key[len(prefix) :].partition(delimiter) if delimiter else (key, "", "")
            folder = prefix + head + delimiter
            if found and (folder in folders or after.startswith(folder)):
                continue
            if len(lines) == limit:
                break
            last = key
            if found:
                folders.add(folder)
                last = folder + "\uffff"
                lines.append(f"<CommonPrefixes><Prefix>{escape(folder)}</Prefix></CommonPrefixes>")
                continue
            data, etag = self.objects[key]
            lines.append(
                f"<Contents><Key>{escape(key)}</Key><LastModified>{STAMP}</LastModified><ETag>{etag}</ETag>"
                f"<Size>{len(data)}</Size><StorageClass>STANDARD</StorageClass></Contents>"
            )
        else:
            last = ""
        token = escape(last)
        more = f"<NextContinuationToken>{token}</NextContinuationToken><NextMarker>{token}</NextMarker>"
        return (
            '<?xml version="1.0" encoding="UTF-8"?>'
            '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<Name>bench</Name><Prefix>{escape(prefix)}</Prefix><KeyCount>{len(lines)}</KeyCount>"
            f"<MaxKeys>{limit}</MaxKeys><IsTruncated>{'true' if last else 'false'}</IsTruncated>"
            f"{more if last else ''}{''.join(lines)}</ListBucketResult>"
        ).encode()

    def _put(self, key: str, query: dict, headers: dict[str, str], body: bytes) -> tuple[int, dict, bytes]:
        if "if-none-match" in headers and key in self.objects:
            return 412, {}, b"<Error><Code>PreconditionFailed</Code><Message>exists</Message></Error>"
        if (
            "aws-chunked" in headers.get("content-encoding", "")
            or "streaming" in headers.get("x-amz-content-sha256", "").lower()
        ):
            body = unchunked(body)
        etag = f'"{hashlib.md5(body).hexdigest()}"'
        if "uploadId" in query:
            self.parts[query["uploadId"][0]][int(query["partNumber"][0])] = (body, etag)
        else:
            self.objects[key] = (body, etag)
        return 200, {"ETag": etag}, b""

    def _multipart(self, key: str, query: dict) -> tuple[int, dict, bytes]:
        if "uploads" in query:
            upload = f"u{len(self.parts)}"
            self.parts[upload] = {}
            xml = f"<Bucket>bench</Bucket><Key>{escape(key)}</Key><UploadId>{upload}</UploadId>"
            return 200, {}, f"<InitiateMultipartUploadResult>{xml}</InitiateMultipartUploadResult>".encode()
        parts = [part for _, part in sorted(self.parts[query["uploadId"][0]].items())]
        digests = b"".join(bytes.fromhex(etag.strip('"')) for _, etag in parts)
        etag = f'"{hashlib.md5(digests).hexdigest()}-{len(parts)}"'
        self.objects[key] = (b"".join(data for data, _ in parts), etag)
        xml = f"<Bucket>bench</Bucket><Key>{escape(key)}</Key><ETag>{etag}</ETag>"
        return 200, {}, f"<CompleteMultipartUploadResult>{xml}</CompleteMultipartUploadResult>".encode()

    def _get(self, key: str, headers: dict[str, str]) -> tuple[int, dict, bytes]:
        if key not in self.objects:
            return 404, {}, b"<Error><Code>NoSuchKey</Code><Message>not there</Message></Error>"
        data, etag = self.objects[key]
        about = {"ETag": etag, "Last-Modified": HTTP_DATE, "Accept-Ranges": "bytes"}
        span = headers.get("range", "")
        if not span.startswith("bytes="):
            return 200, about, data
        first, _, last = span[6:].partition("-")
        start = int(first) if first else len(data) - int(last)
        stop = min(int(last) + 1, len(data)) if first and last else len(data)
        about["Content-Range"] = f"bytes {start}-{stop - 1}/{len(data)}"
        return 206, about, memoryview(data)[start:stop]


def unchunked(body: bytes) -> bytes:
    """Return the payload of an aws-chunked body, without sizes, signatures and trailers."""
    parts, at = [], 0
    while True:
        end = body.index(b"\r\n", at)
        size = int(body[at:end].split(b";")[0], 16)
        if not size:
            return b"".join(parts)
        parts.append(body[end + 2 : end + 2 + size])
        at = end + 2 + size + 2


class Connection(asyncio.Protocol):
    """One connection of a client: requests come one after the other."""

    def __init__(self, bucket: Bucket, latency_s: float) -> None:
        self._bucket, self._latency_s = bucket, latency_s
        self._pieces: list[bytes] = []
        self._have, self._need = 0, 0
        self._head: tuple[str, str, dict[str, str]] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep where answers go."""
        self._transport = transport
        transport.set_write_buffer_limits(high=2**26)

    def data_received(self, data: bytes) -> None:
        """Gather a request, and answer it when all of it is there."""
        self._pieces.append(data)
        self._have += len(data)
        if self._head is None:
            whole = b"".join(self._pieces)
            end = whole.find(b"\r\n\r\n")
            if end < 0:
                self._pieces = [whole]
                return
            first, *lines = whole[:end].decode("latin-1").split("\r\n")
            headers = {
                name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
            }
            method, target, _ = first.split(" ")
            self._head = method, target, headers
            self._need = int(headers.get("content-length", 0))
            self._pieces, self._have = [whole[end + 4 :]], len(whole) - end - 4
            if headers.get("expect") == "100-continue":
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if self._have >= self._need:
            body = b"".join(self._pieces)
            head, self._head, self._pieces, self._have = self._head, None, [], 0
            if self._latency_s:
                asyncio.get_running_loop().call_later(self._latency_s, self._answer, *head, body)
            else:
                self._answer(*head, body)

    def _answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> None:
        status, about, data = self._bucket.answer(method, target, headers, body)
        if self._transport.is_closing():
            return
        about = {"Content-Length": str(len(data)), "x-amz-request-id": "1", **about}
        if data and not about.get("ETag"):
            about["Content-Type"] = "application/xml"
        lines = "".join(f"{name}: {value}\r\n" for name, value in about.items())
        head = f"HTTP/1.1 {status} {REASONS[status]}\r\n{lines}\r\n".encode()
        if method == "HEAD" or not data:
            self._transport.write(head)
        elif len(data) < 2**18:
            self._transport.write(head + data)
        else:
            self._transport.writelines([head, data])


async def serve(latency_s: float) -> None:
    """Serve until standard input ends."""
    bucket, loop = Bucket(), asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(bucket, latency_s), "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1]) / 1000))
