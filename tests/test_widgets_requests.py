"""The request meter: its picture of time, what it lists, and the line it makes slow."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngff_practical.errors import SandboxError
from ngff_practical.meter import Recorder
from ngff_practical.model import Request
from ngff_practical.widgets import RequestMeter
from ngff_practical.widgets.waterfall import IDLE_MS, waterfall


def a_request(at=0.0, ms=20.0, key="b/image.zarr/0/c/0", status=200, nbytes=1000, method="GET"):
    return Request(method, key, None, status, nbytes, ms, "obstore", at)


class SlowSource(Recorder):
    """A recorder with a network like the sandbox's."""

    def __init__(self):
        super().__init__()
        self.setting = {"latency_ms": 0, "kbytes_per_s": None, "cors": True}

    def set_network(self, *, latency_ms=0, kbytes_per_s=None):
        self.setting = {"latency_ms": latency_ms, "kbytes_per_s": kbytes_per_s, "cors": True}

    def network(self):
        return self.setting


@given(st.lists(st.tuples(st.floats(0, 1e4), st.floats(0, 5e3)), min_size=1, max_size=30))
def test_every_bar_lies_within_the_picture(times):
    picture = waterfall([a_request(at, ms) for at, ms in times])
    assert all(0 <= bar.start <= 1 and bar.start + bar.width <= 1 + 1e-9 for bar in picture.bars)
    assert all(0 <= cut <= 1 for cut in picture.cuts)


def test_bars_keep_order_and_overlap_of_their_requests():
    first, second = waterfall([a_request(0.010, 10), a_request(0.0, 20)]).bars
    assert (first.start, first.width) == pytest.approx((0, 1))
    assert (second.start, second.width) == pytest.approx((0.5, 0.5))


def test_a_long_pause_is_cut_and_marked():
    picture = waterfall([a_request(0, 20), a_request(3600, 20)])
    assert len(picture.cuts) == 1
    assert picture.bars[0].width == pytest.approx(20 / 100)


def test_a_short_pause_stays():
    picture = waterfall([a_request(0, 20), a_request(IDLE_MS / 1000, 20)])
    assert picture.cuts == ()


def test_what_all_keys_begin_with_is_said_once():
    picture = waterfall([a_request(key="idr/a.zarr/0/c/1"), a_request(key="idr/a.zarr/0/c/12")])
    assert picture.folder == "idr/a.zarr/0/c/"
    assert [bar.key for bar in picture.bars] == ["1", "12"]


def test_a_request_that_failed_is_told_in_words():
    picture = waterfall([a_request(), a_request(1, status=404)])
    assert [bar.ok for bar in picture.bars] == [True, False]
    assert "1 of them had no good answer" in picture.sentence


def test_only_the_latest_are_listed_and_all_are_counted():
    picture = waterfall([a_request(at) for at in range(10)], most=3)
    assert len(picture.bars) == 3
    assert picture.totals.count == 10
    assert "latest 3" in picture.sentence


def test_a_meter_shows_only_what_came_after_it():
    source = Recorder()
    source.record(a_request())
    meter = RequestMeter(source)
    assert meter.sums["requests"] == "0"
    source.record(a_request(1))
    meter._handle_custom_msg({"do": "poll"}, [])
    assert meter.sums == {"requests": "1", "bytes": "1.0 kB", "time": "20 ms"}
    assert meter.text == "1 request, 1.0 kB, 20 ms."


def test_a_paused_meter_stands_still_and_catches_up():
    source = Recorder()
    meter = RequestMeter(source)
    meter.paused = True
    source.record(a_request())
    meter._handle_custom_msg({"do": "poll"}, [])
    assert meter.bars == []
    meter.paused = False
    assert len(meter.bars) == 1


def test_clear_forgets_bars_and_blocks():
    source = Recorder()
    meter = RequestMeter(source)
    with meter.watch("a"):
        source.record(a_request())
    meter._handle_custom_msg({"do": "clear"}, [])
    assert (meter.bars, meter.blocks, meter.sums["requests"]) == ([], [], "0")


def test_a_watched_block_says_what_it_cost():
    source = Recorder()
    source.record(a_request())
    meter = RequestMeter(source)
    with meter.watch("one plane") as seen:
        source.record(a_request(1, nbytes=2500))
        source.record(a_request(2, nbytes=2500))
    assert (seen.count, seen.nbytes) == (2, 5000)
    assert meter.blocks == [["one plane", "2", "5.0 kB", "40 ms"]]


def test_a_block_that_fails_is_counted_all_the_same():
    source = Recorder()
    meter = RequestMeter(source)
    with suppress(KeyError), meter.watch():
        source.record(a_request())
        raise KeyError
    assert meter.blocks[0][:2] == ["block 1", "1"]


def test_the_line_can_be_slowed_within_bounds():
    source = SlowSource()
    meter = RequestMeter(source)
    meter._handle_custom_msg({"do": "line", "latency_ms": 900, "kbytes_per_s": 2000}, [])
    assert source.setting["latency_ms"] == 300
    assert meter.line == {"latency_ms": 300, "kbytes_per_s": 2000}
    meter._handle_custom_msg({"do": "line", "latency_ms": 0, "kbytes_per_s": 0}, [])
    assert source.setting["kbytes_per_s"] is None


def test_a_source_without_a_network_offers_no_slider():
    assert RequestMeter(Recorder()).line == {}


def test_the_still_picture_takes_any_key():
    source = Recorder()
    meter = RequestMeter(source)
    source.record(a_request(key="b/$\\frac{</script><img src=x>/\u202e" + "k" * 2000, status=403))
    meter.refresh()
    assert meter.picture().startswith(b"\x89PNG")


@pytest.mark.s3
def test_the_sandbox_is_a_source_whose_network_can_be_set(sandbox_server):
    meter = RequestMeter(sandbox_server)
    meter._handle_custom_msg({"do": "line", "latency_ms": 5, "kbytes_per_s": 10_000}, [])
    try:
        assert sandbox_server.network()["latency_ms"] == 5
    finally:
        sandbox_server.set_network()


class Flaky(Recorder):
    """A source that cannot be asked while `down`."""

    down = False

    def request_count(self):
        if self.down:
            raise SandboxError("the sandbox does not answer")
        return super().request_count()


def test_a_source_that_answers_again_is_no_longer_complained_of():
    source = Flaky()
    meter = RequestMeter(source)
    source.down = True
    meter._handle_custom_msg({"do": "poll"}, [])
    assert meter.notice == "the sandbox does not answer"
    source.down = False
    source.record(a_request())
    meter._handle_custom_msg({"do": "poll"}, [])
    assert (meter.notice, len(meter.bars)) == ("", 1)


def test_a_server_that_began_anew_is_counted_from_its_beginning():
    source = Recorder()
    for _ in range(5):
        source.record(a_request())
    meter = RequestMeter(source)
    meter._source = Recorder()
    meter._source.record(a_request())
    meter.refresh()
    assert len(meter.bars) == 1
