"""The exercise engine: any object is judged, progress outlives accidents, notebooks are put back."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from ngff_practical.cli import main
from ngff_practical.course import catalogue, report
from ngff_practical.course.answers import equals, number, shown, text, texts, whole_numbers
from ngff_practical.course.blank import ____
from ngff_practical.course.book import Book, Progress, Record, parse, progress_file
from ngff_practical.course.buttons import button_row, literal
from ngff_practical.course.exercise import Exercise, Mistake, Problem, judge
from ngff_practical.course.lessons import lesson
from ngff_practical.course.originals import keep_originals, reset
from ngff_practical.course.overview import overview
from ngff_practical.course.task import Task
from ngff_practical.errors import NotFoundError, StorageError


class Hostile:
    """Every look at it raises."""

    def _refuse(self, *_):
        raise RuntimeError("<b>no</b>\x1b[31m")

    __eq__ = __repr__ = __str__ = __len__ = __iter__ = __float__ = __array__ = __bool__ = _refuse
    __hash__ = None


class WordlessError(Exception):
    def __str__(self):
        raise ValueError("not even that")


GARBAGE = [
    pytest.param(value, id=name)
    for name, value in {
        "none": None,
        "nan": float("nan"),
        "infinity": float("inf"),
        "huge-int": 10**5000,
        "bool": True,
        "empty-text": "",
        "long-text": "<script>" * 10_000,
        "bytes": b"\xff",
        "object": object(),
        "type": int,
        "function": print,
        "hostile": Hostile(),
        "list-of-hostile": [Hostile()],
        "huge-array": np.broadcast_to(np.uint8(1), (10**6, 10**6)),
        "nan-array": np.full(3, np.nan),
        "nested": [[[[]]]],
        "dict": {"a": 1},
        "complex": 1j,
    }.items()
]

SUM = Problem(
    task="2 + 3?",
    wants="a whole number",
    right=equals(5),
    solution="answer = 2 + 3",
    why="2 + 3 = 5.",
    hints=("Count on.", "Begin at 2, and count 3 on."),
    mistakes=(
        Mistake(6, "That is the product."),
        Mistake(
            -1, lambda answer: f"{shown(answer)} is below zero.", lambda answer: (number(answer) or 0) < 0
        ),
    ),
)


@pytest.fixture
def book(tmp_path):
    return Book(tmp_path / "state" / "progress.json")


@pytest.fixture
def task(book):
    return Task("00_test/sum", Exercise("sum", "A sum", lambda seat: SUM), lambda: None, book)


# Judging


@pytest.mark.parametrize(
    ("answer", "outcome", "said"),
    [
        (____, "not attempted", "a whole number"),
        (5, "passed", "2 + 3 = 5."),
        (5.0, "passed", "2 + 3"),
        (np.int64(5), "passed", "2 + 3"),
        ("5", "passed", "2 + 3"),
        (6, "not yet", "product"),
        (-7, "not yet", "`-7` is below zero"),
        (9, "not yet", "`answer` is `9`. That is not it. Looked for: a whole number."),
        (4, "not yet", "`answer` is `4`. Off by one"),
        ((5, 5), "not yet", "`(5, 5)`"),
    ],
)
def test_an_answer_is_judged_and_told_why(answer, outcome, said):
    verdict = judge(SUM, answer)
    assert verdict.outcome == outcome
    assert said in verdict.message


@pytest.mark.parametrize("answer", GARBAGE)
def test_no_answer_makes_a_check_raise(answer, task):
    checked = task.check(answer)
    assert checked.outcome in ("not yet", "could not run")
    assert len(repr(checked)) < 1000


def test_an_answer_that_raises_could_not_be_looked_at():
    problem = replace(SUM, right=lambda answer: answer == 5)
    verdict = judge(problem, Hostile())
    assert verdict.outcome == "could not run"
    assert "RuntimeError" in verdict.message
    assert "\x1b" not in verdict.message


def test_an_error_that_cannot_say_its_words_could_not_be_looked_at():
    def refuse(answer):
        raise WordlessError

    assert "WordlessError: no reason given" in judge(replace(SUM, right=refuse), 1).message


def test_a_person_who_interrupts_a_check_is_heard():
    def interrupt(answer):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        judge(replace(SUM, right=interrupt), 1)


def test_html_from_an_answer_stays_text(task):
    html = task.check("<script>alert(1)</script>")._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


@pytest.mark.parametrize(
    ("answer", "value"),
    [(3, 3), ("3", 3), (np.array([3]), 3), (True, None), ("x", None), (float("nan"), None), (10**400, None)],
)
def test_a_number_is_read_from_what_says_one(answer, value):
    assert number(answer) == value


def test_shapes_and_texts_are_read_from_any_row():
    assert whole_numbers(np.array([1, 64, 64])) == whole_numbers([1, "64", 64.0]) == (1, 64, 64)
    assert whole_numbers((1.5, 2)) is None
    assert text(2) == text(" 2 ") == "2"
    assert texts({"b", "a"}) == ("a", "b")


# A task and what is kept of it


def test_an_untouched_exercise_leaves_no_trace(task, book):
    assert task.check(____).outcome == "not attempted"
    assert book.read().records == {}


def test_hints_come_one_by_one_and_end(task, book):
    assert [task.hint().title for _ in range(3)] == ["Hint 1 of 2", "Hint 2 of 2", "No more hints"]
    assert book.read().record("00_test/sum").hints == 2


def test_passing_is_kept_with_the_attempts(task, book):
    task.check(6)
    task.check(5)
    record = book.read().record("00_test/sum")
    assert (record.attempts, record.unaided) == (2, True)
    assert record.passed


def test_passing_after_the_solution_says_so(task, book):
    task.solution()
    task.check(5)
    assert not book.read().record("00_test/sum").unaided


def test_an_exercise_stays_passed(task, book):
    task.check(5)
    first = book.read().record("00_test/sum").passed
    assert "You passed this on" in repr(task.check(6))
    assert "You passed this on" in repr(task.check(____))
    assert book.read().record("00_test/sum").passed == first


def test_no_answer_is_kept(task, book, tmp_path):
    task.check("a secret pasted here")
    assert "secret" not in (tmp_path / "state" / "progress.json").read_text()


def test_an_exercise_whose_server_is_gone_could_not_run(book):
    def fail(seat):
        raise StorageError("nobody answers")

    gone = Task("00_test/gone", Exercise("gone", "Gone", fail), lambda: None, book)
    assert gone.check(1).outcome == "could not run"
    assert "nobody answers" in gone.text
    assert "nobody answers" in repr(gone.hint())
    assert "nobody answers" in repr(gone.solution())


def test_the_buttons_say_the_same_as_the_calls(task):
    row, verdict, helped = button_row(task).children
    field, check, hint, solution = row.children
    for value, word in ((" 6 ", "product"), ("", "Not attempted"), ("5", "Passed")):
        field.value = value
        check.click()
        assert word in verdict.value
    hint.click()
    assert "Hint 1 of 2" in helped.value
    solution.click()
    assert "answer = 2 + 3" in helped.value


def test_an_answer_that_nobody_can_type_has_no_field(book):
    untyped = replace(SUM, typed=False)
    task = Task("00_test/sum", Exercise("sum", "A sum", lambda seat: untyped), lambda: None, book)
    row, verdict, helped = button_row(task).children
    assert [button.description for button in row.children] == ["Hint", "Solution"]
    row.children[0].click()
    assert "Hint 1 of 2" in helped.value
    assert verdict.value == ""


def test_a_hint_leaves_the_verdict_and_the_hints_before_it_readable(task):
    row, verdict, helped = button_row(task).children
    field, check, hint, _ = row.children
    field.value = "6"
    check.click()
    for _ in range(4):
        hint.click()
    assert "product" in verdict.value
    assert [helped.value.count(word) for word in ("Hint 1 of 2", "Hint 2 of 2", "No more hints")] == [1, 1, 1]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("12", 12),
        ("(1, 2)", (1, 2)),
        ("'2'", "2"),
        ("zarr.json", "zarr.json"),
        (" a/b/ ", "a/b/"),
        ("", ____),
    ],
)
def test_a_field_is_read_as_meant(typed, meant):
    assert literal(typed) == meant


# The progress file


def test_a_learner_keeps_the_same_values_after_a_restart(tmp_path, monkeypatch):
    monkeypatch.setenv("NGFF_PRACTICAL_STATE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    first = lesson("00").task("warm-up").text
    assert lesson("00_start_here").task("warm-up").text == first
    script = "from ngff_practical import course; print(course.lesson('00').task('warm-up').text)"
    assert subprocess.check_output([sys.executable, "-c", script], text=True).strip() == first


def test_learners_get_different_values(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    texts = set()
    for name in "abcd":
        monkeypatch.setenv("NGFF_PRACTICAL_STATE", str(tmp_path / name))
        texts.add(lesson("00").task("warm-up").text)
    assert len(texts) > 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b'{"version": 2, "seed": 1, "exercises": {}}',
        b'{"version": 1, "seed": "x", "exercises": {}}',
        b'{"version": 1, "seed": 1, "exercises": {"a/b": {"attempts": "many"}}}',
        b'{"version": 1, "seed": 1, "exercises": {"a/b": {"attempts": 1, "hints": 0, '
        b'"solution_shown": false, "passed": "soon", "unaided": true}}}',
        b"[" * 100_000,
    ],
    ids=["empty", "cut", "binary", "list", "newer", "seed", "record", "date", "deep"],
)
def test_a_damaged_file_is_kept_aside_and_said(content, task, book, tmp_path):
    path = tmp_path / "state" / "progress.json"
    path.parent.mkdir()
    path.write_bytes(content)
    said = repr(task.check(5))
    aside = tmp_path / "state" / "progress.damaged-1.json"
    assert aside.read_bytes() == content
    assert str(aside) in said
    assert parse(path.read_text()).record("00_test/sum").passed


def test_two_notebooks_at_once_lose_nothing(tmp_path):
    path = tmp_path / "progress.json"

    def work(name):
        book = Book(path)
        for _ in range(25):
            book.change(
                lambda progress: progress.with_record(
                    name, replace(progress.record(name), attempts=progress.record(name).attempts + 1)
                )
            )

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, ["a/a", "a/a", "b/b", "c/c"]))
    records = Book(path).read().records
    assert {name: record.attempts for name, record in records.items()} == {"a/a": 50, "b/b": 25, "c/c": 25}
    assert not list(tmp_path.glob("*.part"))


def test_progress_that_cannot_be_saved_lives_on_and_is_said(tmp_path):
    (tmp_path / "file").write_text("in the way")
    task = Task(
        "l/sum", Exercise("sum", "", lambda seat: SUM), lambda: None, Book(tmp_path / "file" / "p.json")
    )
    assert "not saved" in repr(task.check(5))
    assert "You passed this on" in repr(task.check(____))


def test_progress_lies_in_the_state_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("NGFF_PRACTICAL_STATE", str(tmp_path))
    assert progress_file() == tmp_path / "progress.json"


# Tracks, overview and report


def test_a_lesson_is_found_by_number_and_name():
    found = {catalogue.find_lesson(name).name for name in ("1", "01", "01_why_chunks", "01_why_chunks.ipynb")}
    assert found == {"01_why_chunks"}
    with pytest.raises(NotFoundError, match="00 to 10"):
        catalogue.find_lesson("77")


def test_the_tracks_grow():
    counts = [len(overview(Progress(1), track).lines) for track in ("90min", "half-day", "self-paced")]
    assert counts == sorted(counts)
    assert {line.lesson.number for line in overview(Progress(1), "90min").lines} <= {
        "00", "01", "03", "04", "05", "08"
    }  # fmt: skip


def test_a_report_tells_passed_from_passed_with_the_solution():
    key, when = "00_start_here/warm-up", "2026-11-23T10:00:00+00:00"
    for unaided, state in ((True, "passed"), (False, "passed with the solution")):
        record = Record(attempts=2, hints=1, solution_shown=not unaided, passed=when, unaided=unaided)
        done = overview(Progress(1, {key: record}), "self-paced", only="00_start_here")
        assert f"| {state} | 2026-11-23 | 2 | 1 |" in report.markdown(done)
        assert report.document(done)["results"][0]["state"] == state


def test_a_report_is_not_complete_before_every_exercise_is():
    assert "**In progress**: 0 of" in report.markdown(overview(Progress(1), "90min"))


def test_the_command_prints_and_saves_progress(tmp_path, capsys):
    assert main(["progress", "--json", "--save", str(tmp_path / "report")]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document == json.loads((tmp_path / "report" / "course-report.json").read_text())
    assert document["passed"] == 0
    assert main(["progress", "--track", "90min"]) == 0
    assert "exercises passed" in capsys.readouterr().out


# Putting a notebook back


@pytest.fixture
def notebooks(tmp_path):
    folder = tmp_path / "notebooks"
    folder.mkdir()
    (folder / "01_why_chunks.ipynb").write_bytes(b"the original\n")
    keep_originals(folder)
    return folder


def test_a_reset_keeps_the_learners_version(notebooks, capsys):
    for count in (1, 2):
        (notebooks / "01_why_chunks.ipynb").write_bytes(b"mine %d" % count)
        keep_originals(notebooks)
        assert main(["reset", "01", "--folder", str(notebooks), "--json"]) == 0
        document = json.loads(capsys.readouterr().out)
        assert (notebooks / "01_why_chunks.ipynb").read_bytes() == b"the original\n"
        kept = notebooks / "scratch" / "mine" / f"01_why_chunks-{count}.ipynb"
        assert document["kept"] == str(kept)
        assert kept.read_bytes() == b"mine %d" % count


def test_a_reset_of_what_is_not_changed_keeps_nothing(notebooks):
    assert reset("1", notebooks).kept is None
    assert not (notebooks / "scratch").exists()


def test_a_deleted_notebook_comes_back(notebooks):
    (notebooks / "01_why_chunks.ipynb").unlink()
    reset("1", notebooks)
    assert (notebooks / "01_why_chunks.ipynb").read_bytes() == b"the original\n"


def test_a_git_checkout_is_asked_before_the_kept_copy(notebooks):
    for command in (
        ["init", "-q"],
        ["add", "01_why_chunks.ipynb"],
        ["-c", "user.name=n", "-c", "user.email=e", "commit", "-qm", "m"],
    ):
        subprocess.run(["git", "-C", str(notebooks), *command], check=True)
    (notebooks / ".originals" / "01_why_chunks.ipynb").write_bytes(b"older")
    (notebooks / "01_why_chunks.ipynb").write_bytes(b"mine")
    reset("1", notebooks)
    assert (notebooks / "01_why_chunks.ipynb").read_bytes() == b"the original\n"


def test_a_notebook_without_an_original_is_left_alone(tmp_path, capsys):
    (tmp_path / "01_why_chunks.ipynb").write_bytes(b"mine")
    assert main(["reset", "01", "--folder", str(tmp_path)]) == 2
    assert "no original" in capsys.readouterr().err
    assert (tmp_path / "01_why_chunks.ipynb").read_bytes() == b"mine"
