"""The JSON documents of the command line: people script against them, so their keys stay."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from ngff_practical.cli.output import Json
from ngff_practical.model import (
    ConversionReport,
    Description,
    Level,
    Pyramid,
    StackSource,
    StoredObject,
    TransferReport,
    ValidationReport,
    spatial,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ngff_practical.convert import Prediction
    from ngff_practical.samples import Sample


def error_document(error: Exception) -> Json:
    """Return what a command that could not do its work prints with `--json`."""
    return {"error": {"type": type(error).__name__, "message": str(error)}}


def info_document(description: Description) -> Json:
    """Return the document of `info --json`."""
    image = description.image
    return {
        "location": description.location,
        "kind": description.kind,
        "version": description.version,
        "name": image.name if image else None,
        "axes": [asdict(axis) for axis in image.axes] if image else [],
        "dtype": image.dtype if image else None,
        "levels": [_level(level) for level in image.levels] if image else [],
        "channels": [asdict(channel) for channel in image.channels] if image else [],
        "labels": list(description.labels),
        "wells": list(description.wells),
        "images": list(description.images),
    }


def validate_document(report: ValidationReport) -> Json:
    """Return the document of `validate --json`."""
    return {
        "location": report.location,
        "kind": report.kind,
        "version": report.version,
        "valid": report.valid,
        "issues": [asdict(issue) for issue in report.issues],
    }


def plan_document(
    source: StackSource, pyramid: Pyramid, prediction: Prediction, destination: str | None
) -> Json:
    """Return the document of `plan --json`: bytes, memory and seconds are predictions."""
    return _written(source, pyramid, destination, prediction)


def convert_document(report: ConversionReport) -> Json:
    """Return the document of `convert --json`: bytes, memory and seconds are measured."""
    return _written(report.source, report.pyramid, report.destination, report)


def transfer_document(report: TransferReport) -> Json:
    """Return the document of `upload`, `download` and `verify` with `--json`."""
    return {
        "source": report.source,
        "destination": report.destination,
        "objects": report.objects,
        "bytes": report.nbytes,
        "copied": report.copied,
        "skipped": report.skipped,
        "verified": report.verified,
        "problems": [asdict(problem) for problem in report.problems],
        "seconds": report.seconds,
        "dry_run": report.dry_run,
    }


def deletion_document(location: str, objects: Sequence[StoredObject], *, dry_run: bool) -> Json:
    """Return the document of `delete --json`."""
    return {
        "location": location,
        "objects": len(objects),
        "bytes": sum(stored.nbytes for stored in objects),
        "dry_run": dry_run,
    }


def samples_document(samples: tuple[Sample, ...]) -> Json:
    """Return the document of `samples --json`."""
    return {"samples": [{**asdict(sample), "link_only": sample.link_only} for sample in samples]}


def listing_document(location: str, folders: tuple[str, ...], objects: tuple[StoredObject, ...]) -> Json:
    """Return the document of `ls --json`."""
    return {
        "location": location,
        "folders": list(folders),
        "objects": [{"key": stored.key, "bytes": stored.nbytes} for stored in objects],
    }


def stated_voxel_size(source: StackSource) -> list[float | None] | None:
    """Return the voxel size per axis of space, None for an axis that nobody has calibrated."""
    sizes = [
        source.voxel_size[index] if source.axes[index].unit or source.voxel_size[index] != 1.0 else None
        for index in spatial(source.axes)
    ]
    return sizes if any(size is not None for size in sizes) else None


def stated_unit(source: StackSource) -> str | None:
    """Return the unit of the axes of space, None where no axis has one."""
    return next((source.axes[index].unit for index in spatial(source.axes) if source.axes[index].unit), None)


def _source(source: StackSource) -> Json:
    return {
        "axes": list(source.axis_names),
        "shape": list(source.shape),
        "dtype": source.dtype,
        "voxel_size": stated_voxel_size(source),
        "unit": stated_unit(source),
        "files": [str(file) for file in source.files],
        "notes": list(source.notes),
    }


def _level(level: Level) -> Json:
    return {
        "path": level.path,
        "shape": list(level.shape),
        "chunks": list(level.chunks),
        "shards": list(level.shards) if level.shards else None,
        "scale": list(level.scale),
        "translation": list(level.translation) if level.translation else None,
    }


def _written(
    source: StackSource,
    pyramid: Pyramid,
    destination: str | None,
    cost: Prediction | ConversionReport,
) -> Json:
    levels = [
        {**_level(level), "objects": level.objects, "bytes": nbytes}
        for level, nbytes in zip(pyramid.levels, cost.level_bytes, strict=True)
    ]
    return {
        "source": _source(source),
        "destination": destination,
        "version": pyramid.version,
        "levels": levels,
        "objects": cost.objects,
        "bytes": cost.nbytes,
        "peak_memory_bytes": cost.peak_memory_bytes,
        "seconds": cost.seconds,
    }
