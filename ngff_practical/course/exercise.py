"""What an exercise is: a problem made for one learner, its known mistakes and hints, and how it is judged.

Nothing here knows a topic, a notebook or a file; see CONTRIBUTING.md for how to add an exercise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Literal

from ngff_practical.course.answers import same, shown
from ngff_practical.course.blank import Blank
from ngff_practical.course.near import nearness
from ngff_practical.course.readings import readings
from ngff_practical.metadata.wording import escaped
from ngff_practical.sandbox import Sandbox

type Outcome = Literal["passed", "not yet", "not attempted", "could not run"]

LONGEST_REASON = 300


@dataclass(frozen=True, slots=True)
class Seat:
    """Where a learner works: random numbers that are always the same for this learner, a folder, an S3."""

    random: Random
    folder: Path
    s3: Callable[[], Sandbox]


@dataclass(frozen=True, slots=True)
class Mistake:
    """An answer that learners are known to give, and what is said to them about it.

    `answer` is an example of it (or a function that makes one, for answers that lie on S3 or on disk). Every
    answer that says the same makes this mistake, or every one for which `made` is true, where that is given.
    """

    answer: object
    message: str | Callable[[object], str]
    made: Callable[[object], bool] | None = None

    def example(self) -> object:
        """Return an answer that makes this mistake."""
        return self.answer() if callable(self.answer) else self.answer

    def is_made_by(self, answer: object, *, rounded: bool = False) -> bool:
        """Return True where an answer makes this mistake; `rounded` lets it be a rounded number."""
        if rounded:
            return isinstance(self.answer, float) and same(answer, self.answer, within=0.005)
        return self.made(answer) if self.made else same(answer, self.answer)

    def said_of(self, answer: object) -> str:
        """Return what to say about an answer that makes this mistake."""
        return self.message(answer) if callable(self.message) else self.message


@dataclass(frozen=True, slots=True)
class Problem:
    """An exercise with one learner's values in it; all texts are Markdown of one paragraph each.

    `wants` names the kind of answer ("a whole number of bytes"). `right` looks at the answer, or at what it
    points to. `solution` is Python that assigns `answer` and needs nothing but `task`; `why` is said when
    it is right. `given` are values for the learner's own code. Hints go from a nudge to nearly the answer.
    `typed` says that an answer can be typed into a field: numbers and texts can, what a function returns
    cannot.
    """

    task: str
    wants: str
    right: Callable[[object], bool]
    solution: str
    why: str
    hints: tuple[str, ...]
    mistakes: tuple[Mistake, ...]
    given: Mapping[str, object] = field(default_factory=dict)
    otherwise: Callable[[object], str] | None = None
    typed: bool = True


@dataclass(frozen=True, slots=True)
class Exercise:
    """A name, and the function that makes the problem for a learner; required ones are on every track."""

    name: str
    title: str
    make: Callable[[Seat], Problem]
    required: bool = True


@dataclass(frozen=True, slots=True)
class Verdict:
    """How an answer was judged, and what to say about it."""

    outcome: Outcome
    message: str


def exercise(
    name: str, title: str, *, required: bool = True
) -> Callable[[Callable[[Seat], Problem]], Exercise]:
    """Return the decorator that turns a function from a seat to a problem into an exercise."""
    return lambda make: Exercise(name, title, make, required)


def judge(problem: Problem, answer: object) -> Verdict:
    """Return the verdict on an answer, whatever object it is; nothing that it does is raised."""
    if isinstance(answer, Blank) or _has_blank(answer):
        return Verdict("not attempted", f"Put your answer in place of `____`: {problem.wants}.")
    try:
        return _judge(problem, answer)
    except Exception as error:  # noqa: BLE001  an answer is any object, and its methods may raise anything
        return could_not_run(error)


def could_not_run(error: Exception) -> Verdict:
    """Return the verdict where looking at the answer failed; the error's own words are shortened."""
    try:
        reason = escaped(str(error), limit=LONGEST_REASON)
    except Exception:  # noqa: BLE001  even the words of an error may fail
        reason = "no reason given"
    kind = escaped(type(error).__name__)
    return Verdict("could not run", f"Your answer could not be looked at. {kind}: {reason}")


def _judge(problem: Problem, answer: object) -> Verdict:
    meant = (answer, *readings(answer, problem.wants))
    if any(problem.right(reading) for reading in meant):
        return Verdict("passed", problem.why)
    for rounded in (False, True):
        for reading in meant:
            for mistake in problem.mistakes:
                if mistake.is_made_by(reading, rounded=rounded):
                    return Verdict("not yet", mistake.said_of(reading))
    if answer is None:
        nothing = "`answer` is `None`: nothing. (`print` shows a value, and returns none.)"
        return Verdict("not yet", f"{nothing} Looked for: {problem.wants}.")
    if problem.otherwise:
        return Verdict("not yet", problem.otherwise(answer))
    near = next((said for reading in meant if (said := nearness(problem.right, reading))), None)
    looked_at = f"`answer` is {shown(answer)}. {near or 'That is not it.'}"
    return Verdict("not yet", f"{looked_at} Looked for: {problem.wants}.")


def _has_blank(answer: object) -> bool:
    return isinstance(answer, tuple | list) and any(isinstance(part, Blank) for part in answer)
