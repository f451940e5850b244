"""The pyramid viewer on odd images: huge ids, several times, hardly any light, no pyramid, damaged tiles."""

import numpy as np
import pytest
import zarr
from hypothesis import given
from hypothesis import strategies as st
from test_widgets_viewer import Page, a_pyramid, write_image

from ngff_practical.widgets import PyramidViewer
from ngff_practical.widgets.pixels import contrast, grey
from ngff_practical.widgets.scene import colour_labels, outlined
from ngff_practical.widgets.viewing import MOST_PIXELS, Window, choose_level, look


@pytest.fixture
def opened(monkeypatch):
    return lambda place: Page(PyramidViewer(place), monkeypatch)


def pick(found, **at):
    found.viewer._handle_custom_msg({"do": "pick", "y": 5, "x": 5, "at": at, "label": "nuclei"}, [])
    return found.others[-1]["picked"]


# Labels


@pytest.mark.parametrize("dtype", ["bool", "int8", "int64", "uint64"])
def test_every_id_but_zero_has_a_colour(dtype):
    limits = (0, 1) if dtype == "bool" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    ids = np.array([[0, 1, *limits]], dtype)
    assert (colour_labels(ids)[0, :, 3] > 0).tolist() == [bool(one) for one in ids[0]]


def test_labels_stored_as_floats_are_shown_too():
    assert (colour_labels(np.array([[0.0, 7.0, np.nan]]))[0, :2, 3] > 0).tolist() == [False, True]


def test_ids_that_differ_beyond_32_bits_differ_in_colour():
    ids = np.array([[2**32, 2**33, 3 * 2**40, 2**63]], "uint64")
    assert len({tuple(one) for one in colour_labels(ids)[0]}) == 4


def test_a_huge_id_is_told_with_its_volume(tmp_path, opened):
    labels = np.zeros((4, 40, 40), "uint64")
    labels[:2, :10, :10] = 2**63 + 5
    image = write_image(tmp_path / "a.zarr", np.zeros((4, 40, 40), "uint8"), "zyx", labels=labels)
    assert pick(opened(image), z=1) == f"Label {2**63 + 5}: 50 µm³ (200 voxels)."


def test_a_label_is_measured_at_its_own_time(tmp_path, opened):
    labels = np.zeros((2, 3, 40, 40), "uint16")
    labels[0, :, :10, :10] = 7
    labels[1, :1, :8, :8] = 7
    image = write_image(tmp_path / "a.zarr", np.zeros((2, 3, 40, 40), "uint8"), "tzyx", labels=labels)
    found = opened(image)
    assert pick(found, t=0) == "Label 7: 75 µm³ (300 voxels)."
    assert pick(found, t=1, z=0) == "Label 7: 16 µm³ (64 voxels)."


def test_a_volume_takes_the_unit_of_each_axis(tmp_path, opened):
    labels = np.zeros((2, 40, 40), "uint16")
    labels[:, :10, :10] = 7
    image = write_image(tmp_path / "a.zarr", np.zeros((2, 40, 40), "uint8"), "zyx", labels=labels)
    group = zarr.open_group(image / "labels" / "nuclei", mode="r+")
    [multiscale] = group.attrs["multiscales"]
    units = {"z": "nanometer", "y": "micrometer", "x": "micrometer"}
    multiscale["axes"] = [{**axis, "unit": units[axis["name"]]} for axis in multiscale["axes"]]
    group.attrs["multiscales"] = [multiscale]
    assert pick(opened(image)) == "Label 7: 0.05 µm³ (200 voxels)."


# Contrast


def test_a_few_bright_points_can_be_seen():
    values = np.zeros((512, 512), "float32")
    values[3, 4] = 1e-6
    low, high = contrast(values)
    assert grey(values, low, high)[3, 4] == 255


def test_small_steps_of_large_numbers_can_be_seen():
    values = np.array([[4_000_000_000, 4_000_000_050, 4_000_000_100]], "uint32")
    assert grey(values, 4e9, 4e9 + 100)[0] == pytest.approx([0, 127, 255], abs=1)


def test_what_is_no_number_is_black_and_what_is_infinite_white():
    values = np.array([[np.nan, -np.inf, np.inf, 1e300, 0.5]])
    assert grey(values, 0.0, 1.0).tolist() == [[0, 0, 255, 255, 127]]


def test_sliders_of_small_values_move_in_small_steps(tmp_path, opened):
    values = np.linspace(0, 1e-6, 64 * 64, dtype="float32").reshape(64, 64)
    channel = opened(write_image(tmp_path / "a.zarr", values, "yx")).viewer.channels[0]
    assert channel["step"] == "any"
    assert channel["max"] == pytest.approx(1.5e-6, rel=0.1)


def test_a_photograph_keeps_its_colours(tmp_path, opened):
    values = np.stack([np.full((64, 64), level, "uint8") for level in (200, 100, 50)])
    values[:, :32] //= 2
    colors = ("FF0000", "00FF00", "0000FF")
    omero = {"channels": [{"label": color, "color": color} for color in colors]}
    found = opened(write_image(tmp_path / "a.zarr", values, "cyx", omero=omero))
    [(_, pixels)] = found.see()
    assert pixels[50, 10].tolist() == [200, 100, 50, 255]


# An image without a pyramid


@given(st.integers(300, 10**6), st.integers(300, 10**6), st.floats(0.001, 40), st.floats(0.3, 3))
def test_no_zoom_takes_more_than_a_few_million_pixels(height, width, zoom, aspect):
    pyramid = a_pyramid((height, width), levels=1)
    side = 1500 / zoom
    window = Window(height / 2 - side / 2, width / 2 - side * aspect / 2, side, side * aspect, zoom)
    seen = look(pyramid, window)
    pixels = sum(tile.height * tile.width for tile in seen.tiles)
    assert 0 < pixels <= 2 * MOST_PIXELS
    assert seen.level == 0
    whole = min(side, height) * min(side * aspect, width)
    assert seen.cut or pixels >= whole * 0.999


def test_a_coarser_level_is_taken_before_anything_is_cut():
    pyramid = a_pyramid((200_000, 200_000), levels=6)
    window = Window(0, 0, 100_000, 100_000, 0.4)
    assert choose_level(pyramid, 0.4) == 1
    seen = look(pyramid, window)
    assert (seen.level, seen.cut) == (5, False)


def test_a_large_image_without_a_pyramid_shows_its_middle_and_says_so(tmp_path, opened):
    place = tmp_path / "a.zarr"
    group = zarr.open_group(place, mode="w", zarr_format=2)
    key = {"name": "v2", "separator": "/"}
    array = group.create_array(
        "0", shape=(60_000, 60_000), chunks=(512, 512), dtype="uint8", chunk_key_encoding=key, fill_value=0
    )
    array[29_900:30_100, 29_900:30_100] = 200
    scale = [{"type": "scale", "scale": [1.0, 1.0]}]
    axes = [{"name": name, "type": "space"} for name in "yx"]
    datasets = [{"path": "0", "coordinateTransformations": scale}]
    group.attrs["multiscales"] = [{"version": "0.4", "axes": axes, "datasets": datasets}]
    found = opened(place)
    tiles = found.see(zoom=0.01)
    assert found.plans[-1]["cut"]
    assert sum(pixels.size // 4 for _, pixels in tiles) <= 2 * MOST_PIXELS
    assert any(pixels[..., 0].any() for _, pixels in tiles)
    assert "only the middle is read" in found.viewer.text
    assert found.viewer.picture().startswith(b"\x89PNG")


# Damage


def test_a_tile_that_failed_is_marked_and_forgotten_once_it_can_be_read(tmp_path, opened):
    image = write_image(tmp_path / "a.zarr", np.ones((512, 256), "uint8"), "yx", chunks=(256, 256))
    found = opened(image)
    chunk = image / "0" / "0" / "0"
    sound = chunk.read_bytes()
    chunk.write_bytes(b"damaged")
    found.see()
    assert [one["rect"] for one in found.failed] == [[0, 0, 256, 256]]
    assert "cannot be read" in found.viewer.notice
    assert found.viewer.text.endswith("1 tile cannot be read.")
    chunk.write_bytes(sound)
    found.see()
    assert (len(found.failed), found.viewer.notice) == (1, "")
    assert "cannot" not in found.viewer.text


def test_a_document_that_zarr_does_not_open_is_said(tmp_path, opened):
    image = write_image(tmp_path / "a.zarr", np.ones((64, 64), "uint16"), "yx", version="0.5")
    document = image / "0" / "zarr.json"
    document.write_text(document.read_text().replace('"fill_value": 0', '"fill_value": -1'))
    found = opened(image)
    found.see()
    assert "cannot be read" in found.viewer.notice


def test_labels_that_touch_have_a_rim_between_them():
    ids = np.array([[1, 1, 2, 2]] * 3)
    plain = colour_labels(ids)
    made = outlined(plain.copy(), ids)
    assert (made[:, 1, :3] == plain[:, 1, :3] // 4).all()
    assert (made[:, [0, 2, 3]] == plain[:, [0, 2, 3]]).all()
    assert (made[..., 3] == plain[..., 3]).all()
