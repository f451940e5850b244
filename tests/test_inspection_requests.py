"""How many requests a server is asked to answer, and at the same time."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ngff_practical.inspection import describe_image
from ngff_practical.metadata import image_document, labels_document
from ngff_practical.model import Axis, Level, Location, Pyramid, axis_type
from ngff_practical.sandbox import Sandbox
from ngff_practical.storage import write_object

SOUND = Path(__file__).parent / "data" / "sound"
AXES = tuple(Axis(name, axis_type(name)) for name in "tczyx")
IMAGE = Pyramid(
    "image",
    "0.5",
    AXES,
    tuple(
        Level(str(index), (1, 1, size, size, size), "uint16", (1, 1, 4, 4, 4), (1.0, 1.0, *(16 / size,) * 3))
        for index, size in enumerate((16, 8, 4))
    ),
)
V3 = ("0.5", "0.6")
VERSIONS = ("0.1", "0.2", "0.3", "0.4", *V3)
KEYS = {"named": "v{version}/image.zarr", "silent": "image.zarr", "misleading": "v{other}/image.zarr"}

pytestmark = pytest.mark.s3


LEVELS = len(IMAGE.levels)


def other(version: str) -> str:
    return "0.4" if version in V3 else "0.5"


def most_requests(version: str, key: str, *, labels: bool, unsigned: bool) -> int:
    """The table of `ngff_practical.inspection.guessing`, beside one for every level."""
    if key == "misleading":
        return 3
    if key == "named":
        return 2
    if unsigned:
        return 2 if version in V3 else 3
    return 3 if labels else 2


def group(path: str, attributes: object, version: str) -> dict[str, object]:
    """The documents of a group by their keys."""
    start = f"{path}/" if path else ""
    if version in V3:
        return {f"{start}zarr.json": {"zarr_format": 3, "node_type": "group", "attributes": attributes}}
    return {f"{start}.zgroup": {"zarr_format": 2}, f"{start}.zattrs": attributes}


def attributes_of(version: str) -> object:
    """The attributes of an image of three levels in five dimensions."""
    if version in V3:
        return image_document(IMAGE if version == "0.5" else replace(IMAGE, version=version))
    if version == "0.4":
        return image_document(replace(IMAGE, version="0.4"))
    axes = {"axes": list("tczyx")} if version == "0.3" else {}
    datasets = [{"path": level.path} for level in IMAGE.levels]
    return {"multiscales": [{"version": version, "datasets": datasets, **axes}]}


def array(level: Level, version: str) -> tuple[str, dict[str, object]]:
    """The name and the document of a level."""
    name = "zarr.json" if version in V3 else ".zarray"
    document = json.loads((SOUND / ("0_5" if version in V3 else "0_4") / "0" / name).read_text())
    changed: dict[str, object] = {"shape": level.shape, "chunks": level.chunks}
    if version in V3:
        grid = {"name": "regular", "configuration": {"chunk_shape": level.chunks}}
        changed = {"shape": level.shape, "chunk_grid": grid, "dimension_names": list("tczyx")}
    return f"{level.path}/{name}", {**document, **changed}


def documents(version: str, *, labels: bool) -> dict[str, object]:
    """Every document of the image, and of its label image, by its key."""
    found: dict[str, object] = {}
    for path in ("", *(["labels/nuclei"] if labels else [])):
        found |= group(path, attributes_of(version), version)
        for level in IMAGE.levels:
            name, document = array(level, version)
            found[f"{path}/{name}" if path else name] = document
    if labels:
        listing = labels_document(["nuclei"], version=version if version in V3 else "0.4")
        found |= group("labels", listing, version)
    return found


@pytest.fixture
def describes(sandbox_server: Sandbox) -> Callable[..., tuple[Pyramid, list[str]]]:
    """Store an image, describe it, and return it with the requests that it took."""
    sandbox_server.use()

    def look(version: str, key: str, *, labels: bool, unsigned: bool) -> tuple[Pyramid, list[str]]:
        name = KEYS[key].format(version=version, other=other(version))
        folder = f"requests/{'labels' if labels else 'plain'}/{VERSIONS.index(version)}/{name}"
        place = Location(sandbox_server.endpoint, "practical", folder)
        for path, document in documents(version, labels=labels).items():
            write_object(place, path, json.dumps(document).encode(), overwrite=True)
        describe_image(place)  # what is asked once for a server, or a bucket, is not counted
        before = len(sandbox_server.requests())
        found = describe_image(replace(place, anonymous=unsigned))
        made = sandbox_server.requests()[before:]
        return found, [f"{request.method} {request.key}" for request in made]

    return look


@pytest.mark.parametrize("unsigned", [False, True], ids=["signed", "unsigned"])
@pytest.mark.parametrize("labels", [False, True], ids=["plain", "labels"])
@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("version", VERSIONS)
def test_image_takes_one_request_for_each_level_and_two_more(
    describes: Callable[..., tuple[Pyramid, list[str]]],
    version: str,
    key: str,
    labels: bool,
    unsigned: bool,
) -> None:
    found, made = describes(version, key, labels=labels, unsigned=unsigned)
    assert (found.version, len(found.levels)) == (version, LEVELS)
    assert found.labels == (("nuclei",) if labels else ())
    assert len(made) == LEVELS + most_requests(version, key, labels=labels, unsigned=unsigned), made
