"""A stack of the learner's own, judged by the validator; and small stacks with the notes they are given."""

from __future__ import annotations

from pathlib import Path

from ngff_practical.course.exercise import Mistake, Problem, Seat, exercise
from ngff_practical.course.places import does_not_open, folder, no_folder, path_of
from ngff_practical.errors import NgffPracticalError
from ngff_practical.inspection import describe_image, validate
from ngff_practical.metadata.wording import plural
from ngff_practical.samples import blastocyst


@exercise("own-file", "A stack of your own", required=False)
def own_file(seat: Seat) -> Problem:
    """Take any image that the validator finds nothing wrong with."""
    seat.folder.mkdir(parents=True, exist_ok=True)

    def empty_folder() -> Path:
        folder = seat.folder / "not-an-image"
        folder.mkdir(exist_ok=True)
        return folder

    return Problem(
        task="Convert a stack of your own, and put the path of what was written into `answer`. The validator "
        'judges it. No stack at hand? `samples.sample_stack(folder / "own.tif")` makes a small one.',
        wants="the path of an OME-Zarr image on this machine",
        right=lambda answer: fault_of_image(answer) is None,
        solution=(
            "from ngff_practical import convert_stack, course, find_stack, plan_pyramid, samples\n\n"
            f'folder = course.workspace("{seat.folder.name}")\n'
            'own = find_stack(samples.sample_stack(folder / "own.tif"))\n'
            'answer = folder / "own.ome.zarr"\n'
            "convert_stack(own, answer, plan_pyramid(own), overwrite=True)"
        ),
        why="It opens, and the validator found nothing that breaks a rule of the specification.",
        hints=(
            "Three steps: `find_stack`, `plan_pyramid`, `convert_stack`. Each takes what the one "
            "before gave.",
            "The answer is the path that `convert_stack` wrote to, not that of the TIFF.",
        ),
        mistakes=(
            Mistake(
                lambda: write_stack(seat, "own-not-converted.tif", (4, 16, 16), axes="ZYX"),
                lambda answer: fault_of_image(answer) or "",
                made=lambda answer: (path := path_of(answer)) is not None and path.is_file(),
            ),
            Mistake(
                empty_folder,
                lambda answer: fault_of_image(answer) or "",
                made=lambda answer: folder(answer) is not None,
            ),
        ),
        otherwise=lambda answer: fault_of_image(answer) or "",
    )


def fault_of_image(answer: object) -> str | None:
    """Return what is wrong with the path of an image as an answer, None where nothing is."""
    path, place = path_of(answer), folder(answer)
    if path is not None and path.is_file():
        return "This is a file. Convert it first, and put the path of the image that was written here."
    if place is None:
        return no_folder(answer, "your OME-Zarr image")
    try:
        found = describe_image(place)
        wrong = [issue for issue in validate(place) if issue.severity != "should"]
    except NgffPracticalError as error:
        return does_not_open(error)
    if wrong:
        return f"{plural(len(wrong), 'problem')}; the first: {wrong[0].where}: {wrong[0].message}."
    if len(found.levels) < 2 and max(found.shape[-2:]) > 1024:
        return f"Valid, but it has one level of {found.shape}: who looks at all of it fetches all of it."
    return None


def write_stack(seat: Seat, name: str, shape: tuple[int, int, int], *, axes: str) -> Path:
    """Write a small stack whose notes say these axes, and no voxel size, unless it is there already."""
    import tifffile

    seat.folder.mkdir(parents=True, exist_ok=True)
    path = seat.folder / name
    if not path.exists():
        part = path.with_suffix(".part")
        pixels = blastocyst(shape=shape, nuclei=12).image[1]
        tifffile.imwrite(part, pixels, imagej=True, metadata={"axes": axes})
        part.replace(path)
    return path
