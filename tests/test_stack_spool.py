"""Pages in one compressed strip: decoded once, whatever the bands, and kept in a bounded scratch file."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr

from ngff_practical.convert import convert_stack
from ngff_practical.errors import StackError
from ngff_practical.pyramid import plan_pyramid
from ngff_practical.stack import StackReader, decoding, find_stack, spool

# just above what is worth a scratch file: a strip of 2 MiB
NOISE = np.random.default_rng(5).integers(0, 40, (6, 1024, 1024))
STACK = (NOISE + np.arange(6)[:, None, None]).astype("uint16")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    options = {"compression": "zlib", "rowsperstrip": 1024, "photometric": "minisblack"}
    tifffile.imwrite(tmp_path / "stack.tif", STACK, **options)
    return tmp_path / "stack.tif"


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[int]]:
    """How often each page was decoded while pixels were read."""
    counts: Counter[int] = Counter()
    lock, real = threading.Lock(), decoding.decode_segment

    def counting(key, tables, data, index):
        with lock:
            counts[key.index] += 1
        return real(key, tables, data, index)

    monkeypatch.setattr(decoding, "decode_segment", counting)
    return counts


def bands(height: int) -> list[slice]:
    return [slice(start, start + height) for start in range(0, 1024, height)]


def test_each_page_is_decoded_once_for_all_bands(file, decoded):
    found = np.empty_like(STACK)
    with StackReader(find_stack(file, axes="zyx")) as reader:
        assert reader.rows_together < 128
        for rows in bands(128):
            for plane in range(6):
                reader.read(plane, rows, found[plane, rows])
    assert np.array_equal(found, STACK)
    assert decoded == dict.fromkeys(range(6), 1)


def test_workers_that_want_the_same_pages_share_the_decoding(file, decoded):
    found = np.empty_like(STACK)
    with StackReader(find_stack(file, axes="zyx")) as reader, ThreadPoolExecutor(4) as pool:

        def work(rows: slice) -> None:
            reader.read_planes(range(6), rows, found[:, rows])

        list(pool.map(work, bands(64)))
    assert np.array_equal(found, STACK)
    assert decoded == dict.fromkeys(range(6), 1)


def test_a_conversion_decodes_each_page_once(file, decoded, tmp_path):
    source = find_stack(file, axes="zyx")
    plan = plan_pyramid(source, chunks=(2, 128, 128), shards=None)
    image = convert_stack(source, tmp_path / "image.zarr", plan, verify="none")
    assert isinstance(image["0"], zarr.Array)
    assert np.array_equal(image["0"][:], STACK)
    assert decoded == dict.fromkeys(range(6), 1)


def test_a_full_scratch_file_costs_decoding_and_never_pixels(file, decoded, monkeypatch):
    monkeypatch.setattr(spool, "_MOST_PLANES", 2)
    found = np.empty_like(STACK)
    with StackReader(find_stack(file, axes="zyx")) as reader:
        for rows in bands(512):
            reader.read_planes(range(6), rows, found[:, rows])
    assert np.array_equal(found, STACK)
    assert decoded == dict.fromkeys(range(6), 2)


def test_without_room_on_the_disk_whole_strips_are_read_together(file, monkeypatch):
    nothing = type("Usage", (), {"free": 2**20})()
    monkeypatch.setattr(spool.shutil, "disk_usage", lambda folder: nothing)
    with StackReader(find_stack(file, axes="zyx")) as reader:
        assert reader.rows_together == 1024


def test_small_strips_need_no_scratch_file(tmp_path, monkeypatch):
    monkeypatch.setattr(spool.tempfile, "TemporaryFile", None)
    tifffile.imwrite(tmp_path / "a.tif", STACK[:2], compression="zlib", rowsperstrip=16)
    rows = np.empty((100, 1024), "uint16")
    with StackReader(find_stack(tmp_path / "a.tif", axes="zyx")) as reader:
        assert reader.rows_together == 16
        reader.read(1, slice(300, 400), rows)
    assert np.array_equal(rows, STACK[1, 300:400])


def test_the_scratch_file_has_no_name_and_goes_with_the_reader(file, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(spool.tempfile, "tempdir", None)
    rows = np.empty((10, 1024), "uint16")
    reader = StackReader(find_stack(file, axes="zyx"))
    reader.read(0, slice(0, 10), rows)
    kept = reader._spool._file
    assert [path.name for path in tmp_path.iterdir()] == ["stack.tif"]
    reader.close()
    assert kept.closed
    reader.read(0, slice(0, 10), rows)  # and one that is used again makes another
    reader.close()


def test_a_scratch_file_that_cannot_grow_is_one_sentence(file, monkeypatch):
    with StackReader(find_stack(file, axes="zyx")) as reader:
        assert reader.rows_together == 2

        class Full:
            def seek(self, at: int) -> None:
                """Go nowhere."""

            def write(self, view: memoryview) -> int:
                raise OSError(28, "No space left on device")

            def close(self) -> None:
                """Hold nothing."""

        reader._spool._file.close()
        reader._spool._file = Full()
        with pytest.raises(StackError, match=r"No space left on device; make room there.*TMPDIR"):
            reader.read(0, slice(0, 10), np.empty((10, 1024), "uint16"))


def test_a_damaged_page_stops_every_worker_that_waits_for_it(file):
    source = find_stack(file, axes="zyx")
    with tifffile.TiffFile(file) as tif:
        start = tif.pages[3].dataoffsets[0]
    with file.open("r+b") as handle:
        handle.seek(start)
        handle.write(bytes(range(255, 155, -1)))
    with StackReader(source) as reader, ThreadPoolExecutor(4) as pool:
        jobs = [
            pool.submit(reader.read_planes, range(6), rows, np.empty((6, 128, 1024), "uint16"))
            for rows in bands(128)
        ]
        errors = [job.exception(timeout=60) for job in jobs]
    assert all(isinstance(error, StackError) and "page 4" in str(error) for error in errors)
