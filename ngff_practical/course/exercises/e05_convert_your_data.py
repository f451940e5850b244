"""Convert your data: axes that were misread, a voxel size, chunks that stay few, and a file of one's own."""

from __future__ import annotations

import math
from collections.abc import Callable

from ngff_practical.course.answers import equals, shown, text, texts, whole_numbers
from ngff_practical.course.exercise import Exercise, Mistake, Problem, Seat, exercise
from ngff_practical.course.exercises.own_file import own_file, write_stack
from ngff_practical.course.exercises.planning import level_shape, missing_plane
from ngff_practical.metadata.wording import plural
from ngff_practical.model import Axis, Pyramid, StackSource
from ngff_practical.pyramid import plan_pyramid
from ngff_practical.stack import find_stack

MEBIBYTE = 2**20
THE_FILE = "That is the file. Hand it to `find_stack`, and put what it returns into `answer`."
MICROMETERS = {"nanometer": 1e-3, "micrometer": 1.0, "millimeter": 1e3}


@exercise("axes", "A z-stack that was read as channels")
def axes(seat: Seat) -> Problem:
    """Ask for the right axes of a file whose notes are wrong."""
    depth = seat.random.randrange(9, 20)
    path = write_stack(seat, f"misread-{depth}.tif", (depth, 40, 48), axes="CYX")
    misread = find_stack(path)

    def looked(answer: object) -> str:
        if not isinstance(answer, StackSource):
            return f"`answer` is {shown(answer)}. Looked for: what `find_stack` returns."
        channels = dict(zip(answer.axis_names, answer.shape, strict=True)).get("c", 0)
        if channels > 1:
            return (
                f"Its c axis has {channels} entries: {channels} channels? A z-stack of {depth} was expected."
            )
        if "t" in answer.axis_names:
            return f"Its first axis is time: {depth} moments? It was called a z-stack of {depth} planes."
        return (
            f"Its axes are {', '.join(answer.axis_names)}, its shape is {answer.shape}: which axis is which?"
        )

    return Problem(
        task=f"The program that wrote `{path.name}` noted its axes as c, y, x. It is one channel, and "
        f"a **z-stack "
        f"of {depth} planes**. Describe it with `find_stack`, with the right axes.",
        wants="what `find_stack` returns",
        right=lambda answer: (
            isinstance(answer, StackSource)
            and answer.axis_names == ("z", "y", "x")
            and answer.shape == (depth, 40, 48)
        ),
        solution=(
            'from ngff_practical import find_stack\n\nanswer = find_stack(task.given["path"], axes="zyx")'
        ),
        why="What you say is stronger than what the file says. No program can know that it is wrong.",
        hints=(
            "`find_stack` has an argument for what the file does not state, or states wrongly.",
            "`axes=` takes one letter for each stored dimension, in stored order.",
        ),
        mistakes=(
            Mistake(
                misread, looked, made=lambda answer: isinstance(answer, StackSource) and _has(answer, "c")
            ),
            Mistake(
                lambda: find_stack(path, axes="tyx"),
                looked,
                made=lambda answer: isinstance(answer, StackSource) and _has(answer, "t"),
            ),
            Mistake(
                "zyx",
                "These are the letters. Hand them to `find_stack`, and put what it returns into `answer`.",
                made=lambda answer: "".join(texts(answer) or (text(answer) or "",)).casefold() == "zyx",
            ),
            Mistake(path, THE_FILE, made=lambda answer: text(answer) == str(path)),
        ),
        typed=False,
        given={"path": path},
        otherwise=looked,
    )


@exercise("voxel-size", "The voxel size that nobody wrote down")
def voxel_size(seat: Seat) -> Problem:
    """Ask for a voxel size that has to be put together from what a colleague says."""
    step = seat.random.choice([0.8, 1.2, 1.5, 2.0])
    per_um = seat.random.choice([2, 4, 5, 8])
    pixel = 1 / per_um
    path = write_stack(seat, "uncalibrated.tif", (12, 40, 48), axes="ZYX")
    right = (step, pixel, pixel)

    def source(size: tuple[float, ...] | None, unit: str | None = "micrometer") -> StackSource:
        return find_stack(path, voxel_size=size, unit=unit) if size else find_stack(path)

    def is_of(size: tuple[float, ...]) -> Callable[[object], bool]:
        return lambda answer: (
            isinstance(answer, StackSource)
            and len(answer.voxel_size) == len(size)
            and all(math.isclose(a, b, rel_tol=1e-3) for a, b in zip(answer.voxel_size, size, strict=True))
        )

    def is_right(answer: object) -> bool:
        (unit,) = units(answer) if len(units(answer)) == 1 else (None,)
        if unit not in MICROMETERS:
            return False
        return is_of(tuple(length / MICROMETERS[unit] for length in right))(answer)

    def units(answer: object) -> set[str | None]:
        return {axis.unit for axis in answer.axes} if isinstance(answer, StackSource) else set()

    def looked(answer: object) -> str:
        if not isinstance(answer, StackSource):
            return f"`answer` is {shown(answer)}. Looked for: what `find_stack` returns."
        sizes = " x ".join(f"{size:.4g}" for size in answer.voxel_size)
        unit = next(iter(units(answer) - {None}), None)
        return (
            f"Its voxels are {sizes} {unit or 'of no unit'} (z, y, x): compare with what the colleague said."
        )

    return Problem(
        task=f'`{path.name}` states no voxel size. Your colleague says: "the planes are **{step} '
        f"micrometres** "
        f'apart, and there are **{per_um} pixels to a micrometre**, in x and y." Describe the stack with its '
        "voxel size and unit.",
        wants="what `find_stack` returns",
        right=is_right,
        solution=(
            "from ngff_practical import find_stack\n\n"
            f'answer = find_stack(task.given["path"], voxel_size=({step}, 1 / {per_um}, 1 / {per_um}), '
            'unit="micrometer")'
        ),
        why=f"Voxels are {step} x {pixel:g} x {pixel:g} micrometres (z, y, x): {step / pixel:.1f} "
        f"times longer "
        "in z.",
        hints=(
            "`find_stack` takes `voxel_size` (three numbers: z, y, x) and `unit`.",
            f"{per_um} pixels share one micrometre. How wide is one of them?",
        ),
        mistakes=(
            Mistake(
                lambda: source((step, float(per_um), float(per_um))),
                f"{per_um} is pixels per micrometre. The size of one is the other way round.",
                made=is_of((step, float(per_um), float(per_um))),
            ),
            Mistake(
                lambda: source((pixel, pixel, step)),
                "The order is z, y, x: the distance between planes comes first.",
                made=is_of((pixel, pixel, step)),
            ),
            Mistake(
                lambda: source(right, None),
                "The numbers are right. Of what? A size needs its unit.",
                made=lambda answer: is_of(right)(answer) and None in units(answer),
            ),
            Mistake(
                lambda: source(None),
                "No voxel size was given, so each counts as 1, of no unit.",
                made=is_of((1.0, 1.0, 1.0)),
            ),
            Mistake(
                right,
                "The right numbers. Hand them to `find_stack`, and put what it returns into `answer`.",
                made=equals(right, within=1e-3),
            ),
            Mistake(path, THE_FILE, made=lambda answer: text(answer) == str(path)),
        ),
        typed=False,
        given={"path": path},
        otherwise=looked,
    )


@exercise("few-objects", "Chunks that stay few")
def few_objects(seat: Seat) -> Problem:
    """Ask for a plan with few objects and chunks that are still small enough to fetch."""
    depth = seat.random.choice([300, 400, 500])
    source = StackSource(
        name="large",
        axes=tuple(Axis(name, "space", "micrometer") for name in "zyx"),
        shape=(depth, 2048, 2048),
        dtype="uint16",
        itemsize=2,
        voxel_size=(1.0, 0.5, 0.5),
        files=(),
        planes=(),
    )
    most, largest = 200, 4 * MEBIBYTE

    def chunk_bytes(plan: Pyramid) -> int:
        return max(math.prod(level.chunks) * level.itemsize for level in plan.levels)

    def is_plan(answer: object) -> bool:
        return isinstance(answer, Pyramid) and answer.shape == source.shape

    def looked(answer: object) -> str:
        if not isinstance(answer, Pyramid):
            return f"`answer` is {shown(answer)}. Looked for: what `plan_pyramid` returns."
        if not is_plan(answer):
            return f"This is a plan for an image of {answer.shape}; the stack is {source.shape}."
        if len(answer.levels) < 3:
            count = plural(len(answer.levels), "level")
            return f"The plan has {count}: who zooms out needs a pyramid of 3 at least."
        size = chunk_bytes(answer) / MEBIBYTE
        if size > 4:
            return f"A chunk is {size:.1f} MiB: who looks at one voxel fetches all of it. 4 MiB is the most."
        return (
            f"The plan makes {answer.objects:,} objects; {most} are allowed. Small chunks can share "
            f"an object."
        )

    def plan(chunks: tuple[int, ...], shards: tuple[int, ...] | None = None) -> Pyramid:
        return plan_pyramid(source, chunks=chunks, shards=shards)

    return Problem(
        task=f"A stack of {depth} x 2048 x 2048 voxels (z, y, x; uint16) is to become OME-Zarr with "
        f"**at most "
        f"{most} objects**, at least 3 levels, and chunks of **at most 4 MiB**. Plan it with `plan_pyramid`.",
        wants="what `plan_pyramid` returns",
        right=lambda answer: (
            isinstance(answer, Pyramid)
            and is_plan(answer)
            and len(answer.levels) >= 3
            and chunk_bytes(answer) <= largest
            and answer.objects <= most
        ),
        solution=(
            "from ngff_practical import plan_pyramid\n\n"
            "answer = plan_pyramid(\n"
            '    task.given["stack"], chunks=(64, 128, 128), shards=(128, 1024, 1024)\n'
            ")"
        ),
        why=f"Chunks decide what a view fetches, shards how many objects lie on the server: "
        f"{plan((64, 128, 128), (128, 1024, 1024)).objects} instead of {plan((64, 128, 128)).objects:,}.",
        hints=(
            "`plan.objects` counts them. Which chunks would make so few, and how large would they be?",
            "A shard is one object with many chunks in it, each of which can be fetched alone: `shards=`.",
            "Shards are whole multiples of chunks along every axis, for example (64, 128, 128) and "
            "(128, 1024, 1024).",
        ),
        mistakes=(
            Mistake(
                lambda: plan((1, 2048, 2048)),
                lambda answer: f"{looked(answer)} A plane is a small chunk, and there are many of them.",
                made=lambda answer: (
                    isinstance(answer, Pyramid) and is_plan(answer) and answer.levels[0].object_shape[0] == 1
                ),
            ),
            Mistake(
                lambda: plan((depth, 512, 512)),
                looked,
                made=lambda answer: (
                    isinstance(answer, Pyramid) and is_plan(answer) and chunk_bytes(answer) > largest
                ),
            ),
            Mistake(
                lambda: plan((64, 128, 128)),
                looked,
                made=lambda answer: (
                    isinstance(answer, Pyramid) and is_plan(answer) and answer.levels[0].shards is None
                ),
            ),
            Mistake(
                lambda: (64, 128, 128),
                "This is a shape. Hand it to `plan_pyramid`, and put what it returns into `answer`.",
                made=lambda answer: whole_numbers(answer) is not None,
            ),
            Mistake(
                source,
                "This is the stack. Hand it to `plan_pyramid`, and put what it returns into `answer`.",
                made=lambda answer: isinstance(answer, StackSource),
            ),
        ),
        typed=False,
        given={"stack": source},
        otherwise=looked,
    )


EXERCISES: tuple[Exercise, ...] = (voxel_size, axes, missing_plane, level_shape, few_objects, own_file)


def _has(source: StackSource, axis: str) -> bool:
    return axis in source.axis_names
