"""Four images to repair: a scale that shrinks, a translation forgotten, axes turned, a unit misspelt."""

from __future__ import annotations

from collections.abc import Callable

from ngff_practical.course.exercise import Mistake, Problem, Seat, exercise
from ngff_practical.course.exercises.broken_images import (
    Edit,
    Json,
    Repair,
    VoxelSize,
    axis_values,
    multiscale,
    repair,
    steps,
)


@exercise("repair-scale", "Repair: the scale")
def repair_scale(seat: Seat) -> Problem:
    """Give an image in which the scale shrinks with the level."""

    def shrink(found: Json) -> None:
        first = steps(found, "scale")[0]
        for level, row in enumerate(steps(found, "scale")):
            smaller = [a * a / b for a, b in zip(first, row, strict=True)]
            _set(found, level, "scale", smaller)

    def flatten(found: Json) -> None:
        first = steps(found, "scale")[0]
        for level in range(3):
            _set(found, level, "scale", first)

    def untouched(found: Json) -> bool:
        rows = steps(found, "scale")
        return len(rows) == 3 and bool(rows[0] and rows[1]) and rows[1][-1] < rows[0][-1]

    def flat(found: Json) -> bool:
        rows = steps(found, "scale")
        return len(rows) == 3 and rows[0] == rows[1] == rows[2]

    task = repair(seat, "scale", shrink, _voxel_size(seat))
    rows = [list(level.scale) for level in task.truth.levels]
    return _repair_problem(
        task,
        task_text="Whoever wrote this image divided instead of multiplying: its voxels get smaller "
        "from level to level.",
        change=f"for dataset, scale in zip(multiscale['datasets'], {rows}):\n"
        "    dataset['coordinateTransformations'][0]['scale'] = scale\n",
        why="Each level has fewer voxels of the same thing, so they are larger, by as much.",
        hints=(
            "The scale of level 0 is right. Compare the shapes: how many of its voxels does one of level 1 "
            "cover?",
            '`multiscale["datasets"][1]["coordinateTransformations"][0]["scale"]` is the list to change; '
            f"for level 1 it is {rows[1]}.",
        ),
        mistakes=(
            ("unchanged", shrink, untouched, "Where there are fewer voxels, each of them is larger."),
            (
                "flat",
                flatten,
                flat,
                "Now every level claims voxels of one size, though each has another number of them.",
            ),
        ),
    )


@exercise("repair-translation", "Repair: the translation")
def repair_translation(seat: Seat) -> Problem:
    """Give an image in which z halves, and the translation does not know."""

    def forget(found: Json) -> None:
        for level, row in enumerate(steps(found, "translation")):
            if row:
                _set(found, level, "translation", [*row[:1], 0.0, *row[2:]])

    def remove(found: Json) -> None:
        for dataset in _datasets(found):
            dataset["coordinateTransformations"] = _transformations(dataset)[:1]

    def whole(found: Json) -> None:
        for level, row in enumerate(steps(found, "scale")[1:], start=1):
            _set(found, level, "translation", [0.0, *(value / 2 for value in row[1:])])

    def untouched(found: Json) -> bool:
        rows = steps(found, "translation")
        return len(rows) == 3 and len(rows[1]) == 4 and rows[1][1] == 0 != rows[1][2]

    def is_whole(found: Json) -> bool:
        sizes, rows = steps(found, "scale"), steps(found, "translation")
        return len(rows) == 3 and len(rows[1]) == len(sizes[1]) == 4 and rows[1][2] == sizes[1][2] / 2

    pixel = seat.random.choice([0.3, 0.4, 0.5])
    task = repair(seat, "translation", forget, (pixel, pixel, pixel))
    rows = [list(level.translation or ()) for level in task.truth.levels[1:]]
    return _repair_problem(
        task,
        task_text="Its z is halved at each level, as y and x are, but its translations were written for an "
        "image whose z stays.",
        change=f"for dataset, translation in zip(multiscale['datasets'][1:], {rows}):\n"
        "    dataset['coordinateTransformations'][1]['translation'] = translation\n",
        why="Along every axis that shrinks, the first centre moves by half of what the voxel has grown.",
        hints=(
            "Read the translation of level 1, in the order c, z, y, x. Which number is the odd one out?",
            f"Voxels grow from {pixel:g} to {2 * pixel:g} along z, as along y. Half of the difference is "
            f"{pixel / 2:g}.",
        ),
        mistakes=(
            ("unchanged", forget, untouched, "Along z its voxels grow, too."),
            (
                "none",
                remove,
                lambda found: len(steps(found, "scale")) == 3 and not any(steps(found, "translation")),
                "Without translations every level lies half a voxel off, along all three axes.",
            ),
            ("whole", whole, is_whole, "Half of what the voxel has *grown by*, not half of the voxel."),
        ),
    )


@exercise("repair-axes", "Repair: the axes")
def repair_axes(seat: Seat) -> Problem:
    """Give an image whose axes are listed as a microscope lists them, x first."""

    def turn(found: Json) -> None:
        axes = _list(found, "axes")
        found["axes"] = [axes[0], *axes[:0:-1]]

    def no_channel(found: Json) -> None:
        found["axes"] = _list(found, "axes")[1:]

    def names(*wanted: str) -> Callable[[Json], bool]:
        return lambda found: axis_values(found, "name") == list(wanted)

    task = repair(seat, "axes", turn, _voxel_size(seat))
    return _repair_problem(
        task,
        task_text="Its axes are listed as microscopes do it, x first. The arrays are stored as c, z, y, x.",
        change="by_name = {axis['name']: axis for axis in multiscale['axes']}\n"
        "multiscale['axes'] = [by_name[name] for name in 'czyx']\n",
        why="Axes are listed in the order in which the arrays are stored: time, channel, then z, y, x.",
        hints=(
            '`zarr.open_array(path / "0").metadata.dimension_names` says in which order the array is stored.',
            "Nothing has to be renamed: the same four entries, in the order c, z, y, x.",
        ),
        mistakes=(
            ("unchanged", turn, names("c", "x", "y", "z"), "In which order is the array stored?"),
            (
                "without-c",
                no_channel,
                names("z", "y", "x"),
                "The array has four dimensions, and each needs its axis, channels too.",
            ),
        ),
    )


@exercise("repair-unit", "Repair: the unit")
def repair_unit(seat: Seat) -> Problem:
    """Give an image whose unit is a sign instead of a word."""

    def write(unit: str | None) -> Edit:
        def edit(found: Json) -> None:
            for axis in _list(found, "axes"):
                if isinstance(axis, dict) and axis.get("type") == "space":
                    axis["unit"] = unit
                    if unit is None:
                        del axis["unit"]

        return edit

    def units(*known: object) -> Callable[[Json], bool]:
        def look(found: Json) -> bool:
            said = axis_values(found, "unit")[1:]
            return bool(said) and all(unit in known for unit in said)

        return look

    task = repair(seat, "unit", write("µm"), _voxel_size(seat))
    return _repair_problem(
        task,
        task_text="Its unit is `µm`. People read that; programs look for a word from a list.",
        change="for axis in multiscale['axes'][1:]:\n    axis['unit'] = 'micrometer'\n",
        why="Units are whole words, as UDUNITS has them, in lower case: micrometer, nanometer, second.",
        hints=(
            "What does `validate` say about it?",
            "The specification names its units in words of American English: `micrometer`.",
        ),
        mistakes=(
            ("unchanged", write("µm"), units("µm", "μm"), "A sign, and there are two that look the same."),
            (
                "short",
                write("um"),
                units("um", "micron", "microns", "Micrometer", "micrometre"),
                "Closer, and still not a word from the list.",
            ),
            ("none", write(None), units(None), "Now nobody knows what the numbers are numbers of."),
        ),
    )


def _voxel_size(seat: Seat) -> VoxelSize:
    """Return voxels twice as long along z, another size for each learner."""
    pixel = seat.random.choice([0.3, 0.4, 0.6, 0.7])  # z of exactly 1 would look like a guess
    return 2 * pixel, pixel, pixel


def _repair_problem(
    task: Repair,
    *,
    task_text: str,
    change: str,
    why: str,
    hints: tuple[str, ...],
    mistakes: tuple[tuple[str, Edit, Callable[[Json], bool], str], ...],
) -> Problem:
    """Return the problem of repairing an image: each mistake is an edit, how to know it, and words."""
    return Problem(
        task=f'{task_text} Repair the metadata of the image `{task.path.name}`, in `task.given["path"]`, and '
        "put its path into `answer`. The validator judges it.",
        wants="the path of the repaired image",
        right=lambda answer: task.looked(answer) is None,
        solution=(
            "import zarr\n\n"
            'group = zarr.open_group(task.given["path"], mode="r+")\n'
            'ome = group.attrs["ome"]\n'
            'multiscale = ome["multiscales"][0]\n' + change.replace("'", '"') + 'group.attrs["ome"] = ome\n'
            'answer = task.given["path"]'
        ),
        why=f"{why} The validator has nothing left to say.",
        hints=(
            *hints,
            'Read and write it with zarr: `group = zarr.open_group(path, mode="r+")`, change what '
            '`group.attrs["ome"]` returns, and assign it again.',
        ),
        mistakes=tuple(_mistake(task, *mistake) for mistake in mistakes),
        given={"path": task.path},
        otherwise=lambda answer: task.looked(answer) or "",
    )


def _mistake(task: Repair, name: str, edit: Edit, known: Callable[[Json], bool], words: str) -> Mistake:
    return Mistake(
        lambda: task.example(name, edit),
        lambda answer: f"{task.looked(answer)} {words}",
        made=lambda answer: known(multiscale(answer)),
    )


def _datasets(found: Json) -> list[Json]:
    return [dataset for dataset in _list(found, "datasets") if isinstance(dataset, dict)]


def _transformations(dataset: Json) -> list[object]:
    return _list(dataset, "coordinateTransformations")


def _list(found: Json, key: str) -> list[object]:
    value = found.get(key)
    return value if isinstance(value, list) else []


def _set(found: Json, level: int, kind: str, values: list[float]) -> None:
    """Write the scale or translation of a level that has one."""
    for step in _transformations(_datasets(found)[level]):
        if isinstance(step, dict) and kind in step:
            step[kind] = values
