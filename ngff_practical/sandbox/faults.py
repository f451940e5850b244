"""Faults that the sandbox plays on request: what goes wrong between a client and S3, made to happen."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Literal, get_args

from ngff_practical.sandbox.signature import Refusal
from ngff_practical.sandbox.wire import Arrived, Headers, ResetError

type FaultKind = Literal[
    "slow-down",
    "expired",
    "reset",
    "reset-in-body",
    "truncated",
    "short",
    "flipped",
    "stored-wrong",
    "lost-answer",
    "slow",
    "replaced",
]

KINDS: tuple[str, ...] = get_args(FaultKind.__value__)
REFUSALS = {
    "slow-down": Refusal(503, "SlowDown", "Please reduce your request rate."),
    "expired": Refusal(403, "ExpiredToken", "The provided token has expired."),
}
_METHODS = {  # a fault that concerns bodies leaves requests without one alone
    "truncated": ("GET",),
    "short": ("GET",),
    "replaced": ("GET",),
    "reset-in-body": ("GET", "PUT"),
    "flipped": ("GET", "PUT"),
    "stored-wrong": ("PUT",),
    "lost-answer": ("PUT", "POST", "DELETE"),
}
_SLOW_PIECES = 10


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong with the requests it matches.

    `kind` says what happens:

    - "slow-down": 503 SlowDown; "expired": 403 ExpiredToken
    - "reset": the connection breaks before anything is answered
    - "reset-in-body": it breaks when half of the body is through, the client's or the server's
    - "truncated": the answer announces its full length, and ends after half of it
    - "short": a well-formed answer with half of the bytes
    - "flipped": one bit of the body changes on the way, up or down
    - "stored-wrong": one bit changes after the server has checked what arrived
    - "lost-answer": S3 carries the request out, and the connection breaks before it says so
    - "slow": the body takes `seconds`
    - "replaced": other bytes of the same size have taken the object's place just before this request

    `key` is a pattern for "bucket/key" in which * stands for anything, `method` one method or * for all.
    It plays `times` times (None: without end), to each `every`-th request, when `after` requests that match
    have gone through unharmed.
    """

    kind: FaultKind
    key: str = "*"
    method: str = "*"
    times: int | None = 1
    after: int = 0
    every: int = 1
    seconds: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"there is no fault {self.kind!r}; choose one of {', '.join(KINDS)}")
        if self.after < 0 or self.every < 1 or (self.times is not None and self.times < 0):
            raise ValueError(
                f"a fault cannot play {self.times} times, after {self.after}, every {self.every}"
            )
        if not 0 <= self.seconds <= 600:
            raise ValueError(f"a slow body of {self.seconds} seconds; give 0 to 600")

    def matches(self, request: Arrived) -> bool:
        """Return True for a request that this fault is meant for."""
        return (
            self.method in ("*", request.method)
            and request.method in _METHODS.get(self.kind, (request.method,))
            and fnmatchcase(f"{request.bucket}/{request.key}", self.key)
        )


class Script:
    """The faults still to be played, the first that matches a request first."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._seen: list[int] = []
        self._lock = threading.Lock()

    def set(self, faults: Iterable[Fault]) -> None:
        """Take these faults in place of those before."""
        with self._lock:
            self._faults = list(faults)
            self._seen = [0] * len(self._faults)

    def left(self) -> tuple[Fault, ...]:
        """Return the faults that have not been played as often as they were to be."""
        with self._lock:
            return tuple(fault for fault in self._faults if fault.times != 0)

    def take(self, request: Arrived) -> Fault | None:
        """Return the fault to play to a request, None for most."""
        with self._lock:
            for index, fault in enumerate(self._faults):
                if fault.times == 0 or not fault.matches(request):
                    continue
                self._seen[index] += 1
                past = self._seen[index] - fault.after
                if past < 1 or past % fault.every:
                    continue
                if fault.times is not None:
                    self._faults[index] = replace(fault, times=fault.times - 1)
                return fault
        return None


def flip(body: bytes) -> bytes:
    """Return a body with one bit of the byte in its middle changed."""
    middle = len(body) // 2
    return body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :] if body else body


def altered(fault: Fault, headers: Headers, body: bytes) -> tuple[Headers, Iterable[bytes]]:
    """Return the headers and the body that go out in place of S3's own."""
    half = body[: len(body) // 2]
    match fault.kind:
        case "flipped":
            return headers, [flip(body)]
        case "short":
            kept = [(name, value) for name, value in headers if name.lower() != "content-length"]
            return [*kept, ("Content-Length", str(len(half)))], [half]
        case "truncated":
            return headers, _broken(half, ConnectionError("the answer ends here"))
        case "reset-in-body":
            return headers, _broken(half, ResetError())
        case "slow":
            return headers, _slow(body, fault.seconds)
        case _:
            return headers, [body]


def _broken(half: bytes, error: ConnectionError) -> Iterator[bytes]:
    yield half
    yield b""  # the front holds each piece back until it has the next
    raise error


def _slow(body: bytes, seconds: float) -> Iterator[bytes]:
    step = max(1, -(-len(body) // _SLOW_PIECES))
    for start in range(0, max(1, len(body)), step):
        time.sleep(seconds / _SLOW_PIECES)
        yield body[start : start + step]
