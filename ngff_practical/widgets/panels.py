"""Panels that upload, download and convert: each looks first, and ends verified."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ngff_practical.convert import convert, predict
from ngff_practical.errors import StorageError
from ngff_practical.meter import bytes_text, duration_text
from ngff_practical.model import Location, Place, Pyramid, StackSource, TransferReport
from ngff_practical.pyramid import plan_pyramid
from ngff_practical.storage import parse_place
from ngff_practical.transfer import download, upload, verify, verify_copy
from ngff_practical.widgets.counting import counted
from ngff_practical.widgets.task_panel import TaskPanel
from ngff_practical.widgets.working import Progress


class UploadPanel(TaskPanel):
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
        return _done(report, "sent", len(problems), "the manifest")


class DownloadPanel(TaskPanel):
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
        said = _done(report, "fetched", len(compared.problems), "what the server gives out")
        unproven = report.objects - report.verified
        return f"{said} No checksum proves {counted(unproven, 'object')} of them." if unproven else said


class ConvertPanel(TaskPanel):
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


def _done(report: TransferReport, done: str, problems: int, truth: str) -> str:
    already = f", {report.skipped:,} were there already" if report.skipped else ""
    words = (
        f"{counted(report.copied, 'object')} {done}{already}: {bytes_text(report.nbytes)} in all. "
        f"It took {duration_text(report.seconds * 1000)}."
    )
    if problems:
        return f"{words} {counted(problems, 'object')} are not as they should be: run it again."
    return f"{words} Verified: every object was compared with {truth}."
