"""Every exercise of the course: each kind of answer gets the outcome and the words it deserves."""

import os
import re
from functools import cache
from pathlib import Path

import pytest

from ngff_practical import sandbox
from ngff_practical.course import lessons
from ngff_practical.course.blank import ____
from ngff_practical.course.book import Book
from ngff_practical.course.catalogue import LESSONS, exercises_of
from ngff_practical.samples import seed

LEARNERS = (1, 2, 3)
WRONG = 4  # the learner who gets everything wrong: what that leaves on S3 is not in the others' way
NAMES = [(entry.name, exercise.name) for entry in LESSONS for exercise in exercises_of(entry.name)]

# The task reads alike for everybody.
ALIKE = {
    "one-level": "a level of a public image, and a budget that only this level keeps",
    "damaged-copy": "the values of a learner are in the stored bytes: another object is damaged for each",
    "attach-labels": "it asks for a deed, and no value could be copied from a neighbour",
    "own-file": "a stack of one's own",
    "plan-target": "a stack of one's own, and the target of lesson 10",
    "own-valid": "a stack of one's own, and the target of lesson 10",
}

# In the guide: the name of an exercise, and up to the next one or the end of the cell, quoted feedback.
GUIDE = (Path(__file__).resolve().parents[1] / "docs" / "instructor.md").read_text("utf-8")
TOLD = re.compile(r"`([a-z0-9-]+)`: (.*?)(?=; `[a-z0-9-]+`:|\|)")
QUOTED = re.compile(r'"([^"]+)"')

pytestmark = pytest.mark.s3


@pytest.fixture(scope="module")
def course_sandbox(isolated_session, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NGFF_PRACTICAL_STATE", str(tmp_path_factory.mktemp("course-state")))
        patch.setenv("NGFF_PRACTICAL_OFFLINE", "1")
        server = sandbox.ensure(seed=seed, owner_pid=os.getpid())
        yield dict(os.environ)
        sandbox.stop()
    assert not server.alive()


@pytest.fixture(scope="module", params=NAMES, ids="/".join)
def tasks(request, course_sandbox, tmp_path_factory):
    """The same exercise for each of several learners, made once, in a folder of their own, for all tests."""
    lesson, name = request.param
    entry = next(entry for entry in LESSONS if entry.name == lesson)

    @cache
    def made(learner):
        folder = tmp_path_factory.mktemp(f"learner-{learner}")
        progress = folder / "progress.json"
        progress.write_text(f'{{"version": 1, "seed": {learner}, "exercises": {{}}}}')
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            for variable in ("NGFF_PRACTICAL_STATE", "NGFF_PRACTICAL_OFFLINE"):
                patch.setenv(variable, course_sandbox[variable])
            task = lessons.Lesson(entry, Book(progress)).task(name)
            task._prepared()
            return task, folder, dict(os.environ)  # with keys, where the exercise has connected

    return made


@pytest.fixture
def seated(tasks, monkeypatch):
    """Call it with a learner: their exercise, in their folder."""

    def sit(learner):
        task, folder, environment = tasks(learner)
        os.environ.update(environment)
        monkeypatch.chdir(folder)
        return task

    return sit


@pytest.fixture
def task(seated):
    return seated(WRONG)


@pytest.fixture
def problem(task):
    found = task._prepared()
    assert not hasattr(found, "outcome"), found.message
    return found


class Hostile:
    def _refuse(self, *_):
        raise RuntimeError("no")

    __eq__ = __repr__ = __str__ = __len__ = __iter__ = __float__ = __bool__ = __fspath__ = _refuse
    __hash__ = None


GARBAGE = {
    "none": None,
    "nan": float("nan"),
    "huge": 10**400,
    "empty": "",
    "long": "x" * 10_000,
    "bytes": b"\xff",
    "object": object(),
    "nested": [[]],
    "hostile": Hostile(),
    "hostile list": [Hostile()],
}


def test_unattempted(task):
    assert task.check(____).outcome == "not attempted"


def test_garbage_does_not_pass_and_does_not_raise(task):
    said = {name: task.check(garbage).outcome for name, garbage in GARBAGE.items()}
    assert set(said.values()) <= {"not yet", "could not run"}, said


def test_feedback_does_not_give_the_answer_away(task, problem):
    generic = task.check(object()).verdict.message
    assert generic.count(problem.why) == 0


def test_hints_are_at_least_two_and_differ(problem):
    assert len(set(problem.hints)) == len(problem.hints) >= 2


def test_every_text_is_there(problem):
    texts = (problem.task, problem.wants, problem.solution, problem.why)
    assert all(text.strip() for text in texts)


def test_learners_get_values_of_their_own(request, tasks):
    alike = request.node.callspec.id.rpartition("/")[2] in ALIKE
    problems = [tasks(learner)[0]._prepared() for learner in (*LEARNERS, WRONG)]
    shown = {(problem.task, problem.solution, problem.why, str(problem.given)) for problem in problems}
    assert (len(shown) == 1) is alike


def test_each_known_mistake_is_answered_with_its_own_words(task, problem):
    assert len(problem.mistakes) >= 2
    said = set()
    for mistake in problem.mistakes:
        example = mistake.example()
        checked = task.check(example)
        assert checked.outcome == "not yet", (example, checked)
        assert checked.verdict.message == mistake.said_of(example), example
        said.add(checked.verdict.message)
    assert len(said) == len(problem.mistakes)


def test_feedback_counts_as_people_do(problem):
    """No "1 ids", and no "problem(s)"."""
    odd = re.compile(r"\b1 (?:differences|files|ids|issues|levels|objects|problems)\b|\(s\)")
    said = [mistake.said_of(mistake.example()) for mistake in problem.mistakes]
    assert [message for message in said if odd.search(message)] == []


@pytest.mark.parametrize(
    "tasks", [("07_labels_and_plates", "missing-well")], indirect=True, ids=["missing-well"]
)
def test_the_name_of_a_plate_does_not_tell_which_well_is_missing(problem):
    assert re.findall(r"[AB]0?[1-3]", problem.given["path"].name) == []


def test_the_instructors_guide_quotes_what_a_known_mistake_is_told(request, problem):
    name = request.node.callspec.id.rpartition("/")[2]
    quoted = [words for part in TOLD.findall(GUIDE) if part[0] == name for words in QUOTED.findall(part[1])]
    said = [mistake.said_of(mistake.example()) for mistake in problem.mistakes] if quoted else []
    assert [words for words in quoted if not any(words in message for message in said)] == []


@pytest.mark.parametrize("learner", LEARNERS)
def test_its_own_solution_passes_and_has_a_field_where_it_can_be_typed(seated, learner):
    task = seated(learner)
    names = {"task": task}
    exec(task.solution().code, names)
    checked = task.check(names["answer"])
    assert checked.outcome == "passed", checked
    assert task.typed is (task.check(str(names["answer"])).outcome == "passed")
