"""A line to a server that goes dead, as a network does when a cable is pulled: nobody is told."""

import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

HANG_S = 45  # what a library would wait for an answer is 60 s
RUN = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # what a shell starts with & has it ignored
from ngff_practical.cli import main
{first}
sys.exit(main(sys.argv[1:]))
"""


class Line:
    """Carries so many bytes between clients and a server; then it is `dead`, and connections are silent."""

    def __init__(self, endpoint: str, nbytes: int) -> None:
        parts = urlsplit(endpoint)
        self._server = (parts.hostname, parts.port)
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._sockets: list[socket.socket] = [self._listening]
        self.endpoint = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.dead = threading.Event()
        self._closed = False
        self._left = nbytes
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        try:
            while True:
                client, _ = self._listening.accept()
                self._sockets.append(client)
                server = socket.create_connection(self._server)
                self._sockets.append(server)
                if self._closed:
                    self._end()
                    return
                for pair in ((client, server), (server, client)):
                    threading.Thread(target=self._carry, args=pair, daemon=True).start()
        except OSError:
            return

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(2**16):
                self._left -= len(data)
                if self._left < 0:
                    self.dead.set()
                    return
                target.sendall(data)
            if not self.dead.is_set():
                target.shutdown(socket.SHUT_WR)
        except OSError:
            return

    def close(self) -> None:
        """End all connections."""
        self._closed = True
        self.dead.set()
        self._end()

    def _end(self) -> None:
        for one in self._sockets:
            with suppress(OSError):  # one that is ended already, or that listens
                one.shutdown(socket.SHUT_RDWR)  # wakes whoever waits for it, which closing alone does not
            one.close()


@contextmanager
def line_to(endpoint: str, nbytes: int) -> Iterator[Line]:
    """Give a line to a server, good for so many bytes, for the length of a block."""
    line = Line(endpoint, nbytes)
    try:
        yield line
    finally:
        line.close()


def told_when_stopped(line: Line, *command: str, first: str = "") -> str:
    """Run a command until the line is dead, press Ctrl-C, and return what it says; `first` is run first."""
    process = subprocess.Popen(
        [sys.executable, "-c", RUN.format(first=first), *command, "--endpoint", line.endpoint],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert line.dead.wait(120), process.communicate(timeout=5)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=HANG_S)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 130, said
    assert "Traceback" not in said
    return said
