"""Exercises on prefixes: one of one's own, and a deletion that takes nothing else with it."""

from __future__ import annotations

import re

from ngff_practical.course.answers import shown, text
from ngff_practical.course.exercise import Mistake, Problem, Seat, exercise
from ngff_practical.model import Location
from ngff_practical.storage import delete_object, list_objects, write_object

BUCKET = "practical"


@exercise("own-prefix", "A prefix of your own")
def own_prefix(seat: Seat) -> Problem:
    """Take any prefix that is a name and a slash."""
    number = seat.random.randrange(10, 100)

    def looked(answer: object) -> str:
        prefix = text(answer)
        if prefix is None:
            return f"`answer` is {shown(answer)}. Looked for: a text."
        if "://" in prefix:
            return "That is a whole address. The prefix is only what the keys begin with."
        if prefix.startswith("/"):
            return "It begins with a slash: the key's first part would be empty, and S3 keeps it so."
        if prefix.startswith(f"{BUCKET}/"):
            return "It begins with the bucket. A prefix is a part of the key, and the bucket is none."
        if not prefix.endswith("/"):
            return "It does not end with a slash: deleting it would also hit whoever has a longer name."
        if prefix.strip("/").count("/"):
            return "One name and one slash will do here: the part before the first slash is your own."
        if re.fullmatch(r"[a-z0-9-]+/", prefix):
            return f"Its number is another one: {number} is asked for."
        return "Letters, digits and - survive every tool; others (spaces, capitals, dots) are best avoided."

    return Problem(
        task="Everything you store in the class bucket begins with a prefix of your own. Which? Take "
        "a name with "
        f"the number **{number}** in it, so that it is nobody else's, in lower-case letters, digits and `-`.",
        wants='a text, such as the prefix of somebody called ada: "ada-7/"',
        right=lambda answer: (
            re.fullmatch(rf"[a-z0-9-]*(?<!\d){number}(?!\d)[a-z0-9-]*/", text(answer) or "") is not None
        ),
        solution=f'answer = "ada-{number}/"',
        why="It ends with a slash, so it is the beginning of your keys and of nobody else's.",
        hints=(
            "Remember the slash trap: what else begins like your name?",
            "No slash in front, one at the end.",
        ),
        mistakes=(
            Mistake(
                f"ada-{number}",
                looked,
                made=lambda answer: bool(text(answer)) and (text(answer) or "")[-1] != "/",
            ),
            Mistake(f"/ada-{number}/", looked, made=lambda answer: (text(answer) or "").startswith("/")),
            Mistake(
                f"Ada {number}/",
                looked,
                made=lambda answer: re.fullmatch(r"[a-z0-9-]+/", text(answer) or "/") is None,
            ),
            Mistake(
                "ada/",
                f"That could be anybody's. Put the number {number} into it.",
                made=lambda answer: str(number) not in (text(answer) or str(number)),
            ),
        ),
        otherwise=looked,
    )


@exercise("tidy-up", "Delete yours, and nothing else")
def tidy_up(seat: Seat) -> Problem:
    """Ask for a deletion that leaves the neighbour with the longer name alone."""
    s3 = seat.s3()
    number = seat.random.randrange(1000, 10_000)
    home = s3.location(BUCKET, f"exercise-{number}")
    mine, neighbour = home / "cell1", home / "cell10"
    keys = ("zarr.json", "0/c/0/0", "0/zarr.json")

    def fill(place: Location) -> str:
        for key in keys:
            write_object(place, key, b"{}", overwrite=True)
        return f"{mine.key}/"

    if not _count(neighbour):  # the first time, and after both were deleted
        fill(mine)
        fill(neighbour)

    def key_of(answer: object) -> str:
        said = text(answer) or ""
        return said.partition("://")[2].partition("/")[2] if "://" in said else said

    def named(answer: object) -> bool:
        return key_of(answer).removeprefix(f"{BUCKET}/") == f"{mine.key}/"

    def delete_both() -> str:
        for place in (mine, neighbour):
            delete_object(place, keys)
        return f"{mine.key}/"

    return Problem(
        task=f"The bucket `{BUCKET}` holds your image `{mine.key}/` and your neighbour's `{neighbour.key}/`. "
        "Delete **yours**, and put the prefix you deleted into `answer`.",
        wants="the prefix that was deleted, as text",
        right=lambda answer: named(answer) and not _count(mine) and _count(neighbour) == len(keys),
        solution=(
            "import s3fs\n\n"
            'fs = s3fs.S3FileSystem(endpoint_url=task.given["endpoint"])\n'
            f'if fs.exists("{BUCKET}/{mine.key}/"):\n'
            f'    fs.rm("{BUCKET}/{mine.key}/", recursive=True)\n'
            f'answer = "{mine.key}/"'
        ),
        why=f"Yours is gone, and the {len(keys)} objects of your neighbour are still there.",
        hints=(
            '`fs.rm("bucket/prefix/", recursive=True)` deletes everything below a prefix.',
            "The slash at the end of your prefix keeps the neighbour's out of it.",
        ),
        mistakes=(
            Mistake(
                lambda: fill(mine),
                lambda answer: f"{_count(mine)} objects are still there under `{mine.key}/`.",
                made=lambda answer: named(answer) and _count(mine) > 0,
            ),
            Mistake(
                mine.key,
                "Without the slash this prefix takes your neighbour's image with it. If it is gone, run the "
                "exercise again: both are put back.",
                made=lambda answer: key_of(answer).removeprefix(f"{BUCKET}/") == mine.key,
            ),
            Mistake(
                delete_both,
                "Your neighbour's image is gone, too. Run the exercise again: both are put back.",
                made=lambda answer: named(answer) and not _count(neighbour),
            ),
        ),
        otherwise=lambda answer: (
            f"`answer` is {shown(answer)}. "
            + ("That is your neighbour's." if neighbour.key in key_of(answer) else "That is not your prefix.")
            + " Yours is the one that the task begins with; it ends with a slash."
        ),
        given={"endpoint": s3.endpoint, "bucket": BUCKET, "prefix": f"{mine.key}/"},
    )


def _count(place: Location) -> int:
    return sum(1 for _ in list_objects(place))
