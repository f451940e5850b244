"""The latency model: how many objects, how many bytes, which line; and where the time goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import traitlets

from ngff_practical.widgets.base import Message, Widget, script, style
from ngff_practical.widgets.colours import OKABE_ITO
from ngff_practical.widgets.waiting import LINES, YOURS, Line, Load, cost, seconds_text, sentence, told

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CHOICES = {
    "objects": (1, 3, 9, 30, 100, 300, 571, 1_000, 3_000, 10_000, 100_000, 1_000_000),
    "megabytes": (0.1, 0.3, 1, 2, 5, 10, 30, 100, 300, 1_000, 10_000, 100_000, 437_000),
    "at_once": (1, 2, 4, 8, 16, 32, 64),
    "latency_ms": (0.01, 0.1, 1, 2, 5, 10, 20, 30, 50, 80, 100, 150, 200, 300),
    "mbit_per_s": (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 10_000),
}


class LatencyModel(Widget):
    """How long fetching objects takes over several lines: requests x latency / at once + bytes / bandwidth.

    ```python
    LatencyModel(objects=571, megabytes=2)
    ```
    A model, not a measurement: `RequestMeter` measures.
    """

    _esm = script("latency")
    _css = style("latency")
    picture_size = (8.0, 2.8)

    rows: traitlets.List[object] = traitlets.List(help="Line, shares of waiting and moving, words.").tag(
        sync=True
    )
    setting = traitlets.Dict(help="What is chosen, and what there is to choose from.").tag(sync=True)

    def __init__(self, objects: int = 571, megabytes: float = 2, at_once: int = 1) -> None:
        super().__init__()
        self._load = Load(max(objects, 1), round(max(megabytes, 0) * 1e6), max(at_once, 1))
        self._line = Line(YOURS, 50, 50)
        self._show()

    @property
    def lines(self) -> tuple[Line, ...]:
        """The lines that are compared; the last one is the person's own."""
        return (*LINES, self._line)

    def seconds(self, name: str = YOURS) -> float:
        """Return how long the load takes over a line, by its name."""
        return next(cost(self._load, line).seconds for line in self.lines if line.name == name)

    def receive(self, message: Message, buffers: Sequence[memoryview]) -> bool:
        """Change one choice."""
        match message:
            case {"do": str() as what, "value": int() | float() as value} if value in CHOICES.get(what, ()):
                with self._lock:
                    if what == "megabytes":
                        self._load = replace(self._load, nbytes=round(value * 1e6))
                    elif what == "objects":
                        self._load = replace(self._load, objects=int(value))
                    elif what == "at_once":
                        self._load = replace(self._load, at_once=int(value))
                    elif what == "latency_ms":
                        self._line = replace(self._line, latency_ms=value)
                    else:
                        self._line = replace(self._line, mbit_per_s=value)
                    self._show()
        return False

    def _show(self) -> None:
        costs = [cost(self._load, line) for line in self.lines]
        longest = max(each.seconds for each in costs)
        chosen = {
            "objects": self._load.objects,
            "megabytes": self._load.nbytes / 1e6,
            "at_once": self._load.at_once,
            "latency_ms": self._line.latency_ms,
            "mbit_per_s": self._line.mbit_per_s,
        }
        with self.hold_sync():
            self.rows = [
                {
                    "line": told(line),
                    "waiting": each.waiting_s / longest,
                    "moving": each.moving_s / longest,
                    "words": [seconds_text(part) for part in (each.waiting_s, each.moving_s, each.seconds)],
                }
                for line, each in zip(self.lines, costs, strict=True)
            ]
            self.setting = {"chosen": chosen, "choices": {name: list(each) for name, each in CHOICES.items()}}
            self.text = sentence(self._load, self.lines)

    def draw(self, figure: Figure) -> None:
        """Draw a bar for each line: waiting, then moving."""
        axes = figure.subplots()
        figure.suptitle(self.text.partition(". ")[0], x=0.02, ha="left", fontsize=10, parse_math=False)
        costs = [cost(self._load, line) for line in self.lines]
        places = range(len(costs))
        waiting = [each.waiting_s for each in costs]
        axes.barh(places, waiting, color=OKABE_ITO["orange"], label="waiting")
        axes.barh(
            places, [each.moving_s for each in costs], left=waiting, color=OKABE_ITO["blue"], label="moving"
        )
        for place, each in zip(places, costs, strict=True):
            axes.text(each.seconds, place, f" {seconds_text(each.seconds)}", va="center", fontsize=8)
        axes.set_yticks(places, [told(line) for line in self.lines], fontsize=8)
        axes.set_xlim(0, 1.15 * max(each.seconds for each in costs))
        axes.set_xlabel("seconds", fontsize=8)
        axes.invert_yaxis()
        axes.legend(fontsize=8, frameon=False, loc="lower right")
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
