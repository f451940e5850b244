"""Share on S3: a prefix of one's own, a copy that is complete, the same crop from afar, a tidy deletion."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import zarr
from zarr.core.common import JSON

from ngff_practical.course.answers import same, shown, text
from ngff_practical.course.exercise import Exercise, Mistake, Problem, Seat, exercise
from ngff_practical.model import Location
from ngff_practical.model import Problem as Difference
from ngff_practical.samples import find_sample
from ngff_practical.storage import delete_object, list_objects, write_object, zarr_store
from ngff_practical.transfer import make_manifest, verify

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
        if not prefix.endswith("/"):
            return "It does not end with a slash: deleting it would also hit whoever has a longer name."
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


@exercise("complete", "A copy that is complete")
def complete(seat: Seat) -> Problem:
    """Ask for an upload; every object is read back and compared."""
    s3 = seat.s3()
    number = seat.random.randrange(1000, 10_000)
    image = _image(seat)
    manifest = make_manifest(image)
    place = s3.location(BUCKET, f"exercise-{number}/complete.zarr")

    def differences(answer: object) -> tuple[Difference, ...] | None:
        """Return what differs at the place that is answered, None where the answer is no place."""
        if not isinstance(answer, Location) or answer.endpoint != s3.endpoint or answer.bucket != BUCKET:
            return None
        return verify(manifest, answer)

    def looked(answer: object) -> str:
        found = differences(answer)
        if found is None:
            return f"`answer` is {shown(answer)}. Looked for: a place in the bucket `{BUCKET}`."
        kinds = {kind: sum(each.kind == kind for each in found) for kind in ("missing", "changed", "extra")}
        told = ", ".join(f"{count} {kind}" for kind, count in kinds.items() if count)
        return f"Of {len(manifest.entries)} objects: {told}. The first: `{found[0].key}`."

    def has(answer: object, kind: str) -> bool:
        return any(each.kind == kind for each in differences(answer) or ())

    def broken(name: str, *, without: int = 0, nested: str = "") -> Location:
        copy = s3.location(BUCKET, f"exercise-{number}/{name}.zarr")
        for stored in list(manifest.entries)[without:]:
            write_object(copy, nested + stored.key, (image / stored.key).read_bytes(), overwrite=True)
        if not nested and not without:
            write_object(copy, "notes.txt", b"left over", overwrite=True)
        return copy

    return Problem(
        task='A small image lies on this machine, at `task.given["image"]`. Upload it to '
        '`task.given["place"]`, and put the place into `answer`. Every object there is read back and '
        "compared.",
        wants=f"a place in the bucket `{BUCKET}`",
        right=lambda answer: differences(answer) == (),
        solution=(
            "from ngff_practical import upload\n\n"
            'answer = task.given["place"]\n'
            'upload(task.given["image"], answer, overwrite=True)'
        ),
        why=f"All {len(manifest.entries)} objects are there, each with the right bytes, and nothing else.",
        hints=(
            "`upload(from, to)` sends what is missing, and nothing twice.",
            "If something is changed or left over, `overwrite=True` puts it right.",
        ),
        mistakes=(
            Mistake(
                lambda: broken("nested", nested="image.zarr/"),
                lambda answer: (
                    f"{looked(answer)} Did the folder's own name get into the keys? Any "
                    "other key of this bucket will do for the next try."
                ),
                made=lambda answer: has(answer, "missing") and has(answer, "extra"),
            ),
            Mistake(
                lambda: broken("half", without=1),
                lambda answer: f"{looked(answer)} Upload again: only what is missing is sent.",
                made=lambda answer: has(answer, "missing"),
            ),
            Mistake(
                lambda: broken("extra"),
                lambda answer: f"{looked(answer)} What is left over may confuse a reader.",
                made=lambda answer: has(answer, "extra"),
            ),
        ),
        given={"image": image, "place": place},
        otherwise=looked,
    )


@exercise("from-afar", "The same crop, from afar")
def from_afar(seat: Seat) -> Problem:
    """Ask for the checksum of a crop that has to be read remotely."""
    s3 = seat.s3()
    place = s3.location("idr", find_sample("blastocyst-0.5").key, anonymous=True)
    z = seat.random.randrange(60, 180)
    level = zarr.open_array(zarr_store(place / "2"), mode="r")

    def of(channel: int, plane: int) -> str:
        return hashlib.sha256(level[channel, plane].tobytes()).hexdigest()  # type: ignore[union-attr]

    right = of(1, z)
    return Problem(
        task=f"Open level **2** of the shared embryo without keys, read **channel 1, z = {z}** (all of "
        f"y and x), "
        "and give the **SHA-256** of its bytes (`plane.tobytes()`) as hexadecimal text.",
        wants="64 hexadecimal digits",
        right=lambda answer: same(answer, right),
        solution=(
            "import hashlib\n\nimport zarr\n\n"
            "from ngff_practical.storage import zarr_store\n\n"
            'level = zarr.open_array(zarr_store(task.given["place"] / "2"), mode="r")\n'
            f"answer = hashlib.sha256(level[1, {z}].tobytes()).hexdigest()"
        ),
        why="Your crop and the one on the server are the same, byte for byte: one short text says so.",
        hints=(
            '`zarr_store(place / "2")` opens a level; the axes are c, z, y, x.',
            "`hashlib.sha256(...).hexdigest()` makes the text.",
        ),
        mistakes=(
            Mistake(of(0, z), "That is channel 0. Channels count from 0, too."),
            Mistake(
                of(1, z - 1), f"That is the plane before. The first plane is 0, so z = {z} is `[1, {z}]`."
            ),
            Mistake(
                "0" * 32,
                lambda answer: f"{len(text(answer) or '')} characters; a SHA-256 has 64 hexadecimal digits.",
                made=lambda answer: bool(text(answer)) and len(text(answer) or "") != 64,
            ),
        ),
        given={"place": place},
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

    def named(answer: object) -> bool:
        return text(answer) == f"{mine.key}/"

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
                made=lambda answer: text(answer) == mine.key,
            ),
            Mistake(
                delete_both,
                "Your neighbour's image is gone, too. Run the exercise again: both are put back.",
                made=lambda answer: named(answer) and not _count(neighbour),
            ),
        ),
        given={"endpoint": s3.endpoint, "bucket": BUCKET, "prefix": f"{mine.key}/"},
    )


EXERCISES: tuple[Exercise, ...] = (own_prefix, complete, from_afar, tidy_up)


def _image(seat: Seat) -> Path:
    """Return a small local image, written once."""
    path = seat.folder / "small.zarr"
    if not (path / "zarr.json").exists():
        seat.folder.mkdir(parents=True, exist_ok=True)
        group = zarr.open_group(path, mode="w", zarr_format=3)
        group.create_array("0", shape=(8, 32, 32), chunks=(4, 32, 32), dtype="uint16")[:] = 7
        dataset: dict[str, JSON] = {
            "path": "0",
            "coordinateTransformations": [{"type": "scale", "scale": [1.0, 0.5, 0.5]}],
        }
        axes: list[JSON] = [{"name": name, "type": "space", "unit": "micrometer"} for name in "zyx"]
        group.attrs["ome"] = {"version": "0.5", "multiscales": [{"axes": axes, "datasets": [dataset]}]}
    return path


def _count(place: Location) -> int:
    return sum(1 for _ in list_objects(place))
