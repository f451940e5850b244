"""Formats: pages of a TIFF, where one plane lies, objects with and without shards, who may write at once."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from ngff_practical.course.answers import equals, shown, texts, whole_numbers
from ngff_practical.course.exercise import Exercise, Mistake, Problem, Seat, exercise
from ngff_practical.formats import byte_map
from ngff_practical.model import Segment, Shape


@exercise("count-ifds", "How many pages?")
def count_ifds(seat: Seat) -> Problem:
    """Ask for the number of IFDs of a file with two channels and several planes."""
    depth, channels = seat.random.randrange(9, 16), seat.random.choice([2, 3])
    path = _tiff(seat, f"pages-{depth}x{channels}.tif", (depth, channels, 24, 32))
    count = sum(segment.label.startswith("IFD") for segment in byte_map(path).holding("metadata"))
    return Problem(
        task=f"`{path.name}` holds a stack of **{depth} planes in {channels} channels**, 24 x 32 pixels "
        'each. How many **IFDs** has it? The path is `task.given["path"]`.',
        wants="a whole number of IFDs",
        right=equals(count),
        solution=(
            "import tifffile\n\n"
            'with tifffile.TiffFile(task.given["path"]) as tiff:\n'
            "    answer = len(tiff.pages)"
        ),
        why=f"One for each plane of each channel: {count}. Whoever wants the last one asks all the others "
        "for the way.",
        hints=(
            "A page is two-dimensional. How many two-dimensional pictures are in the stack?",
            "`len(tifffile.TiffFile(path).pages)` walks from one IFD to the next and counts.",
        ),
        mistakes=(
            Mistake(depth, f"That is one channel. The file has {channels}."),
            Mistake(channels, "A channel is a whole stack of planes here, and each plane has its IFD."),
            Mistake(1, "The file has one header. It leads to the first IFD, and that to the next."),
            Mistake(
                count * 24 * 32,
                "That is the number of pixels. An IFD describes a whole plane of them.",
            ),
        ),
        given={"path": path},
    )


@exercise("plane-offset", "Where does plane 10 begin?")
def plane_offset(seat: Seat) -> Problem:
    """Ask for the byte at which plane 10 of a TIFF begins."""
    height, width = 8 * seat.random.randrange(4, 9), 8 * seat.random.randrange(4, 9)
    path = _tiff(seat, f"planes-{height}x{width}.tif", (14, height, width))
    found = byte_map(path)
    planes = found.holding("pixels")
    nbytes = height * width * 2
    start = planes[10].start
    return Problem(
        task=f"`{path.name}` holds 14 planes of **{height} x {width}** pixels, 2 bytes each, not compressed. "
        "Planes are counted from 0. At which **byte** of the file do the pixels of **plane 10** begin?",
        wants="a whole number: the byte in the file",
        right=equals(start),
        solution=(
            "from ngff_practical.formats import byte_map\n\n"
            'planes = byte_map(task.given["path"]).holding("pixels")\n'
            "answer = planes[10].start"
        ),
        why=f"Bytes {start:,} to {start + nbytes - 1:,} are plane 10: who knows that fetches it with "
        "a single request. The knowledge lies in IFD 10, somewhere else in the file.",
        hints=(
            "Before the pixels lie a header and an IFD, and nobody can know how long. Ask the file.",
            '`byte_map(path).holding("pixels")` lists the planes in order; each has a `start`. With tifffile '
            "it is `pages[10].dataoffsets`.",
        ),
        mistakes=(
            Mistake(
                10 * nbytes,
                "Ten planes take as many bytes, but plane 0 does not begin at byte 0. What comes before?",
            ),
            Mistake(planes[9].start, "That is plane 9. Counting begins at 0."),
            Mistake(planes[11].start, "That is plane 11: the one behind."),
            Mistake(
                _labelled(found.holding("metadata"), "IFD 10").start,
                "That is where IFD 10 begins. It says where the pixels are, and does not hold them.",
            ),
            Mistake(nbytes, "That is how long a plane is. Asked for is where it begins."),
            Mistake(
                planes[10],
                "That is a piece of the file. Asked for is where one begins: its `start`.",
                made=lambda answer: isinstance(answer, Segment),
            ),
        ),
        given={"path": path},
    )


@exercise("object-count", "Objects for a chunk shape")
def object_count(seat: Seat) -> Problem:
    """Ask for the number of objects with chunks alone, and with shards."""
    depth = 64 * seat.random.randrange(3, 7) + 8 * seat.random.randrange(1, 8)
    side = 1024 + 64 * seat.random.randrange(1, 8)
    shape, chunks, shards = (depth, side, side), (32, 128, 128), (64, 512, 512)
    right = (_objects(shape, chunks), _objects(shape, shards))
    floors = tuple(math.prod(s // c for s, c in zip(shape, part, strict=True)) for part in (chunks, shards))
    return Problem(
        task=f"A stack of **{_times(shape)}** voxels (z, y, x) becomes Zarr with chunks of {_times(chunks)}. "
        f"How many **objects with pixels** are that, and how many if the chunks share **shards of "
        f"{_times(shards)}**? Give (without shards, with shards).",
        wants="two whole numbers (without shards, with shards)",
        right=equals(right),
        solution=(
            "from math import ceil, prod\n\n"
            f"shape, chunks, shards = {shape}, {chunks}, {shards}\n"
            "answer = tuple(\n"
            "    prod(ceil(size / step) for size, step in zip(shape, steps)) for steps in (chunks, shards)\n"
            ")"
        ),
        why=f"{right[0]:,} objects become {right[1]}, and every chunk can still be fetched alone: its place "
        "is in the index at the end of its shard.",
        hints=(
            "Along each axis: how many steps until the end? The last one need not be full.",
            f"Without shards there are {math.ceil(depth / 32)} chunks along z and {math.ceil(side / 128)} "
            "along y. With shards, a shard is an object.",
        ),
        mistakes=(
            Mistake(
                floors,
                "Round up: what is left at the end of an axis needs a chunk, and an object, too.",
                made=lambda answer: whole_numbers(answer) == floors != right,
            ),
            Mistake(right[::-1], "The other way round: shards hold many chunks, so there are fewer of them."),
            Mistake((right[0], right[0]), "The chunks stay as many; asked for is what lies on the server."),
            Mistake(
                (right[0], math.prod(s // c for s, c in zip(shards, chunks, strict=True))),
                "The second number is how many chunks fit into one shard. How many shards are there?",
            ),
            Mistake(right[0], "That is without shards. Give the number with shards, too: (…, …)."),
        ),
    )


@exercise("eight-writers", "Eight writers and no lock")
def eight_writers(seat: Seat) -> Problem:
    """Ask which layouts let eight programs write their own planes without touching the same object."""
    each = seat.random.choice([8, 12, 16])
    depths = {"N5": each, "Zarr v2": each // 2, "Zarr v3": each + each // 2, "Zarr v3, sharded": 2 * each}
    if seat.random.random() < 0.5:
        depths |= {"N5": each + each // 2, "Zarr v3": each}
    right = tuple(sorted(name for name, depth in depths.items() if each % depth == 0))
    chunked = tuple(sorted(name for name in depths if name != "Zarr v3, sharded"))
    listed = {
        f"{name}, chunks {each} deep in shards {depth} deep"
        if "sharded" in name
        else f"{name}, chunks {depth} deep": name
        for name, depth in depths.items()
    }

    def named(answer: object) -> tuple[str, ...] | None:
        spelled = {name.casefold(): name for name in (*depths, "TIFF", "HDF5")}
        spelled |= {entry.casefold(): name for entry, name in listed.items()}
        found = texts(answer)
        if found is None:
            return None
        return tuple(sorted({spelled.get(name.strip().casefold(), name) for name in found}))

    def says(*names: str) -> tuple[str, ...]:
        return tuple(sorted({*right, *names}))

    def otherwise(answer: object) -> str:
        found = named(answer)
        if found is None:
            return f'`answer` is {shown(answer)}. Looked for: a set of names, such as {{"TIFF", "N5"}}.'
        unknown = [name for name in found if name not in {*depths, "TIFF", "HDF5"}]
        if unknown:
            return f"{shown(unknown[0])} is none of the six. Take the names as they are in the task."
        torn = [name for name in found if name in depths and name not in right]
        if torn:
            return f"{torn[0]}: program 0 writes up to plane {each - 1}. Who else writes into that object?"
        if {"TIFF", "HDF5"} & set(found):
            return "One of them is a single file, and so a single object. Who replaces it, replaces all."
        return f"These are fine, as far as they go: {len(found)} named. Is there another?"

    return Problem(
        task=f"Eight programs write a stack of {8 * each} planes straight to object storage, where an object "
        f"can only be replaced **as a whole**. Each has **{each} planes** of its own: 0 to {each - 1}, "
        f"{each} to {2 * each - 1}, and so on. Candidates: TIFF; HDF5; {'; '.join(listed)}. With which can "
        "they all write at once, with no lock between them? "
        'Answer with a set of names, such as `{"TIFF", "N5"}`.',
        wants='a set of names, such as {"TIFF", "N5"}',
        right=lambda answer: named(answer) == right,
        solution=(
            'depths = task.given["object_depths"]\n'
            f"answer = {{name for name, depth in depths.items() if {each} % depth == 0}}"
        ),
        why="No object holds planes of two programs there. Not the format alone decides, but whether its "
        "objects end where the writers' parts end.",
        hints=(
            "Two programs need a lock where planes of both lie in the same object.",
            f"Programs change at plane {each}, {2 * each}, {3 * each}. Where do objects end in each layout?",
            "A shard is one object, however many chunks it holds.",
        ),
        mistakes=(
            Mistake(
                says("Zarr v3, sharded"),
                f"Its chunks fit, but an object is a shard, {2 * each} planes deep: it has two writers.",
            ),
            Mistake(
                chunked,
                f"Chunks alone are not enough. One of these has chunks that reach across plane {each}.",
            ),
            Mistake(
                says("HDF5"),
                "HDF5 has chunks, but they lie in one file, with one index: on object storage one object.",
            ),
            Mistake(
                says("TIFF"),
                "A TIFF is one object. Eight programs would replace each other's work.",
            ),
        ),
        given={"object_depths": depths},
        otherwise=otherwise,
    )


EXERCISES: tuple[Exercise, ...] = (count_ifds, plane_offset, object_count, eight_writers)


def _tiff(seat: Seat, name: str, shape: Shape) -> Path:
    """Write an uncompressed TIFF with a page for each plane, unless it is there already."""
    import tifffile

    seat.folder.mkdir(parents=True, exist_ok=True)
    path = seat.folder / name
    if not path.exists():
        part = path.with_suffix(".part")
        pixels = (np.arange(math.prod(shape)) % 60_000).astype("uint16").reshape(shape)
        tifffile.imwrite(part, pixels, photometric="minisblack", metadata=None, contiguous=False)
        part.replace(path)
    return path


def _labelled(segments: tuple[Segment, ...], label: str) -> Segment:
    return next(segment for segment in segments if segment.label == label)


def _objects(shape: Shape, steps: Shape) -> int:
    return math.prod(math.ceil(size / step) for size, step in zip(shape, steps, strict=True))


def _times(shape: Shape) -> str:
    return " x ".join(map(str, shape))
