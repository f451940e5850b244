"""Folders of TIFFs on S3: named, ordered and read as local ones, with few requests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from rawtiff import Page, page_tags, raw_tiff

from ngff_practical.cli import main
from ngff_practical.convert import convert_stack
from ngff_practical.errors import NotFoundError, StackError, StorageError
from ngff_practical.model import Location
from ngff_practical.pyramid import plan_pyramid
from ngff_practical.sandbox import Sandbox
from ngff_practical.stack import find_stack, read_stack
from ngff_practical.storage import list_objects, write_object

pytestmark = pytest.mark.s3
NOISE = np.random.default_rng(3).integers(0, 2**16, (12, 64, 80)).astype("uint16")


@pytest.fixture
def bucket(sandbox_server: Sandbox, request: pytest.FixtureRequest) -> Location:
    sandbox_server.use()
    return sandbox_server.location("practical", f"folders/{request.node.name}")


def put(place: Location, name: str, data: np.ndarray, folder: Path, **options: object) -> None:
    tifffile.imwrite(folder / "made.tif", data, metadata=None, **options)
    write_object(place, name, (folder / "made.tif").read_bytes(), overwrite=True)


def axes_of(source: object) -> str:
    return "".join(source.axis_names)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "options",
    [{}, {"compression": "zlib", "predictor": True}, {"tile": (16, 16)}, {"byteorder": ">"}],
    ids=str,
)
def test_planes_in_a_folder_on_s3_are_one_stack(tmp_path, bucket, options):
    for z, plane in enumerate(NOISE):
        put(bucket, f"embryo_z{z}.tif", plane, tmp_path, **options)  # z10 after z2
    write_object(bucket, "notes.txt", b"hello", overwrite=True)
    source = find_stack(bucket)
    assert (axes_of(source), source.name, len(source.versions)) == ("zyx", bucket.name, len(NOISE))
    assert any("notes.txt" in note for note in source.notes)
    np.testing.assert_array_equal(read_stack(source), NOISE)


def test_folders_in_a_folder_on_s3_become_axes(tmp_path, bucket):
    for c in range(2):
        for z in range(3):
            put(bucket / f"ch{c}", f"img_z{z:03}.tif", NOISE[3 * c + z], tmp_path)
    put(bucket / "thumbs", "preview.tif", NOISE[0, :9, :9], tmp_path)
    source = find_stack(bucket)
    assert (axes_of(source), source.shape[:2]) == ("czyx", (2, 3))
    np.testing.assert_array_equal(read_stack(source), NOISE[:6].reshape(2, 3, 64, 80))


def test_a_pattern_chooses_files_on_s3(tmp_path, bucket):
    for c in range(2):
        for z in range(3):
            put(bucket, f"p{z}_w{c}.tif", NOISE[3 * c + z], tmp_path)
    source = find_stack(bucket, pattern="p{z}_w1.tif")
    np.testing.assert_array_equal(read_stack(source), NOISE[3:6])


def test_files_of_many_pages_on_s3_are_put_behind_each_other(tmp_path, bucket):
    for t in range(2):
        write_object(
            bucket,
            f"t{t}.tif",
            raw_tiff(
                [Page(page_tags(64, 80), [plane.tobytes()]) for plane in NOISE[6 * t : 6 * t + 6]],
            ),
            overwrite=True,
        )
    source = find_stack(bucket, axes="tzyx")
    np.testing.assert_array_equal(read_stack(source), NOISE.reshape(2, 6, 64, 80))


def test_a_folder_on_s3_is_converted_from_the_command_line(tmp_path, bucket, sandbox_server, capsys):
    for z, plane in enumerate(NOISE):
        put(bucket, f"z{z:02}.tif", plane, tmp_path, compression="zlib")
    address = f"s3://{bucket.bucket}/{bucket.key}/"
    out = tmp_path / "out.ome.zarr"
    words = [address, str(out), "--endpoint", bucket.endpoint, "--verify", "full"]
    assert main(["convert", *words]) == 0
    source = find_stack(bucket)
    image = convert_stack(source, tmp_path / "again.zarr", plan_pyramid(source), verify="full")
    np.testing.assert_array_equal(image["0"][:], NOISE)
    assert "Traceback" not in capsys.readouterr().err


def test_each_header_is_one_request_and_each_plane_another(tmp_path, bucket, sandbox_server):
    for z, plane in enumerate(NOISE):
        put(bucket, f"z{z:02}.tif", plane, tmp_path)
    before = sandbox_server.request_count()
    source = find_stack(bucket)
    found = sandbox_server.requests(before)
    assert len(found) <= len(NOISE) + 4  # is it an object? which keys are there?
    before = sandbox_server.request_count()
    read_stack(source)
    assert len(sandbox_server.requests(before)) == len(NOISE)


def test_directories_behind_the_pixels_take_one_more_request(tmp_path, bucket, sandbox_server):
    large = np.zeros((1, 200, 200), "uint16")
    for z in range(8):
        data = raw_tiff([Page(page_tags(200, 200), [(large + z).tobytes()])])
        write_object(bucket, f"z{z:02}.tif", data, overwrite=True)
    before = sandbox_server.request_count()
    source = find_stack(bucket)
    assert len(sandbox_server.requests(before)) <= 2 * 8 + 4
    assert read_stack(source)[:, 0, 0].tolist() == list(range(8))


@pytest.mark.parametrize("when", ["while planes are found", "before pixels are read"])
def test_a_plane_replaced_on_s3_is_an_error(tmp_path, bucket, when):
    for z in range(3):
        put(bucket, f"z{z}.tif", NOISE[z], tmp_path)
    source = find_stack(bucket)
    put(bucket, "z1.tif", NOISE[5] if "pixels" in when else NOISE[5, :32], tmp_path)
    with pytest.raises(StorageError, match=r"z1\.tif was replaced while it was being read"):
        read_stack(source)


FAULTS = {
    "gap": ({"z0.tif": 0, "z1.tif": 1, "z4.tif": 2}, r"after z1\.tif comes z4\.tif; missing: 2, 3"),
    "empty": ({"z0.tif": 0, "z1.tif": b"", "z2.tif": 2}, r"^z1\.tif is empty \(0 bytes\)"),
    "web page": ({"z0.tif": 0, "z1.tif": b"<html>"}, r"^z1\.tif is not a TIFF but a web page"),
    "cut off": ({"z0.tif": 0, "z1.tif": -1}, r"^z1\.tif, page 1 needs bytes up to"),
    "no TIFF": ({"a.txt": b"a", "sub/b.txt": b"b"}, r"holds no TIFF \(\*\.tif, \*\.tiff\)"),
    "copies": ({"z0.tif": 0, "z1.tif": 1, "z1 (1).tif": 1}, r"holds copies: z1 \(1\)\.tif"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_folder_on_s3_with_a_fault_is_refused_in_one_sentence(tmp_path, bucket, fault, capsys):
    files, said = FAULTS[fault]
    for name, content in files.items():
        if isinstance(content, bytes):
            write_object(bucket, name, content, overwrite=True)
            continue
        tifffile.imwrite(tmp_path / "made.tif", NOISE[abs(content)], metadata=None)
        data = (tmp_path / "made.tif").read_bytes()
        write_object(bucket, name, data[:-9] if content < 0 else data, overwrite=True)
    with pytest.raises(StackError, match=said) as error:
        find_stack(bucket)
    assert "\n" not in str(error.value)
    out = bucket.bucket, f"{bucket.key}-out"
    words = [f"s3://{bucket.bucket}/{bucket.key}", f"s3://{out[0]}/{out[1]}", "--endpoint", bucket.endpoint]
    assert main(["convert", *words]) == 2
    assert "Traceback" not in capsys.readouterr().err
    assert list(list_objects(Location(bucket.endpoint, *out))) == []


@pytest.mark.parametrize("name", ["my planes (2)", "A+B", "50% [old]", "größe"])
def test_odd_names_of_folders_and_planes_do_not_matter(tmp_path, bucket, name):
    for z in range(2):
        put(bucket / name, f"{name} z{z}.tif", NOISE[z], tmp_path)
    np.testing.assert_array_equal(read_stack(find_stack(bucket / name)), NOISE[:2])


def test_an_address_where_nothing_is_says_so(bucket):
    with pytest.raises(NotFoundError, match=r"nothing is stored at .*; check the spelling"):
        find_stack(bucket / "nowhere")
