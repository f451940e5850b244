"""Which bytes of a stored stack one plane needs, file by file, as values to draw and to tabulate."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ngff_practical.formats import PlaneOrder
from ngff_practical.meter import bytes_text
from ngff_practical.model import ByteMap, Segment
from ngff_practical.widgets.counting import counted

MOST_RUNS = 4000  # drawn of one map; neighbours that look alike are joined before

_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring bytes that are drawn as one: `start` and `width` are shares of the whole, 0 to 1."""

    start: float
    width: float
    kind: str  # "touched", "even", "odd" (pixels, in turn), "index", "metadata", "other"
    label: str


@dataclass(frozen=True, slots=True)
class Strip:
    """One stored stack as a strip of bytes, and what reading one plane of it touches."""

    name: str
    format: str
    size: str
    runs: tuple[Run, ...]
    borders: tuple[float, ...]
    row: tuple[str, ...]
    touched: tuple[tuple[str, str], ...]
    sentence: str


HEAD = ("stored as", "files", "bytes", "segments", "runs", "needed", "share")
MOST_TOUCHED = 100


def strip(found: ByteMap, plane: int, order: PlaneOrder) -> Strip:
    """Return a stored stack as a strip, with the bytes of one plane (along the first axis) marked."""
    segments = tuple(_by_plane(found.segments, order))
    hit = [index for index, one in enumerate(segments) if touches(one, plane, order)]
    chosen = [segments[index] for index in hit]
    nbytes = sum(one.nbytes for one in chosen)
    files = len({one.key for one in chosen})
    pieces = _pieces(chosen)
    whole = max(found.nbytes, 1)
    share = f"{nbytes / whole:.1%}"
    words = (
        f"{found.name} ({found.format}): plane {plane} needs {bytes_text(nbytes)} of "
        f"{bytes_text(found.nbytes)} ({share}), {counted(len(chosen), 'segment')} in "
        f"{counted(pieces, 'run')} of neighbouring bytes, in {counted(files, 'file')}."
    )
    if not chosen:
        words = f"{found.name} ({found.format}): no stored byte belongs to plane {plane}."
    return Strip(
        found.name,
        found.format,
        bytes_text(found.nbytes),
        _runs(segments, set(hit), whole),
        _borders(found.segments, whole),
        (
            f"{found.name} ({found.format})",
            f"{len(found.keys):,}",
            bytes_text(found.nbytes),
            f"{len(chosen):,}",
            f"{pieces:,}",
            bytes_text(nbytes),
            share,
        ),
        tuple((_where(one), bytes_text(one.nbytes)) for one in chosen[:MOST_TOUCHED]),
        words,
    )


def touches(segment: Segment, plane: int, order: PlaneOrder) -> bool:
    """Return whether pixels of the plane are in a segment."""
    numbers = _numbers(segment)
    return bool(numbers) and numbers[min(order.position, len(numbers) - 1)] == plane // order.depth


def planes(found: ByteMap, order: PlaneOrder) -> int:
    """Return how many planes are stored."""
    first = (numbers[0] for one in found.segments if (numbers := _numbers(one)))
    return order.planes or max(first, default=0) + 1


def _numbers(segment: Segment) -> list[int]:
    numbered = segment.holds == "pixels" and segment.label.startswith(("chunk ", "plane "))
    return [int(number) for number in _NUMBER.findall(segment.label)] if numbered else []


def _by_plane(segments: Sequence[Segment], order: PlaneOrder) -> Iterator[Segment]:
    """Yield segments, a dataset that lies in one piece as a segment for each of its planes."""
    for one in segments:
        size, rest = divmod(one.nbytes, max(order.planes, 1))
        if one.holds != "pixels" or _numbers(one) or rest:
            yield one
            continue
        for plane in range(max(order.planes, 1)):
            yield Segment(one.key, one.start + plane * size, size, "pixels", f"plane {plane}")


def _runs(segments: Sequence[Segment], hit: set[int], whole: int) -> tuple[Run, ...]:
    runs: list[Run] = []
    at, turn, label = 0, False, ""
    least = whole / MOST_RUNS
    for index, one in enumerate(segments):
        if one.holds == "pixels" and one.label != label:
            turn, label = not turn, one.label
        kind = "touched" if index in hit else ("even", "odd")[turn] if one.holds == "pixels" else one.holds
        last = runs[-1] if runs else None
        alike = last is not None and (last.kind == kind or "touched" not in (kind, last.kind))
        if last and alike and one.nbytes < least:
            runs[-1] = Run(last.start, last.width + one.nbytes / whole, last.kind, last.label)
        else:
            runs.append(Run(at / whole, one.nbytes / whole, kind, one.label))
        at += one.nbytes
    return tuple(runs)


def _borders(segments: Sequence[Segment], whole: int) -> tuple[float, ...]:
    """Return where one file ends and the next begins, as shares."""
    borders: list[float] = []
    at, key = 0, segments[0].key if segments else ""
    for one in segments:
        if one.key != key:
            borders.append(at / whole)
            key = one.key
        at += one.nbytes
    return tuple(borders) if len(borders) <= 400 else ()


def _pieces(chosen: Sequence[Segment]) -> int:
    """Return how many runs of neighbouring bytes segments make: each is one seek, or one ranged request."""
    pieces, last = 0, None
    for one in chosen:
        if last is None or (last.key, last.end) != (one.key, one.start):
            pieces += 1
        last = one
    return pieces


def _where(one: Segment) -> str:
    place = f"{one.key}, " if one.key else ""
    return f"{place}bytes {one.start:,} to {one.end:,}: {one.label}"
