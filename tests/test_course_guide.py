"""The instructor's guide: its times are those of the lessons, its wrong answers those of the exercises."""

import re
from pathlib import Path

import pytest

from ngff_practical.course.catalogue import LESSONS, exercises_of

ROOT = Path(__file__).resolve().parents[1]
GUIDE = (ROOT / "docs" / "instructor.md").read_text("utf-8")
BY_NUMBER = {lesson.number: lesson for lesson in LESSONS}
NAME = re.compile(r"`([a-z0-9-]+)`:")


def rows(head):
    """Return the cells of a table of the guide, row by row."""
    table = GUIDE[GUIDE.index(head) :].partition("\n\n")[0]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines()[2:]]


TIMES = rows("| lesson | self-paced |")
WRONG = {row[0]: row[2] for row in rows("| lesson | say |")}


def test_every_lesson_has_its_minutes_and_its_wrong_answers():
    assert [row[0] for row in TIMES] == [f"{lesson.number} {lesson.title}" for lesson in LESSONS]
    assert [int(row[1]) for row in TIMES] == [lesson.minutes for lesson in LESSONS]
    assert list(WRONG) == list(BY_NUMBER)


def test_the_tracks_are_those_of_the_course_and_fit_into_their_time():
    short = [(row[0][:2], int(row[3])) for row in TIMES if row[3] != "-"]
    assert [number for number, _ in short] == [lesson.number for lesson in LESSONS if lesson.short]
    assert sum(minutes for _, minutes in short) <= 90
    half_day = sum(int(row[2]) for row in TIMES if row[2] != "-")
    assert f"Half a day is {half_day // 60} h {half_day % 60} min" in GUIDE


def test_the_readme_states_the_same_minutes():
    readme = (ROOT / "README.md").read_text("utf-8")
    stated = dict(re.findall(r"^\| .*?(\d\d)_.*? \| .* \| (\d+) \|$", readme, flags=re.MULTILINE))
    assert stated == {lesson.number: str(lesson.minutes) for lesson in LESSONS}


@pytest.mark.parametrize("number", WRONG)
def test_wrong_answers_belong_to_exercises_of_the_lesson(number):
    named = NAME.findall(WRONG[number])
    known = [exercise.name for exercise in exercises_of(BY_NUMBER[number].name)]
    assert named
    assert set(named) <= set(known)


@pytest.mark.parametrize("number", WRONG)
def test_there_is_a_plan_b_for_every_lesson(number):
    (row,) = [row for row in rows("| lesson | say |") if row[0] == number]
    assert len(row) == 4
    assert all(row)
