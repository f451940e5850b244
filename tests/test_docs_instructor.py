"""The page for instructors: its minutes are those of the course, and add up to the lengths it promises."""

import re
from pathlib import Path

from ngff_practical.course.catalogue import LESSONS

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGE = (ROOT / "docs" / "instructor.md").read_text(encoding="utf-8")


def minutes() -> dict[str, tuple[int, ...]]:
    """Return the minutes of each lesson self-paced, in half a day and in 90 minutes; 0 is left out."""
    rows = re.findall(r"^\| (\d\d) [^|]+\|([^|]+)\|([^|]+)\|([^|]+)\|", PAGE, flags=re.MULTILINE)
    return {
        row[0]: tuple(0 if cell.strip() == "-" else int(cell) for cell in row[1:])
        for row in rows
        if all(cell.strip() == "-" or cell.strip().isdecimal() for cell in row[1:])
    }


def test_minutes_for_those_who_are_alone_are_those_of_the_lessons() -> None:
    assert {number: row[0] for number, row in minutes().items()} == {
        each.number: each.minutes for each in LESSONS
    }


def test_short_plan_has_the_short_lessons_and_ninety_minutes() -> None:
    plan = {number: row[2] for number, row in minutes().items() if row[2]}
    assert set(plan) == {each.number for each in LESSONS if each.short}
    assert sum(plan.values()) == 90


def test_half_a_day_takes_as_long_as_the_page_says() -> None:
    total = sum(row[1] for row in minutes().values())
    assert f"{total // 60} h {total % 60} min" in PAGE


def test_every_lesson_has_something_to_say_and_typical_wrong_answers() -> None:
    part = PAGE[PAGE.index("## What to say") : PAGE.index("## A week before")]
    rows = {row[0]: row for row in re.findall(r"^\| (\d\d) \|([^|]+)\|([^|]+)\|", part, flags=re.MULTILINE)}
    assert set(rows) == {each.number for each in LESSONS}
    assert all(cell.strip() for row in rows.values() for cell in row)


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", PAGE):
        assert (ROOT / "docs" / target).exists(), target


def test_readme_says_how_long_the_lessons_take_in_all() -> None:
    hours, minutes = divmod(sum(each.minutes for each in LESSONS if each.number != "10"), 60)
    assert f"00 to 09 take {hours} h {minutes} min" in README
    assert {each.minutes for each in LESSONS if each.number == "10"} == {30}
