"""A copy in which one bit is wrong: names and sizes are right, and only its bytes tell."""

from __future__ import annotations

from ngff_practical.course.answers import number, text
from ngff_practical.course.exercise import Mistake, Problem, Seat, exercise
from ngff_practical.metadata.wording import quoted
from ngff_practical.model import Problem as Difference
from ngff_practical.samples import find_sample
from ngff_practical.storage import list_objects, read_object
from ngff_practical.transfer import download


@exercise("damaged-copy", "The plane that was damaged", required=False)
def damaged_copy(seat: Seat) -> Problem:
    """Ask for the one object of a copy whose bytes differ, although name and size are right."""
    place = seat.s3().location("idr", find_sample("blastocyst-0.4").key, anonymous=True) / "2"
    copy = seat.folder / "a-copy"
    if not copy.is_dir():
        download(place, copy)
    planes = sorted(stored.key for stored in list_objects(copy) if not stored.key.startswith("."))
    key = seat.random.choice(planes)
    intact = read_object(place, key)
    half = len(intact) // 2
    (copy / key).write_bytes(intact[:half] + bytes([intact[half] ^ 1]) + intact[half + 1 :])

    def named(answer: object) -> str:
        said = answer.key if isinstance(answer, Difference) else text(answer) or ""
        return said.replace("\\", "/").removeprefix(copy.as_posix()).removeprefix("./").lstrip("/")

    def looked(answer: object) -> str:
        return f"No object is called {quoted(named(answer))}. Looked for: a key such as `{planes[0]}`."

    return Problem(
        task='A colleague\'s copy of one level lies in `task.given["copy"]`, the original is '
        '`task.given["level"]`. All names and sizes are right, and yet **one bit of one object** is not. '
        "Which object? Give its key, relative to the level.",
        wants='a key, such as "0/1/2/0/0"',
        right=lambda answer: named(answer) == key,
        solution=(
            "from ngff_practical import verify\n"
            "from ngff_practical.transfer import make_manifest\n\n"
            'problems = verify(make_manifest(task.given["copy"]), task.given["level"])\n'
            "answer = problems[0].key"
        ),
        why=f"One of {len(planes)} objects differs. No name, no size and no error would have told.",
        hints=(
            "Sizes tell nothing here: the bytes have to be compared, or their checksums.",
            "`make_manifest(folder)` of `ngff_practical.transfer` takes the checksums of a folder, "
            "`verify(manifest, place)` compares.",
        ),
        mistakes=(
            Mistake(
                f"2/{key}",
                "The right object. Its key is asked relative to the level, without the level's own name.",
                made=lambda answer: named(answer) != key and named(answer).endswith(f"/{key}"),
            ),
            Mistake(
                next(each for each in planes if each != key),
                lambda answer: f"`{named(answer)}` is the same in both, byte by byte.",
                made=lambda answer: named(answer) in planes or named(answer).startswith("."),
            ),
            Mistake(
                len(planes),
                "That is a number. Asked for is the key of the object, a text with slashes.",
                made=lambda answer: number(answer) is not None,
            ),
        ),
        given={"copy": copy, "level": place},
        otherwise=looked,
    )
