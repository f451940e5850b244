"""An exercise as a learner meets it: the task, `check`, `hint` and `solution`; what happens is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from ngff_practical.course.blank import ____
from ngff_practical.course.book import Book, Record, now
from ngff_practical.course.exercise import (
    Exercise,
    Problem,
    Seat,
    Verdict,
    could_not_run,
    judge,
)
from ngff_practical.course.show import Box, hint_box, note_box, solution_box, verdict_box
from ngff_practical.errors import NgffPracticalError

_AGAIN = "Run the first code cell of the notebook again, then this one."


@dataclass(frozen=True, slots=True)
class Checked:
    """What `check` says: `outcome` is "passed", "not yet", "not attempted" or "could not run"."""

    verdict: Verdict
    box: Box = field(repr=False)

    @property
    def outcome(self) -> str:
        """The outcome in a word or two."""
        return self.verdict.outcome

    def __repr__(self) -> str:
        return repr(self.box)

    def _repr_html_(self) -> str:
        return self.box.html()


@dataclass(frozen=True, slots=True)
class Solution:
    """A solution: `code` is Python that assigns `answer`."""

    code: str
    box: Box = field(repr=False)

    def __repr__(self) -> str:
        return repr(self.box)

    def _repr_html_(self) -> str:
        return self.box.html()


class Task:
    """One exercise of a lesson with this learner's values; no method raises, whatever the answer is."""

    def __init__(self, key: str, exercise: Exercise, seat: Callable[[], Seat], book: Book) -> None:
        self._key = key
        self._exercise = exercise
        self._seat = seat
        self._book = book
        self._problem: Problem | None = None
        self._hints_given = 0

    @property
    def title(self) -> str:
        """The exercise's title."""
        return self._exercise.title

    @property
    def text(self) -> str:
        """The task in Markdown."""
        problem = self._prepared()
        return problem.task if isinstance(problem, Problem) else f"{problem.message} {_AGAIN}"

    @property
    def given(self) -> Mapping[str, object]:
        """The values of this task for code of your own, by name."""
        problem = self._prepared()
        return MappingProxyType(dict(problem.given) if isinstance(problem, Problem) else {})

    @property
    def typed(self) -> bool:
        """Whether an answer can be typed into a field."""
        problem = self._prepared()
        return isinstance(problem, Problem) and problem.typed

    def check(self, answer: object = ____) -> Checked:
        """Return how the answer was judged."""
        problem = self._prepared()
        verdict = judge(problem, answer) if isinstance(problem, Problem) else problem
        before = self._book.read().record(self._key)
        if verdict.outcome in ("passed", "not yet"):
            self._note(lambda record: _after(record, verdict))
        earlier = (
            (f"You passed this on {before.passed[:10]}.",)
            if before.passed and verdict.outcome != "passed"
            else ()
        )
        return Checked(verdict, verdict_box(verdict, notes=(*earlier, *self._notices())))

    def hint(self) -> Box:
        """Return the next hint; each says more than the one before."""
        problem = self._prepared()
        if not isinstance(problem, Problem):
            return verdict_box(problem)
        if self._hints_given == len(problem.hints):
            return note_box("No more hints", "`task.solution()` shows one way to do it.")
        self._hints_given += 1
        given = self._hints_given
        self._note(lambda record: replace(record, hints=max(record.hints, given)))
        return hint_box(problem.hints[given - 1], given, len(problem.hints))

    def solution(self) -> Solution:
        """Return one way to do it; progress remembers that it was shown."""
        problem = self._prepared()
        if not isinstance(problem, Problem):
            return Solution("", verdict_box(problem))
        self._note(lambda record: replace(record, solution_shown=True))
        return Solution(problem.solution, solution_box(problem.solution, problem.why))

    def __repr__(self) -> str:
        return f"{self.title}\n{self.text}"

    def _prepared(self) -> Problem | Verdict:
        """Return the problem, made once; where that fails, why."""
        if self._problem is None:
            try:
                self._problem = self._exercise.make(self._seat())
            except (NgffPracticalError, OSError) as error:
                verdict = could_not_run(error)
                return replace(verdict, message=verdict.message.replace("Your answer", "This exercise", 1))
        return self._problem

    def _note(self, step: Callable[[Record], Record]) -> None:
        key = self._key
        self._book.change(lambda progress: progress.with_record(key, step(progress.record(key))))

    def _notices(self) -> tuple[str, ...]:
        said = tuple(self._book.notices)
        self._book.notices.clear()
        return said


def _after(record: Record, verdict: Verdict) -> Record:
    tried = replace(record, attempts=record.attempts + 1)
    if verdict.outcome != "passed" or record.passed:
        return tried
    return replace(tried, passed=now(), unaided=not record.solution_shown)
