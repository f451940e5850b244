"""The lessons in their order, the tracks through them, and which exercises belong to which."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Literal

from ngff_practical.course.exercise import Exercise
from ngff_practical.errors import NotFoundError

type Track = Literal["90min", "half-day", "self-paced"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One lesson: `minutes` with the exercises, `exercise_minutes` of which are for them."""

    name: str
    title: str
    minutes: int
    exercise_minutes: int
    short: bool = False  # part of the 90 minutes

    @property
    def number(self) -> str:
        """The two digits that the notebook's name begins with."""
        return self.name[:2]


LESSONS = (
    Entry("00_start_here", "Start here", 10, 2, short=True),
    Entry("01_why_chunks", "Why chunks", 20, 8, short=True),
    Entry("02_formats", "Formats", 20, 8),
    Entry("03_object_storage", "Object storage", 20, 8, short=True),
    Entry("04_download_from_s3", "Download from S3", 25, 10, short=True),
    Entry("05_convert_your_data", "Convert your data", 30, 12, short=True),
    Entry("06_multiscales", "Multiscales", 25, 10),
    Entry("07_labels_and_plates", "Labels and plates", 25, 10),
    Entry("08_share_on_s3", "Share on S3", 25, 12, short=True),
    Entry("09_view", "View", 15, 5),
    Entry("10_your_own", "Your own", 30, 30),
)


def find_lesson(name: str) -> Entry:
    """Return the lesson with this name or number ("01_why_chunks", "01", "1").

    Raises
    ------
    NotFoundError
        There is none.
    """
    wanted = name.removesuffix(".ipynb")
    for known in LESSONS:
        if wanted in (known.name, known.number) or (wanted.isdecimal() and wanted.zfill(2) == known.number):
            return known
    numbers = f"{LESSONS[0].number} to {LESSONS[-1].number}"
    raise NotFoundError(f"no lesson is called {name!r}; there are {numbers}, such as {LESSONS[1].name}")


@cache
def exercises_of(lesson: str) -> tuple[Exercise, ...]:
    """Return the exercises of a lesson in their order; none where the lesson has no module of them."""
    module = f"{__package__}.exercises.e{lesson}"
    if find_spec(module) is None:
        return ()
    found: tuple[Exercise, ...] = import_module(module).EXERCISES
    return found


def on_track(track: Track, lesson: Entry, exercise: Exercise) -> bool:
    """Return True where a track asks for an exercise."""
    if track == "self-paced":
        return True
    return exercise.required and (track == "half-day" or lesson.short)
