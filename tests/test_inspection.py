"""What images, plates and collections are described as, and what is found wrong with them."""

import contextlib
import csv
import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import zarr

from ngff_practical.errors import AccessError, MetadataError, NgffPracticalError, NotFoundError
from ngff_practical.inspection import (
    children,
    describe,
    describe_image,
    tree,
    validate,
    validating,
    validation_report,
)
from ngff_practical.metadata import image_document, labels_document
from ngff_practical.model import Axis, Issue, Level, Location, Pyramid
from ngff_practical.sandbox import Sandbox
from ngff_practical.storage import write_object

DATA = Path(__file__).parent / "data"
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
ABSENT = pytest.mark.skip(reason="the collection of other tools' files is not beside this checkout")
STORAGE = "Zarr, storage of chunks"  # the examples are JSON only, so none of their chunks is there


def rows(table: Path) -> list[dict[str, str]]:
    with table.open() as file:
        return list(csv.DictReader(file))


def shared_rows(table: str, wanted: Callable[[dict[str, str]], bool]) -> list[object]:
    if not (SHARED / table).is_file():
        return [pytest.param({}, marks=ABSENT)]
    key = "item" if table == "oracle.csv" else "path"
    return [pytest.param(row, id=f"{row[key]}-{row['kind']}") for row in rows(SHARED / table) if wanted(row)]


def findings(place: Path) -> list[Issue]:
    return [issue for issue in validate(place) if issue.rule != STORAGE]


# Broken and sound examples


@pytest.mark.parametrize("case", rows(DATA / "broken" / "EXPECTED.csv"), ids=lambda case: case["example"])
def test_broken_example_has_one_finding_that_names_the_culprit(case: dict[str, str]) -> None:
    (issue,) = findings(DATA / "broken" / case["example"])
    assert (issue.severity, issue.where) == (case["severity"], case["where"])
    assert case["says"] in issue.message
    assert issue.message.isprintable()
    assert issue.rule


@pytest.mark.parametrize("name", sorted(folder.name for folder in (DATA / "sound").iterdir()))
def test_sound_example_has_no_finding(name: str) -> None:
    assert findings(DATA / "sound" / name) == []


def test_every_broken_example_is_expected() -> None:
    folders = {folder.name for folder in (DATA / "broken").iterdir() if folder.is_dir()}
    assert folders == {row["example"] for row in rows(DATA / "broken" / "EXPECTED.csv")}


# Other tools' files

KINDS = {"labels-group": "labels", "bf2raw": "bioformats2raw", "ome": "bioformats2raw"}
TWICE = {  # rows that describe the same folder as another kind: a plate stays a plate, an image an image
    ("ome_zarr/ngff-challenge/hcs.zarr", "bf2raw"),
    ("ome_zarr/yaozarrs/v05/76-45.ome.zarr", "bf2raw"),
    ("ome_zarr/zarr-java/ome/v0.4", "bf2raw"),
}


def is_ome_zarr(row: dict[str, str]) -> bool:
    return row["item"].startswith("ome_zarr/") and (row["item"], row["kind"]) not in TWICE


@pytest.mark.parametrize("row", shared_rows("oracle.csv", is_ome_zarr))
def test_store_of_another_tool_is_described(row: dict[str, str]) -> None:
    found = describe(SHARED / row["item"])
    assert found.kind == KINDS.get(row["kind"], row["kind"])
    assert found.version == (None if row["version"] == "?" else row["version"])
    if row["axes"]:
        names = "t,c,z,y,x" if "implied" in row["axes"] else row["axes"]
        assert (",".join(axis.name for axis in found.axes), str(len(found.paths))) == (names, row["levels"])
    if row["shape"]:
        assert found.image is not None
        assert ("x".join(map(str, found.image.shape)), found.image.dtype) == (row["shape"], row["dtype"])
    if row["voxel_size"] and found.image is not None:
        assert found.image.levels[0].scale == tuple(map(float, row["voxel_size"].split(",")))


def is_damaged(row: dict[str, str]) -> bool:
    return row["path"].startswith(("ome_zarr/", "zipped/"))


@pytest.mark.parametrize("row", shared_rows("malformed/generated/EXPECTED.csv", is_damaged))
def test_damaged_store_gets_its_verdict(row: dict[str, str], capfd: pytest.CaptureFixture[str]) -> None:
    place = SHARED / "malformed/generated" / row["path"]
    try:
        report = validation_report(place, data=True)
    except NgffPracticalError:
        verdict = "refused"
    else:
        verdict = "invalid" if not report.valid else "warned" if report.issues else "valid"
        assert all(issue.message.isprintable() for issue in report.issues)
    expected = {"accept": {"valid", "warned"}, "warn": {"warned"}}
    assert verdict in expected.get(row["expect"], {"invalid", "refused"})
    assert capfd.readouterr() == ("", "")  # no code of the file ran, and no library complained


@pytest.mark.parametrize("row", shared_rows("malformed/generated/EXPECTED.csv", is_damaged))
def test_damaged_store_is_described_or_refused(row: dict[str, str]) -> None:
    with contextlib.suppress(NgffPracticalError):
        found = describe(SHARED / "malformed/generated" / row["path"])
        assert (found.image is None) or (found.problem is None)


# Describing


def test_missing_place_is_not_found(tmp_path: Path) -> None:
    for look in (describe, describe_image, validate):
        with pytest.raises(NotFoundError, match="there is nothing at"):
            look(tmp_path / "nothing.zarr")


def test_plate_tells_its_wells_rows_and_columns() -> None:
    found = describe(DATA / "sound" / "plate")
    assert (found.kind, found.wells, found.rows, found.columns) == ("plate", ("A/1",), ("A", "B"), ("1", "2"))


def test_well_tells_its_fields() -> None:
    assert describe(DATA / "sound" / "plate" / "A" / "1").images == ("0",)


def test_collection_tells_its_series() -> None:
    assert describe(DATA / "sound" / "collection").images == ("0",)


def test_collection_without_a_list_is_numbered(tmp_path: Path) -> None:
    write(tmp_path / ".zattrs", {"bioformats2raw.layout": 3})
    for name in ("0", "1", "3"):
        write(tmp_path / name / ".zgroup", {"zarr_format": 2})
    assert describe(tmp_path).images == ("0", "1")


def test_labels_group_tells_its_label_images() -> None:
    assert describe(DATA / "sound" / "labels" / "labels").labels == ("nuclei",)


def test_image_tells_its_labels() -> None:
    assert describe_image(DATA / "sound" / "labels").labels == ("nuclei",)


def test_scene_tells_its_images() -> None:
    assert describe(DATA / "sound" / "scene").images == ("a", "b")


def test_name_of_an_image_without_one_is_its_folders(tmp_path: Path) -> None:
    write(tmp_path / "embryo.zarr" / ".zattrs", {"multiscales": [{"axes": ["y", "x"], "datasets": []}]})
    assert describe(tmp_path / "embryo.zarr").problem is not None
    multiscale = {"version": "0.3", "axes": ["z", "y", "x"], "datasets": [{"path": "0"}]}
    write(tmp_path / "embryo.zarr" / ".zattrs", {"multiscales": [multiscale]})
    write(tmp_path / "embryo.zarr" / "0" / ".zarray", json.loads((DATA / "sound/0_3/0/.zarray").read_text()))
    assert describe_image(tmp_path / "embryo.zarr").name == "embryo.zarr"


def test_image_with_a_level_missing_is_described_without_it() -> None:
    found = describe(DATA / "broken" / "level_missing")
    assert (found.kind, found.version, found.image, found.paths) == ("image", "0.5", None, ("0", "1"))
    assert [axis.name for axis in found.axes] == ["z", "y", "x"]
    assert "lists the level 1, but no array is stored there" in (found.problem or "")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("sound/plate", r"it is a plate with 1 wells \(A/1\); give a field of a well"),
        ("sound/plate/A/1", "it holds the images 0; give one of them"),
        ("sound/collection", "it holds the images 0; give one of them"),
        ("sound/labels/labels", "it holds the label images nuclei; give one of them"),
        ("sound/0_5/0", "it is a single Zarr array; give the folder above it"),
        ("sound/plate/A", r"it is a Zarr v3 group without OME-Zarr metadata \(its attributes: none\)"),
        ("sound", r"it has neither zarr\.json nor \.zattrs, only 0_2, 0_3"),
        ("broken/EXPECTED.csv", "it is a single file, not a folder"),
    ],
)
def test_place_without_an_image_says_what_it_is_and_where_to_look(name: str, says: str) -> None:
    with pytest.raises(MetadataError, match=f"is no OME-Zarr image: {says}"):
        describe_image(DATA / name)


def test_folder_of_images_names_them(tmp_path: Path) -> None:
    (tmp_path / "embryo.ome.zarr").mkdir()
    with pytest.raises(MetadataError, match=r"a folder with embryo\.ome\.zarr in it; give one of them"):
        describe_image(tmp_path)


def test_place_that_is_no_ome_zarr_has_one_issue_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "plane.tif").write_bytes(b"II*\0")
    report = validation_report(tmp_path)
    assert (report.kind, report.version, report.valid) == ("none", None, False)
    assert [issue.severity for issue in report.issues] == ["must"]
    assert "only plane.tif" in report.issues[0].message


def test_no_pixel_is_read_to_describe_an_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_image(tmp_path)
    read: list[str] = []
    real = tree.read_object
    monkeypatch.setattr(
        tree, "read_object", lambda place, key, **limits: read.append(key) or real(place, key, **limits)
    )
    describe_image(tmp_path)
    assert sorted(read) == ["0/zarr.json", "1/zarr.json", "zarr.json"]


# On S3


@pytest.fixture
def uploaded(sandbox_server: Sandbox) -> Callable[[Path, str], Location]:
    sandbox_server.use()

    def upload(folder: Path, key: str) -> Location:
        place = Location(sandbox_server.endpoint, "practical", key)
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                write_object(place, file.relative_to(folder).as_posix(), file.read_bytes(), overwrite=True)
        return place

    return upload


@pytest.mark.s3
def test_image_on_s3_is_the_image_on_disk(uploaded: Callable[[Path, str], Location], tmp_path: Path) -> None:
    write_image(tmp_path)
    assert (
        describe_image(uploaded(tmp_path, "inspection/same.zarr")).levels == describe_image(tmp_path).levels
    )


@pytest.mark.s3
@pytest.mark.parametrize("name", ["labels", "plate", "collection"])
def test_store_on_s3_is_validated_as_on_disk(name: str, uploaded: Callable[[Path, str], Location]) -> None:
    place = uploaded(DATA / "sound" / name, f"inspection/valid/{name}")
    assert [(issue.severity, issue.where) for issue in validate(place)] == [
        (issue.severity, issue.where) for issue in validate(DATA / "sound" / name)
    ]


@pytest.mark.s3
def test_damaged_chunk_on_s3_is_found_when_asked_for(
    uploaded: Callable[[Path, str], Location], tmp_path: Path
) -> None:
    write_image(tmp_path)
    chunk = tmp_path / "0/c/0/0/0"
    chunk.write_bytes(chunk.read_bytes()[:-5])
    place = uploaded(tmp_path, "inspection/damaged.zarr")
    assert validate(place) == ()
    (issue,) = validate(place, data=True)
    assert (issue.severity, issue.where) == ("data", "0")


@pytest.mark.s3
def test_nothing_at_a_key_is_not_found(sandbox_server: Sandbox) -> None:
    sandbox_server.use()
    for look in (describe, describe_image, validate):
        with pytest.raises(NotFoundError, match="there is nothing at"):
            look(Location(sandbox_server.endpoint, "practical", "inspection/nothing.zarr"))


def test_place_that_does_not_open_is_not_called_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(*_: object, **limits: object) -> None:
        raise AccessError("the key opens nothing")

    monkeypatch.setattr(tree, "read_object", closed)
    monkeypatch.setattr(tree, "list_folder", closed)
    for look in (describe, describe_image, validate):
        with pytest.raises(AccessError, match="the key opens nothing"):
            look(Location("https://host.example", "bucket", "image.zarr"))


def test_level_that_may_not_be_read_is_missing_and_labels_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def only_the_root(place: Location, key: str, **limits: int) -> bytes:
        if key != "zarr.json":
            raise AccessError("what S3 says of a missing key in a bucket that may not be listed")
        return (DATA / "sound/0_5/zarr.json").read_bytes()

    monkeypatch.setattr(tree, "read_object", only_the_root)
    found = describe(Location("https://host.example", "bucket", "image.zarr"))
    assert "lists the level 0, but no array is stored there" in (found.problem or "")


# Chunks


def write(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


def write_image(
    folder: Path,
    *,
    version: str = "0.5",
    shards: tuple[int, ...] | None = None,
    label: bool = False,
    value: int = 7,
) -> None:
    """Write an image of two levels, 2 x 2 and 1 chunk, whose every voxel is `value`."""
    shapes = {"0": (2, 8, 8), "1": (2, 4, 4)}
    levels = [
        Level("0", (2, 8, 8), "uint16", (2, 4, 4), (1.0, 0.5, 0.5)),
        Level("1", (2, 4, 4), "uint16", (2, 4, 4), (1.0, 1.0, 1.0), (0.0, 0.25, 0.25)),
    ]
    axes = (Axis("c", "channel"), Axis("y", "space", "micrometer"), Axis("x", "space", "micrometer"))
    pyramid = Pyramid("cells", version, axes, tuple(levels), downsampling="nearest" if label else "mean")
    colors = {1: (255, 0, 0, 255)} if label else None
    zarr_format = pyramid.zarr_format
    zarr.create_group(
        folder, zarr_format=zarr_format, attributes=image_document(pyramid, label_colors=colors)
    )
    for name, shape in shapes.items():
        array = zarr.create_array(
            folder / name,
            shape=shape,
            dtype="uint16",
            chunks=(2, 4, 4),
            shards=shards if name == "0" else None,
            zarr_format=zarr_format,
            dimension_names=["c", "y", "x"] if zarr_format == 3 else None,
            chunk_key_encoding={"name": "v2", "separator": "/"} if zarr_format == 2 else None,
        )
        array[:] = np.full(shape, value, "uint16")


@pytest.mark.parametrize("version", ["0.4", "0.5", "0.6"])
def test_image_with_all_its_chunks_is_valid(version: str, tmp_path: Path) -> None:
    write_image(tmp_path, version=version)
    assert validate(tmp_path, data=True) == ()


def test_missing_chunk_is_legal_but_mentioned(tmp_path: Path) -> None:
    write_image(tmp_path)
    (tmp_path / "0/c/0/1/1").unlink()
    (issue,) = validate(tmp_path)
    assert (issue.severity, issue.where) == ("should", "0")
    assert "1 chunk of 4 not stored" in issue.message


def test_level_without_a_single_chunk_contradicts_its_metadata(tmp_path: Path) -> None:
    write_image(tmp_path)
    for chunk in tmp_path.glob("0/c/*/*/*"):
        chunk.unlink()
    (issue,) = validate(tmp_path)
    assert (issue.severity, issue.where) == ("data", "0")
    assert "none of the 4 chunks is stored" in issue.message


def test_label_image_without_a_single_chunk_may_be_empty(tmp_path: Path) -> None:
    write_image(tmp_path, label=True, value=0)  # zarr leaves out chunks of the fill value
    assert not list(tmp_path.glob("0/c/*"))
    assert {issue.severity for issue in validate(tmp_path)} == {"should"}


def test_chunk_of_zero_bytes_is_named(tmp_path: Path) -> None:
    write_image(tmp_path)
    (tmp_path / "0/c/0/1/0").write_bytes(b"")
    (issue,) = validate(tmp_path)
    assert (issue.severity, issue.where) == ("data", "0")
    assert "1 chunk of zero bytes: c/0/1/0" in issue.message


def test_git_lfs_pointer_in_place_of_a_chunk_is_named(tmp_path: Path) -> None:
    write_image(tmp_path)
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 4096\n"
    (tmp_path / "0/c/0/0/1").write_text(pointer)
    assert "1 git-lfs pointer in place of chunks: c/0/0/1" in validate(tmp_path)[0].message


def test_truncated_chunk_of_a_small_image_is_found_unasked(tmp_path: Path) -> None:
    write_image(tmp_path)
    chunk = tmp_path / "0/c/0/0/0"
    chunk.write_bytes(chunk.read_bytes()[:-5])
    (issue,) = validate(tmp_path)
    assert (issue.severity, issue.where) == ("data", "0")
    assert "1 chunk cut short or damaged: c/0/0/0" in issue.message


def test_large_image_is_decoded_when_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ngff_practical.inspection.walk.DECODED_ANYWAY", 10)
    write_image(tmp_path)
    chunk = tmp_path / "0/c/0/0/0"
    chunk.write_bytes(chunk.read_bytes()[:-5])
    assert validate(tmp_path) == ()
    assert [issue.severity for issue in validate(tmp_path, data=True)] == ["data"]


def test_altered_shard_is_found(tmp_path: Path) -> None:
    write_image(tmp_path, shards=(2, 8, 8))
    shard = tmp_path / "0/c/0/0/0"
    shard.write_bytes(shard.read_bytes()[:-1] + b"\xff")
    (issue,) = validate(tmp_path)
    assert "1 chunk cut short or damaged: c/0/0/0" in issue.message


def test_chunk_that_claims_to_be_huge_is_not_inflated(tmp_path: Path) -> None:
    write_image(tmp_path, version="0.4")
    array = json.loads((tmp_path / "0/.zarray").read_text())
    array["compressor"] = {"id": "blosc", "cname": "lz4", "clevel": 5, "shuffle": 1, "blocksize": 0}
    write(tmp_path / "0/.zarray", array)
    head = bytes([2, 1, 1, 2]) + (2**31 - 17).to_bytes(4, "little") + bytes(8)
    for chunk in tmp_path.glob("0/*/*/*"):
        chunk.write_bytes(head + bytes(16))
    (issue,) = validate(tmp_path)
    assert "it claims to hold 2147483631 bytes, the array says 64" in issue.message


def test_chunks_named_with_another_separator_are_recognised(tmp_path: Path) -> None:
    write_image(tmp_path, version="0.4")
    array = json.loads((tmp_path / "0/.zarray").read_text())
    write(tmp_path / "0/.zarray", {**array, "dimension_separator": "."})
    messages = [issue.message for issue in validate(tmp_path) if issue.severity == "data"]
    assert messages == [
        'the chunks are named like 0/0/0, but the array says that the separator is ".", '
        "so every voxel reads as the fill value"
    ]


# Hostile stores


def test_nothing_outside_the_store_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    real = tree.read_object
    monkeypatch.setattr(
        tree, "read_object", lambda place, key, **limits: read.append(key) or real(place, key, **limits)
    )
    for name in (
        "safe_paths_traversal",
        "safe_paths_percent",
        "safe_label_paths",
        "label_source",
        "safe_well_paths",
    ):
        validate(DATA / "broken" / name)
    assert read
    assert not [key for key in read if ".." in key or "%" in key or key.startswith("/")]


@pytest.mark.skipif(sys.platform == "win32", reason="needs links")
def test_level_that_is_a_link_out_of_the_store_is_not_followed(tmp_path: Path) -> None:
    write_image(tmp_path / "outside")
    write_image(tmp_path / "image.zarr")
    for file in sorted((tmp_path / "image.zarr/1").rglob("*"), reverse=True):
        file.rmdir() if file.is_dir() else file.unlink()
    (tmp_path / "image.zarr/1").rmdir()
    (tmp_path / "image.zarr/1").symlink_to(tmp_path / "outside/1")
    (issue,) = validate(tmp_path / "image.zarr")
    assert (issue.severity, issue.where) == ("must", "1/zarr.json")
    assert "leads out of the folder" in issue.message


@pytest.mark.skipif(sys.platform == "win32", reason="needs links")
def test_chunk_that_is_a_link_out_of_the_store_is_not_followed(tmp_path: Path) -> None:
    write_image(tmp_path / "image.zarr")
    chunk = tmp_path / "image.zarr/0/c/0/0/0"
    chunk.rename(tmp_path / "outside")
    chunk.symlink_to(tmp_path / "outside")
    (issue,) = validate(tmp_path / "image.zarr")
    assert (issue.severity, issue.where) == ("must", "0")
    assert "is a link" in issue.message


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_pipe_in_place_of_a_document_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "zarr.json")
    assert describe(tmp_path).kind == "none"


def test_document_that_is_too_large_is_not_even_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "LARGEST_DOCUMENT", 100)
    (tmp_path / "zarr.json").write_text(" " * 200)
    monkeypatch.setattr(tree, "read_object", lambda place, key, **limits: pytest.fail("it was read"))
    assert "large; metadata stays below" in validate(tmp_path)[0].message


def test_plate_with_more_wells_than_are_looked_at_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(children, "MOST_LOCAL", 1)
    report = validation_report(DATA / "broken" / "well_missing")
    assert not [issue for issue in report.issues if issue.rule != STORAGE]
    assert report.notes == ("where 2 times a well is named, the first 1 were looked at",)


def test_thousands_of_faults_are_cut_to_a_thousand(tmp_path: Path) -> None:
    wells = [{"path": "x"} for _ in range(2000)]
    names = [{"name": "1"}]
    attributes = {"version": "0.5", "plate": {"rows": names, "columns": names, "wells": wells}}
    write(tmp_path / "zarr.json", {"zarr_format": 3, "node_type": "group", "attributes": {"ome": attributes}})
    report = validation_report(tmp_path)
    assert len(report.issues) == 1000
    assert report.notes == ("the first 1000 faults are listed, there may be more",)


def test_advice_without_end_does_not_hide_what_is_broken_further_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(validating, "_MOST_ISSUES", 1)
    plate = Path(shutil.copytree(DATA / "sound" / "plate", tmp_path / "plate.zarr"))
    field = json.loads((plate / "A/1/0/zarr.json").read_text())
    image = field["attributes"]["ome"]["multiscales"][0]
    del image["type"], image["metadata"]
    image["datasets"][1]["path"] = "gone"
    write(plate / "A/1/0/zarr.json", field)
    report = validation_report(plate)
    assert [issue.severity for issue in report.issues] == ["should", "must"]
    assert not report.valid
    assert "the first 1 recommendations are listed, there are more" in report.notes


def test_consolidated_copy_of_a_plate_is_compared_with_its_wells(tmp_path: Path) -> None:
    plate = Path(shutil.copytree(DATA / "sound" / "plate", tmp_path / "plate.zarr"))
    root = json.loads((plate / "zarr.json").read_text())
    well = json.loads((plate / "A/1/zarr.json").read_text())
    root["consolidated_metadata"] = {"kind": "inline", "must_understand": False, "metadata": {"A/1": well}}
    write(plate / "zarr.json", root)
    assert findings(plate) == []
    well["attributes"]["ome"]["well"]["images"] = []
    write(plate / "zarr.json", root)
    (issue,) = findings(plate)
    assert (issue.severity, issue.where) == ("must", "A/1/zarr.json")
    assert "the copy in zarr.json differs" in issue.message


def test_folder_with_the_name_of_a_document_is_called_one(tmp_path: Path) -> None:
    (tmp_path / "zarr.json").mkdir()
    (issue,) = validate(tmp_path)
    assert "zarr.json is a folder there, expected a file" in issue.message


def test_array_with_more_chunks_than_there_are_atoms_is_answered_at_once(tmp_path: Path) -> None:
    write_image(tmp_path)
    array = json.loads((tmp_path / "0/zarr.json").read_text())
    write(tmp_path / "0/zarr.json", {**array, "shape": [2**62, 2**62, 2**62]})
    assert "more voxels than any computer can count" in " ".join(
        issue.message for issue in validate(tmp_path)
    )
    assert describe_image(tmp_path).shape == (2**62,) * 3


def test_labels_below_an_image_are_validated_with_it(tmp_path: Path) -> None:
    write_image(tmp_path)
    attributes = labels_document(["cells"], version="0.5")
    zarr.create_group(tmp_path / "labels", zarr_format=3, attributes=attributes)
    write_image(tmp_path / "labels/cells", label=True)
    assert validate(tmp_path) == ()
    (tmp_path / "labels/cells/0/c/0/0/0").write_bytes(b"")
    (issue,) = validate(tmp_path)
    assert (issue.severity, issue.where) == ("data", "labels/cells/0")


# What people give instead of an image


@pytest.mark.parametrize(
    ("store", "document"), [("0_5", "zarr.json"), ("0_4", ".zattrs"), ("0_4", ".zgroup")]
)
def test_address_of_a_document_means_the_folder_that_it_is_in(store: str, document: str) -> None:
    place = DATA / "sound" / store
    assert describe(place / document) == describe(place)
    assert findings(place / document) == []


@pytest.mark.s3
def test_address_of_a_document_on_s3_means_the_group_that_it_is_in(sandbox_server: Sandbox) -> None:
    sandbox_server.use()
    place = sandbox_server.location("practical", "inspection/document.zarr")
    write_object(place, "zarr.json", (DATA / "sound" / "0_5" / "zarr.json").read_bytes(), overwrite=True)
    assert describe(place / "zarr.json") == describe(place)


@pytest.mark.parametrize(("above", "named"), [("", "a and b"), ("images", "images/a and images/b")])
def test_group_above_images_says_which_ones_are_in_it(above: str, named: str, tmp_path: Path) -> None:
    for folder in dict.fromkeys(("", above)):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / ".zgroup").write_text('{"zarr_format": 2}')
    for name in "ab":
        shutil.copytree(DATA / "sound" / "0_4", tmp_path / above / name)
    (issue,) = validate(tmp_path)
    assert f"with {named} in it; give one of them" in issue.message
