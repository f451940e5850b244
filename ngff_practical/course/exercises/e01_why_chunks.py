"""Why chunks: bytes for a crop, a chunk shape for two directions, what a pyramid adds, which level."""

from __future__ import annotations

import math
from dataclasses import replace

from ngff_practical.course.answers import equals, number, shown, whole_numbers
from ngff_practical.course.exercise import Exercise, Mistake, Problem, Seat, exercise
from ngff_practical.model import ChunkAccess, Level
from ngff_practical.pyramid import chunk_access

KIBIBYTE, MEBIBYTE = 2**10, 2**20
SMALLEST = 64 * KIBIBYTE


@exercise("chunk-bytes", "The bytes behind a crop")
def chunk_bytes(seat: Seat) -> Problem:
    """Ask for a crop of one plane that does not fall on chunk borders."""
    side = seat.random.choice([128, 256])
    level = _level((64, 2048, 2048), (1, side, side))
    begin = side // 2 + 8 * seat.random.randrange(1, side // 16)  # so that a third chunk is met along y
    size = side + side // 2 + 8 * seat.random.randrange(1, side // 32)
    crop = (slice(20, 21), slice(begin, begin + size), slice(0, size))
    access = chunk_access(level, crop)
    return Problem(
        task=f"A stack of {_times(level.shape)} voxels (z, y, x; 2 bytes each) has chunks of "
        f"**{_times(level.chunks)}**, not compressed. You look at z = 20, **y from {begin} to "
        f"{begin + size}** and **x from 0 to {size}** (the last one not included). How many **bytes** are "
        "fetched?",
        wants="a whole number of bytes",
        right=equals(access.bytes_read),
        solution=(
            "from ngff_practical import chunk_access\n\n"
            'access = chunk_access(task.given["level"], task.given["crop"])\n'
            "answer = access.bytes_read"
        ),
        why=f"{access.chunks} chunks of {side} x {side} voxels of 2 bytes are {access.bytes_read:,} bytes; "
        f"{access.useful:.0%} of them are the crop.",
        hints=(
            "A chunk is fetched whole, even if you need one voxel of it. Count the chunks first.",
            f"Along y the crop goes from {begin} to {begin + size}, chunks begin at 0, {side}, {2 * side} "
            "and so on. Along x it begins at 0.",
            "bytes = chunks along y x chunks along x x voxels in a chunk x bytes in a voxel",
        ),
        mistakes=(
            Mistake(
                access.bytes_wanted,
                "That is what the crop itself takes. Chunks come whole: which of them does it touch?",
            ),
            Mistake(
                access.bytes_read // level.itemsize,
                "That is the number of voxels. How many bytes is one of them?",
            ),
            Mistake(access.chunks, "That is the number of chunks. How many bytes are in each?"),
            Mistake(
                access,
                "That is all there is to know about it. Which of its numbers is asked for?",
                made=lambda answer: isinstance(answer, ChunkAccess),
            ),
            Mistake(
                math.ceil(size / side) ** 2 * side * side * 2,
                f"That would be right if the crop began at a chunk border. Along y it begins at {begin}.",
            ),
        ),
        given={"level": level, "crop": crop},
    )


@exercise("two-ways", "A chunk shape for two directions")
def two_ways(seat: Seat) -> Problem:
    """Take any shape with which an XY plane and an XZ plane both read little more than they need."""
    depth = seat.random.choice([256, 384, 512])
    side = seat.random.choice([1024, 1536])
    level = _level((depth, side, side), (1, side, side))
    planes = {
        "XY": (slice(depth // 2, depth // 2 + 1), slice(0, side), slice(0, side)),
        "XZ": (slice(0, depth), slice(side // 2, side // 2 + 1), slice(0, side)),
    }

    def reads(chunks: tuple[int, ...]) -> dict[str, int]:
        laid_out = replace(level, chunks=chunks)
        return {name: chunk_access(laid_out, plane).bytes_read for name, plane in planes.items()}

    most = round(2.2 * max(reads((32, 64, 64)).values()) / MEBIBYTE) * MEBIBYTE

    def fits(chunks: tuple[int, ...] | None) -> bool:
        return (
            chunks is not None
            and len(chunks) == 3
            and all(1 <= chunk <= size for chunk, size in zip(chunks, level.shape, strict=True))
        )

    def right(answer: object) -> bool:
        chunks = whole_numbers(answer)
        if chunks is None or not fits(chunks):
            return False
        return SMALLEST <= math.prod(chunks) * 2 <= MEBIBYTE and max(reads(chunks).values()) <= most

    def misses(answer: object) -> str:
        chunks = whole_numbers(answer)
        if chunks is None or not fits(chunks):
            return (
                f"`answer` is {shown(answer)}. Looked for: three whole numbers (z, y, x), each from 1 to the "
                f"stack's own {_times(level.shape)}."
            )
        nbytes = math.prod(chunks) * 2
        if nbytes > MEBIBYTE:
            return f"A chunk of {_times(chunks)} is {nbytes / MEBIBYTE:.1f} MiB; 1 MiB is the most."
        if nbytes < SMALLEST:
            count = math.prod(
                math.ceil(size / chunk) for size, chunk in zip(level.shape, chunks, strict=True)
            )
            return (
                f"A chunk of {_times(chunks)} is {nbytes:,} bytes, and the stack would be {count:,} of them."
            )
        told = ", ".join(f"an {name} plane {read / MEBIBYTE:.0f} MiB" for name, read in reads(chunks).items())
        return f"With chunks of {_times(chunks)}, {told} are read. At most {most // MEBIBYTE} are allowed."

    return Problem(
        task=f"A stack of **{_times(level.shape)}** voxels (z, y, x; 2 bytes each) is looked at from above "
        "(one XY plane) and from the side (one XZ plane). Choose a **chunk shape** of at least 64 KiB and at "
        f"most 1 MiB (65,536 to 1,048,576 bytes) such that each of the two reads at most "
        f"**{most // MEBIBYTE} MiB**.",
        wants="three whole numbers (z, y, x)",
        right=right,
        solution="answer = (32, 64, 64)",
        why="Near-equal sides serve every direction: a plane reads one layer of chunks, however it lies.",
        hints=(
            "A chunk that is flat in z is cheap from above and dear from the side.",
            "An XY plane reads as many planes as the chunk is deep, an XZ plane as many rows as it is long.",
            "Try near-equal sides. 64 x 64 x 64 voxels of 2 bytes are half a MiB.",
        ),
        mistakes=(
            Mistake(
                (1, 512, 512),
                lambda answer: f"{misses(answer)} Flat chunks: look from the side again.",
                made=lambda answer: _one_side(whole_numbers(answer), 0) and fits(whole_numbers(answer)),
            ),
            Mistake(
                (depth, 1, side),
                lambda answer: f"{misses(answer)} Chunks that are thin along y serve the side view only.",
                made=lambda answer: _one_side(whole_numbers(answer), 1) and fits(whole_numbers(answer)),
            ),
            Mistake(
                (64, 64),
                "Two numbers; the stack has three axes, z, y and x.",
                made=lambda answer: len(whole_numbers(answer) or ()) == 2,
            ),
            Mistake(
                (128, 128, 128),
                misses,
                made=lambda answer: (
                    fits(whole_numbers(answer)) and math.prod(whole_numbers(answer) or ()) * 2 > MEBIBYTE
                ),
            ),
            Mistake(
                (8, 8, 8),
                lambda answer: f"{misses(answer)} Each is a request, and an object.",
                made=lambda answer: (
                    fits(whole_numbers(answer)) and math.prod(whole_numbers(answer) or ()) * 2 < SMALLEST
                ),
            ),
        ),
        given={"level": level, "planes": planes},
        otherwise=misses,
    )


@exercise("pyramid-adds", "What a pyramid adds")
def pyramid_adds(seat: Seat) -> Problem:
    """Ask for the bytes of the further levels of a stack that is halved along y and x only."""
    depth = seat.random.choice([50, 80, 120])
    side = seat.random.choice([1024, 2048, 4096])
    count = seat.random.choice([3, 4])
    planes = [depth * (side // 2**level) ** 2 * 2 for level in range(count)]
    cubes = [2 * (depth // 2**level) * (side // 2**level) ** 2 for level in range(count)]
    right = sum(planes[1:])
    return Problem(
        task=f"A stack of **{depth} x {side} x {side}** voxels (z, y, x; 2 bytes each, not compressed) gets "
        f"a pyramid of **{count} levels**, `0` to `{count - 1}`. Each level has half as many voxels as the "
        "one before along **y and x**; z stays as it is. How many **bytes** do the levels after level 0 add?",
        wants="a whole number of bytes",
        right=equals(right),
        solution=f"answer = sum({depth} * ({side} // 2**level) ** 2 * 2 for level in range(1, {count}))",
        why=f"Level 0 takes {planes[0]:,} bytes, the others {right:,}: {right / planes[0]:.0%} more, and "
        "never more than a third.",
        hints=(
            f"Level 0 is the stack itself. Level 1 is {depth} x {side // 2} x {side // 2}.",
            "Each level takes a quarter of the bytes of the one before.",
            f"Add levels 1 to {count - 1}, and leave out level 0.",
        ),
        mistakes=(
            Mistake(
                sum(planes),
                "That is the whole pyramid. How much of it was not there before, without level 0?",
            ),
            Mistake(planes[1], f"That is level 1 alone. The pyramid has levels up to {count - 1}."),
            Mistake(
                sum(cubes[1:]),
                "That is right for a pyramid that halves z, too. Here every level keeps all planes.",
            ),
            Mistake(right // 2, "That is the number of voxels. How many bytes is one of them?"),
            Mistake(
                planes[0] // 3,
                f"A third is what levels without end come to. This pyramid has {count}: add those.",
                made=lambda answer: abs((number(answer) or 0) - planes[0] / 3) < planes[0] / 10_000,
            ),
            Mistake(
                sum(planes[0] // 2**level for level in range(1, count)),
                "You halved the bytes. Half as many along y and half as many along x: what is left?",
            ),
        ),
    )


@exercise("screen-level", "The level for a screen")
def screen_level(seat: Seat) -> Problem:
    """Ask for the coarsest level of a large image that still fills a screen of 800 pixels."""
    width = seat.random.choice([921_600, 167_424, 144_384, 61_440])
    count = 12
    widths = [width // 2**index for index in range(count)]
    best = max(index for index, voxels in enumerate(widths) if voxels >= 800)
    cost = 4 ** (best - max(0, best - 3))
    return Problem(
        task=f"An image is **{width}** pixels wide. Its pyramid has {count} levels, `0` to `{count - 1}`, "
        "each half as wide as the one before. You show the whole image **800 pixels** wide. Which is the "
        "coarsest level that still has at least one of its pixels for each pixel of your screen? Its path?",
        wants='the path of a level, such as "0"',
        right=equals(str(best)),
        solution=(
            f"widths = [{width} // 2**level for level in range({count})]\n"
            "answer = str(max(level for level, pixels in enumerate(widths) if pixels >= 800))"
        ),
        why=f"Level {best} is {widths[best]} pixels wide. Three levels finer would be {cost} times the bytes "
        "for the same picture on your screen.",
        hints=(
            "Halve the width until one more halving would be too much.",
            f"Level 0 is {width} wide, level 1 is {widths[1]}, level 2 is {widths[2]}.",
        ),
        mistakes=(
            Mistake("0", f"Level 0 is sharp enough, and {4**best:,} times the bytes of what you need."),
            Mistake(
                str(best + 1),
                f"Level {best + 1} has {widths[best + 1]} pixels across for your 800: one step too far.",
            ),
            Mistake(
                str(best + 2),
                lambda answer: (
                    f"That level has {widths[int(number(answer) or 0)]} pixels across for your 800."
                ),
                made=lambda answer: number(answer) in range(best + 2, count),
            ),
            Mistake(
                widths[best],
                "That is how wide the level is. Asked for is its path, the number it is called by.",
            ),
            Mistake(
                str(best - 1),
                lambda answer: f"Level {int(number(answer) or 0)} is sharp enough; a coarser one is, too.",
                made=lambda answer: number(answer) in range(1, best),
            ),
        ),
    )


EXERCISES: tuple[Exercise, ...] = (chunk_bytes, two_ways, pyramid_adds, screen_level)


def _level(shape: tuple[int, ...], chunks: tuple[int, ...]) -> Level:
    return Level("0", shape, "uint16", chunks, scale=(1.0,) * len(shape), itemsize=2)


def _one_side(chunks: tuple[int, ...] | None, axis: int) -> bool:
    """Return True where a chunk is a single voxel along an axis of three."""
    return chunks is not None and len(chunks) == 3 and chunks[axis] == 1


def _times(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
