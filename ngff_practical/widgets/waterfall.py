"""Requests along a line of time without pauses: when each began, how long it took, which key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ngff_practical.meter import Totals, bytes_text, duration_text, totals
from ngff_practical.model import Request

IDLE_MS = 400.0
"""Without a request for so long, time is cut out of the picture."""

PAUSE_MS = 60.0
"""What is left of such a pause, so that it can be seen."""

MOST_ROWS = 200


@dataclass(frozen=True, slots=True)
class Bar:
    """One request: `start` and `width` are shares of the whole picture, 0 to 1."""

    method: str
    key: str
    status: int
    size: str
    duration: str
    start: float
    width: float
    ok: bool


@dataclass(frozen=True, slots=True)
class Waterfall:
    """The latest requests as bars; all keys begin with `folder`, and at `cuts` time was left out."""

    bars: tuple[Bar, ...]
    folder: str
    ticks: tuple[tuple[float, str], ...]
    cuts: tuple[float, ...]
    totals: Totals
    left_out: int
    failed: int

    @property
    def sentence(self) -> str:
        """What the picture shows, in words."""
        if not self.totals.count:
            return "No request yet. Read something, and it shows here."
        words = f"{self.totals}."
        if self.failed:
            words += f" {self.failed} of them had no good answer (the status says which)."
        if self.left_out:
            words += f" The latest {len(self.bars)} are listed."
        return words


def waterfall(requests: Sequence[Request], *, most: int = MOST_ROWS) -> Waterfall:
    """Return requests as a picture of time; where nobody asked for a while, that while is cut short."""
    in_order = sorted(requests, key=lambda request: request.at)
    shown = in_order[-most:]
    starts, cuts, span = _without_pauses(shown)
    folder = _common_folder([request.key for request in shown])
    bars = tuple(
        Bar(
            method=request.method,
            key=request.key.removeprefix(folder) or request.key,
            status=request.status,
            size=bytes_text(request.nbytes) if request.nbytes else "",
            duration=duration_text(request.ms),
            start=start / span,
            width=request.ms / span,
            ok=200 <= request.status < 400,
        )
        for request, start in zip(shown, starts, strict=True)
    )
    return Waterfall(
        bars=bars,
        folder=folder,
        ticks=_ticks(span) if shown else (),
        cuts=tuple(cut / span for cut in cuts),
        totals=totals(in_order),
        left_out=len(in_order) - len(shown),
        failed=sum(not 200 <= request.status < 400 for request in in_order),
    )


def _without_pauses(requests: Sequence[Request]) -> tuple[list[float], list[float], float]:
    """Return when each began in ms of picture time, where pauses were cut, and how long all of it is."""
    starts: list[float] = []
    cuts: list[float] = []
    left_out, until = 0.0, 0.0
    first = requests[0].at if requests else 0.0
    for request in requests:
        at = (request.at - first) * 1000
        if starts and at - until > IDLE_MS:
            left_out += at - until - PAUSE_MS
            cuts.append(at - left_out - PAUSE_MS / 2)
        starts.append(at - left_out)
        until = max(until, at + request.ms)
    return starts, cuts, max(until - left_out, 1.0)


def _ticks(span: float) -> tuple[tuple[float, str], ...]:
    """Return three to six round times along the picture, each with its share of the width."""
    step = next(
        magnitude * factor
        for magnitude in (1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000)
        for factor in (1, 2, 5)
        if span / (magnitude * factor) <= 5
    )
    return tuple((at / span, duration_text(at)) for at in range(0, int(span) + 1, step))


def _common_folder(keys: Sequence[str]) -> str:
    """Return the longest "a/b/" that every key begins with."""
    plain = [key.split("?")[0] for key in keys]
    if not plain:
        return ""
    first, last = min(plain), max(plain)
    same = next(
        (index for index, (a, b) in enumerate(zip(first, last, strict=False)) if a != b),
        min(len(first), len(last)),
    )
    return first[: first.rfind("/", 0, same) + 1]
