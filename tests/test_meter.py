"""Requests recorded by different sources agree, and what they amount to is counted as people would."""

import threading

import numpy as np
import pytest
import zarr
from zarr.storage import MemoryStore

from ngff_practical import meter
from ngff_practical.meter.stores import MeteredStore
from ngff_practical.model import Request
from ngff_practical.storage import filesystem, zarr_store


def request(at: float = 0.0, ms: float = 10.0, nbytes: int = 100, method: str = "GET") -> Request:
    return Request(method, "bucket/key", None, 200, nbytes, ms, "obstore", at)


# What requests amount to


def test_requests_one_after_the_other_add_their_times() -> None:
    assert meter.totals([request(at=0.0), request(at=5.0)]).ms == pytest.approx(20)


def test_requests_at_the_same_time_share_it() -> None:
    together = [request(at=0.0, ms=30), request(at=0.01, ms=5), request(at=0.02, ms=30)]
    assert meter.totals(together).ms == pytest.approx(50)


def test_totals_of_nothing_are_zero() -> None:
    assert meter.totals([]) == meter.Totals(count=0, nbytes=0, ms=0.0)


@pytest.mark.parametrize(
    ("totals", "text"),
    [
        (meter.Totals(1, 0, 0.4), "1 request, 0 B, 0 ms"),
        (meter.Totals(8, 105_249, 92.4), "8 requests, 105.2 kB, 92 ms"),
        (meter.Totals(1234, 999_999, 12_340), "1,234 requests, 1.0 MB, 12.3 s"),
        (meter.Totals(2, 3_041_000_000, 25_000), "2 requests, 3.0 GB, 25.0 s"),
    ],
    ids=["one", "few", "many", "gigabytes"],
)
def test_summary_reads_as_a_person_would_say_it(totals: meter.Totals, text: str) -> None:
    assert str(totals) == text


# The recorder


def test_recorder_returns_requests_in_the_order_they_came() -> None:
    recorder = meter.Recorder()
    for number in range(5):
        recorder.record(request(at=number))
    assert [seen.at for seen in recorder.requests()] == [0, 1, 2, 3, 4]
    assert [seen.at for seen in recorder.requests(since=3)] == [3, 4]


def test_recorder_keeps_the_last_requests_and_goes_on_counting() -> None:
    recorder = meter.Recorder(capacity=3)
    for number in range(10):
        recorder.record(request(at=number))
    assert recorder.request_count() == 10
    assert [seen.at for seen in recorder.requests()] == [7, 8, 9]
    assert [seen.at for seen in recorder.requests(since=8)] == [8, 9]
    assert recorder.requests(since=10) == ()


def test_recorder_loses_no_request_of_several_threads() -> None:
    recorder = meter.Recorder()
    threads = [
        threading.Thread(target=lambda: [recorder.record(request()) for _ in range(1000)]) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert recorder.request_count() == len(recorder.requests()) == 8000


# Watching


def test_watch_sees_what_happens_inside_the_block_only() -> None:
    recorder = meter.Recorder()
    recorder.record(request(at=1))
    with meter.watch(recorder) as seen:
        recorder.record(request(at=2))
    recorder.record(request(at=3))
    assert [seen_request.at for seen_request in seen.requests] == [2]
    assert (seen.count, seen.nbytes, seen.summary()) == (1, 100, "1 request, 100 B, 10 ms")


def test_watch_can_be_read_while_it_watches() -> None:
    recorder = meter.Recorder()
    with meter.watch(recorder) as seen:
        assert seen.count == 0
        recorder.record(request())
        assert seen.count == 1


def test_watch_keeps_what_it_saw_when_the_block_fails() -> None:
    recorder = meter.Recorder()
    cell: dict[str, int] = {}
    try:
        with meter.watch(recorder) as seen:
            recorder.record(request())
            cell["a mistake"]
    except KeyError:
        pass
    assert seen.count == 1


# Names of requests


@pytest.mark.parametrize(
    ("target", "key"),
    [
        ("/bucket/img.zarr/0/c/0/0", "bucket/img.zarr/0/c/0/0"),
        ("/bucket/a%20b/%C3%BC", "bucket/a b/ü"),
        ("/bucket/a%3Fb", "bucket/a?b"),
        ("/bucket/a//b", "bucket/a//b"),
        ("/bucket?list-type=2&delimiter=%2F&prefix=img.zarr%2F", "bucket/?prefix=img.zarr/&delimiter=/"),
        ("/bucket?list-type=2&prefix=a%2F&continuation-token=abc", "bucket/?prefix=a/&next page"),
        ("/bucket?list-type=2&prefix=&delimiter=&encoding-type=url", "bucket/?"),
        ("/bucket?delete", "bucket/?delete"),
        ("/bucket/big?uploads", "bucket/big?uploads"),
        ("/bucket/big?partNumber=2&uploadId=xyz", "bucket/big?partNumber=2"),
        ("/bucket/k?X-Amz-Credential=me&X-Amz-Signature=abc&X-Amz-Date=d", "bucket/k"),
        ("/", "/?"),
    ],
)
def test_request_key_is_what_was_asked_for(target: str, key: str) -> None:
    assert meter.request_key(target) == key


# The metered zarr store


def metered() -> tuple[MeteredStore, meter.Recorder]:
    recorder = meter.Recorder()
    return MeteredStore(MemoryStore(), recorder, root="bucket/img", client="memory"), recorder


def written(recorder: meter.Recorder) -> set[tuple[str, str, int]]:
    return {(seen.method, seen.key, seen.status) for seen in recorder.requests()}


def test_metered_store_records_writes_and_reads_of_an_array() -> None:
    store, recorder = metered()
    array = zarr.create_array(store, shape=(4,), chunks=(2,), dtype="uint8", compressors=None, fill_value=0)
    array[:] = [1, 2, 3, 4]
    assert {("PUT", "bucket/img/zarr.json", 200), ("PUT", "bucket/img/c/0", 200)} <= written(recorder)
    with meter.watch(recorder) as seen:
        assert array[2:].tolist() == [3, 4]
    assert [(one.method, one.key, one.range, one.nbytes) for one in seen.requests] == [
        ("GET", "bucket/img/c/1", None, 2)
    ]


def test_metered_store_records_a_missing_chunk_as_404() -> None:
    store, recorder = metered()
    array = zarr.create_array(store, shape=(4,), chunks=(2,), dtype="uint8", fill_value=7)
    with meter.watch(recorder) as seen:
        assert array[:2].tolist() == [7, 7]
    assert [(one.status, one.nbytes) for one in seen.requests] == [(404, 0)]


def test_metered_store_records_each_range_of_a_shard() -> None:
    store, recorder = metered()
    array = zarr.create_array(
        store, shape=(64, 64), chunks=(8, 8), shards=(64, 64), dtype="uint8", compressors=None
    )
    array[:] = np.arange(64 * 64, dtype="uint8").reshape(64, 64)
    with meter.watch(recorder) as seen:
        assert array[0, 0] == 0
    index, chunk = seen.requests
    assert (index.range, index.status) == ("bytes=-1028", 206)
    assert (chunk.range, chunk.nbytes) == ("bytes=0-63", 64)


def test_metered_store_records_delete_head_and_listing() -> None:
    store, recorder = metered()
    group = zarr.create_group(store)
    group.create_array("0", shape=(2,), dtype="uint8")
    with meter.watch(recorder) as seen:
        assert "0" in dict(group.members())
        del group["0"]
    methods = {one.method for one in seen.requests}
    assert "DELETE" in methods
    assert any("?prefix=" in one.key for one in seen.requests)


def test_metered_store_refuses_to_go_to_another_process() -> None:
    import pickle

    store, _ = metered()
    with pytest.raises(TypeError, match="another process"):
        pickle.dumps(store)


# Both sources side by side


@pytest.fixture
def sharded(sandbox_server):
    sandbox_server.use()
    return sandbox_server.location("idr", "tiny.zarr", anonymous=True)


def comparable(requests: tuple[Request, ...]) -> list[tuple[str, str, str | None, int, int, str]]:
    return sorted(
        ((one.method, one.key, one.range, one.status, one.nbytes, one.client) for one in requests),
        key=str,
    )


@pytest.mark.s3
def test_store_and_server_record_the_same_requests_of_obstore(sandbox_server, sharded) -> None:
    recorder = meter.Recorder()
    with meter.watch(sandbox_server) as at_server:
        array = zarr.open_array(zarr_store(sharded, recorder=recorder), mode="r")
        assert array[0, 0, :3].tolist() == [0, 1, 2]
        assert array[1:4, 30:40, 30:40].shape == (3, 10, 10)
    assert comparable(recorder.requests()) == comparable(at_server.requests)
    assert at_server.count >= 5


@pytest.mark.s3
def test_s3fs_and_server_record_the_same_requests(sandbox_server) -> None:
    sandbox_server.use()
    recorder = meter.Recorder()
    files = filesystem(sandbox_server.location("practical"), recorder=recorder)
    with meter.watch(sandbox_server) as at_server:
        files.pipe("practical/meter/a b.txt", b"four")
        assert files.cat("practical/meter/a b.txt") == b"four"
        assert files.cat_file("practical/meter/a b.txt", start=1, end=3) == b"ou"
        assert files.ls("practical/meter", refresh=True) == ["practical/meter/a b.txt"]
        with pytest.raises(FileNotFoundError):
            files.cat("practical/meter/none")
    assert comparable(recorder.requests()) == comparable(at_server.requests)


@pytest.mark.s3
def test_s3fs_as_it_comes_asks_with_a_head_before_each_get(sandbox_server, sharded) -> None:
    import s3fs

    asks_twice = s3fs.S3FileSystem(anon=True, endpoint_url=sandbox_server.endpoint)
    with meter.watch(sandbox_server) as as_it_comes:
        asks_twice.cat("idr/tiny.zarr/zarr.json")
    with meter.watch(sandbox_server) as ours:
        filesystem(sharded).cat("idr/tiny.zarr/zarr.json")
    assert [one.method for one in as_it_comes.requests] == ["HEAD", "GET"]
    assert [one.method for one in ours.requests] == ["GET"]
    assert as_it_comes.nbytes == ours.nbytes


@pytest.mark.s3
def test_every_request_is_seen_when_the_watch_ends_at_once(sandbox_server, sharded) -> None:
    for _ in range(30):
        with meter.watch(sandbox_server) as seen:
            filesystem(sharded).cat("idr/tiny.zarr/zarr.json")
        assert seen.count == 1
