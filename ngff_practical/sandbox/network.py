"""How slow the sandbox is made to be."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_PIECE = 16 * 1024


@dataclass(frozen=True, slots=True)
class Setting:
    """Latency before each answer, bandwidth shared by all transfers (None: no limit), CORS headers or not.

    Where it is not `online`, every connection breaks before anything is answered.
    """

    latency_ms: float = 0.0
    kbytes_per_s: float | None = None
    cors: bool = True
    online: bool = True


class Network:
    """The line between the sandbox and its clients."""

    def __init__(self) -> None:
        self.setting = Setting()
        self._free_at = 0.0
        self._lock = threading.Lock()

    def delay(self) -> None:
        """Wait as long as a first byte travels."""
        if self.setting.latency_ms > 0:
            time.sleep(self.setting.latency_ms / 1000)

    def carry(self, nbytes: int) -> None:
        """Wait until so many bytes have gone over the line, which all transfers share."""
        rate = self.setting.kbytes_per_s
        if rate is None or nbytes == 0:
            return
        with self._lock:
            now = time.monotonic()
            self._free_at = max(now, self._free_at) + nbytes / (rate * 1000)
            wait = self._free_at - now
        time.sleep(wait)

    def paced(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Yield a body as fast as the line carries it."""
        for piece in pieces:
            if self.setting.kbytes_per_s is None:
                yield piece
                continue
            for start in range(0, len(piece), _PIECE):
                part = piece[start : start + _PIECE]
                self.carry(len(part))
                yield part
