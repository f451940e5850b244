"""`plan` and `convert` with a stack on S3 or behind a web address: which server and which keys are meant."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr

from ngff_practical.cli import main
from ngff_practical.model import Location
from ngff_practical.sandbox import Sandbox
from ngff_practical.storage import write_object, zarr_store

STACK = np.arange(4 * 64 * 64, dtype="uint16").reshape(4, 64, 64)

type Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*words: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main([str(word) for word in words])
        return (code, *capsys.readouterr())

    return call


@pytest.fixture
def stack(sandbox_server: Sandbox, tmp_path: Path, request: pytest.FixtureRequest) -> Location:
    """A TIFF in the bucket that needs keys."""
    sandbox_server.use()
    tifffile.imwrite(tmp_path / "stack.tif", STACK, imagej=True, metadata={"axes": "ZYX"})
    place = sandbox_server.location("practical", f"cli/{request.node.name}")
    write_object(place, "stack.tif", (tmp_path / "stack.tif").read_bytes())
    return place / "stack.tif"


@pytest.mark.s3
def test_plan_describes_a_stack_on_s3(stack, run):
    code, out, _ = run("plan", f"s3://practical/{stack.key}", "--endpoint", stack.endpoint, "--json")
    document = json.loads(out)
    assert (code, document["source"]["shape"], document["source"]["files"]) == (0, [4, 64, 64], [stack.url])


@pytest.mark.s3
def test_a_stack_on_s3_becomes_an_image_on_disk(stack, run, tmp_path):
    code, _, _ = run(
        "convert", f"s3://practical/{stack.key}", tmp_path / "image.zarr", "--endpoint", stack.endpoint
    )
    assert code == 0
    assert np.array_equal(zarr.open_array(tmp_path / "image.zarr/0", mode="r")[:], STACK)


@pytest.fixture
def keyless(stack: Location, monkeypatch: pytest.MonkeyPatch) -> Location:
    """The same stack for somebody without keys, who did not start the sandbox."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setattr("ngff_practical.sandbox.running", lambda: None)
    return stack


@pytest.mark.s3
def test_only_the_source_is_unsigned_where_somebody_says_anonymous(keyless, run):
    source, server = f"s3://practical/{keyless.key}", ("--endpoint", keyless.endpoint)
    code, _, said = run("plan", source, *server)
    assert code == 2
    assert "no S3 credentials were found" in said
    assert run("plan", source, *server, "--anonymous")[0] == 0
    code, _, said = run("convert", source, f"{source}.zarr", *server, "--anonymous")
    assert code == 2
    assert "no S3 credentials were found" in said


@pytest.mark.s3
def test_a_web_address_as_destination_is_written_with_keys(stack, run):
    destination = Location(stack.endpoint, stack.bucket, f"{stack.key}.zarr")
    source = f"s3://practical/{stack.key}"
    code, _, said = run("convert", source, destination.url, "--endpoint", stack.endpoint)
    assert code == 0, said
    assert np.array_equal(zarr.open_array(zarr_store(destination / "0"), mode="r")[:], STACK)


@pytest.mark.s3
def test_a_web_address_as_source_is_read_unsigned_from_its_own_server(keyless, run):
    assert run("plan", keyless.url, "--endpoint", "https://s3.example.org")[0] == 0


def test_a_plan_of_nothing_at_an_address_is_one_sentence(sandbox_server, run):
    code, out, said = run("plan", f"{sandbox_server.endpoint}/idr/nothing.tif")
    assert (code, out) == (2, "")
    assert "nothing.tif" in said
    assert "Traceback" not in said
