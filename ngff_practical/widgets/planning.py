"""What a conversion would take, choice by choice: a plan, its costs, and the command that carries it out."""

from __future__ import annotations

import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ngff_practical.convert import Prediction
from ngff_practical.errors import PlanError
from ngff_practical.meter import bytes_text
from ngff_practical.model import ConversionReport, Location, Pyramid, Shape, StackSource, spatial
from ngff_practical.model.wording import shape_text
from ngff_practical.pyramid import plan_pyramid
from ngff_practical.transfer import WORKERS
from ngff_practical.widgets.waiting import Line, Load, cost, seconds_text

SHARDS = ("auto", "none", "2", "4", "8")
VERSIONS = ("0.5", "0.4", "0.6")
HEAD = ("level", "shape", "chunk", "shard", "objects", "stored")
COSTS = ("", "predicted", "measured")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person chose; `shards` is "auto", "none", or how many chunks along each axis of space."""

    chunks: Shape | Literal["auto"] = "auto"
    shards: str = "auto"
    levels: int | Literal["auto"] = "auto"
    codec: str = "blosc-zstd"
    version: str = "0.5"


def most_levels(source: StackSource, most: int) -> int:
    """Return how many levels may be asked for: up to `most`, and up to one of a single voxel."""
    for count in range(most, 1, -1):
        try:
            plan_pyramid(source, levels=count)
        except PlanError:
            continue
        return count
    return 1


def plan(source: StackSource, wanted: Wanted) -> Pyramid:
    """Return the pyramid that a person's choices make.

    Raises
    ------
    PlanError
        They do not fit the image, the version, or each other.
    """
    chunks = wanted.chunks
    shards: Shape | Literal["auto"] | None = None if wanted.shards == "none" else "auto"
    if wanted.shards not in ("auto", "none"):
        chunks = plan_pyramid(source, chunks=chunks, shards=None, levels=1).levels[0].chunks
        times, space = int(wanted.shards), len(chunks) - 3
        shards = tuple(size * times if axis >= space else size for axis, size in enumerate(chunks))
    return plan_pyramid(
        source,
        version=wanted.version,
        chunks=chunks,
        shards=shards,
        levels=wanted.levels,
        codec=wanted.codec,
    )


def level_rows(pyramid: Pyramid, prediction: Prediction) -> tuple[tuple[str, ...], ...]:
    """Return a row for each level, and one for all of them with the metadata."""
    rows = [
        (
            level.path,
            shape_text(level.shape, by="×"),
            shape_text(level.chunks, by="×"),
            shape_text(level.shards, by="×") if level.shards else "none",
            f"{level.objects:,}",
            bytes_text(nbytes),
        )
        for level, nbytes in zip(pyramid.levels, prediction.level_bytes, strict=True)
    ]
    total = ("all", "", "", "", f"{prediction.objects:,}", bytes_text(prediction.nbytes))
    return (*rows, total)


def cost_rows(
    prediction: Prediction, line: Line, report: ConversionReport | None
) -> tuple[tuple[str, str, str], ...]:
    """Return what the conversion would take beside what it took, where it was carried out."""
    sending = upload_seconds(prediction, line)
    sent = "" if report is None else seconds_text(upload_seconds(report, line))
    return (
        ("objects", f"{prediction.objects:,}", f"{report.objects:,}" if report else ""),
        ("stored", bytes_text(prediction.nbytes), bytes_text(report.nbytes) if report else ""),
        (
            "peak memory",
            bytes_text(prediction.peak_memory_bytes),
            f"{bytes_text(report.peak_memory_bytes)} (the whole program)" if report else "",
        ),
        ("time to convert", seconds_text(prediction.seconds), seconds_text(report.seconds) if report else ""),
        ("time to upload", seconds_text(sending), sent),
    )


def upload_seconds(written: Prediction | ConversionReport, line: Line) -> float:
    """Return how long an upload takes, with as many objects on their way as `upload` has."""
    return cost(Load(written.objects, written.nbytes, WORKERS), line).seconds


def command(source: StackSource, pyramid: Pyramid, wanted: Wanted, destination: str) -> str:
    """Return the line for a terminal that makes the same image, quoted for the shell of this system."""
    parts = ["ngff-practical", "convert", _where(source), destination]
    sizes = [source.voxel_size[axis] for axis in spatial(source.axes)]
    units = {source.axes[axis].unit for axis in spatial(source.axes)}
    unit = units.pop() if len(units) == 1 else None  # one option cannot say several
    if unit or (not units and any(size != 1.0 for size in sizes)):
        parts += ["--voxel-size", ",".join(f"{size:.10g}" for size in sizes)]
        parts += ["--unit", unit] if unit else []
    if wanted.version != "0.5":
        parts += ["--version", wanted.version]
    first = pyramid.levels[0]
    if wanted.chunks != "auto" or wanted.shards not in ("auto", "none"):
        parts += ["--chunks", _commas(first.chunks)]
    if wanted.shards != "auto":
        parts += ["--shards", _commas(first.shards) if first.shards else "none"]
    if wanted.codec != "blosc-zstd":
        parts += ["--codec", wanted.codec]
    if wanted.levels != "auto":
        parts += ["--levels", str(wanted.levels)]
    return subprocess.list2cmdline(parts) if sys.platform == "win32" else shlex.join(parts)


def sides(size: int) -> tuple[int, ...]:
    """Return the chunk sides to choose from along an axis: powers of two, and the whole of it."""
    return (*(2**power for power in range(size.bit_length()) if 2**power < size), size)


def sentence(pyramid: Pyramid, prediction: Prediction, line: Line) -> str:
    """Return what a plan would take, in words."""
    first = pyramid.levels[0]
    chunks = shape_text(first.chunks, by="×")
    shards = f", shards of {shape_text(first.shards, by='×')}" if first.shards else ""
    sending = upload_seconds(prediction, line)
    return (
        f"{pyramid.name} as OME-Zarr {pyramid.version}, chunks of {chunks}{shards}, "
        f"{len(pyramid.levels)} levels, {pyramid.codec}: {prediction.objects:,} objects, "
        f"{bytes_text(prediction.nbytes)} of {bytes_text(pyramid.nbytes)} uncompressed, up to "
        f"{bytes_text(prediction.peak_memory_bytes)} of memory, about {seconds_text(prediction.seconds)} "
        f"to convert and {seconds_text(sending)} to upload at {line.mbit_per_s:g} Mbit/s "
        f"and {line.latency_ms:g} ms."
    )


def _where(source: StackSource) -> str:
    first = source.files[0]
    if len(source.files) == 1:
        return first.url if isinstance(first, Location) else str(first)
    if isinstance(first, Path):
        folder = first.parent
        while not all(isinstance(one, Path) and one.is_relative_to(folder) for one in source.files):
            folder = folder.parent
        return str(folder)
    return first.url.rpartition("/")[0]


def _commas(shape: Shape) -> str:
    return ",".join(str(size) for size in shape)
