"""`ngff-practical delete`: it shows what, asks, deletes one image, and nothing that is none."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable

import pytest

from ngff_practical.cli import main
from ngff_practical.model import Location
from ngff_practical.storage import list_objects, write_object

pytestmark = pytest.mark.s3

type Run = Callable[..., tuple[int, str, str]]

KEYS = ["0/c/0/0", "0/zarr.json", "zarr.json"]


class Keyboard(io.StringIO):
    """Somebody who types."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def image(place: Location) -> Location:
    """An image, and a neighbour whose key begins alike."""
    for key in KEYS:
        write_object(place, key, b"{}")
    write_object(Location(place.endpoint, place.bucket, f"{place.key}2"), "zarr.json", b"{}")
    return place


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(place: Location, *words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(["delete", f"s3://{place.bucket}/{place.key}", "--endpoint", place.endpoint, *words])
        return (code, *capsys.readouterr())

    return call


def keys(place: Location) -> list[str]:
    return [stored.key for stored in list_objects(place)]


def test_deleting_says_how_much_and_leaves_the_neighbour(image: Location, run: Run) -> None:
    code, said, _ = run(image, "--yes")
    assert (code, said) == (0, f"deleted 3 objects, 6 B, at {image}\n")
    assert keys(image) == []
    assert keys(Location(image.endpoint, image.bucket, f"{image.key}2")) == ["zarr.json"]


def test_a_dry_run_deletes_nothing(image: Location, run: Run) -> None:
    code, said, _ = run(image, "--dry-run", "--json")
    assert code == 0
    assert json.loads(said) == {"location": str(image), "objects": 3, "bytes": 6, "dry_run": True}
    assert keys(image) == KEYS


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_nothing_is_deleted_where_nobody_can_be_asked(
    image: Location, run: Run, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setattr(sys, "stdin", Keyboard("t.zarr\n") if words else io.StringIO("t.zarr\n"))
    code, _, said = run(image, *words)
    assert code == 2
    assert "3 objects, 6 B" in said
    assert "--yes" in said
    assert keys(image) == KEYS


@pytest.mark.parametrize(("typed", "left"), [("t.zarr\n", []), ("y\n", KEYS), ("", KEYS)])
def test_the_name_has_to_be_typed(
    image: Location, run: Run, monkeypatch: pytest.MonkeyPatch, typed: str, left: list[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", Keyboard(typed))
    code, _, said = run(image)
    assert "This deletes 3 objects, 6 B" in said
    assert f"Type {image.name} to delete it:" in said.splitlines()
    assert code == (1 if left else 0)
    assert keys(image) == left


def test_a_prefix_of_several_images_is_refused(image: Location, run: Run) -> None:
    above = Location(image.endpoint, image.bucket, image.key.rpartition("/")[0])
    code, _, said = run(above, "--yes")
    assert code == 2
    assert "is no image" in said
    assert keys(image) == KEYS


def test_a_bucket_is_refused(image: Location, run: Run) -> None:
    code, _, said = run(Location(image.endpoint, image.bucket), "--yes")
    assert code == 2
    assert "is a whole bucket" in said
    assert keys(image) == KEYS


def test_what_a_broken_off_upload_left_can_be_deleted(place: Location, run: Run) -> None:
    write_object(place, "0/c/0/0", b"chunk")
    assert run(place, "--yes")[0] == 0
    assert keys(place) == []


def test_an_image_that_is_not_there_is_told(place: Location, run: Run) -> None:
    code, _, said = run(place, "--yes")
    assert code == 2
    assert "nothing is stored below" in said
