"""The byte map: strips of segments, and exactly the bytes that a plane needs, in every format."""

import h5py
import numpy as np
import pytest

from ngff_practical.errors import NgffPracticalError
from ngff_practical.formats import FORMATS, PlaneOrder, byte_map, plane_order, write_formats
from ngff_practical.model import ByteMap, Segment
from ngff_practical.widgets import ByteMapView
from ngff_practical.widgets.mapping import planes, strip, touches

STACK = np.arange(12 * 40 * 50, dtype="uint16").reshape(12, 40, 50)


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    return write_formats(STACK, tmp_path_factory.mktemp("maps"), chunks=(4, 20, 25), shards=(8, 40, 50))


def pixels_of(root, found, order, plane):
    """Return the values in the segments that a plane touches, read back from the files."""
    read = []
    for one in found.segments:
        if touches(one, plane, order):
            path = root / one.key if one.key else root
            with path.open("rb") as file:
                file.seek(one.start)
                read.append(file.read(one.nbytes))
    return b"".join(read)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("plane", [0, 5, 11])
def test_the_bytes_said_to_be_needed_hold_every_pixel_of_the_plane(paths, name, plane):
    found, order = byte_map(paths[name]), plane_order(paths[name])
    data = pixels_of(paths[name], found, order, plane)
    kind = ">u2" if name == "N5" else "<u2"
    start = 16 if name == "N5" else 0  # each N5 block begins with a header
    values = set(np.frombuffer(data[start:], kind).tolist())
    assert set(STACK[plane].ravel().tolist()) <= values


@pytest.mark.parametrize("name", FORMATS)
def test_no_more_chunks_are_touched_than_hold_the_plane(paths, name):
    found, order = byte_map(paths[name]), plane_order(paths[name])
    touched = [one for one in found.segments if touches(one, 5, order)]
    assert len(touched) == (1 if name == "TIFF" else 4)
    assert planes(found, order) == 12


def test_a_dataset_in_one_piece_is_needed_one_plane_at_a_time(tmp_path):
    path = tmp_path / "plain.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("stack", data=STACK)
    shown = strip(byte_map(path), 3, plane_order(path))
    assert [row[1] for row in shown.touched] == ["4.0 kB"]
    assert "1 segment in 1 run" in shown.sentence


def test_neighbouring_segments_are_one_run_and_others_are_not():
    parts = tuple(Segment("", 10 * at, 10, "pixels", f"chunk 0/{at}") for at in range(4))
    found = ByteMap("a", "Zarr", (*parts[:2], Segment("", 20, 10, "other", "between"), parts[3]))
    assert strip(found, 0, PlaneOrder()).row[3:5] == ("3", "2")


@pytest.mark.parametrize("name", FORMATS)
def test_the_strip_is_as_long_as_all_files_together(paths, name):
    shown = strip(byte_map(paths[name]), 2, plane_order(paths[name]))
    assert sum(run.width for run in shown.runs) == pytest.approx(1)
    ends = [run.start + run.width for run in shown.runs]
    assert ends[:-1] == pytest.approx([run.start for run in shown.runs[1:]])


def test_very_many_segments_are_drawn_as_few_and_none_that_is_needed_gets_lost():
    parts = tuple(Segment(f"{at}", 0, 10, "pixels", f"chunk {at}") for at in range(50_000))
    shown = strip(ByteMap("many", "Zarr", parts), 31_000, PlaneOrder())
    assert len(shown.runs) < 9_000
    assert [run.label for run in shown.runs if run.kind == "touched"] == ["chunk 31000"]


def test_pixels_are_not_drawn_as_the_little_that_stands_before_them():
    parts = (Segment("", 0, 8, "metadata", "header"), Segment("", 8, 10**6, "pixels", "plane 0"))
    shown = strip(ByteMap("a", "TIFF", parts), 5, PlaneOrder())
    assert [run.label for run in shown.runs] == ["header", "plane 0"]


def test_choosing_a_plane_says_what_it_costs_in_each_format(paths):
    view = ByteMapView(*paths.values(), plane=5)
    assert len(view.text.splitlines()) == len(FORMATS)
    assert "stack.tif (TIFF): plane 5 needs 4.0 kB" in view.text
    view._handle_custom_msg({"do": "plane", "plane": 10}, [])
    assert "stack.tif (TIFF): plane 10 needs 4.0 kB" in view.text
    assert view.picture().startswith(b"\x89PNG")


@pytest.mark.parametrize(("asked", "chosen"), [(-4, 0), (99, 11)])
def test_a_plane_outside_becomes_the_nearest(paths, asked, chosen):
    view = ByteMapView(paths["TIFF"])
    view._handle_custom_msg({"do": "plane", "plane": asked}, [])
    assert view.setting["plane"] == chosen


@pytest.mark.parametrize("message", [{"do": "plane"}, {"do": "plane", "plane": "<b>"}, {}])
def test_a_strange_message_does_no_harm(paths, message):
    view = ByteMapView(paths["TIFF"])
    view._handle_custom_msg(message, [])
    assert (view.notice, view.setting["plane"]) == ("", 0)


@pytest.mark.parametrize("name", FORMATS)
def test_a_stack_that_is_cut_short_is_an_error_that_names_it(tmp_path, name):
    path = write_formats(STACK, tmp_path, chunks=(4, 20, 25), shards=(8, 40, 50))[name]
    files = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]
    for one in files:
        one.write_bytes(one.read_bytes()[:9])
    with pytest.raises(NgffPracticalError, match=path.name):
        ByteMapView(path)
