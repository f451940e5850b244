"""Before a conversion: a plane that is missing in a folder, and the shapes that a pyramid will have."""

from __future__ import annotations

from pathlib import PurePath

from ngff_practical.course.answers import equals, number, same, shown, text
from ngff_practical.course.exercise import Mistake, Problem, Seat, exercise
from ngff_practical.model import Axis, StackSource
from ngff_practical.pyramid import plan_pyramid


@exercise("missing-plane", "The plane that is not there", required=False)
def missing_plane(seat: Seat) -> Problem:
    """Ask for the number of the plane that a folder lacks."""
    import tifffile

    from ngff_practical.samples import blastocyst

    count = seat.random.randrange(14, 20)
    missing = seat.random.randrange(4, count - 3)
    folder = seat.folder / f"planes-{seat.random.randrange(100, 1000)}"  # names nothing of the answer
    if not folder.is_dir():
        pixels = blastocyst(shape=(count, 40, 48), nuclei=12).image[1]
        part = folder.with_suffix(".part")
        part.mkdir(parents=True, exist_ok=True)
        for z, plane in enumerate(pixels, start=1):
            if z != missing:
                tifffile.imwrite(part / f"embryo_z{z:03}.tif", plane)
        part.rename(folder)
    return Problem(
        task=f"A microscope wrote one file for each plane of a z-stack into `{folder.name}` "
        '(`task.given["folder"]`). One was lost on the way. **Which number** is missing?',
        wants="the number of a plane, as in its file's name",
        right=lambda answer: (
            same(answer, missing) or PurePath(text(answer) or "").stem == f"embryo_z{missing:03}"
        ),
        solution=(
            "from ngff_practical import find_stack\n"
            "from ngff_practical.errors import StackError\n\n"
            "try:\n"
            '    find_stack(task.given["folder"])\n'
            "except StackError as error:\n"
            '    answer = int(str(error).partition("missing: ")[2].partition(".")[0])'
        ),
        why=f"{count - 1} files, numbered 1 to {count}, and no {missing}. A program that only counts files "
        "would move every later plane one step down.",
        hints=(
            "Describe the folder with `find_stack`, and read what it answers.",
            "The names of the files end in numbers that go up by one, but for one place.",
        ),
        mistakes=(
            Mistake(count - 1, f"{count - 1} is how many files there are. Which number is skipped?"),
            Mistake(
                missing - 1,
                f"`embryo_z{missing - 1:03}.tif` is there. These names count from 1, Python's lists from 0.",
            ),
            Mistake(
                missing + 1, f"`embryo_z{missing + 1:03}.tif` is there: it is the first one after the gap."
            ),
            Mistake(count, f"`embryo_z{count:03}.tif` is there, the last one. The gap lies before it."),
            Mistake(
                1,
                lambda answer: f"`embryo_z{int(number(answer) or 0):03}.tif` is there.",
                made=lambda answer: number(answer) in range(1, count + 1),
            ),
        ),
        given={"folder": folder},
        otherwise=lambda answer: f"`answer` is {shown(answer)}. The names go from 1 to {count}.",
    )


@exercise("level-shape", "The shape of a level that is not there yet", required=False)
def level_shape(seat: Seat) -> Problem:
    """Ask for the shape of level 2 of a stack whose voxels are twice as long along z."""
    depth = seat.random.choice([64, 96, 128])
    height, width = seat.random.choice([1024, 1536, 2048]), seat.random.choice([1280, 1792, 2304])
    source = StackSource(
        name="anisotropic",
        axes=tuple(Axis(name, "space", "micrometer") for name in "zyx"),
        shape=(depth, height, width),
        dtype="uint16",
        itemsize=2,
        voxel_size=(1.0, 0.5, 0.5),
        files=(),
        planes=(),
    )
    right = plan_pyramid(source).levels[2].shape
    return Problem(
        task=f"A stack of **{depth} x {height} x {width}** voxels (z, y, x), each **1 x 0.5 x 0.5 "
        "micrometres** large, is to become a pyramid in which voxels get as equal-sided as they can. Which "
        "**shape** has level 2? Predict it; `plan_pyramid` will tell whether you are right.",
        wants="three whole numbers (z, y, x)",
        right=equals(right),
        solution=(
            "from ngff_practical import plan_pyramid\n\n"
            'answer = plan_pyramid(task.given["stack"]).levels[2].shape'
        ),
        why="Level 1 halves y and x: its voxels are 1 x 1 x 1 micrometres. Then all three are halved.",
        hints=(
            "z waits until y and x have caught up. How large are the voxels of level 1?",
            "Level 1 has all planes, and half of the rows and columns. Then every axis is halved.",
        ),
        mistakes=(
            Mistake(
                (depth // 4, height // 4, width // 4),
                "That halves z from the start: voxels would stay twice as long as wide at every level.",
            ),
            Mistake(
                (depth, height // 4, width // 4),
                "That never halves z: at level 2 voxels would be 1 x 2 x 2 micrometres, flat.",
            ),
            Mistake((depth, height // 2, width // 2), "That is level 1. One step further."),
            Mistake(right[::-1], "These are the right numbers the other way round: z comes first."),
        ),
        given={"stack": source},
    )
