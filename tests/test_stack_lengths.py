"""Axes with lengths: one row of pages that holds two axes or more, one within the other."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st

from ngff_practical.cli import main
from ngff_practical.errors import StackError
from ngff_practical.stack import find_stack, read_stack
from ngff_practical.stack.layout import lay_out

DATA = np.random.default_rng(8).integers(0, 2**16, (3, 2, 20, 24)).astype("uint16")  # z, c, y, x


def pages(file: Path, data: np.ndarray = DATA, **options: object) -> Path:
    """One page for each plane, and no word of what they are."""
    tifffile.imwrite(file, data.reshape(-1, *data.shape[2:]), metadata=None, **options)
    return file


@pytest.mark.parametrize("axes", ["zc2yx", "z3cyx", "Z3C2YX", "z3,c2,y,x"])
def test_channels_that_follow_each_other_are_told_from_planes(tmp_path, axes):
    source = find_stack(pages(tmp_path / "a.tif", photometric="minisblack"), axes=axes)
    assert "".join(source.axis_names) == "czyx"
    np.testing.assert_array_equal(read_stack(source), DATA.transpose(1, 0, 2, 3))


def test_colours_stay_channels_beside_lengths(tmp_path):
    data = np.random.default_rng(8).integers(0, 256, (3, 2, 20, 24, 3)).astype("uint8")
    source = find_stack(pages(tmp_path / "a.tif", data, photometric="rgb"), axes="tz2yx")
    assert "".join(source.axis_names) == "tczyx"
    np.testing.assert_array_equal(read_stack(source), data.transpose(0, 4, 1, 2, 3))


@given(st.permutations("tcz"), st.tuples(*[st.integers(1, 5)] * 3), st.sampled_from([None, 0, 1, 2]))
def test_lengths_cut_the_pages_as_a_reshape_does(letters, lengths, left_out):
    count = math.prod(lengths)
    typed = "".join(
        letter if at == left_out else f"{letter}{length}"
        for at, (letter, length) in enumerate(zip(letters, lengths, strict=True))
    )
    if count == 1:
        return
    layout = lay_out("QYX", (count, 4, 5), typed + "yx", what="the file")
    expected = np.arange(count).reshape(lengths).transpose([letters.index(letter) for letter in "tcz"])
    assert (layout.names, layout.shape) == ("tczyx", (*expected.shape, 4, 5))
    assert layout.planes == tuple(expected.ravel().tolist())


@pytest.mark.parametrize(
    ("axes", "said"),
    [
        ("zc4yx", r"lengths of 4 do not make its 6 pages"),
        ("z3c3yx", r"lengths of 3 x 3 do not make its 6 pages"),
        ("zc0yx", r"lengths of 0 do not make its 6 pages"),
        ("ztc2yx", r"all axes before y but one"),
        ("zc2y20x24", r"lengths stand behind the letters of axes before y"),
        ("3zcyx", r"lengths stand behind the letters of axes before y"),
        (f"zc{'9' * 5000}yx", r"lengths stand behind the letters"),
        ("z2z3yx", r"at most once"),
        ("zcyx", r"3 axes stored as '\?yx'.*a length.* zc2yx"),
    ],
)
def test_lengths_that_do_not_fit_are_refused_with_the_number_of_pages(tmp_path, axes, said):
    file = pages(tmp_path / "a.tif", photometric="minisblack")
    with pytest.raises(StackError, match=said):
        find_stack(file, axes=axes)


def test_lengths_are_for_pages_in_one_row(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", DATA, imagej=True, metadata={"axes": "ZCYX"})
    with pytest.raises(StackError, match=r"a\.tif holds 3 x 2 x 20 x 24 values, stored as ZCYX: leave"):
        find_stack(tmp_path / "a.tif", axes="zc2yx")


def test_lengths_are_for_one_file(tmp_path):
    for name in ("t0.tif", "t1.tif"):
        pages(tmp_path / name, photometric="minisblack")
    with pytest.raises(StackError, match=r"holds 2 TIFFs: leave the lengths out.*--pattern"):
        find_stack(tmp_path, axes="zc2yx")
    (tmp_path / "t1.tif").unlink()
    assert find_stack(tmp_path, axes="zc2yx").shape == (2, 3, 20, 24)


def test_a_length_is_suggested_where_pages_may_hold_more(tmp_path, capsys):
    file = pages(tmp_path / "a.tif", photometric="minisblack")
    with pytest.raises(StackError, match=r'with a length .* axes="zc2yx" \(--axes zc2yx\) for 2 channels'):
        find_stack(file)
    assert main(["plan", str(file), "--axes", "zc2yx"]) == 0
    assert "2 x 3 x 20 x 24" in capsys.readouterr().out
