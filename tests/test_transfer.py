"""Uploads, downloads and their proof, against the sandbox over HTTP and a server that plays faults."""

import hashlib
import json
import os
import shutil
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path, PureWindowsPath

import numpy as np
import pytest
import zarr

from ngff_practical.errors import (
    AccessError,
    ExistsError,
    NotFoundError,
    StorageError,
    TransferError,
)
from ngff_practical.model import Location, Request
from ngff_practical.sandbox import Sandbox
from ngff_practical.storage import delete_object, list_objects, read_object, write_object, zarr_store
from ngff_practical.storage.clients import exact_client
from ngff_practical.storage.crew import Crew, StoppedError
from ngff_practical.storage.moving import Objects
from ngff_practical.transfer import (
    checksums,
    delete_image,
    download,
    make_manifest,
    manifest_path,
    read_manifest,
    upload,
    verify,
    verify_copy,
    write_manifest,
)
from ngff_practical.transfer.keys import check_local_names, check_sendable, local_path, waves

ROOT = ("zarr.json", ".zattrs", ".zgroup", ".zmetadata")


@pytest.fixture
def image(tmp_path: Path) -> Path:
    return make_image(tmp_path / "embryo.ome.zarr")


def make_image(path: Path, zarr_format: int = 3) -> Path:
    pixels = np.arange(6 * 16 * 16, dtype="uint16").reshape(6, 16, 16)
    group = zarr.create_group(path, zarr_format=zarr_format)
    for level, step in enumerate((1, 2)):
        array = group.create_array(str(level), data=pixels[:, ::step, ::step], chunks=(1, 16, 16))
        array.attrs["level"] = level
    group.attrs["ome"] = {"version": "0.5"}
    return path


@pytest.fixture
def place(sandbox_server: Sandbox, request: pytest.FixtureRequest) -> Location:
    """A key of its own for each test, to which the environment's keys may write."""
    sandbox_server.use()
    name = request.node.name.replace("[", "-").rstrip("]")
    return sandbox_server.location("practical", f"transfer/{name}/embryo.ome.zarr")


@pytest.fixture
def seen(sandbox_server: Sandbox) -> Callable[[], list[Request]]:
    """Requests since the fixture was made, or since the last call, in the order they began."""
    since = sandbox_server.request_count()

    def look() -> list[Request]:
        nonlocal since
        found = sandbox_server.requests(since)
        since += len(found)
        return sorted(found, key=lambda request: request.at)  # the log notes them as they end

    return look


type Look = Callable[[], list[Request]]


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def stored(place: Location) -> dict[str, bytes]:
    return {found.key: read_object(place, found.key) for found in list_objects(place)}


def written(requests: list[Request], place: Location) -> list[str]:
    """Keys below the place that were written, in order; a request to delete names none, and is "-"."""
    changes = [r for r in requests if r.method in ("PUT", "POST", "DELETE")]
    return [
        "-" if r.method == "POST" else r.key.removeprefix(f"{place.bucket}/{place.key}/") for r in changes
    ]


class Stop(Exception):  # noqa: N818 - stands for Ctrl-C, not for an error
    pass


def interrupt_after(count: int) -> Callable[[int, int], None]:
    def on_object(done: int, total: int) -> None:
        if done >= count:
            raise Stop

    return on_object


# upload


@pytest.mark.s3
@pytest.mark.parametrize("zarr_format", [2, 3])
def test_image_comes_back_bit_identical(place: Location, tmp_path: Path, zarr_format: int) -> None:
    image = make_image(tmp_path / "there.zarr", zarr_format)
    sent = upload(image, place)
    fetched = download(place, tmp_path / "back.zarr")
    assert files(tmp_path / "back.zarr") == files(image)
    assert sent.objects == sent.copied == sent.verified == fetched.copied == fetched.verified
    assert sent.nbytes == sum(len(data) for data in files(image).values())
    assert sent.manifest.entries == fetched.manifest.entries


@pytest.mark.s3
@pytest.mark.parametrize("zarr_format", [2, 3])
def test_root_metadata_is_sent_last_and_inner_metadata_after_the_chunks(
    place: Location, tmp_path: Path, seen: Look, zarr_format: int
) -> None:
    upload(make_image(tmp_path / "image.zarr", zarr_format), place)
    keys = written(seen(), place)
    assert len(keys) == len(set(keys)) == len(files(tmp_path / "image.zarr"))
    ranks = [2 if key in ROOT else 1 if key.rpartition("/")[2] in (*ROOT, ".zarray") else 0 for key in keys]
    assert ranks == sorted(ranks)
    assert {0, 1, 2} == set(ranks)


@pytest.mark.s3
def test_interrupted_upload_does_not_open_and_goes_on_where_it_stopped(
    image: Path, place: Location, seen: Look
) -> None:
    with pytest.raises(Stop):
        upload(image, place, on_object=interrupt_after(5))
    before = set(written(seen(), place))
    assert 5 <= len(before) < len(files(image))
    with pytest.raises(FileNotFoundError):
        zarr.open_group(zarr_store(place), mode="r")
    seen()
    report = upload(image, place)
    again = set(written(seen(), place))
    assert before | again == set(files(image))
    assert not before & again
    assert (report.copied, report.skipped) == (len(again), len(before))
    assert report.verified == report.objects
    assert stored(place) == files(image)


@pytest.mark.s3
def test_image_that_is_there_already_is_not_sent_again(image: Path, place: Location, seen: Look) -> None:
    upload(image, place)
    seen()
    report = upload(image, place)
    assert written(seen(), place) == []
    assert (report.copied, report.skipped, report.verified) == (0, report.objects, report.objects)


@pytest.mark.s3
def test_progress_counts_every_object_once_and_ends_with_all(image: Path, place: Location) -> None:
    calls: list[tuple[int, int]] = []
    upload(image, place, on_object=lambda done, total: calls.append((done, total)))
    total = len(files(image))
    assert calls == [(done, total) for done in range(1, total + 1)]


@pytest.mark.s3
def test_dry_run_sends_and_writes_nothing(image: Path, place: Location, seen: Look) -> None:
    report = upload(image, place, dry_run=True)
    assert {request.method for request in seen()} <= {"GET", "HEAD"}
    assert report.dry_run
    assert (report.copied, report.verified) == (report.objects, 0)
    assert not manifest_path(image).exists()


@pytest.mark.s3
@pytest.mark.parametrize("dry_run", [False, True])
def test_other_image_at_the_place_is_refused_before_anything_is_sent(
    image: Path, place: Location, seen: Look, dry_run: bool
) -> None:
    write_object(place, "0/c/2/0/0", b"somebody's pixels")
    seen()
    with pytest.raises(ExistsError, match=r"0/c/2/0/0 exists already and differs.*overwrite"):
        upload(image, place, dry_run=dry_run)
    assert written(seen(), place) == []


@pytest.mark.s3
def test_object_that_the_image_does_not_have_is_refused(image: Path, place: Location, seen: Look) -> None:
    write_object(place, "0/c/77/0/0", b"stale chunk")
    seen()
    with pytest.raises(ExistsError, match="0/c/77/0/0 exists already and is not part of embryo"):
        upload(image, place)
    assert written(seen(), place) == []


@pytest.mark.s3
def test_overwriting_closes_the_old_image_first_and_leaves_nothing_of_it(
    image: Path, place: Location, seen: Look
) -> None:
    write_object(place, "0/c/2/0/0", b"old pixels")
    write_object(place, "0/c/77/0/0", b"stale chunk")
    write_object(place, "zarr.json", b"{}")
    seen()
    opens: list[bool] = []
    report = upload(
        image, place, overwrite=True, on_object=lambda *_: opens.append("zarr.json" in stored(place))
    )
    keys = written(seen(), place)
    assert (keys[0], keys[-1]) == ("-", "zarr.json")
    assert opens == [False] * (report.objects - 1) + [True]
    assert stored(place) == files(image)
    assert report.verified == report.objects


@pytest.mark.s3
def test_overwriting_an_image_in_part_still_closes_it_meanwhile(
    image: Path, place: Location, seen: Look
) -> None:
    upload(image, place)
    (image / "0/c/0/0/0").write_bytes(b"new pixels")
    seen()
    report = upload(image, place, overwrite=True)
    assert written(seen(), place) == ["-", "0/c/0/0/0", "zarr.json"]
    assert (report.copied, report.skipped) == (2, report.objects - 2)


@pytest.mark.s3
def test_dry_run_of_overwriting_names_what_would_be_deleted(image: Path, place: Location, seen: Look) -> None:
    upload(image, place)
    write_object(place, "0/c/77/0/0", b"stale chunk")
    seen()
    (problem,) = upload(image, place, overwrite=True, dry_run=True).problems
    assert "0/c/77/0/0 would be deleted" in problem.message
    assert written(seen(), place) == []


@pytest.mark.s3
def test_interrupted_overwriting_can_be_finished(image: Path, place: Location) -> None:
    old = {"0/c/0/0/0": b"old", "0/c/77/0/0": b"stale", "zarr.json": b"{}"}
    for key, data in old.items():
        write_object(place, key, data)
    with pytest.raises(Stop):
        upload(image, place, overwrite=True, on_object=interrupt_after(3))
    assert "zarr.json" not in stored(place)
    upload(image, place, overwrite=True)
    assert stored(place) == files(image)


@pytest.mark.s3
def test_overwriting_a_place_that_holds_other_images_is_refused(
    image: Path, place: Location, seen: Look
) -> None:
    write_object(place, "mine.zarr/zarr.json", b"{}")
    write_object(place, "mine.zarr/c/0", b"pixels")
    seen()
    with pytest.raises(ExistsError, match="is not an image that could be overwritten"):
        upload(image, place, overwrite=True)
    assert written(seen(), place) == []


@pytest.mark.s3
def test_trailing_slashes_never_nest(
    image: Path, place: Location, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slashed = Location(place.endpoint, place.bucket, place.key + "/")
    upload(f"{image}{os.sep}", slashed)
    upload(image, place)
    monkeypatch.chdir(image)
    upload(".", slashed)
    download(slashed, f"{tmp_path / 'back.zarr'}{os.sep}")
    assert stored(place) == files(image) == files(tmp_path / "back.zarr")


@pytest.mark.s3
def test_chunk_that_was_lost_on_the_server_is_sent_again_and_nothing_else(
    image: Path, place: Location, seen: Look
) -> None:
    upload(image, place)
    delete_object(place, "0/c/3/0/0")
    seen()
    assert upload(image, place).copied == 1
    assert written(seen(), place) == ["0/c/3/0/0"]


@pytest.mark.s3
def test_file_that_changes_during_the_upload_is_noticed(image: Path, place: Location) -> None:
    def on_object(done: int, total: int) -> None:
        (image / "zarr.json").write_bytes(b"changed")

    with pytest.raises(TransferError, match=r"zarr.json was changed while it was being sent.*Run the same"):
        upload(image, place, on_object=on_object)
    assert "zarr.json" not in stored(place)


@pytest.mark.s3
def test_file_of_another_time_is_noticed_even_where_its_size_is_the_same(
    image: Path, place: Location
) -> None:
    chunk = image / "0/c/3/0/0"

    def on_object(done: int, total: int) -> None:
        if done == 1:  # one object goes ahead, and none of the others has been read yet
            chunk.write_bytes(bytes(chunk.stat().st_size))
            os.utime(chunk, (1, 1))

    with pytest.raises(TransferError, match=r"3.0.0 was changed while it was being sent"):
        upload(image, place, on_object=on_object)
    assert "zarr.json" not in stored(place)


@pytest.mark.s3
def test_each_file_is_read_once(image: Path, place: Location, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Path] = []
    whole = Path.read_bytes

    def noted(path: Path) -> bytes:
        read.append(path)
        return whole(path)

    monkeypatch.setattr(Path, "read_bytes", noted)
    upload(image, place)
    chunks = [path for path in read if path.name not in (".zattrs", "zarr.json")]
    assert len(chunks) == len(set(chunks)) > 0


@pytest.mark.s3
def test_two_uploads_to_one_place_collide_and_overwrite_nothing(image: Path, place: Location) -> None:
    def on_object(done: int, total: int) -> None:
        if "zarr.json" not in {found.key for found in list_objects(place)}:
            write_object(place, "zarr.json", b"theirs")

    with pytest.raises(TransferError, match=r"zarr.json appeared during the upload.*somebody else"):
        upload(image, place, on_object=on_object)
    assert read_object(place, "zarr.json") == b"theirs"


@pytest.mark.s3
def test_image_does_not_open_where_somebody_elses_chunk_appeared(image: Path, place: Location) -> None:
    def on_object(done: int, total: int) -> None:
        if done == 1:
            write_object(place, "0/c/99/0/0", b"theirs")

    with pytest.raises(TransferError, match="0/c/99/0/0 appeared during the upload"):
        upload(image, place, on_object=on_object)
    assert "zarr.json" not in stored(place)


@pytest.mark.s3
def test_same_bytes_that_appeared_meanwhile_are_no_conflict(image: Path, place: Location) -> None:
    def on_object(done: int, total: int) -> None:
        if done == 1:
            write_object(place, "zarr.json", (image / "zarr.json").read_bytes())

    assert upload(image, place, on_object=on_object).verified == len(files(image))


@pytest.mark.s3
def test_single_file_goes_to_exactly_the_key_given(place: Location, tmp_path: Path) -> None:
    (tmp_path / "stack.tif").write_bytes(b"pages")
    tiff = Location(place.endpoint, place.bucket, f"{place.key}/data/stack.tif")
    report = upload(tmp_path / "stack.tif", tiff)
    assert (report.objects, report.verified) == (1, 1)
    assert read_object(tiff) == b"pages"
    assert download(tiff, tmp_path / "back.tif").verified == 1
    assert (tmp_path / "back.tif").read_bytes() == b"pages"
    assert verify(tmp_path / "stack.tif", tiff) == ()
    with pytest.raises(ExistsError, match=r"stack\.tif exists already"):
        upload(make_other(tmp_path), tiff)


def make_other(folder: Path) -> Path:
    (folder / "other.tif").write_bytes(b"other pages")
    return folder / "other.tif"


@pytest.mark.s3
def test_desktop_litter_is_not_sent(image: Path, place: Location) -> None:
    (image / ".DS_Store").write_bytes(b"view settings")
    (image / "0" / "Thumbs.db").write_bytes(b"thumbnails")
    upload(image, place)
    assert not {".DS_Store", "0/Thumbs.db"} & set(stored(place))


@pytest.mark.s3
def test_missing_and_empty_sources_are_refused(place: Location, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="nowhere"):
        upload(tmp_path / "nowhere", place)
    (tmp_path / "empty").mkdir()
    with pytest.raises(StorageError, match="is empty"):
        upload(tmp_path / "empty", place)


@pytest.mark.s3
def test_whole_bucket_is_no_destination(image: Path, place: Location) -> None:
    with pytest.raises(StorageError, match="a key of its own"):
        upload(image, Location(place.endpoint, place.bucket))


@pytest.mark.s3
def test_upload_without_credentials_says_how_to_give_them(
    image: Path, place: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(AccessError, match="AWS_ACCESS_KEY_ID"):
        upload(image, place)


@pytest.mark.s3
def test_upload_to_a_place_that_is_read_only_is_refused(
    image: Path, place: Location, sandbox_server: Sandbox
) -> None:
    with pytest.raises((AccessError, TransferError), match="may not"):
        upload(image, sandbox_server.location("idr", "mine.zarr"))


@pytest.mark.s3
def test_upload_from_a_folder_that_cannot_take_the_manifest_goes_on(
    image: Path, place: Location, caplog: pytest.LogCaptureFixture
) -> None:
    manifest_path(image).mkdir()
    assert upload(image, place).verified == len(files(image))
    assert "manifest was not written" in caplog.text


# large objects travel in parts


@pytest.mark.s3
@pytest.mark.usefixtures("five_mib_parts")
def test_large_file_travels_in_parts_both_ways_and_is_proven(
    place: Location, tmp_path: Path, seen: Look
) -> None:
    big = tmp_path / "big.tif"
    big.write_bytes(np.random.default_rng(1).bytes(11 * 2**20))
    assert upload(big, place).verified == 1
    sent = [request for request in seen() if request.method == "PUT"]
    assert sorted(request.nbytes for request in sent) == [2**20, 5 * 2**20, 5 * 2**20]
    assert download(place, tmp_path / "back.tif").verified == 1
    assert len([request for request in seen() if request.range]) == 3
    assert (tmp_path / "back.tif").read_bytes() == big.read_bytes()
    assert verify(big, place) == ()
    assert upload(big, place).skipped == 1


@pytest.mark.s3
@pytest.mark.usefixtures("five_mib_parts")
def test_large_file_that_changes_while_it_is_sent_leaves_no_parts_behind(
    place: Location, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    big, small = tmp_path / "image" / "big", tmp_path / "image" / "zarr.json"
    big.parent.mkdir()
    big.write_bytes(bytes(11 * 2**20))
    small.write_text("{}")
    os.utime(big, (1, 1))
    find = upload.__globals__["source_files"]

    def find_and_touch(root: Path, prefix: str) -> object:
        found = find(root, prefix)
        big.write_bytes(b"\1" + bytes(11 * 2**20 - 1))
        return found

    monkeypatch.setitem(upload.__globals__, "source_files", find_and_touch)
    with pytest.raises(TransferError, match="big was changed while"):
        upload(tmp_path / "image", place)
    assert stored(place) == {}
    client = exact_client(place)
    assert "Uploads" not in client.list_multipart_uploads(Bucket=place.bucket, Prefix=place.key)
    client.close()


# the manifest


@pytest.mark.s3
def test_manifest_lies_beside_the_image_and_holds_no_secrets(image: Path, place: Location) -> None:
    report = upload(image, place)
    path = image.with_name("embryo.ome.zarr.manifest.json")
    text = path.read_text(encoding="utf-8")
    assert read_manifest(path) == report.manifest
    for secret in (os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"], place.endpoint):
        assert secret not in text
    assert {item["key"]: item["sha256"] for item in json.loads(text)["objects"]} == {
        key: hashlib.sha256(data).hexdigest() for key, data in files(image).items()
    }


def test_manifest_survives_writing_and_reading(image: Path, tmp_path: Path) -> None:
    manifest = make_manifest(image)
    assert read_manifest(write_manifest(manifest, tmp_path / "x.manifest.json")) == manifest


GOOD = {"key": "a", "bytes": 1, "sha256": "0" * 64}


def document(*objects: object, version: int = 1, name: object = "x") -> str:
    return json.dumps(
        {"format": "ngff-practical manifest", "version": version, "name": name, "objects": objects}
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "\ufffd",
        "[" * 100_000,
        document({}),
        document(name=1),
        document(GOOD, GOOD),
        document(GOOD | {"bytes": -1}),
        document(GOOD | {"sha256": "?"}),
        document(version=2),
    ],
)
def test_damaged_manifest_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "x.manifest.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TransferError, match="manifest"):
        read_manifest(path)


# verify


@pytest.mark.s3
def test_intact_copy_has_no_problems_whatever_the_manifest_is_given_as(image: Path, place: Location) -> None:
    manifest = upload(image, place).manifest
    assert verify(manifest, place) == ()
    assert verify(manifest_path(image), place) == ()
    assert verify(str(image), place) == ()
    report = verify_copy(image, place)
    assert (report.verified, report.copied) == (len(files(image)), 0)


@pytest.mark.parametrize(
    "do",
    [
        lambda image, place: verify(image, image),
        lambda image, place: upload(image, str(place)),
        lambda image, place: download(image, image / "copy"),
        lambda image, place: delete_image(f"s3://practical/{place.key}"),
    ],
    ids=["verify", "upload", "download", "delete"],
)
def test_text_or_a_folder_instead_of_a_place_is_told_so(
    image: Path, do: Callable[[Path, Location], object]
) -> None:
    with pytest.raises(StorageError, match="no place on S3; give a Location"):
        do(image, Location("http://127.0.0.1:9", "practical", "embryo.ome.zarr"))


def test_place_instead_of_a_folder_is_told_so(image: Path) -> None:
    place = Location("http://127.0.0.1:9", "practical", "embryo.ome.zarr")
    with pytest.raises(StorageError, match="give the file or folder on this machine first"):
        verify(place, image)


@pytest.mark.s3
def test_altered_removed_and_added_objects_are_named(image: Path, place: Location) -> None:
    report = upload(image, place)
    altered = bytearray(read_object(place, "0/c/4/0/0"))
    altered[7] ^= 1
    write_object(place, "0/c/4/0/0", bytes(altered), overwrite=True)
    delete_object(place, "1/zarr.json")
    write_object(place, "notes.txt", b"hello")
    problems = verify(report.manifest, place)
    assert [(problem.kind, problem.key) for problem in problems] == [
        ("changed", "0/c/4/0/0"),
        ("missing", "1/zarr.json"),
        ("extra", "notes.txt"),
    ]
    assert all(place.url in str(problem) for problem in problems)
    assert verify_copy(report.manifest, place).verified == report.objects - 2


@pytest.mark.s3
def test_every_object_is_read_in_full_to_verify_it(image: Path, place: Location, seen: Look) -> None:
    report = upload(image, place)
    seen()
    verify(report.manifest, place)
    reads = [request for request in seen() if request.method == "GET" and "?" not in request.key]
    assert sum(request.nbytes for request in reads) == report.nbytes


@pytest.mark.s3
def test_object_of_another_size_is_named_without_reading_it(image: Path, place: Location) -> None:
    report = upload(image, place)
    write_object(place, "zarr.json", b"{}", overwrite=True)
    (problem,) = verify(report.manifest, place)
    assert "has 2 bytes" in problem.message


@pytest.mark.s3
def test_nothing_there_means_that_everything_is_missing(image: Path, place: Location) -> None:
    problems = verify(image, place)
    assert {problem.kind for problem in problems} == {"missing"}
    assert [problem.key for problem in problems] == sorted(files(image))


# download


@pytest.mark.s3
def test_download_needs_no_credentials_where_access_is_anonymous(
    sandbox_server: Sandbox, tmp_path: Path
) -> None:
    report = download(sandbox_server.location("idr", "tiny.zarr", anonymous=True), tmp_path / "tiny.zarr")
    assert report.verified == report.objects == 3
    assert zarr.open_array(tmp_path / "tiny.zarr", mode="r")[0, 0, 1] == 1


@pytest.mark.s3
@pytest.mark.parametrize(
    ("name", "overwrite", "way_out"),
    [
        ("mine", False, r"Choose another name, or ask to overwrite"),
        ("mine/zarr.json", False, r"Choose another name, or ask to overwrite"),
        ("mine/precious", False, r"a name of its own \(such as .*mine/embryo.ome.zarr\)"),
        ("mine/precious", True, r"a name of its own \(such as .*mine/embryo.ome.zarr\)"),
    ],
)
def test_existing_destination_is_left_alone(
    image: Path, place: Location, tmp_path: Path, name: str, overwrite: bool, way_out: str
) -> None:
    upload(image, place)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("mine")
    with pytest.raises(ExistsError, match=f"mine exists already.*{way_out}"):
        download(place, tmp_path / "mine", overwrite=overwrite)
    assert (tmp_path / name).read_text() == "mine"


@pytest.mark.s3
def test_overwriting_download_replaces_all_of_the_old_image(
    image: Path, place: Location, tmp_path: Path
) -> None:
    upload(image, place)
    target = make_image(tmp_path / "mine.zarr")
    (target / "0/c/99").mkdir(parents=True)
    (target / "0/c/99/stale").write_text("old")
    download(place, target, overwrite=True)
    assert files(target) == files(image)
    assert {path.name for path in tmp_path.glob("mine*")} == {"mine.zarr", "mine.zarr.manifest.json"}


@pytest.mark.s3
def test_empty_folder_may_be_filled(image: Path, place: Location, tmp_path: Path) -> None:
    upload(image, place)
    (tmp_path / "new.zarr").mkdir()
    download(place, tmp_path / "new.zarr")
    assert files(tmp_path / "new.zarr") == files(image)


@pytest.mark.s3
def test_interrupted_download_has_no_final_name_and_goes_on_where_it_stopped(
    image: Path, place: Location, tmp_path: Path, seen: Look
) -> None:
    upload(image, place)
    seen()
    target = tmp_path / "back.zarr"
    with pytest.raises(Stop):
        download(place, target, on_object=interrupt_after(5))
    assert not target.exists()
    assert not manifest_path(target).exists()
    arrived = set(files(tmp_path / "back.zarr.part"))
    assert "zarr.json" not in arrived
    torn = tmp_path / "back.zarr.part" / sorted(arrived)[0]
    torn.write_bytes(bytes(torn.stat().st_size))
    seen()
    report = download(place, target)
    again = [request for request in seen() if request.method == "GET" and "?" not in request.key]
    assert len(again) == report.copied == report.objects - len(arrived) + 1
    assert report.verified == report.objects
    assert files(target) == files(image)
    assert not (tmp_path / "back.zarr.part").exists()


@pytest.mark.s3
def test_dry_run_of_a_download_writes_nothing(image: Path, place: Location, tmp_path: Path) -> None:
    upload(image, place)
    report = download(place, tmp_path / "back.zarr", dry_run=True)
    assert (report.copied, report.nbytes) == (len(files(image)), sum(map(len, files(image).values())))
    assert not list(tmp_path.glob("back*"))


@pytest.mark.s3
def test_wrong_key_is_answered_with_what_is_there(image: Path, place: Location, tmp_path: Path) -> None:
    upload(image, place)
    wrong = Location(place.endpoint, place.bucket, place.key.replace("embryo", "Embryo"))
    with pytest.raises(NotFoundError, match=r"nothing is stored at .*Embryo.*embryo\.ome\.zarr/"):
        download(wrong, tmp_path / "x.zarr")


@pytest.mark.s3
def test_object_replaced_during_the_download_is_noticed(image: Path, place: Location, tmp_path: Path) -> None:
    upload(image, place)
    other = read_object(place, "zarr.json").replace(b"0.5", b"0.6")

    def on_object(done: int, total: int) -> None:
        write_object(place, "zarr.json", other, overwrite=True)

    with pytest.raises(TransferError, match=r"zarr.json was replaced while.*run the same command again"):
        download(place, tmp_path / "back.zarr", on_object=on_object)
    assert not (tmp_path / "back.zarr").exists()


@pytest.mark.s3
@pytest.mark.usefixtures("five_mib_parts")
def test_large_object_replaced_between_two_ranges_is_noticed(place: Location, tmp_path: Path) -> None:
    write_object(place, "", bytes(11 * 2**20))
    objects = Objects(place)
    old = objects.head()
    write_object(place, "", b"\1" * 11 * 2**20, overwrite=True)
    with pytest.raises(StorageError, match="was replaced while it was being read"):
        objects.get(start=0, stop=10, etag=old.etag)


@pytest.mark.s3
def test_full_disk_is_told_before_anything_is_fetched(
    image: Path, place: Location, tmp_path: Path, seen: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(image, place)
    seen()
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 10, 0))
    with pytest.raises(StorageError, match=r"0\.0 MB free"):
        download(place, tmp_path / "back.zarr")
    assert not [request for request in seen() if request.method == "GET" and "?" not in request.key]


@pytest.mark.s3
def test_key_that_leads_elsewhere_is_not_downloaded(place: Location, tmp_path: Path) -> None:
    write_object(place, "zarr.json", b"{}")
    write_object(place, "..\\..\\evil", b"evil")
    with pytest.raises(StorageError, match="cannot be a file below the destination"):
        download(place, tmp_path / "inner" / "x.zarr")
    assert not list(tmp_path.iterdir())


# delete


@pytest.mark.s3
def test_deleting_an_image_starts_with_its_root(
    image: Path, place: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(image, place)
    beside = Location(place.endpoint, place.bucket, f"{place.key}2")
    write_object(beside, "zarr.json", b"{}")
    assert len(delete_image(place, dry_run=True)) == len(stored(place)) == len(files(image))
    deleted: list[str | list[str]] = []

    delete = Objects.delete

    def noted(self: Objects, keys: str | list[str]) -> None:
        deleted.append(keys)
        delete(self, keys)

    monkeypatch.setattr(Objects, "delete", noted)
    delete_image(place)
    assert deleted[0] == "zarr.json"
    assert stored(place) == {}
    assert stored(beside) == {"zarr.json": b"{}"}


def test_whole_bucket_is_never_deleted() -> None:
    with pytest.raises(StorageError, match="whole bucket"):
        delete_image(Location("http://127.0.0.1:9", "practical"))


# keys


@pytest.mark.parametrize(
    "key",
    ["../x", "a/../../x", "/x", "a//b", "./x", "a/.", "a\\b", "C:x", "a/C:/x", "a\0b", "a\nb", "a/"],
)
def test_key_that_is_no_file_below_a_folder_is_refused(key: str) -> None:
    with pytest.raises(StorageError, match="cannot be a file below the destination"):
        check_local_names(["fine", key])


def test_key_that_is_both_object_and_folder_is_refused() -> None:
    with pytest.raises(StorageError, match="both an object 'a/b'"):
        check_local_names(["a/b", "a/b/c/d"])


@pytest.mark.parametrize("key", ["xy:z", "a/nul", "CON.txt", "a/b ", "a./b", "what?", "lpt1"])
def test_key_that_windows_takes_for_something_else_is_refused_there(key: str) -> None:
    check_local_names([key], windows=False)
    with pytest.raises(StorageError, match="cannot be a file below the destination"):
        check_local_names([key], windows=True)


@pytest.mark.parametrize("key", ["zarr.json", "0/c/0/0", "a b/é/x", "console", ".zattrs"])
def test_keys_and_windows_paths_become_each_other(key: str) -> None:
    check_local_names([key], windows=True)
    root = PureWindowsPath("C:\\data\\embryo.ome.zarr")
    path = local_path(root, key)
    assert str(path) == "C:\\data\\embryo.ome.zarr\\" + key.replace("/", "\\")
    assert path.relative_to(root).as_posix() == key


def test_ordinary_keys_may_become_files() -> None:
    check_local_names(["zarr.json", "0/c/0/0", "a b/é/xy:z", "..a", "a..b/...c"])


@pytest.mark.parametrize("name", ["a\nb", "a\\b", "\udcff", "x" * 1020])
def test_file_name_that_makes_no_readable_key_is_refused(name: str) -> None:
    with pytest.raises(StorageError):
        check_sendable(name, "prefix")


def test_metadata_of_inner_images_goes_from_the_inside_out() -> None:
    keys = ["zarr.json", "A/zarr.json", "A/1/0/zarr.json", "A/1/zarr.json", "A/1/0/c/0", ".zattrs", ".zgroup"]
    assert waves(keys) == [
        ["A/1/0/c/0"],
        ["A/1/0/zarr.json"],
        ["A/1/zarr.json"],
        ["A/zarr.json"],
        [".zgroup"],
        [".zattrs"],
        ["zarr.json"],
    ]


# checksums


def test_etag_of_an_upload_in_parts_proves_the_bytes() -> None:
    data = np.random.default_rng(2).bytes(17 * 2**20)
    digests = [hashlib.md5(data[at : at + 8 * 2**20]).digest() for at in range(0, len(data), 8 * 2**20)]
    etag = f"{hashlib.md5(b''.join(digests)).hexdigest()}-3"
    assert checksums.etag_proves(etag, data, len(data))
    assert not checksums.etag_proves(etag, data[:-1] + b"?", len(data))


@pytest.mark.parametrize("etag", [None, "", "anything", "0" * 32, "0" * 32 + "-2", "0" * 32 + "-0"])
def test_etag_that_is_no_checksum_of_the_bytes_proves_nothing(etag: str | None) -> None:
    assert not checksums.etag_proves(etag, b"bytes", 5)


def test_parts_grow_with_the_object_so_that_s3_takes_them_all() -> None:
    for nbytes in (2**30, 2**38, 2**42):
        assert nbytes / checksums.part_nbytes(nbytes) <= 10_000


# the crew


def test_crew_works_through_everything() -> None:
    sizes = [3, 9, 1, 20, 5] * 40
    with Crew(workers=8, budget_nbytes=10) as crew:
        done = list(crew.each(sizes, lambda size: size + 1, lambda size: size))
    assert sorted(done) == sorted((size, size + 1) for size in sizes)


@pytest.mark.parametrize(("size", "at_once"), [(5, 2), (4, 2), (1, 8), (11, 1)])
def test_crew_keeps_to_its_budget_and_number(size: int, at_once: int) -> None:
    one_more = threading.Barrier(at_once + 1)

    def meets_others(_: int) -> bool:
        try:
            one_more.wait(0.2)
        except threading.BrokenBarrierError:
            return False
        return True

    with Crew(workers=8, budget_nbytes=10) as crew:
        met = [result for _, result in crew.each([size] * 20, meets_others, lambda size: size)]
    assert not any(met)


def test_crew_stops_with_the_first_error() -> None:
    begun: list[int] = []

    def work(number: int) -> None:
        begun.append(number)
        if number == 3:
            raise Stop

    with pytest.raises(Stop), Crew(workers=1) as crew:
        list(crew.each(range(1000), work, lambda _: 1))
    assert len(begun) == 4


def test_worker_that_waits_gives_up_when_the_crew_stops() -> None:
    waiting, gave_up = threading.Event(), threading.Event()

    def work(number: int) -> None:
        if number:
            waiting.wait(10)
            raise Stop
        waiting.set()
        try:
            crew.pause(60)
        except StoppedError:
            gave_up.set()
            raise

    with pytest.raises(Stop), Crew(workers=2) as crew:
        list(crew.each([0, 1], work, lambda _: 1))
    assert gave_up.wait(10)


# a server that plays faults


class FaultyServer:
    """Just enough S3 for one bucket; `faults` maps "METHOD key" to what happens to the next requests."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}
        self.faults: dict[str, list[str]] = {}
        self.asked: list[str] = []
        self.sealed: list[bool] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_PUT(self) -> None:
                outer.sealed.append("x-amz-checksum-sha256" in self.headers)
                data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                fault, key = self._begin()
                if fault.isdigit():
                    self._answer(int(fault))
                elif self.headers.get("If-None-Match") and key in outer.held:
                    self._answer(412)
                elif fault == "flip":
                    outer.held[key] = bytes([data[0] ^ 1]) + data[1:]
                    self._answer(200, etag=outer.held[key])
                elif fault != "reset":
                    outer.held[key] = data
                    if fault == "lost answer":
                        self._break()
                    else:
                        self._answer(200, etag=b"no checksum" if fault == "opaque" else data)

            def do_GET(self) -> None:
                fault, key = self._begin()
                if "list-type=2" in self.path:
                    self._list()
                elif fault.isdigit() or key not in outer.held:
                    self._answer(int(fault or 404))
                else:
                    data = outer.held[key]
                    sent = bytes([data[0] ^ 1]) + data[1:] if fault == "flip" else data
                    self._answer(200, sent, etag=b"other" if fault == "opaque" else data)

            do_HEAD = do_GET  # noqa: N815

            def _begin(self) -> tuple[str, str]:
                key = self.path.partition("?")[0].removeprefix("/bucket/")
                request = f"{self.command} {key}"
                outer.asked.append(request)
                fault = (outer.faults.get(request) or [""]).pop(0)
                if fault == "reset":
                    self._break()
                return fault, key

            def _list(self) -> None:
                keys = "".join(
                    f"<Contents><Key>{key}</Key><Size>{len(data)}</Size>"
                    f"<LastModified>2026-11-22T00:00:00.000Z</LastModified>"
                    f"<ETag>&quot;{hashlib.md5(data).hexdigest()}&quot;</ETag></Contents>"
                    for key, data in sorted(outer.held.items())
                )
                self._answer(200, f"<ListBucketResult>{keys}</ListBucketResult>".encode())

            def _answer(self, status: int, body: bytes = b"", etag: bytes = b"") -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("ETag", f'"{hashlib.md5(etag).hexdigest()}"')
                self.send_header("Last-Modified", "Sun, 22 Nov 2026 00:00:00 GMT")
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            def _break(self) -> None:
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self.connection.close()
                self.close_connection = True

            def log_message(self, format: str, *args: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, request: object, client_address: object) -> None:
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.location = Location(f"http://127.0.0.1:{self.server.server_port}", "bucket", "x.zarr")


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyServer]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "PLANTEDKEYID")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "planted-secret")
    server = FaultyServer()
    yield server
    server.server.shutdown()
    server.server.server_close()


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    (tmp_path / "x.zarr").mkdir()
    (tmp_path / "x.zarr" / "c").write_bytes(b"chunk")
    (tmp_path / "x.zarr" / "zarr.json").write_bytes(b"{}")
    return tmp_path / "x.zarr"


HELD = {"x.zarr/c": b"chunk", "x.zarr/zarr.json": b"{}"}


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    pauses: list[float] = []
    monkeypatch.setattr(Crew, "pause", lambda self, seconds: pauses.append(seconds))
    return pauses


@pytest.mark.parametrize("faults", [["reset"], ["reset", "reset", "503"], ["lost answer"], ["429", "500"]])
def test_upload_gets_through_passing_trouble(
    faulty: FaultyServer, tiny: Path, no_pauses: list[float], faults: list[str]
) -> None:
    faulty.faults = {"PUT x.zarr/c": list(faults)}
    assert upload(tiny, faulty.location).verified == 2
    assert faulty.held == HELD


def test_pauses_between_attempts_grow_and_are_uneven(faulty: FaultyServer) -> None:
    faulty.faults = {"PUT x.zarr/c": ["reset"] * 4}
    pauses: list[float] = []
    Objects(faulty.location, pause=pauses.append).put("c", b"chunk")
    assert len(pauses) == 4
    assert all(0.25 * 2**n <= pause <= 0.5 * 2**n for n, pause in enumerate(pauses))


def test_trouble_that_does_not_pass_is_given_up_and_explained(
    faulty: FaultyServer, tiny: Path, no_pauses: list[float]
) -> None:
    faulty.faults = {"PUT x.zarr/c": ["reset"] * 99}
    with pytest.raises(TransferError, match=r"broke off.*0 of 2 objects.*Run the same command again"):
        upload(tiny, faulty.location)
    assert 40 < sum(no_pauses) <= 60
    assert faulty.held == {}


@pytest.mark.parametrize("status", ["403", "404", "405"])
def test_refusal_is_not_tried_again(
    faulty: FaultyServer, tiny: Path, no_pauses: list[float], status: str
) -> None:
    faulty.faults = {"PUT x.zarr/c": [status] * 9}
    with pytest.raises(TransferError, match=r"x\.zarr/c"):
        upload(tiny, faulty.location)
    assert faulty.asked.count("PUT x.zarr/c") == 1
    assert no_pauses == []


def test_bytes_altered_on_the_way_up_are_sent_again(faulty: FaultyServer, tiny: Path) -> None:
    faulty.faults = {"PUT x.zarr/c": ["flip"]}
    assert upload(tiny, faulty.location).verified == 2
    assert faulty.held == HELD


def test_bytes_altered_again_and_again_end_the_upload(faulty: FaultyServer, tiny: Path) -> None:
    faulty.faults = {"PUT x.zarr/c": ["flip"] * 9}
    with pytest.raises(TransferError, match=r"x\.zarr/c holds other bytes than were sent"):
        upload(tiny, faulty.location)
    assert "x.zarr/zarr.json" not in faulty.held


def test_object_whose_etag_is_no_checksum_is_read_back(faulty: FaultyServer, tiny: Path) -> None:
    faulty.faults = {"PUT x.zarr/c": ["opaque"]}
    assert upload(tiny, faulty.location).verified == 2
    assert faulty.asked.count("GET x.zarr/c") == 1


def test_flipped_byte_on_the_way_down_is_noticed_and_fetched_again(
    faulty: FaultyServer, tmp_path: Path
) -> None:
    faulty.held = dict(HELD)
    faulty.faults = {"GET x.zarr/c": ["flip"]}
    assert download(faulty.location, tmp_path / "x.zarr").verified == 2
    assert (tmp_path / "x.zarr/c").read_bytes() == b"chunk"


def test_bytes_that_arrive_differently_twice_never_get_a_name(
    faulty: FaultyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faulty.held = dict(HELD)
    answers = iter([b"Chunk", b"cHunk"])
    get = Objects.get

    def altered(self: Objects, key: str = "", **options: object) -> object:
        received = get(self, key)
        if key != "c":
            return received
        return type(received)(memoryview(next(answers)), received.etag)

    monkeypatch.setattr(Objects, "get", altered)
    with pytest.raises(TransferError, match=r"x\.zarr/c arrived twice with different bytes"):
        download(faulty.location, tmp_path / "x.zarr")
    assert not (tmp_path / "x.zarr").exists()


def test_no_key_reaches_an_error_or_the_manifest(faulty: FaultyServer, tiny: Path) -> None:
    faulty.faults = {"PUT x.zarr/c": ["403"]}
    with pytest.raises(TransferError) as caught:
        upload(tiny, faulty.location)
    upload(tiny, faulty.location)
    told: list[str] = [manifest_path(tiny).read_text()]
    error: BaseException | None = caught.value
    while error is not None:
        told.append(repr(error))
        error = error.__cause__ or error.__context__
    assert not any("PLANTED" in text or "planted" in text for text in told)


def test_server_that_does_not_know_create_only_is_asked_whether_the_key_is_free(
    faulty: FaultyServer, tiny: Path
) -> None:
    faulty.faults = {"PUT x.zarr/c": ["501"]}
    assert upload(tiny, faulty.location).verified == 2
    assert faulty.held == HELD


@pytest.mark.parametrize("status", ["400", "501"])
def test_server_that_refuses_checksums_gets_none_after_the_first_object(
    faulty: FaultyServer, tiny: Path, status: str
) -> None:
    faulty.faults = {"PUT x.zarr/c": [status]}
    report = upload(tiny, faulty.location)
    assert report.verified == report.objects
    assert faulty.sealed == [True] + [False] * report.objects


def test_every_object_carries_its_checksum_where_nobody_minds(faulty: FaultyServer, tiny: Path) -> None:
    report = upload(tiny, faulty.location)
    assert faulty.sealed == [True] * report.objects
