"""A server that answers as a test wants: for what S3 does and the sandbox does not."""

import http.client
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import urlsplit


class Asked(NamedTuple):
    """A request; header names are in lower case, `target` is path and query as sent."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


class Said(NamedTuple):
    """An answer."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = {}


_OF_THE_LINE = ("connection", "transfer-encoding", "date", "server")


def passed_on(endpoint: str, asked: Asked) -> Said:
    """Return what a server answers, to be altered before it is said."""
    line = http.client.HTTPConnection(urlsplit(endpoint).netloc, timeout=60)
    try:
        line.putrequest(asked.method, asked.target, skip_host=True, skip_accept_encoding=True)
        for name, value in asked.headers.items():
            line.putheader(name, value)
        line.endheaders(asked.body or None)
        said = line.getresponse()
        headers = {name: value for name, value in said.getheaders() if name.lower() not in _OF_THE_LINE}
        return Said(said.status, said.read(), headers)
    finally:
        line.close()


@contextmanager
def scripted(answer: Callable[[Asked], Said]) -> Iterator[str]:
    """Give the endpoint of a server on this computer that asks a function for its answers."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            said = answer(Asked(self.command, self.path, headers, body))
            self.send_response(said.status)
            for name, value in {"Content-Length": str(len(said.body)), **said.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(said.body)

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _any  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
