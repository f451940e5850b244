"""The conversion planner: choose chunks, shards, levels and codec, and see the cost before writing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import traitlets

from ngff_practical.convert import Prediction, convert, predict
from ngff_practical.errors import PlanError
from ngff_practical.model import ConversionReport, Place, Pyramid, Shape, StackSource
from ngff_practical.pyramid.plan import CODECS
from ngff_practical.widgets.base import Message, Widget, script, style
from ngff_practical.widgets.colours import OKABE_ITO
from ngff_practical.widgets.planning import (
    COSTS,
    HEAD,
    SHARDS,
    VERSIONS,
    Wanted,
    command,
    cost_rows,
    level_rows,
    most_levels,
    plan,
    sentence,
    sides,
)
from ngff_practical.widgets.waiting import YOURS, Line

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_LEVELS = 12


class ConversionPlanner(Widget):
    """What a conversion would take, before a byte is written; a sample of the stack is compressed for real.

    ```python
    planner = ConversionPlanner(find_stack("planes/"))
    planner  # choose
    planner.convert("embryo.ome.zarr")  # or: convert_stack(source, "embryo.ome.zarr", planner.pyramid)
    ```
    After `convert` what was measured stands beside what was predicted.
    """

    _esm = script("planner")
    _css = style("planner")
    picture_size = (8.0, 3.6)

    head = traitlets.List(list(HEAD)).tag(sync=True)
    cost_head = traitlets.List(list(COSTS)).tag(sync=True)
    rows: traitlets.List[object] = traitlets.List(help="A row for each level.").tag(sync=True)
    costs: traitlets.List[object] = traitlets.List(help="Predicted beside measured.").tag(sync=True)
    command = traitlets.Unicode("", help="The same conversion on the command line.").tag(sync=True)
    setting = traitlets.Dict(help="What is chosen, and what there is to choose from.").tag(sync=True)

    def __init__(self, source: StackSource, destination: str = "") -> None:
        super().__init__()
        self._source = source
        self._destination = destination or f"{source.name}.ome.zarr"
        self._known: dict[Pyramid, Prediction] = {}
        self._line = Line(YOURS, latency_ms=30, mbit_per_s=100)
        self._report: ConversionReport | None = None
        self._most_levels = most_levels(source, _MOST_LEVELS)
        self._take(Wanted())

    @property
    def pyramid(self) -> Pyramid:
        """The plan as it is chosen now."""
        return self._pyramid

    @property
    def prediction(self) -> Prediction:
        """What carrying out the plan would take."""
        return self._known[self._pyramid]

    def choose(
        self,
        *,
        chunks: Shape | None = None,
        shards: str | None = None,
        levels: int | None = None,
        codec: str | None = None,
        version: str | None = None,
    ) -> None:
        """Choose as in the view; `shards` is "auto", "none" or a number of chunks along z, y and x.

        Raises
        ------
        PlanError
            The choices do not fit; the plan stays as it was.
        """
        with self._lock:
            now = self._wanted
            self._take(
                Wanted(
                    chunks or now.chunks,
                    shards or now.shards,
                    levels or now.levels,
                    codec or now.codec,
                    version or now.version,
                )
            )

    def convert(self, destination: str | Place = "", *, overwrite: bool = False) -> ConversionReport:
        """Carry the plan out, and show what it took beside what was predicted.

        Raises
        ------
        ExistsError, StorageError, StackError, ConversionError
            As `ngff_practical.convert.convert`.
        """
        report = convert(self._source, destination or self._destination, self._pyramid, overwrite=overwrite)
        self.measured(report)
        return report

    def measured(self, report: ConversionReport) -> None:
        """Show what a conversion of this plan took beside the prediction.

        Raises
        ------
        PlanError
            It was of another plan.
        """
        if report.pyramid != self._pyramid:
            raise PlanError(
                f"the report is of a plan with {report.pyramid.objects} objects, this one has "
                f"{self._pyramid.objects}; choose the same, or convert with this plan"
            )
        with self._lock:
            self._report = report
            self._show()

    def receive(self, message: Message, buffers: Sequence[memoryview]) -> bool:
        """Change one choice."""
        with self._lock:
            now = self._wanted
            self.notice = ""  # so that a second refusal is news, too, and the view takes the choice back
            match message:
                case {"do": "chunk", "axis": int() as axis, "size": int() as size} if (
                    0 <= axis < len(self._source.shape)
                ):
                    chunks = list(self._pyramid.levels[0].chunks)
                    chunks[axis] = min(max(size, 1), self._source.shape[axis])
                    self._take(replace(now, chunks=tuple(chunks)))
                case {"do": "auto"}:
                    self._take(Wanted(version=now.version))
                case {"do": "shards", "value": str() as value} if value in SHARDS:
                    self._take(replace(now, shards=value))
                case {"do": "codec", "value": str() as value} if value in CODECS:
                    self._take(replace(now, codec=value))
                case {"do": "version", "value": str() as value} if value in VERSIONS:
                    self._take(replace(now, version=value))
                case {"do": "levels", "value": int() as value} if 1 <= value <= _MOST_LEVELS:
                    self._take(replace(now, levels=value))
                case {
                    "do": "line",
                    "mbit_per_s": int() | float() as rate,
                    "latency_ms": int() | float() as latency,
                } if rate > 0 and latency >= 0:
                    self._line = Line(YOURS, float(latency), float(rate))
                    self._show()
        return False

    def _take(self, wanted: Wanted) -> None:
        pyramid = plan(self._source, wanted)
        if pyramid not in self._known:
            self._known[pyramid] = predict(self._source, pyramid)
        if self._report and self._report.pyramid != pyramid:
            self._report = None
        self._wanted, self._pyramid = wanted, pyramid
        self.notice = ""
        self._show()

    def _show(self) -> None:
        prediction, first = self.prediction, self._pyramid.levels[0]
        with self.hold_sync():
            self.rows = [list(row) for row in level_rows(self._pyramid, prediction)]
            self.costs = [list(row) for row in cost_rows(prediction, self._line, self._report)]
            self.command = command(self._source, self._pyramid, self._wanted, self._destination)
            self.setting = {
                "axes": [
                    [axis.name, index, list(sides(self._source.shape[index])), first.chunks[index]]
                    for index, axis in enumerate(self._source.axes)
                    if axis.type == "space" and self._source.shape[index] > 1
                ],
                "shards": self._wanted.shards,
                "codec": self._wanted.codec,
                "version": self._wanted.version,
                "levels": len(self._pyramid.levels),
                "most_levels": self._most_levels,
                "choices": {"shards": list(SHARDS), "codec": list(CODECS), "version": list(VERSIONS)},
                "mbit_per_s": self._line.mbit_per_s,
                "latency_ms": self._line.latency_ms,
                "measured": self._report is not None,
            }
            self.text = sentence(self._pyramid, prediction, self._line)

    def draw(self, figure: Figure) -> None:
        """Draw the stored bytes of each level, with the costs beside them."""
        figure.suptitle(self._pyramid.name[:80], x=0.02, ha="left", fontsize=11)
        bars, words = figure.subplots(1, 2, width_ratios=(3, 2))
        levels = level_rows(self._pyramid, self.prediction)[:-1]
        sizes = self.prediction.level_bytes
        bars.barh(range(len(sizes)), sizes, color=OKABE_ITO["blue"], height=0.6)
        bars.set_yticks(range(len(sizes)), [f"level {level.path}" for level in self._pyramid.levels])
        bars.set_xticks([])
        bars.invert_yaxis()
        for row, (size, level) in enumerate(zip(sizes, levels, strict=True)):
            bars.text(size, row, f" {level[5]}, {level[4]} objects", va="center", fontsize=8)
        bars.set_xlim(0, max(sizes) * 1.6)
        for side in ("top", "right", "bottom"):
            bars.spines[side].set_visible(False)
        costs = cost_rows(self.prediction, self._line, self._report)
        words.set_axis_off()
        for row, (name, said, took) in enumerate(costs):
            line = f"{name}: {said}" + (f" (measured {took})" if took else "")
            words.text(0, 0.9 - 0.16 * row, line, fontsize=9)
