"""The pyramid viewer: level and tiles by zoom, the newest wish first, channels, labels, plates."""

import json
import threading

import numpy as np
import pytest
import zarr
from hypothesis import given
from hypothesis import strategies as st

from ngff_practical.errors import MetadataError, StorageError
from ngff_practical.model import Axis, Level, Pyramid
from ngff_practical.widgets import PyramidViewer
from ngff_practical.widgets.scene import colour_labels
from ngff_practical.widgets.tiles import Blocks, Wishes
from ngff_practical.widgets.viewing import (
    Tile,
    Window,
    choose_level,
    look,
    on_full,
    scale_bar,
    tile_side,
)

WAIT_S = 30


def a_pyramid(shape=(4096, 6144), chunk=256, levels=4, unit="micrometer", step=0.5):
    made = tuple(
        Level(str(n), tuple(-(-size // 2**n) for size in shape), "uint8", (chunk, chunk), (step * 2**n,) * 2)
        for n in range(levels)
    )
    return Pyramid("slide", "0.5", (Axis("y", "space", unit), Axis("x", "space", unit)), made)


def write_image(folder, values, axes, *, version="0.4", chunks=None, omero=None, labels=None, levels=2):
    """Write an OME-Zarr with plain zarr: levels by striding, so that each voxel is known."""
    zarr_format = 3 if version == "0.5" else 2
    group = zarr.open_group(folder, mode="w", zarr_format=zarr_format)
    datasets = []
    for n in range(levels):
        stride = tuple(slice(None, None, 2**n) if name in "yx" else slice(None) for name in axes)
        array = group.create_array(
            str(n),
            data=np.ascontiguousarray(values[stride]),
            chunks=chunks or "auto",
            chunk_key_encoding=None
            if zarr_format == 3
            else {"name": "v2", "separator": "." if version == "0.1" else "/"},
        )
        assert array.shape[-1] == -(-values.shape[-1] // 2**n)
        scale = [2.0**n * 0.5 if name in "yx" else 1.0 for name in axes]
        transformation = [{"type": "scale", "scale": scale}]
        datasets.append(
            {"path": str(n)} | ({"coordinateTransformations": transformation} if version >= "0.4" else {})
        )
    types = {"t": "time", "c": "channel"}
    named = [
        {"name": name, "type": types.get(name, "space")} | ({} if name in types else {"unit": "micrometer"})
        for name in axes
    ]
    multiscale = {"name": folder.name, "datasets": datasets, "version": version}
    if version >= "0.4":
        multiscale["axes"] = named
    elif version == "0.3":
        multiscale["axes"] = list(axes)
    ome = {"multiscales": [multiscale]} | ({"omero": omero} if omero else {})
    group.attrs.update({"ome": {"version": "0.5", **ome}} if zarr_format == 3 else ome)
    if labels is not None:
        zarr.open_group(folder / "labels", mode="w", zarr_format=zarr_format).attrs.update(
            {"labels": ["nuclei"]} if zarr_format == 2 else {"ome": {"version": "0.5", "labels": ["nuclei"]}}
        )
        write_image(folder / "labels" / "nuclei", labels, axes[-labels.ndim :], version=version, levels=1)
    return folder


class Page:
    """The view's side of a viewer: what was sent, and a way to wait for an answer."""

    def __init__(self, viewer, monkeypatch):
        self.viewer, self.tiles, self.plans, self.others, self.asked = viewer, {}, [], [], 0
        self.failed = []
        self._changed = threading.Condition()
        self._done = set()
        monkeypatch.setattr(viewer, "send", self._take)

    def _take(self, content, buffers=None):
        with self._changed:
            if "failed" in content:
                self.failed.append(content)
            elif "tile" in content:
                pixels = np.frombuffer(buffers[0], "uint8").reshape(*content["size"], 4)
                self.tiles[content["tile"]] = (content, pixels)
            elif "plan" in content:
                self.plans.append(content["plan"])
            elif "done" in content:
                self._done.add(content["done"])
                self._changed.notify_all()
            else:
                self.others.append(content)

    def see(self, **what):
        scene = self.viewer.scene
        window = {"top": 0, "left": 0, "height": scene["height"], "width": scene["width"], "zoom": 1.0}
        self.asked += 1
        self.viewer._handle_custom_msg({"do": "see", **window, **what, "ask": self.asked}, [])
        with self._changed:
            assert self._changed.wait_for(lambda: self.asked in self._done, WAIT_S)
        return [self.tiles[key] for key in self.plans[-1]["keys"] if key in self.tiles]


@pytest.fixture
def opened(monkeypatch):
    return lambda place: Page(PyramidViewer(place), monkeypatch)


# Level and tiles


@pytest.mark.parametrize(
    ("zoom", "level"), [(4, 0), (1, 0), (0.9, 0), (0.5, 1), (0.3, 1), (0.25, 2), (0.001, 3)]
)
def test_the_level_has_a_pixel_for_each_of_the_screen(zoom, level):
    assert choose_level(a_pyramid(), zoom) == level


@given(
    st.floats(-500, 5000), st.floats(-500, 7000), st.floats(1, 3000), st.floats(1, 3000), st.floats(0.01, 8)
)
def test_tiles_cover_what_is_seen_and_no_more(top, left, height, width, zoom):
    pyramid = a_pyramid()
    tiles = look(pyramid, Window(top, left, height, width, zoom)).tiles
    seen = [max(top, 0), max(left, 0), min(top + height, 4096), min(left + width, 6144)]
    if seen[0] >= seen[2] or seen[1] >= seen[3]:
        return
    boxes = [on_full(pyramid, tile) for tile in tiles]
    assert len(set(tiles)) == len(tiles)
    for y in (seen[0], (seen[0] + seen[2]) / 2, max(seen[0], seen[2] - 1e-3)):
        for x in (seen[1], (seen[1] + seen[3]) / 2, max(seen[1], seen[3] - 1e-3)):
            assert any(y0 <= y <= y0 + h and x0 <= x <= x0 + w for y0, x0, h, w in boxes)
    assert all(t < seen[2] + 1e-6 and t + h > seen[0] - 1e-6 for t, _, h, _ in boxes)


def test_tiles_in_the_middle_come_first():
    first = look(a_pyramid(), Window(0, 0, 4096, 6144, 1.0)).tiles[0]
    assert abs(first.top + 128 - 2048) <= 128
    assert abs(first.left + 128 - 3072) <= 128


@pytest.mark.parametrize(
    ("chunk", "side"),
    [(32, 256), (100, 200), (256, 256), (512, 512), (1024, 1024), (2048, 1024), (7919, 1024), (1500, 750)],
)
def test_a_tile_is_made_of_whole_chunks_or_a_part_of_one(chunk, side):
    assert tile_side(chunk) == side


@pytest.mark.parametrize(
    ("unit", "step", "zoom", "text"),
    [
        ("micrometer", 0.5, 1.0, "50 µm"),
        ("micrometer", 0.5, 40, "1 µm"),
        ("micrometer", 0.1, 40, "200 nm"),
        ("micrometer", 0.5, 0.01, "5 mm"),
        ("nanometer", 4, 1, "500 nm"),
        (None, 1.0, 1.0, "100 pixels"),
    ],
)  # fmt: skip
def test_a_scale_bar_is_round_and_fits(unit, step, zoom, text):
    length, said = scale_bar(a_pyramid(unit=unit, step=step), zoom)
    assert said == text
    assert 50 < length * zoom <= 140.001


# The queue and the cache


def test_the_newest_wish_drops_what_waits():
    begun, gate, made = threading.Event(), threading.Event(), []

    def work(item):
        begun.set()
        assert gate.wait(WAIT_S)
        made.append(item)

    wishes = Wishes(work, at_once=1)
    ended = [threading.Event(), threading.Event()]
    wishes.replace(["a", "b", "c"], ended[0].set)
    assert begun.wait(WAIT_S)
    wishes.replace(["a", "d"], ended[1].set)
    assert ended[0].is_set()
    gate.set()
    assert ended[1].wait(WAIT_S)
    assert made == ["a", "d"]


def test_a_wish_for_nothing_is_done_at_once():
    done = []
    Wishes(lambda item: None).replace([], lambda: done.append(1))
    assert done == [1]


def test_a_block_that_two_threads_want_is_read_once():
    gate, reads = threading.Event(), []

    def read(key):
        reads.append(key)
        assert gate.wait(WAIT_S)
        return np.zeros(8)

    blocks = Blocks(read)
    threads = [threading.Thread(target=blocks.get, args=("a",)) for _ in range(4)]
    for thread in threads:
        thread.start()
    gate.set()
    for thread in threads:
        thread.join(WAIT_S)
    assert reads == ["a"]


def test_the_cache_is_bounded_and_forgets_the_oldest():
    reads = []
    blocks = Blocks(lambda key: reads.append(key) or np.zeros(1000, "uint8"), most=3000)
    for key in "abcda":
        blocks.get(key)
    assert blocks.nbytes <= 3000
    assert reads == [*"abcda"]


def test_a_read_that_failed_is_tried_again():
    answers = iter([OSError("gone"), None])

    def read(key):
        if (error := next(answers)) is not None:
            raise error
        return np.ones(1)

    blocks = Blocks(read)
    with pytest.raises(OSError, match="gone"):
        blocks.get("a")
    assert blocks.get("a") == 1


# The viewer


@pytest.mark.parametrize(
    ("version", "axes"),
    [
        ("0.1", "tczyx"),
        ("0.2", "tczyx"),
        ("0.3", "zyx"),
        ("0.4", "yx"),
        ("0.4", "cyx"),
        ("0.5", "tyx"),
        ("0.5", "tczyx"),
    ],
)
def test_any_version_and_any_axes_show_their_voxels(version, axes, tmp_path, opened):
    shape = tuple({"t": 2, "c": 1, "z": 3, "y": 60, "x": 90}[name] for name in axes)
    values = np.random.default_rng(1).integers(0, 200, shape).astype("uint8")
    found = opened(write_image(tmp_path / "a.zarr", values, axes, version=version))
    at = {name: 1 for name in axes if name in "tz"}
    [(content, pixels)] = found.see(at=at)
    low, high = found.viewer.channels[0]["low"], found.viewer.channels[0]["high"]
    plane = values[tuple(1 if name in "tz" else 0 for name in axes[:-2])]
    expected = np.clip((plane.astype("float64") - low) * 255 / (high - low), 0, 255)
    assert content["rect"] == [0, 0, 60, 90]
    assert np.abs(pixels[..., 0] - expected).max() < 1.01


def test_two_channels_are_added_in_their_colours(tmp_path, opened):
    values = np.zeros((2, 8, 8), "uint16")
    values[0, :, :4], values[1, :, 2:] = 1000, 500
    omero = {"channels": [{"label": "a", "color": "FF0000"}, {"label": "b", "color": "00ff00"}]}
    found = opened(write_image(tmp_path / "a.zarr", values, "cyx", omero=omero))
    for index in range(2):
        message = {"do": "channel", "index": index, "low": 0, "high": [1000, 500][index]}
        found.viewer._handle_custom_msg(message, [])
    [(_, pixels)] = found.see()
    assert [pixels[0, x].tolist() for x in (0, 2, 7)] == [
        [255, 0, 0, 255],
        [255, 255, 0, 255],
        [0, 255, 0, 255],
    ]
    found.viewer._handle_custom_msg({"do": "channel", "index": 0, "visible": False}, [])
    [(_, pixels)] = found.see()
    assert pixels[0, 0].tolist() == [0, 0, 0, 255]
    assert found.viewer.text.endswith("; b.")


def test_only_tiles_that_the_page_has_not_are_read(tmp_path, opened):
    values = np.arange(600 * 700, dtype="uint32").reshape(600, 700)
    found = opened(write_image(tmp_path / "a.zarr", values, "yx", chunks=(256, 256), levels=1))
    found.see(height=300, width=300)
    keys = list(found.tiles)
    assert len(keys) == 4
    before = found.viewer.recorder.request_count()
    found.see(height=300, width=300, have=keys)
    assert found.viewer.recorder.request_count() == before
    found.see(height=300, width=600, have=keys)
    assert found.viewer.recorder.request_count() == before + 2


def test_changing_contrast_reads_nothing_again(tmp_path, opened):
    found = opened(write_image(tmp_path / "a.zarr", np.ones((64, 64), "uint8"), "yx"))
    found.see()
    before = found.viewer.recorder.request_count()
    found.viewer._handle_custom_msg({"do": "channel", "index": 0, "low": 0, "high": 2}, [])
    [(_, pixels)] = found.see()
    assert found.viewer.recorder.request_count() == before
    assert pixels[0, 0].tolist() == [127, 127, 127, 255]


def test_labels_lie_over_the_image_and_are_told_by_id_and_volume(tmp_path, opened):
    labels = np.zeros((4, 40, 40), "uint16")
    labels[:2, :10, :10] = 7
    found = opened(write_image(tmp_path / "a.zarr", np.zeros((1, 4, 40, 40), "uint8"), "czyx", labels=labels))
    image, overlay = found.see(label="nuclei", at={"z": 1})
    assert (image[0]["layer"], overlay[0]["layer"]) == ("image", "labels")
    assert (overlay[1][..., 3] > 0).sum() == 100
    found.viewer._handle_custom_msg({"do": "pick", "y": 5, "x": 5, "at": {"z": 1}, "label": "nuclei"}, [])
    assert found.others[-1]["picked"] == "Label 7: 50 µm³ (200 voxels)."
    found.viewer._handle_custom_msg({"do": "pick", "y": 5, "x": 5, "at": {"z": 3}, "label": "nuclei"}, [])
    assert found.others[-1]["picked"] == "There is no label here."


def test_label_colours_differ_and_nothing_is_clear():
    colours = colour_labels(np.arange(9, dtype="uint16")[None])[0]
    assert colours[0, 3] == 0
    assert len({tuple(one) for one in colours[1:]}) == 8


def test_a_plate_is_looked_at_well_by_well(tmp_path, opened):
    plate = tmp_path / "plate.zarr"
    wells = [
        {"path": "A/1", "rowIndex": 0, "columnIndex": 0},
        {"path": "A/2", "rowIndex": 0, "columnIndex": 1},
    ]
    zarr.open_group(plate, mode="w", zarr_format=2).attrs["plate"] = {
        "rows": [{"name": "A"}], "columns": [{"name": "1"}, {"name": "2"}], "wells": wells, "version": "0.4",
    }  # fmt: skip
    for number, well in enumerate(("A/1", "A/2")):
        zarr.open_group(plate / well, mode="w", zarr_format=2).attrs["well"] = {
            "images": [{"path": "0"}, {"path": "1"}], "version": "0.4",
        }  # fmt: skip
        for field in range(2):
            values = np.full((16, 16 + number), 10 * field, "uint8")
            write_image(plate / well / str(field), values, "yx", levels=1)
    found = opened(plate)
    assert found.viewer.choices["wells"] == ["A/1", "A/2"]
    found.viewer._handle_custom_msg({"do": "choose", "well": "A/2", "field": "1"}, [])
    assert (found.viewer.choices["well"], found.viewer.choices["field"]) == ("A/2", "1")
    assert found.viewer.scene["width"] == 17
    found.viewer._handle_custom_msg({"do": "choose", "well": "Z/9", "field": "1"}, [])
    assert found.viewer.choices["well"] == "A/2"


def test_an_unreadable_tile_is_said_and_the_rest_is_shown(tmp_path, opened):
    image = write_image(tmp_path / "a.zarr", np.ones((512, 256), "uint8"), "yx", chunks=(256, 256), levels=2)
    found = opened(image)
    (image / "0" / "0" / "0").write_bytes(b"damaged")
    tiles = found.see()
    assert len(tiles) == 1
    assert "level 0 of a.zarr cannot be read" in found.viewer.notice


@pytest.mark.parametrize(
    "message",
    [
        {"do": "see", "top": "a"},
        {"do": "see", "top": 0, "left": 0, "height": 0, "width": 0, "zoom": 0},
        {"do": "see", "top": float("nan"), "left": 0, "height": 1, "width": 1, "zoom": 1},
        {"do": "channel", "index": 99, "visible": True},
        {"do": "channel", "index": 0, "color": "red; x"},
        {"do": "channel", "index": 0, "low": float("inf"), "high": 1},
        {"do": "pick", "y": 1, "x": 1, "label": "../.."},
    ],
)
def test_a_strange_message_does_no_harm(message, tmp_path, opened):
    found = opened(write_image(tmp_path / "a.zarr", np.ones((8, 8), "uint8"), "yx"))
    before = list(found.viewer.channels)
    found.viewer._handle_custom_msg({**message, "ask": 1}, [])
    assert found.viewer.channels == before
    assert found.viewer.notice == ""


def test_what_is_no_image_is_an_error_with_a_way_out(tmp_path):
    zarr.create_array(tmp_path / "a.zarr", shape=(4,), dtype="u1")
    with pytest.raises(MetadataError, match="single Zarr array"):
        PyramidViewer(tmp_path / "a.zarr")
    with pytest.raises(StorageError, match="nothing"):
        PyramidViewer(tmp_path / "nowhere.zarr")


def test_names_from_the_file_stay_text_in_every_output(tmp_path, opened):
    omero = {"channels": [{"label": "<script>alert(1)</script>$\\frac{", "color": "zzz"}]}
    found = opened(write_image(tmp_path / "<b>.zarr", np.ones((8, 8), "float32"), "yx", omero=omero))
    assert found.viewer.channels[0]["name"].startswith("<script>")
    assert found.viewer.picture().startswith(b"\x89PNG")
    json.dumps(found.viewer.channels)


@pytest.mark.s3
def test_an_image_on_s3_is_read_by_tile_and_every_request_is_counted(sandbox_server, tmp_path, monkeypatch):
    from ngff_practical import upload

    values = np.arange(512 * 512, dtype="uint32").reshape(512, 512)
    sandbox_server.use()
    place = sandbox_server.location("practical", "viewer/a.zarr")
    upload(write_image(tmp_path / "a.zarr", values, "yx", chunks=(256, 256), levels=1), place)
    found = Page(PyramidViewer(place), monkeypatch)
    mine, all_of_it = found.viewer.recorder.request_count(), sandbox_server.request_count()
    assert len(found.see(height=200, width=500)) == 2
    assert found.viewer.recorder.request_count() - mine == sandbox_server.request_count() - all_of_it
    assert Tile(0, 0, 256, 256, 256) in look(found.viewer._scene.pyramid, Window(0, 0, 200, 500, 1)).tiles
