"""A task in the notebook: its text, and a row of buttons for those who rather click than type code."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ngff_practical.course.blank import ____
from ngff_practical.course.show import Box
from ngff_practical.course.task import Task

if TYPE_CHECKING:
    import ipywidgets


@dataclass(frozen=True, slots=True)
class Prose:
    """Text that a notebook shows as Markdown."""

    text: str

    def __repr__(self) -> str:
        return self.text

    def _repr_markdown_(self) -> str:
        return self.text


def show_task(task: Task) -> None:
    """Show a task and its buttons in the running notebook; elsewhere nothing is shown."""
    display = getattr(builtins, "display", None)  # IPython puts it there
    if callable(display):
        display(Prose(task.text))
        display(button_row(task))


def button_row(task: Task) -> ipywidgets.VBox:
    """Return a field for an answer that can be typed, buttons, and room for what they say.

    The verdict stands above, and each hint below those before it: a hint is read beside what it is for.
    """
    import ipywidgets

    field = ipywidgets.Text(
        placeholder="a short answer, if you rather click",
        description="Answer",
        layout=ipywidgets.Layout(width="26em"),
    )
    verdict, helped = ipywidgets.HTML(), ipywidgets.HTML()
    shown: list[str] = []

    def check() -> None:
        verdict.value = _of_field(task, field.value).html()

    def help_with(box: Box) -> None:
        if box.html() not in shown:
            shown.append(box.html())
            helped.value = "".join(shown)

    row: list[ipywidgets.Widget] = [field] if task.typed else []
    actions: list[tuple[str, str, Callable[[], None]]] = [
        ("Hint", "Show the next hint", lambda: help_with(task.hint())),
        ("Solution", "Show one way to do it", lambda: help_with(task.solution().box)),
    ]
    if task.typed:
        actions.insert(0, ("Check", "Check what is in the field", check))
    for name, tooltip, action in actions:
        button = ipywidgets.Button(description=name, tooltip=tooltip, layout=ipywidgets.Layout(width="7em"))
        button.on_click(_without_argument(action))
        row.append(button)
    line = ipywidgets.HBox(row, layout=ipywidgets.Layout(flex_flow="row wrap"))
    return ipywidgets.VBox([line, verdict, helped])


def literal(text: str) -> object:
    """Return what a person means who types `12`, `(1, 64, 64)` or a word without quotation marks."""
    bare = text.strip()
    if bare in ("", "____"):
        return ____
    try:
        found: object = ast.literal_eval(bare)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return bare
    return found


def _of_field(task: Task, value: str) -> Box:
    """Return the verdict on the field, told apart from that on the cell below it."""
    box = task.check(literal(value)).box
    return replace(box, title=f"{box.title}: the answer in the field")


def _without_argument(action: Callable[[], None]) -> Callable[[ipywidgets.Button], None]:
    return lambda _: action()
