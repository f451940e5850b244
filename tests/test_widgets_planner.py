"""The conversion planner: choices, what they cost, the command that does the same, predicted and measured."""

import shlex
from dataclasses import replace
from types import SimpleNamespace

import pytest

from ngff_practical import find_stack, plan_pyramid
from ngff_practical.cli.app import app
from ngff_practical.convert import Prediction, convert, predict
from ngff_practical.errors import PlanError
from ngff_practical.inspection import describe_image
from ngff_practical.samples import sample_planes
from ngff_practical.widgets import ConversionPlanner
from ngff_practical.widgets.planning import Wanted, command, plan, sides, upload_seconds
from ngff_practical.widgets.waiting import Line


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return find_stack(sample_planes(tmp_path_factory.mktemp("planned") / "two words"))


@pytest.fixture
def planner(source):
    return ConversionPlanner(source)


def ask(planner, **message):
    planner._handle_custom_msg(message, [])


def test_at_first_the_plan_is_the_automatic_one(planner, source):
    assert planner.pyramid == plan_pyramid(source)
    assert f"{plan_pyramid(source).objects:,} objects" in planner.text


def test_every_choice_changes_the_plan(planner, source):
    ask(planner, do="chunk", axis=0, size=1)
    ask(planner, do="shards", value="none")
    ask(planner, do="codec", value="gzip")
    ask(planner, do="levels", value=2)
    chunks = (1, *plan_pyramid(source).levels[0].chunks[1:])
    assert planner.pyramid == plan_pyramid(source, chunks=chunks, shards=None, codec="gzip", levels=2)
    assert planner.rows[-1][4] == f"{planner.pyramid.objects:,}"


def test_no_more_levels_are_offered_than_the_image_can_have(planner):
    most = planner.setting["most_levels"]
    ask(planner, do="levels", value=most)
    assert (len(planner.pyramid.levels), planner.notice) == (most, "")
    ask(planner, do="levels", value=most + 1)
    assert f"ask for at most {most}" in planner.notice


def test_automatic_undoes_the_choices(planner, source):
    ask(planner, do="levels", value=1)
    ask(planner, do="auto")
    assert planner.pyramid == plan_pyramid(source)


def test_shards_are_so_many_chunks_along_each_axis_of_space(source):
    first = plan(source, Wanted(chunks=(2, 16, 16), shards="4")).levels[0]
    assert first.shards == (8, 64, 64)


def test_what_does_not_fit_is_said_and_the_plan_stays(planner):
    before = planner.pyramid
    ask(planner, do="version", value="0.4")
    ask(planner, do="shards", value="2")
    assert "no shards" in planner.notice
    assert planner.pyramid.version == "0.4"
    with pytest.raises(PlanError, match="gif"):
        planner.choose(codec="gif")
    ask(planner, do="version", value="0.5")
    assert (planner.notice, planner.pyramid) == ("", before)


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(),
        Wanted(chunks=(1, 32, 32), shards="none", levels=2, codec="zstd"),
        Wanted(chunks=(2, 16, 16), shards="2"),
        Wanted(version="0.4", codec="gzip"),
    ],
)
def test_the_command_line_makes_the_very_same_image(source, wanted, tmp_path, monkeypatch):
    monkeypatch.setattr("ngff_practical.widgets.planning.sys", SimpleNamespace(platform="linux"))
    planner = ConversionPlanner(source, str(tmp_path / "a b.ome.zarr"))
    planner._take(wanted)
    program, *words = shlex.split(planner.command)
    assert program == "ngff-practical"
    with pytest.raises(SystemExit) as ended:
        app(words)
    assert ended.value.code in (0, None)
    made = describe_image(tmp_path / "a b.ome.zarr")
    assert [(one.shape, one.chunks, one.shards) for one in made.levels] == [
        (one.shape, one.chunks, one.shards) for one in planner.pyramid.levels
    ]
    assert [one.scale for one in made.levels] == [one.scale for one in planner.pyramid.levels]


def test_on_windows_the_command_line_is_quoted_for_windows(planner, source, monkeypatch):
    monkeypatch.setattr("ngff_practical.widgets.planning.sys", SimpleNamespace(platform="win32"))
    line = command(source, planner.pyramid, Wanted(), r"C:\my data\a.ome.zarr")
    assert r' "C:\my data\a.ome.zarr" ' in f"{line} "
    assert "'" not in line


def test_after_converting_what_was_measured_stands_beside_the_prediction(planner, tmp_path):
    report = planner.convert(tmp_path / "embryo.ome.zarr")
    assert planner.costs[0][1:] == [f"{report.objects:,}"] * 2
    assert planner.setting["measured"]
    ask(planner, do="codec", value="gzip")
    assert not planner.setting["measured"]


def test_the_report_of_another_plan_is_refused(planner, source, tmp_path):
    other = plan_pyramid(source, version="0.4", codec="gzip")
    with pytest.raises(PlanError, match="choose the same"):
        planner.measured(convert(source, tmp_path / "other.ome.zarr", other))


@pytest.mark.parametrize(("size", "said"), [((5.0, 2.0, 2.0), " --voxel-size 5,2,2"), ((1.0, 1.0, 1.0), "")])
def test_the_command_line_says_a_voxel_size_without_a_unit(source, size, said):
    planner = ConversionPlanner(replace(source, voxel_size=size), "out.zarr")
    assert planner.command.endswith(f"out.zarr{said}")


def test_uploading_waits_for_every_object_and_for_every_byte():
    line = Line("a line", latency_ms=320, mbit_per_s=8)
    many, one = (Prediction((), nbytes, objects, 0, 0.0) for nbytes, objects in ((2_000_000, 100), (0, 1)))
    assert upload_seconds(many, line) == pytest.approx(100 * 0.32 / 64 + 2)
    assert upload_seconds(one, line) == pytest.approx(0.32)


def test_a_slower_line_takes_longer(planner):
    before = planner.costs[-1][1]
    ask(planner, do="line", mbit_per_s=5, latency_ms=300)
    assert planner.costs[-1][1] != before
    assert "at 5 Mbit/s and 300 ms" in planner.text


@pytest.mark.parametrize(("size", "choice"), [(1, (1,)), (8, (1, 2, 4, 8)), (9, (1, 2, 4, 8, 9))])
def test_chunk_sides_are_powers_of_two_and_the_whole(size, choice):
    assert sides(size) == choice


def test_a_sample_is_compressed_only_once_for_the_same_plan(planner, monkeypatch):
    asked = []
    monkeypatch.setattr(
        "ngff_practical.widgets.planner.predict", lambda *both: asked.append(both) or predict(*both)
    )
    for _ in range(2):
        ask(planner, do="codec", value="gzip")
        ask(planner, do="codec", value="blosc-zstd")
    assert len(asked) == 1


@pytest.mark.parametrize(
    "message",
    [
        {"do": "chunk", "axis": 9, "size": 1},
        {"do": "codec", "value": "<b>"},
        {"do": "levels", "value": 0},
        {"do": "line", "mbit_per_s": 0, "latency_ms": 1},
        {},
    ],
)
def test_a_strange_message_does_no_harm(planner, source, message):
    ask(planner, **message)
    assert (planner.notice, planner.pyramid) == ("", plan_pyramid(source))


def test_a_static_page_shows_a_picture(planner):
    assert planner.picture().startswith(b"\x89PNG")


def test_a_choice_that_is_refused_twice_is_news_twice(planner):
    ask(planner, do="version", value="0.4")
    said = []
    planner.observe(lambda change: said.append(bool(change["new"])), "notice")
    ask(planner, do="shards", value="4")
    ask(planner, do="shards", value="4")
    assert said == [True, False, True]
    assert planner.setting["shards"] != "4"
