"""Conversions, read back with zarr, ome-zarr-models and yaozarrs, and compared with the stack itself."""

import csv
import hashlib
import itertools
import platform
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from threading import Event

import numpy as np
import pytest
import tifffile
import yaozarrs
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ngff_practical.convert import convert, convert_stack, predict, reuse_freed_memory
from ngff_practical.convert import destination as destination_module
from ngff_practical.convert import run as run_module
from ngff_practical.errors import ConversionError, ExistsError, PlanError, StorageError
from ngff_practical.inspection import describe_image, validate
from ngff_practical.meter import watch
from ngff_practical.pyramid import bands as bands_module
from ngff_practical.pyramid import plan_passes, plan_pyramid
from ngff_practical.stack import find_stack
from ngff_practical.storage.threads import Threads


@pytest.fixture
def planes(tmp_path):
    """Write an array (z, y, x) as a folder of planes and return the folder."""

    def write(array, name="planes"):
        folder = tmp_path / name
        folder.mkdir()
        for index, plane in enumerate(array):
            tifffile.imwrite(folder / f"z{index:03}.tif", plane)
        return folder

    return write


def a_block(shape, dtype="uint16", seed=1):
    rng = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "f":
        return rng.normal(100, 20, shape).astype(dtype)
    return rng.integers(0, min(np.iinfo(dtype).max, 4095), shape).astype(dtype)


def means(fine, factors):
    """Return the mean of each cell in double precision, rounded ties to even where the type is whole."""
    sums, counts = fine.astype("float64"), np.ones(fine.shape)
    for axis, (size, factor) in enumerate(zip(fine.shape, factors, strict=True)):
        edges = np.arange(0, size, factor)
        sums, counts = (np.add.reduceat(values, edges, axis=axis) for values in (sums, counts))
    mean = sums / counts
    return (np.rint(mean) if fine.dtype.kind in "iu" else mean).astype(fine.dtype)


def factors_of(pyramid):
    return [
        tuple(round(b / a) for a, b in zip(fine.scale, coarse.scale, strict=True))
        for fine, coarse in itertools.pairwise(pyramid.levels)
    ]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_every_level_is_the_rounded_mean_of_the_one_before(data, tmp_path_factory):
    shape = tuple(data.draw(st.integers(low, high)) for low, high in ((2, 9), (2, 40), (2, 40)))
    chunks = tuple(data.draw(st.integers(1, 16)) for _ in shape)
    version = data.draw(st.sampled_from(["0.4", "0.5"]))
    shards = data.draw(st.sampled_from([None, tuple(2 * c for c in chunks)])) if version == "0.5" else None
    folder = tmp_path_factory.mktemp("case")
    block = a_block(shape, data.draw(st.sampled_from(["uint8", "uint16", "int16", "float32"])))
    for index, plane in enumerate(block):
        tifffile.imwrite(folder / f"z{index}.tif", plane, photometric="minisblack")
    source = find_stack(folder)
    levels = data.draw(st.integers(1, 3)) if max(shape) > 4 else 1
    pyramid = plan_pyramid(source, version=version, chunks=chunks, shards=shards, levels=levels)
    image = convert_stack(source, folder / "out.zarr", pyramid, verify="full")
    np.testing.assert_array_equal(image["0"][:], block)
    for index, factors in enumerate(factors_of(pyramid)):
        expected = means(image[str(index)][:], factors)
        np.testing.assert_allclose(image[str(index + 1)][:], expected, rtol=1e-6, atol=0)
    assert image["0"].chunks == chunks
    assert image["0"].shards == shards


@pytest.mark.parametrize("size", [(9, 70, 90), (4, 16, 16), (16, 64, 64)])
def test_large_shards_go_through_a_scratch_level_that_is_gone_afterwards(size, planes, tmp_path, monkeypatch):
    monkeypatch.setattr(bands_module, "SLAB_BYTES", 1000)
    block = a_block(size)
    source = find_stack(planes(block))
    pyramid = plan_pyramid(source, chunks=(2, 8, 8), shards=(4, 16, 16), levels=3, factors=(2, 2, 2))
    assert plan_passes(pyramid)[1].fine.path == "1.scratch"
    image = convert_stack(source, tmp_path / "out.zarr", pyramid, verify="full")
    for index in range(2):
        np.testing.assert_array_equal(image[str(index + 1)][:], means(image[str(index)][:], (2, 2, 2)))
    assert sorted(path.name for path in (tmp_path / "out.zarr").iterdir()) == ["0", "1", "2", "zarr.json"]
    assert image["1"].shards == (4, 16, 16)


def test_the_walk_gives_a_valid_image_to_us_and_to_others(planes, tmp_path):
    source = find_stack(planes(a_block((6, 150, 170))), voxel_size=(5, 2, 2), unit="micrometer")
    destination = tmp_path / "image.ome.zarr"
    convert_stack(source, destination, plan_pyramid(source, levels=3))
    assert [issue for issue in validate(destination) if issue.severity != "should"] == []
    yaozarrs.validate_zarr_store(destination)
    pyramid = describe_image(destination)
    assert [axis.unit for axis in pyramid.axes] == ["micrometer"] * 3
    assert [level.scale for level in pyramid.levels] == [(5, 2, 2), (5, 4, 4), (10, 8, 8)]
    assert [level.translation for level in pyramid.levels[1:]] == [(0, 1, 1), (2.5, 3, 3)]


@pytest.mark.parametrize("version", ["0.4", "0.5", "0.6"])
def test_each_version_is_written_as_itself(version, planes, tmp_path):
    source = find_stack(planes(a_block((3, 40, 50))))
    destination = tmp_path / "image.ome.zarr"
    convert_stack(source, destination, plan_pyramid(source, version=version, levels=2))
    assert describe_image(destination).version == version
    assert [issue for issue in validate(destination) if issue.severity != "should"] == []


@pytest.mark.parametrize("codec", ["blosc-zstd", "zstd", "gzip", "none"])
@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_every_codec_reads_back(codec, version, planes, tmp_path):
    block = a_block((3, 40, 50))
    source = find_stack(planes(block))
    image = convert_stack(source, tmp_path / "out.zarr", plan_pyramid(source, version=version, codec=codec))
    np.testing.assert_array_equal(image["0"][:], block)


def test_black_chunks_are_stored_so_that_a_lost_one_shows(planes, tmp_path):
    source = find_stack(planes(np.zeros((4, 32, 32), "uint16")))
    pyramid = plan_pyramid(source, chunks=(2, 16, 16))
    report = convert(source, tmp_path / "out.zarr", pyramid)
    files = [path for path in (tmp_path / "out.zarr").rglob("*") if path.is_file()]
    assert report.objects == pyramid.objects == len(files) == 8 + 2


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_the_report_counts_what_lies_on_disk(version, planes, tmp_path):
    source = find_stack(planes(a_block((5, 70, 70))))
    pyramid = plan_pyramid(source, version=version, chunks=(2, 32, 32), levels=2)
    report = convert(source, tmp_path / "out.zarr", pyramid)
    files = [path for path in (tmp_path / "out.zarr").rglob("*") if path.is_file()]
    assert report.objects == len(files) == pyramid.objects
    assert report.nbytes == sum(path.stat().st_size for path in files)
    assert report.peak_memory_bytes > 0


def test_one_multipage_file_and_a_folder_of_its_planes_give_the_same_image(planes, tmp_path):
    block = a_block((7, 60, 50))
    tifffile.imwrite(tmp_path / "stack.tif", block, imagej=True, metadata={"axes": "ZYX"}, compression=None)
    one = find_stack(tmp_path / "stack.tif")
    many = find_stack(planes(block))
    options = {"chunks": (4, 32, 32), "levels": 2}
    first = convert_stack(one, tmp_path / "one.zarr", plan_pyramid(one, **options))
    second = convert_stack(many, tmp_path / "many.zarr", plan_pyramid(many, **options))
    for path in ("0", "1"):
        np.testing.assert_array_equal(first[path][:], second[path][:])


def test_compressed_pages_come_out_the_same(tmp_path):
    block = a_block((6, 90, 80))
    tifffile.imwrite(tmp_path / "z.tif", block, compression="zlib", photometric="minisblack")
    source = find_stack(tmp_path / "z.tif", axes="zyx")
    image = convert_stack(source, tmp_path / "out.zarr", plan_pyramid(source, levels=2), verify="full")
    np.testing.assert_array_equal(image["0"][:], block)


def test_a_hyperstack_keeps_channels_and_times_apart(tmp_path):
    block = a_block((2, 3, 2, 40, 30))  # t, z, c, y, x: ImageJ's order
    tifffile.imwrite(tmp_path / "h.tif", block, imagej=True, metadata={"axes": "TZCYX"})
    source = find_stack(tmp_path / "h.tif")
    assert source.axis_names == ("t", "c", "z", "y", "x")
    image = convert_stack(source, tmp_path / "out.zarr", plan_pyramid(source, levels=2))
    np.testing.assert_array_equal(image["0"][:], np.moveaxis(block, 2, 1))


def test_slabs_are_counted_up_to_their_total(planes, tmp_path):
    source = find_stack(planes(a_block((4, 64, 64))))
    calls = []
    convert(
        source,
        tmp_path / "out.zarr",
        plan_pyramid(source, chunks=(2, 16, 16), levels=3),
        on_slab=lambda done, total: calls.append((done, total)),
    )
    assert calls == sorted(calls)
    assert calls[-1][0] == calls[-1][1] > 1


def test_an_executor_of_the_callers_choice_does_the_work(planes, tmp_path):
    block = a_block((4, 64, 64))
    source = find_stack(planes(block))
    with ThreadPoolExecutor(1) as executor:
        image = convert_stack(source, tmp_path / "out.zarr", plan_pyramid(source), executor=executor)
    np.testing.assert_array_equal(image["0"][:], block)


def test_other_processes_can_do_the_work(planes, tmp_path):
    block = a_block((6, 64, 64))
    source = find_stack(planes(block))
    pyramid = plan_pyramid(source, chunks=(2, 16, 16), levels=3)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor:
        image = convert_stack(source, tmp_path / "out.zarr", pyramid, executor=executor, verify="full")
    np.testing.assert_array_equal(image["0"][:], block)


def test_nothing_is_overwritten_without_being_told_to(planes, tmp_path):
    source = find_stack(planes(a_block((2, 20, 20))))
    pyramid = plan_pyramid(source)
    convert(source, tmp_path / "out.zarr", pyramid)
    with pytest.raises(ExistsError, match=r"out\.zarr exists"):
        convert(source, tmp_path / "out.zarr", pyramid)
    convert(source, tmp_path / "out.zarr", pyramid, overwrite=True)


def test_what_is_no_image_is_never_overwritten(planes, tmp_path):
    folder = planes(a_block((2, 20, 20)))
    source = find_stack(folder)
    before = sorted(folder.iterdir())
    with pytest.raises(ExistsError, match="not a Zarr image"):
        convert(source, folder, plan_pyramid(source), overwrite=True)
    assert sorted(folder.iterdir()) == before


def test_an_interrupted_conversion_leaves_nothing_that_opens_and_can_be_run_again(planes, tmp_path):
    block = a_block((4, 64, 64))
    source = find_stack(planes(block))
    pyramid = plan_pyramid(source, chunks=(2, 16, 16), levels=2)
    destination = tmp_path / "out.zarr"

    def interrupt(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert(source, destination, pyramid, on_slab=interrupt)
    assert not destination.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["planes"]
    image = convert_stack(source, destination, pyramid)
    np.testing.assert_array_equal(image["0"][:], block)


def test_bands_not_begun_are_dropped_when_a_conversion_stops(planes, tmp_path, monkeypatch):
    source = find_stack(planes(a_block((32, 16, 16))))
    pyramid = plan_pyramid(source, chunks=(1, 16, 16))
    genuine, begun, stopped = run_module.work_on_band, [], Event()

    def work(*arguments):
        begun.append(arguments)
        if len(begun) > 1:
            stopped.wait(60)  # nobody goes on before the first result was answered with an interruption
        return genuine(*arguments)

    class Interrupting(Threads):
        def __exit__(self, *error):
            stopped.set()
            return super().__exit__(*error)

    def interrupt(done, total):
        raise KeyboardInterrupt

    monkeypatch.setattr(run_module, "work_on_band", work)
    monkeypatch.setattr(run_module, "Threads", Interrupting)
    with pytest.raises(KeyboardInterrupt):
        convert(source, tmp_path / "out.zarr", pyramid, on_slab=interrupt)
    assert len(begun) < 32


def test_what_a_killed_conversion_left_is_no_image_and_is_cleared_away(planes, tmp_path, monkeypatch):
    source = find_stack(planes(a_block((4, 64, 64))))
    pyramid = plan_pyramid(source)
    destination = tmp_path / "out.zarr"
    monkeypatch.setattr(
        destination_module.shutil, "rmtree", lambda *_, **__: None
    )  # as if killed: no tidying up
    monkeypatch.setattr(run_module, "write_root", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        convert(source, destination, pyramid)
    left = tmp_path / "out.zarr.partial"
    assert left.is_dir()
    with pytest.raises(FileNotFoundError):
        zarr.open_group(left, mode="r")
    monkeypatch.undo()
    convert(source, destination, pyramid)
    assert not left.exists()


def test_a_failed_overwrite_keeps_the_old_image(planes, tmp_path):
    old, new = a_block((2, 20, 20), seed=1), a_block((2, 20, 20), seed=2)
    first, second = find_stack(planes(old, "old")), find_stack(planes(new, "new"))
    convert(first, tmp_path / "out.zarr", plan_pyramid(first))

    def fail(done, total):
        raise ConversionError("stopped on purpose")

    with pytest.raises(ConversionError):
        convert(second, tmp_path / "out.zarr", plan_pyramid(second), overwrite=True, on_slab=fail)
    np.testing.assert_array_equal(zarr.open_group(tmp_path / "out.zarr", mode="r")["0"][:], old)


@pytest.mark.parametrize("verify", ["sample", "full"])
@pytest.mark.parametrize("level", [0, 1])
@pytest.mark.parametrize("at", [0, -1])
def test_a_wrong_byte_on_disk_does_not_pass_the_read_back(verify, level, at, planes, tmp_path, monkeypatch):
    monkeypatch.setattr(bands_module, "READ_BYTES", 1)  # a slab is a row of chunks
    source = find_stack(planes(a_block((4, 40, 40))))
    genuine = run_module.read_back

    def damage_then_read_back(place, *arguments):
        array = zarr.open_array(place / str(level), mode="r+")
        array[at, at, at] += 1
        genuine(place, *arguments)

    monkeypatch.setattr(run_module, "read_back", damage_then_read_back)
    pyramid = plan_pyramid(source, levels=2, chunks=(4, 8, 8), shards=None)
    with pytest.raises(ConversionError, match=rf"level {level} .* reads back wrong: 1 of"):
        convert(source, tmp_path / "out.zarr", pyramid, verify=verify)
    assert not (tmp_path / "out.zarr").exists()


def test_a_lost_object_is_noticed_even_without_read_back(planes, tmp_path, monkeypatch):
    source = find_stack(planes(a_block((4, 40, 40))))
    genuine = run_module.read_back

    def lose_one(place, *arguments):
        (place / "0" / "c" / "0" / "0" / "0").unlink()
        genuine(place, *arguments)

    monkeypatch.setattr(run_module, "read_back", lose_one)
    with pytest.raises(ConversionError, match="holds 3 objects, 4 were planned"):
        convert(source, tmp_path / "out.zarr", plan_pyramid(source, chunks=(4, 20, 20)), verify="none")


def test_the_root_is_written_after_everything_was_read_back(planes, tmp_path, monkeypatch):
    source = find_stack(planes(a_block((4, 40, 40))))
    genuine, seen = run_module.read_back, []

    def look(place, *arguments):
        seen.append((place / "zarr.json").exists())
        genuine(place, *arguments)

    monkeypatch.setattr(run_module, "read_back", look)
    convert(source, tmp_path / "out.zarr", plan_pyramid(source))
    assert seen == [False]
    assert (tmp_path / "out.zarr" / "zarr.json").exists()


@pytest.mark.s3
def test_a_bucket_can_be_the_destination_and_gets_its_root_last(planes, sandbox_server):
    sandbox_server.use()
    block = a_block((4, 40, 40))
    source = find_stack(planes(block))
    destination = sandbox_server.location("practical", "converted/image.ome.zarr")
    with watch(sandbox_server) as seen:
        image = convert_stack(source, destination, plan_pyramid(source, chunks=(2, 20, 20), levels=2))
    np.testing.assert_array_equal(image["0"][:], block)
    puts = [request.key for request in sorted(seen.requests, key=lambda r: r.at) if request.method == "PUT"]
    assert puts[-1] == "practical/converted/image.ome.zarr/zarr.json"
    assert [issue for issue in validate(destination) if issue.severity != "should"] == []
    with pytest.raises(ExistsError, match="choose another key"):
        convert(source, destination, plan_pyramid(source))


def test_a_missing_parent_folder_is_named(planes, tmp_path):
    source = find_stack(planes(a_block((2, 20, 20))))
    with pytest.raises(StorageError, match="no-such-folder is not a folder"):
        convert(source, tmp_path / "no-such-folder" / "out.zarr", plan_pyramid(source))


def test_a_plan_for_another_stack_is_refused(planes, tmp_path):
    source = find_stack(planes(a_block((2, 20, 20)), "a"))
    other = find_stack(planes(a_block((3, 20, 20)), "b"))
    with pytest.raises(PlanError, match="plan again"):
        convert(source, tmp_path / "out.zarr", plan_pyramid(other))


def test_a_prediction_counts_objects_exactly_and_bytes_closely(planes, tmp_path):
    source = find_stack(planes(a_block((8, 128, 128))))
    pyramid = plan_pyramid(source, chunks=(4, 64, 64), levels=2)
    forecast = predict(source, pyramid)
    report = convert(source, tmp_path / "out.zarr", pyramid)
    assert forecast.objects == report.objects
    assert forecast.nbytes == pytest.approx(report.nbytes, rel=0.3)


REAL = {
    "tiff/cellfinder/integration/detection/crop_planes/ch0": {"voxel_size": (5, 2, 2), "unit": "micrometer"},
    "tiff/neubias/image_data/xyz_calibrated_16bit__golgi_bfa.tif": {},
    "tiff/idr0023/trans_norm.tif": {},
}


def true_sha256(shared_data, item):
    """Return the oracle's checksum of the pixels, or of what tifffile reads where it lists none."""
    with (shared_data / "oracle.csv").open(newline="", encoding="utf-8") as file:
        listed = {row["item"].split("/[")[0]: row["sha256"] for row in csv.DictReader(file)}
    if item in listed:
        return listed[item]
    pixels = tifffile.imread(shared_data / item)
    return hashlib.sha256(pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()).hexdigest()


@pytest.mark.parametrize("item", REAL)
def test_real_stacks_come_out_bit_by_bit(item, shared_data, tmp_path):
    source = find_stack(shared_data / item, **REAL[item])
    pyramid = plan_pyramid(source)
    image = convert_stack(source, tmp_path / "out.ome.zarr", pyramid)
    level_0 = np.ascontiguousarray(image["0"][:])
    assert hashlib.sha256(level_0.tobytes()).hexdigest() == true_sha256(shared_data, item)
    for index, factors in enumerate(factors_of(pyramid)):
        np.testing.assert_array_equal(image[str(index + 1)][:], means(image[str(index)][:], factors))
    assert [issue for issue in validate(tmp_path / "out.ome.zarr") if issue.severity != "should"] == []
    yaozarrs.validate_zarr_store(tmp_path / "out.ome.zarr")


def test_no_z_calibration_is_invented_for_aligned_particles(shared_data, tmp_path):
    source = find_stack(shared_data / "tiff/idr0023/trans_norm.tif")
    assert any("voxel size" in note for note in source.notes)
    convert_stack(source, tmp_path / "out.ome.zarr", plan_pyramid(source))
    pyramid = describe_image(tmp_path / "out.ome.zarr")
    assert [axis.unit for axis in pyramid.axes] == [None, None, None]
    assert pyramid.levels[0].scale == (1.0, 1.0, 1.0)


def test_freed_memory_is_kept_where_the_c_library_can_be_told_so():
    assert reuse_freed_memory() is (platform.libc_ver()[0] == "glibc")
