"""Your own: a plan within a target, a valid image that keeps it, and a copy that is proven and open."""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path

from ngff_practical.convert import convert_stack
from ngff_practical.course.answers import shown, text, whole_numbers
from ngff_practical.course.exercise import Exercise, Mistake, Problem, Seat, exercise
from ngff_practical.course.exercises.own_file import fault_of_image
from ngff_practical.course.places import folder, location
from ngff_practical.course.rubric import ScoreCard, Target, score_card
from ngff_practical.metadata.wording import plural
from ngff_practical.model import Location, Pyramid, StackSource
from ngff_practical.pyramid import plan_pyramid
from ngff_practical.samples import sample_stack
from ngff_practical.stack import find_stack
from ngff_practical.storage import delete_object, list_objects
from ngff_practical.transfer import upload

TARGET = Target(objects=60, preview_bytes=200_000)
BUCKET = "practical"


@exercise("plan-target", "A plan within the target")
def plan_target(seat: Seat) -> Problem:
    """Ask for a plan of any stack that keeps the target."""
    stack = find_stack(_given(seat))

    def preview(plan: Pyramid) -> int:
        return plan.levels[-1].nbytes

    def keeps(answer: object) -> bool:
        return (
            isinstance(answer, Pyramid)
            and len(answer.levels) > 1
            and answer.objects <= TARGET.objects
            and preview(answer) <= TARGET.preview_bytes
        )

    def looked(answer: object) -> str:
        if not isinstance(answer, Pyramid):
            return f"`answer` is {shown(answer)}. Looked for: what `plan_pyramid` returns."
        if answer.objects > TARGET.objects:
            return f"The plan makes {answer.objects} objects; {TARGET.objects} are the most. Chunks decide."
        return (
            f"The coarsest of {plural(len(answer.levels), 'level')} has {preview(answer):,} bytes before "
            "compression; "
            f"{TARGET.preview_bytes:,} are the most."
        )

    return Problem(
        task=f'Plan your own stack, or the one that is given (`task.given["stack"]`), with **at most '
        f"{TARGET.objects} objects**, and a coarsest level of **at most {TARGET.preview_bytes:,} "
        f"bytes** before "
        "compression, so that a preview is quick.",
        wants="what `plan_pyramid` returns",
        right=keeps,
        solution=(
            "from ngff_practical import plan_pyramid\n\n"
            'answer = plan_pyramid(task.given["stack"], chunks=(1, 32, 64, 64), levels=3)'
        ),
        why="Few objects to move, and a preview that is small: both known before anything was written.",
        hints=(
            "`plan.objects` counts objects, `plan.levels[-1].nbytes` are the bytes of the coarsest level.",
            "`levels=` says how many there are: each has a quarter to an eighth of the voxels of the one "
            "before. "
            "`chunks=` (and `shards=`) decide how many objects.",
        ),
        mistakes=(
            Mistake(
                lambda: plan_pyramid(stack, chunks=(1, 1, 128, 128), levels=3),
                lambda answer: f"{looked(answer)} One plane to a chunk makes many.",
                made=lambda answer: (
                    isinstance(answer, Pyramid)
                    and answer.objects > TARGET.objects
                    and "z" in answer.axis_names
                    and answer.levels[0].object_shape[answer.axis_names.index("z")] == 1
                ),
            ),
            Mistake(
                lambda: plan_pyramid(stack, chunks=(1, 32, 64, 64), levels=1),
                lambda answer: f"{looked(answer)} With one level the preview is the whole image.",
                made=lambda answer: isinstance(answer, Pyramid) and len(answer.levels) == 1,
            ),
            Mistake(
                stack,
                "This is the stack. Hand it to `plan_pyramid`, and put what it returns into `answer`.",
                made=lambda answer: isinstance(answer, StackSource),
            ),
            Mistake(
                (1, 32, 64, 64),
                "This is a shape. Hand it to `plan_pyramid`, and put what it returns into `answer`.",
                made=lambda answer: whole_numbers(answer) is not None,
            ),
        ),
        typed=False,
        given={"stack": stack},
        otherwise=looked,
    )


@exercise("own-valid", "An image that keeps the target")
def own_valid(seat: Seat) -> Problem:
    """Take any image on this machine that is valid and keeps the target."""
    path = _given(seat)

    def card(answer: object) -> ScoreCard | str:
        """Return the score card of the image, or why there is none."""
        fault = fault_of_image(answer)
        return fault if fault else score_card(text(answer) or "", None, TARGET)

    def looked(answer: object) -> str:
        found = card(answer)
        return found if isinstance(found, str) else _open(found, most=4)

    def converted(name: str, plan: Pyramid) -> Path:
        destination = seat.folder / name
        convert_stack(find_stack(path), destination, plan, overwrite=True)
        return destination

    return Problem(
        task=f"Convert it, and put the path of the image into `answer`. It has to be valid, state its "
        f"voxel size "
        f"with a unit, have at most {TARGET.objects} objects, and a coarsest level that takes at most "
        f"{TARGET.preview_bytes:,} bytes.",
        wants="the path of an OME-Zarr image on this machine",
        right=lambda answer: (
            not isinstance(found := card(answer), str) and all(each.met for each in found.criteria[:4])
        ),
        solution=(
            "from ngff_practical import convert_stack, course, find_stack, plan_pyramid\n\n"
            'stack = find_stack(task.given["path"])\n'
            f'answer = course.workspace("{seat.folder.name}") / "solution.ome.zarr"\n'
            "convert_stack(stack, answer, plan_pyramid(stack, chunks=(1, 32, 64, 64), levels=3), "
            "overwrite=True)"
        ),
        why="Valid, calibrated, few objects, a small preview: this one can travel.",
        hints=(
            "The plan of the exercise before is the third argument of `convert_stack`.",
            "`score_card(path, None, target)` shows each criterion with what was measured.",
        ),
        mistakes=(
            Mistake(
                path,
                lambda answer: fault_of_image(answer) or "",
                made=lambda answer: fault_of_image(answer) is not None,
            ),
            Mistake(
                lambda: converted(
                    "many-objects.ome.zarr", plan_pyramid(find_stack(path), chunks=(1, 1, 128, 128), levels=3)
                ),
                looked,
                made=lambda answer: isinstance(card(answer), ScoreCard),
            ),
        ),
        given={"path": path},
        otherwise=looked,
    )


@exercise("own-shared", "A copy that is proven and open")
def own_shared(seat: Seat) -> Problem:
    """Take any image together with its copy on S3 below the learner's prefix."""
    s3 = seat.s3()
    number = seat.random.randrange(10, 100)
    path, prefix = _given(seat), f"ada-{number}"

    def pair(answer: object) -> tuple[Path, Location] | None:
        if not isinstance(answer, tuple | list) or len(answer) != 2 or fault_of_image(answer[0]) is not None:
            return None
        path_here, place = folder(answer[0]), location(answer[1])
        return (path_here, place) if path_here is not None and place is not None else None

    def fault(answer: object) -> str | None:
        found = pair(answer)
        if found is None:
            named = answer[0] if isinstance(answer, tuple | list) and len(answer) == 2 else None
            reason = fault_of_image(named) if named is not None else None
            return reason or f"`answer` is {shown(answer)}. Looked for: a path and a place, `(path, place)`."
        place = found[1]
        first, _, rest = place.key.partition("/")
        if re.search(rf"(?<!\d){number}(?!\d)", first) is None or not rest:
            return f"Its key is `{place.key}`, which is not below a prefix of your own with {number} in it."
        if not list(islice(list_objects(place), 1)):
            return f"Nothing lies at `{place.key}` yet. Upload the image to this place, then check again."
        card = score_card(found[0], place, TARGET)
        return None if all(each.met for each in card.criteria[4:]) else _open(card, first=4)

    def image() -> Path:
        destination = seat.folder / "to-share.ome.zarr"
        stack = find_stack(path)
        plan = plan_pyramid(stack, chunks=(1, 32, 64, 64), levels=3)
        convert_stack(stack, destination, plan, overwrite=True)
        return destination

    def elsewhere() -> tuple[Path, Location]:
        return image(), s3.location(BUCKET, "embryo.ome.zarr")

    def incomplete() -> tuple[Path, Location]:
        local, place = image(), s3.location(BUCKET, f"{prefix}/incomplete.ome.zarr")
        upload(local, place, overwrite=True)
        delete_object(place, next(each.key for each in list_objects(place) if each.key.startswith("0/c")))
        return local, place

    return Problem(
        task=f"Upload your image below a prefix of your own that has the number **{number}** in it, such as "
        f"`{prefix}/`, in the bucket `{BUCKET}` (or in your own). Put path and place into `answer`: "
        "`answer = (path, place)`. Every object there is compared with yours, and a stranger asks for it.",
        wants="a pair: the path of your image, and its place on S3",
        right=lambda answer: fault(answer) is None,
        solution=(
            "from ngff_practical import convert_stack, course, find_stack, plan_pyramid, upload\n\n"
            'stack = find_stack(task.given["path"])\n'
            f'path = course.workspace("{seat.folder.name}") / "shared.ome.zarr"\n'
            "convert_stack(stack, path, plan_pyramid(stack, chunks=(1, 32, 64, 64), levels=3), "
            "overwrite=True)\n"
            f'place = course.connect().location("{BUCKET}", "{prefix}/shared.ome.zarr")\n'
            "upload(path, place, overwrite=True)\n"
            "answer = (path, place)"
        ),
        why="Every byte is there, under your own prefix, and whoever has the address can open it.",
        hints=(
            "`upload(path, place)` sends it; `s3.location(bucket, key)` makes the place.",
            f"The key begins with your prefix: `{prefix}/my-image.ome.zarr`.",
        ),
        mistakes=(
            Mistake(
                elsewhere,
                lambda answer: fault(answer) or "",
                made=lambda answer: pair(answer) is not None and "below a prefix" in (fault(answer) or ""),
            ),
            Mistake(
                incomplete,
                lambda answer: f"{fault(answer)}. Upload again: only what is missing is sent.",
                made=lambda answer: pair(answer) is not None and "differen" in (fault(answer) or ""),
            ),
            Mistake(
                lambda: (s3.location(BUCKET, f"{prefix}/turned.ome.zarr"), path),
                "The path of your image comes first, and then its place on S3.",
                made=lambda answer: (
                    isinstance(answer, tuple | list) and len(answer) == 2 and location(answer[0]) is not None
                ),
            ),
            Mistake(
                lambda: (image(), s3.location(BUCKET, f"{prefix}/nothing-there.ome.zarr")),
                lambda answer: fault(answer) or "",
                made=lambda answer: "Nothing lies" in (fault(answer) or ""),
            ),
        ),
        typed=False,
        given={"path": path, "prefix": f"{prefix}/"},
        otherwise=lambda answer: fault(answer) or "",
    )


EXERCISES: tuple[Exercise, ...] = (plan_target, own_valid, own_shared)


def _given(seat: Seat) -> Path:
    """Return the stack for those who have none at hand, written once."""
    path = seat.folder / "given.tif"
    if not path.exists():
        seat.folder.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        sample_stack(part, shape=(48, 128, 128))
        part.replace(path)
    return path


def _open(card: ScoreCard, *, first: int = 0, most: int = 6) -> str:
    """Return what was measured where a criterion is not met."""
    missed = [each for each in card.criteria[first:most] if not each.met]
    return "; ".join(f"asked: {each.asked}, measured: {each.measured}" for each in missed)
