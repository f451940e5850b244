"""What the command line shows a person: compact pages with aligned columns; text from files is escaped."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ngff_practical.cli.documents import stated_unit, stated_voxel_size
from ngff_practical.cli.output import escape, show
from ngff_practical.model import (
    ConversionReport,
    Pyramid,
    StackSource,
    StoredObject,
    TransferReport,
)
from ngff_practical.model.wording import LEVEL_TITLES, bytes_text, level_texts, plural, shape_text

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from ngff_practical.convert import Prediction
    from ngff_practical.doctor import Check
    from ngff_practical.samples import Sample
    from ngff_practical.sharing import Reach, ViewerLink


def plan_page(source: StackSource, pyramid: Pyramid, prediction: Prediction) -> None:
    """Print what a conversion would write."""
    _source_lines(source)
    show(f"to        OME-Zarr {pyramid.version}, codec {pyramid.codec}")
    _written_table(pyramid, prediction.level_bytes)
    show(
        f"{prediction.objects} objects, about {bytes_text(prediction.nbytes)}, about "
        f"{bytes_text(prediction.peak_memory_bytes)} of memory, about {prediction.seconds:.1f} s"
    )


def conversion_page(report: ConversionReport, verify: str) -> None:
    """Print what a conversion has written."""
    _source_lines(report.source)
    show(f"to        {report.destination}, OME-Zarr {report.pyramid.version}, codec {report.pyramid.codec}")
    _written_table(report.pyramid, report.level_bytes)
    show(
        f"{report.objects} objects, {bytes_text(report.nbytes)}, peak memory "
        f"{bytes_text(report.peak_memory_bytes)}, {report.seconds:.1f} s"
    )
    proof = {
        "full": "all of it read back",
        "sample": "a sample of each level read back",
        "none": "not read back",
    }
    show(f"every object counted; {proof[verify]}")


def transfer_page(report: TransferReport, done: str) -> None:
    """Print what was copied and proven, and every problem; `done` is the verb in the past."""
    show(f"from      {report.source}")
    show(f"to        {report.destination}")
    if report.dry_run:
        verb = {"sent": "send", "fetched": "fetch"}.get(done, done)
        show(f"would {verb} {report.copied} of {report.objects} objects, {bytes_text(report.nbytes)} in all")
    else:
        show(
            f"{done} {report.copied} objects, skipped {report.skipped} already there, verified "
            f"{report.verified} of {report.objects} ({bytes_text(report.nbytes)}) in {report.seconds:.1f} s"
        )
        if report.verified < report.objects:
            show("note      what is not verified came twice alike, and no checksum of the server's proves it")
    for problem in report.problems:
        show(str(problem))


def comparison_page(report: TransferReport) -> None:
    """Print how many objects are the same byte for byte, and every problem."""
    show(f"local     {report.source}")
    show(f"copy      {report.destination}")
    for problem in report.problems:
        show(str(problem))
    show(
        f"{report.verified} of {report.objects} objects are the same, byte for byte "
        f"({bytes_text(report.nbytes)}, {report.seconds:.1f} s)"
    )
    if report.problems:
        show(f"not the same: {plural(len(report.problems), 'problem')}")


def listing_page(folders: tuple[str, ...], objects: tuple[StoredObject, ...]) -> None:
    """Print one level of a bucket: what ends in "/" is a prefix that keys share."""
    table = table_of("size", "key", right=(0,))
    for name in folders:
        table.add_row(*cells("", f"{name}/"))
    for stored in objects:
        table.add_row(*cells(bytes_text(stored.nbytes), stored.key))
    table.show_header = False
    print_table(table)


def doctor_page(checks: Sequence[Check], *, ready: bool) -> None:
    """Print what was checked, and what to do about what is wrong."""
    table = table_of("", "check", "found")
    for check in checks:
        table.add_row(*cells(check.verdict, check.name, check.found))
    print_table(table)
    for check in checks:
        if check.fix:
            show(f"{check.name}: {check.fix}")
    show("ready" if ready else "not ready")


def reach_page(found: Reach, links: Sequence[ViewerLink]) -> None:
    """Print who can see an image that was shared, and how to open it."""
    for problem in found.problems:
        show(f"note      {problem}")
    for link in links:
        show(f"{link.viewer:<19} {link.url or link.command}")


def samples_page(samples: tuple[Sample, ...]) -> None:
    """Print the catalogue; what the sandbox has a synthetic stand-in for is marked."""
    table = table_of("name", "version", "shape", "study", "licence", "offline", "what it shows")
    for sample in samples:
        table.add_row(
            *cells(
                sample.name,
                sample.version or "TIFF",
                f"{shape_text(sample.shape)} ({', '.join(sample.axes)})" if sample.shape else "-",
                sample.study,
                sample.licence,
                "stand-in" if sample.twin else "link only" if sample.link_only else "-",
                sample.note,
            )
        )
    print_table(table)


def _source_lines(source: StackSource) -> None:
    files = f"{len(source.files)} files" if len(source.files) > 1 else source.files[0].name
    show(f"from      {files}: {shape_text(source.shape)} ({', '.join(source.axis_names)}) {source.dtype}")
    sizes = stated_voxel_size(source)
    said = (f"{size:.6g}" if size is not None else "not stated" for size in sizes or (None,))
    show(f"voxels    {' x '.join(said)} {stated_unit(source) or ''}".rstrip())


def _written_table(pyramid: Pyramid, level_bytes: tuple[int, ...]) -> None:
    table = table_of(*LEVEL_TITLES, "stored")
    for level, nbytes in zip(pyramid.levels, level_bytes, strict=True):
        table.add_row(*cells(*level_texts(level, pyramid.axes), bytes_text(nbytes)))
    print_table(table)


def cells(*texts: str) -> list[Text]:
    """Return texts as the cells of a row, escaped."""
    from rich.text import Text  # here and below: with --json nothing of it is needed

    return [Text(escape(text)) for text in texts]


def table_of(*titles: str, right: tuple[int, ...] = ()) -> Table:
    """Return an empty table with these columns; counts and sizes stand on the right."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="")
    for index, title in enumerate(titles):
        number = index in right or title in ("objects", "stored", "uncompressed")
        table.add_column(Text(title), justify="right" if number else "left", no_wrap=True)
    return table


def print_table(table: Table) -> None:
    """Print a table as wide as it is; where it goes, lines may be of any length."""
    from rich.console import Console

    console = Console(file=sys.stdout, highlight=False, soft_wrap=True, width=max(80, _width(table)))
    console.print(table)


def _width(table: Table) -> int:
    from rich.console import Console

    return Console(width=10_000).measure(table).maximum
