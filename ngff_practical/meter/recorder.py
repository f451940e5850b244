"""Keeping request records, and watching a source of them for a while."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from ngff_practical.model import Request
from ngff_practical.model.wording import bytes_text, duration_text


class RequestSource(Protocol):
    """Anything that numbers the requests it has seen: the sandbox, a Recorder."""

    def request_count(self) -> int:
        """Return how many requests were seen so far."""

    def requests(self, since: int = 0) -> tuple[Request, ...]:
        """Return the requests from number `since` on, oldest first."""


@dataclass(frozen=True, slots=True)
class Totals:
    """What some requests amount to; `ms` is the time during which at least one of them was under way."""

    count: int
    nbytes: int
    ms: float

    def __str__(self) -> str:
        requests = "1 request" if self.count == 1 else f"{self.count:,} requests"
        return f"{requests}, {bytes_text(self.nbytes)}, {duration_text(self.ms)}"


def totals(requests: Iterable[Request]) -> Totals:
    """Return number, bytes and time of some requests; overlapping requests share their time."""
    count = nbytes = 0
    busy, until = 0.0, float("-inf")
    for request in sorted(requests, key=lambda request: request.at):
        count += 1
        nbytes += request.nbytes
        end = request.at + request.ms / 1000
        busy += max(0.0, end - max(request.at, until))
        until = max(until, end)
    return Totals(count, nbytes, busy * 1000)


class Recorder:
    """A list of requests that several threads may add to.

    Only the last `capacity` requests are kept; numbering goes on.
    """

    def __init__(self, capacity: int = 100_000) -> None:
        self._kept: deque[Request] = deque(maxlen=capacity)
        self._count = 0
        self._lock = threading.Lock()

    def record(self, request: Request) -> None:
        """Add one request."""
        with self._lock:
            self._kept.append(request)
            self._count += 1

    def request_count(self) -> int:
        """Return how many requests were recorded, those no longer kept included."""
        with self._lock:
            return self._count

    def requests(self, since: int = 0) -> tuple[Request, ...]:
        """Return the requests from number `since` on, oldest first."""
        with self._lock:
            skip = max(0, since - (self._count - len(self._kept)))
            return tuple(islice(self._kept, skip, None))

    @property
    def totals(self) -> Totals:
        """What the requests kept amount to."""
        return totals(self.requests())

    def __repr__(self) -> str:
        return f"Recorder({self.totals})"


class Seen:
    """The requests made while watching: up to now inside the `with` block, all of them after it."""

    def __init__(self, source: RequestSource) -> None:
        self._source = source
        self._since = source.request_count()
        self._final: tuple[Request, ...] | None = None

    def _close(self) -> None:
        self._final = self._source.requests(self._since)

    @property
    def requests(self) -> tuple[Request, ...]:
        """The requests, oldest first."""
        return self._source.requests(self._since) if self._final is None else self._final

    @property
    def totals(self) -> Totals:
        """Number, bytes and time together."""
        return totals(self.requests)

    @property
    def count(self) -> int:
        """Number of requests."""
        return len(self.requests)

    @property
    def nbytes(self) -> int:
        """Bytes received by GET and sent by PUT."""
        return self.totals.nbytes

    @property
    def ms(self) -> float:
        """Time during which at least one request was under way."""
        return self.totals.ms

    def summary(self) -> str:
        """Return requests, bytes and time as a short text: "8 requests, 105.2 kB, 92 ms"."""
        return str(self.totals)

    def __repr__(self) -> str:
        return f"Seen({self.summary()})"


@contextmanager
def watch(source: RequestSource) -> Iterator[Seen]:
    """Watch a source of requests while the block runs.

    ```python
    with watch(sandbox) as seen:
        plane = level_0[0]
    seen.summary()
    ```
    Requests of other programs to the same sandbox are seen, too.
    """
    seen = Seen(source)
    try:
        yield seen
    finally:
        seen._close()
