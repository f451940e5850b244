"""Ctrl-C on a network that has died without a word: the end comes at once, with the way to go on."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from line import HANG_S, Line, line_to, told_when_stopped

from ngff_practical.model import Location, StoredObject
from ngff_practical.sandbox import Sandbox
from ngff_practical.storage import object_exists
from ngff_practical.storage.crew import Crew, StoppedError
from ngff_practical.storage.moving import Objects, Received
from ngff_practical.transfer import download, upload, verify
from ngff_practical.transfer.fetching import fetch_object
from ngff_practical.widgets import DownloadPanel, UploadPanel

pytestmark = [
    pytest.mark.s3,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no such signal to one process"),
]

MIB = 2**20
SMALL_PARTS = """
from ngff_practical.transfer import checksums, delete_image, download, upload, verify
from ngff_practical.transfer.fetching import fetch_object
for function in (fetch_object, upload):
    function.__globals__["LARGE_NBYTES"] = 6 * 2**20
checksums.LARGE_NBYTES, checksums.PART_NBYTES = 6 * 2**20, 5 * 2**20
"""


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """Many small objects and a large one."""
    folder = tmp_path / "t.zarr"
    (folder / "0" / "c").mkdir(parents=True)
    random = np.random.default_rng(4)
    for number in range(30):
        (folder / "0" / "c" / f"{number:02}").write_bytes(random.bytes(100_000))
    (folder / "zarr.json").write_text("{}")
    return folder


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = tmp_path / "large.tif"
    path.write_bytes(np.random.default_rng(3).bytes(21 * MIB))
    return path


def address(place: Location) -> str:
    return f"s3://{place.bucket}/{place.key}"


@pytest.mark.parametrize("kind", ["small", "large"])
def test_upload_on_a_dead_network_ends_with_ctrl_c(
    server: Sandbox, place: Location, image: Path, large: Path, kind: str
) -> None:
    source = image if kind == "small" else large
    with line_to(server.endpoint, 700_000) as line:
        said = told_when_stopped(line, "upload", str(source), address(place), first=SMALL_PARTS)
    assert "Run the same command again: what is there is not sent again" in said
    assert not object_exists(place, "zarr.json" if kind == "small" else "")
    assert upload(source, place).verified > 0
    assert verify(source, place) == ()


@pytest.mark.parametrize("kind", ["small", "large"])
def test_download_on_a_dead_network_ends_with_ctrl_c(
    server: Sandbox, place: Location, image: Path, large: Path, tmp_path: Path, kind: str
) -> None:
    source = image if kind == "small" else large
    upload(source, place)
    with line_to(server.endpoint, 700_000) as line:
        said = told_when_stopped(line, "download", address(place), str(tmp_path / "back"), first=SMALL_PARTS)
    assert "run the same command again: what is there is not fetched again" in said
    assert not (tmp_path / "back").exists()
    download(place, tmp_path / "back")
    assert verify(tmp_path / "back", place) == ()


@pytest.mark.parametrize("command", ["upload", "download", "verify"])
def test_listing_over_a_dead_network_ends_with_ctrl_c(
    server: Sandbox, place: Location, image: Path, tmp_path: Path, command: str
) -> None:
    upload(image, place)
    ends = {
        "upload": (str(image), address(place)),
        "download": (address(place), str(tmp_path / "back")),
        "verify": (str(image), address(place)),
    }
    with line_to(server.endpoint, 0) as line:
        assert "the same command can be run again" in told_when_stopped(
            line, command, *ends[command], first=SMALL_PARTS
        )


def over(line: Line, place: Location) -> Location:
    return Location(line.endpoint, place.bucket, place.key, place.anonymous)


@pytest.mark.parametrize("nbytes", [0, 700_000])
def test_upload_panel_on_a_dead_network_stops_and_can_be_resumed(
    server: Sandbox, place: Location, image: Path, nbytes: int
) -> None:
    with line_to(server.endpoint, nbytes) as line:
        panel = UploadPanel(image, over(line, place))
        panel.start()
        assert line.dead.wait(60)
        panel.stop()
        panel.wait(HANG_S)
        assert panel.state == "stopped", panel.notice
    assert not object_exists(place, "zarr.json")
    assert upload(image, place).verified > 0
    assert verify(image, place) == ()


@pytest.mark.parametrize("nbytes", [0, 700_000])
def test_download_panel_on_a_dead_network_stops_and_can_be_resumed(
    server: Sandbox, place: Location, image: Path, tmp_path: Path, nbytes: int
) -> None:
    upload(image, place)
    with line_to(server.endpoint, nbytes) as line:
        panel = DownloadPanel(over(line, place), tmp_path / "back")
        panel.start()
        assert line.dead.wait(60)
        panel.stop()
        panel.wait(HANG_S)
        assert panel.state == "stopped", panel.notice
    assert not (tmp_path / "back").exists()
    download(place, tmp_path / "back")
    assert verify(tmp_path / "back", place) == ()


class Late(Objects):
    """Objects that arrive after the crew was told to stop."""

    def __init__(self, stop: Callable[[], None]) -> None:
        self._end = stop

    def get(
        self,
        key: str = "",
        *,
        start: int = 0,
        stop: int | None = None,
        etag: str | None = None,
        nbytes: int | None = None,
    ) -> Received:
        self._end()
        return Received(memoryview(b"late"), "02a9b2bbdc4a3a1e0fc9b6eba0ed9c3f")

    def stream(
        self, key: str, begin: Callable[[], Callable[[memoryview], object]], *, nbytes: int
    ) -> str | None:
        take = begin()
        take(memoryview(b"in time"))
        self._end()
        take(memoryview(b"late"))
        return None

    def promise(self, key: str) -> None:
        return None


@pytest.mark.parametrize("nbytes", [4, 2 * MIB])
def test_what_arrives_after_the_stop_is_not_written(tmp_path: Path, nbytes: int) -> None:
    crew = Crew()
    stored = StoredObject("c", nbytes, "02a9b2bbdc4a3a1e0fc9b6eba0ed9c3f")
    with pytest.raises(StoppedError):
        fetch_object(stored, Late(crew._end), crew, tmp_path / "c")
    assert not (tmp_path / "c").exists() or (tmp_path / "c").read_bytes() == b"in time"
