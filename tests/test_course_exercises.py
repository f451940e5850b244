"""Every exercise of the course: each kind of answer gets the outcome and the words it deserves."""

import os

import pytest

from ngff_practical import sandbox
from ngff_practical.course import lessons
from ngff_practical.course.blank import ____
from ngff_practical.course.book import Book
from ngff_practical.course.catalogue import LESSONS, exercises_of
from ngff_practical.samples import seed

NAMES = [(entry.name, exercise.name) for entry in LESSONS for exercise in exercises_of(entry.name)]

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


@pytest.fixture(params=NAMES, ids="/".join)
def place(request):
    return request.param


@pytest.fixture(params=[1, 2, 3], ids="seed-{}".format)
def task(request, place, course_sandbox, tmp_path, monkeypatch):
    """One exercise for one of several learners, in a folder of its own."""
    for name in ("NGFF_PRACTICAL_STATE", "NGFF_PRACTICAL_OFFLINE"):
        monkeypatch.setenv(name, course_sandbox[name])
    monkeypatch.chdir(tmp_path)
    progress = tmp_path / "progress.json"
    progress.write_text(f'{{"version": 1, "seed": {request.param}, "exercises": {{}}}}')
    lesson, name = place
    entry = next(entry for entry in LESSONS if entry.name == lesson)
    return lessons.Lesson(entry, Book(progress)).task(name)


@pytest.fixture
def problem(task):
    found = task._prepared()
    assert not hasattr(found, "outcome"), found.message
    return found


def test_unattempted(task):
    assert task.check(____).outcome == "not attempted"


def test_its_own_solution_passes(task):
    names = {"task": task}
    exec(task.solution().code, names)
    checked = task.check(names["answer"])
    assert checked.outcome == "passed", checked


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


def test_feedback_does_not_give_the_answer_away(task, problem):
    generic = task.check(object()).verdict.message
    assert generic.count(problem.why) == 0


class Hostile:
    def _refuse(self, *_):
        raise RuntimeError("no")

    __eq__ = __repr__ = __str__ = __len__ = __iter__ = __float__ = __bool__ = __fspath__ = _refuse
    __hash__ = None


@pytest.mark.parametrize(
    "garbage",
    [None, float("nan"), 10**400, "", "x" * 10_000, b"\xff", object(), [[]], Hostile(), [Hostile()]],
    ids=["none", "nan", "huge", "empty", "long", "bytes", "object", "nested", "hostile", "hostile-list"],
)
def test_garbage_does_not_pass_and_does_not_raise(task, garbage):
    assert task.check(garbage).outcome in ("not yet", "could not run")


def test_hints_are_at_least_two_and_differ(problem):
    assert len(set(problem.hints)) == len(problem.hints) >= 2


def test_every_text_is_there(problem):
    texts = (problem.task, problem.wants, problem.solution, problem.why)
    assert all(text.strip() for text in texts)
