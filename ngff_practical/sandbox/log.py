"""The sandbox's request log, which can wait for answers that are just being finished."""

from __future__ import annotations

import threading

from ngff_practical.meter import Recorder

_SETTLE_S = 1.0


class Log(Recorder):
    """A recorder that also knows which answers have gone out but are not yet recorded."""

    def __init__(self) -> None:
        super().__init__()
        self._finishing: set[object] = set()
        self._changed = threading.Condition()

    def finishing(self, exchange: object) -> None:
        """Note that the last piece of an exchange's answer is about to be sent."""
        with self._changed:
            self._finishing.add(exchange)

    def finished(self, exchange: object) -> None:
        """Note that an exchange is recorded."""
        with self._changed:
            self._finishing.discard(exchange)
            self._changed.notify_all()

    def settle(self) -> None:
        """Wait, for a second at most, until the answers that clients may have in full are recorded.

        A client has the last byte a moment before the server has noted it.
        """
        with self._changed:
            now = frozenset(self._finishing)
            self._changed.wait_for(lambda: not now & self._finishing, _SETTLE_S)
