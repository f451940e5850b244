"""Other ways to write the same answer, and what is said of one that is nearly right."""

from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import zarr
from hypothesis import given
from hypothesis import strategies as st

from ngff_practical.course.answers import equals, text
from ngff_practical.course.blank import ____
from ngff_practical.course.exercise import Problem, judge
from ngff_practical.course.near import nearness
from ngff_practical.course.places import folder, location, no_folder, path_of
from ngff_practical.course.readings import readings
from ngff_practical.model import Level, Location


def problem(expected, wants):
    return Problem("", wants, equals(expected), "", "why", ("a", "b"), ())


NUMBER = problem(1_572_864, "a whole number of bytes")
ROW = problem((1, 64, 64), "three whole numbers (z, y, x)")
LEVEL = problem("1", 'the path of a level, such as "0"')


@pytest.mark.parametrize(
    "answer",
    [
        *("1572864", "1,572,864", "1_572_864", "1 572 864", "1572864 bytes", "1,572,864 B", "(1572864,)"),
        *((1, 572, 864), [1572864], {1572864}, {"bytes": 1572864}),
        *("3145728 / 2", "512 * 1024*3", "bytes 1572864"),
        *(np.uint64(1572864), np.array([[1572864]]), Decimal(1572864), Fraction(1572864)),
    ],
    ids=repr,
)
def test_a_number_passes_however_it_is_written(answer):
    assert judge(NUMBER, answer).outcome == "passed"


@pytest.mark.parametrize(
    "answer",
    [
        *("1572864 kB", "1.572864 MB", "1572864 s", (1, 572, 8640), (1, 57, 864)),
        *("1572864 / 0", "9" * 190 + "* 1e300", "2**20", "1572864 +", (10**9, 10**9), (10**5000, 1)),
    ],
    ids=lambda answer: str(answer)[:20] if isinstance(answer, str) else None,
)
def test_another_unit_is_another_number(answer):
    assert judge(NUMBER, answer).outcome == "not yet"


@pytest.mark.parametrize(
    "answer",
    [
        *(
            "(1, 64, 64)",
            "1, 64, 64",
            "[1, 64, 64]",
            "1 x 64 x 64",
            "1×64×64",
            "[ 1 64 64]",
            "1*64*64",
            [[1], [64], [64]],
            [(1, 64, 64)],
            np.array([[1, 64, 64]]),
        ),
        *({"z": 1, "y": 64, "x": 64}, (slice(1, 64), 64)),
        ["1", 64.0, np.int8(64)],
    ],
    ids=str,
)
def test_a_row_passes_however_it_is_written(answer):
    assert judge(ROW, answer).outcome == "passed"


def test_what_yields_a_row_is_one():
    rows = (
        iter([1, 64, 64]),
        map(int, ["1", "64", "64"]),
        {1: 1, 2: 64, 3: 64}.values(),
        zip([1], [64], [64], strict=True),
    )
    assert [judge(ROW, row).outcome for row in rows] == ["passed"] * len(rows)


def test_a_range_is_a_row():
    assert judge(problem((0, 1, 2), ""), range(3)).outcome == "passed"


@pytest.mark.parametrize(
    "answer",
    [
        *("1/", "level 1", "Level 1", Path("1"), 1, ["1"], "a/b.zarr/1"),
        Location("https://s3.example.org", "idr", "a.zarr/1", anonymous=True),
        Level("1", (8, 8), "uint8", (8, 8), (1.0, 1.0), itemsize=1),
    ],
    ids=str,
)
def test_a_level_is_known_by_its_path_number_address_or_itself(answer):
    assert judge(LEVEL, answer).outcome == "passed"


@pytest.mark.parametrize("answer", ["10", "level 10", "a.zarr/10", "1/0", 1.5])
def test_another_level_is_not_taken_for_it(answer):
    assert judge(LEVEL, answer).outcome == "not yet"


def test_a_generator_without_an_end_is_not_gone_through():
    assert judge(ROW, iter(lambda: 1, 2)).outcome == "not yet"


def test_a_row_with_a_blank_in_it_is_not_attempted():
    assert judge(ROW, (1, ____, 64)).outcome == "not attempted"


@given(st.recursive(st.none() | st.integers() | st.text(max_size=5), lambda part: st.lists(part, max_size=4)))
def test_whatever_is_nested_has_few_readings(answer):
    assert len(readings(answer, "a number of seconds")) <= 12


@pytest.mark.parametrize(
    ("expected", "answer", "said"),
    [
        (100, 101, "Off by one"),
        (100, 99.0, "Off by one"),
        (100, -100, "the sign is not"),
        (100, 800, "Too large by a factor of 8. A byte has 8 bits."),
        (100_000, 100, "Too small by a factor of 1,000."),
        (100, 37, None),
        ((1, 64, 64), (64, 64, 1), "the other way round"),
        ((1, 64, 64), (1, 64), "3 parts are asked for, these are 2."),
        ((1, 64, 32), (1, 64, 16), "Right is the first and second"),
        ((1, 64, 32), (9, 9, 9), None),
        (("a", "b"), ("a", "c"), "Right is the first"),
        (1.0, float("1.0000001"), "All but equal: was it rounded?"),
        (11.82, 12, "All but equal"),
        (100, "100 kB", "The number is right. Look at its unit."),
        (100, "0.1 kB", "Too small by a factor of 1,000."),
        ((1.0, 2.0), (1.0, 2.0000001), "All but equal"),
        ("text", "other", None),
    ],
)
def test_what_of_an_answer_is_right_is_said(expected, answer, said):
    found = nearness(equals(expected), answer)
    assert found == said or (said and said in found)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (None, "`print` shows a value, and returns none"),
        (print, "was not called"),
        (("a", "b"), '("a", "b")'),
        (Path("a/b"), '"a/b"'),
    ],
)
def test_a_wrong_kind_of_answer_is_called_by_its_name(answer, said):
    assert said in judge(NUMBER, answer).message


# Where an answer points


def test_a_zarr_group_on_disk_is_its_folder(tmp_path):
    group = zarr.open_group(tmp_path / "a.zarr", mode="w")
    array = group.create_array("0", shape=(2,), dtype="u1")
    assert text(group) == str(tmp_path / "a.zarr")
    assert folder(array) == tmp_path / "a.zarr" / "0"
    assert text(zarr.open_group({}, mode="w")) is None


def test_a_path_may_begin_with_the_persons_own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "mine").mkdir()
    assert folder("~/mine/") == tmp_path / "mine"


@pytest.mark.parametrize("answer", [None, "", 3.5, "x" * 2000, "a\0b", "s3://a/b", object()])
def test_what_names_no_path_is_none(answer):
    assert path_of(answer) is None


def test_what_is_no_folder_is_told_apart(tmp_path):
    (tmp_path / "file").write_text("")
    assert "is a file" in no_folder(tmp_path / "file", "it")
    assert "is no folder here" in no_folder(tmp_path / "none", "it")
    assert "Looked for: the path of it." in no_folder(3.5, "it")


def test_an_address_is_a_place(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    place = Location("http://127.0.0.1:1", "practical", "ada/x.zarr")
    assert location(place.url) == location("s3://practical/ada/x.zarr") == place
    assert [location(other) for other in ("practical/ada", "ftp://a/b", 3, None)] == [None] * 4
