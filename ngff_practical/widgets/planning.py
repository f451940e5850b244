"""What a conversion would take, choice by choice: a plan, its costs, and the command that carries it out."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ngff_practical.convert import Prediction
from ngff_practical.errors import PlanError
from ngff_practical.meter import bytes_text, duration_text
from ngff_practical.model import ConversionReport, Location, Pyramid, Shape, StackSource
from ngff_practical.model.wording import shape_text
from ngff_practical.pyramid import plan_pyramid
from ngff_practical.transfer import WORKERS

SHARDS = ("auto", "none", "2", "4", "8")
CODECS = ("blosc-zstd", "zstd", "gzip", "none")
VERSIONS = ("0.5", "0.4", "0.6")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person chose; `shards` is "auto", "none", or how many chunks along each axis of space."""

    chunks: Shape | Literal["auto"] = "auto"
    shards: str = "auto"
    levels: int | Literal["auto"] = "auto"
    codec: str = "blosc-zstd"
    version: str = "0.5"


@dataclass(frozen=True, slots=True)
class Line:
    """A network: bandwidth in Mbit/s, and milliseconds until an answer begins."""

    mbit_per_s: float = 100.0
    latency_ms: float = 30.0

    def upload_seconds(self, objects: int, nbytes: int) -> float:
        """Return how long sending takes: every object waits once, `WORKERS` of them at a time."""
        waiting = objects * self.latency_ms / 1000 / min(WORKERS, max(objects, 1))
        return waiting + nbytes * 8 / (self.mbit_per_s * 1e6)


HEAD = ("level", "shape", "chunk", "shard", "objects", "stored")
COSTS = ("", "predicted", "measured")


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
    shards: Shape | Literal["auto"] | None = "auto"
    if wanted.shards == "none":
        shards = None
    elif wanted.shards != "auto":
        first = plan_pyramid(source, chunks=wanted.chunks, shards=None, levels=1).levels[0]
        space = len(first.chunks) - 3
        times = int(wanted.shards)
        shards = tuple(size * times if axis >= space else size for axis, size in enumerate(first.chunks))
        return plan_pyramid(
            source,
            version=wanted.version,
            chunks=first.chunks,
            shards=shards,
            levels=wanted.levels,
            codec=wanted.codec,
        )
    return plan_pyramid(
        source,
        version=wanted.version,
        chunks=wanted.chunks,
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
    sending = line.upload_seconds(prediction.objects, prediction.nbytes)
    sent = "" if report is None else _seconds(line.upload_seconds(report.objects, report.nbytes))
    return (
        ("objects", f"{prediction.objects:,}", f"{report.objects:,}" if report else ""),
        ("stored", bytes_text(prediction.nbytes), bytes_text(report.nbytes) if report else ""),
        (
            "peak memory",
            bytes_text(prediction.peak_memory_bytes),
            f"{bytes_text(report.peak_memory_bytes)} (the whole program)" if report else "",
        ),
        ("time to convert", _seconds(prediction.seconds), _seconds(report.seconds) if report else ""),
        ("time to upload", _seconds(sending), sent),
    )


def command(source: StackSource, pyramid: Pyramid, wanted: Wanted, destination: str) -> str:
    """Return the line for a terminal that makes the same image, quoted for a shell."""
    parts = ["ngff-practical", "convert", _where(source), destination]
    space = [axis for axis, one in enumerate(source.axes) if one.type == "space"]
    units = {source.axes[axis].unit for axis in space}
    if len(units) == 1 and None not in units:
        parts += ["--voxel-size", ",".join(f"{source.voxel_size[axis]:.10g}" for axis in space)]
        parts += ["--unit", str(units.pop())]
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
    return shlex.join(parts)


def sides(size: int) -> tuple[int, ...]:
    """Return the chunk sides to choose from along an axis: powers of two, and the whole of it."""
    return (*(2**power for power in range(size.bit_length()) if 2**power < size), size)


def sentence(pyramid: Pyramid, prediction: Prediction, line: Line) -> str:
    """Return what a plan would take, in words."""
    first = pyramid.levels[0]
    chunks = shape_text(first.chunks, by="×")
    shards = f", shards of {shape_text(first.shards, by='×')}" if first.shards else ""
    sending = line.upload_seconds(prediction.objects, prediction.nbytes)
    return (
        f"{pyramid.name} as OME-Zarr {pyramid.version}, chunks of {chunks}{shards}, "
        f"{len(pyramid.levels)} levels, {pyramid.codec}: {prediction.objects:,} objects, "
        f"{bytes_text(prediction.nbytes)} of {bytes_text(pyramid.nbytes)} uncompressed, up to "
        f"{bytes_text(prediction.peak_memory_bytes)} of memory, about {_seconds(prediction.seconds)} "
        f"to convert and {_seconds(sending)} to upload at {line.mbit_per_s:g} Mbit/s "
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


def _seconds(seconds: float) -> str:
    return duration_text(seconds * 1000) if seconds < 120 else f"{seconds / 60:,.0f} min"


def _commas(shape: Shape) -> str:
    return ",".join(str(size) for size in shape)
