"""Metadata and chunks made to harm: no path is followed out, no memory filled, no code run."""

import contextlib
import errno
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ngff_practical.cli import main
from ngff_practical.errors import MetadataError, NgffPracticalError, NotFoundError
from ngff_practical.inspection import describe, describe_image, validate, validation_report
from ngff_practical.model import Issue
from ngff_practical.sandbox import Sandbox
from ngff_practical.storage import write_object

SOUND = Path(__file__).parent / "data" / "sound"
STORAGE = "Zarr, storage of chunks"
STORES = sorted(folder.name for folder in SOUND.iterdir())
DOCUMENTS = ("zarr.json", ".zattrs", ".zarray", ".zgroup")

# Numbers where texts belong, lists where objects belong, and the rest of what a stranger may write.
ODD = st.sampled_from(
    [
        *(None, True, False, 0, -1, 1, 3, 0.5, -0.0, 1e308, 10**30, 2**63, -(10**400), float("nan")),
        *(
            float("inf"),
            "",
            "0",
            "..",
            "../../..",
            "/etc/passwd",
            "a\\b",
            "C:\\x",
            "%2e%2e/x",
            "\x00",
            "\u202e",
        ),
        *("<b>", "\x1b[31m", "x" * 5000, "\ud800", "http://x/y", "\n", "0/0", "0.5", "9.9", "NaN", "<u2"),
        *(
            [],
            {},
            [[]],
            [{}],
            [None],
            [1, 2, 3],
            ["a"],
            {"": ""},
            {"a": {"b": []}},
            [[1.0, 0.0]],
            [10**40] * 3,
        ),
        *({"type": "scale"}, {"type": "scale", "scale": "1"}, {"type": "affine", "affine": [[1]]}),
        *({"name": "z"}, {"path": "0"}, {"path": "../.."}, {"name": "sharding_indexed"}, {"id": "pickle"}),
        *("datetime64[ns]", "r16", [["a", "<u2"]], "|O", "complex128", "string", {"name": "rectilinear"}),
    ]
)


def nodes(value: object, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of every value in a document."""
    yield at
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in items:
        yield from nodes(child, (*at, key))


def changed(value: object, at: tuple[str | int, ...], new: object, how: str) -> object:
    """Return a document with one value replaced, left out, wrapped in a list, or standing twice."""
    if not at:
        return {"replace": new, "remove": {}, "wrap": [value], "double": [value, value]}[how]
    assert isinstance(value, dict | list)
    copy = value.copy()
    key, rest = at[0], at[1:]
    if rest:
        copy[key] = changed(copy[key], rest, new, how)  # type: ignore[index,call-overload]
    elif how == "remove":
        del copy[key]  # type: ignore[arg-type]
    elif how == "double" and isinstance(copy, list):
        copy.append(copy[key])  # type: ignore[index]
    else:
        copy[key] = [copy[key]] if how == "wrap" else new  # type: ignore[index,call-overload]
    return copy


@st.composite
def mutations(draw: st.DrawFn) -> tuple[str, dict[str, str]]:
    """A sound store, and one or more of its documents changed at random places."""
    store = draw(st.sampled_from(STORES))
    files = sorted(file for file in (SOUND / store).rglob("*") if file.name in DOCUMENTS)
    texts = {}
    for file in draw(st.lists(st.sampled_from(files), min_size=1, max_size=2, unique=True)):
        value = json.loads(file.read_text())
        for _ in range(draw(st.integers(1, 3))):
            at = draw(st.sampled_from(list(nodes(value))))
            how = draw(st.sampled_from(["replace", "replace", "replace", "remove", "wrap", "double"]))
            value = changed(value, at, draw(ODD), how)
        texts[file.relative_to(SOUND / store).as_posix()] = json.dumps(value)
    return store, texts


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(mutation=mutations())
def test_changed_documents_end_in_an_answer(mutation: tuple[str, dict[str, str]]) -> None:
    store, texts = mutation
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "store.zarr"
        shutil.copytree(SOUND / store, place)
        for name, text in texts.items():
            (place / name).write_text(text, encoding="utf-8", errors="surrogatepass")
        report = validation_report(place, data=True)
        assert all(issue.message.isprintable() and issue.where.isprintable() for issue in report.issues)
        report._repr_html_()
        for look in (describe, describe_image):
            with contextlib.suppress(NgffPracticalError):
                look(place)._repr_html_()


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.binary(max_size=200), name=st.sampled_from(DOCUMENTS), store=st.sampled_from(STORES))
def test_bytes_in_place_of_a_document_end_in_an_answer(data: bytes, name: str, store: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "store.zarr"
        shutil.copytree(SOUND / store, place)
        for file in list(place.rglob(name))[:2]:
            file.write_bytes(data)
        validate(place)
        with contextlib.suppress(NgffPracticalError):
            describe(place)


# What is no file


@pytest.fixture
def image(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SOUND / "0_5", tmp_path / "image.zarr"))


def findings(place: Path) -> list[Issue]:
    return [issue for issue in validate(place, data=True) if issue.rule != STORAGE]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
@pytest.mark.parametrize("name", ["0/zarr.json", "labels/zarr.json", "0/c/0/0/0", "OME/METADATA.ome.xml"])
def test_pipe_is_not_waited_for(name: str, image: Path) -> None:
    (image / name).parent.mkdir(parents=True, exist_ok=True)
    (image / name).unlink(missing_ok=True)
    os.mkfifo(image / name)
    validate(image, data=True)
    with contextlib.suppress(MetadataError):
        describe_image(image)


@pytest.mark.skipif(sys.platform == "win32", reason="needs links and devices")
@pytest.mark.parametrize("target", ["/dev/zero", "/etc/passwd", "zarr.json", ".", "loop"])
def test_link_in_place_of_a_document_is_not_followed_out(target: str, image: Path) -> None:
    (image / "1" / "zarr.json").unlink()
    (image / "1" / "zarr.json").symlink_to(target)
    issues = findings(image)
    assert {issue.severity for issue in issues} == {"must"}
    assert "root:" not in " ".join(map(str, issues))


@pytest.mark.skipif(sys.platform == "win32", reason="needs links")
def test_folder_that_is_a_link_to_its_parent_ends(image: Path) -> None:
    (image / "labels").symlink_to(image)
    (image / "0" / "c").symlink_to(image)
    assert any("is a link" in issue.message for issue in validate(image, data=True))


@pytest.mark.parametrize("name", ["zarr.json", "0/zarr.json", "labels/zarr.json"])
def test_folder_in_place_of_a_document_is_no_document(name: str, image: Path) -> None:
    (image / name).unlink(missing_ok=True)
    (image / name).mkdir(parents=True)
    report = validation_report(image)
    assert report.valid is (
        name.startswith("labels") and not [i for i in report.issues if i.severity == "data"]
    )


def test_document_that_may_not_be_read_is_named(image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed, open_file = image / "0" / "zarr.json", Path.open

    def refuse(self: Path, *arguments: object, **options: object) -> object:
        if self == closed:  # by its name, since by its mode nothing is closed to root
            raise PermissionError(errno.EACCES, "Permission denied", str(self))
        return open_file(self, *arguments, **options)

    monkeypatch.setattr(Path, "open", refuse)
    assert any("may not be read" in issue.message for issue in findings(image))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le"])
def test_document_in_another_encoding_of_unicode_is_called_that(encoding: str, image: Path) -> None:
    (image / "0/zarr.json").write_text((image / "0/zarr.json").read_text(), encoding=encoding)
    (issue,) = findings(image)
    assert "is UTF-16 or UTF-32" in issue.message


def test_level_that_is_listed_thousands_of_times_is_named_once(image: Path) -> None:
    document = json.loads((image / "zarr.json").read_text())
    document["attributes"]["ome"]["multiscales"][0]["datasets"] *= 2000
    (image / "zarr.json").write_text(json.dumps(document))
    assert [issue.where.rpartition(".")[2] for issue in findings(image)] == ["datasets", "path"]


@pytest.fixture
def close(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Close a folder to this user, for root, too, to whom nothing is closed."""

    def shut(folder: Path) -> None:
        list_folder, stat_of = os.scandir, Path.stat

        def scandir(path: str | Path) -> object:
            if Path(path) == folder:
                raise PermissionError(errno.EACCES, "Permission denied", str(path))
            return list_folder(path)

        def look(self: Path, *, follow_symlinks: bool = True) -> os.stat_result:
            if folder in self.parents:
                raise PermissionError(errno.EACCES, "Permission denied", str(self))
            return stat_of(self, follow_symlinks=follow_symlinks)

        monkeypatch.setattr(os, "scandir", scandir)
        monkeypatch.setattr(Path, "stat", look)

    return shut


@pytest.mark.parametrize("folder", ["0", "0/c", "labels"])
def test_folder_that_is_closed_is_named(folder: str, image: Path, close: Callable[[Path], None]) -> None:
    (image / folder).mkdir(exist_ok=True)
    close(image / folder)
    closed = [issue for issue in validate(image, data=True) if "may not be read" in issue.message]
    assert [issue.severity for issue in closed] == ["must"]


def test_image_in_a_closed_folder_is_refused(
    image: Path, close: Callable[[Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    close(image)
    (issue,) = validate(image)
    assert "zarr.json may not be read by this user; change its permissions" in issue.message
    close(image.parent)
    for command in ("info", "validate"):
        assert main([command, str(image)]) == 2
        assert "may not be read by this user" in capsys.readouterr().err


def test_closed_row_of_a_plate_is_named(tmp_path: Path, close: Callable[[Path], None]) -> None:
    plate = Path(shutil.copytree(SOUND / "plate", tmp_path / "plate.zarr"))
    close(plate / "A")
    (issue,) = validate(plate)
    assert "A/1/zarr.json may not be read" in issue.message


def test_disk_that_does_not_answer_is_no_traceback(image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: str | Path) -> object:
        raise OSError(errno.EIO, "Input/output error", str(path))

    monkeypatch.setattr(os, "scandir", fail)
    assert any("cannot be read: Input/output error" in issue.message for issue in validate(image))


@pytest.mark.parametrize("name", ["x" * 300, "a\0b"])
def test_name_that_no_file_can_have_is_not_found(name: str, tmp_path: Path) -> None:
    for look in (describe, describe_image, validate):
        with pytest.raises(NotFoundError, match="check the spelling"):
            look(tmp_path / name)


# Bounded


def test_shape_beyond_all_memory_costs_none(image: Path) -> None:
    path = image / "0" / "zarr.json"
    document = json.loads(path.read_text())
    grid = {"name": "regular", "configuration": {"chunk_shape": [2**20, 2**20, 2**10]}}
    path.write_text(json.dumps({**document, "shape": [2**20, 2**20, 2**10], "chunk_grid": grid}))
    (image / "0" / "c" / "0" / "0").mkdir(parents=True)
    (image / "0" / "c" / "0" / "0" / "0").write_bytes(b"x" * 100)
    before = psutil.Process().memory_info().rss
    report = validation_report(image, data=True)
    assert psutil.Process().memory_info().rss - before < 200 * 2**20
    assert "the chunks of 0 were not decoded, as they are larger than 512 MB" in report.notes


@pytest.mark.s3
def test_document_too_large_on_a_server_is_not_received(
    sandbox_server: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox_server.use()
    monkeypatch.setattr("ngff_practical.inspection.tree.LARGEST_DOCUMENT", 1000)
    place = sandbox_server.location("practical", "hostile/large.zarr")
    write_object(place, "zarr.json", b" " * 100_000, overwrite=True)
    (issue,) = validate(place)
    assert "large; metadata stays below" in issue.message


@pytest.mark.s3
def test_consolidated_copy_on_a_server_is_compared(sandbox_server: Sandbox) -> None:
    sandbox_server.use()
    broken = SOUND.parent / "broken" / "group_consolidated_v2"
    place = sandbox_server.location("practical", "hostile/v0.4/consolidated.zarr")
    for file in (file for file in broken.rglob("*") if file.is_file()):
        write_object(place, file.relative_to(broken).as_posix(), file.read_bytes(), overwrite=True)
    assert any("the copy in .zmetadata differs" in issue.message for issue in validate(place))


@pytest.mark.s3
@pytest.mark.parametrize(
    ("store", "key"), [("0_4", "hostile/zarr/v0.4/a.zarr"), ("0_5", "hostile/v0.4/b.zarr")]
)
def test_wrong_guess_of_the_format_costs_one_request(store: str, key: str, sandbox_server: Sandbox) -> None:
    sandbox_server.use()
    place = sandbox_server.location("practical", key)
    for file in (file for file in (SOUND / store).rglob("*") if file.is_file()):
        write_object(place, file.relative_to(SOUND / store).as_posix(), file.read_bytes(), overwrite=True)
    before = len(sandbox_server.requests())
    found = describe_image(place)
    made = len(sandbox_server.requests()) - before
    assert made == 2 + len(found.levels) + (store == "0_5")
