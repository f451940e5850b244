"""Share on S3: a copy that is complete, the same crop from afar, and the exercises on prefixes."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import zarr
from zarr.core.common import JSON

from ngff_practical.course.answers import shown, text
from ngff_practical.course.exercise import Exercise, Mistake, Problem, Seat, exercise
from ngff_practical.course.exercises.prefixes import BUCKET, own_prefix, tidy_up
from ngff_practical.course.places import location, path_of
from ngff_practical.model import Location
from ngff_practical.model import Problem as Difference
from ngff_practical.samples import find_sample
from ngff_practical.storage import write_object, zarr_store
from ngff_practical.transfer import make_manifest, verify


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
        there = location(answer)
        if there is None or there.endpoint != s3.endpoint or there.bucket != BUCKET:
            return None
        return verify(manifest, there)

    def looked(answer: object) -> str:
        found = differences(answer)
        if found is None:
            return f"`answer` is {shown(answer)}. Looked for: a place in the bucket `{BUCKET}`."
        if sum(each.kind == "missing" for each in found) == len(manifest.entries) == len(found):
            return "Nothing lies there yet: none of its objects. Upload the image, and check again."
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
                lambda: s3.location(BUCKET, f"exercise-{number}/nothing-there.zarr"),
                looked,
                made=lambda answer: differences(answer) is not None and "Nothing lies" in looked(answer),
            ),
            Mistake(
                lambda: image,
                "That is the image on this machine. The answer is the place that it was uploaded to.",
                made=lambda answer: path_of(answer) == image,
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

    def digits(answer: object) -> str:
        """Return the text of a checksum; who hands in the thing that computes it has it, too."""
        said = answer.hexdigest() if isinstance(answer, type(hashlib.sha256())) else text(answer) or ""
        return said.casefold().removeprefix("sha256:").removeprefix("0x")

    return Problem(
        task=f'An embryo is shared at `task.given["place"]`. Open its level **2** without keys, read '
        f"**channel 1, z = {z}** (all of y and x), and give the **SHA-256** "
        "of its bytes (`plane.tobytes()`) as hexadecimal text.",
        wants="64 hexadecimal digits",
        right=lambda answer: digits(answer) == right,
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
                bytes.fromhex(right),
                "That is the checksum in 32 bytes. As text it is what `hexdigest()` gives.",
                made=lambda answer: isinstance(answer, bytes) and answer.hex() == right,
            ),
            Mistake(
                np.zeros((2, 2)),
                "That is the plane, or the level. Asked for is the checksum of the plane's bytes.",
                made=lambda answer: isinstance(answer, np.ndarray | zarr.Array),
            ),
            Mistake(
                of(1, z - 1), f"That is the plane before. The first plane is 0, so z = {z} is `[1, {z}]`."
            ),
            Mistake(
                "0" * 32,
                lambda answer: f"{len(digits(answer))} characters; a SHA-256 has 64 hexadecimal digits.",
                made=lambda answer: bool(text(answer)) and len(digits(answer)) != 64,
            ),
        ),
        given={"place": place},
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
