"""Stop and Ctrl-C on a network that has died without a word: nobody waits for it, and nothing opens."""

import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import tifffile
from line import HANG_S, Line, line_to, told_when_stopped

from ngff_practical.convert import convert
from ngff_practical.convert.attended import Heed, attended
from ngff_practical.errors import ExistsError
from ngff_practical.inspection import validate
from ngff_practical.model import Location, Place
from ngff_practical.pyramid import plan_pyramid
from ngff_practical.sandbox import Sandbox
from ngff_practical.stack import find_stack
from ngff_practical.storage import crew, object_exists
from ngff_practical.storage.crew import stoppable
from ngff_practical.storage.threads import Threads
from ngff_practical.transfer import upload
from ngff_practical.widgets import ConvertPanel

pytestmark = [
    pytest.mark.s3,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no such signal to one process"),
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A stack of noise, which does not get smaller: 4 MB."""
    noise = np.random.default_rng(6).integers(0, 2**16, (8, 512, 512), dtype="uint16")
    path = tmp_path / "stack.tif"
    tifffile.imwrite(path, noise, imagej=True, metadata={"axes": "ZYX"})
    return path


def over(line: Line, place: Location) -> Location:
    return Location(line.endpoint, place.bucket, place.key, place.anonymous)


def converted_once_the_place_is_free(file: Path, place: Place) -> None:
    """Convert; what was left behind holds the place until its last request has failed."""
    until = time.monotonic() + 120
    while True:
        try:
            convert(source := find_stack(file), place, plan_pyramid(source))
        except ExistsError:
            assert time.monotonic() < until
            time.sleep(0.2)
        else:
            return


@pytest.mark.parametrize("nbytes", [0, 30_000, 1_500_000])
def test_stopping_a_conversion_to_a_dead_network_takes_effect(
    server: Sandbox, place: Location, file: Path, nbytes: int
) -> None:
    source = find_stack(file)
    with line_to(server.endpoint, nbytes) as line:
        panel = ConvertPanel(source, over(line, place), plan_pyramid(source))
        panel.start()
        assert line.dead.wait(60)
        panel.stop()
        panel.wait(HANG_S)
        assert panel.state == "stopped", panel.notice
    assert not object_exists(place, "zarr.json")
    converted_once_the_place_is_free(file, place)
    assert [issue for issue in validate(place) if issue.severity != "should"] == []


def test_stopping_a_conversion_from_a_dead_network_takes_effect(
    server: Sandbox, place: Location, file: Path, tmp_path: Path
) -> None:
    upload(file, place)
    with line_to(server.endpoint, 500_000) as line:
        source = find_stack(over(line, place))
        panel = ConvertPanel(source, tmp_path / "made.ome.zarr", plan_pyramid(source))
        panel.start()
        assert line.dead.wait(60)
        panel.stop()
        panel.wait(HANG_S)
        assert panel.state == "stopped", panel.notice
    assert not (tmp_path / "made.ome.zarr").exists()


def test_conversion_to_a_dead_network_ends_with_ctrl_c(server: Sandbox, place: Location, file: Path) -> None:
    with line_to(server.endpoint, 1_500_000) as line:
        said = told_when_stopped(line, "convert", str(file), f"s3://{place.bucket}/{place.key}")
    assert "stopped; the same command can be run again" in said
    assert not object_exists(place, "zarr.json")
    converted_once_the_place_is_free(file, place)


def test_what_is_begun_again_waits_for_what_was_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "_LEAVE_S", 0.0)
    place = Location("https://s3.example.org", "b", "k")
    entered, gate, stop, done = threading.Event(), threading.Event(), threading.Event(), list[str]()

    def hang(_: Heed) -> None:
        entered.set()
        stop.set()
        gate.wait(60)
        done.append("left")

    stop.set()
    with stoppable(stop), pytest.raises(KeyboardInterrupt):  # before it begins: nothing is left
        attended(hang, place, [place])
    stop.clear()
    with stoppable(stop), pytest.raises(KeyboardInterrupt):
        attended(hang, place, [place])
    assert entered.is_set()
    assert done == []
    threading.Timer(0.3, gate.set).start()
    attended(lambda _: done.append("again"), place, [place])
    assert done == ["left", "again"]


def test_threads_give_results_and_errors_and_take_nothing_after_the_end() -> None:
    with Threads(3, "tests") as threads:
        assert list(threads.map(lambda number: number * 2, range(50))) == [number * 2 for number in range(50)]
        failing = threads.submit(divmod, 1, 0)
        with pytest.raises(ZeroDivisionError):
            failing.result()
    with pytest.raises(RuntimeError, match="told to end"):
        threads.submit(int)


def test_threads_that_are_to_end_give_up_what_was_not_begun() -> None:
    threads = Threads(1, "tests")
    entered, gate = threading.Event(), threading.Event()

    def hold() -> bool:
        entered.set()
        return gate.wait(60)

    held, waiting = threads.submit(hold), threads.submit(int)
    assert entered.wait(60)
    threads.shutdown(wait=False, cancel_futures=True)
    gate.set()
    threads.shutdown()
    assert held.result()
    assert waiting.cancelled()
