"""OME-Zarr in zip archives: read as folders are, and judged by RFC-9."""

import shutil
import struct
import sys
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from ngff_practical.cli import main
from ngff_practical.errors import MetadataError, NgffPracticalError
from ngff_practical.inspection import describe, describe_image, validate, validation_report
from ngff_practical.model import Issue
from ngff_practical.sandbox import Sandbox
from ngff_practical.storage import archive as archives
from ngff_practical.storage import read_object, write_object

SOUND = Path(__file__).parent / "data" / "sound"
STORAGE = "Zarr, storage of chunks"
COMMENT = b'{"ome": {"version": "0.5"}}'


def breadth_first(folder: Path) -> list[str]:
    names = [file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()]
    return sorted(names, key=lambda name: (not name.endswith("zarr.json"), name.count("/"), name))


def pack(
    folder: Path,
    target: Path,
    *,
    names: Callable[[list[str]], list[str]] = lambda names: names,
    within: str = "",
    compression: int = zipfile.ZIP_STORED,
    comment: bytes = COMMENT,
    zip64: bool = True,
) -> Path:
    """Pack a folder the way RFC-9 wants it, or not."""
    with zipfile.ZipFile(target, "w", compression) as archive:
        for name in names(breadth_first(folder)):
            with archive.open(within + name, "w", force_zip64=zip64) as member:
                member.write((folder / name).read_bytes())
        archive.comment = comment
    return target


def add(target: Path, name: str | zipfile.ZipInfo, data: bytes = b"{}") -> Path:
    with zipfile.ZipFile(target, "a") as archive:
        archive.writestr(name, data)
    return target


def patched(target: Path, old: bytes, new: bytes) -> Path:
    data = target.read_bytes()
    assert old in data
    target.write_bytes(data.replace(old, new))
    return target


def findings(place: Path) -> list[Issue]:
    return [issue for issue in validate(place) if issue.rule != STORAGE]


@pytest.fixture
def ozx(tmp_path: Path) -> Path:
    return pack(SOUND / "0_5", tmp_path / "image.ozx")


# What may be


@pytest.mark.parametrize("name", ["0_5", "0_6", "labels", "plate", "scene", "collection"])
def test_archive_is_described_and_judged_like_the_folder(name: str, tmp_path: Path) -> None:
    version = b"0.6" if name in ("0_6", "scene") else b"0.5"
    packed = pack(SOUND / name, tmp_path / "it.ozx", comment=b'{"ome": {"version": "%s"}}' % version)
    inside, outside = describe(packed), describe(SOUND / name)
    assert (inside.kind, inside.version, inside.labels, inside.wells, inside.images) == (
        outside.kind,
        outside.version,
        outside.labels,
        outside.wells,
        outside.images,
    )
    assert (inside.image is None) == (outside.image is None)
    if inside.image and outside.image:
        assert inside.image.levels == outside.image.levels
    assert findings(packed) == []


@pytest.mark.parametrize("name", ["0_2", "0_3", "0_4"])
def test_zip_of_zarr_v2_is_described_and_judged_like_the_folder(name: str, tmp_path: Path) -> None:
    packed = pack(SOUND / name, tmp_path / "it.zip")
    assert describe(packed).kind == describe(SOUND / name).kind
    assert findings(packed) == []


def test_chunks_in_an_archive_are_counted_and_decoded(tmp_path: Path) -> None:
    packed = pack(SOUND / "0_5", tmp_path / "image.ozx")
    add(packed, "0/c/0/0/0", b"")
    add(packed, "1/c/0/0/0", b"no chunk")
    said = " ".join(issue.message for issue in validate(packed) if issue.severity == "data")
    assert "1 chunk of zero bytes: c/0/0/0" in said
    assert "1 chunk cut short or damaged: c/0/0/0" in said


def test_image_in_a_folder_of_the_archive_is_found_there(tmp_path: Path) -> None:
    packed = pack(SOUND / "0_5", tmp_path / "image.ozx", within="cells.ome.zarr/")
    assert describe_image(packed).levels == describe_image(SOUND / "0_5").levels
    (issue,) = findings(packed)
    assert (issue.severity, issue.where) == ("must", "cells.ome.zarr")
    packed.rename(tmp_path / "image.zip")
    assert {issue.severity for issue in findings(tmp_path / "image.zip")} == {"should"}


def test_archive_of_several_images_names_them(tmp_path: Path) -> None:
    packed = pack(SOUND / "0_5", tmp_path / "two.zip", within="a.zarr/")
    add(packed, "b.zarr/zarr.json")
    with pytest.raises(MetadataError, match=r"an archive with a\.zarr and b\.zarr in it; unpack it"):
        describe_image(packed)


# RFC-9


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"compression": zipfile.ZIP_DEFLATED}, "members are compressed by ZIP"),
        ({"comment": b""}, "has no comment"),
        ({"comment": b"Made in March"}, 'comment is "Made in March"'),
        ({"comment": b'{"ome": {"version": "0.6"}}'}, "expected {"),
        ({"zip64": False}, "is not ZIP64"),
        ({"names": lambda names: [*names[1:], names[0]]}, "zarr.json comes after 0/zarr.json"),
    ],
)
def test_advice_of_rfc_9_is_given(how: dict[str, object], says: str, tmp_path: Path) -> None:
    (issue,) = findings(pack(SOUND / "0_5", tmp_path / "image.ozx", **how))  # type: ignore[arg-type]
    assert (issue.severity, issue.rule) == ("should", "RFC-9, OME-Zarr in ZIP")
    assert says in issue.message


def test_ozx_of_zarr_v2_is_refused(tmp_path: Path) -> None:
    (issue,) = findings(pack(SOUND / "0_4", tmp_path / "image.ozx"))
    assert issue.severity == "must"
    assert "is for Zarr v3" in issue.message


def test_archive_in_the_archive_is_refused(ozx: Path) -> None:
    (issue,) = findings(add(ozx, "old.ozx", b"PK"))
    assert (issue.severity, issue.where) == ("must", "old.ozx")


def test_archive_called_zip_ought_to_be_called_ozx(ozx: Path) -> None:
    (issue,) = findings(ozx.rename(ozx.with_suffix(".zip")))
    assert "expected .ozx" in issue.message


# Hostile archives


@pytest.mark.parametrize(
    "name",
    ["../zarr.json", "/etc/passwd", "0/../../x", "C:/x", "a\\..\\b", "%2e%2e/x", "a//b", "./x", "\u202egpj"],
)
def test_name_that_leads_out_is_named_and_not_followed(name: str, ozx: Path) -> None:
    (issue,) = findings(add(ozx, name, b"secret"))
    assert issue.severity == "must"
    assert "no program should unpack" in issue.message
    assert issue.message.isprintable()


def test_member_that_stands_twice_is_named(ozx: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        add(ozx, "0/zarr.json", (SOUND / "0_5/0/zarr.json").read_bytes())
    (issue,) = [issue for issue in findings(ozx) if issue.severity == "must"]
    assert (issue.where, "more than once" in issue.message) == ("0/zarr.json", True)


def test_link_in_an_archive_is_not_followed(ozx: Path) -> None:
    link = zipfile.ZipInfo("labels/zarr.json")
    link.external_attr = 0o120777 << 16
    issues = findings(add(ozx, link, b"/etc/passwd"))
    assert "is a link, which is not followed" in issues[0].message
    assert {issue.severity for issue in issues} == {"must"}


def test_encrypted_member_is_named(ozx: Path) -> None:
    data = bytearray(ozx.read_bytes())
    for signature, flags in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        data[data.index(signature) + flags] |= 1
    ozx.write_bytes(data)
    issues = validate(ozx)
    assert any("zarr.json is encrypted" in issue.message for issue in issues)
    with pytest.raises(NgffPracticalError, match="is encrypted"):
        describe_image(ozx)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_member_packed_in_a_rare_way_is_not_unpacked(method: int, tmp_path: Path) -> None:
    packed = pack(SOUND / "0_5", tmp_path / "image.ozx", compression=method)
    assert any(f"is packed by method {method}" in issue.message for issue in validate(packed))


def test_bomb_is_not_unpacked(ozx: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ngff_practical.inspection.tree.LARGEST_DOCUMENT", 10_000)
    with zipfile.ZipFile(ozx, "a") as archive:
        archive.writestr("labels/zarr.json", b" " * 10**6, zipfile.ZIP_DEFLATED)
    issues = findings(ozx)
    assert [issue.severity for issue in issues if issue.where == "labels/zarr.json"] == ["must"]
    assert "large; metadata stays below" in issues[-1].message


def test_directory_that_lies_about_sizes_is_told(ozx: Path) -> None:
    data = bytearray(ozx.read_bytes())
    at = data.index(b"PK\x01\x02")
    data[at + 24 : at + 28] = struct.pack("<I", 2**31)
    ozx.write_bytes(data)
    issue = next(issue for issue in validate(ozx) if issue.severity == "data")
    assert "which cannot be" in issue.message


def test_directory_that_names_a_member_twice_its_size_is_told(ozx: Path) -> None:
    data = bytearray(ozx.read_bytes())
    at = data.index(b"PK\x01\x02")
    data[at + 20 : at + 28] = struct.pack("<II", 2**31, 2**31)
    ozx.write_bytes(data)
    assert any("would take up more than the" in issue.message for issue in validate(ozx))


def test_altered_member_is_told(ozx: Path) -> None:
    patched(ozx, b'"node_type"', b'"nodf_type"')
    report = validation_report(ozx)
    assert not report.valid
    assert any("is damaged" in issue.message for issue in report.issues)


@pytest.mark.parametrize("keep", [4, 30, 500, -1, -22])
def test_archive_cut_short_is_refused_in_one_sentence(keep: int, ozx: Path) -> None:
    ozx.write_bytes(ozx.read_bytes()[:keep])
    report = validation_report(ozx)
    assert (report.valid, len(report.issues)) == (False, 1)
    with pytest.raises(NgffPracticalError):
        describe(ozx)


@pytest.mark.parametrize("data", [b"", b"hello", b"PK", b"PK\x03\x04", b"PK\x05\x06" + bytes(18)])
def test_file_called_zip_that_is_none_is_refused_or_empty(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "image.zip").write_bytes(data)
    assert not validation_report(tmp_path / "image.zip").valid


def test_directory_too_large_to_hold_is_not_read(ozx: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "LARGEST_DIRECTORY", 10)
    assert "says that its directory has" in validate(ozx)[0].message


def test_part_of_a_split_archive_is_refused(ozx: Path) -> None:
    data = bytearray(ozx.read_bytes())
    at = data.rindex(b"PK\x05\x06")
    data[at + 4 : at + 6] = b"\x01\x00"
    ozx.write_bytes(data)
    assert "is one part of a split archive" in validate(ozx)[0].message


def test_every_byte_of_an_archive_may_be_wrong(ozx: Path) -> None:
    data = ozx.read_bytes()
    start = data.index(b"PK\x01\x02")
    for at in [*range(0, 60), *range(start, len(data), 3)]:
        ozx.write_bytes(data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :])
        validate(ozx)  # raises nothing


def test_nothing_is_extracted(ozx: Path) -> None:
    before = sorted(ozx.parent.rglob("*"))
    validate(add(ozx, "../outside", b"x"), data=True)
    assert sorted(ozx.parent.rglob("*")) == before


def test_command_line_reads_archives(ozx: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(ozx)]) == 0
    ozx.write_bytes(ozx.read_bytes()[:100])
    assert main(["validate", str(ozx)]) == 1
    assert main(["info", str(ozx)]) == 2
    assert "Traceback" not in "".join(capsys.readouterr())


@pytest.mark.skipif(sys.platform == "win32", reason="needs permissions")
def test_archive_that_may_not_be_read_says_so(ozx: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(NgffPracticalError, match="may not be read"):
        describe(ozx)


def test_members_are_whole_however_many_threads_read_them(ozx: Path) -> None:
    archive = archives.open_archive(ozx)
    assert archive is not None
    members = archive.members * 700
    expected = {member.name: archive.read(member, limit=2**20) for member in archive.members}
    patience = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            read = pool.map(partial(archive.read, limit=2**20), members)
            assert list(read) == [expected[member.name] for member in members]
    finally:
        sys.setswitchinterval(patience)
        archive.close()


def test_chunk_that_unpacks_to_more_than_the_array_holds_is_not_unpacked(tmp_path: Path) -> None:
    image = Path(shutil.copytree(SOUND / "0_5", tmp_path / "image.zarr"))
    (image / "0/c/0/0").mkdir(parents=True)
    (image / "0/c/0/0/0").write_bytes(bytes(50_000_000))
    packed = pack(image, tmp_path / "bomb.ozx", compression=zipfile.ZIP_DEFLATED)
    messages = [issue.message for issue in validate(packed, data=True) if issue.severity == "data"]
    assert any("it has 50000000 bytes, far more than its voxels can take up" in found for found in messages)


def test_member_that_cannot_be_read_is_named_once(tmp_path: Path) -> None:
    packed = pack(SOUND / "0_5", tmp_path / "image.ozx", compression=zipfile.ZIP_BZIP2)
    (issue,) = validate(packed)
    assert "is packed by method 12" in issue.message


# On S3


@pytest.mark.s3
def test_archive_on_s3_is_read_in_ranges(tmp_path: Path, sandbox_server: Sandbox) -> None:
    sandbox_server.use()
    ozx = pack(SOUND / "0_5", tmp_path / "image.ozx", names=lambda names: names)
    with zipfile.ZipFile(ozx, "a") as archive:
        archive.writestr("0/c/0/0/0", bytes(3_000_000))
    place = sandbox_server.location("practical", "zipped/image.ozx")
    write_object(place, "", ozx.read_bytes(), overwrite=True)
    assert read_object(place)[:2] == b"PK"
    before = len(sandbox_server.requests())
    found = describe_image(place)
    made = sandbox_server.requests()[before:]
    assert found.levels == describe_image(ozx).levels
    assert all(request.range for request in made if request.method == "GET")
    assert sum(request.nbytes for request in made) < 1_000_000
    assert len(made) <= 5  # its first bytes, what follows them, its end: no member is asked for by itself


@pytest.mark.s3
def test_prefix_called_like_an_archive_is_a_folder(sandbox_server: Sandbox) -> None:
    sandbox_server.use()
    place = sandbox_server.location("practical", "zipped/folder.zip")
    for name in breadth_first(SOUND / "0_5"):
        write_object(place, name, (SOUND / "0_5" / name).read_bytes(), overwrite=True)
    assert describe_image(place).levels == describe_image(SOUND / "0_5").levels
