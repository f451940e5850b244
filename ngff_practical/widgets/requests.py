"""The request meter: what was asked of a store, when, how long it took, and what a block of code cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import traitlets

from ngff_practical.meter import RequestSource, Seen, bytes_text, duration_text
from ngff_practical.meter import watch as watch_source
from ngff_practical.widgets.base import Message, Widget, script, style
from ngff_practical.widgets.colours import OKABE_ITO
from ngff_practical.widgets.waterfall import Waterfall, waterfall

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DRAWN = 24  # bars of the still picture
_FASTEST_MS, _SLOWEST_MS = 0.0, 300.0


@runtime_checkable
class Line(Protocol):
    """A source whose network can be made slow, as the sandbox's can."""

    def set_network(self, *, latency_ms: float = 0, kbytes_per_s: float | None = None) -> None:
        """Make it so slow."""

    def network(self) -> dict[str, float | bool | None]:
        """Return how slow it is."""


class RequestMeter(Widget):
    """Every request to a source, live: a waterfall, totals, and a slider for latency where it has one.

    ```python
    meter = RequestMeter(sandbox)
    with meter.watch("one plane"):
        plane = level_0[0, 118]
    meter
    ```
    Requests from before it was made are not shown. It looks for new ones while it can be seen.
    """

    _esm = script("requests")
    _css = style("requests")
    picture_size = (8.0, 4.0)

    bars: traitlets.List[object] = traitlets.List(help="The latest requests.").tag(sync=True)
    picture_of = traitlets.Dict(help="Ticks, cuts and the folder of all keys.").tag(sync=True)
    sums = traitlets.Dict(help="Requests, bytes and time together.").tag(sync=True)
    blocks: traitlets.List[object] = traitlets.List(help="What each watched block cost.").tag(sync=True)
    paused = traitlets.Bool(False).tag(sync=True)
    line = traitlets.Dict(help="Latency and bandwidth, empty where they cannot be set.").tag(sync=True)

    def __init__(self, source: RequestSource) -> None:
        super().__init__()
        self._source = source
        self._since = source.request_count()
        self._known = -1
        self._waterfall = waterfall(())
        if isinstance(source, Line):
            self._say_line(source)
        self.refresh()

    def refresh(self) -> None:
        """Look for new requests now."""
        with self._lock:
            count = self._source.request_count()
            if count < self._since:  # the server began anew
                self._since = 0
            if not self.paused and count != self._known:
                self._show(waterfall(self._source.requests(self._since)))
                self._known = count
            self.notice = ""

    def clear(self) -> None:
        """Forget the requests and blocks shown so far."""
        with self._lock:
            self._since = self._known = self._source.request_count()
            self.blocks = []
            self._show(waterfall(()))

    @contextmanager
    def watch(self, label: str = "") -> Iterator[Seen]:
        """Watch a block of code: what it cost is listed, and can be read from the value.

        ```python
        with meter.watch("one plane") as seen:
            level_0[0, 118]
        seen.count, seen.nbytes, seen.ms
        ```
        """
        try:
            with watch_source(self._source) as seen:
                yield seen
        finally:
            cost = seen.totals
            with self._lock:
                name = label or f"block {len(self.blocks) + 1}"
                row = [name, f"{cost.count:,}", bytes_text(cost.nbytes), duration_text(cost.ms)]
                self.blocks = [*self.blocks, row]
                self.refresh()

    def receive(self, message: Message, buffers: Sequence[memoryview]) -> bool:
        """Poll, clear, or set the network, as the view asks."""
        match message:
            case {"do": "poll"}:
                self.refresh()
            case {"do": "clear"}:
                self.clear()
            case {
                "do": "line",
                "latency_ms": int() | float() as latency,
                "kbytes_per_s": int() | float() as rate,
            }:
                self._set_line(float(latency), float(rate))
        return False

    @traitlets.observe("paused")
    def _pause_ended(self, change: dict[str, object]) -> None:
        if change["new"] is False:
            self._known = -1
            self.refresh()

    def _set_line(self, latency_ms: float, kbytes_per_s: float) -> None:
        source = self._source
        if isinstance(source, Line):
            latency = min(max(latency_ms, _FASTEST_MS), _SLOWEST_MS)
            source.set_network(latency_ms=latency, kbytes_per_s=kbytes_per_s if kbytes_per_s > 0 else None)
            self._say_line(source)

    def _say_line(self, source: Line) -> None:
        network = source.network()
        self.line = {
            "latency_ms": network.get("latency_ms") or 0,
            "kbytes_per_s": network.get("kbytes_per_s") or 0,
        }

    def _show(self, found: Waterfall) -> None:
        self._waterfall = found
        with self.hold_sync():
            self.bars = [asdict(bar) for bar in found.bars]
            self.picture_of = {
                "folder": found.folder,
                "ticks": [list(tick) for tick in found.ticks],
                "cuts": list(found.cuts),
            }
            self.sums = {
                "requests": f"{found.totals.count:,}",
                "bytes": bytes_text(found.totals.nbytes),
                "time": duration_text(found.totals.ms),
            }
            self.text = found.sentence

    def draw(self, figure: Figure) -> None:
        """Draw the latest requests as horizontal bars."""
        bars = self._waterfall.bars[-_DRAWN:]
        axes = figure.subplots()
        axes.set_title(f"Requests: {self.text}", loc="left", fontsize=10)
        rows = range(len(bars))
        axes.barh(
            rows,
            [max(bar.width, 0.002) for bar in bars],
            left=[bar.start for bar in bars],
            color=[OKABE_ITO["blue"] if bar.ok else OKABE_ITO["vermilion"] for bar in bars],
            height=0.7,
        )
        labels = [_short(bar.key if bar.ok else f"{bar.status} {bar.key}") for bar in bars]
        axes.set_yticks(rows, labels, fontsize=7, parse_math=False)
        ticks = self._waterfall.ticks
        axes.set_xticks([at for at, _ in ticks], [text for _, text in ticks], fontsize=8)
        axes.set_xlim(0, 1)
        axes.invert_yaxis()
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
        for at in self._waterfall.cuts:
            axes.axvline(at, color="0.6", linestyle=":", linewidth=1)


def _short(text: str, most: int = 44) -> str:
    return text if len(text) <= most else f"…{text[-most:]}"
