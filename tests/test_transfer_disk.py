"""Folders, files and disks that get in the way of a transfer: one sentence each, and nothing half-written."""

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ngff_practical.cli import main
from ngff_practical.errors import AccessError, ExistsError, StorageError, TransferError
from ngff_practical.model import Location
from ngff_practical.storage import list_objects, local, write_object
from ngff_practical.transfer import (
    download,
    fetching,
    landing,
    make_manifest,
    manifest_path,
    upload,
    verify,
)
from ngff_practical.transfer.keys import check_local_names

pytestmark = pytest.mark.s3


@pytest.fixture
def stored(place: Location) -> Location:
    """A place with a few objects."""
    for key in ("0/c/0", "0/c/1", "0/zarr.json", "zarr.json"):
        write_object(place, key, key.encode())
    return place


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_second_download_to_the_same_place_is_refused_while_the_first_goes_on(
    stored: Location, tmp_path: Path
) -> None:
    refused: list[str] = []

    def meanwhile(done: int, total: int) -> None:
        with pytest.raises(ExistsError, match=r"another download is writing .*back\.zarr now"):
            download(stored, tmp_path / "back.zarr")
        refused.append("")

    download(stored, tmp_path / "back.zarr", on_object=meanwhile)
    assert len(refused) == 4
    assert names(tmp_path) == ["back.zarr", "back.zarr.manifest.json"]
    assert verify(tmp_path / "back.zarr", stored) == ()


def test_download_goes_on_after_a_kill_that_left_lock_and_part(stored: Location, tmp_path: Path) -> None:
    code = (
        "import os, sys\n"
        "from ngff_practical.model import Location\n"
        "from ngff_practical.transfer import download\n"
        "download(Location(*sys.argv[1:4]), sys.argv[4], on_object=lambda done, _: done < 3 or os._exit(9))"
    )
    target = tmp_path / "back.zarr"
    ended = subprocess.run(
        [sys.executable, "-c", code, stored.endpoint, stored.bucket, stored.key, target], timeout=120
    )
    assert ended.returncode == 9
    assert names(tmp_path) == ["back.zarr.lock", "back.zarr.part"]
    assert download(stored, target).skipped >= 3
    assert names(tmp_path) == ["back.zarr", "back.zarr.manifest.json"]


@pytest.mark.parametrize("dry_run", [False, True])
def test_file_where_a_folder_is_needed_is_named(stored: Location, tmp_path: Path, dry_run: bool) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=r"/file is a file, where a folder is needed"):
        download(stored, tmp_path / "file" / "deeper" / "back.zarr", dry_run=dry_run)
    assert names(tmp_path) == ["file"]


def test_file_in_the_way_of_the_part_is_named_before_anything_is_fetched(
    stored: Location, tmp_path: Path
) -> None:
    (tmp_path / "back.zarr.part").touch()
    with pytest.raises(StorageError, match=r"back\.zarr\.part is in the way; move it away$"):
        download(stored, tmp_path / "back.zarr")
    assert names(tmp_path) == ["back.zarr.part"]


@pytest.mark.parametrize("name", ["/", "a\0b"])
@pytest.mark.parametrize("work", [download, lambda place, path: upload(path, place)])
def test_path_that_cannot_be_a_name_is_refused(
    stored: Location, name: str, work: Callable[[Location, str], object]
) -> None:
    with pytest.raises(StorageError, match="cannot be the name of a file or folder; give one of its own"):
        work(stored, name)


def test_link_that_leads_nowhere_is_named_before_anything_is_fetched(
    stored: Location, tmp_path: Path
) -> None:
    (tmp_path / "back.zarr").symlink_to(tmp_path / "gone")
    with pytest.raises(StorageError, match=r"back\.zarr is a link to .*gone, where nothing is"):
        download(stored, tmp_path / "back.zarr")
    assert names(tmp_path) == ["back.zarr"]


def test_disk_that_is_full_when_the_manifest_is_written_is_told(
    stored: Location, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(local.tempfile, "mkstemp", full)
    where = ["--endpoint", stored.endpoint]
    assert main(["download", f"s3://{stored.bucket}/{stored.key}", str(tmp_path / "back.zarr"), *where]) == 2
    assert "manifest.json cannot be written: No space left on device" in capsys.readouterr().err


def test_disk_that_takes_half_a_file_at_a_time_gets_all_of_it(
    stored: Location, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Halves:
        def __init__(self, path: Path, mode: str, buffering: int) -> None:
            self.file = Path(path).open(mode, buffering=buffering)  # noqa: SIM115

        def __enter__(self) -> "Halves":
            return self

        def __exit__(self, *_: object) -> None:
            self.file.close()

        def write(self, data: memoryview) -> int:
            return int(self.file.write(data[: -(-len(data) // 2)]))

    monkeypatch.setattr(fetching, "open", Halves, raising=False)
    download(stored, tmp_path / "back.zarr")
    assert (tmp_path / "back.zarr" / "0" / "c" / "0").read_bytes() == b"0/c/0"


def test_file_that_is_cut_while_others_arrive_keeps_the_image_from_its_name(
    stored: Location, tmp_path: Path
) -> None:
    def cut(done: int, total: int) -> None:
        if done == total:
            (tmp_path / "back.zarr.part" / "0" / "c" / "0").write_bytes(b"0")

    with pytest.raises(TransferError, match=r"has 1 bytes where 5 were written; something else changes"):
        download(stored, tmp_path / "back.zarr", on_object=cut)
    assert not (tmp_path / "back.zarr").exists()
    download(stored, tmp_path / "back.zarr")
    assert verify(tmp_path / "back.zarr", stored) == ()


@pytest.mark.parametrize("old", ["file", "folder"])
@pytest.mark.parametrize("new", ["file", "folder"])
def test_overwriting_replaces_files_and_folders_alike(
    stored: Location, tmp_path: Path, old: str, new: str
) -> None:
    target = tmp_path / "back"
    if old == "file":
        target.write_text("old")
    else:
        target.mkdir()
        (target / "zarr.json").touch()
    source = stored if new == "folder" else stored / "zarr.json"
    download(source, target, overwrite=True)
    assert verify(target, source) == ()
    assert names(tmp_path) == ["back", "back.manifest.json"]


def test_old_image_is_back_under_its_name_where_the_new_one_cannot_take_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part, target = tmp_path / "a.part", tmp_path / "a"
    part.mkdir()
    target.mkdir()
    (target / "old").touch()
    rename = Path.rename

    def fails(self: Path, other: Path) -> Path:
        if self == part:
            raise PermissionError(errno.EACCES, "in use")
        return rename(self, other)

    monkeypatch.setattr(Path, "rename", fails)
    with pytest.raises(PermissionError):
        landing.take_name(part, target)
    assert names(target) == ["old"]
    assert names(tmp_path) == ["a", "a.part"]


def test_old_image_that_cannot_be_deleted_is_named_and_the_new_one_stays(
    stored: Location, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "back").mkdir()
    (tmp_path / "back" / "zarr.json").touch()

    def refuse(path: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(landing.shutil, "rmtree", refuse)
    assert download(stored, tmp_path / "back", overwrite=True).verified == 4
    assert "stays in" in caplog.text
    assert verify(tmp_path / "back", stored) == ()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no named pipes in folders")
def test_pipe_in_the_image_is_named_and_not_waited_for(place: Location, tmp_path: Path) -> None:
    (tmp_path / "t.zarr").mkdir()
    os.mkfifo(tmp_path / "t.zarr" / "pipe")
    with pytest.raises(StorageError, match=r"pipe in .* is neither a file nor a folder"):
        upload(tmp_path / "t.zarr", place)
    assert list(list_objects(place)) == []


def test_folder_that_may_not_be_read_is_named(
    place: Location, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(local.os, "scandir", refuse)
    with pytest.raises(AccessError, match=r"may not be read by this user; change its permissions"):
        upload(tmp_path, place)


def test_file_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "chunk").touch()
    opened = Path.open

    def refuse(self: Path, *arguments: str) -> object:
        if self.name == "chunk":
            raise PermissionError(errno.EACCES, "Permission denied", str(self))
        return opened(self, *arguments)

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(StorageError, match=r"chunk cannot be read: Permission denied"):
        make_manifest(tmp_path)


def test_name_longer_than_a_file_may_have_is_refused_before_anything_is_fetched(
    place: Location, tmp_path: Path
) -> None:
    write_object(place, "a" * 256, b"x")
    with pytest.raises(StorageError, match="longer than the 255 bytes"):
        download(place, tmp_path / "back.zarr")
    assert names(tmp_path) == []
    check_local_names(["a" * 255, "/".join(["é" * 100] * 5)])


def test_manifest_lies_beside_what_was_downloaded(stored: Location, tmp_path: Path) -> None:
    download(stored, tmp_path / "deep" / "er" / "back.zarr")
    assert manifest_path(tmp_path / "deep" / "er" / "back.zarr").is_file()
