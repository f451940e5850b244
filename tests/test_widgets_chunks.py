"""The chunk explorer: regions by text, drag and keys; what they touch; two layouts side by side."""

from dataclasses import replace

import numpy as np
import pytest
import zarr
from hypothesis import given
from hypothesis import strategies as st

from ngff_practical import convert_stack, find_stack, plan_pyramid
from ngff_practical.errors import PlanError
from ngff_practical.model import Axis, Level, Pyramid
from ngff_practical.samples import sample_planes
from ngff_practical.widgets import ChunkExplorer
from ngff_practical.widgets.exploring import explore
from ngff_practical.widgets.pixels import contrast, grey
from ngff_practical.widgets.regions import dragged, middle, moved, on_level, parse_region, region_text

AXES = ("z", "y", "x")
SHAPE = (30, 100, 200)


def a_plan(chunks=(1, 50, 50), shards=None, name="planes"):
    levels = tuple(
        Level(
            str(n), (30, 100 >> n, 200 >> n), "uint16", chunks, (2.0, 1.0 * 2**n, 1.0 * 2**n), None, shards, 2
        )
        for n in range(2)
    )
    return Pyramid(name, "0.5", tuple(Axis(name, "space") for name in AXES), levels)


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    folder = tmp_path_factory.mktemp("explored")
    source = find_stack(sample_planes(folder / "planes"))
    pyramid = plan_pyramid(source, chunks=(4, 32, 32), shards=None)
    convert_stack(source, folder / "embryo.ome.zarr", pyramid)
    return folder / "embryo.ome.zarr"


def boxes():
    return st.tuples(*(st.tuples(st.integers(0, n - 1), st.integers(1, n)) for n in SHAPE)).map(
        lambda pairs: tuple(slice(min(a, b - 1), max(a + 1, b)) for a, b in pairs)
    )


# Regions


@given(boxes())
def test_a_region_reads_back_as_it_is_written(region):
    assert parse_region(region_text(region), AXES, SHAPE) == region


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("5, :, 3:9", (slice(5, 6), slice(0, 100), slice(3, 9))),
        ("[-1, 10:, :20]", (slice(29, 30), slice(10, 100), slice(0, 20))),
        ("0,0,-10:", (slice(0, 1), slice(0, 1), slice(190, 200))),
    ],
)
def test_a_region_is_typed_as_in_numpy(text, region):
    assert parse_region(text, AXES, SHAPE) == region


@pytest.mark.parametrize(
    "text", ["", "1,2", "30,:,:", "1,9:3,:", "a,:,:", "1,:,<b>", "1,:,::2", "1,,:", "99999,:,:"]
)
def test_what_is_no_region_is_refused_with_a_way_out(text):
    with pytest.raises(PlanError, match="write"):
        parse_region(text, AXES, SHAPE)


def test_a_region_of_one_part_is_counted_as_one():
    with pytest.raises(PlanError, match="has 1 part, the image has 3 axes"):
        parse_region("hello", "zyx", (64, 256, 256))


@given(boxes(), st.tuples(*[st.floats(-1, 2)] * 4))
def test_a_drag_chooses_within_the_plane_and_leaves_the_rest(region, shares):
    made = dragged(region, SHAPE, (1, 2), shares[:2], shares[2:])
    assert made[0] == region[0]
    assert all(0 <= part.start < part.stop <= size for part, size in zip(made, SHAPE, strict=True))


def test_a_drag_over_everything_chooses_everything():
    assert dragged(middle(SHAPE), SHAPE, (1, 2), (0, 0), (1, 1))[1:] == (slice(0, 100), slice(0, 200))


@given(boxes(), st.integers(-300, 300), st.booleans())
def test_a_region_is_moved_as_far_as_the_image_goes(region, step, grow):
    made = moved(region, SHAPE, {2: step}, grow=grow)
    assert 0 <= made[2].start < made[2].stop <= SHAPE[2]
    if not grow:
        assert made[2].stop - made[2].start == region[2].stop - region[2].start


@given(boxes())
def test_on_a_coarser_level_a_region_covers_the_same_place(region):
    coarse = on_level(region, SHAPE, (30, 50, 100))
    assert all(0 <= part.start < part.stop <= size for part, size in zip(coarse, (30, 50, 100), strict=True))
    assert coarse[1].start * 2 <= region[1].start
    assert coarse[1].stop * 2 >= region[1].stop or coarse[1].stop == 50


# What is touched


def test_the_grid_says_which_chunks_light_up():
    region = (slice(3, 4), slice(40, 60), slice(0, 50))
    grid = explore(a_plan(), region, level=0, plane=(1, 2)).grid
    assert (grid.size, grid.chunk, grid.shard) == ((100, 200), (50, 50), None)
    assert (grid.lit, grid.box) == ((0, 2, 0, 1), (40, 60, 0, 50))


def test_each_level_has_a_row_and_the_chosen_one_its_keys():
    shown = explore(a_plan(), (slice(3, 4), slice(40, 60), slice(0, 50)), level=0, plane=(1, 2))
    assert [row[:4] for row in shown.rows] == [("0", "2", "2", "2"), ("1", "1", "1", "1")]
    assert shown.keys == (("0/c/3/0/0", ""), ("0/c/3/1/0", ""))
    assert (
        "2 chunks in 2 objects, 2 requests; 10.0 kB decoded for 2.0 kB wanted, 20% useful" in shown.sentence
    )


def test_of_many_objects_the_first_are_named_and_the_rest_counted():
    shown = explore(a_plan((1, 10, 10)), (slice(0, 30), slice(0, 100), slice(0, 200)), level=0, plane=(1, 2))
    assert (len(shown.keys), shown.more_keys) == (200, 30 * 10 * 20 - 200)


def test_stored_bytes_are_those_of_the_files_on_disk(stored):
    explorer = ChunkExplorer(stored)
    explorer.select(", ".join(":" * 3))
    panel = explorer.panels[0]
    files = [path for path in (stored / "0").rglob("*") if path.is_file() and path.name != "zarr.json"]
    assert dict(panel["keys"]).keys() <= {path.relative_to(stored).as_posix() for path in files}
    whole = sum(path.stat().st_size for path in files)
    assert panel["rows"][0][4] == f"{whole / 1e6:.1f} MB" or panel["rows"][0][4] == f"{whole / 1e3:.1f} kB"


def test_a_shard_read_in_part_counts_in_part():
    plan = a_plan((1, 50, 50), shards=(10, 100, 100))
    sizes = {0: {"0/c/0/0/0": 4000}}
    shown = explore(plan, (slice(0, 1), slice(0, 50), slice(0, 50)), level=0, plane=(1, 2), sizes=sizes)
    assert shown.rows[0][4] == f"about {4000 // 40} B"


# The widget


def ask(explorer, **message):
    explorer._handle_custom_msg(message, [])


def test_a_drag_sets_region_text_and_table():
    explorer = ChunkExplorer(a_plan())
    ask(explorer, do="drag", begin=[0.0, 0.0], end=[0.5, 0.25])
    assert explorer.setting["region"] == "15, 0:50, 0:50"
    assert "1 chunk in 1 object" in explorer.text


def test_arrow_keys_move_by_a_chunk_and_stretch():
    explorer = ChunkExplorer(a_plan())
    ask(explorer, do="type", region="0, 0:50, 0:50")
    ask(explorer, do="move", rows=0, columns=1, grow=False)
    assert explorer.setting["region"] == "0, 0:50, 50:100"
    ask(explorer, do="move", rows=1, columns=0, grow=True)
    assert explorer.setting["region"] == "0, 0:100, 50:100"


def test_a_wrong_region_is_said_and_changes_nothing():
    explorer = ChunkExplorer(a_plan())
    before = explorer.region
    ask(explorer, do="type", region="<img>")
    assert "<img>" in explorer.notice
    assert explorer.region == before
    ask(explorer, do="type", region="0,:,:")
    assert explorer.notice == ""


def test_slicing_along_another_axis_shows_its_plane():
    explorer = ChunkExplorer(a_plan())
    ask(explorer, do="along", axis="x")
    assert (explorer.setting["rows"], explorer.setting["columns"]) == ("z", "y")
    assert explorer.panels[0]["grid"]["size"] == (30, 100)
    assert explorer.region[2].stop - explorer.region[2].start == 1


@pytest.mark.parametrize(
    "message",
    [
        {"do": "level", "panel": 7, "level": 99},
        {"do": "at", "axis": "z", "at": -5},
        {"do": "at", "axis": "q", "at": 1},
        {"do": "along", "axis": "t"},
        {"do": "drag", "begin": [0], "end": []},
        {"do": None},
        {},
    ],
)
def test_a_strange_message_does_no_harm(message):
    explorer = ChunkExplorer(a_plan())
    ask(explorer, **message)
    assert explorer.notice == ""
    assert explorer.panels[0]["level"] in (0, 1)


def test_two_layouts_of_one_image_are_compared():
    explorer = ChunkExplorer(a_plan(), a_plan((15, 50, 50), name="cubes"))
    ask(explorer, do="type", region="0:15, 0:50, 0:50")
    assert [panel["rows"][0][1] for panel in explorer.panels] == ["15", "1"]
    assert len(explorer.text.splitlines()) == 2


def test_layouts_of_different_images_are_not_compared():
    other = replace(a_plan(), levels=a_plan().levels[1:])
    with pytest.raises(PlanError, match="compare layouts of one image"):
        ChunkExplorer(a_plan(), other)


def test_a_stored_image_shows_its_own_voxels(stored):
    explorer = ChunkExplorer(stored)
    picture = explorer.pictures[0]
    plane = zarr.open_array(stored, path="0", mode="r")[explorer.region[0].start]
    shown = np.frombuffer(picture["grey"], "uint8").reshape(picture["height"], picture["width"])
    assert np.array_equal(shown, grey(plane, *contrast(plane)))
    assert explorer.picture().startswith(b"\x89PNG")


def test_a_plan_has_no_voxels_and_is_drawn_all_the_same():
    explorer = ChunkExplorer(a_plan(name="$\\frac{</b>"), a_plan((2, 20, 20), shards=(4, 40, 40)))
    assert explorer.pictures == [{}, {}]
    assert explorer.picture().startswith(b"\x89PNG")


def test_two_axes_leave_nothing_to_slice_along():
    level = Level("0", (64, 48), "uint8", (16, 16), (1.0, 1.0))
    explorer = ChunkExplorer(Pyramid("flat", "0.4", (Axis("y", "space"), Axis("x", "space")), (level,)))
    assert (explorer.setting["choices"], explorer.setting["sliders"]) == ([], [])
    ask(explorer, do="drag", begin=[0, 0], end=[0.25, 0.25])
    assert explorer.setting["region"] == "0:16, 0:12"


def test_what_is_no_number_is_black():
    assert grey(np.array([np.nan, -1, 0, 1, np.inf]), 0, 1).tolist() == [0, 0, 0, 255, 255]


@pytest.mark.parametrize("step", [0.0, -1.0, float("nan"), float("inf")])
def test_a_scale_that_is_no_size_leaves_the_plane_as_wide_as_its_voxels(step):
    level = Level("0", (100, 200), "uint16", (50, 50), (1.0, step), itemsize=2)
    explorer = ChunkExplorer(Pyramid("a", "0.5", (Axis("y", "space"), Axis("x", "space")), (level,)))
    assert explorer.setting["aspect"] == 0.5
