"""The benchmarks' judges: they must see what is wrong, or the table says nothing."""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
CHUNKS = (4, 16, 16)
SCALES = [[2.0, 0.5, 0.5], [4.0, 1.0, 1.0], [8.0, 2.0, 2.0]]
SHIFTS = [None, [1.0, 0.25, 0.25], [3.0, 0.75, 0.75]]


@pytest.fixture(autouse=True, scope="module")
def benchmarks_on_path():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        yield
    for name in (
        "measuring",
        "judging",
        "reporting",
        "environments",
        "stack",
        "floor",
        "bench_convert",
        "bench_transfer",
        "clients",
        "scratch",
        "transfer_report",
    ):
        sys.modules.pop(name, None)


@pytest.fixture
def planes(tmp_path):
    folder = tmp_path / "planes"
    folder.mkdir()
    block = np.random.default_rng(5).integers(0, 60_000, (9, 33, 40)).astype("uint16")
    for index, plane in enumerate(block):
        tifffile.imwrite(folder / f"z{index}.tif", plane)
    return folder


def exact_means(fine):
    sums, counts = fine.astype("int64"), np.ones((1, 1, 1), "int64")
    for axis, size in enumerate(fine.shape):
        starts = np.arange(0, size, 2)
        sums = np.add.reduceat(sums, starts, axis=axis)
        held = np.minimum(2, size - starts)
        counts = counts * held.reshape([-1 if axis == a else 1 for a in range(3)])
    return sums / counts


def write(folder, levels, *, shifts=SHIFTS, chunks=CHUNKS, clevel=3):
    group = zarr.create_group(folder, zarr_format=3)
    blosc = zarr.codecs.BloscCodec(cname="zstd", clevel=clevel, shuffle="shuffle", typesize=2)
    for index, level in enumerate(levels):
        group.create_array(str(index), data=level, chunks=chunks, compressors=(blosc,))
    datasets = []
    for index, scale in enumerate(SCALES[: len(levels)]):
        transformations = [{"type": "scale", "scale": scale}]
        if shifts[index]:
            transformations.append({"type": "translation", "translation": shifts[index]})
        datasets.append({"path": str(index), "coordinateTransformations": transformations})
    group.attrs["ome"] = {"version": "0.5", "multiscales": [{"datasets": datasets}]}
    return folder


@pytest.fixture
def judged(planes, tmp_path):
    """Write an image with one way of rounding and return what the judge says of it."""

    def judged(rounding=np.rint, change=None, **options):
        from judging import judge

        levels = [np.stack([tifffile.imread(file) for file in sorted(planes.iterdir())])]
        for _ in range(2):
            levels.append(rounding(exact_means(levels[-1])).astype("uint16"))
        if change:
            change(levels)
        return judge(write(tmp_path / "image.zarr", levels, **options), planes, CHUNKS, 3)

    return judged


def test_the_judge_has_nothing_to_say_against_a_right_image(judged):
    verdict = judged()
    assert (verdict.exact, verdict.translation, verdict.layout) == ("yes", "yes", "yes")
    assert verdict.means == "yes, ties to even"


def test_the_judge_counts_every_file(judged, tmp_path):
    assert judged().objects == sum(path.is_file() for path in (tmp_path / "image.zarr").rglob("*"))


def test_the_judge_names_truncated_means(judged):
    assert judged(np.floor).means.startswith("no: truncated (-")


def test_the_judge_names_ties_that_are_always_rounded_up(judged):
    assert judged(lambda mean: np.floor(mean + 0.5)).means.startswith("yes, but ties up (+")


def test_the_judge_accepts_levels_that_all_come_from_the_finest(judged):
    def change(levels):
        quarter = levels[0][:8, :32, :40].astype("int64").reshape(2, 4, 8, 4, 10, 4).sum(axis=(1, 3, 5))
        levels[0] = levels[0][:8, :32, :40]
        levels[1] = np.rint(exact_means(levels[0])).astype("uint16")
        levels[2] = np.rint(quarter / 64).astype("uint16")

    assert judged(change=change).means == "yes, ties to even, all from level 0"


def test_the_judge_sees_a_single_wrong_voxel_of_a_coarse_level(judged):
    def change(levels):
        levels[2][-1, -1, -1] += 3

    assert judged(change=change).means.startswith("no: off by up to 3")


def test_the_judge_sees_a_single_wrong_voxel_of_the_finest_level(judged):
    def change(levels):
        levels[0][8, 32, 39] ^= 1

    assert judged(change=change).exact.startswith("no: pixels differ in planes 8")


def test_the_judge_sees_a_plane_that_is_missing(judged):
    def change(levels):
        levels[0] = levels[0][:-1]

    assert judged(change=change).exact.startswith("no: its shape is (8, 33, 40)")


def test_the_judge_sees_an_edge_that_was_dropped(judged):
    def change(levels):
        levels[1] = levels[1][:4]

    assert judged(change=change).means.startswith("no: level 1 is (4, 17, 20), of (9, 33, 40)")


def test_the_judge_sees_that_translations_are_missing(judged):
    assert judged(shifts=[None] * 3).translation == "no: missing"


def test_the_judge_sees_a_translation_by_a_whole_voxel(judged):
    assert judged(shifts=[None, [2.0, 0.5, 0.5], SHIFTS[2]]).translation.startswith("no: level 1 says")


@pytest.mark.parametrize("options", [{"chunks": (4, 16, 8)}, {"clevel": 1}])
def test_the_judge_sees_what_was_not_asked_for(options, judged):
    assert judged(**options).layout.startswith("no: ")


def test_a_kept_stack_is_made_anew_when_a_plane_was_changed(tmp_path):
    from stack import make_planes

    planes = make_planes(tmp_path / "stack", (3, 40, 50))
    first = sorted(planes.iterdir())[0]
    genuine = first.read_bytes()
    first.write_bytes(genuine[:-40] + bytes(40))
    make_planes(tmp_path / "stack", (3, 40, 50))
    assert first.read_bytes() == genuine


def test_a_failing_program_is_measured_with_its_last_words():
    from measuring import measure

    measured = measure([sys.executable, "-c", "import sys; sys.exit('no such axis')"])
    assert measured.error == "no such axis"


def test_memory_of_a_program_includes_what_it_starts():
    from measuring import Memory

    hold = "import sys; held = b'x' * 80_000_000; sys.stdin.read()"
    starts = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {hold!r}])"
    with subprocess.Popen([sys.executable, "-c", starts], stdin=subprocess.PIPE) as process:
        memory = Memory(process.pid)
        until = time.monotonic() + 120
        while memory.peak_bytes < 80_000_000 and time.monotonic() < until:
            time.sleep(0.01)
        process.communicate()
        memory.stop()
    assert memory.peak_bytes > 80_000_000


def test_a_peer_that_cannot_be_installed_is_a_row_and_not_a_crash(monkeypatch, tmp_path):
    import bench_convert
    from environments import NotInstalledError

    def fail(self):
        raise NotInstalledError("no matching distribution")

    monkeypatch.setattr(bench_convert.Environment, "make", fail)
    row = next(row for row in bench_convert.ROWS if row.environment)
    measured, verdict = bench_convert._convert(row, tmp_path, tmp_path, judged=True)
    assert (measured.error, verdict) == ("cannot be installed: no matching distribution", None)


def test_the_conversion_benchmark_runs_and_finds_us_right(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    results = tmp_path / "RESULTS.md"
    command = [sys.executable, str(BENCHMARKS / "bench_convert.py"), "--quick", "--rows", "ours,sharded"]
    subprocess.run([*command, "--results", str(results)], check=True, capture_output=True)
    lines = results.read_text().splitlines()
    ours = [line for line in lines if line.startswith("| ours")]
    assert len(ours) == 2
    assert all(line.count("yes") == 4 for line in ours)
    assert str(Path.home()) not in results.read_text()
    (kept,) = (tmp_path / "cache").rglob("convert-*.json")
    assert json.loads(kept.read_text())["ours verdict"]["exact"] == "yes"


def test_the_judge_of_transfers_tells_missing_changed_and_additional_objects():
    from bench_transfer import judge

    sent = {"a": "1", "b": "2", "c": "3"}
    assert judge(sent, dict(sent)) == "yes"
    assert judge(sent, {"a": "1", "b": "9", "d": "4"}) == "no: 1 missing, 1 changed, 1 too many"


@pytest.mark.parametrize(("held", "where"), [(2**18, "memory"), (2**18 - 1, "the disk")])
def test_what_programs_write_goes_to_memory_where_it_is_large_enough_and_is_removed(
    held, where, tmp_path, monkeypatch
):
    import scratch

    (tmp_path / "memory").mkdir()
    monkeypatch.setattr(scratch, "MEMORY", tmp_path / "memory")
    monkeypatch.setattr(scratch, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(scratch, "_free", lambda folder: held)
    with scratch.scratch_folder(most_bytes=2**17) as folder:
        (folder / "image").write_bytes(b"pixels")
        assert scratch.told_of(folder) == where
    assert not [path for path in tmp_path.rglob("*") if path.is_file() or path == folder]


def test_a_target_that_was_not_measured_is_not_said_to_be_reached():
    from reporting import Target

    assert [Target("", value, 2.0).reached for value in (2.0, 2.1, None)] == [
        "reached",
        "not reached",
        "not measured",
    ]


def test_a_section_of_the_results_is_replaced_and_the_others_stay(tmp_path):
    from reporting import write_section

    for name, text in (("convert", "old"), ("transfer", "kept"), ("convert", "new")):
        write_section(name, text, tmp_path / "RESULTS.md")
    text = (tmp_path / "RESULTS.md").read_text()
    assert ("old" in text, "kept" in text, text.count("new")) == (False, True, 1)


def test_a_transfer_of_ours_is_measured_and_arrives(tmp_path, monkeypatch):
    import bench_transfer
    from clients import CLIENTS

    monkeypatch.setattr(bench_transfer, "WORK", tmp_path / "work")
    monkeypatch.setattr(bench_transfer, "CACHE", tmp_path / "cache")
    folder = bench_transfer._folder(bench_transfer.Load("small", 12, 1000))
    trip = bench_transfer._there_and_back(CLIENTS[0], folder, latency_ms=5, work=tmp_path)
    for way in ("up", "down"):
        assert (trip[way]["error"], trip[way]["right"]) == ("", "yes")
        assert trip[way]["requests"] >= 14  # each chunk and both documents


def test_the_report_of_transfers_shows_a_client_that_failed(tmp_path):
    from clients import CLIENTS
    from reporting import Kept
    from transfer_report import Load, report

    kept = Kept(tmp_path / "kept.json", resume=False)
    kept._values["open"] = {"steps": {"error": "no such bucket"}, "shape": [4, 8, 8]}
    run = {"wall_s": 2.0, "cpu_s": 1.0, "peak_bytes": 50e6, "requests": 9, "server_s": 0.1, "right": "yes"}
    for load in ("small", "shards"):
        for latency in (0, 20):
            for client, error in (("ours", ""), ("s3fs", "403")):
                trip = {way: {**run, "error": error} for way in ("up", "down")}
                kept._values[f"{load} {latency} {client} 1"] = trip
    clients = [client for client in CLIENTS if client.key in ("ours", "s3fs")]
    text = report(kept, [Load("small", 5, 10), Load("shards", 2, 10)], clients, 1, "memory")
    assert text.count("failed: 403") == 8
    assert "failed: no such bucket" in text
    assert "not measured" in text
