"""One image over HTTP for a viewer in the page: read only, here, below a path that nobody can guess."""

from __future__ import annotations

import functools
import re
import secrets
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ngff_practical.storage.local import real_path

_WAIT_S = 60


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent: a status, bytes, and which ones of how many they are."""

    status: int
    data: bytes = b""
    content_range: str = ""


type Read = Callable[[str, str], Answer]  # of a key as it stands in an address, and the Range asked for


class ImageServer:
    """An image served until the process ends, or `close`: a folder, or a server of this computer.

    Jupyter's proxy stands between it and the page, and drops the size from answers to HEAD. Neuroglancer
    would take that for 0 and read no shard. HEAD is refused here, so that it asks for one byte instead, whose
    answer says the size.
    """

    def __init__(self, source: Path | str) -> None:
        self._secret = secrets.token_urlsafe(16)
        read = read_folder(source) if isinstance(source, Path) else read_address(source)
        handler = functools.partial(_Handler, secret=self._secret, read=read)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self._server.serve_forever, name="image", daemon=True).start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    @property
    def path(self) -> str:
        """The image's path on the server, without a slash at either end."""
        return self._secret

    def close(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()


def read_folder(folder: Path) -> Read:
    """Return what reads files below a folder; what leads out of it is not there."""
    root = folder.resolve()

    def read(key: str, wanted: str) -> Answer:
        try:
            path = real_path(root / unquote(key))
            if not path.is_relative_to(root) or not path.is_file():
                return Answer(404)
            with path.open("rb") as file:
                size = file.seek(0, 2)
                span = span_of(wanted, size)
                if span is None:
                    return Answer(416, content_range=f"bytes */{size}")
                file.seek(span.start)
                data = file.read(len(span))
        except (OSError, ValueError):
            return Answer(404)
        if not wanted:
            return Answer(200, data)
        return Answer(206, data, f"bytes {span.start}-{span.stop - 1}/{size}")

    return read


def read_address(address: str) -> Read:
    """Return what hands requests on to a server of this computer, with their Range."""
    there = urlsplit(address)

    def read(key: str, wanted: str) -> Answer:
        with closing(HTTPConnection(str(there.hostname), there.port, timeout=_WAIT_S)) as connection:
            try:
                connection.request("GET", f"{there.path}/{key}", headers={"Range": wanted} if wanted else {})
                found = connection.getresponse()
                return Answer(found.status, found.read(), found.getheader("Content-Range", ""))
            except (HTTPException, OSError):
                return Answer(502)

    return read


def span_of(wanted: str, size: int) -> range | None:
    """Return the bytes that a Range header asks for ("" for all of them), None where there are none."""
    if not wanted:
        return range(size)
    found = re.fullmatch(r"bytes=(\d*)-(\d*)", wanted)
    if not found or not any(found.groups()):
        return None
    first, last = found.groups()
    if not first:
        return range(max(size - int(last), 0), size) or None
    return range(int(first), min(int(last) + 1 if last else size, size)) or None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, *args: object, secret: str, read: Read) -> None:
        self._start = f"/{secret}/"
        self._read = read
        super().__init__(*args)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        """Answer with an object, or a range of it, whose address begins with the secret."""
        path = self.path.partition("?")[0]
        key = path.removeprefix(self._start)
        answer = self._read(key, self.headers.get("Range", "")) if key != path else Answer(404)
        self.send_response(answer.status)
        self.send_header("Content-Length", str(len(answer.data)))
        self.send_header("Accept-Ranges", "bytes")
        if answer.content_range:
            self.send_header("Content-Range", answer.content_range)
        self.end_headers()
        self.wfile.write(answer.data)

    def do_HEAD(self) -> None:
        """Refuse: see `ImageServer`."""
        self.send_response(405)
        self.send_header("Allow", "GET")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent: the notebook is not the place for a log."""
