"""Neuroglancer in the notebook: where it finds its page and its voxels, and what the folder server gives."""

import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest
import zarr

from ngff_practical import describe_image
from ngff_practical.model import Axis, Channel, Level, Location, Pyramid
from ngff_practical.widgets import NeuroglancerView, neuroglancer_view
from ngff_practical.widgets.neuro import black_and_white, dimensions, sources
from ngff_practical.widgets.serving import FolderServer

DATA = Path(__file__).parent / "data" / "sound"
BASE = "http://127.0.0.1:8888/user/abc/"


@pytest.fixture
def served():
    server = FolderServer(DATA)
    yield server
    server.close()


def status(server, path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/{path}", timeout=5) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_dimensions_run_from_x_in_metres():
    axes = tuple(Axis(name, "space", "micrometer") for name in "zyx")
    image = Pyramid("a", "0.5", axes, (Level("0", (4, 8, 8), "uint8", (4, 8, 8), (2.0, 0.5, 0.25)),))
    assert dimensions(image) == {
        "names": ["x", "y", "z"],
        "units": ["m", "m", "m"],
        "scales": pytest.approx([0.25e-6, 0.5e-6, 2e-6]),
    }


@pytest.mark.parametrize(("version", "kind"), [("0_4", "zarr2"), ("0_5", "zarr3")])
def test_a_folder_is_read_through_the_proxy_below_its_secret(served, version, kind):
    image = describe_image(DATA / version)
    root = f"{BASE}proxy/{served.port}/{served.path}"
    assert sources(DATA / version, image, BASE, served)[image.name] == f"{root}/|{kind}:"


def test_the_practice_server_is_read_through_the_proxy_and_others_are_read_directly():
    image = describe_image(DATA / "0_5")
    here = sources(Location("http://127.0.0.1:9000", "idr", "a b.zarr"), image, BASE)
    there = sources(Location("https://s3.example", "idr", "a.zarr"), image, BASE)
    assert here[image.name] == f"{BASE}proxy/9000/idr/a%20b.zarr/|zarr3:"
    assert there[image.name] == "https://s3.example/idr/a.zarr/|zarr3:"


def test_labels_become_layers_of_their_own():
    image = describe_image(DATA / "labels")
    found = sources(Location("https://s3.example", "idr", "a.zarr"), image, BASE)
    assert len(found) == 1 + len(image.labels)
    assert any("/labels/" in source for source in found.values())


def test_the_folder_server_gives_files_below_its_secret_only(served):
    assert status(served, f"{served.path}/0_5/zarr.json") == 200
    assert status(served, "0_5/zarr.json") == 404
    assert status(served, f"{served.path}/0_5/") == 404
    assert status(served, f"{served.path}/../../conftest.py") == 404
    assert status(served, f"{served.path}/%2e%2e/%2e%2e/conftest.py") == 404


def test_a_link_that_leads_out_of_the_folder_is_not_followed(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "secret").write_text("no")
    (tmp_path / "in" / "link").symlink_to(tmp_path / "secret")
    server = FolderServer(tmp_path / "in")
    assert status(server, f"{server.path}/link") == 404
    server.close()


@pytest.mark.parametrize("base", ["javascript:alert(1)//", "file:///", "http://host", 5])
def test_a_base_address_that_is_none_is_ignored(base):
    view = neuroglancer_view(DATA / "0_5")
    view._handle_custom_msg({"do": "open", "base": base}, [])
    assert (view.address, view.notice) == ("", "")


def test_the_frame_gets_an_address_below_the_pages_own(monkeypatch):
    view = NeuroglancerView(DATA / "0_5")
    view._handle_custom_msg({"do": "open", "base": BASE}, [])
    assert view.address.startswith(f"{BASE}proxy/")
    layers = view._viewer.state.layers
    assert [layer.name for layer in layers] == [describe_image(DATA / "0_5").name]
    assert view.picture().startswith(b"\x89PNG")


@pytest.mark.parametrize(("window", "shown"), [((0, 4000, 10, 500), (10, 500)), (None, (7, 900))])
def test_the_contrast_is_the_stated_one_or_that_of_the_coarsest_level(tmp_path, window, shown):
    values = np.full((4, 32, 32), 7, "uint16")
    values[:, 8:] = 900
    space = (Axis("z", "space"), Axis("y", "space"), Axis("x", "space"))
    level = Level("0", values.shape, "uint16", (4, 32, 32), (1.0, 1.0, 1.0), itemsize=2)
    channels = (Channel("DAPI", window=window),)
    image = Pyramid("a", "0.4", space, (level,), channels=channels)
    zarr.save_array(tmp_path / "0", values, zarr_format=2)
    assert black_and_white(tmp_path, image) == shown
