"""The plate map: wells by presence; choosing one shows its key and a small picture of its first field."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import prod
from typing import TYPE_CHECKING

import traitlets

from ngff_practical.errors import MetadataError, NgffPracticalError
from ngff_practical.inspection import describe, describe_image
from ngff_practical.metadata import path_fault
from ngff_practical.model import Place
from ngff_practical.storage import parse_place
from ngff_practical.widgets.base import Message, Widget, script, style
from ngff_practical.widgets.colours import OKABE_ITO
from ngff_practical.widgets.opening import first_that_opens
from ngff_practical.widgets.pixels import Grey, Levels, contrast, grey, plane_axes
from ngff_practical.widgets.wells import Plate, plate_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_PIXELS = 4_000_000  # of a field whose coarsest level is still large
_LOOKS = {"there": "blue", "missing": "vermilion", "unnamed": "purple", "unasked": "sky"}
_MARKS = {"there": "o", "missing": "x", "unnamed": "D", "unasked": "s"}
_SAID = {
    "there": "named and there",
    "missing": "named, but not there",
    "unnamed": "there, but not named",
    "unasked": "named; whether it is there nobody says",
    "empty": "neither named nor there",
}


class PlateMap(Widget):
    """The wells of a plate: which the metadata name, which are really there, and what a well looks like.

    ```python
    PlateMap(server.location("idr", "zarr/v0.4/idr0001A/2551.zarr", anonymous=True))
    ```
    """

    _esm = script("plate")
    _css = style("plate")
    picture_size = (7.0, 4.0)

    rows: traitlets.List[object] = traitlets.List(help="Names of the rows.").tag(sync=True)
    columns: traitlets.List[object] = traitlets.List(help="Names of the columns.").tag(sync=True)
    wells: traitlets.List[object] = traitlets.List(help="Presence of each well, row by row.").tag(sync=True)
    chosen = traitlets.Dict(help="The chosen well, its key, and a picture.").tag(sync=True)

    def __init__(self, place: str | Place) -> None:
        super().__init__()
        self._place = parse_place(place) if isinstance(place, str) else place
        description = describe(self._place)
        if description.kind != "plate":
            found = "no OME-Zarr" if description.kind == "none" else f"this: {description.kind}"
            raise MetadataError(
                f"{self._place} is no plate but {found}; give a plate, whose metadata name wells"
            )
        self._plate: Plate = plate_of(self._place, description)
        with self.hold_sync():
            self.rows, self.columns = list(self._plate.rows), list(self._plate.columns)
            self.wells = [list(row) for row in self._plate.wells]
            self.text = self._plate.sentence

    def look(self, well: str) -> None:
        """Choose a well by its path: "A/1"."""
        with self._lock:
            row, _, column = well.partition("/")
            if row in self._plate.rows and column in self._plate.columns:
                self._choose(self._plate.rows.index(row), self._plate.columns.index(column))
            else:
                self.notice = f"the plate has no well {well}; its wells are row/column, as in A/1"

    def receive(self, message: Message, buffers: Sequence[memoryview]) -> bool:
        """Choose a well."""
        match message:
            case {"do": "well", "row": int() as row, "column": int() as column} if 0 <= row < len(
                self._plate.rows
            ) and 0 <= column < len(self._plate.columns):
                with self._lock:
                    self._choose(row, column)
        return False

    def _choose(self, row: int, column: int) -> None:
        presence = self._plate.wells[row][column]
        well = f"{self._plate.rows[row]}/{self._plate.columns[column]}"
        said = f"Well {well}: {_SAID[presence]}."
        picture: dict[str, object] = {}
        self.notice = ""
        if presence in ("there", "unnamed", "unasked") and not path_fault(well):
            try:
                fields = describe(self._place / well).images
                field, seen, self.notice = first_that_opens(fields, partial(self._field, well))
                said += f" Its first field {'that opens ' if self.notice else ''}is {well}/{field}."
                if seen is not None:
                    picture = {"height": seen.shape[0], "width": seen.shape[1], "grey": seen.tobytes()}
            except NgffPracticalError as error:
                self.notice = str(error)
        with self.hold_sync():
            self.chosen = {
                "row": row,
                "column": column,
                "key": str(self._place / well),
                "said": said,
                **picture,
            }
            self.text = f"{self._plate.sentence} {said} It is stored at {self._place / well}."

    def _field(self, well: str, name: str) -> Grey | None:
        """Return a field's coarsest level as a grey plane, None where even that is large."""
        if path_fault(name):
            raise MetadataError(f"the well {well} names no image that could be shown")
        place = self._place / well / name
        image = describe_image(place)
        level = image.levels[-1]
        if prod(level.shape[axis] for axis in plane_axes(image.axes)) > _MOST_PIXELS:
            return None
        values = Levels(place, image).middle_plane(len(image.levels) - 1)
        return grey(values, *contrast(values))

    def draw(self, figure: Figure) -> None:
        """Draw the wells as a grid of marks."""
        axes = figure.subplots()
        figure.suptitle(self._plate.sentence[:110], x=0.02, ha="left", fontsize=9)
        for presence, name in _LOOKS.items():
            spots = [
                (column, row)
                for row, wells in enumerate(self._plate.wells)
                for column, one in enumerate(wells)
                if one == presence
            ]
            if spots:
                x, y = zip(*spots, strict=True)
                axes.scatter(
                    x, y, s=60, color=OKABE_ITO[name], marker=_MARKS[presence], label=_SAID[presence]
                )
        axes.set_xticks(range(len(self._plate.columns)), [one[:6] for one in self._plate.columns], fontsize=7)
        axes.set_yticks(range(len(self._plate.rows)), [one[:6] for one in self._plate.rows], fontsize=7)
        axes.set(xlim=(-0.6, len(self._plate.columns) - 0.4), ylim=(len(self._plate.rows) - 0.4, -0.6))
        axes.xaxis.tick_top()
        axes.set_aspect("equal")
        if axes.get_legend_handles_labels()[0]:
            axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.02), ncols=3, fontsize=7, frameon=False)
