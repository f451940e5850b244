"""The gallery of a class: pictures of what strangers share, within bounds, and nothing of theirs is run."""

import base64
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import zarr
from PIL import Image

from ngff_practical.model import Location
from ngff_practical.samples import mini_image
from ngff_practical.sandbox import Sandbox
from ngff_practical.storage import delete_object, list_objects, write_object
from ngff_practical.transfer import upload
from ngff_practical.widgets.gallery import MOST_IMAGES, Gallery

pytestmark = pytest.mark.s3


@pytest.fixture
def place(sandbox_server: Sandbox) -> Iterator[Location]:
    sandbox_server.use()
    made = sandbox_server.location("practical", "gallery-test")
    delete_object(made, [each.key for each in list_objects(made)])
    yield made
    sandbox_server.use()
    delete_object(made, [each.key for each in list_objects(made)])


@pytest.fixture
def image(tmp_path: Path) -> Path:
    mini_image(tmp_path / "embryo.ome.zarr")
    return tmp_path / "embryo.ome.zarr"


def change(image: Path, level: str, **changes: object) -> None:
    """Write other things into the document of a level."""
    path = image / level / "zarr.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def shared(image: Path, place: Location) -> Gallery:
    upload(image, place)
    return Gallery([("heron", place, "CC0")])


def test_picture_is_the_middle_plane_of_the_coarsest_level(image: Path, place: Location) -> None:
    page = shared(image, place)._repr_html_()
    found = re.search(
        r'src="data:image/png;base64,([^"]+)" alt="A plane of the image that heron shares"', page
    )
    assert found
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(found[1]))).convert("L"))
    level = zarr.open_array(image / "2", mode="r")
    plane = level[0, level.shape[1] // 2]
    assert picture.shape == plane.shape
    brightest = np.unravel_index(plane.argmax(), plane.shape)
    assert picture[brightest] == 255
    assert np.corrcoef(picture.ravel(), plane.ravel())[0, 1] > 0.95


def test_picture_is_fetched_without_keys(
    image: Path, place: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(image, place)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    assert "data:image/png" in Gallery([("heron", place, "CC0")])._repr_html_()


def test_what_learners_wrote_stays_text(place: Location) -> None:
    gallery = Gallery([('<b>"x"\x1b', place / '"><script>', "<i>mine</i>")])
    page = gallery._repr_html_()
    assert "<b>" not in page
    assert "<script>" not in page
    assert "<i>" not in page
    assert "\x1b" not in page + repr(gallery)


def test_image_that_is_not_there_is_named_with_the_reason(place: Location) -> None:
    gallery = Gallery([("heron", place / "nothing.zarr", "CC0"), ("wren", place / "neither.zarr", "CC0")])
    assert gallery._repr_html_().count("no picture: ") == 2
    assert "heron" in repr(gallery)
    assert "wren" in repr(gallery)


def test_level_that_is_large_is_not_fetched(image: Path, place: Location) -> None:
    for level, side in (("0", 400_000), ("1", 200_000), ("2", 100_000)):
        change(image, level, shape=[2, 32, side, side])
    assert "no picture: its coarsest level takes 1.3 TB" in repr(shared(image, place))


def test_chunk_that_would_be_large_is_not_decoded(image: Path, place: Location) -> None:
    grid = {"name": "regular", "configuration": {"chunk_shape": [1, 16, 100_000, 100_000]}}
    change(image, "2", chunk_grid=grid)
    assert "no picture: its coarsest level takes 320.0 GB" in repr(shared(image, place))


def test_level_of_very_many_objects_is_not_fetched(image: Path, place: Location, monkeypatch) -> None:
    monkeypatch.setattr("ngff_practical.widgets.gallery.MOST_OBJECTS", 2)
    assert "no picture: its coarsest level has more than 2 objects" in repr(shared(image, place))


def test_level_that_is_stored_in_very_many_bytes_is_not_fetched(
    image: Path, place: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(image, place)
    write_object(place, "2/c/9/9/9/9", bytes(300_000))
    monkeypatch.setattr("ngff_practical.widgets.gallery.MOST_NBYTES", 200_000)
    assert "no picture: its coarsest level takes 3" in repr(Gallery([("heron", place, "CC0")]))


def test_chunk_that_is_damaged_gives_a_reason_instead_of_a_picture(image: Path, place: Location) -> None:
    chunk = next(path for path in (image / "2" / "c").rglob("*") if path.is_file())
    chunk.write_bytes(b"\x00" * 40)
    assert "; no picture: " in repr(shared(image, place))


def test_level_without_a_plane_gives_a_reason_instead_of_a_picture(image: Path, place: Location) -> None:
    change(image, "2", shape=[2, 32, 0, 0])
    assert "; no picture: " in repr(shared(image, place))


def test_chunks_that_would_run_code_are_not_decoded(tmp_path: Path, place: Location) -> None:
    image = tmp_path / "old.ome.zarr"
    mini_image(image, version="0.4")
    path = image / "2" / ".zarray"
    document = json.loads(path.read_text()) | {"filters": [{"id": "pickle"}]}
    path.write_text(json.dumps(document))
    assert "runs code from the file" in repr(shared(image, place))


def test_more_images_than_fit_are_counted(place: Location, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ngff_practical.widgets.gallery.MOST_IMAGES", 2)
    shown = Gallery([(f"bird {number}", place / "none.zarr", "CC0") for number in range(5)])
    assert "3 more images are not shown" in repr(shown)
    assert MOST_IMAGES >= 30


def test_nothing_shared_is_said() -> None:
    assert repr(Gallery([])) == "No image is shown."
    assert "No image is shown." in Gallery([])._repr_html_()
