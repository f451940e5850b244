"""An HTTP/1.1 server for a WSGI application, on this computer only: threads, and connections kept open."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterable
from http import HTTPStatus
from ipaddress import ip_address
from typing import TYPE_CHECKING

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import BaseWSGIServer, make_server

from ngff_practical.errors import SandboxError
from ngff_practical.sandbox.wire import App, Headers, ResetError

if TYPE_CHECKING:
    from types import TracebackType

HOST = "127.0.0.1"

_BODILESS = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
_OWN_HEADERS = ("server", "date", "connection")


class Handler(MotoRequestHandler):
    """Answers the requests of one connection, one after the other.

    werkzeug's own handler closes the connection after each answer and waits 10 ms before that; it reads
    requests for us, the answers are written here. The application reads every request body to its end.
    """

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else headers and body, written apart, wait 40 ms for each other

    def run_wsgi(self) -> None:
        """Answer one request."""
        if self.headers.get("Expect", "").strip().lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self.environ = environ = self.make_environ()
        begun: list[tuple[str, Headers]] = []

        def start_response(
            status: str,
            headers: Headers,
            _failure: tuple[type[BaseException], BaseException, TracebackType]
            | tuple[None, None, None]
            | None = None,
        ) -> Callable[[bytes], object]:
            begun[:] = [(status, headers)]
            return self.wfile.write

        app: App = self.server.app
        pieces: Iterable[bytes] = ()
        try:
            pieces = app(environ, start_response)
            bodiless: bool | None = None
            for piece in pieces:
                if bodiless is None:
                    bodiless = self._send_head(*begun[0])
                if piece and not bodiless:
                    self.wfile.write(piece)
            if bodiless is None:
                self._send_head(*begun[0])
        except ResetError:
            self._reset()
        except (ConnectionError, TimeoutError):  # the client has had enough
            self.close_connection = True
        finally:
            close = getattr(pieces, "close", None)
            if close is not None:
                close()

    def _reset(self) -> None:
        """Break the connection off, so that the client is told of it as by a network that fails."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.rfile.close()  # it would keep the socket open
        self.connection.close()

    def _send_head(self, status: str, headers: Headers) -> bool:
        """Send status and headers, and return True where no body may follow."""
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        names = set()
        for name, value in headers:
            if name.lower() not in _OWN_HEADERS:
                self.send_header(name, value)
                names.add(name.lower())
        bodiless = self.command == "HEAD" or int(code) in _BODILESS
        if "content-length" not in names and not bodiless:
            self.send_header("Connection", "close")  # the end of the connection ends the body
        self.end_headers()
        return bodiless

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing: the front keeps the log."""


def listen(host: str, app: App) -> BaseWSGIServer:
    """Return a server bound to a free port of this computer.

    Raises
    ------
    SandboxError
        The host is not this computer alone.
    """
    try:
        loopback = ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise SandboxError(f"the sandbox is for this computer alone: it listens on {HOST}, never on {host}")
    return make_server(host, 0, app, threaded=True, request_handler=Handler)
