"""The wells of a plate: which of them the metadata name, and which are really there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ngff_practical.errors import StorageError
from ngff_practical.metadata import path_fault
from ngff_practical.model import Description, Place
from ngff_practical.storage import list_folder
from ngff_practical.widgets.counting import counted

type Presence = Literal["there", "missing", "unnamed", "unasked", "empty"]


@dataclass(frozen=True, slots=True)
class Plate:
    """A plate as a grid: `wells[row][column]` says whether a well is named and whether it is there."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    wells: tuple[tuple[Presence, ...], ...]
    note: str = ""

    def count(self, presence: Presence) -> int:
        """Return how many wells are so."""
        return sum(row.count(presence) for row in self.wells)

    @property
    def sentence(self) -> str:
        """What the plate holds, in words."""
        size = f"{counted(len(self.rows), 'row')} and {counted(len(self.columns), 'column')}"
        named = self.count("there") + self.count("missing") + self.count("unasked")
        words = f"A plate of {size}; its metadata name {counted(named, 'well')}"
        if self.count("unasked"):
            return f"{words}. {self.note}"
        words += f", {self.count('there'):,} of them are there."
        if self.count("missing"):
            words += f" {counted(self.count('missing'), 'named well')} cannot be found."
        if self.count("unnamed"):
            words += f" {counted(self.count('unnamed'), 'folder')} would be a well, but is not named."
        return words


def plate_of(place: Place, description: Description) -> Plate:
    """Return the plate at a place; one listing for each row says what is there."""
    rows, columns = description.rows, description.columns
    there: dict[str, frozenset[str] | None] = {}
    note = ""
    for row in rows:
        try:
            there[row] = frozenset() if path_fault(row) else frozenset(list_folder(place / row)[0])
        except FileNotFoundError:
            there[row] = frozenset()
        except StorageError as error:
            there[row], note = None, f"Nobody says which are there: {error}"
            break
    return Plate(rows, columns, grid(rows, columns, description.wells, there), note)


def grid(
    rows: Sequence[str],
    columns: Sequence[str],
    named: Sequence[str],
    there: Mapping[str, frozenset[str] | None],
) -> tuple[tuple[Presence, ...], ...]:
    """Return the presence of every well; a row that nobody listed is None in `there`, or not in it."""
    wanted = frozenset(named)
    return tuple(
        tuple(_presence(f"{row}/{column}" in wanted, there.get(row), column) for column in columns)
        for row in rows
    )


def _presence(named: bool, found: frozenset[str] | None, column: str) -> Presence:
    if found is None:
        return "unasked" if named else "empty"
    if column in found:
        return "there" if named else "unnamed"
    return "missing" if named else "empty"
