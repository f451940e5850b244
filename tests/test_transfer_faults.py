"""Every fault of the sandbox, met by uploads and downloads: right in the end, or one clear sentence."""

import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from begun import begin_parts

from ngff_practical.cli import main
from ngff_practical.doctor import check_place
from ngff_practical.errors import (
    ExistsError,
    NgffPracticalError,
    NotFoundError,
    StorageError,
    TransferError,
)
from ngff_practical.inspection import describe_image
from ngff_practical.model import Location, Request, StoredObject
from ngff_practical.sandbox import Fault, Sandbox
from ngff_practical.storage import list_objects, object_exists, read_object, write_object
from ngff_practical.storage.clients import exact_client
from ngff_practical.storage.crew import WORKERS, Crew
from ngff_practical.storage.exact import Promise
from ngff_practical.storage.moving import Objects, Received
from ngff_practical.storage.parts import abort_uploads, open_uploads
from ngff_practical.transfer import (
    delete_image,
    download,
    fetching,
    manifest_path,
    upload,
    verify,
    verify_copy,
)
from ngff_practical.transfer.fetching import fetch_object
from ngff_practical.widgets import DownloadPanel

pytestmark = pytest.mark.s3

MIB = 2**20


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """40 chunks and metadata, as in the table of what other tools do."""
    group = zarr.create_group(tmp_path / "t.zarr", zarr_format=3)
    pixels = np.arange(40 * 8 * 8, dtype="uint16").reshape(40, 8, 8)
    group.create_array("0", data=pixels, chunks=(1, 8, 8), compressors=None)
    group.attrs["ome"] = {"version": "0.5"}
    return tmp_path / "t.zarr"


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were to be made, none of which is."""
    made: list[float] = []
    monkeypatch.setattr(Crew, "pause", lambda self, seconds: made.append(seconds) if seconds else None)
    return made


@pytest.fixture
def big(tmp_path: Path) -> Path:
    path = tmp_path / "big.tif"
    path.write_bytes(np.random.default_rng(3).bytes(11 * MIB))
    return path


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def stored(place: Location) -> dict[str, bytes]:
    return {found.key: read_object(place, found.key) for found in list_objects(place)}


def puts(server: Sandbox, since: int, place: Location) -> list[Request]:
    return [
        request
        for request in server.requests(since)
        if request.method == "PUT" and request.key.startswith(f"{place.bucket}/{place.key}")
    ]


def below(place: Location, key: str = "*") -> str:
    return f"{place.bucket}/{place.key}/{key}"


# D1: download of one object among others

PASSING = {
    "503 twice": Fault("slow-down", "", times=2),
    "503 eight times": Fault("slow-down", "", times=8),
    "reset before headers": Fault("reset", ""),
    "reset in the body": Fault("reset-in-body", "", times=2),
    "early close": Fault("truncated", "", times=2),
    "well-formed half": Fault("short", "", times=2),
    "flipped byte": Fault("flipped", ""),
    "slow body": Fault("slow", "", seconds=0.2),
}
LASTING = {
    "503 for ever": (Fault("slow-down", "", times=None), "is overloaded or broken"),
    "resets for ever": (Fault("reset", "", times=None), "broke off"),
    "cut in the middle for ever": (Fault("truncated", "", times=None), "broke off"),
    "half for ever": (Fault("short", "", times=None), r"keeps arriving with 64 of 128 bytes"),
    "flipped for ever": (Fault("flipped", "", times=None), "damaged on the server, or altered on every way"),
    "expired": (Fault("expired", "", times=None), "the credentials have expired; get new ones"),
    "replaced": (Fault("replaced", ""), "was replaced while"),
}


def on(fault: Fault, key: str, method: str) -> Fault:
    return Fault(fault.kind, key, method, fault.times, fault.after, fault.every, fault.seconds)


@pytest.fixture(params=["whole", "streamed"])
def arriving(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Objects that are fetched whole into memory, and such as are written while they arrive."""
    if request.param == "streamed":
        monkeypatch.setattr(fetching, "_STREAMED_NBYTES", 0)


@pytest.mark.usefixtures("arriving")
@pytest.mark.parametrize("row", PASSING)
def test_download_gets_through(
    server: Sandbox, place: Location, tree: Path, tmp_path: Path, pauses: list[float], row: str
) -> None:
    upload(tree, place)
    server.set_faults([on(PASSING[row], below(place, "0/c/7/0/0"), "GET")])
    report = download(place, tmp_path / "back.zarr")
    assert files(tmp_path / "back.zarr") == files(tree)
    assert report.verified == report.objects
    assert server.faults() == ()


@pytest.mark.usefixtures("arriving")
@pytest.mark.parametrize("row", LASTING)
def test_download_that_cannot_end_says_so_and_leaves_nothing_under_the_name(
    server: Sandbox, place: Location, tree: Path, tmp_path: Path, pauses: list[float], row: str
) -> None:
    upload(tree, place)
    fault, sentence = LASTING[row]
    server.set_faults([on(fault, below(place, "0/c/7/0/0"), "GET")])
    target = tmp_path / "back.zarr"
    with pytest.raises(TransferError, match=f"{sentence}.*run the same command again"):
        download(place, target)
    assert not target.exists()
    assert not manifest_path(target).exists()
    assert sum(pauses) <= 60


def test_flipped_byte_is_never_believed_where_the_etag_is_no_checksum(
    server: Sandbox, place: Location, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Objects, "promise", lambda *_: Promise({}, own_etag=True))
    write_object(place, "zarr.json", b"{}")
    write_object(place, "c", bytes(range(100)))
    monkeypatch.setitem(fetch_object.__globals__, "etag_proves", lambda *_: False)
    server.set_faults([Fault("flipped", below(place, "c"), "GET")])
    with pytest.raises(TransferError, match="arrived twice with different bytes"):
        download(place, tmp_path / "back.zarr")
    report = download(place, tmp_path / "back.zarr")
    assert (tmp_path / "back.zarr" / "c").read_bytes() == bytes(range(100))
    assert report.verified == 0  # seen the same twice, and proven by nothing


@pytest.mark.parametrize("proves", [True, False])
def test_panel_and_command_line_say_what_no_checksum_proves(
    place: Location,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    proves: bool,
) -> None:
    write_object(place, "zarr.json", b"{}")
    monkeypatch.setattr(Objects, "promise", lambda *_: None)
    if not proves:
        monkeypatch.setitem(fetch_object.__globals__, "etag_proves", lambda *_: False)
    panel = DownloadPanel(place, tmp_path / "back.zarr")
    panel.start()
    panel.wait()
    url = f"s3://{place.bucket}/{place.key}"
    assert main(["download", url, str(tmp_path / "again.zarr"), "--endpoint", place.endpoint]) == 0
    assert ("No checksum proves 1 object of them" in panel.text) is not proves, panel.notice
    assert ("and no checksum of the server's proves it" in capsys.readouterr().out) is not proves


@pytest.mark.parametrize("kind", ["flipped", "short", "truncated", "reset-in-body", "slow-down"])
def test_fault_in_the_middle_of_a_streamed_object_does_not_reach_the_file(
    server: Sandbox, place: Location, tmp_path: Path, pauses: list[float], kind: str
) -> None:
    shard = tmp_path / "shard"
    shard.write_bytes(np.random.default_rng(5).bytes(3 * MIB))
    upload(shard, place)
    server.set_faults([Fault(kind, f"{place.bucket}/{place.key}", "GET")])
    assert download(place, tmp_path / "back").verified == 1
    assert (tmp_path / "back").read_bytes() == shard.read_bytes()
    assert server.faults() == ()


def test_object_that_nothing_proves_is_streamed_twice_and_never_held_whole(
    server: Sandbox, place: Location, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shard = tmp_path / "shard"
    shard.write_bytes(np.random.default_rng(8).bytes(3 * MIB))
    upload(shard, place)
    monkeypatch.setitem(fetch_object.__globals__, "etag_proves", lambda *_: False)
    monkeypatch.setattr(Objects, "head", lambda *_: StoredObject("", 3 * MIB, "no-checksum"))
    monkeypatch.setattr(Objects, "promise", lambda *_: Promise({}, own_etag=True))
    monkeypatch.setattr(fetching, "_refuse_replaced", lambda *_: None)
    monkeypatch.setattr(Objects, "get", lambda *_, **__: pytest.fail("held whole"))
    since = server.request_count()
    assert download(place, tmp_path / "back").verified == 0
    assert (tmp_path / "back").read_bytes() == shard.read_bytes()
    assert [request.method for request in server.requests(since)] == ["GET", "GET"]


def test_streamed_object_that_comes_short_is_asked_for_again(server: Sandbox, place: Location) -> None:
    whole = np.random.default_rng(6).bytes(2 * MIB)
    write_object(place, "", whole)
    server.set_faults([Fault("short", f"{place.bucket}/{place.key}", "GET")])
    attempts: list[bytearray] = []

    def begin() -> Callable[[memoryview], object]:
        attempts.append(bytearray())
        return attempts[-1].extend

    waits: list[float] = []
    Objects(place, pause=waits.append).stream("", begin, nbytes=len(whole))
    assert len(waits) == 1
    assert [bytes(attempt) for attempt in attempts] == [whole[:MIB], whole]


@pytest.mark.parametrize("nbytes", [1000, 2 * MIB])
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is always full is Linux' own")
def test_disk_that_fills_up_while_an_object_arrives_is_named(place: Location, nbytes: int) -> None:
    write_object(place, "", bytes(nbytes))
    objects = Objects(place)
    with (
        Crew() as crew,
        pytest.raises(StorageError, match="/dev/full cannot be written: No space left on device"),
    ):
        fetch_object(objects.head(), objects, crew, Path("/dev/full"))


@pytest.mark.parametrize("algorithm", ["SHA256", "SHA1", "CRC32"])
def test_checksum_that_the_server_keeps_proves_bytes_that_the_etag_does_not(
    server: Sandbox, place: Location, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, algorithm: str
) -> None:
    client = exact_client(place)
    client.put_object(
        Bucket=place.bucket, Key=f"{place.key}/zarr.json", Body=b"{}", ChecksumAlgorithm=algorithm
    )
    client.close()
    monkeypatch.setitem(fetch_object.__globals__, "etag_proves", lambda *_: False)
    assert download(place, tmp_path / "back.zarr").verified == 1


@pytest.mark.usefixtures("arriving")
@pytest.mark.parametrize(
    ("algorithm", "value"), [("CRC32C", 0xE3069283 << 32), ("CRC64NVME", 0xAE8B14860A799888)]
)
def test_checksum_that_python_lacks_proves_bytes_and_speaks_against_others(
    server: Sandbox,
    place: Location,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    algorithm: str,
    value: int,
) -> None:
    stated = b64encode(value.to_bytes(8, "big")[: 4 if algorithm == "CRC32C" else 8]).decode()
    monkeypatch.setattr(Objects, "promise", lambda *_: Promise({algorithm: stated}, own_etag=True))
    monkeypatch.setitem(fetch_object.__globals__, "etag_proves", lambda *_: False)
    write_object(place, "c", b"123456789")
    server.set_faults([Fault("flipped", below(place, "c"), "GET")])
    assert download(place, tmp_path / "back").verified == 1
    assert (tmp_path / "back" / "c").read_bytes() == b"123456789"
    write_object(place, "c", b"123456780", overwrite=True)
    with pytest.raises(TransferError, match=f"its {algorithm} is that of others: it is damaged"):
        fetching.receive(Objects(place).head("c"), Objects(place))


@pytest.mark.parametrize(
    ("wish", "kept"), [("", {"SHA256"}), ("when_required", set()), ("when_supported", {"SHA256"})]
)
def test_checksums_are_stored_with_the_objects_unless_the_environment_asks_for_none(
    server: Sandbox, place: Location, tree: Path, monkeypatch: pytest.MonkeyPatch, wish: str, kept: set[str]
) -> None:
    monkeypatch.setenv("AWS_REQUEST_CHECKSUM_CALCULATION", wish)
    upload(tree, place)
    promise = Objects(place).promise("zarr.json")
    assert promise is not None
    assert set(promise.checksums) == kept


@pytest.mark.usefixtures("five_mib_parts")
@pytest.mark.parametrize("kind", ["flipped", "short", "truncated", "reset-in-body", "slow-down"])
def test_fault_in_one_range_of_a_large_object_does_not_reach_the_file(
    server: Sandbox, place: Location, big: Path, tmp_path: Path, pauses: list[float], kind: str
) -> None:
    upload(big, place)
    server.set_faults([Fault(kind, f"{place.bucket}/{place.key}", "GET", after=1)])
    assert download(place, tmp_path / "back.tif").verified == 1
    assert (tmp_path / "back.tif").read_bytes() == big.read_bytes()


@pytest.mark.usefixtures("five_mib_parts")
def test_object_replaced_between_two_ranges_never_becomes_a_mixture(
    server: Sandbox, place: Location, big: Path, tmp_path: Path
) -> None:
    upload(big, place)
    server.set_faults([Fault("replaced", f"{place.bucket}/{place.key}", "GET", after=1)])
    with pytest.raises(TransferError, match="was replaced while it was being read; start again"):
        download(place, tmp_path / "back.tif")
    assert not (tmp_path / "back.tif").exists()


@pytest.mark.usefixtures("five_mib_parts")
def test_large_object_is_verified_in_several_ranges_at_once(
    server: Sandbox, place: Location, big: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(big, place)
    all_three = threading.Barrier(3)  # one after the other they would never meet
    get = Objects.get

    def met(self: Objects, key: str, **options: Any) -> Received:
        all_three.wait(30)
        return get(self, key, **options)

    monkeypatch.setattr(Objects, "get", met)
    assert verify(big, place) == ()


@pytest.mark.usefixtures("five_mib_parts")
def test_byte_altered_in_a_late_range_of_a_large_object_is_seen(
    server: Sandbox, place: Location, big: Path
) -> None:
    upload(big, place)
    altered = bytearray(big.read_bytes())
    altered[-1] ^= 1
    write_object(place, "", bytes(altered), overwrite=True)
    assert [problem.kind for problem in verify(big, place)] == ["changed"]


# D2: upload of a tree

PUT_PASSING = {
    **{row: PASSING[row] for row in ("503 twice", "503 eight times", "reset before headers")},
    "reset in the body": PASSING["reset in the body"],
    "answer lost": Fault("lost-answer", "", times=2),
    "flipped on the way": Fault("flipped", "", times=2),
    "stored wrong once": Fault("stored-wrong", ""),
}
PUT_LASTING = {
    "503 for ever": (Fault("slow-down", "", times=None), "is overloaded or broken"),
    "resets for ever": (Fault("reset", "", times=None), "broke off"),
    "expired": (Fault("expired", "", times=None), "the credentials have expired"),
    "stored wrong for ever": (Fault("stored-wrong", "", times=None), "holds other bytes than were sent"),
    "flipped for ever": (Fault("flipped", "", times=None), "did not write"),
}


@pytest.mark.parametrize("row", PUT_PASSING)
@pytest.mark.parametrize("key", ["0/c/7/0/0", "zarr.json"])
def test_upload_gets_through(
    server: Sandbox, place: Location, tree: Path, pauses: list[float], row: str, key: str
) -> None:
    server.set_faults([on(PUT_PASSING[row], below(place, key), "PUT")])
    report = upload(tree, place)
    assert report.verified == report.objects == 42
    assert stored(place) == files(tree)
    assert server.faults() == ()


@pytest.mark.parametrize("row", PUT_LASTING)
@pytest.mark.parametrize("key", ["0/c/7/0/0", "zarr.json"])
def test_upload_that_cannot_end_says_so_opens_nowhere_and_goes_on_as_it_says(
    server: Sandbox, place: Location, tree: Path, pauses: list[float], row: str, key: str
) -> None:
    fault, sentence = PUT_LASTING[row]
    server.set_faults([on(fault, below(place, key), "PUT")])
    with pytest.raises(TransferError, match=f"{sentence}.*does not open there.*Run the same command again"):
        upload(tree, place)
    assert not object_exists(place, "zarr.json")
    server.set_faults(())
    assert upload(tree, place).verified == 42
    assert stored(place) == files(tree)


def test_upload_gets_through_where_every_fifth_put_fails(
    server: Sandbox, place: Location, tree: Path, pauses: list[float]
) -> None:
    server.set_faults(
        [
            Fault("slow-down", below(place), "PUT", times=None, every=10),
            Fault("reset", below(place), "PUT", times=None, every=9),
        ]
    )
    assert upload(tree, place).verified == 42
    assert stored(place) == files(tree)


def test_same_tree_twice_never_nests_and_sends_nothing(server: Sandbox, place: Location, tree: Path) -> None:
    upload(tree, place)
    since = server.request_count()
    assert upload(f"{tree}/", Location(place.endpoint, place.bucket, place.key + "/")).copied == 0
    assert puts(server, since, place) == []
    assert len(stored(place)) == 42


def test_other_bytes_under_the_keys_are_not_overwritten(server: Sandbox, place: Location, tree: Path) -> None:
    upload(tree, place)
    (tree / "0/c/7/0/0").write_bytes(bytes(128))
    with pytest.raises(ExistsError, match="nothing was sent"):
        upload(tree, place)
    assert stored(place)["0/c/7/0/0"] != bytes(128)


# a slow server, and no network


def test_busy_server_is_asked_less_at_once(
    server: Sandbox, place: Location, tree: Path, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    allowed: list[int] = []
    ease = Crew.ease

    def noted(self: Crew) -> None:
        ease(self)
        allowed.append(self.allowed)

    monkeypatch.setattr(Crew, "ease", noted)
    server.set_faults([Fault("slow-down", below(place), "PUT", times=5)])
    assert upload(tree, place).verified == 42
    assert min(allowed) <= WORKERS // 2


def test_crew_halves_once_a_second_and_recovers_with_success(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    with Crew(workers=8) as crew:
        crew.ease()
        crew.ease()
        assert crew.allowed == 4
        now[0] += 1
        crew.ease()
        assert crew.allowed == 2
        list(crew.each(range(40), lambda item: item, lambda _: 1))
        assert crew.allowed == 8


def test_upload_waits_for_the_network_to_come_back(
    server: Sandbox, place: Location, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    def pause(self: Crew, seconds: float) -> None:
        waits.append(seconds)
        if len(waits) >= 8:  # fewer than a single object is waited for
            server.set_network()

    monkeypatch.setattr(Crew, "pause", pause)

    def on_object(done: int, total: int) -> None:
        if done == 5:
            server.set_network(online=False)

    assert upload(tree, place, on_object=on_object).verified == 42
    assert len(waits) >= 8
    assert stored(place) == files(tree)


@pytest.mark.usefixtures("arriving")
def test_download_waits_for_the_network_to_come_back(
    server: Sandbox, place: Location, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(tree, place)
    waits: list[float] = []

    def pause(self: Crew, seconds: float) -> None:
        waits.append(seconds)
        if len(waits) >= 8:
            server.set_network()

    monkeypatch.setattr(Crew, "pause", pause)

    def on_object(done: int, total: int) -> None:
        if done == 5:
            server.set_network(online=False)

    few = Crew.__init__.__defaults__
    monkeypatch.setattr(Crew.__init__, "__defaults__", (4, *few[1:]))  # else all are under way by then
    target = tmp_path / "back.zarr"
    assert download(place, target, on_object=on_object).verified == 42
    assert len(waits) >= 8
    assert files(target) == files(tree)


@pytest.mark.parametrize(
    "step", ["list", "delete", "list odd keys", "delete odd keys", "head", "promise", "abort parts"]
)
def test_every_step_of_a_transfer_waits_for_the_network_alike(
    server: Sandbox, place: Location, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = "a//b" if "odd" in step else "a"
    write_object(place, odd, b"x")
    write_object(place, "empty", b"" if "odd" in step else b"x")
    waits: list[float] = []

    def pause(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 8:  # some 40 s, none of which are spent
            server.set_network()

    objects = Objects(place, pause=pause)
    assert {found.key for found in objects.list()} == {odd, "empty"}
    if step == "abort parts":
        begin_parts(place, b"")
    server.set_network(online=False)
    steps: dict[str, Callable[[], object]] = {
        "list": objects.list,
        "delete": lambda: objects.delete(odd),
        "head": lambda: objects.head("empty"),
        "promise": lambda: objects.promise("empty"),
        "abort": objects.abort_parts,
    }
    # no library waits besides: what it sleeps, nobody could shorten or interrupt
    monkeypatch.setattr(time, "sleep", lambda seconds: pytest.fail(f"slept {seconds} s"))
    done = steps[step.split()[0]]()
    assert len(waits) == 8
    assert sum(waits) > 10
    if step == "abort parts":
        assert open_uploads(place) == ()
    elif step.startswith("delete"):
        assert {found.key for found in objects.list()} == {"empty"}
    else:
        assert done


def test_server_that_never_answered_is_not_waited_for_as_long(place: Location) -> None:
    waits: list[float] = []
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens
        objects = Objects(
            Location(f"http://127.0.0.1:{taken.getsockname()[1]}", "practical", "x"), pause=waits.append
        )
        with pytest.raises(StorageError, match="nothing answers at"):
            objects.head()
    assert 0 < sum(waits) <= 4


def test_network_that_stays_away_leaves_no_image_and_the_upload_goes_on_later(
    server: Sandbox, place: Location, tree: Path, pauses: list[float]
) -> None:
    def on_object(done: int, total: int) -> None:
        if done == 10:
            server.set_network(online=False)

    with pytest.raises(TransferError, match=r"broke off.*Run the same command again"):
        upload(tree, place, on_object=on_object)
    server.set_network()
    there = set(stored(place))
    assert "zarr.json" not in there
    assert len(there) >= 10
    since = server.request_count()
    report = upload(tree, place)
    assert report.skipped == len(there)
    assert len(puts(server, since, place)) == 42 - len(there)
    assert verify(tree, place) == ()


# sudden ends

UPLOAD = """
    import signal
    import sys
    signal.signal(signal.SIGINT, signal.default_int_handler)  # what a shell starts with & has it ignored
    from ngff_practical.model import Location
    from ngff_practical.transfer import checksums, upload
    if {small_parts}:
        checksums.LARGE_NBYTES = upload.__globals__["LARGE_NBYTES"] = 6 * 2**20
        checksums.PART_NBYTES = 5 * 2**20
    upload(sys.argv[1], Location(*sys.argv[2:]))
"""


def uploading(source: Path, place: Location, *, small_parts: bool = False) -> subprocess.Popen[bytes]:
    code = textwrap.dedent(UPLOAD).format(small_parts=small_parts)
    return subprocess.Popen(
        [sys.executable, "-c", code, source, place.endpoint, place.bucket, place.key],
        stderr=subprocess.PIPE,
    )


def wait_for(condition: Callable[[], object], process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 120
    while not condition():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.mark.parametrize("end", ["KILL", "INT"])
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither of these signals")
def test_upload_ended_from_outside_opens_nowhere_and_resumes_without_sending_again(
    server: Sandbox, place: Location, tree: Path, end: str
) -> None:
    server.set_faults([Fault("slow-down", below(place, "0/c/39/0/0"), "PUT", times=None)])  # it cannot end
    since = server.request_count()
    process = uploading(tree, place)
    wait_for(lambda: len({request.key for request in puts(server, since, place)}) == 40, process)
    process.send_signal(getattr(signal, f"SIG{end}"))
    process.communicate(timeout=60)
    server.set_faults(())
    there = set(stored(place))
    with pytest.raises((NotFoundError, NgffPracticalError)):
        describe_image(place)
    assert "zarr.json" not in there
    assert len(there) == 39
    since = server.request_count()
    report = upload(tree, place)
    assert {request.key for request in puts(server, since, place)} == {
        f"{place.bucket}/{place.key}/{key}" for key in set(files(tree)) - there
    }
    assert (report.skipped, report.verified) == (39, 42)
    assert verify(tree, place) == ()


@pytest.mark.usefixtures("five_mib_parts")
def test_upload_killed_inside_a_large_object_goes_on_with_the_parts_that_are_there(
    server: Sandbox, place: Location, big: Path
) -> None:
    server.set_faults([Fault("slow-down", f"{place.bucket}/{place.key}", "PUT", times=None, after=2)])
    since = server.request_count()
    process = uploading(big, place, small_parts=True)
    wait_for(lambda: [r.status for r in puts(server, since, place)].count(200) == 2, process)
    process.kill()
    process.communicate(timeout=60)
    server.set_faults(())
    assert not object_exists(place)
    assert [left.key for left in open_uploads(place)] == [""]
    since = server.request_count()
    assert upload(big, place).verified == 1
    assert len(puts(server, since, place)) == 1  # of three parts
    assert open_uploads(place) == ()
    assert verify(big, place) == ()


@pytest.mark.usefixtures("five_mib_parts")
def test_begun_upload_of_other_bytes_is_left_alone(server: Sandbox, place: Location, big: Path) -> None:
    client = exact_client(place)
    target = {"Bucket": place.bucket, "Key": place.key}
    other = client.create_multipart_upload(**target)["UploadId"]
    client.upload_part(**target, UploadId=other, PartNumber=1, Body=bytes(5 * MIB))
    client.close()
    assert upload(big, place).verified == 1
    left = open_uploads(place)
    assert [upload.upload_id for upload in left] == [other]
    assert named_unfinished(place)
    abort_uploads(place, left)
    assert open_uploads(place) == ()
    assert not named_unfinished(place)


def named_unfinished(place: Location) -> list[str]:
    return [check.found for check in check_place(place) if check.name == "unfinished uploads"]


def test_deleting_an_image_gives_up_what_was_begun_below_it(server: Sandbox, place: Location) -> None:
    client = exact_client(place)
    client.create_multipart_upload(Bucket=place.bucket, Key=f"{place.key}/0/c/0")
    client.create_multipart_upload(Bucket=place.bucket, Key=f"{place.key}2/0/c/0")
    delete_image(place)
    left = client.list_multipart_uploads(Bucket=place.bucket, Prefix=place.key)["Uploads"]
    assert [upload["Key"] for upload in left] == [f"{place.key}2/0/c/0"]
    client.abort_multipart_upload(Bucket=place.bucket, Key=left[0]["Key"], UploadId=left[0]["UploadId"])
    client.close()


@pytest.mark.usefixtures("five_mib_parts")
@pytest.mark.parametrize("kind", ["slow-down", "reset", "lost-answer", "flipped", "reset-in-body"])
def test_fault_in_one_part_of_a_large_upload_is_mended(
    server: Sandbox, place: Location, big: Path, pauses: list[float], kind: str
) -> None:
    server.set_faults([Fault(kind, f"{place.bucket}/{place.key}", "PUT", after=1)])
    assert upload(big, place).verified == 1
    assert read_object(place) == big.read_bytes()
    assert open_uploads(place) == ()


@pytest.mark.usefixtures("five_mib_parts")
def test_lost_answer_to_the_completion_is_no_failure(
    server: Sandbox, place: Location, big: Path, pauses: list[float]
) -> None:
    server.set_faults([Fault("lost-answer", f"{place.bucket}/{place.key}", "POST", after=1)])
    assert upload(big, place).verified == 1
    assert verify(big, place) == ()


@pytest.mark.usefixtures("five_mib_parts")
def test_large_upload_that_fails_for_good_leaves_no_parts(
    server: Sandbox, place: Location, big: Path, pauses: list[float]
) -> None:
    server.set_faults([Fault("slow-down", f"{place.bucket}/{place.key}", "PUT", times=None, after=1)])
    with pytest.raises(TransferError, match="is overloaded or broken"):
        upload(big, place)
    assert open_uploads(place) == ()
    assert not object_exists(place)


@pytest.mark.usefixtures("five_mib_parts")
def test_large_object_that_appears_meanwhile_is_not_overwritten(
    server: Sandbox, place: Location, big: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse = Objects._refuse_taken

    def appears(self: Objects, key: str) -> None:
        refuse(self, key)
        write_object(place, "", b"somebody else's")

    monkeypatch.setattr(Objects, "_refuse_taken", appears)
    with pytest.raises(TransferError, match="appeared during the upload"):
        upload(big, place)
    assert read_object(place) == b"somebody else's"


def test_verify_sees_bytes_that_a_server_stored_wrong_behind_a_right_answer(
    server: Sandbox, place: Location, tree: Path, pauses: list[float]
) -> None:
    upload(tree, place)
    server.set_faults([Fault("stored-wrong", below(place, "0/c/7/0/0"), "PUT")])
    write_object(place, "0/c/7/0/0", (tree / "0/c/7/0/0").read_bytes(), overwrite=True)
    report = verify_copy(tree, place)
    assert [problem.key for problem in report.problems] == ["0/c/7/0/0"]
