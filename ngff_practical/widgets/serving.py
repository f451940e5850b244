"""One local folder over HTTP, read only, on 127.0.0.1, below a path that nobody can guess."""

from __future__ import annotations

import functools
import secrets
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class _Handler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, *args: object, secret: str, directory: str) -> None:
        self._secret = secret
        self._root = Path(directory).resolve()
        super().__init__(*args, directory=directory)  # type: ignore[arg-type]

    def translate_path(self, path: str) -> str:
        """Return the file below the folder; what does not begin with the secret is nothing at all."""
        start = f"/{self._secret}/"
        if not path.startswith(start):
            return ""
        found = super().translate_path(path.removeprefix(start[:-1]))
        return found if Path(found).resolve().is_relative_to(self._root) else ""

    def list_directory(self, path: object) -> None:
        """List nothing: a viewer asks for keys that it knows."""
        self.send_error(404)

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent: the notebook is not the place for a log."""


class FolderServer:
    """A folder served until the process ends, or `close`."""

    def __init__(self, folder: Path) -> None:
        self._secret = secrets.token_urlsafe(16)
        handler = functools.partial(_Handler, secret=self._secret, directory=str(folder))
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self._server.serve_forever, name="folder", daemon=True).start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    @property
    def path(self) -> str:
        """The folder's path on the server, without a slash at either end."""
        return self._secret

    def close(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()
