"""Multiscales: scale and translation of a level, four images to repair, and three versions told apart."""

from __future__ import annotations

import re

from ngff_practical.course.answers import equals, numbers, shown, texts
from ngff_practical.course.exercise import Exercise, Mistake, Problem, Seat, exercise
from ngff_practical.course.exercises.repairs import (
    repair_axes,
    repair_scale,
    repair_translation,
    repair_unit,
)
from ngff_practical.metadata import image_document
from ngff_practical.model import Axis, StackSource
from ngff_practical.pyramid import plan_pyramid

type Json = dict[str, object]

VERSIONS = ("0.4", "0.5", "0.6")


@exercise("level-two", "Scale and translation of level 2")
def level_two(seat: Seat) -> Problem:
    """Ask for the six numbers of level 2 in an image whose z waits for one level."""
    pixel = seat.random.choice([0.2, 0.3, 0.4, 0.6])
    size = (2 * pixel, pixel, pixel)
    plan = plan_pyramid(_source((64, 512, 512), size), levels=3)
    levels = plan.levels
    scale, translation = levels[2].scale, levels[2].translation or (0.0,) * 3
    right = (*scale, *translation)
    shapes = "; ".join(f"level {level.path}: {level.shape}" for level in levels)
    return Problem(
        task=f"An image (z, y, x) has these shapes: {shapes}. Level 0 has voxels of **{size[0]:g} x "
        f"{pixel:g} x {pixel:g} micrometres**, each coarser voxel is the mean of those it covers, and the "
        "centre of the first voxel of level 0 is the origin. What are **scale and translation of level 2**? "
        "Six numbers: scale z, y, x, then translation z, y, x.",
        wants="six numbers (scale z, y, x, translation z, y, x)",
        right=equals(right, within=1e-6),
        solution=(
            f"first = {size}\n"
            f"factors = [fine // coarse for fine, coarse in zip({levels[0].shape}, {levels[2].shape})]\n"
            "scale = [length * factor for length, factor in zip(first, factors)]\n"
            "answer = (*scale, *[(now - then) / 2 for now, then in zip(scale, first)])"
        ),
        why=f"Scale: {_listed(scale)}. The centre of a coarse voxel lies half the added voxel size further: "
        f"{_listed(translation)}.",
        hints=(
            "How many voxels of level 0 fit into one of level 2, along each axis? z did not shrink at once.",
            "The scale is the voxel size of level 0 times these factors.",
            "The translation is half of what the voxel has grown by: (scale of level 2 - scale of level 0) "
            "/ 2.",
        ),
        mistakes=(
            Mistake(
                (*scale, 0.0, 0.0, 0.0),
                "The scale is right. The centre of the first voxel does not stay where it was: it now lies "
                "in the middle of all those it covers.",
            ),
            Mistake(
                (*scale, *(value / 2 for value in scale)),
                "The scale is right. Half a coarse voxel is the distance from its own corner; the origin is "
                "the centre of a fine voxel.",
            ),
            Mistake(
                (*levels[1].scale, *(levels[1].translation or ())),
                "These are the numbers of level 1.",
            ),
            Mistake(
                (*(value * 4 for value in size), *(value * 1.5 for value in size)),
                "z was halved once only: compare the shapes.",
            ),
            Mistake(
                (*(first * first / now for first, now in zip(size, scale, strict=True)), *translation),
                "These voxels get smaller from level to level. With fewer of them, each has to be larger.",
            ),
            Mistake(scale, "That is the scale. The translation is asked for, too: six numbers in all."),
            Mistake(
                (*translation, *scale), "The scale was asked for first, and then the translation. Turn them."
            ),
        ),
    )


@exercise("which-version", "Three versions of one image")
def which_version(seat: Seat) -> Problem:
    """Ask which documents are 0.4, 0.5 and 0.6; what would say so is taken out."""
    source = _source((16, 64, 64), (0.8, 0.4, 0.4))
    order = list(VERSIONS)
    seat.random.shuffle(order)
    plans = {version: plan_pyramid(source, version=version, levels=2) for version in VERSIONS}
    documents = {
        letter: _without_versions(image_document(plans[version]))
        for letter, version in zip("abc", order, strict=True)
    }
    right = tuple(order)

    def named(answer: object) -> tuple[str, ...] | None:
        row = numbers(answer)
        said = tuple(f"{value:g}" for value in row) if row is not None else texts(answer)
        return said and tuple(re.sub(r"^v?(\d\.\d)(\.\d)?$", r"\1", each) for each in said)

    def swapped(one: str, other: str) -> tuple[str, ...]:
        turn = {one: other, other: one}
        return tuple(turn.get(version, version) for version in right)

    return Problem(
        task='`task.given["a"]`, `["b"]` and `["c"]` are the metadata of one image in OME-Zarr **0.4, 0.5 '
        "and 0.6**. Their version numbers were taken out. Which is which? Three texts, for a, b and c.",
        wants='three texts, such as ("0.4", "0.5", "0.6")',
        right=lambda answer: named(answer) == right,
        solution=(
            "def version(document):\n"
            '    if "ome" not in document:\n'
            '        return "0.4"\n'
            '    return "0.6" if "coordinateSystems" in document["ome"]["multiscales"][0] else "0.5"\n\n'
            'answer = tuple(version(task.given[letter]) for letter in "abc")'
        ),
        why="0.4 has its metadata at the top, 0.5 within `ome`, and 0.6 names its coordinate systems.",
        hints=(
            "Begin with the outermost word of each: two begin alike.",
            "In 0.5 `axes` stand beside `datasets`. In 0.6 they moved into `coordinateSystems`.",
        ),
        mistakes=(
            Mistake(
                swapped("0.4", "0.5"),
                "From 0.5 on, everything stands within one word. Which of them has it?",
                made=lambda answer: named(answer) == swapped("0.4", "0.5"),
            ),
            Mistake(
                swapped("0.5", "0.6"),
                "The oldest one is right. Of the other two, which says what a transformation leads to?",
                made=lambda answer: named(answer) == swapped("0.5", "0.6"),
            ),
            Mistake(
                swapped("0.4", "0.6"),
                "The one in the middle is right. Is the newest really the one with the least around it?",
                made=lambda answer: named(answer) == swapped("0.4", "0.6"),
            ),
        ),
        given=documents,
        otherwise=lambda answer: (
            f"`answer` is {shown(answer)}. Looked for: three texts, each of 0.4, 0.5 and 0.6 once."
            if sorted(named(answer) or ()) != list(VERSIONS)
            else "None of the three is in its place. Which one has no `ome`?"
        ),
    )


EXERCISES: tuple[Exercise, ...] = (
    level_two,
    repair_scale,
    repair_translation,
    repair_axes,
    repair_unit,
    which_version,
)


def _source(shape: tuple[int, int, int], voxel_size: tuple[float, float, float]) -> StackSource:
    return StackSource(
        name="mini",
        axes=tuple(Axis(name, "space", "micrometer") for name in "zyx"),
        shape=shape,
        dtype="uint16",
        itemsize=2,
        voxel_size=voxel_size,
        files=(),
        planes=(),
    )


def _without_versions(document: Json) -> Json:
    """Return a copy without version numbers, and without what says who wrote it."""

    def strip(value: object) -> object:
        if isinstance(value, dict):
            return {key: strip(part) for key, part in value.items() if key not in ("version", "metadata")}
        return [strip(part) for part in value] if isinstance(value, list) else value

    stripped = strip(document)
    return stripped if isinstance(stripped, dict) else {}


def _listed(row: tuple[float, ...]) -> str:
    return f"({', '.join(f'{value:g}' for value in row)})"
