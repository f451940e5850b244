"""Answers in the forms that people hand in: right ones pass, wrong ones are told what they are."""

import re

import numpy as np
import pytest
from test_course_exercises import NAMES, course_sandbox, seated, tasks  # noqa: F401  the same learners

from ngff_practical.course import connect
from ngff_practical.model import Location

pytestmark = pytest.mark.s3
LEARNER = 5


def upper(names):
    return [name.upper() for name in names]


def same_place_as_text(place):
    return [place.url, f"s3://{place.bucket}/{place.key}"]


# For an exercise: from what its solution answers, and its task, other ways to hand in the same.
RIGHT = {
    "warm-up": lambda a, _: [f"{a} s", f"{a} seconds", [a], np.float32(a)],
    "chunk-bytes": lambda a, _: [f"{a:,}", f"{a} bytes", f"{a:_}"],
    "two-ways": lambda a, _: [list(a), "32, 64, 64", np.array(a)],
    "pyramid-adds": lambda a, _: [f"{a:,} bytes", tuple(int(part) for part in f"{a:,}".split(","))],
    "screen-level": lambda a, _: [int(a), f"level {a}", f"{a}/"],
    "count-ifds": lambda a, _: [f"{a} IFDs", np.array([a])],
    "plane-offset": lambda a, _: [f"{a} bytes", float(a)],
    "object-count": lambda a, _: [list(a), {"chunks": a[0], "shards": a[1]}, str(a), "{} and {}".format(*a)],
    "eight-writers": lambda a, task: [
        sorted(a),
        ", ".join(a),
        " and ".join(a),
        {name.upper() for name in a},
        {f"{name}, chunks {task.given['object_depths'][name]} deep" for name in a},
    ],
    "four-parts": lambda a, _: [
        list(a),
        (f"{a[0]}/", *a[1:3], "Anonymous"),
        Location(*a[:3], anonymous=True),
        dict(zip(("endpoint", "bucket", "key", "access"), a, strict=True)),
    ],
    "slash-trap": lambda a, _: [set(a), [f"{name}/" for name in a], ", ".join(a)],
    "byte-range": lambda a, _: [bytearray(a), memoryview(a)],
    "many-or-few": lambda a, _: [
        f"{a} s",
        round(a, 2),
        f"{a:.2f}".replace(".", ","),
        (int(a), round(a % 1 * 100)),
    ],
    "sharp-enough": lambda a, task: [int(a), f"{a}/", task.given["image"] / a],
    "crop-um": lambda a, _: [
        (slice(*a[:2]), slice(*a[2:])),
        [list(a[:2]), list(a[2:])],
        {"y": a[:2], "x": a[2:]},
    ],
    "cheap-enough": lambda a, task: [int(a), f"level {a}", (task.given["image"] / a).key],
    "one-level": lambda a, _: [str(a), f"{a}/", a.absolute()],
    "damaged-copy": lambda a, task: [f"/{a}", f"./{a}", task.given["copy"] / a, a.replace("/", "\\")],
    "missing-plane": lambda a, task: [
        f"{a:03}",
        f"plane {a}",
        f"embryo_z{a:03}.tif",
        task.given["folder"] / f"embryo_z{a:03}.tif",
    ],
    "level-shape": lambda a, _: [list(a), np.array(a), str(a)],
    "own-file": lambda a, _: [str(a), f"{a}/", a.absolute()],
    "level-two": lambda a, _: [np.reshape(a, (2, 3)), {"scale": a[:3], "translation": a[3:]}],
    "which-version": lambda a, _: [[float(each) for each in a], [f"v{each}" for each in a], ", ".join(a)],
    "count-nuclei": lambda a, _: [f"{a} nuclei", np.int64(a)],
    "lost-label": lambda a, _: [np.uint16(a), str(a)],
    "field-path": lambda a, task: [a.split("/"), f"/{a}/", task.given["path"] / a, f"plate.zarr/{a}"],
    "own-prefix": lambda a, _: [f" {a}", a.replace("ada", "heron-of-lake")],
    "complete": lambda a, _: same_place_as_text(a),
    "from-afar": lambda a, _: [a.upper(), f"sha256:{a}"],
    "tidy-up": lambda a, _: [f"practical/{a}", f"s3://practical/{a}"],
    **{f"failure-{number}": lambda a, _: [a.upper(), [a]] for number in range(1, 5)},
    "which-open": lambda a, _: [a.lower(), set(a), " and ".join(a), ", ".join(reversed(a))],
    "own-shared": lambda a, _: [[str(a[0]), other] for other in same_place_as_text(a[1])],
}

# For an exercise: answers that are wrong in a way of their own, and words of what is said to them.
WRONG = {
    "chunk-bytes": lambda a, _: [(a * 8, "8 bits"), (a / 1000, "factor of 1,000"), (a + 1, "Off by one")],
    "two-ways": lambda a, _: [
        ((1, 1, 1), "is 2 bytes"),
        ((0, 64, 64), "each from 1"),
        (64, "three whole numbers"),
    ],
    "object-count": lambda a, _: [((a[0], a[1] + 1), "Right is the first"), ((*a, 1), "2 parts are asked")],
    "eight-writers": lambda a, _: [({"Zarr 2"}, "none of the six"), (None, "nothing")],
    "four-parts": lambda a, _: [
        ((*a[:3], "public"), "first, second and third"),
        ((*a[:3], "public"), "one of two words"),
        ((*a[:2], f"{a[2]}/", a[3]), "slash at its end"),
        ("/".join(a[:3]), "whole address"),
    ],
    "slash-trap": lambda a, _: [(len(a), "list of names"), (upper(a), "Looked for"), (a[1:], "not all")],
    "many-or-few": lambda a, task: [
        (a * 1.01, "was it rounded"),
        (0.998 * 0.571 * int(re.search(r"waits \*\*(\d+)", task.text)[1]), "That is the waiting"),
    ],
    "crop-um": lambda a, task: [
        ((a[0] + 1, *a[1:]), "second, third and fourth"),
        (a[:2], "4 parts"),
        ([round(edge, 2) for edge in task.given["box_um"]], "These are micrometres."),
    ],
    "screen-level": lambda a, _: [("11", "pixels across for your 800")],
    "missing-plane": lambda a, _: [(2, "`embryo_z002.tif` is there"), (99, "go from 1 to")],
    "lost-label": lambda a, _: [(a + 1, "Looked for: one id")],
    "damaged-copy": lambda a, _: [
        (a.rpartition("/")[0], "No object is called"),
        (a.replace("/", "."), "No object"),
    ],
    "voxel-size": lambda a, task: [
        (list(a.voxel_size), "Hand them to"),
        ([9, 9, 9], "Looked for: what"),
        (task.given["path"], "That is the file"),
    ],
    "axes": lambda a, task: [
        ("ZYX", "the letters"),
        (("z", "y", "x"), "the letters"),
        (task.given["path"], "the file"),
    ],
    "few-objects": lambda a, task: [([64, 128, 128], "a shape"), (task.given["stack"], "the stack")],
    "level-two": lambda a, _: [((*a[3:], *a[:3]), "first"), (a[:3], "six numbers")],
    "repair-scale": lambda a, _: [
        (f"{a}x", "no folder here"),
        (a / "0", "a single Zarr array"),
        (3.5, "the path of"),
    ],
    "attach-labels": lambda a, _: [(a / "0", "a single Zarr array"), ("nowhere", "no folder here")],
    "count-nuclei": lambda a, _: [(np.arange(4), "These are ids"), (a - 1, "Off by one")],
    "field-path": lambda a, _: [
        (a.lower(), "capital letters"),
        (a[-1], "the field alone"),
        ("A/01/0", "another"),
    ],
    "own-prefix": lambda a, _: [
        (f"practical/{a}", "begins with the bucket"),
        (f"course/{a}", "one slash"),
        (f"1{a[4:]}", "Its number is another one"),
    ],
    "complete": lambda a, task: [(task.given["image"], "on this machine"), (a / "x", "Nothing lies there")],
    "from-afar": lambda a, _: [(bytes.fromhex(a), "hexdigest"), (np.ones((3, 3)), "That is the plane")],
    "tidy-up": lambda a, _: [(f"{a[:-1]}0/", "your neighbour's"), (f"/{a}", "not your prefix")],
    "failure-1": lambda a, _: [([a, "path"], "One cause"), (404, "one of https")],
    "viewer-link": lambda a, task: [(task.given["place"], "the address of the image"), ([a, a], "Take one")],
    "which-open": lambda a, _: [("ABCDE", "strangers are refused"), (a[0], "not all")],
    "plan-target": lambda a, _: [((1, 32, 64, 64), "a shape"), (list(a.levels), "Looked for")],
    "own-shared": lambda a, _: [
        ((a[1], a[0]), "comes first"),
        ((a[0], connect().location("practical", f"{a[1].key}.not")), "Nothing lies"),
    ],
}


@pytest.fixture
def solved(request, seated):  # noqa: F811  the fixture of that name
    """The name of an exercise, its task, and what its solution answers."""
    task = seated(LEARNER)
    names = {"task": task}
    exec(task.solution().code, names)
    return request.node.callspec.id.rpartition("/")[2], task, names["answer"]


@pytest.mark.parametrize("tasks", [each for each in NAMES if each[1] in RIGHT], indirect=True, ids="/".join)
def test_a_right_answer_passes_in_another_form(solved):
    name, task, answer = solved
    said = {repr(other): task.check(other) for other in RIGHT[name](answer, task)}
    assert {key: checked for key, checked in said.items() if checked.outcome != "passed"} == {}


@pytest.mark.parametrize("tasks", [each for each in NAMES if each[1] in WRONG], indirect=True, ids="/".join)
def test_a_wrong_answer_is_told_what_it_is(solved):
    name, task, answer = solved
    for wrong, words in WRONG[name](answer, task):
        checked = task.check(wrong)
        assert checked.outcome == "not yet", (wrong, checked)
        assert words in checked.verdict.message, (wrong, checked.verdict.message)


def test_every_exercise_is_in_one_of_the_tables():
    judged_by_deeds = {"repair-translation", "repair-axes", "repair-unit", "missing-well", "own-valid"}
    assert {name for _, name in NAMES} - {*RIGHT, *WRONG} == judged_by_deeds
