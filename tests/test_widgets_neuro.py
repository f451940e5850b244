"""Neuroglancer in the notebook: where it finds its page and its voxels, and what the folder server gives."""

import socket
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest
import zarr

from ngff_practical import describe_image
from ngff_practical.model import Axis, Channel, Level, Location, Pyramid
from ngff_practical.samples import mini_image
from ngff_practical.storage import read_object, write_object
from ngff_practical.transfer import upload
from ngff_practical.widgets import NeuroglancerView, neuroglancer_view
from ngff_practical.widgets.neuro import black_and_white, dimensions, sources
from ngff_practical.widgets.serving import ImageServer, span_of

DATA = Path(__file__).parent / "data" / "sound"
BASE = "http://127.0.0.1:8888/user/abc/"


@pytest.fixture
def served():
    server = ImageServer(DATA)
    yield server
    server.close()


def ask(server, path, wanted=None, method="GET"):
    """Return status, bytes and Content-Range of an answer."""
    request = urllib.request.Request(f"http://127.0.0.1:{server.port}/{path}", method=method)
    if wanted:
        request.add_header("Range", wanted)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read(), answer.headers["Content-Range"]
    except urllib.error.HTTPError as error:
        return error.code, error.read(), error.headers["Content-Range"]


def status(server, path):
    return ask(server, path)[0]


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


def test_servers_of_others_are_read_by_the_page_itself():
    image = describe_image(DATA / "0_5")
    there = sources(Location("https://s3.example", "idr", "a b.zarr"), image, BASE)
    assert there[image.name] == "https://s3.example/idr/a%20b.zarr/|zarr3:"


@pytest.mark.s3
def test_the_practice_server_is_read_through_the_kernel(server, tmp_path):
    mini_image(tmp_path / "mini.zarr")
    place = server.location("practical", "neuro/a b.zarr")
    upload(tmp_path / "mini.zarr", place)
    view = neuroglancer_view(place)
    view._handle_custom_msg({"do": "open", "base": BASE}, [])
    source = view._viewer.state.layers[0].source[0].url
    assert source.startswith(f"{BASE}proxy/{view._server.port}/{view._server.path}/")
    whole = read_object(place, "0/c/0/0/0/0")
    key = f"{view._server.path}/0/c/0/0/0/0"
    assert ask(view._server, key) == (200, whole, None)
    last = f"bytes {len(whole) - 100}-{len(whole) - 1}/{len(whole)}"
    assert ask(view._server, key, "bytes=-100") == (206, whole[-100:], last)
    write_object(place, "a b", b"odd")
    assert ask(view._server, f"{view._server.path}/a%20b") == (200, b"odd", None)
    assert ask(view._server, f"{view._server.path}/nothing")[0] == 404
    view._server.close()


def test_a_practice_server_that_is_gone_is_an_answer_too():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        server = ImageServer(f"http://127.0.0.1:{taken.getsockname()[1]}/idr/a.zarr")
        assert status(server, f"{server.path}/zarr.json") == 502
        server.close()


def test_labels_become_layers_of_their_own():
    image = describe_image(DATA / "labels")
    found = sources(Location("https://s3.example", "idr", "a.zarr"), image, BASE)
    assert len(found) == 1 + len(image.labels)
    assert any("/labels/" in source for source in found.values())


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("", range(10)),
        ("bytes=0-0", range(1)),
        ("bytes=2-4", range(2, 5)),
        ("bytes=7-", range(7, 10)),
        ("bytes=-3", range(7, 10)),
        ("bytes=-30", range(10)),
        ("bytes=5-99", range(5, 10)),
        ("bytes=10-12", None),
        ("bytes=4-2", None),
        ("bytes=-0", None),
        ("bytes=-", None),
        ("bytes=0-1,4-5", None),
        ("lines=1-2", None),
    ],
)
def test_a_range_is_the_bytes_it_asks_for(wanted, found):
    assert span_of(wanted, 10) == found


def test_a_range_of_a_file_says_how_large_the_file_is(served):
    whole = (DATA / "0_5" / "zarr.json").read_bytes()
    key = f"{served.path}/0_5/zarr.json"
    assert ask(served, key, "bytes=0-0") == (206, whole[:1], f"bytes 0-0/{len(whole)}")
    assert ask(served, key, f"bytes={len(whole)}-") == (416, b"", f"bytes */{len(whole)}")


def test_the_size_is_not_asked_for_with_head_since_the_proxy_would_answer_0(served):
    assert ask(served, f"{served.path}/0_5/zarr.json", method="HEAD")[0] == 405


def test_the_folder_server_gives_files_below_its_secret_only(served):
    assert status(served, f"{served.path}/0_5/zarr.json") == 200
    assert status(served, f"{served.path}/0_5/zarr.json?again=1") == 200
    assert status(served, "0_5/zarr.json") == 404
    assert status(served, f"{(DATA / '0_5').as_posix()}/zarr.json") == 404
    assert status(served, f"{served.path}/0_5/") == 404
    assert status(served, f"{served.path}/../../conftest.py") == 404
    assert status(served, f"{served.path}/%2e%2e/%2e%2e/conftest.py") == 404


def test_a_file_with_any_name_is_found_at_its_quoted_address(tmp_path):
    (tmp_path / "a b%é.json").write_bytes(b"{}")
    server = ImageServer(tmp_path)
    assert ask(server, f"{server.path}/a%20b%25%C3%A9.json") == (200, b"{}", None)
    server.close()


def test_a_link_that_leads_out_of_the_folder_is_not_followed(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "secret").write_text("no")
    (tmp_path / "in" / "link").symlink_to(tmp_path / "secret")
    server = ImageServer(tmp_path / "in")
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
