"""What the command line shows a person: compact pages with aligned columns; text from files is escaped."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ngff_practical.cli.documents import stated_unit, stated_voxel_size
from ngff_practical.cli.output import escape, show
from ngff_practical.model import (
    ConversionReport,
    Description,
    Level,
    Pyramid,
    StackSource,
    StoredObject,
    TransferReport,
    ValidationReport,
)

if TYPE_CHECKING:
    from ngff_practical.convert import Prediction
    from ngff_practical.samples import Sample


def size_text(nbytes: float) -> str:
    """Return a size as a person reads it: "812 B", "64.0 kB", "2.1 MB" (powers of 1000)."""
    for unit in ("B", "kB", "MB", "GB"):
        if nbytes < 1000:
            return f"{nbytes:.0f} {unit}" if unit == "B" else f"{nbytes:.1f} {unit}"
        nbytes /= 1000
    return f"{nbytes:.1f} TB"


def shape_text(shape: tuple[int, ...] | None) -> str:
    """Return a shape as "236 x 275 x 271", or a dash."""
    return " x ".join(str(size) for size in shape) if shape else "-"


def voxel_text(level: Level, image: Pyramid) -> str:
    """Return the voxel size along the axes of space with their unit."""
    parts = [
        (f"{step:.4g}", axis.unit)
        for step, axis in zip(level.scale, image.axes, strict=True)
        if axis.type == "space"
    ]
    units = {unit for _, unit in parts}
    if len(units) == 1:
        return f"{' x '.join(size for size, _ in parts)} {parts[0][1] or '(no unit)'}"
    return " x ".join(f"{size} {unit or '(no unit)'}" for size, unit in parts)


def info_page(description: Description) -> None:
    """Print what is stored at a place."""
    show(f"{description.location}")
    show(f"{description.kind}, OME-Zarr {description.version or 'version not stated'}")
    image = description.image
    if image:
        if image.name:
            show(f"name      {image.name}")
        show(f"axes      {', '.join(image.axis_names)}    dtype {image.dtype}")
        if image.channels:
            show(f"channels  {', '.join(channel.label for channel in image.channels)}")
    for title, names in (
        ("labels", description.labels),
        ("wells", description.wells),
        ("images", description.images),
    ):
        if names:
            show(f"{title:<9} {_first_names(names)}")
    if image:
        table = _table("level", "shape", "chunks", "shards", "voxel size", "objects", "uncompressed")
        for level in image.levels:
            table.add_row(
                *_cells(
                    level.path,
                    shape_text(level.shape),
                    shape_text(level.chunks),
                    shape_text(level.shards),
                    voxel_text(level, image),
                    str(level.objects),
                    size_text(level.nbytes),
                )
            )
        _print(table)


def validation_page(report: ValidationReport) -> None:
    """Print every issue with its place and rule, and the verdict."""
    show(f"{report.location}: {report.kind}, OME-Zarr {report.version or 'version not stated'}")
    for issue in report.issues:
        show(f"{issue.severity:<6}  {issue.where}")
        show(f"        {issue.message} ({issue.rule})")
    grave = sum(issue.severity != "should" for issue in report.issues)
    advice = len(report.issues) - grave
    if report.valid:
        show(f"valid{f', with {advice} recommendation(s) not followed' if advice else ''}")
    else:
        show(f"not valid: {grave} problem(s){f' and {advice} recommendation(s)' if advice else ''}")


def plan_page(source: StackSource, pyramid: Pyramid, prediction: Prediction) -> None:
    """Print what a conversion would write."""
    _source_lines(source)
    show(f"to        OME-Zarr {pyramid.version}, codec {pyramid.codec}")
    _written_table(pyramid, prediction.level_bytes)
    show(
        f"{prediction.objects} objects, about {size_text(prediction.nbytes)}, about "
        f"{size_text(prediction.peak_memory_bytes)} of memory, about {prediction.seconds:.1f} s"
    )


def conversion_page(report: ConversionReport, verify: str) -> None:
    """Print what a conversion has written."""
    _source_lines(report.source)
    show(f"to        {report.destination}, OME-Zarr {report.pyramid.version}, codec {report.pyramid.codec}")
    _written_table(report.pyramid, report.level_bytes)
    show(
        f"{report.objects} objects, {size_text(report.nbytes)}, peak memory "
        f"{size_text(report.peak_memory_bytes)}, {report.seconds:.1f} s"
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
        show(f"would {verb} {report.copied} of {report.objects} objects, {size_text(report.nbytes)} in all")
    else:
        show(
            f"{done} {report.copied} objects, skipped {report.skipped} already there, verified "
            f"{report.verified} of {report.objects} ({size_text(report.nbytes)}) in {report.seconds:.1f} s"
        )
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
        f"({size_text(report.nbytes)}, {report.seconds:.1f} s)"
    )
    if report.problems:
        show(f"not the same: {len(report.problems)} problem(s)")


def listing_page(folders: tuple[str, ...], objects: tuple[StoredObject, ...]) -> None:
    """Print one level of a bucket: what ends in "/" is a prefix that keys share."""
    table = _table("size", "key", right=(0,))
    for name in folders:
        table.add_row("", Text(escape(f"{name}/")))
    for stored in objects:
        table.add_row(size_text(stored.nbytes), Text(escape(stored.key)))
    table.show_header = False
    _print(table)


def samples_page(samples: tuple[Sample, ...]) -> None:
    """Print the catalogue; what the sandbox has a synthetic stand-in for is marked."""
    table = _table("name", "version", "shape", "study", "licence", "offline", "what it shows")
    for sample in samples:
        table.add_row(
            *_cells(
                sample.name,
                sample.version or "TIFF",
                f"{shape_text(sample.shape)} ({', '.join(sample.axes)})" if sample.shape else "-",
                sample.study,
                sample.licence,
                "stand-in" if sample.twin else "-",
                sample.note,
            )
        )
    _print(table)


def _source_lines(source: StackSource) -> None:
    files = f"{len(source.files)} files" if len(source.files) > 1 else source.files[0].name
    show(f"from      {files}: {shape_text(source.shape)} ({', '.join(source.axis_names)}) {source.dtype}")
    sizes = " x ".join(
        f"{step:.6g}" if axis.unit or step != 1.0 else "not stated"
        for step, axis in zip(source.voxel_size, source.axes, strict=True)
        if axis.type == "space"
    )
    known = stated_voxel_size(source) is not None
    show(f"voxels    {sizes} {stated_unit(source) or ''}".rstrip() if known else "voxels    not stated")


def _written_table(pyramid: Pyramid, level_bytes: tuple[int, ...]) -> None:
    table = _table("level", "shape", "chunks", "shards", "voxel size", "objects", "stored")
    for level, nbytes in zip(pyramid.levels, level_bytes, strict=True):
        table.add_row(
            *_cells(
                level.path,
                shape_text(level.shape),
                shape_text(level.chunks),
                shape_text(level.shards),
                voxel_text(level, pyramid),
                str(level.objects),
                size_text(nbytes),
            )
        )
    _print(table)


def _first_names(names: tuple[str, ...], most: int = 12) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _cells(*texts: str) -> list[Text]:
    return [Text(escape(text)) for text in texts]


def _table(*titles: str, right: tuple[int, ...] = ()) -> Table:
    table = Table(box=None, pad_edge=False, header_style="")
    for index, title in enumerate(titles):
        number = index in right or title in ("objects", "stored", "uncompressed")
        table.add_column(title, justify="right" if number else "left", no_wrap=True)
    return table


def _print(table: Table) -> None:
    console = Console(file=sys.stdout, highlight=False, soft_wrap=True, width=max(80, _width(table)))
    console.print(table)


def _width(table: Table) -> int:
    return Console(width=10_000).measure(table).maximum
