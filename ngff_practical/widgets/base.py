"""What every widget is built on: one JavaScript module, a text twin, a still picture, one way to be asked."""

from __future__ import annotations

import base64
import io
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import anywidget
import traitlets

from ngff_practical.errors import NgffPracticalError
from ngff_practical.model.wording import escaped
from ngff_practical.widgets.lettering import spell
from ngff_practical.widgets.surprises import unexpected

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STATIC = Path(__file__).with_name("static")

type Message = Mapping[str, object]

_LONGEST = 2000  # signs of a line, where there is only text

_LOST = ".jp-OutputArea-child:has(> .jupyter-widgets):not(:has(.ngff))"  # Jupyter found no model for it
_AGAIN = f"""<div hidden class="ngff-again">
This view worked with a kernel that has gone. Run its cell once more, and it is back.
</div>
<style>
.jp-OutputArea-child:has(.ngff-again) {{ display: none; }}
{_LOST} + .jp-OutputArea-child:has(.ngff-again) {{ display: flex; animation: ngff-again 0s 1s both; }}
{_LOST} + .jp-OutputArea-child .ngff-again {{
  display: block; padding: 8px 12px; border-left: 4px solid #e69f00;
  background: var(--jp-layout-color2, #f2f2f2);
}}
@keyframes ngff-again {{ from {{ visibility: hidden; }} to {{ visibility: visible; }} }}
</style>"""  # the second's delay: a view that is being loaded is no lost one

_drawing = threading.Lock()


def script(name: str) -> str:
    """Return the ES module of a widget: what all share, then its own; it imports nothing."""
    return "\n".join((STATIC / part).read_text(encoding="utf-8") for part in ("shared.js", f"{name}.js"))


def style(name: str) -> str:
    """Return the style sheet of a widget: what all share, then its own."""
    return "\n".join((STATIC / part).read_text(encoding="utf-8") for part in ("shared.css", f"{name}.css"))


class Widget(anywidget.AnyWidget):
    """A view with a text twin (`text`), a still picture for static pages, and room for a `notice`.

    A subclass sets `_esm = script(NAME)` and `_css = style(NAME)`, answers messages in `receive`, draws
    itself in `draw` and keeps `text` up to date. Messages arrive in threads of their own: what they change
    is kept under `self._lock`.
    """

    text = traitlets.Unicode("", help="What the picture shows, in words.").tag(sync=True)
    notice = traitlets.Unicode("", help="What went wrong, and the way out.").tag(sync=True)
    picture_size = (7.0, 3.0)  # inches, of the still picture

    def __init__(self) -> None:
        self._lock = threading.RLock()
        super().__init__()
        self.on_msg(self._received)

    def open(self) -> None:
        """Open the way to the page; what a person does there is answered while a cell runs, too."""
        super().open()
        if self.comm is not None:
            # ipykernel 7.4 takes messages to where the widget last spoke from: as a rule a cell, and one
            # that runs holds them up. Without this they go where the page sends them, beside the cells.
            self.comm._reply_subshell_for = None

    def receive(self, message: Message, buffers: Sequence[memoryview]) -> bool:
        """Answer a message of the view; True where `done` will be sent later, by `finish`."""
        return False

    def draw(self, figure: Figure) -> None:
        """Draw what the widget shows now, for pages that run no JavaScript."""
        figure.text(0.02, 0.95, self.text, va="top", wrap=True)

    def picture(self) -> bytes:
        """Return the still picture as a PNG."""
        from matplotlib.figure import Figure

        with _drawing:  # matplotlib's font cache does not take two threads
            figure = Figure(figsize=self.picture_size, dpi=110, layout="constrained", facecolor="white")
            self.draw(figure)
            spell(figure)
            drawn = io.BytesIO()
            figure.savefig(drawn, format="png")
        return drawn.getvalue()

    def finish(self, message: Message) -> None:
        """Tell the view that its question is answered, so that it may ask the next one."""
        if isinstance(message.get("ask"), int):
            self.send({"done": message["ask"]})

    def _received(self, _widget: object, message: object, buffers: Sequence[memoryview]) -> None:
        if not isinstance(message, dict):
            return
        later = False
        try:
            later = self.receive(message, buffers)
        except NgffPracticalError as error:
            self.notice = str(error)
        except BaseException as error:
            self.notice = unexpected(error)
            raise
        finally:
            if not later:
                self.finish(message)

    def __repr__(self) -> str:
        said = "\n".join(escaped(line, limit=_LONGEST) for line in self.text.split("\n"))
        return said or f"{type(self).__name__}()"

    def _ipython_display_(self) -> None:
        """Show the view, and a sentence that appears where a page finds no kernel for it.

        After a restart a page that is opened again says "model not found" in the view's place, and nothing
        of the view runs that could say more.
        """
        from IPython.display import display

        bundle = self._repr_mimebundle_()
        if bundle is not None:
            data, metadata = bundle
            display(data, metadata=metadata, raw=True)  # type: ignore[no-untyped-call]
            display({"text/html": _AGAIN, "text/plain": ""}, raw=True)  # type: ignore[no-untyped-call]

    def _repr_mimebundle_(self, **_: object) -> tuple[dict[str, object], dict[str, object]] | None:
        bundle = super()._repr_mimebundle_()
        if bundle is None:
            return None
        data, metadata = bundle
        picture = base64.b64encode(self.picture()).decode()
        # The view comes first where there is a kernel; GitHub and nbconvert take the picture.
        return {**data, "text/plain": repr(self), "image/png": picture}, metadata
