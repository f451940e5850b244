"""Names of more microscopes and programs, and names that must not be taken for planes of one stack."""

from __future__ import annotations

import itertools
import re

import pytest
from test_stack_names import assert_in_order, axes_of, named, write

from ngff_practical.errors import StackError
from ngff_practical.stack import find_stack, read_stack

SIZES = {"t": 2, "c": 2, "z": 3}
NAMINGS = {
    "MetaMorph": (named("exp_w{c}_s1_t{t}.TIF", c=("1DAPI", "2GFP"), t=(1, 2)), "ct"),
    "SimView": (
        named("SPC00_TM{t:05}_ANG000_CM0_CHN{c:02}_PH0_PLN{z:04}.tif", t=(0, 1), c=(0, 1), z=range(3)),
        "tcz",
    ),
    "a folder for each time, with the time in the names": (
        named("SPM00/TM{t:05}/SPM00_TM{t:05}_CM00_CHN{c:02}.tif", t=(0, 1), c=(0, 1)),
        "tc",
    ),
    "BigStitcher": (named("img_TL{t}_Ch{c}_Tile0.tif", t=(0, 1), c=(0, 1)), "tc"),
    "Micro-Manager in the folder of its position": (
        named("Pos0/img_{t:09}_{c}_{z:03}.tif", t=(0, 1), c=("Cy5", "DAPI"), z=range(3)),
        "tcz",
    ),
    "lattice light sheet": (
        [
            f"scan_CamA_ch{c}_CAM1_stack{t:04}_{nm}nm_{2520 * t:07}msec_{4732481 + 2520 * t + c:010}msecAbs"
            f"_000x_000y_000z_{t:04}t.tif"
            for (c, nm), t in itertools.product(enumerate((488, 560)), range(2))
        ],
        "ct",
    ),
    "a clock beside time, channel and plane": (
        [
            f"img_t{t}_c{c}_z{z}_20240301T12{7 * t + 3 * c + z:02}{z:02}.tif"
            for t, c, z in itertools.product(range(2), range(2), range(3))
        ],
        "tcz",
    ),
    "a serial number beside a channel and a number": (
        [f"{c}_{z:03}_{991 * z * z + 17 * n}.tif" for n, c in enumerate(("DAPI", "GFP")) for z in range(3)],
        "cz",
    ),
    "a lens before the number": (named("Ch{c} 20x_{z:03}.tif", c=(1, 2), z=range(3)), "cz"),
    "a temperature before the number": (named("37C_{z:03}.tif", z=range(3)), "z"),
    "channels spelled out, with many digits": (named("channel_{c:04}.tif", c=(1, 2)), "c"),
    "Cellomics": (named("MFGTMP_200101_A01f00d{c}.TIF", c=(0, 1)), "c"),
    "lasers without their unit": (named("img_{c}_z{z}.tif", c=(488, 561), z=range(3)), "cz"),
    "two lasers alone": (named("img_{c}.tif", c=(488, 561)), "c"),
    "dyes named by their light": (named("AF{c}/slice{z:04}.tif", c=(488, 568), z=range(3)), "cz"),
    "cyanines": (named("Cy{c}_z{z}.tif", c=(3, 5), z=range(3)), "cz"),
    "hours behind the number": (named("VID1_B2_1_2026y03m04d_{t:02}h00m.tif", t=(0, 1)), "t"),
    "hours beside channels": (named("{c}_B2_1_00d{t:02}h00m.tif", c=("Green", "Phase"), t=(0, 1)), "ct"),
    "a dye right before a number": (named("{c}{z:03}.tif", c=("DAPI", "GFP"), z=range(3)), "cz"),
}


@pytest.mark.parametrize("naming", NAMINGS)
def test_a_naming_becomes_axes(tmp_path, naming):
    names, order = NAMINGS[naming]
    assert_in_order(write(tmp_path / "data", names), order, {axis: SIZES[axis] for axis in order})


def test_metamorphs_wavelengths_are_called_what_the_names_call_them(tmp_path):
    source = find_stack(write(tmp_path / "data", NAMINGS["MetaMorph"][0]))
    assert [channel.label for channel in source.channels] == ["DAPI", "GFP"]


SEVERAL = {
    "angles": (named("spim_TL18_Angle{a}.tif", a=(0, 45, 90)), 1),
    "angles over time": (named("img_TL{t}_Angle{a}.tif", t=(0, 1), a=(0, 90)), 2),
    "cameras": (named("SPC00_TM00000_ANG000_CM{a}_CHN00.tif", a=(0, 1)), 1),
    "specimens": (named("SPC{a:02}_TM00000_CHN00.tif", a=(0, 1)), 1),
    "views": (named("view{a}_z{z}.tif", a=(0, 1), z=range(3)), 3),
    "embryos over time": (named("embryo{a}_t{t}.tif", a=(0, 1), t=range(3)), 3),
    "replicates": (named("rep{a}_c{c}.tif", a=(0, 1), c=(0, 1)), 2),
    "runs": (named("run{a}_{z:03}.tif", a=(1, 2), z=range(3)), 3),
    "rows and columns of a mosaic": (named("tile_r{a}_c{b}_z{z}.tif", a=(0, 1), b=(0, 1), z=range(3)), 3),
    "columns of a mosaic": (named("tile_r0_c{b}_z{z}.tif", b=(0, 1), z=range(3)), 3),
    "wells of ScanR": (named("W{a:05}.tif", a=(1, 2, 3)), 1),
}


@pytest.mark.parametrize("kind", SEVERAL)
def test_several_images_are_refused_with_a_pattern_for_the_first(tmp_path, kind):
    names, planes = SEVERAL[kind]
    folder = write(tmp_path / "data", names)
    with pytest.raises(StackError, match="several images") as error:
        find_stack(folder)
    found = re.search(r"--pattern \"([^\"]+)\"", str(error.value))
    assert found is not None
    source = find_stack(folder, pattern=found[1])
    assert len(source.files) == planes
    assert source.files[0].name == names[0]


def test_angles_may_be_said_to_be_planes(tmp_path):
    folder = write(tmp_path / "data", named("angle{a:03}.tif", a=(0, 90, 180)))
    with pytest.raises(StackError, match=r"several images.*--axes zyx"):
        find_stack(folder)
    assert axes_of(find_stack(folder, axes="zyx")) == "zyx"


def test_numbered_samples_alone_are_planes_and_said(tmp_path):
    source = find_stack(write(tmp_path / "data", named("embryo{z:03}.tif", z=range(1, 12))))
    assert axes_of(source) == "zyx"
    assert "read as a z-stack" in source.notes[0]


def test_many_numbers_behind_ch_are_planes(tmp_path):
    assert axes_of(find_stack(write(tmp_path / "data", named("ch{z:05}.tif", z=range(4))))) == "zyx"


DOUBTS = {
    "hours": (named("{t}h/img_{z}.tif", t=(0, 6, 24), z=range(3)), "tz", (3, 3)),
    "antibodies": (named("CD{c}_{z:04}.tif", c=(3, 31, 45), z=range(3)), "cz", (3, 3)),
    "a section in the folder's name and in the file's": (
        named("brain-{z:04}/brain-{z:04}_{c:02}.tif", z=range(1, 4), c=(1, 2)),
        None,
        None,
    ),
    "sections": (named("section_{z:03}_{c:02}.tif", z=range(1, 6), c=(1, 2, 3)), "zc", (5, 3)),
}


@pytest.mark.parametrize("kind", DOUBTS)
def test_what_is_suggested_for_doubtful_names_can_be_typed(tmp_path, kind):
    names, order, shape = DOUBTS[kind]
    folder = write(tmp_path / "data", names)
    with pytest.raises(StackError) as error:
        find_stack(folder)
    pattern = re.search(r"--pattern \"([^\"]+)\"", str(error.value))
    assert pattern is not None
    source = find_stack(folder, pattern=pattern[1])
    assert len(source.files) == len(names)
    if order is not None:
        assert_in_order(folder, order, dict(zip(order, shape, strict=True)), pattern=pattern[1])


# --- channels 1, 2 and 4 of a microscope that has four


def test_a_channel_nobody_recorded_is_a_gap_until_the_channels_are_listed(tmp_path):
    folder = write(tmp_path / "data", named("z{z}_ch{c}.tif", z=range(3), c=(1, 2, 4)))
    with pytest.raises(StackError, match=r"missing: 3\. .* \{c=1,2,4\} in a pattern"):
        find_stack(folder)
    assert_in_order(folder, "zc", {"z": 3, "c": 3}, pattern="z{z}_ch{c=1,2,4}.tif")


def test_planes_may_be_listed_too(tmp_path):
    folder = write(tmp_path / "data", named("z{z}_ch{c}.tif", z=(0, 1, 5), c=(1, 2)))
    with pytest.raises(StackError, match=r"missing: 2, 3, 4\. .* \{z=0,1,5\} in a pattern"):
        find_stack(folder)
    assert_in_order(folder, "zc", {"z": 3, "c": 2}, pattern="z{z=0,1,5}_ch{c}.tif")


# --- other endings


@pytest.mark.parametrize("ending", ["btf", "stk", "tf8", "LSM"])
def test_tiffs_with_other_endings_are_read_where_no_others_are(tmp_path, ending):
    folder = write(tmp_path / "data", named("z{z:02}." + ending, z=range(11)))
    assert read_stack(find_stack(folder))[:, 0, 0].tolist() == list(range(11))
    assert read_stack(find_stack(folder, pattern="z{z}"))[:, 0, 0].tolist() == list(range(11))


def test_tiffs_with_other_endings_are_ignored_beside_planes(tmp_path):
    folder = write(tmp_path / "data", [*named("z{z:02}.tif", z=range(3)), "embryo.lsm"])
    source = find_stack(folder)
    assert len(source.files) == 3
    assert any("embryo.lsm" in note for note in source.notes)
