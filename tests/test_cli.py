"""The command line as people script against it: exit codes, one JSON document, nothing overwritten."""

import io
import itertools
import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import tifffile

from ngff_practical.cli import main
from ngff_practical.cli.lab import lab_command, lab_environment
from ngff_practical.cli.output import escape
from ngff_practical.model.wording import bytes_text
from ngff_practical.storage import delete_object, write_object


@pytest.fixture
def planes(tmp_path):
    folder = tmp_path / "planes"
    folder.mkdir()
    block = np.random.default_rng(1).integers(0, 4000, (6, 150, 170), dtype="uint16")
    for index, plane in enumerate(block):
        tifffile.imwrite(folder / f"z{index:02}.tif", plane)
    return folder


@pytest.fixture
def run(capsys):
    """Run a command in this process; return its exit code, stdout and stderr."""

    def call(*arguments):
        code = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return call


@pytest.fixture
def run_json(run):
    def call(*arguments):
        code, out, _ = run(*arguments, "--json")
        return code, json.loads(out)

    return call


@pytest.fixture
def image(planes, tmp_path, run):
    destination = tmp_path / "image.ome.zarr"
    size = ("--voxel-size", "5,2,2", "--unit", "micrometer")
    code, *_ = run("convert", planes, destination, *size, "--chunks", "4,64,64", "--levels", "2")
    assert code == 0
    return destination


def test_convert_says_what_it_wrote(planes, tmp_path, run_json):
    destination = tmp_path / "image.ome.zarr"
    code, document = run_json(
        "convert", planes, destination, "--voxel-size", "5,2,2", "--unit", "um", "--levels", "2"
    )
    assert code == 0
    assert document["source"]["axes"] == ["z", "y", "x"]
    assert document["source"]["voxel_size"] == [5, 2, 2]
    assert document["source"]["unit"] == "micrometer"
    assert len(document["source"]["files"]) == 6
    assert [level["shape"] for level in document["levels"]] == [[6, 150, 170], [6, 75, 85]]
    assert document["version"] == "0.5"
    files = [path for path in destination.rglob("*") if path.is_file()]
    assert document["objects"] == len(files)
    assert document["bytes"] == sum(path.stat().st_size for path in files)
    assert {"destination", "peak_memory_bytes", "seconds"} < set(document)


def test_plan_predicts_the_objects_that_convert_writes(planes, image, run_json):
    options = ("--voxel-size", "5,2,2", "--unit", "micrometer", "--chunks", "4,64,64", "--levels", "2")
    code, planned = run_json("plan", planes, *options)
    assert code == 0
    assert planned["objects"] == sum(1 for path in image.rglob("*") if path.is_file())


def test_a_dry_run_writes_nothing(planes, tmp_path, run_json):
    destination = tmp_path / "image.ome.zarr"
    code, document = run_json("convert", planes, destination, "--dry-run")
    assert code == 0
    assert document["destination"] == str(destination)
    assert not destination.exists()


def test_info_describes_the_image(image, run_json):
    code, document = run_json("info", image)
    assert code == 0
    assert (document["kind"], document["version"], document["dtype"]) == ("image", "0.5", "uint16")
    assert document["axes"][0] == {"name": "z", "type": "space", "unit": "micrometer"}
    assert document["levels"][0]["chunks"] == [4, 64, 64]
    assert document["levels"][1]["translation"] == [0, 1, 1]
    assert document["labels"] == document["wells"] == document["channels"] == []


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])  # those of a pipe on Windows, and of LC_ALL=C
@pytest.mark.parametrize("command", ["info", "validate", "progress"])
def test_what_the_terminal_has_no_letters_for_is_escaped(image, monkeypatch, encoding, command):
    named = image.rename(image.with_name("細胞.ome.zarr"))
    place = [str(named)] if command != "progress" else []
    for option in ([], ["--json"]):
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding=encoding))
        assert main([command, *place, *option]) == 0
        sys.stdout.seek(0)
        words = sys.stdout.read()
    if place:
        assert json.loads(words)["location"] == str(named)


def test_info_page_shows_every_level(image, run):
    code, out, _ = run("info", image)
    assert code == 0
    assert "6 x 150 x 170" in out
    assert "5 x 4 x 4 micrometer" in out


def test_validate_ends_with_0_for_a_valid_image(image, run_json):
    code, document = run_json("validate", image)
    assert code == 0
    assert document["valid"] is True
    assert [issue for issue in document["issues"] if issue["severity"] != "should"] == []


def test_validate_ends_with_1_and_names_what_is_wrong(image, run_json):
    root = json.loads((image / "zarr.json").read_text())
    root["attributes"]["ome"]["multiscales"][0]["datasets"][1]["coordinateTransformations"][0]["scale"][0] = 0
    (image / "zarr.json").write_text(json.dumps(root))
    code, document = run_json("validate", image)
    assert code == 1
    assert document["valid"] is False
    grave = [issue for issue in document["issues"] if issue["severity"] == "must"]
    assert any("datasets[1]" in issue["where"] for issue in grave)
    assert all(issue["rule"] and issue["message"] for issue in document["issues"])


def test_a_second_conversion_to_the_same_place_is_refused(planes, image, run):
    code, out, err = run("convert", planes, image)
    assert (code, out) == (2, "")
    assert "exists" in err


@pytest.mark.parametrize(
    "arguments",
    [
        ("info",),
        ("info", "no/such/place"),
        ("validate", "no/such/place"),
        ("plan", "no/such/folder"),
        ("convert", "no/such/folder", "out.zarr"),
        ("frobnicate",),
        ("ls", "s3://bucket/key"),
        ("download", "a-local-path", "somewhere"),
    ],
)
def test_what_cannot_be_done_ends_with_2_and_one_sentence(arguments, run, monkeypatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err.strip()
    assert "Traceback" not in err


def test_an_error_with_json_is_one_document_too(run_json):
    code, document = run_json("info", "no/such/place")
    assert code == 2
    assert "no/such/place" in document["error"]["message"]


def test_a_pattern_chooses_the_files_of_one_image(tmp_path, run_json):
    (tmp_path / "plate").mkdir()
    for well, z, channel in itertools.product(("A01", "B02"), (1, 2, 3), (1, 2)):
        name = f"p_{well}_z{z}_w{channel}.tif"
        tifffile.imwrite(tmp_path / "plate" / name, np.zeros((8, 9), "uint8"), metadata=None)
    _, plan = run_json("plan", tmp_path / "plate", "--pattern", "p_B02_z{z}_w{c}.tif")
    assert plan["source"]["axes"] == ["c", "z", "y", "x"]
    assert plan["source"]["shape"] == [2, 3, 8, 9]


def test_numbers_that_are_none_are_refused_with_the_option_named(planes, run):
    code, _, err = run("plan", planes, "--chunks", "4,many,64")
    assert code == 2
    assert "--chunks" in err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")
@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_a_disk_that_takes_no_more_ends_with_1_and_leaves_nothing(version, planes, tmp_path):
    import resource

    destination = tmp_path / "image.ome.zarr"
    answer = subprocess.run(
        [sys.executable, "-m", "ngff_practical", "convert", planes, destination, "--version", version],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000)),
    )
    assert answer.returncode == 1
    assert f"{destination} could not be written: File too large" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["planes"]


def test_an_interruption_is_said_in_one_line(planes, tmp_path, run, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("ngff_practical.convert.run.create_level", interrupt)
    code, out, err = run("convert", planes, tmp_path / "image.ome.zarr")
    assert (code, out) == (130, "")
    assert err.splitlines()[-1] == "stopped; the same command can be run again"
    assert [path.name for path in tmp_path.iterdir()] == ["planes"]


def test_notes_go_to_stderr_and_not_into_the_result(planes, run):
    code, out, err = run("plan", planes)
    assert code == 0
    assert "voxel size" in err
    assert "note:" not in out


@pytest.mark.s3
def test_an_upload_to_a_full_address_is_signed(image, run_json, sandbox_server):
    sandbox_server.use()
    code, sent = run_json("upload", image, f"{sandbox_server.endpoint}/practical/full/image.ome.zarr")
    assert (code, sent["problems"]) == (0, [])


@pytest.mark.s3
def test_upload_verify_download_and_verify_again(image, tmp_path, run_json, sandbox_server, monkeypatch):
    for name, value in sandbox_server.environment.items():
        monkeypatch.setenv(name, value)
    url = "s3://practical/cli/image.ome.zarr"
    code, sent = run_json("upload", image, url)
    assert code == 0
    assert sent["copied"] == sent["objects"] == sent["verified"]
    code, compared = run_json("verify", image, url)
    assert (code, compared["problems"]) == (0, [])
    code, fetched = run_json("download", url, tmp_path / "copy.ome.zarr")
    assert (code, fetched["problems"]) == (0, [])
    for path in image.rglob("*"):
        if path.is_file():
            assert (tmp_path / "copy.ome.zarr" / path.relative_to(image)).read_bytes() == path.read_bytes()


@pytest.mark.s3
def test_verify_names_what_was_altered_removed_and_added(image, run_json, sandbox_server, monkeypatch):
    for name, value in sandbox_server.environment.items():
        monkeypatch.setenv(name, value)
    url = "s3://practical/tampered/image.ome.zarr"
    run_json("upload", image, url)
    place = sandbox_server.location("practical", "tampered/image.ome.zarr")
    write_object(place, "0/c/0/0/0", b"altered", overwrite=True)
    delete_object(place, "0/c/0/0/1")
    write_object(place, "added.txt", b"added")
    code, document = run_json("verify", image, url)
    assert code == 1
    assert {(problem["kind"], problem["key"]) for problem in document["problems"]} == {
        ("changed", "0/c/0/0/0"),
        ("missing", "0/c/0/0/1"),
        ("extra", "added.txt"),
    }


@pytest.mark.s3
def test_verify_tells_a_person_what_differs(image, run, sandbox_server, monkeypatch):
    for name, value in sandbox_server.environment.items():
        monkeypatch.setenv(name, value)
    url = "s3://practical/told/image.ome.zarr"
    run("upload", image, url)
    write_object(sandbox_server.location("practical", "told/image.ome.zarr"), "added.txt", b"added")
    code, out, _ = run("verify", image, url)
    assert code == 1
    assert "extra: " in out
    assert "added.txt is there and not part of image.ome.zarr" in out
    assert out.splitlines()[-1] == "not the same: 1 problem"


@pytest.mark.s3
def test_ls_lists_one_level(image, run_json, sandbox_server, monkeypatch):
    for name, value in sandbox_server.environment.items():
        monkeypatch.setenv(name, value)
    run_json("upload", image, "s3://practical/listed/image.ome.zarr")
    code, document = run_json("ls", "s3://practical/listed/image.ome.zarr/")
    assert code == 0
    assert document["folders"] == ["0", "1"]
    assert [entry["key"] for entry in document["objects"]] == ["zarr.json"]


@pytest.mark.s3
def test_ls_of_one_object_shows_it_and_of_nothing_says_so(run, run_json, sandbox_server, monkeypatch):
    for name, value in sandbox_server.environment.items():
        monkeypatch.setenv(name, value)
    write_object(sandbox_server.location("practical", "alone"), "note.txt", b"hello")
    code, document = run_json("ls", "s3://practical/alone/note.txt")
    assert code == 0
    assert document["objects"] == [{"key": "note.txt", "bytes": 5}]
    code, out, err = run("ls", "s3://practical/alone/nothing")
    assert (code, out) == (2, "")
    assert "nothing is stored below" in err


def test_samples_lists_licences_and_marks_what_may_not_be_copied(run_json):
    code, document = run_json("samples")
    assert code == 0
    by_study = {sample["study"]: sample for sample in document["samples"]}
    assert by_study["idr0062"]["licence"] == "CC BY 4.0"
    assert by_study["idr0053"]["link_only"] is True


def test_text_from_files_cannot_steer_the_terminal():
    assert escape("a\x1b[31mb\u202ec\n") == "a\\x1b[31mb\\u202ec\\x0a"
    assert escape("µm, Hériché, 細胞") == "µm, Hériché, 細胞"


@pytest.mark.parametrize(
    ("nbytes", "text"), [(812, "812 B"), (64_000, "64.0 kB"), (999_960, "1.0 MB"), (437e9, "437.0 GB")]
)
def test_sizes_are_written_in_powers_of_1000(nbytes, text):
    assert bytes_text(nbytes) == text


@pytest.mark.parametrize(
    ("has_glossary", "root", "opened"),
    [(True, ".", "notebooks/00_start_here.ipynb"), (False, "notebooks", "00_start_here.ipynb")],
)
def test_the_lab_serves_the_glossary_that_lessons_link_to(tmp_path, has_glossary, root, opened):
    folder = tmp_path / "notebooks"
    folder.mkdir()
    if has_glossary:
        (tmp_path / "docs").mkdir()
        (tmp_path / "docs" / "glossary.md").touch()
    command = lab_command(folder, browser=False, port=None)
    assert f"--ServerApp.root_dir={(tmp_path / root).resolve()}" in command
    assert f"--LabApp.default_url=/lab/tree/{opened}" in command


def test_a_terminal_in_the_lab_finds_the_command(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    environment = lab_environment({"AWS_REGION": "here"})
    assert shutil.which("ngff-practical", path=environment["PATH"])
    assert environment["PATH"].endswith(os.pathsep + str(tmp_path))
    assert environment["AWS_REGION"] == "here"


def test_the_module_is_the_command(tmp_path):
    command = [sys.executable, "-m", "ngff_practical", "info", str(tmp_path / "nothing")]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 2
    assert "nothing" in answer.stderr


@pytest.mark.parametrize("levels", ["2,3", "many", "1.5"])
def test_levels_are_one_number(levels, planes, tmp_path, run):
    code, _, err = run("convert", planes, tmp_path / "out.zarr", "--levels", levels)
    assert code == 2
    assert "is not a number of levels" in err
