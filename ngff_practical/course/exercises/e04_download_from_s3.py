"""Download from S3: a level sharp or cheap enough, a crop in micrometres, one level, a damaged copy."""

from __future__ import annotations

from pathlib import Path

from ngff_practical.course.answers import equals, numbers, same
from ngff_practical.course.exercise import Exercise, Mistake, Problem, Seat, exercise
from ngff_practical.course.exercises.copies import damaged_copy
from ngff_practical.course.places import folder, no_folder, path_of
from ngff_practical.errors import MetadataError
from ngff_practical.inspection import describe_image
from ngff_practical.model import Location, Pyramid
from ngff_practical.pyramid import chunk_access
from ngff_practical.samples import find_sample
from ngff_practical.storage import list_objects
from ngff_practical.transfer import download


@exercise("sharp-enough", "The coarsest level that is sharp enough")
def sharp_enough(seat: Seat) -> Problem:
    """Ask for the coarsest level whose voxels are not wider than a limit."""
    _, image = _embryo(seat)
    widths = {level.path: level.scale[-1] for level in image.levels}
    first, second, third = image.levels
    limit = round(seat.random.uniform(second.scale[-1] * 1.1, third.scale[-1] * 0.9), 2)
    listed = ", ".join(f"`{path}`: {width:.3f}" for path, width in widths.items())
    return Problem(
        task="You want to see nuclei, and voxels that are **at most "
        f"{limit} micrometres** wide along x show them well enough. Which is the coarsest level of the "
        f"embryo "
        "that will do? Give its path.",
        wants='the path of a level, such as "0"',
        right=equals(second.path),
        solution=(
            "from ngff_practical import describe_image\n\n"
            'levels = describe_image(task.given["image"]).levels\n'
            f"answer = [level.path for level in levels if level.scale[-1] <= {limit}][-1]"
        ),
        why=f"Widths along x in micrometres: {listed}. Level {second.path} is the last one below {limit}.",
        hints=(
            "`describe_image(...)` lists the levels; `scale` is the size of a voxel, in axis order.",
            "x is the last axis: compare `level.scale[-1]` of each level with the limit.",
        ),
        mistakes=(
            Mistake(
                first.path,
                f"Sharp enough, but level {first.path} sends {first.nbytes / second.nbytes:.0f} times "
                f"the bytes "
                "of what would do.",
            ),
            Mistake(
                third.path,
                f"One step too far: its voxels are {widths[third.path]:.2f} micrometres wide, and "
                f"{limit} were allowed.",
            ),
            Mistake(widths[second.path], "That is a voxel size. Asked for is the path of the level."),
        ),
        given={"image": _place(seat)},
    )


@exercise("crop-um", "A crop in micrometres")
def crop_um(seat: Seat) -> Problem:
    """Ask for the voxels of level 1 that a box given in micrometres covers."""
    place, image = _embryo(seat)
    level, fine = image.levels[1], image.levels[0]
    y, x = (4 * seat.random.randrange(4, 14) for _ in range(2))
    height, width = (4 * seat.random.randrange(4, 10) for _ in range(2))
    voxels = (y, y + height, x, x + width)
    step = level.scale[-1]
    um = [edge * step for edge in voxels]
    return Problem(
        task=f"A cell lies **y from {um[0]:.2f} to {um[1]:.2f}** and **x from {um[2]:.2f} to {um[3]:.2f} "
        f"micrometres**, measured from the image's corner. Which voxels of **level {level.path}** are that? "
        "Give (y start, y stop, x start, x stop), as slices have them.",
        wants="four whole numbers (y start, y stop, x start, x stop)",
        right=equals(voxels),
        solution=(
            "from ngff_practical import describe_image\n\n"
            f'step = describe_image(task.given["image"]).levels[{level.path}].scale[-1]\n'
            'answer = tuple(round(edge / step) for edge in task.given["box_um"])'
        ),
        why=f"A voxel of level {level.path} is {step:.3f} micrometres wide: divide, and round.",
        hints=(
            "How wide is a voxel of this level? `scale` says it, in micrometres.",
            f"Divide each edge by {step:.4f} and round to whole voxels.",
        ),
        mistakes=(
            Mistake(
                tuple(2 * edge for edge in voxels),
                f"These are voxels of level {fine.path}. Those of level {level.path} are twice as wide.",
            ),
            Mistake(
                (voxels[2], voxels[3], voxels[0], voxels[1]),
                "x and y are swapped: arrays have y before x.",
            ),
            Mistake(
                (y, height, x, width),
                "Start and length were given; slices have start and stop.",
            ),
            Mistake(
                tuple(round(edge) for edge in um),
                "These are micrometres. How many voxels is one of them?",
                made=lambda answer: [round(edge) for edge in numbers(answer) or ()] == [*map(round, um)],
            ),
        ),
        given={"image": place, "box_um": tuple(um)},
    )


@exercise("cheap-enough", "The finest level that you can pay for")
def cheap_enough(seat: Seat) -> Problem:
    """Ask for the finest level of which one plane, with all chunks that it touches, stays below a limit."""
    place, image = _embryo(seat)
    names = image.axis_names
    z = seat.random.randrange(20, image.levels[-1].shape[names.index("z")] - 20)

    def plane(index: int) -> tuple[slice, ...]:
        shape = image.levels[index].shape
        return (slice(1, 2), slice(z, z + 1), *(slice(0, size) for size in shape[2:]))

    reads = [chunk_access(level, plane(index)) for index, level in enumerate(image.levels)]
    costs = {level.path: read.bytes_read / 1e3 for level, read in zip(image.levels, reads, strict=True)}
    first, second, third = image.levels
    limit = round((costs[second.path] + costs[first.path]) / 2)
    listed = ", ".join(f"`{path}`: {cost:.0f} kB" for path, cost in costs.items())
    return Problem(
        task=f"Your line is slow: one picture may fetch **{limit} kB** of chunks (as many bytes as they "
        f"hold in memory). You want to see the whole plane **z = {z} of channel 1**. Which is the finest "
        "level of the embryo that stays within that? Give its path.",
        wants='the path of a level, such as "0"',
        right=equals(second.path),
        solution=(
            "from ngff_practical import chunk_access, describe_image\n\n"
            f"plane = slice(1, 2), slice({z}, {z + 1})\n"
            "cheap = [\n"
            "    level.path\n"
            '    for level in describe_image(task.given["image"]).levels\n'
            "    if chunk_access(\n"
            "        level, (*plane, slice(0, level.shape[2]), slice(0, level.shape[3]))\n"
            f"    ).bytes_read <= {limit} * 1e3\n"
            "]\n"
            "answer = cheap[0]"
        ),
        why=f"The chunks behind that plane: {listed}. Level {second.path} is the finest one below "
        f"{limit} kB.",
        hints=(
            "Which chunks does the plane touch at each level? `chunk_access(level, crop)` computes it.",
            "`bytes_read` of what it returns is to be compared with the limit. The crop has four slices: "
            "c, z, y, x.",
        ),
        mistakes=(
            Mistake(
                first.path,
                f"Sharp, but the chunks that this plane touches at level {first.path} hold "
                f"{costs[first.path]:.0f} kB; {limit} kB are allowed.",
            ),
            Mistake(
                third.path,
                f"{costs[third.path]:.0f} kB are cheap enough, but a finer level is, too.",
            ),
            Mistake(
                costs[second.path],
                "That is the cost of a level, in kB. Asked for is its path.",
                made=lambda answer: any(same(answer, cost, within=0.02) for cost in costs.values()),
            ),
        ),
        given={"image": place},
    )


@exercise("one-level", "One level, within a budget")
def one_level(seat: Seat) -> Problem:
    """Ask for a local copy of the coarsest level and nothing else."""
    place, image = _embryo(seat)
    level = image.levels[-1]
    there = {stored.key: stored.nbytes for stored in list_objects(place / level.path)}
    budget = round(sum(there.values()) * 1.5 / 1e6, 1)
    target = seat.folder / "one-level"

    def found(answer: object) -> dict[str, int] | None:
        """Return the files of the folder that is answered, None where it is no folder."""
        place_here = folder(answer)
        if place_here is None:
            return None
        return {stored.key: stored.nbytes for stored in list_objects(place_here)}

    def example(path: str, name: str) -> Path:
        download(place / path, target / name, overwrite=True)
        return target / name

    def otherwise(answer: object) -> str:
        files = found(answer)
        if files is None:
            return no_folder(answer, "the folder that you downloaded to")
        missing = sorted(there.keys() - files.keys())
        if missing:
            return (
                f"{len(missing)} of the level's {len(there)} objects are not there; the first is "
                f"`{missing[0]}`."
            )
        return f"{len(files)} files are there, the level has {len(there)} objects."

    def too_much(answer: object) -> bool:
        files = found(answer)
        return files is not None and sum(files.values()) > budget * 1e6

    return Problem(
        task=f"Download level **{level.path}** of the embryo, and nothing else, into a folder of your "
        f"own: at most "
        f"**{budget} MB**. Put the folder's path into `answer`.",
        wants="the path of a folder",
        right=lambda answer: found(answer) == there,
        solution=(
            "from ngff_practical import course, download\n\n"
            f'answer = course.workspace("{seat.folder.name}") / "level-{level.path}"\n'
            f'download(task.given["image"] / "{level.path}", answer, overwrite=True)'
        ),
        why=f"{len(there)} objects, {sum(there.values()) / 1e6:.1f} MB: names and sizes are those on "
        f"the server.",
        hints=(
            'A level is a place, too: `image / "0"` is the first one.',
            f'`download(task.given["image"] / "{level.path}", folder)` fetches it. The path of `folder` is '
            "the answer.",
        ),
        mistakes=(
            Mistake(
                lambda: example(image.levels[0].path, "finest"),
                lambda answer: (
                    f"{sum((found(answer) or {}).values()) / 1e6:.1f} MB were downloaded, {budget} allowed. "
                    "Which level is it?"
                ),
                made=too_much,
            ),
            Mistake(
                "no/such/folder",
                otherwise,
                made=lambda answer: path_of(answer) is not None and found(answer) is None,
            ),
        ),
        given={"image": place},
        otherwise=otherwise,
    )


EXERCISES: tuple[Exercise, ...] = (sharp_enough, crop_um, cheap_enough, one_level, damaged_copy)


def _place(seat: Seat) -> Location:
    return seat.s3().location("idr", find_sample("blastocyst-0.5").key, anonymous=True)


def _embryo(seat: Seat) -> tuple[Location, Pyramid]:
    """Return the embryo in the sandbox: the same values online and offline."""
    place = _place(seat)
    image = describe_image(place)
    if len(image.levels) != 3:
        raise MetadataError(f"{place} has {len(image.levels)} levels, 3 were expected; restart the sandbox")
    return place, image
