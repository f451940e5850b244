"""Links for viewers, and a place as a stranger's browser meets it."""

import http.server
import json
import shlex
import threading
from collections.abc import Iterator
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from ngff_practical.model import Location
from ngff_practical.sandbox import Sandbox
from ngff_practical.sharing import reach, viewer_links, web_address
from ngff_practical.storage import read_object, write_object

ODD = Location("https://s3.example.org", "practical", 'ada/my "own" image #1 é&x=?.zarr')


def test_address_is_percent_encoded_and_has_no_slash_at_its_end() -> None:
    assert web_address(ODD) == (
        "https://s3.example.org/practical/ada/my%20%22own%22%20image%20%231%20%C3%A9%26x%3D%3F.zarr"
    )
    assert unquote(urlsplit(web_address(ODD)).path) == f"/practical/{ODD.key}"


def test_viewers_get_back_the_very_address() -> None:
    links = {link.viewer: link for link in viewer_links(ODD)}
    assert list(links) == ["vizarr", "neuroglancer", "ome-ngff-validator", "napari"]
    for viewer in ("vizarr", "ome-ngff-validator"):
        assert parse_qs(urlsplit(links[viewer].url).query)["source"] == [web_address(ODD)]
    state = json.loads(unquote(urlsplit(links["neuroglancer"].url).fragment.removeprefix("!")))
    assert state["layers"][0]["source"] == f"zarr://{web_address(ODD)}"
    assert shlex.split(links["napari"].command)[-1] == web_address(ODD)


@pytest.fixture
def server(sandbox_server: Sandbox) -> Iterator[Sandbox]:
    sandbox_server.use()
    yield sandbox_server
    sandbox_server.set_network()


@pytest.mark.s3
def test_public_image_in_the_sandbox_opens_on_this_computer_alone(server: Sandbox) -> None:
    found = reach(server.location("idr", "tiny.zarr"))
    assert found.ok
    assert (found.status, found.cors_on_errors, found.shared) == (206, True, False)
    assert len(found.problems) == 1
    assert "nobody else can open it" in found.problems[0]
    assert abs(found.clock_s) < 60


@pytest.mark.s3
def test_address_with_odd_characters_is_the_one_that_is_stored(server: Sandbox) -> None:
    place = server.location("practical", f"sharing/{ODD.key}")
    write_object(place, "zarr.json", b"{}", overwrite=True)
    assert read_object(place, "zarr.json") == b"{}"
    assert reach(place).public


@pytest.mark.s3
def test_server_without_cors_keeps_browsers_out(server: Sandbox) -> None:
    server.set_network(cors=False)
    found = reach(server.location("idr", "tiny.zarr"))
    assert (found.public, found.cors, found.ok) == (True, False, False)
    assert "CORS rule" in str(found)


@pytest.mark.s3
def test_nothing_there_is_answered_by_its_status(server: Sandbox) -> None:
    found = reach(server.location("idr", "nothing.zarr"))
    assert (found.status, found.public, found.ok) == (404, False, False)


def test_server_that_is_not_there_is_no_error() -> None:
    found = reach(Location("http://127.0.0.1:9", "bucket", "x.zarr"), timeout_s=2)
    assert (found.status, found.ok) == (None, False)
    assert "no answer came" in str(found)


def test_plain_web_server_that_knows_no_ranges_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path.endswith("zarr.json") else 404)
            if self.path.endswith("zarr.json"):
                self.send_header("Access-Control-Allow-Origin", "*")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr("ngff_practical.sharing.stranger.is_loopback", lambda _: False)
    found = reach(Location(f"http://127.0.0.1:{server.server_port}", "b", "x.zarr"))
    server.shutdown()
    server.server_close()
    assert (found.public, found.cors, found.cors_on_errors) == (True, True, False)
    assert (found.ranges, found.https, found.shared) == (False, False, True)
    assert len(found.problems) == 3
