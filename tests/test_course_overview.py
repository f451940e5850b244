"""How far a learner has come, as text: what somebody sees who has passed everything."""

import re

import pytest

from ngff_practical.course import report
from ngff_practical.course.book import Progress, Record
from ngff_practical.course.catalogue import LESSONS, exercises_of
from ngff_practical.course.overview import overview

WHEN = "2026-11-23T10:00:00+00:00"
ALONE = Record(attempts=12, hints=3, passed=WHEN, unaided=True)
HELPED = Record(attempts=12, hints=3, solution_shown=True, passed=WHEN)


def all_passed(record=ALONE):
    keys = [f"{lesson.name}/{each.name}" for lesson in LESSONS for each in exercises_of(lesson.name)]
    return overview(Progress(1, dict.fromkeys(keys, record)), "self-paced")


@pytest.mark.parametrize("record", [ALONE, HELPED, Record()], ids=["alone", "helped", "nothing"])
def test_the_text_fits_a_terminal_of_80_columns(record):
    assert max(map(len, repr(all_passed(record)).splitlines())) <= 80


def test_the_text_has_each_lesson_once_and_every_exercise_below_its_own():
    done = all_passed()
    lines = repr(done).splitlines()[1:-1]
    expected = [
        line
        for lesson in LESSONS
        for line in (f"{lesson.number} {lesson.title}", *(each.title for each in exercises_of(lesson.name)))
    ]
    assert [re.sub(r"^ ✔ +|  +2026.*", "", line) for line in lines] == expected


@pytest.mark.parametrize(("record", "said"), [(ALONE, "12     3 hints"), (HELPED, "12     solution")])
def test_the_text_says_how_much_help_was_taken(record, said):
    assert said in repr(all_passed(record)).splitlines()[2]


def test_who_has_passed_everything_reads_so_without_a_bracket_in_another():
    done = all_passed(HELPED)
    count = len(done.lines)
    aided = f"({count} of them after looking at the solution)"
    first = report.markdown(done).splitlines()[2]
    assert first == f"**Completed**: {count} of {count} exercises passed {aided}."
