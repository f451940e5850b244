"""Names in which the height of a plane is written with a decimal point."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import tifffile
from test_stack_names import axes_of, write

from ngff_practical.errors import StackError
from ngff_practical.stack import find_stack, read_stack

HEIGHTS = {
    "with a unit": [f"img_z{z * 0.5:.1f}um.tif" for z in range(5)],
    "without one": [f"z{z * 0.25:.2f}.tif" for z in range(5)],
    "as short as can be": [f"z{z * 0.05:g}.tif" for z in range(9, 14)],
    "rounded": [f"z={z / 3:.2f}.tif" for z in range(5)],
    "more than ten": [f"Z_{z * 2.5:.1f}.tif" for z in range(2, 7)],
    "without a word": [f"img {z * 0.5:.1f} µm.tif" for z in range(5)],
    "beside a number": [f"img_{z:03}_z{z * 0.3:.1f}.tif" for z in range(5)],
    "beside a clock": [f"img_{z:03}_{12.1 + z * z * 0.37:.2f}s.tif" for z in range(5)],
    "beside a constant": [f"10.5mm_z{z * 0.5:.1f}.tif" for z in range(5)],
}


@pytest.mark.parametrize("naming", HEIGHTS)
def test_planes_lie_in_the_order_of_their_heights(tmp_path, naming):
    folder = write(tmp_path / "data", HEIGHTS[naming])
    source = find_stack(folder)
    assert axes_of(source) == "zyx"
    assert [file.name for file in source.files] == HEIGHTS[naming]
    expected = [tifffile.imread(folder / name) for name in HEIGHTS[naming]]
    np.testing.assert_array_equal(read_stack(source), expected)


def test_heights_stand_beside_channels_and_times(tmp_path):
    names = [
        f"t{t}_z{z:.1f}um_{c}.tif" for t, c, z in itertools.product((1, 2), ("DAPI", "GFP"), (0, 0.5, 1, 1.5))
    ]
    source = find_stack(write(tmp_path / "data", names))
    assert (axes_of(source), source.shape[:3]) == ("tczyx", (2, 2, 4))
    assert [channel.label for channel in source.channels] == ["DAPI", "GFP"]
    np.testing.assert_array_equal(read_stack(source)[..., 0, 0].ravel(), range(len(names)))


def test_two_heights_are_not_taken_for_whole_numbers(tmp_path):
    source = find_stack(write(tmp_path / "data", ["z0.25.tif", "z0.5.tif"]))
    assert [file.name for file in source.files] == ["z0.25.tif", "z0.5.tif"]


def test_axes_for_one_row_keep_the_order_of_heights(tmp_path):
    names = ["z0.05.tif", "z0.1.tif", "z0.15.tif", "z0.2.tif"]
    source = find_stack(write(tmp_path / "data", names), axes="tyx")
    assert [file.name for file in source.files] == names


def test_a_pattern_reads_heights(tmp_path):
    names = ["a_z0.5.tif", "a_z1.tif", "a_z1.5.tif"]
    folder = write(tmp_path / "data", [*names, "b_z0.5.tif"])
    source = find_stack(folder, pattern="a_z{z}.tif")
    assert [file.name for file in source.files] == names
    listed = find_stack(folder, pattern="a_z{z=0.50,1.0}.tif")
    assert [file.name for file in listed.files] == names[:2]


def test_a_missing_height_is_named(tmp_path):
    folder = write(tmp_path / "data", [f"z{z:.1f}um.tif" for z in (0, 0.5, 1, 2, 2.5)])
    with pytest.raises(StackError, match=r"after z1\.0um\.tif comes z2\.0um\.tif; missing: 1\.5\."):
        find_stack(folder)


def test_a_missing_height_of_one_channel_is_named(tmp_path):
    names = [f"c{c}_z{z:.1f}.tif" for c, z in itertools.product((1, 2), (0, 0.5, 1))]
    folder = write(tmp_path / "data", names[:-2] + names[-1:])
    with pytest.raises(StackError, match=r"1 of 6 planes are missing: c2 z0\.5; .*c=1"):
        find_stack(folder)


def test_a_place_with_a_point_beside_heights_is_chosen_by_the_pattern_that_is_suggested(tmp_path):
    names = [f"x{x}um_z{z:.1f}um.tif" for x in (10.5, 20.5) for z in (0, 0.5, 1)]
    folder = write(tmp_path / "data", names)
    with pytest.raises(
        StackError, match=r"several images; choose one: .*--pattern \"x10\.5um_z\{z\}um\.tif\""
    ):
        find_stack(folder)
    source = find_stack(folder, pattern="x10.5um_z{z}um.tif")
    assert [file.name for file in source.files] == names[:3]


@pytest.mark.parametrize("form", ["img_{a}.{b:02}.tif", "z{a:02}.{b:02}.tif"])
def test_points_between_other_numbers_leave_a_doubt(tmp_path, form):
    folder = write(tmp_path / "data", [form.format(a=a, b=b) for a in (1, 2) for b in range(3)])
    with pytest.raises(StackError, match="differ in 2 things"):
        find_stack(folder)


def test_a_point_behind_a_time_leads_to_the_planes(tmp_path):
    names = [f"t{t}.{z:03}.tif" for t in (1, 2) for z in range(3)]
    source = find_stack(write(tmp_path / "data", names))
    assert (axes_of(source), source.shape[:2]) == ("tzyx", (2, 3))
