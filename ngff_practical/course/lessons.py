"""A lesson as its notebook holds it: its exercises, and how far this learner has come."""

from __future__ import annotations

from pathlib import Path
from random import Random

from ngff_practical.course import catalogue
from ngff_practical.course.book import Book
from ngff_practical.course.buttons import show_task
from ngff_practical.course.exercise import Seat
from ngff_practical.course.overview import Overview, overview
from ngff_practical.course.setting import connect, workspace
from ngff_practical.course.task import Task
from ngff_practical.errors import NotFoundError


class Lesson:
    """The exercises of one notebook for the learner whose progress file this is."""

    def __init__(self, about: catalogue.Entry, book: Book) -> None:
        self._about = about
        self._book = book

    @property
    def title(self) -> str:
        """The lesson's title."""
        return self._about.title

    def exercise(self, name: str) -> Task:
        """Return an exercise of this lesson, and show its task in the notebook.

        Raises
        ------
        NotFoundError
            The lesson has no exercise of this name.
        """
        task = self.task(name)
        show_task(task)
        return task

    def task(self, name: str) -> Task:
        """Return an exercise of this lesson without showing anything."""
        exercises = {exercise.name: exercise for exercise in catalogue.exercises_of(self._about.name)}
        if name not in exercises:
            raise NotFoundError(
                f"lesson {self._about.name} has no exercise {name!r}; it has {', '.join(exercises) or 'none'}"
            )
        key = f"{self._about.name}/{name}"
        return Task(key, exercises[name], lambda: self._seat(key), self._book)

    def progress(self) -> Overview:
        """Return how far this lesson is done; shows a table in a notebook."""
        return overview(self._book.read(), "self-paced", only=self._about.name)

    def _seat(self, key: str) -> Seat:
        # text as a seed gives the same numbers on every machine and in every session
        random = Random(f"{self._book.read().seed}/{key}")  # noqa: S311  exercises, not secrets
        return Seat(random, Path(workspace(self._about.name)), connect)

    def __repr__(self) -> str:
        return repr(self.progress())

    def _repr_html_(self) -> str:
        return self.progress().html()


def lesson(name: str) -> Lesson:
    """Return a lesson by its notebook's name ("01_why_chunks") or its number.

    Raises
    ------
    NotFoundError
        There is none.
    """
    return Lesson(catalogue.find_lesson(name), Book())


def progress(track: catalogue.Track = "self-paced") -> Overview:
    """Return how far the course is done; shows a table in a notebook."""
    return overview(Book().read(), track)
