"""The plate map: presence of wells, what a click shows, and what is said where something is missing."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import zarr

from ngff_practical.errors import MetadataError
from ngff_practical.widgets import PlateMap
from ngff_practical.widgets.wells import Plate, grid

DATA = Path(__file__).parent / "data"


def ask(plate, **message):
    plate._handle_custom_msg(message, [])


@pytest.fixture
def plate(tmp_path):
    """A plate of 2 x 2: A/1 stored and named, A/2 named, B/1 stored, B/2 neither."""
    root = tmp_path / "plate.zarr"
    wells = [{"path": f"A/{n + 1}", "rowIndex": 0, "columnIndex": n} for n in range(2)]
    rows, columns = [{"name": "A"}, {"name": "B"}], [{"name": "1"}, {"name": "2"}]
    group(root, {"version": "0.5", "plate": {"rows": rows, "columns": columns, "wells": wells}})
    for well in ("A/1", "B/1"):
        group(root / well, {"version": "0.5", "well": {"images": [{"path": "0"}]}})
        image(root / well / "0")
    return root


def group(path, ome):
    path.mkdir(parents=True, exist_ok=True)
    document = {"zarr_format": 3, "node_type": "group", "attributes": {"ome": ome}}
    (path / "zarr.json").write_text(json.dumps(document))


def image(path):
    axes = [{"name": "c", "type": "channel"}, {"name": "y", "type": "space"}, {"name": "x", "type": "space"}]
    steps = [{"type": "scale", "scale": [1, 1, 1]}]
    datasets = [{"path": "0", "coordinateTransformations": steps}]
    group(path, {"version": "0.5", "multiscales": [{"axes": axes, "datasets": datasets}]})
    array = zarr.create_array(path / "0", shape=(2, 8, 12), dtype="uint16", chunks=(1, 8, 12))
    array[:] = np.arange(2 * 8 * 12, dtype="uint16").reshape(2, 8, 12)


def test_wells_are_shown_as_named_and_as_found(plate):
    shown = PlateMap(plate)
    assert shown.wells == [["there", "missing"], ["unnamed", "empty"]]
    assert "name 2 wells, 1 of them are there. 1 named well cannot be found" in shown.text


def test_a_row_that_nobody_listed_is_not_claimed_to_be_missing():
    assert grid(("A",), ("1", "2"), ("A/1",), {"A": None}) == (("unasked", "empty"),)
    assert "Nobody" in Plate(("A",), ("1",), (("unasked",),), "Nobody says.").sentence


def test_choosing_a_well_shows_its_key_and_its_first_field(plate):
    shown = PlateMap(plate)
    ask(shown, do="well", row=0, column=0)
    assert shown.chosen["key"] == str(plate / "A/1")
    assert "first field is A/1/0" in shown.text
    seen = np.frombuffer(shown.chosen["grey"], "uint8").reshape(shown.chosen["height"], shown.chosen["width"])
    assert seen.shape == (8, 12)
    assert (np.diff(seen.ravel().astype(int)) >= 0).all()
    assert seen.max() == 255


def test_a_field_with_one_axis_of_space_is_shown(plate):
    document = plate / "A/1/0/zarr.json"
    document.write_text(document.read_text().replace('"y", "type": "space"', '"y", "type": "angle"'))
    shown = PlateMap(plate)
    ask(shown, do="well", row=0, column=0)
    assert (shown.chosen["height"], shown.chosen["width"]) == (8, 12)


def test_a_missing_well_is_said_to_be_missing_and_shows_no_picture(plate):
    shown = PlateMap(plate)
    shown.look("A/2")
    assert "named, but not there" in shown.text
    assert "grey" not in shown.chosen


def test_a_damaged_field_is_said_and_the_map_goes_on(plate):
    shutil.rmtree(plate / "A" / "1" / "0" / "0")
    shown = PlateMap(plate)
    ask(shown, do="well", row=0, column=0)
    assert "no array is stored there" in shown.notice
    ask(shown, do="well", row=1, column=0)
    assert shown.notice == ""


def test_a_well_whose_first_field_is_damaged_shows_the_next(plate):
    group(plate / "A/1", {"version": "0.5", "well": {"images": [{"path": "gone"}, {"path": "0"}]}})
    shown = PlateMap(plate)
    ask(shown, do="well", row=0, column=0)
    assert "first field that opens is A/1/0" in shown.text
    assert shown.notice.startswith("gone is passed over: ")
    assert shown.chosen["height"] == 8


def test_paths_that_lead_out_of_the_plate_are_not_followed(tmp_path):
    root = tmp_path / "plate.zarr"
    wells = [{"path": "../../etc", "rowIndex": 0, "columnIndex": 0}]
    metadata = {"rows": [{"name": ".."}], "columns": [{"name": "etc"}], "wells": wells}
    group(root, {"version": "0.5", "plate": metadata})
    (tmp_path / "etc").mkdir()
    shown = PlateMap(root)
    assert shown.wells == [["empty"]]
    ask(shown, do="well", row=0, column=0)
    assert "grey" not in shown.chosen


def test_an_image_is_no_plate():
    with pytest.raises(MetadataError, match="no plate"):
        PlateMap(DATA / "sound" / "0_5")


@pytest.mark.parametrize("message", [{"do": "well", "row": 9, "column": 0}, {"do": "well", "row": -1}, {}])
def test_a_strange_message_does_no_harm(plate, message):
    shown = PlateMap(plate)
    ask(shown, **message)
    assert (shown.notice, shown.chosen) == ("", {})


def test_a_well_that_is_not_on_the_plate_is_named(plate):
    shown = PlateMap(plate)
    shown.look("Z/9")
    assert "Z/9" in shown.notice


def test_a_static_page_shows_a_picture(plate):
    assert PlateMap(plate).picture().startswith(b"\x89PNG")
