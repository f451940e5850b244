"""Exercises on a plate: where a field lies, and a well that is stored but not listed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from ngff_practical.course.answers import shown, text, texts
from ngff_practical.course.exercise import Mistake, Problem, Seat, exercise
from ngff_practical.course.exercises.broken_images import first_issue, keep
from ngff_practical.course.places import does_not_open, folder, no_folder
from ngff_practical.errors import NgffPracticalError
from ngff_practical.inspection import describe
from ngff_practical.samples import mini_plate

WELLS = ("A/01", "A/02", "A/03", "B/01", "B/02", "B/03")


@exercise("field-path", "Where is that field?")
def field_path(seat: Seat) -> Problem:
    """Ask for the path of a field that a microscope calls by its own names."""
    well, field = seat.random.choice(WELLS[1:]), 2
    row, column = well.split("/")
    place = seat.folder / "plate.zarr"
    keep(place, lambda part: mini_plate(part))
    right = f"{well}/{field - 1}"

    def said(answer: object) -> str:
        named = "/".join(texts(answer) or ()) or text(answer) or ""
        parts = [part.strip() for part in named.replace("\\", "/").split("/") if part.strip()]
        return "/".join(parts[parts.index(place.name) + 1 :] if place.name in parts else parts)

    def looked(answer: object) -> str:
        named = said(answer)
        if named.casefold() == right.casefold():
            return "Nearly. Names are compared letter by letter, and rows have capital letters."
        if named.count("/") == 2 and named.rpartition("/")[0] in WELLS:
            return f"`{named}` is a field of another well, or another one of this well. Asked: {row}{column}."
        if named.isdecimal():
            return "That is the field alone. The path begins with the row and the column of its well."
        return f"`answer` is {shown(answer)}. Looked for: row, column and field, with slashes between them."

    return Problem(
        task=f"A colleague writes: well **{row}{column}**, field **{field}**. Her microscope counts fields "
        f'from 1. What is the path of that image within the plate `{place.name}` (`task.given["path"]`)?',
        wants='a path within the plate, such as "A/01/0"',
        right=lambda answer: said(answer) == right,
        solution=(
            "import zarr\n\n"
            'plate = zarr.open_group(task.given["path"], mode="r")\n'
            f'fields = plate["{well}"].attrs["ome"]["well"]["images"]\n'
            f'answer = "{well}/" + fields[{field - 1}]["path"]'
        ),
        why="Row, column, field: three groups, one within the other. The well lists its fields.",
        hints=(
            "The plate lists its wells with their paths, and each well lists its images.",
            f'`plate["{well}"].attrs["ome"]["well"]["images"]`: which of them is number {field}, counted '
            "from 1?",
        ),
        mistakes=(
            Mistake(
                f"{well}/{field}",
                f"The plate counts fields from 0: {field} would be the third, and there are two.",
                made=lambda answer: said(answer) == f"{well}/{field}",
            ),
            Mistake(
                f"{row}{column}/{field - 1}",
                "Row and column are two groups: there is a slash between them.",
                made=lambda answer: said(answer).startswith(f"{row}{column}"),
            ),
            Mistake(well, "That is the well. Which of its images is it?"),
            Mistake(
                f"{row}/{int(column)}/{field - 1}",
                "Nearly. Names are text: read how the plate spells its columns.",
            ),
            Mistake(f"{right}/0", "That is level 0 of the image, an array. The image is one step up."),
            Mistake(
                f"{column}/{row}/{field - 1}",
                "The other way round: the row comes before the column.",
                made=lambda answer: said(answer) == f"{column}/{row}/{field - 1}",
            ),
        ),
        given={"path": place},
        otherwise=looked,
    )


@exercise("missing-well", "A well that is not on the list")
def missing_well(seat: Seat) -> Problem:
    """Take the plate when its list of wells is complete and the validator has nothing to say."""
    missing = seat.random.choice(WELLS[1:])
    row, column = missing.split("/")
    at, index = "AB".index(row), int(column) - 1
    place = seat.folder / f"plate-{seat.random.randrange(1000, 10_000)}.zarr"  # names nothing of the answer
    keep(place, lambda part: mini_plate(part, leave_out=[missing]))
    entry: dict[str, object] = {"path": missing, "rowIndex": at, "columnIndex": index}

    def looked(answer: object) -> str | None:
        plate = folder(answer)
        if plate is None:
            return no_folder(answer, "the plate")
        try:
            found = describe(plate)
            if wrong := first_issue(plate):
                return wrong
        except NgffPracticalError as error:
            return does_not_open(error, what="a plate")
        if sorted(found.wells) != list(WELLS):
            return f"Valid, and its list names {len(found.wells)} wells. In its folders lie {len(WELLS)}."
        return None

    def example(name: str, extra: dict[str, object] | None) -> Path:
        plate = place.with_name(f"{name}-{place.name}")
        if not plate.exists():
            mini_plate(plate, leave_out=[missing])
            if extra:
                file = plate / "zarr.json"
                document = json.loads(file.read_text("utf-8"))
                document["attributes"]["ome"]["plate"]["wells"].append(extra)
                file.write_text(json.dumps(document), encoding="utf-8")
        return plate

    def lists(extra: dict[str, object] | None) -> Callable[[object], bool]:
        def look(answer: object) -> bool:
            plate = folder(answer)
            if plate is None or not (plate / "zarr.json").is_file():
                return False
            document = (plate / "zarr.json").read_text("utf-8")
            wells = (
                json.loads(document).get("attributes", {}).get("ome", {}).get("plate", {}).get("wells", [])
            )
            return extra in wells if extra else len(wells) == len(WELLS) - 1

        return look

    counted_from_1 = entry | {"rowIndex": at + 1, "columnIndex": index + 1}
    one_word = entry | {"path": f"{row}{column}"}
    return Problem(
        task=f"In `{place.name}` six wells are stored, and the plate's metadata list five: no viewer shows "
        'the sixth. Find it, put it on the list, and give the path of the plate (`task.given["path"]`).',
        wants="the path of the plate",
        right=lambda answer: looked(answer) is None,
        solution=(
            "import zarr\n\n"
            'plate = zarr.open_group(task.given["path"], mode="r+")\n'
            'ome = plate.attrs["ome"]\n'
            f'ome["plate"]["wells"].append({json.dumps(entry)})\n'
            'plate.attrs["ome"] = ome\n'
            'answer = task.given["path"]'
        ),
        why=f"Well {missing} is on the list, and its path and its two indices name the same row and column.",
        hints=(
            'Compare what lies in the folders, `sorted(path.glob("?/??"))`, with the list of wells.',
            "An entry has a path, a rowIndex and a columnIndex. Look at another one.",
            f"Its path is {missing}. Indices count from 0, in the order of the plate's rows and columns.",
        ),
        mistakes=(
            Mistake(
                lambda: example("unchanged", None),
                lambda answer: f"{looked(answer)} Which one is not listed?",
                made=lists(None),
            ),
            Mistake(
                lambda: example("from-1", counted_from_1),
                lambda answer: f"{looked(answer)} From which number do the indices count?",
                made=lists(counted_from_1),
            ),
            Mistake(
                lambda: example("one-word", one_word),
                lambda answer: f"{looked(answer)} A path goes through two groups, row and column.",
                made=lists(one_word),
            ),
        ),
        given={"path": place},
        otherwise=lambda answer: looked(answer) or "",
    )
