"""Labels and plates: nuclei counted, an id lost, labels attached, a field found, a well put on the list."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ngff_practical.convert import convert_labels
from ngff_practical.course.answers import equals, number, shown, text, whole_numbers
from ngff_practical.course.exercise import Exercise, Mistake, Problem, Seat, exercise
from ngff_practical.course.exercises.broken_images import keep
from ngff_practical.course.exercises.plates import field_path, missing_well
from ngff_practical.course.places import does_not_open, folder, no_folder
from ngff_practical.errors import NgffPracticalError
from ngff_practical.inspection import describe_image, validate
from ngff_practical.metadata.wording import plural
from ngff_practical.model import StackSource
from ngff_practical.pyramid import downsample_mean, plan_labels
from ngff_practical.samples import blastocyst, mini_image
from ngff_practical.stack import find_stack

type Ids = NDArray[np.uint16]

SHAPE = (32, 64, 64)
VOXEL_SIZE = (0.8, 0.4, 0.4)


@exercise("count-nuclei", "How many nuclei?")
def count_nuclei(seat: Seat) -> Problem:
    """Ask for the number of ids in a label image some of whose ids are not used."""
    gone = seat.random.sample(range(1, 20), seat.random.randrange(3, 7))
    ids = _ids()
    ids[np.isin(ids, gone)] = 0
    place = seat.folder / f"count-{seat.random.randrange(1000, 10_000)}.zarr"  # names nothing of the answer
    keep(place, lambda part: _with_labels(part, ids))
    found = np.unique(ids[ids > 0])
    count, voxels = len(found), int((ids > 0).sum())
    return Problem(
        task=f"`{place.name}` has labels called `nuclei`. How many **nuclei** are in them, at full "
        'resolution? The path of the image is `task.given["path"]`.',
        wants="a whole number of nuclei",
        right=equals(count),
        solution=(
            "import numpy as np\nimport zarr\n\n"
            'nuclei = zarr.open_array(task.given["path"] / "labels" / "nuclei" / "0", mode="r")[:]\n'
            "answer = len(np.unique(nuclei[nuclei > 0]))"
        ),
        why=f"{count} ids occur, besides 0. They go up to {found.max()}, and not all of them are used.",
        hints=(
            'The labels are an image of their own: `path / "labels" / "nuclei"`, with levels as any other.',
            "Each nucleus is an id. `numpy.unique` lists the values that occur.",
            "0 is no nucleus.",
        ),
        mistakes=(
            Mistake(count + 1, "0 is background, and was counted."),
            Mistake(int(found.max()), "That is the largest id. Ids may have gaps, and here they have."),
            Mistake(voxels, "That is the number of voxels that belong to nuclei."),
            Mistake(
                voxels / count, "That is how many voxels a nucleus has on average. How many nuclei are there?"
            ),
            Mistake(
                np.unique(ids),
                "These are ids. How many of them are nuclei?",
                made=lambda answer: isinstance(answer, np.ndarray) and answer.size > 1,
            ),
        ),
        given={"path": place},
    )


@exercise("lost-label", "The label that averaging loses")
def lost_label(seat: Seat) -> Problem:
    """Ask for the one id that is gone after 2 x 2 voxels were averaged."""
    labels, averaged, lost = _draw(seat)
    before, after = set(np.unique(labels).tolist()), set(np.unique(averaged).tolist())
    invented, kept = sorted(after - before), sorted(before & after - {0})
    return Problem(
        task='`task.given["labels"]` is a small label image with a cell for each id; one of them is long and '
        'thin. `task.given["averaged"]` is its next level as an averaging program makes it. Which **id** '
        "has been lost?",
        wants="a whole number: an id",
        right=equals(lost),
        solution=(
            "import numpy as np\n\n"
            'before, after = (np.unique(task.given[name]) for name in ("labels", "averaged"))\n'
            "answer = int(np.setdiff1d(before, after)[0])"
        ),
        why=f"Cell {lost} is one voxel wide: each mean has background in it, and none is {lost}. In return "
        f"{len(invented)} ids were made up, {invented[0]} among them, of cells that do not exist.",
        hints=(
            "Which ids are in the one array, and not in the other?",
            "`numpy.unique` lists the ids of an array, `numpy.setdiff1d` what only the first list has.",
        ),
        mistakes=(
            Mistake(
                invented[0],
                "That is new: no cell was called so. Look in the other direction, too.",
                made=lambda answer: set(whole_numbers(answer) or (number(answer),)) <= set(invented),
            ),
            Mistake(
                kept[0],
                "That one is in both arrays.",
                made=lambda answer: number(answer) in kept,
            ),
            Mistake(0, "0 is background, and still there."),
            Mistake(1, "One id is lost, yes. Which?"),
        ),
        given={"labels": labels, "averaged": averaged},
        otherwise=lambda answer: (
            f"`answer` is {shown(answer)}. Looked for: one id, which is in `labels` and not in `averaged`."
        ),
    )


@exercise("attach-labels", "Attach labels to an image")
def attach_labels(seat: Seat) -> Problem:
    """Take any image whose labels are valid and have the ids they should have, on every level."""
    ids = _ids()
    ids[ids == seat.random.randrange(1, 20)] = 0
    place, tiff = seat.folder / "attach.zarr", seat.folder / "cells.tif"
    keep(place, lambda part: mini_image(part, shape=SHAPE, voxel_size=VOXEL_SIZE))
    keep(tiff, lambda part: _write_ids(part, ids))

    def looked(answer: object) -> str | None:
        image = folder(answer)
        if image is None:
            return no_folder(answer, "the image")
        try:
            names = describe_image(image).labels
            wrong = [issue for issue in validate(image) if issue.severity != "should"]
            if not names:
                return "It is an image, and its group `labels` lists nothing."
            levels = [_read(level) for level in _levels(image, names[0])]
        except NgffPracticalError as error:
            return does_not_open(error)
        if wrong:
            return f"{plural(len(wrong), 'problem')}; the first: {wrong[0].where}: {wrong[0].message}."
        if levels[0].shape != ids.shape or not (levels[0] == ids).all():
            return f"Level 0 of `{names[0]}` is not what `{tiff.name}` holds."
        made_up = [len(np.setdiff1d(level, ids)) for level in levels]
        if any(made_up):
            invented = plural(max(made_up), "id")
            return f"The levels of `{names[0]}` have {invented} that no cell has. Were they averaged?"
        return None

    def example(name: str, downsampling: str) -> Path:
        image = seat.folder / f"{name}.zarr"
        if not image.exists():
            mini_image(image, shape=SHAPE, voxel_size=VOXEL_SIZE)
            if downsampling:
                stack = find_stack(tiff, axes="zyx")
                plan = replace(plan_labels(stack, describe_image(image)), downsampling="mean")
                convert_labels(stack, image, plan, name="cells")
        return image

    def has_none(answer: object) -> bool:
        image = folder(answer)
        return (
            image is not None
            and not (image / "labels").exists()
            and "lists nothing" in (looked(answer) or "")
        )

    return Problem(
        task=f"`{tiff.name}` holds ids for the image `{place.name}`, as a segmentation program wrote them. "
        'Attach them as labels called `cells`. The paths are `task.given["labels"]` and '
        '`task.given["image"]`; '
        "the answer is the path of the image.",
        wants="the path of the image",
        right=lambda answer: looked(answer) is None,
        solution=(
            "from ngff_practical import convert_labels, describe_image, find_stack, plan_labels\n\n"
            'answer = task.given["image"]\n'
            'stack = find_stack(task.given["labels"], axes="zyx")\n'
            "plan = plan_labels(stack, describe_image(answer))\n"
            'convert_labels(stack, answer, plan, name="cells", overwrite=True)'
        ),
        why="Level 0 has the ids of the file, the others none besides. The validator finds nothing wrong.",
        hints=(
            "Three steps: `find_stack` for the ids, `plan_labels` with the image, `convert_labels`.",
            "`plan_labels(stack, describe_image(image))` takes the levels from the image they belong to.",
        ),
        mistakes=(
            Mistake(
                lambda: example("averaged", "mean") / "labels" / "cells",
                "That is the label image. The answer is the path of the image it belongs to, two folders up.",
                made=lambda answer: (found := folder(answer)) is not None and found.parent.name == "labels",
            ),
            Mistake(
                lambda: example("bare", ""),
                lambda answer: f"{looked(answer)} Attach them first, then answer with its path.",
                made=has_none,
            ),
            Mistake(
                lambda: example("averaged", "mean"),
                lambda answer: f"{looked(answer)} Take `plan_labels`: it picks a voxel instead.",
                made=lambda answer: "averaged?" in (looked(answer) or ""),
            ),
            Mistake(
                lambda: str(tiff),
                "That is the file with the ids. The answer is the image that they were attached to.",
                made=lambda answer: (text(answer) or "").endswith(".tif"),
            ),
        ),
        given={"image": place, "labels": tiff},
        otherwise=lambda answer: looked(answer) or "",
    )


EXERCISES: tuple[Exercise, ...] = (count_nuclei, lost_label, attach_labels, field_path, missing_well)


def _ids() -> Ids:
    return blastocyst(shape=SHAPE, nuclei=24).labels.astype("uint16")


def _write_ids(path: Path, ids: Ids) -> StackSource:
    import tifffile

    tifffile.imwrite(path, ids, photometric="minisblack", metadata=None)
    return find_stack(path, axes="zyx")


def _with_labels(place: Path, ids: Ids) -> None:
    mini_image(place, shape=SHAPE, voxel_size=VOXEL_SIZE)
    tiff = place.with_suffix(".tif")
    source = _write_ids(tiff, ids)
    convert_labels(source, place, plan_labels(source, describe_image(place)), name="nuclei")
    tiff.unlink()


def _levels(image: Path, name: str) -> tuple[Path, ...]:
    group = image / "labels" / name
    return tuple(group / level.path for level in describe_image(group).levels)


def _read(path: Path) -> NDArray[np.generic]:
    import zarr

    return np.asarray(zarr.open_array(path, mode="r")[...])


def _draw(seat: Seat) -> tuple[Ids, Ids, int]:
    """Return labels, their mean over 2 x 2 voxels, and the only id that the mean has lost."""
    while True:
        a, b, c, thin = seat.random.sample(range(20, 99), 4)
        labels = np.zeros((24, 24), "uint16")
        labels[2:9, 2:9], labels[2:9, 9:15] = a, b
        labels[13:20, 3:10] = c
        labels[3:21, 18] = thin
        averaged = downsample_mean(labels, (2, 2)).astype("uint16")
        lost = set(np.unique(labels).tolist()) - set(np.unique(averaged).tolist())
        if lost == {thin}:
            return labels, averaged, thin
