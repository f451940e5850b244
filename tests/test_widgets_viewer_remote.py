"""The pyramid viewer on an image that claims 4 TB, of which hardly a chunk exists: what is asked for."""

import numpy as np
import pytest
import zarr
from test_widgets_viewer import Page

from ngff_practical.storage import zarr_store
from ngff_practical.widgets import PyramidViewer
from ngff_practical.widgets.tiles import MOST_BYTES

pytestmark = pytest.mark.s3

SIDE = 2**20


@pytest.fixture
def huge(sandbox_server, monkeypatch):
    """4 planes of 2**20 x 2**20 pixels, 12 levels; the coarsest and four chunks of the finest exist."""
    sandbox_server.use()
    place = sandbox_server.location("practical", "huge/4TB.ome.zarr")
    group = zarr.open_group(zarr_store(place, read_only=False), mode="w", zarr_format=3)
    datasets = []
    for level in range(12):
        side = SIDE >> level
        group.create_array(
            f"{level}", shape=(4, side, side), chunks=(1, 512, 512), dtype="uint8", fill_value=0
        )
        scale = [1.0, 2.0**level, 2.0**level]
        datasets.append(
            {"path": f"{level}", "coordinateTransformations": [{"type": "scale", "scale": scale}]}
        )
    group["11"][:] = np.broadcast_to(np.arange(512, dtype="uint16") % 200, (4, 512, 512))
    group["0"][2, SIDE // 2 - 512 : SIDE // 2 + 512, SIDE // 2 - 512 : SIDE // 2 + 512] = 77
    axes = [{"name": name, "type": "space", "unit": "micrometer"} for name in "zyx"]
    image = {"name": "huge", "axes": axes, "datasets": datasets}
    group.attrs["ome"] = {"version": "0.5", "multiscales": [image]}
    return Page(PyramidViewer(place), monkeypatch)


def chunks_since(server, start):
    return [one.key.split(".ome.zarr/")[1] for one in server.requests(start) if "/c/" in one.key]


def test_the_whole_of_4_tb_costs_one_chunk_of_the_coarsest_level(sandbox_server, huge):
    start = sandbox_server.request_count()
    tiles = huge.see(zoom=500 / SIDE)
    assert {message["level"] for message, _ in tiles} == {11}
    assert set(chunks_since(sandbox_server, start)) <= {"11/c/2/0/0"}


def test_a_window_costs_the_chunks_below_it_and_no_others(sandbox_server, huge):
    start = sandbox_server.request_count()
    corner = SIDE // 2 - 300
    tiles = huge.see(top=corner, left=corner, height=600, width=600)
    asked = chunks_since(sandbox_server, start)
    assert sorted(asked) == [f"0/c/2/{row}/{column}" for row in (1023, 1024) for column in (1023, 1024)]
    assert all(pixels[..., :3].any() for _, pixels in tiles)


def test_voxels_that_were_never_written_are_black_and_no_error(sandbox_server, huge):
    tiles = huge.see(top=0, left=0, height=600, width=600)
    assert huge.viewer.notice == ""
    assert not any(pixels[..., :3].any() for _, pixels in tiles)


def test_a_long_way_is_not_kept_in_memory(huge, monkeypatch):
    blocks = huge.viewer._scene.stack._blocks
    monkeypatch.setattr(blocks, "_most", 4 * 2**20)
    for step in range(24):
        huge.see(top=0, left=step * 2048, height=1024, width=1024)
    assert 0 < blocks.nbytes <= 4 * 2**20 < MOST_BYTES
