"""The checks before a lesson, each seen to fail once, and the command that shows them."""

import http.server
import json
import os
import shutil
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from ngff_practical import sandbox
from ngff_practical.cli import main
from ngff_practical.doctor import (
    Check,
    Preflight,
    check_computer,
    check_everything,
    check_hosts,
    check_place,
    check_sandbox,
    preflight,
    ready,
)
from ngff_practical.errors import SandboxError, StorageError
from ngff_practical.model import Location
from ngff_practical.sandbox import Fault, Sandbox
from ngff_practical.storage import list_objects, read_object, write_object

pytestmark = pytest.mark.s3


def named(checks: "Iterator[Check]") -> dict[str, Check]:
    return {check.name: check for check in checks}


# this computer


def test_computer_that_runs_these_tests_is_ready(tmp_path: Path) -> None:
    found = named(check_computer(tmp_path))
    assert list(found) == ["Python", "packages", "imports", "memory", "disk", "JupyterLab"]
    assert ready(found.values()), found
    assert not any(check.fix for check in found.values())


def test_each_lack_of_the_computer_is_named_with_its_fix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=10**8))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 10, 10**6))
    monkeypatch.setattr(
        "ngff_practical.doctor.computer.metadata.requires",
        lambda _: ["numpy>=99", "no-such-package>=1", "os-only-there; sys_platform == 'nowhere'"],
    )
    found = named(check_computer(tmp_path))
    wrong = {name: check.found for name, check in found.items() if not check.ok}
    assert set(wrong) == {"packages", "imports", "memory", "disk"}
    assert "no-such-package is missing" in wrong["packages"]
    assert "99 or newer is needed" in wrong["packages"]
    assert wrong["imports"].startswith("no_such_package: ModuleNotFoundError")
    assert (wrong["memory"], wrong["disk"]) == ("0.1 GB free", f"0.0 GB free at {tmp_path}")
    assert all(found[name].fix for name in wrong)


# before the first lesson


def test_the_preflight_imports_nothing_and_asks_no_other_machine(
    server: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("looked longer than a first lesson waits")

    monkeypatch.setattr("ngff_practical.doctor.computer._imports", refuse)
    monkeypatch.setattr("ngff_practical.doctor.network.check_hosts", refuse)
    found = preflight(tmp_path / "not made yet")
    assert [check.name for check in found.checks] == [
        "Python", "packages", "memory", "disk", "JupyterLab", "sandbox", "sandbox use"
    ]  # fmt: skip
    assert found.ready
    assert repr(found).splitlines()[-1] == "Ready: everything that the course needs is here."


def test_the_preflight_shows_what_is_wrong_with_its_fix_and_escapes_it() -> None:
    found = Preflight(
        (Check("disk", False, "<b>0 GB</b> free", "make room"), Check("Python", True, "3.13.0"))
    )
    assert not found.ready
    assert "WRONG disk         <b>0 GB</b> free -> make room" in repr(found)
    assert "Not ready: disk." in repr(found)
    shown = found._repr_html_()
    assert "&lt;b&gt;0 GB&lt;/b&gt; free" in shown
    assert "<b>" not in shown
    assert "make room" in shown


def test_the_preflight_has_no_column_for_fixes_where_nothing_is_to_be_done() -> None:
    assert "do this" not in Preflight((Check("Python", True, "3.13.0"),))._repr_html_()
    note = Preflight((Check("host", False, "no answer", "wait", needed=False),))
    assert note.ready
    assert "do this" in note._repr_html_()


def test_keys_of_ones_own_are_named_as_wrong_on_binder(
    server: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BINDER_SERVICE_HOST", "somewhere")
    assert named(preflight(tmp_path).checks)["Binder"].ok
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA" + "EXAMPLE" * 2)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret")
    found = preflight(tmp_path)
    assert not found.ready
    assert "change them" in named(found.checks)["Binder"].fix
    assert "AKIA" not in repr(found)
    assert "a-secret" not in found._repr_html_()


def test_a_place_is_not_tried_with_keys_of_ones_own_on_binder(
    server: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BINDER_SERVICE_HOST", "somewhere")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA" + "EXAMPLE" * 2)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret")
    before = server.request_count()
    found = tuple(check_place(server.location("practical", "binder")))
    assert not ready(found)
    assert any("not used on Binder" in check.found for check in found)
    assert [r for r in server.requests(before) if r.method == "PUT"] == []


# the sandbox


def test_running_sandbox_is_tried_and_left_as_it_was(server: Sandbox) -> None:
    before = dict(os.environ)
    found = named(check_sandbox())
    assert ready(found.values())
    assert "write, read, read a range and delete" in found["sandbox use"].found
    assert dict(os.environ) == before
    assert server.alive()
    assert not [o for o in list_objects(server.location("practical")) if o.key.startswith("doctor-")]


def test_sandbox_that_does_not_start_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> None:
        raise SandboxError("the sandbox could not be started: no; see there")

    monkeypatch.setattr("ngff_practical.doctor.practice.running", lambda: None)
    monkeypatch.setattr("ngff_practical.doctor.practice.start", fails)
    (check,) = check_sandbox()
    assert check == Check("sandbox", False, "the sandbox could not be started: no", "see there")


def test_sandbox_started_for_the_checks_is_stopped_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NGFF_PRACTICAL_STATE", str(tmp_path))
    assert ready(check_sandbox())
    assert sandbox.running() is None


# the servers of the samples


class Host(http.server.BaseHTTPRequestHandler):
    answer: tuple[int, str] = (200, "application/xml")
    release = threading.Event()

    def do_GET(self) -> None:
        status, kind = self.answer
        if not status:
            self.release.wait(10)
            return
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Location", "http://login.invalid/")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def host() -> Iterator[tuple[str, type[Host]]]:
    kind = type("Host", (Host,), {"release": threading.Event()})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), kind)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", kind
    kind.release.set()
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("answer", "ok", "sentence"),
    [
        ((200, "application/xml"), True, "answers (200"),
        ((403, "application/xml"), True, "answers (403"),
        ((200, "text/html"), False, "something in between answers with a web page (200)"),
        ((302, "text/plain"), False, "something in between answers with a web page (302)"),
        ((511, "text/plain"), False, "something in between answers with a web page (511)"),
        ((407, "text/plain"), False, "does not let requests through"),
    ],
)
def test_answers_of_a_host_are_told_apart(
    host: tuple[str, type[Host]], answer: tuple[int, str], ok: bool, sentence: str
) -> None:
    host[1].answer = answer
    (check,) = check_hosts([host[0]], timeout_s=60)
    assert (check.ok, check.needed) == (ok, False)
    assert sentence in check.found


def test_host_that_keeps_silent_is_not_waited_for(host: tuple[str, type[Host]]) -> None:
    host[1].answer = (0, "")
    (check,) = check_hosts([host[0]], timeout_s=0.2)
    assert not check.ok
    assert "in time" in check.found or "within 0.2 s" in check.found
    assert "stand-ins" in check.fix


def test_failing_connections_are_told_apart(
    host: tuple[str, type[Host]], monkeypatch: pytest.MonkeyPatch
) -> None:
    address = host[0]
    (tls,) = check_hosts([address.replace("http://", "https://")], timeout_s=60)
    assert "does not speak TLS" in tls.found
    (refused,) = check_hosts(["http://127.0.0.1:9"], timeout_s=60)
    assert "the connection failed" in refused.found
    monkeypatch.setenv("HTTP_PROXY", "http://user:planted@127.0.0.1:9")
    (proxy,) = check_hosts(["http://somewhere.invalid"], timeout_s=60)
    assert "the proxy 127.0.0.1 does not let requests through" in proxy.found
    assert "planted" not in repr(proxy)


@pytest.mark.parametrize("answer", [b"407 Proxy Authentication Required", b"403 Forbidden"])
def test_proxy_that_does_not_let_s3_through_is_named(monkeypatch: pytest.MonkeyPatch, answer: bytes) -> None:
    class Proxy(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(4096)
            self.request.sendall(b"HTTP/1.1 " + answer + b"\r\nContent-Length: 0\r\n\r\n")

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Proxy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{server.server_address[1]}")
    place = Location(f"https://{answer[:3].decode()}.example.org", "bucket", anonymous=True)
    with pytest.raises(StorageError, match=r"the proxy .* does not let requests through .*check HTTPS_PROXY"):
        read_object(place, "key")
    server.shutdown()
    server.server_close()


# a place on S3


def test_place_that_may_be_written_is_tried_and_left_clean(server: Sandbox) -> None:
    place = server.location("practical", "doctor/ada")
    write_object(place, "zarr.json", b"{}", overwrite=True)
    found = named(check_place(place))
    assert list(found) == [
        "list", "read", "write", "create-only", "public", "CORS", "ranges", "clock", "delete",
    ]  # fmt: skip
    assert all(check.ok for check in found.values()), found
    assert [stored.key for stored in list_objects(place)] == ["zarr.json"]


def test_each_refusal_at_a_place_comes_with_its_fix(server: Sandbox) -> None:
    assert named(check_place(server.location("idr", "x")))["write"].fix.startswith("write below a prefix of")
    missing = named(check_place(server.location("no-such-bucket", "x")))
    assert list(missing) == ["list"]
    assert missing["list"].fix == "check both spellings"
    os.environ["AWS_SECRET_ACCESS_KEY"] = "wrong"
    wrong = named(check_place(server.location("practical", "doctor/x")))
    assert "secret key does not belong" in wrong["write"].found
    assert wrong["write"].fix.startswith("copy both again")


def test_web_pages_kept_out_by_cors_are_noticed(server: Sandbox) -> None:
    server.set_network(cors=False)
    found = named(check_place(server.location("practical", "doctor/cors")))
    assert not found["CORS"].ok
    assert "CORS rule" in found["CORS"].fix
    assert ready(found.values())


def test_object_that_cannot_be_deleted_is_named(server: Sandbox) -> None:
    server.set_faults([Fault("expired", "practical/", method="POST", times=None)])
    found = named(check_place(server.location("practical", "doctor/stuck")))
    assert not found["delete"].ok
    assert "is left behind" in found["delete"].found


def test_anonymous_check_writes_nothing(server: Sandbox) -> None:
    since = server.request_count()
    found = named(check_place(server.location("idr", "tiny.zarr", anonymous=True)))
    assert set(found) == {"list", "read", "public", "CORS", "ranges", "clock"}
    assert {request.method for request in server.requests(since)} == {"GET"}


# the command


def test_command_prints_one_document_and_says_whether_all_is_ready(
    server: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "s3://practical/doctor/cli", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["ready"] is True
    assert set(document["checks"][0]) == {"name", "ok", "found", "fix", "needed"}
    assert main(["doctor", "s3://no-such-bucket/x"]) == 1
    out = capsys.readouterr().out
    assert "WRONG" in out
    assert out.endswith("not ready\n")


def test_offline_asks_no_host(
    server: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("ngff_practical.doctor.everything.check_hosts", lambda: pytest.fail("asked"))
    monkeypatch.setattr("ngff_practical.doctor.everything.check_computer", lambda folder: iter(()))
    assert main(["doctor", "--offline"]) == 0
    assert "sandbox use" in capsys.readouterr().out


def test_computer_sandbox_and_hosts_are_looked_at_at_the_same_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = threading.Barrier(3, timeout=60)

    def look(name: str) -> Iterator[Check]:
        together.wait()  # breaks where they come one after the other
        yield Check(name, True, "")

    home = "ngff_practical.doctor.everything"
    monkeypatch.setattr(f"{home}.check_computer", lambda folder: look("computer"))
    monkeypatch.setattr(f"{home}.check_sandbox", lambda: look("sandbox"))
    monkeypatch.setattr(f"{home}.check_hosts", lambda: look("hosts"))
    found = [check.name for check in check_everything(tmp_path, offline=False)]
    assert found == ["computer", "sandbox", "hosts"]
