"""The catalogue of samples, their synthetic stand-ins, and where a sample is read from."""

import csv
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr

from ngff_practical.errors import NotFoundError, StackError, StorageError
from ngff_practical.model import Location
from ngff_practical.samples import (
    SAMPLES,
    Blastocyst,
    blastocyst,
    catalogue,
    find_sample,
    layouts,
    locate,
    particles,
    sample_particles,
    sample_planes,
    sample_stack,
    seed,
    twins,
)

CODE = Path(__file__).resolve().parents[1]
BLASTOCYST = "zarr/v0.4/idr0062A/6001240.zarr"


@pytest.fixture(scope="module")
def embryo() -> Blastocyst:
    return blastocyst()


@pytest.fixture(scope="module")
def small() -> Blastocyst:
    return blastocyst(shape=(60, 69, 68), nuclei=20)


# the catalogue


def test_names_and_keys_are_unique() -> None:
    assert len({sample.name for sample in SAMPLES}) == len({sample.key for sample in SAMPLES}) == len(SAMPLES)


def test_catalogue_agrees_with_the_table_the_idr_publishes(shared_data: Path) -> None:
    table = shared_data.parent / "reference" / "idr_samples.csv"
    if not table.exists():
        pytest.skip("the IDR's own table is not beside this checkout")
    with table.open(encoding="utf-8") as file:
        published = {row["File Path"].split("/idr/", 1)[1].rstrip("/"): row for row in csv.DictReader(file)}
    checked = 0
    for sample in SAMPLES:
        row = published.get(sample.key)
        if row is None:
            assert not sample.live or sample.key.startswith("share/")
            continue
        assert (sample.version, sample.licence, sample.study) == (
            row["OME-NGFF version"], row["License"], row["Study"],
        )  # fmt: skip
        if sample.name != "plate-0.5":  # the table leaves its width out
            stated = {axis: int(row[f"Size{axis.upper()}"] or 1) for axis in sample.axes}
            assert dict(zip(sample.axes, sample.shape, strict=True)) == stated
        checked += 1
    assert checked >= 20


def test_non_commercial_samples_are_links_only_and_have_no_stand_in() -> None:
    restricted = {sample.study for sample in SAMPLES if sample.link_only}
    assert restricted == {"idr0053", "idr0004"}
    assert not any(sample.twin for sample in SAMPLES if sample.link_only)


@pytest.mark.parametrize(
    ("licence", "link_only"),
    [("CC BY 4.0", False), ("CC0 1.0", False), ("CC BY-NC-SA 3.0", True), ("CC BY-ND 4.0", True)],
)
def test_licences_that_forbid_what_the_course_does_make_a_link(licence: str, link_only: bool) -> None:
    assert replace(SAMPLES[0], licence=licence).link_only == link_only


@pytest.mark.parametrize("name", ["blastocyst-0.4", BLASTOCYST, f"idr/{BLASTOCYST}/"])
def test_sample_is_found_by_name_and_by_key(name: str) -> None:
    assert find_sample(name).key == BLASTOCYST


def test_unknown_sample_is_answered_with_similar_names() -> None:
    with pytest.raises(NotFoundError, match=r"'blastocist'.*blastocyst"):
        find_sample("blastocist")


def test_no_other_module_knows_a_host_of_the_idr() -> None:
    code = [path for path in (CODE / "ngff_practical").rglob("*.py") if path.name != "catalogue.py"]
    assert code
    for path in code:
        assert "ebi.ac.uk" not in path.read_text(encoding="utf-8"), path.name


# where a sample is read from


class _Host:
    """A web server on this machine that plays one of the IDR's hosts."""

    def __init__(self, status: int, hold: threading.Event | None = None) -> None:
        self.paths: list[str] = []
        self.asked = threading.Event()
        host = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                host.paths.append(self.path)
                host.asked.set()
                if hold is not None:
                    hold.wait(60)
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


type StartHost = Callable[..., _Host]


@pytest.fixture
def start_host(monkeypatch: pytest.MonkeyPatch) -> Iterator[StartHost]:
    monkeypatch.delenv("NGFF_PRACTICAL_OFFLINE", raising=False)
    started: list[_Host] = []

    def start(status: int, hold: threading.Event | None = None) -> _Host:
        host = _Host(status, hold)
        started.append(host)
        monkeypatch.setattr(catalogue, "HOSTS", tuple(known.url for known in started))
        return host

    yield start
    for host in started:
        host.server.shutdown()
        host.server.server_close()


def test_sample_comes_from_the_current_host_where_that_answers(start_host: StartHost) -> None:
    current, _ = start_host(200), start_host(200)
    location, why = locate(find_sample("blastocyst-0.4"), sandbox="http://127.0.0.1:9", timeout_s=60)
    assert location == Location(current.url, "idr", BLASTOCYST, anonymous=True)
    assert "the original" in why


def test_sample_comes_from_the_predecessor_where_only_that_has_it(start_host: StartHost) -> None:
    start_host(404)
    predecessor = start_host(200)
    location, why = locate(find_sample("blastocyst-0.4"), timeout_s=60)
    assert location.endpoint == predecessor.url
    assert "current host did not answer" in why


def test_sample_comes_from_the_sandbox_where_no_host_has_it(start_host: StartHost) -> None:
    start_host(503)
    location, why = locate(find_sample("blastocyst-0.5"), sandbox="http://127.0.0.1:9", timeout_s=60)
    assert location.endpoint == "http://127.0.0.1:9"
    assert location.key == find_sample("blastocyst-0.5").key
    assert "synthetic" in why


def test_host_that_keeps_silent_is_not_waited_for(start_host: StartHost) -> None:
    answer = threading.Event()
    silent = start_host(200, hold=answer)
    location, _ = locate(find_sample("blastocyst-0.4"), sandbox="http://127.0.0.1:9", timeout_s=0.2)
    assert location.endpoint == "http://127.0.0.1:9"
    assert not answer.is_set()
    answer.set()
    assert silent.asked.wait(60)


def test_one_small_metadata_object_is_asked_for(start_host: StartHost) -> None:
    host = start_host(200)
    locate(find_sample("blastocyst-0.4"), timeout_s=60)
    locate(find_sample("focus-stack"), timeout_s=60)
    assert host.paths[0] == f"/idr/{BLASTOCYST}/.zattrs"
    assert host.paths[1].endswith("%20stature.ome.zarr/zarr.json")


def test_nobody_is_asked_when_offline_is_set(start_host: StartHost, monkeypatch: pytest.MonkeyPatch) -> None:
    host = start_host(200)
    monkeypatch.setenv("NGFF_PRACTICAL_OFFLINE", "1")
    location, why = locate(find_sample("blastocyst-0.4"), sandbox="http://127.0.0.1:9")
    assert location.endpoint == "http://127.0.0.1:9"
    assert "NGFF_PRACTICAL_OFFLINE" in why
    assert host.paths == []


@pytest.mark.parametrize(
    ("name", "way_out"), [("blastocyst-0.4", "start the sandbox"), ("mitosis", "stand-in")]
)
def test_sample_without_any_source_names_the_way_out(
    name: str, way_out: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NGFF_PRACTICAL_OFFLINE", "1")
    with pytest.raises(NotFoundError, match=way_out):
        locate(find_sample(name))


def test_tiff_that_nobody_serves_any_more_comes_from_the_sandbox(start_host: StartHost) -> None:
    host = start_host(200)
    location, why = locate(find_sample("particles-tiff"), sandbox="http://127.0.0.1:9")
    assert location.key == "idr0023/trans_norm.tif"
    assert "no public server" in why
    assert host.paths == []


# the embryo: targets measured in the study's 672 nuclei and 11 stacks


def _nuclei(embryo: Blastocyst, channel: int) -> list[np.ndarray]:
    order = np.argsort(embryo.labels, axis=None, kind="stable")
    starts = np.searchsorted(embryo.labels.ravel()[order], np.arange(1, 62))
    return np.split(embryo.image[channel].ravel()[order], starts)[1:]


def test_embryo_has_the_shape_and_types_of_the_original(embryo: Blastocyst) -> None:
    assert (embryo.image.shape, embryo.image.dtype) == ((2, 236, 275, 271), np.uint16)
    assert (embryo.labels.shape, embryo.labels.dtype) == ((236, 275, 271), np.int8)
    assert embryo.voxel_size == (0.5002025531914894, 0.3603981534640209, 0.3603981534640209)
    assert np.unique(embryo.labels).tolist() == list(range(62))


def test_nuclei_are_as_large_as_those_measured(embryo: Blastocyst) -> None:
    voxels = np.bincount(embryo.labels.ravel(), minlength=62)[1:]
    volumes = np.percentile(voxels * np.prod(embryo.voxel_size), [5, 50, 95])
    np.testing.assert_allclose(volumes, [763, 1706, 3591], rtol=0.15)


@pytest.mark.parametrize(("channel", "measured"), [(0, [117, 438, 1059]), (1, [261, 493, 1056])])
def test_nuclei_are_as_bright_as_those_measured(
    embryo: Blastocyst, channel: int, measured: list[float]
) -> None:
    means = [values.mean() for values in _nuclei(embryo, channel)]
    np.testing.assert_allclose(np.percentile(means, [5, 50, 95]), measured, rtol=0.35)
    assert np.median(means) == pytest.approx(measured[1], rel=0.1)


def test_only_the_envelope_channel_saturates_the_12_bit_detector(embryo: Blastocyst) -> None:
    assert embryo.image[0].max() == 4095
    assert 1237 <= embryo.image[1].max() <= 2810


def test_background_is_dark_and_higher_in_the_dna_channel(embryo: Blastocyst) -> None:
    outside = embryo.labels == 0
    lamin, dna = (np.median(embryo.image[channel][outside]) for channel in range(2))
    assert 4 <= lamin <= 23
    assert 25 <= dna <= 105


def test_envelope_is_a_thin_shell_and_dna_fills_the_nucleus(embryo: Blastocyst) -> None:
    def kurtosis(values: np.ndarray) -> float:
        deviation = values - values.mean()
        return float((deviation**4).mean() / (deviation**2).mean() ** 2 - 3)

    shell, filled = (np.median([kurtosis(values) for values in _nuclei(embryo, c)]) for c in range(2))
    assert shell > 2
    assert filled < 1.5


def test_embryo_is_a_hollow_ball_away_from_the_border(embryo: Blastocyst) -> None:
    border = embryo.labels.copy()
    border[1:-1, 1:-1, 1:-1] = 0
    assert not border.any()
    centres = np.argwhere(embryo.labels > 0)[::500] * embryo.voxel_size
    np.testing.assert_allclose(centres.std(axis=0), [24, 20, 21], rtol=0.35)


def test_same_seed_gives_the_same_embryo_and_another_seed_another() -> None:
    first, again, other = (blastocyst(shape=(12, 14, 14), nuclei=5, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first.image, again.image)
    assert not np.array_equal(first.image, other.image)


def test_small_embryo_has_coarse_voxels_and_the_same_field_of_view() -> None:
    small = blastocyst(shape=(118, 55, 271), nuclei=1)
    assert small.voxel_size == pytest.approx((1.0004051063829788, 1.8019907673201045, 0.3603981534640209))


def test_more_nuclei_than_int8_holds_are_refused() -> None:
    with pytest.raises(ValueError, match="128"):
        blastocyst(nuclei=128)


# the particles: targets measured in idr0023's trans_norm.tif


def test_particles_have_the_statistics_of_the_original() -> None:
    images = particles().images
    assert (images.shape, images.dtype) == ((571, 30, 30), np.float32)
    assert images.mean() == pytest.approx(0.31, abs=0.15)
    assert images.std() == pytest.approx(8.95, abs=0.2)
    assert -4.6 < images.min() < -2.5
    assert 0.8 < (images <= 0).mean() < 0.9


def test_mean_particle_is_a_ring_of_5_5_pixels() -> None:
    mean = particles().images.mean(axis=0)
    y, x = np.mgrid[:30, :30]
    radius = np.hypot(y - 15.1, x - 15.0)
    profile = [mean[(radius >= r - 0.5) & (radius < r + 0.5)].mean() for r in range(12)]
    assert np.argmax(profile) in (5, 6)
    assert profile[0] < -1
    assert profile[11] < -2


def test_mean_particle_has_lost_the_eightfold_symmetry_of_each_one() -> None:
    mean = particles(count=4000).images.mean(axis=0)
    angles = np.arange(0, 2 * np.pi, np.pi / 36)
    y, x = (np.rint(c + 5.5 * f(angles)).astype(int) for c, f in ((15.1, np.sin), (15.0, np.cos)))
    ring = mean[y, x] - mean[y, x].mean()
    assert abs(np.fft.rfft(ring)[8]) / len(ring) < 2


# TIFFs


def test_planes_are_written_one_per_file_and_without_padding(tmp_path: Path) -> None:
    folder = sample_planes(tmp_path / "planes", shape=(11, 16, 20))
    assert {path.name for path in folder.iterdir()} == {f"embryo_z{number}.tif" for number in range(1, 12)}
    plane = tifffile.imread(folder / "embryo_z6.tif")
    assert np.array_equal(plane, blastocyst(shape=(11, 16, 20)).image[1, 5])


def test_planes_state_no_voxel_size(tmp_path: Path) -> None:
    with tifffile.TiffFile(next(sample_planes(tmp_path, shape=(2, 16, 16)).iterdir())) as tiff:
        assert tiff.pages[0].tags.get("ImageDescription") is None
        assert tiff.pages[0].resolution == (1.0, 1.0)


def test_planes_are_not_mixed_with_what_is_in_the_folder(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(StackError, match="not empty"):
        sample_planes(tmp_path)


def test_imagej_stack_states_axes_and_voxel_size(tmp_path: Path) -> None:
    path = sample_stack(tmp_path / "embryo.tif", shape=(9, 16, 20))
    embryo = blastocyst(shape=(9, 16, 20))
    with tifffile.TiffFile(path) as tiff:
        assert tiff.series[0].axes == "ZCYX"
        assert np.array_equal(tiff.asarray(), np.moveaxis(embryo.image, 0, 1))
        assert tiff.imagej_metadata is not None
        assert tiff.imagej_metadata["spacing"] == pytest.approx(embryo.voxel_size[0])
        x, y = tiff.pages[0].resolution
        assert (1 / y, 1 / x) == pytest.approx(embryo.voxel_size[1:])


def test_ome_stack_states_axes_voxel_size_and_channels(tmp_path: Path) -> None:
    path = sample_stack(tmp_path / "embryo.ome.tif", shape=(9, 16, 20), flavour="ome")
    with tifffile.TiffFile(path) as tiff:
        assert tiff.series[0].axes == "CZYX"
        described = tifffile.xml2dict(tiff.ome_metadata)["OME"]["Image"]["Pixels"]
    assert described["PhysicalSizeZ"] == pytest.approx(blastocyst(shape=(9, 16, 20)).voxel_size[0])
    assert [channel["Name"] for channel in described["Channel"]] == ["LaminB1", "Dapi"]


def test_particle_file_is_big_endian_and_states_no_pixel_size(tmp_path: Path) -> None:
    with tifffile.TiffFile(sample_particles(tmp_path / "trans_norm.tif", count=40)) as tiff:
        assert tiff.byteorder == ">"
        assert tiff.series[0].shape == (40, 30, 30)
        assert tiff.imagej_metadata is not None
        assert not {"spacing", "unit"} & set(tiff.imagej_metadata)


# stand-ins in the IDR's layouts


def test_04_stand_in_stores_each_plane_as_an_object_and_halves_y_and_x(
    small: Blastocyst, tmp_path: Path
) -> None:
    layouts.write_blastocyst_04(tmp_path / "a.zarr", small)
    group = zarr.open_group(tmp_path / "a.zarr", mode="r", zarr_format=2)
    arrays = [group[str(level)] for level in range(3)]
    assert [array.shape[1:] for array in arrays] == [(60, 69, 68), (60, 34, 34), (60, 17, 17)]
    assert [array.chunks for array in arrays] == [(1, 1, *array.shape[2:]) for array in arrays]
    assert np.array_equal(arrays[0][:], small.image)
    assert len([p for p in (tmp_path / "a.zarr/0").rglob("*") if p.is_file() and p.name[0] != "."]) == 120


def test_04_stand_in_has_the_original_defect_of_a_label_level_too_many(
    small: Blastocyst, tmp_path: Path
) -> None:
    layouts.write_blastocyst_04(tmp_path / "a.zarr", small)
    attributes = json.loads((tmp_path / "a.zarr/.zattrs").read_text())
    labels = json.loads((tmp_path / "a.zarr/labels/0/.zattrs").read_text())
    assert len(attributes["multiscales"][0]["datasets"]) == 3
    assert len(labels["multiscales"][0]["datasets"]) == 4


def test_05_stand_in_is_sharded_like_the_original(small: Blastocyst, tmp_path: Path) -> None:
    layouts.write_blastocyst_05(tmp_path / "b.zarr", small)
    group = zarr.open_group(tmp_path / "b.zarr", mode="r", zarr_format=3)
    level = group["0"]
    assert (level.chunks, level.shards) == ((1, 1, 256, 256), (1, 10, 512, 512))
    assert level.metadata.dimension_names == ("c", "z", "y", "x")
    assert np.array_equal(level[:], small.image)
    label = group["labels/0"]
    assert label["0"].shards is None
    assert len(label.attrs["ome"]["multiscales"][0]["datasets"]) == 3


def test_levels_state_their_voxel_size(small: Blastocyst, tmp_path: Path) -> None:
    layouts.write_blastocyst_05(tmp_path / "b.zarr", small)
    ome = zarr.open_group(tmp_path / "b.zarr", mode="r").attrs["ome"]
    scales = [d["coordinateTransformations"][0]["scale"] for d in ome["multiscales"][0]["datasets"]]
    z, y, x = small.voxel_size
    assert scales == [[1.0, z, y * factor, x * factor] for factor in (1, 2, 4)]


def test_particle_stand_in_has_flat_keys_one_object_each(tmp_path: Path) -> None:
    layouts.write_particles_01(tmp_path / "c.zarr", particles(count=12))
    chunks = {path.name for path in (tmp_path / "c.zarr/0").iterdir()} - {".zarray", ".zattrs"}
    assert chunks == {f"0.0.{number}.0.0" for number in range(12)}
    stored = zarr.open_array(tmp_path / "c.zarr/0", mode="r")
    assert stored.dtype == np.dtype(">f4")
    assert np.array_equal(stored[0, 0], particles(count=12).images)


@pytest.mark.parametrize("write", [layouts.write_blastocyst_04, layouts.write_blastocyst_05])
def test_stand_in_says_that_it_is_synthetic(
    write: Callable[[Path, Blastocyst], None], small: Blastocyst, tmp_path: Path
) -> None:
    write(tmp_path / "a.zarr", small)
    attributes = dict(zarr.open_group(tmp_path / "a.zarr", mode="r").attrs)
    assert attributes["ngff_practical"]["synthetic"] is True
    document = attributes.get("ome", attributes)
    assert "synthetic" in document["multiscales"][0]["name"]


# the cache


@pytest.fixture
def quick_twins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Path]:
    built: list[Path] = []

    def write(root: Path) -> None:
        built.append(root)
        for sample in SAMPLES:
            if sample.twin:
                path = root / sample.key / "root" if sample.version else root / sample.key
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(sample.name)

    monkeypatch.setattr(layouts, "write_twins", write)
    monkeypatch.setenv("NGFF_PRACTICAL_CACHE", str(tmp_path / "cache"))
    return built


def test_seed_maps_bucket_and_key_to_what_is_on_disk(quick_twins: list[Path]) -> None:
    held = seed()
    stored = {
        target + "/" + path.relative_to(folder).as_posix()
        for target, folder in held.items()
        for path in folder.rglob("*")
        if path.is_file()
    }
    assert stored == {"idr/README.txt"} | {
        f"idr/{sample.key}" + ("/root" if sample.version else "") for sample in SAMPLES if sample.twin
    }


def test_stand_ins_are_built_once(quick_twins: list[Path]) -> None:
    assert seed() == seed()
    assert len(quick_twins) == 1


def test_cache_that_lost_a_file_is_built_again(quick_twins: list[Path]) -> None:
    lost = seed()[f"idr/{BLASTOCYST}"] / "root"
    lost.unlink()
    assert (seed()[f"idr/{BLASTOCYST}"] / "root").exists()
    assert len(quick_twins) == 2


def test_interrupted_build_leaves_nothing_half_made(
    quick_twins: list[Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def interrupted(root: Path) -> None:
        (root / "half").write_text("made")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(layouts, "write_twins", interrupted)
        with pytest.raises(KeyboardInterrupt):
            seed()
    assert list((tmp_path / "cache").iterdir()) == []
    assert seed()


def test_build_that_another_process_overtakes_uses_its_result(
    quick_twins: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    write = layouts.write_twins

    def overtaken(root: Path) -> None:
        write(root)
        with monkeypatch.context() as patch:
            patch.setattr(layouts, "write_twins", write)
            seed()

    monkeypatch.setattr(layouts, "write_twins", overtaken)
    assert all(path.exists() for path in seed().values())


def test_cache_that_cannot_be_written_is_explained(
    quick_twins: list[Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NGFF_PRACTICAL_CACHE", str(tmp_path / "file"))
    with pytest.raises(StorageError, match="NGFF_PRACTICAL_CACHE"):
        seed()


def test_old_stand_ins_make_room_for_new_ones(quick_twins: list[Path], tmp_path: Path) -> None:
    import os

    old = tmp_path / "cache" / "twins-00000000"
    old.mkdir(parents=True)
    os.utime(old, (0, 0))
    seed()
    assert not old.exists()


def test_importing_samples_loads_neither_zarr_nor_tifffile() -> None:
    import subprocess
    import sys

    code = "import sys, ngff_practical.samples; print([m for m in ('zarr', 'tifffile') if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], cwd=CODE, text=True).strip() == "[]"


def test_every_twin_is_written_under_its_key(
    small: Blastocyst, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(layouts, "blastocyst", lambda: small)
    monkeypatch.setattr(layouts, "particles", lambda: particles(count=5))
    layouts.write_twins(tmp_path)
    assert all((tmp_path / sample.key).exists() for sample in SAMPLES if sample.twin)
    assert twins.cache_folder().name
