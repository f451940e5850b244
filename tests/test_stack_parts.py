"""Stacks that were split into files of many pages, and the pattern that puts them together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from ngff_practical.errors import StackError
from ngff_practical.stack import find_stack, read_stack

DATA = np.random.default_rng(6).integers(0, 2**16, (11, 20, 24)).astype("uint16")
FORM = "cam_X{z}.tif"


def write(folder: Path, *counts: int, imagej: bool = False, first: int = 9) -> np.ndarray:
    """Files of so many pages, numbered so that 10 comes after 9; returns all their planes."""
    folder.mkdir()
    parts = np.split(DATA[: sum(counts)], np.cumsum(counts)[:-1])
    for number, part in enumerate(parts, first):
        file = folder / f"cam_X{number}.tif"
        if imagej:
            tifffile.imwrite(file, part, imagej=True, metadata={"axes": "ZYX"})
        else:
            tifffile.imwrite(file, part, metadata=None, photometric="minisblack")
    return DATA[: sum(counts)]


@pytest.mark.parametrize("counts", [(4, 4, 3), (4, 4), (4, 1), (1, 4)], ids=str)
def test_files_that_count_along_the_axis_of_their_pages_are_parts_of_one_stack(tmp_path, counts):
    planes = write(tmp_path / "data", *counts)
    source = find_stack(tmp_path / "data", pattern=FORM, axes="zyx")
    assert "".join(axis.name for axis in source.axes) == "zyx"
    np.testing.assert_array_equal(read_stack(source), planes)
    assert any(f"behind the other: {', '.join(map(str, counts))} planes" in note for note in source.notes)


def test_files_that_state_their_axis_need_the_pattern_alone(tmp_path):
    planes = write(tmp_path / "data", 4, 3, imagej=True)
    np.testing.assert_array_equal(read_stack(find_stack(tmp_path / "data", pattern=FORM)), planes)


def test_channels_that_follow_each_other_are_told_from_planes_across_the_parts(tmp_path):
    planes = write(tmp_path / "data", 5, 5)
    stack = read_stack(find_stack(tmp_path / "data", pattern=FORM, axes="zc2yx"))
    np.testing.assert_array_equal(stack, planes.reshape(5, 2, 20, 24).swapaxes(0, 1))


def test_files_of_unlike_length_are_refused_with_what_makes_them_parts(tmp_path):
    write(tmp_path / "data", 4, 4, 3)
    with pytest.raises(StackError, match=r'cam_X11\.tif is 3 x .*\(--axes zyx --pattern "cam_X\{z\}\.tif"\)'):
        find_stack(tmp_path / "data")


def test_files_that_count_along_another_axis_than_their_pages_stay_apart(tmp_path):
    planes = write(tmp_path / "data", 4, 4)
    source = find_stack(tmp_path / "data", pattern="cam_X{c}.tif", axes="zyx")
    np.testing.assert_array_equal(read_stack(source), planes.reshape(2, 4, 20, 24))
    with pytest.raises(StackError, match="give lengths, which cut the pages of one file"):
        find_stack(tmp_path / "data", pattern="cam_X{c}.tif", axes="zc2yx")


def test_a_missing_part_is_named_until_the_parts_are_listed(tmp_path):
    planes = write(tmp_path / "data", 4, 4, 3)
    (tmp_path / "data" / "cam_X10.tif").unlink()
    with pytest.raises(StackError, match=r"after cam_X9\.tif comes cam_X11\.tif.*\{z=9,11\}"):
        find_stack(tmp_path / "data", pattern=FORM, axes="zyx")
    source = find_stack(tmp_path / "data", pattern="cam_X{z=9,11}.tif", axes="zyx")
    np.testing.assert_array_equal(read_stack(source), np.delete(planes, range(4, 8), axis=0))


def test_a_part_of_other_pages_is_named(tmp_path):
    write(tmp_path / "data", 4, 4)
    tifffile.imwrite(
        tmp_path / "data" / "cam_X11.tif", DATA[:2, :10], metadata=None, photometric="minisblack"
    )
    with pytest.raises(StackError, match=r"cam_X11\.tif cannot be parts of one stack with cam_X9\.tif"):
        find_stack(tmp_path / "data", pattern=FORM, axes="zyx")
