"""Panels that upload, download and convert: look first, then run, stop, resume, and end verified."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import traitlets

from ngff_practical.convert import convert, predict
from ngff_practical.errors import StorageError
from ngff_practical.meter import bytes_text, duration_text
from ngff_practical.model import Location, Place, Pyramid, StackSource, TransferReport
from ngff_practical.pyramid import plan_pyramid
from ngff_practical.storage import parse_place
from ngff_practical.transfer import download, upload, verify, verify_copy
from ngff_practical.widgets.base import Message, Widget, script, style
from ngff_practical.widgets.colours import OKABE_ITO
from ngff_practical.widgets.counting import counted
from ngff_practical.widgets.working import Job, Progress

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SHOWN_EVERY_S = 0.15
_VERBS = {"stopped": "Resume", "failed": "Resume", "done": "Again"}


class Panel(Widget):
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


class UploadPanel(Panel):
    """Send an image to S3: chunks first, root metadata last, and every object compared afterwards.

    ```python
    UploadPanel("embryo.ome.zarr", server.location("practical", "ada/embryo.ome.zarr"))
    ```
    """

    title, verb, check = "Upload", "Upload", "Now every object is compared with the manifest."

    def __init__(self, source: str | Path, destination: str | Location, *, overwrite: bool = False) -> None:
        self._source, self._destination = Path(source), _location(destination)
        self._overwrite = overwrite
        super().__init__(str(source), str(self._destination))

    def look(self) -> str:
        """Return what would be sent."""
        report = upload(self._source, self._destination, overwrite=self._overwrite, dry_run=True)
        more = (
            f"; {counted(len(report.problems), 'object')} there would be deleted" if report.problems else ""
        )
        return f"{_would(report, 'sent')}{more}."

    def work(self, on_step: Callable[[int, int], None]) -> str:
        """Send it, then compare what is there with the manifest."""
        report = upload(self._source, self._destination, overwrite=self._overwrite, on_object=on_step)
        problems = verify(report.manifest, self._destination)
        return _done(report, "sent", len(problems))


class DownloadPanel(Panel):
    """Fetch an image from S3 into a new folder, and compare every object afterwards.

    ```python
    DownloadPanel("s3://idr/zarr/v0.4/idr0062A/6001240.zarr", "6001240.zarr")
    ```
    """

    title, verb, check = "Download", "Download", "Now every object is compared."

    def __init__(self, source: str | Location, destination: str | Path, *, overwrite: bool = False) -> None:
        self._source, self._destination = _location(source), Path(destination)
        self._overwrite = self.repeats = overwrite
        super().__init__(str(self._source), str(destination))

    def look(self) -> str:
        """Return what would be fetched."""
        report = download(self._source, self._destination, overwrite=self._overwrite, dry_run=True)
        return f"{_would(report, 'fetched')}."

    def work(self, on_step: Callable[[int, int], None]) -> str:
        """Fetch it, then compare the copy with what is on the server."""
        report = download(self._source, self._destination, overwrite=self._overwrite, on_object=on_step)
        compared = verify_copy(self._destination, self._source)
        return _done(report, "fetched", len(compared.problems))


class ConvertPanel(Panel):
    """Write a TIFF stack as an OME-Zarr image, counted and read back.

    ```python
    ConvertPanel(find_stack("planes/"), "embryo.ome.zarr")
    ```
    A conversion that is stopped leaves nothing that opens as an image, and begins anew.
    """

    title, verb, noun = "Convert", "Convert", "slab"
    check = "Now a sample of each level is read back."

    def __init__(
        self,
        source: StackSource,
        destination: str | Place,
        pyramid: Pyramid | None = None,
        *,
        overwrite: bool = False,
    ) -> None:
        self._source, self._destination = source, destination
        self._pyramid = pyramid or plan_pyramid(source)
        self._overwrite = self.repeats = overwrite
        super().__init__(source.name, str(destination))

    def look(self) -> str:
        """Return what would be written."""
        found = predict(self._source, self._pyramid)
        return (
            f"{counted(found.objects, 'object')}, about {bytes_text(found.nbytes)}, would be written in "
            f"about {duration_text(found.seconds * 1000)}, with up to "
            f"{bytes_text(found.peak_memory_bytes)} of memory."
        )

    def work(self, on_step: Callable[[int, int], None]) -> str:
        """Write it; samples of every level are read back and compared."""
        report = convert(
            self._source, self._destination, self._pyramid, overwrite=self._overwrite, on_slab=on_step
        )
        return (
            f"{counted(report.objects, 'object')}, {bytes_text(report.nbytes)}, written in "
            f"{duration_text(report.seconds * 1000)}; counted, and a sample of each level read back."
        )

    def _way_on(self, progress: Progress) -> str:
        return "Nothing is left that opens as an image; resuming begins anew."


def _location(place: str | Location) -> Location:
    found = parse_place(place) if isinstance(place, str) else place
    if not isinstance(found, Location):
        raise StorageError(f"{found} is a folder of this computer; give a place on S3: s3://bucket/key")
    return found


def _would(report: TransferReport, done: str) -> str:
    return (
        f"{counted(report.copied, 'object')} of {report.objects:,} would be {done}, "
        f"{counted(report.skipped, 'object')} are there already; {bytes_text(report.nbytes)} in all"
    )


def _done(report: TransferReport, done: str, problems: int) -> str:
    already = f", {report.skipped:,} were there already" if report.skipped else ""
    words = (
        f"{counted(report.copied, 'object')} {done}{already}: {bytes_text(report.nbytes)} in all. "
        f"It took {duration_text(report.seconds * 1000)}."
    )
    if problems:
        return f"{words} {counted(problems, 'object')} are not as they should be: run it again."
    return f"{words} Verified: every object was compared with the manifest."
