"""The panel of a task: look first, then run, stop, resume; what the task is a subclass says."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import traitlets

from ngff_practical.widgets.base import Message, Widget, script, style
from ngff_practical.widgets.colours import OKABE_ITO
from ngff_practical.widgets.working import Job, Progress

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SHOWN_EVERY_S = 0.15
_VERBS = {"stopped": "Resume", "failed": "Resume", "done": "Again"}


class TaskPanel(Widget):
    """A task with a dry run, progress, stop and resume; it works in a thread, so that cells can run on.

    A subclass says what it does in `look` (without doing it) and `work` (which reports each step), both as
    a sentence for the person.
    """

    _esm = script("panels")
    _css = style("panels")
    picture_size = (7.0, 1.8)
    title = "Work"
    noun = "object"
    verb = "Start"
    check = "Now it is checked."  # what is said between the last step and the end
    repeats = True  # whether it can be done again once it is done

    shown = traitlets.Dict(help="State, share done, and what is said.").tag(sync=True)

    def __init__(self, source: str, destination: str) -> None:
        super().__init__()
        self._ends = (source, destination)
        self._job: Job | None = None
        self._looked = ""
        self._last = 0.0
        self._show()

    def look(self) -> str:
        """Return what the work would do; nothing is changed."""
        raise NotImplementedError

    def work(self, on_step: Callable[[int, int], None]) -> str:
        """Do it, verify it, and return what was done."""
        raise NotImplementedError

    @property
    def state(self) -> str:
        """How far it is: ready, working, stopping, stopped, failed or done."""
        return self._job.state if self._job else "ready"

    @property
    def may_start(self) -> bool:
        """Whether there is something to look at or to begin: not while it works, nor where all is done."""
        return self.state not in ("working", "stopping") and (self.state != "done" or self.repeats)

    def start(self) -> None:
        """Begin, or go on where it was stopped; returns at once."""
        with self._lock:
            if self._job and self._job.state in ("working", "stopping"):
                return
            self.notice, self._looked = "", ""
            self._job = Job(self.work, self._changed)
            self._job.start()
        self._show()

    def stop(self) -> None:
        """End at the next step; what is done is kept."""
        if self._job:
            self._job.stop()

    def wait(self, seconds: float = 60.0) -> None:
        """Wait until the work has ended, as in a script."""
        if self._job:
            self._job.wait(seconds)

    def receive(self, message: Message, buffers: Sequence[memoryview]) -> bool:
        """Look, start or stop, as a person asks."""
        match message:
            case {"do": "look"} if self.may_start:
                self.notice = ""
                self._looked = self.look()
                self._show()
            case {"do": "start"} if self.may_start:
                self.start()
            case {"do": "stop"}:
                self.stop()
        return False

    def _changed(self) -> None:
        """Show progress a few times a second, and every end at once."""
        now = time.monotonic()
        through = self._job is not None and self._job.progress.through
        if self.state != "working" or through or now - self._last >= _SHOWN_EVERY_S:
            self._last = now
            self._show()

    def _show(self) -> None:
        with self._lock:
            job, state = self._job, self.state
            progress = job.progress if job else Progress(0, 0, 0, 0.0)
            said = self._said(state, progress)
            with self.hold_sync():
                if job and state == "failed":
                    self.notice = job.said
                looked = bool(self._looked)  # what was done before is no mark of what would be
                self.shown = {
                    "title": self.title,
                    "verb": _VERBS.get(state, self.verb) if self.may_start else self.verb,
                    "may_start": self.may_start,
                    "state": "ready" if looked else state,
                    "share": 0.0 if looked else 1.0 if state == "done" else progress.share,
                    "source": self._ends[0],
                    "destination": self._ends[1],
                    "said": said,
                }
                self.text = f"{self.title}: {self._ends[0]} to {self._ends[1]}. {said}"

    def _said(self, state: str, progress: Progress) -> str:
        going = progress.sentence(self.noun) if progress.total else "Reading what is there."
        if progress.through:
            going = f"{going}. {self.check}"
        if state == "ready" or self._looked:
            return self._looked or "Nothing is done yet."
        if state == "stopped":
            return f"Stopped. {self._way_on(progress)}"
        if state == "done" and self._job:
            return self._job.said
        return {"working": going, "stopping": "Stopping: what is on its way is finished first."}.get(
            state, "It did not end well."
        )

    def _way_on(self, progress: Progress) -> str:
        # what was on its way when it was stopped came through, uncounted
        done = (
            f"At least {progress.done:,} of {progress.total:,} {self.noun}s are done. "
            if progress.total
            else ""
        )
        return f"{done}What is done is kept: resume goes on from there."

    def draw(self, figure: Figure) -> None:
        """Draw how far it is."""
        axes = figure.subplots()
        share = float(self.shown["share"])
        axes.barh([0], [1], color="0.9", height=0.4)
        axes.barh(
            [0], [share], color=OKABE_ITO["green" if self.shown["state"] == "done" else "blue"], height=0.4
        )
        axes.set(xlim=(0, 1), ylim=(-0.5, 0.9))
        axes.set_axis_off()
        axes.text(0, 0.45, f"{self.title}: {self.shown['said']}"[:100], fontsize=8, parse_math=False)
