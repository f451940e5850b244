"""Folders of planes: what names say, what --pattern says, and what is asked for where neither is clear."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from ngff_practical.errors import StackError
from ngff_practical.stack import find_stack, read_stack
from ngff_practical.stack.columns import Names, split_names
from ngff_practical.stack.pattern import parse_pattern

SHAPE = (5, 6)


def write(folder: Path, names: list[str], *, pages: int | None = None, **options: object) -> Path:
    """One TIFF for each name, filled with its index; with `pages`, each one an ImageJ stack."""
    for number, name in enumerate(names):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if pages is None:
            tifffile.imwrite(file, np.full(SHAPE, number, "uint16"), metadata=None, **options)
        else:
            data = (
                np.full((pages, *SHAPE), number, "uint16")
                + 100 * np.arange(pages, dtype="uint16")[:, None, None]
            )
            tifffile.imwrite(file, data, imagej=True, metadata={"axes": "ZYX"})
    return folder


def named(form: str, **values: object) -> list[str]:
    """Every name of a form, the values in C order: named("z{z}_c{c}", z=(0, 1), c=(0, 1))."""
    every = itertools.product(
        *[value if isinstance(value, (tuple, range)) else (value,) for value in values.values()]
    )
    return [form.format(**dict(zip(values, each, strict=True))) for each in every]


def axes_of(source: object) -> str:
    return "".join(source.axis_names)  # type: ignore[attr-defined]


def assert_in_order(folder: Path, order: str, sizes: dict[str, int], **options: object) -> None:
    """The files, written with values 0, 1, 2 ... in the order of the axes `order`, come out as t, c, z."""
    source = find_stack(folder, **options)  # type: ignore[arg-type]
    grid = np.arange(np.prod([sizes[letter] for letter in order])).reshape(
        [sizes[letter] for letter in order]
    )
    expected = [letter for letter in "tcz" if letter in order]
    assert axes_of(source) == "".join(expected) + "yx"
    stack = read_stack(source)
    np.testing.assert_array_equal(
        stack[..., 0, 0], grid.transpose([order.index(letter) for letter in expected])
    )


NAMINGS = {
    "letters": (named("img_Z{z:02}_C{c}.tif", z=range(1, 12), c=(1, 2)), "zc"),
    "channel and plane in one number": (named("ch{c}{z:04}.tif", c=(0, 1), z=range(4)), "cz"),
    "MetaXpress folders": (named("ZStep_{z}/plate_E07_s1_w{c}.tif", z=range(1, 12), c=(1, 2)), "zc"),
    "ScanR": (named("x--W00001--P00001--Z{z:05}--T{t:05}--cherry.tif", z=range(3), t=range(2)), "zt"),
    "ScanR dyes": (
        named("--W00001--P00001--Z{z:05}--T00000--{c}.tif", z=range(3), c=("cherry", "gfp")),
        "zc",
    ),
    "W P Z T C": (named("W1_P2_Z{z}_T{t}_C{c}.tif", z=range(3), t=range(2), c=range(2)), "ztc"),
    "Micro-Manager 1": (named("img_{t:09}_{c}_{z:03}.tif", t=(0, 1), c=("Cy3", "FITC"), z=range(3)), "tcz"),
    "Micro-Manager 2": (
        named("img_channel{c:03}_position000_time{t:09}_z{z:03}.tif", c=(0, 1), t=(0, 1), z=range(3)),
        "ctz",
    ),
    "Operetta": (named("r01c01f01p{z:02}-ch{c}sk{t}fk1fl1.tiff", z=(1, 2, 3), c=(1, 2), t=(1, 2)), "zct"),
    "Yokogawa": (
        named("plate_A01_T{t:04}F001L01A01Z{z:02}C{c:02}.tif", t=(1, 2), z=(1, 2, 3), c=(1, 2)),
        "tzc",
    ),
    "IN Cell": (named("A - 01(fld 1 wv {c} - {c} z {z:02}).tif", c=("DAPI", "FITC"), z=(1, 2, 3)), "cz"),
    "Leica": (named("Series014_z{z:03}_ch{c:02}.tif", z=range(3), c=(0, 1)), "zc"),
    "Zeiss": (named("name_s1z{z}c{c}_ORG.tif", z=(1, 2, 3), c=(1, 2)), "zc"),
    "Olympus": (named("s_C{c:03}Z{z:03}T001.tif", c=(1, 2), z=(1, 2, 3)), "cz"),
    "Nikon": (named("name_t{t}xy1z{z:02}c{c}.tif", t=(1, 2), z=(1, 2, 3), c=(1, 2)), "tzc"),
    "capitals inside a word": (named("embryoT{t:02}Z{z:02}.tif", t=(0, 1), z=(0, 1, 2)), "tz"),
    "a folder for each channel": (named("ch{c}/{z:04}.tif", c=(0, 1), z=range(3)), "cz"),
    "a folder for each dye": (named("{c}/z{z:03}.tif", c=("DAPI", "GFP"), z=range(3)), "cz"),
    "a folder for each laser": (named("{c}nm/img_{z:04}.tif", c=(488, 561), z=range(3)), "cz"),
    "a folder for each time and channel": (
        named("t{t:04}/ch{c}/z{z:04}.tif", t=(0, 1), c=(0, 1), z=range(3)),
        "tcz",
    ),
    "the plane in the folder's name and in the file's": (
        named("Z{z}/img_Z{z}_C{c}.tif", z=range(3), c=(0, 1)),
        "zc",
    ),
    "a time stamp beside the time": (
        [f"t{t:04}_{t * 531 + 12}ms_ch{c}.tif" for t, c in itertools.product(range(3), (0, 1))],
        "tc",
    ),
    "a dye beside the channel's number": (
        [
            f"C{c:02}-{dye}_Z{z}.tif"
            for (c, dye), z in itertools.product(enumerate(("GFP", "DAPI")), range(3))
        ],
        "cz",
    ),
}


@pytest.mark.parametrize("naming", NAMINGS)
def test_a_naming_that_microscopes_write_becomes_axes(tmp_path, naming):
    names, order = NAMINGS[naming]
    found = {"t": 2, "c": 2, "z": 3}
    if naming in ("letters", "MetaXpress folders"):
        found["z"] = 11
    if naming == "channel and plane in one number":
        found["z"] = 4
    if naming == "a time stamp beside the time":
        found["t"] = 3
    assert_in_order(write(tmp_path / "data", names), order, found)


def test_the_random_number_that_metaxpress_adds_says_nothing(tmp_path):
    starts = (0x17654C10, 0xE94C24BD, 0x20654C10, 0x14B2A8F1)
    names = [
        f"ZStep_{z}/p_E07_s1_w{c}{start:08X}-45E4-450A-9919-257C{start:08X}.tif"
        for (z, c), start in zip(itertools.product((1, 2), (1, 2)), starts, strict=True)
    ]
    assert_in_order(write(tmp_path / "data", names), "zc", {"z": 2, "c": 2})
    assert_in_order(tmp_path / "data", "zc", {"z": 2, "c": 2}, pattern="ZStep_{z}/{}_w{c}.tif")


def test_words_that_tell_channels_apart_become_their_names(tmp_path):
    write(tmp_path, named("{c}_z{z}.tif", c=("GFP", "DAPI"), z=(0, 1)))
    source = find_stack(tmp_path)
    assert [channel.label for channel in source.channels] == ["DAPI", "GFP"]
    assert read_stack(source)[:, 0, 0, 0].tolist() == [2, 0]


def test_words_beside_the_numbers_of_channels_are_their_names(tmp_path):
    write(tmp_path, named("{c}_z{z}.tif", c=("C1-GFP", "C0-TRITC"), z=(0, 1)))
    source = find_stack(tmp_path)
    assert [channel.label for channel in source.channels] == ["TRITC", "GFP"]
    assert read_stack(source)[:, 0, 0, 0].tolist() == [2, 0]


def test_one_number_beside_channels_is_read_as_planes_and_said(tmp_path):
    source = find_stack(write(tmp_path, named("ch{c}_{z:04}.tif", c=(0, 1), z=range(3))))
    assert (axes_of(source), source.shape[:2]) == ("czyx", (2, 3))
    assert any("nothing explains as z" in note and "--pattern" in note for note in source.notes)


@pytest.mark.parametrize(
    ("form", "values", "axes"),
    [
        ("img_C{c}.tif", {"c": (0, 1)}, "czyx"),
        ("img_t{t:03}.tif", {"t": (0, 1)}, "tzyx"),
        ("img_t{t:03}_ch{c}.tif", {"t": (0, 1), "c": (0, 1)}, "tczyx"),
        ("img_{c}.tif", {"c": ("DAPI", "GFP")}, "czyx"),
        ("ch{c}/stack.tif", {"c": (0, 1)}, "czyx"),
    ],
)
def test_files_of_many_pages_are_put_behind_the_axes_of_their_names(tmp_path, form, values, axes):
    source = find_stack(write(tmp_path, named(form, **values), pages=3))
    assert axes_of(source) == axes
    stack = read_stack(source)
    outer = stack[..., 0, 0, 0].ravel()
    np.testing.assert_array_equal(outer, np.arange(len(outer)))
    np.testing.assert_array_equal(stack[..., 0, 0].reshape(-1, 3)[0], (0, 100, 200))


def test_a_folder_that_holds_one_folder_of_planes_is_read(tmp_path):
    write(tmp_path, named("ch0/z{z:03}.tif", z=range(3)))
    assert find_stack(tmp_path).shape == (3, *SHAPE)


# --- several images, and names that say too little


SEVERAL = {
    "wells": (
        named("x--W{w:05}--Z{z:05}--{c}.tif", w=(1, 2), z=range(3), c=("cherry", "gfp")),
        ["W00001, W00002"],
    ),
    "well names": (
        named("p_{w}_T0001F001Z{z:02}C{c:02}.tif", w=("A01", "B02"), z=(1, 2), c=(1, 2)),
        ["A01, B02"],
    ),
    "wells of one row": (
        named("p_{w}_T0001F001Z{z:02}C{c:02}.tif", w=("A01", "A02"), z=(1, 2), c=(1, 2)),
        ["A01, A02"],
    ),
    "wells of row C": (
        named("p_{w}_Z{z:02}C{c:02}.tif", w=("C01", "C02"), z=(1, 2, 3), c=(1, 2)),
        ["C01, C02"],
    ),
    "positions": (
        named("img_channel{c:03}_position{p:03}_z{z:03}.tif", c=(0, 1), p=(0, 1), z=range(3)),
        ["position000"],
    ),
    "Operetta wells": (
        named("r01c{w:02}f01p{z:02}-ch{c}sk1fk1fl1.tiff", w=(1, 2), z=(1, 2), c=(1, 2)),
        ["01, 02"],
    ),
    "tiles": (named("x{x}_y{y}_z{z}.tif", x=(0, 1), y=(0, 1), z=(0, 1, 2)), ["x0, x1; y0, y1"]),
    "series": (
        named("e_Series{s:03}_z{z:03}_ch{c:02}.tif", s=(1, 2), z=range(2), c=(0, 1)),
        ["Series001, Series002"],
    ),
    "words": (named("embryo_{s}_z{z:03}.tif", s=("left", "right"), z=range(3)), ["left, right"]),
    "folders": (named("sample{s}/z{z:03}.tif", s=(1, 2), z=range(3)), ["sample1, sample2"]),
    "numbers": (named("a{s}_b{z}.tif", s=(1, 2), z=range(3)), ["a1, a2; b0, b1, b2"]),
}


@pytest.mark.parametrize("kind", SEVERAL)
def test_names_that_leave_a_doubt_are_refused_with_what_differs_and_a_pattern_that_works(tmp_path, kind):
    names, said = SEVERAL[kind]
    write(tmp_path, names)
    with pytest.raises(StackError) as error:
        find_stack(tmp_path)
    assert all(text in str(error.value) for text in said)
    patterns = re.findall(r"--pattern \"([^\"]+)\"", str(error.value))
    assert patterns
    for pattern in patterns:
        source = find_stack(tmp_path, pattern=pattern)
        assert "z" in axes_of(source)
        assert len(source.files) > 1


def test_positions_alone_are_several_images(tmp_path):
    write(tmp_path, named("pos{p}.tif", p=range(3)))
    with pytest.raises(StackError, match=r"several images; choose one: .*--pattern \"pos0\.tif\""):
        find_stack(tmp_path)
    assert find_stack(tmp_path, pattern="pos0.tif").shape == SHAPE
    assert find_stack(tmp_path, axes="zyx").shape == (3, *SHAPE)


def test_files_beside_folders_of_planes_are_not_taken_for_the_stack(tmp_path):
    write(tmp_path, ["overview.tif", *named("ZStep_{z}/img.tif", z=range(1, 4))])
    with pytest.raises(StackError, match=r"3 folders of TIFFs.*--pattern \"ZStep_\{z\}/img\.tif\""):
        find_stack(tmp_path)
    assert find_stack(tmp_path, pattern="ZStep_{z}/img.tif").shape == (3, *SHAPE)
    assert find_stack(tmp_path, pattern="{}.tif").shape == SHAPE


def test_tiffs_at_different_depths_are_refused(tmp_path):
    write(tmp_path, ["a/z1.tif", "b/deep/z2.tif"])
    with pytest.raises(StackError, match=r"a/z1\.tif.*b/deep.*same depth"):
        find_stack(tmp_path)


def test_the_file_that_another_pattern_leaves_out_is_shown_with_it(tmp_path):
    write(tmp_path, ["z0.tif", "z1.tif", "z2.tif", "overview.tif"])
    with pytest.raises(StackError, match=r"overview\.tif do not fit.*--pattern \"z\{z\}\.tif\""):
        find_stack(tmp_path)


# --- previews and projections


def test_projections_and_previews_are_named_as_ignored(tmp_path):
    names = ["MAX_img.tif", "img_MIP.tif", "img_max_projection.tif", "z0_thumb.tif"]
    source = find_stack(write(tmp_path, [*named("z{z}.tif", z=range(3)), *names]))
    assert source.shape == (3, *SHAPE)
    assert all(any("Ignored as" in note and name in note for note in source.notes) for name in names)


def test_a_folder_of_projections_beside_channels_is_named_as_ignored(tmp_path):
    source = find_stack(
        write(tmp_path, [*named("ch{c}/z{z}.tif", c=(0, 1), z=(0, 1)), "MIP/ch0.tif", "MIP/ch1.tif"])
    )
    assert source.shape == (2, 2, *SHAPE)
    assert any("MIP/ch0.tif" in note for note in source.notes)


def test_an_experiment_called_projection_is_not_ignored(tmp_path):
    assert find_stack(write(tmp_path, named("Projection-Mix_z{z}.tif", z=range(3)))).shape == (3, *SHAPE)


def test_projections_are_read_where_a_pattern_asks_for_them(tmp_path):
    write(tmp_path, [*named("z{z}_c{c}.tif", z=(0, 1), c=(0, 1)), "MAX_c0.tif", "MAX_c1.tif"])
    assert axes_of(find_stack(tmp_path, pattern="MAX_c{c}.tif")) == "cyx"


# --- missing and repeated


def test_a_channel_that_lacks_a_plane_is_named_and_can_be_left_out(tmp_path):
    write(tmp_path, named("z{z}_c{c}.tif", z=range(4), c=range(3))[:-1])
    with pytest.raises(StackError, match=r"1 of 12 planes are missing: z3 c2; .*\{c=0,1\}"):
        find_stack(tmp_path)
    assert find_stack(tmp_path, pattern="z{z}_c{c=0,1}.tif").shape == (2, 4, *SHAPE)


def test_a_plane_that_all_channels_lack_is_a_gap(tmp_path):
    write(tmp_path, named("z{z}_c{c}.tif", z=(0, 1, 3, 4), c=(0, 1)))
    with pytest.raises(StackError, match=r"gaps: after z1 comes z3; missing: 2"):
        find_stack(tmp_path)


def test_a_folder_that_is_missing_is_a_gap_that_names_the_folders(tmp_path):
    write(tmp_path, named("ZStep_{z}/img.tif", z=(1, 2, 4, 5)))
    with pytest.raises(StackError, match=r"after ZStep_2/img\.tif comes ZStep_4/img\.tif; missing: 3"):
        find_stack(tmp_path)


@pytest.mark.parametrize("options", [{}, {"pattern": "{z}.tif"}, {"axes": "zyx"}])
def test_a_number_that_is_there_twice_is_refused(tmp_path, options):
    write(tmp_path, ["1.tif", "01.tif", "2.tif"])
    with pytest.raises(StackError, match=r"01\.tif and 1\.tif"):
        find_stack(tmp_path, **options)


def test_an_odd_plane_in_a_folder_is_named_with_its_folder(tmp_path):
    write(tmp_path, named("ZStep_{z}/img.tif", z=(1, 2, 3)))
    tifffile.imwrite(tmp_path / "ZStep_2" / "img.tif", np.zeros(SHAPE, "uint8"))
    with pytest.raises(StackError, match=r"^ZStep_2/img\.tif is 5 x 6 uint8"):
        find_stack(tmp_path)


# --- patterns


@pytest.mark.parametrize(
    ("pattern", "name", "values"),
    [
        ("img_{z}_ch{c}.tif", "img_007_ch1.tif", (7, 1)),
        ("img_{z}_ch{c}.tif", "IMG_007_CH1.TIFF", (7, 1)),
        ("img_{z}_ch{c}", "img_7_chGFP.tif", (7, "GFP")),
        ("ch{c}{z}.tif", "ch10003.tif", (1, 3)),
        ("ch{c:2}{z:4}.tif", "ch120003.tif", (12, 3)),
        ("ch{c:02d}{z:04d}.tif", "ch120003.tif", (12, 3)),
        ("*_z{z}_*.tif", "a_b_z12_x.tif", (12,)),
        ("{}_z{z}_{}.tif", "a_b_z12_x.tif", (12,)),
        ("ZStep_{z}/{}_w{c}.tif", "ZStep_10/plate_w2.tif", (10, 2)),
        ("ZStep_{z}\\{}_w{c}.tif", "ZStep_10/plate_w2.tif", (10, 2)),
        ("Z{z}/img_Z{z}.tif", "Z01/img_Z1.tif", (1,)),
        ("c{c=1,3}_z{z}.tif", "c03_z1.tif", (3, 1)),
        ("{c=DAPI,GFP}_z{z}.tif", "gfp_z1.tif", ("gfp", 1)),
        ("{{a}}[1]_(z{z}).tif", "{a}[1]_(z4).tif", (4,)),
        ("{T}_{Z}", "1_2.tif", (1, 2)),
    ],
)
def test_a_pattern_reads_what_stands_in_its_places(pattern, name, values):
    found = parse_pattern(pattern).match(Path(name))
    assert found is not None
    assert found.values == values


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("img_{z}.tif", "img_a.tif"),
        ("img_{z}.tif", "img_1_2.tif"),
        ("{}_z{z}.tif", "a/b_z1.tif"),
        ("Z{z}/img_Z{z}.tif", "Z1/img_Z2.tif"),
        ("c{c=1,3}_z{z}.tif", "c2_z1.tif"),
        ("c{c=1,3}_z{z}.tif", "c13_z1.tif"),
        ("a.b{z}.tif", "aXb1.tif"),
    ],
)
def test_what_does_not_fit_a_pattern_is_left_out(pattern, name):
    assert parse_pattern(pattern).match(Path(name)) is None


@pytest.mark.parametrize(
    "pattern",
    ["", " ", "img_{q}.tif", "img_{z.tif", "img_z}.tif", "{z:0}.tif", "{z=}.tif", "../{z}.tif", "{well}_{z}"],
)
def test_a_pattern_that_is_none_is_refused_with_an_example(tmp_path, pattern):
    write(tmp_path, ["z0.tif", "z1.tif"])
    with pytest.raises(StackError, match=r"--pattern \"img_\{z\}_ch\{c\}\.tif\""):
        find_stack(tmp_path, pattern=pattern)


def test_a_pattern_that_fits_nothing_shows_the_names_and_one_that_fits(tmp_path):
    write(tmp_path, named("embryoT{t:02}Z{z:02}.tif", t=(0, 1), z=(0, 1)))
    with pytest.raises(StackError, match=r"fits.*embryoT00Z00\.tif.*--pattern \"embryoT\{t\}Z\{z\}\.tif\""):
        find_stack(tmp_path, pattern="foo_{z}.tif")


def test_a_pattern_without_axes_only_chooses_files(tmp_path):
    write(tmp_path, named("w{w}_z{z}.tif", w=(10, 11), z=range(3)))
    source = find_stack(tmp_path, pattern="w11_*")
    assert read_stack(source)[:, 0, 0].tolist() == [3, 4, 5]
    assert any("Left out by the pattern, 3 of 6 TIFFs: w10_z0.tif" in note for note in source.notes)


def test_two_files_of_one_place_are_refused_with_what_tells_them_apart(tmp_path):
    write(tmp_path, named("s{s}_z{z}.tif", s=(1, 2), z=range(3)))
    with pytest.raises(
        StackError, match=r"s1_z0 and s2_z0 both are z0.*1, 2 stand.*--pattern \"s1_z\{z\}\.tif\""
    ):
        find_stack(tmp_path, pattern="s{}_z{z}.tif")


def test_a_pattern_is_for_folders(tmp_path):
    write(tmp_path, ["z0.tif"])
    with pytest.raises(StackError, match=r"z0\.tif is a file.*name the folder"):
        find_stack(tmp_path / "z0.tif", pattern="z{z}.tif")


def test_axes_beside_a_pattern_may_be_those_of_one_file(tmp_path):
    for channel in (0, 1):
        data = np.full((3, *SHAPE), channel, "uint16")
        tifffile.imwrite(tmp_path / f"c{channel}.tif", data, photometric="minisblack")
    with pytest.raises(StackError, match=r"2 x 3 x 5 x 6.*--axes czyx"):
        find_stack(tmp_path, pattern="c{c}.tif")
    for axes in ("zyx", "czyx"):
        assert axes_of(find_stack(tmp_path, pattern="c{c}.tif", axes=axes)) == "czyx"


def test_axes_in_another_order_than_the_names_say_are_refused(tmp_path):
    write(tmp_path, named("z{z}_c{c}.tif", z=range(3), c=range(2)))
    with pytest.raises(StackError, match=r"'czyx' contradict the names, which say z x c = 3 x 2.*zcyx"):
        find_stack(tmp_path, axes="czyx")
    assert find_stack(tmp_path, axes="zcyx").shape == (2, 3, *SHAPE)


@settings(max_examples=200, deadline=None)
@given(
    prefix=st.from_regex(r"[A-Za-z0-9 ()\[\]{}.]{0,8}", fullmatch=True),
    letters=st.permutations(["_z", "_t", "_ch"]),
    sizes=st.tuples(*[st.integers(1, 4)] * 3),
    digits=st.integers(1, 3),
)
def test_the_pattern_that_is_suggested_fits_every_name(prefix, letters, sizes, digits):
    names = [
        prefix + "".join(f"{letter}{value:0{digits}}" for letter, value in zip(letters, values, strict=True))
        for values in itertools.product(*map(range, sizes))
    ]
    found = split_names(names)
    assert isinstance(found, Names)
    pattern = parse_pattern(found.pattern())
    cells = {match.values for name in names if (match := pattern.match(Path(name + ".tif"))) is not None}
    assert len(cells) == len(names)
