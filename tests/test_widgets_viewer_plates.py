"""The pyramid viewer on a plate: the menus always say what is shown, whatever a well or field is like."""

import json
import shutil

import numpy as np
import pytest
from test_widgets_viewer import write_image

from ngff_practical.widgets import PyramidViewer

WELLS = {"A/1": ["a", "b"], "A/2": ["x", "y"], "A/3": ["m"]}


def group(path, **ome):
    path.mkdir(parents=True, exist_ok=True)
    document = {"zarr_format": 3, "node_type": "group", "attributes": {"ome": {"version": "0.5", **ome}}}
    (path / "zarr.json").write_text(json.dumps(document))


@pytest.fixture
def plate(tmp_path):
    """Three wells of one row; no two fields are of the same width."""
    plate, width = tmp_path / "plate.zarr", 16
    for well, fields in WELLS.items():
        group(plate / well, well={"images": [{"path": field} for field in fields]})
        for field in fields:
            width += 1
            write_image(plate / well / field, np.zeros((16, width), "uint8"), "yx", levels=1)
    wells = [{"path": well, "rowIndex": 0, "columnIndex": at} for at, well in enumerate(WELLS)]
    columns = [{"name": well[2:]} for well in WELLS]
    group(plate, plate={"rows": [{"name": "A"}], "columns": columns, "wells": wells})
    return plate


def choose(viewer, well, field=""):
    viewer._handle_custom_msg({"do": "choose", "well": well, "field": field}, [])


def shown(viewer):
    return viewer.choices["well"], viewer.choices["field"], viewer.choices["fields"], viewer.scene["width"]


def test_the_menus_change_in_the_same_message_as_the_picture(plate, monkeypatch):
    viewer, sent = PyramidViewer(plate), []
    monkeypatch.setattr(
        viewer, "send_state", lambda key=None: sent.append({key} if isinstance(key, str) else {*key})
    )
    choose(viewer, "A/2")
    assert [{"choices", "scene"} & keys for keys in sent] == [{"choices", "scene"}]


def break_first_field(plate):
    shutil.rmtree(plate / "A/2/x")


def break_well(plate):
    shutil.rmtree(plate / "A/2")


def empty_well(plate):
    group(plate / "A/2", well={"images": []})


@pytest.mark.parametrize("damage", [break_well, empty_well])
def test_a_well_that_cannot_be_opened_leaves_the_one_before_as_it_was(plate, damage):
    viewer = PyramidViewer(plate)
    damage(plate)
    choose(viewer, "A/2")
    assert viewer.notice
    assert shown(viewer) == ("A/1", "a", ["a", "b"], 17)
    choose(viewer, "A/1", "b")
    assert (shown(viewer), viewer.notice) == (("A/1", "b", ["a", "b"], 18), "")


def test_the_first_field_that_opens_is_shown_and_the_one_before_it_named(plate):
    viewer = PyramidViewer(plate)
    break_first_field(plate)
    choose(viewer, "A/2")
    assert shown(viewer) == ("A/2", "y", ["x", "y"], 20)
    assert viewer.notice.startswith("x is passed over: ")
    choose(viewer, "A/2", "x")
    assert shown(viewer)[1] == "y"
    assert "passed over" not in viewer.notice


def test_a_plate_opens_at_the_first_well_that_does(plate):
    shutil.rmtree(plate / "A/1")
    viewer = PyramidViewer(plate)
    assert shown(viewer)[0] == "A/2"
    assert viewer.notice.startswith("A/1 is passed over: ")


def test_a_well_is_opened_after_one_that_could_not_be(plate):
    viewer = PyramidViewer(plate)
    break_well(plate)
    choose(viewer, "A/2")
    choose(viewer, "A/3")
    assert shown(viewer) == ("A/3", "m", ["m"], 21)
