"""Before and after: the plane that each array shows, and what is said of how they differ."""

import numpy as np
import pytest
import zarr

from ngff_practical.errors import PlanError
from ngff_practical.widgets import BeforeAfter
from ngff_practical.widgets.comparing import leading, planes

BEFORE = np.random.default_rng(0).integers(0, 4000, (2, 12, 40, 50), dtype="uint16")
COARSE = BEFORE[:, ::2, ::2, ::2]


@pytest.fixture
def view():
    return BeforeAfter({"TIFF": BEFORE, "level 0": BEFORE.copy(), "level 1": COARSE})


def said(view):
    return {panel["name"]: panel["said"] for panel in view.panels}


def test_it_begins_in_the_middle_and_says_what_is_the_same(view):
    assert view.places == [["c", 1, 2], ["z", 6, 12]]
    assert said(view)["TIFF"] == "40 x 50 voxels"
    assert said(view)["level 0"] == "40 x 50 voxels, the same in every one"
    assert said(view)["level 1"].startswith("20 x 25 voxels, their mean ")
    assert view.text.startswith("c 1, z 6. TIFF: 40 x 50 voxels; level 0: 40 x 50 voxels, the same")


def test_one_changed_voxel_is_counted():
    changed = BEFORE.copy()
    changed[0, 3, 5, 5] += 1
    view = BeforeAfter({"TIFF": BEFORE, "level 0": changed})
    view.look({"c": 0, "z": 3})
    assert said(view)["level 0"] == "40 x 50 voxels, another value in 1 of 2,000"
    view.look({"z": 4})
    assert said(view)["level 0"].endswith("the same in every one")


def test_no_number_is_like_no_number():
    before = np.ones((1, 4, 5), dtype="float32")
    before[0, 0, :2] = np.nan
    after = before.copy()
    after[0, 0, 1] = 0
    view = BeforeAfter({"TIFF": before, "level 0": before.copy(), "changed": after})
    assert said(view)["level 0"].endswith("the same in every one")
    assert said(view)["changed"].endswith("another value in 1 of 20")


@pytest.mark.parametrize(("z", "coarse"), [(0, 0), (1, 0), (6, 3), (11, 5)])
def test_a_coarser_level_shows_the_plane_that_covers_it(z, coarse):
    shown = planes({"TIFF": BEFORE, "level 1": COARSE}, (0, z))[1]
    alone = planes({"TIFF": BEFORE, "level 1": COARSE[:, coarse : coarse + 1]}, (0, z))[1]
    assert np.array_equal(shown.picture, alone.picture)


def test_pictures_share_their_brightness_and_are_no_larger_than_a_screen():
    large = np.zeros((3, 2000, 700), "uint8")
    large[1, 1000, 350] = 9
    shown = planes({"a": large, "b": large}, (1,))
    assert [each.picture.shape for each in shown] == [(500, 175)] * 2
    assert np.array_equal(shown[0].picture, shown[1].picture)


def test_a_message_moves_one_axis_and_stays_within(view):
    view._handle_custom_msg({"do": "at", "axis": "z", "index": 99}, [])
    assert view.places == [["c", 1, 2], ["z", 11, 12]]


@pytest.mark.parametrize("message", [{}, {"do": "at", "axis": "q", "index": 1}, {"do": "at", "axis": "z"}])
def test_a_strange_message_does_no_harm(view, message):
    view._handle_custom_msg(message, [])
    assert (view.notice, view.places) == ("", [["c", 1, 2], ["z", 6, 12]])


def test_a_plane_needs_no_further_axes():
    view = BeforeAfter({"a": BEFORE[0, 0], "b": BEFORE[0, 0]})
    assert view.places == []
    assert view.text.startswith("The plane. a: 40 x 50 voxels")
    assert view.picture().startswith(b"\x89PNG")


@pytest.mark.parametrize("arrays", [{}, {"a": BEFORE, "b": BEFORE[0]}, {"a": np.zeros(3)}], ids=len)
def test_what_cannot_be_compared_is_said(arrays):
    with pytest.raises(PlanError, match="arrays of 2 to 5 axes"):
        leading(arrays)


def test_an_array_that_cannot_be_read_is_said_and_the_view_stays(tmp_path):
    array = zarr.create_array(tmp_path / "a.zarr", data=BEFORE, chunks=(1, 1, 40, 50))
    view = BeforeAfter({"TIFF": BEFORE, "level 0": array})
    (tmp_path / "a.zarr" / "c" / "1" / "2" / "0" / "0").write_bytes(b"torn")
    view._handle_custom_msg({"do": "at", "axis": "z", "index": 2}, [])
    assert "level 0 cannot be read" in view.notice
    assert "z 6" in view.text
