"""Images behind servers that are no S3: plain web servers, pages in place of documents, no listing."""

import gzip
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from urllib.parse import urlsplit

import pytest

from ngff_practical.errors import MetadataError, NotFoundError, StorageError
from ngff_practical.inspection import describe_image, tree, validate, validation_report

SOUND = Path(__file__).parent / "data" / "sound"
PAGE = b"<!DOCTYPE html>\n<html><head><title>Viewer</title></head><body></body></html>"
NEWS = ("Last-Modified", "Mon, 02 Nov 2026 08:00:00 GMT")

type Answer = Callable[[BaseHTTPRequestHandler, bytes | None], None]


def send(
    handler: BaseHTTPRequestHandler,
    body: bytes,
    *headers: tuple[str, str],
    code: int = 200,
    length: bool = True,
) -> None:
    handler.send_response(code)
    for name, value in (NEWS, *headers):
        handler.send_header(name, value)
    if length:
        handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    if handler.command != "HEAD":
        handler.wfile.write(body)


@contextmanager
def served(folder: Path, answer: Answer) -> Iterator[str]:
    """A web server that has a folder at /images/x.zarr, and its address; `answer` gets what is there."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            file = folder / urlsplit(self.path).path.removeprefix("/images/x.zarr").lstrip("/")
            answer(self, file.read_bytes() if file.is_file() else None)

        def do_HEAD(self) -> None:
            self.do_GET()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/images/x.zarr"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def page_for_what_is_missing(handler: BaseHTTPRequestHandler, found: bytes | None) -> None:
    send(handler, PAGE if found is None else found)


@pytest.mark.parametrize("store", sorted(folder.name for folder in SOUND.iterdir()))
def test_server_with_a_page_for_whatever_is_missing_shows_a_sound_image_as_sound(store: str) -> None:
    with served(SOUND / store, page_for_what_is_missing) as address:
        report = validation_report(address)
    assert report.issues == ()
    assert any("were not counted" in note for note in report.notes)


@pytest.mark.parametrize("store", ["0_2", "0_4", "0_5", "0_6"])
def test_server_with_a_page_for_whatever_is_missing_describes_its_images(store: str) -> None:
    with served(SOUND / store, page_for_what_is_missing) as address:
        assert describe_image(address).levels == describe_image(SOUND / store).levels


def test_missing_level_is_found_behind_a_page() -> None:
    broken = SOUND.parent / "broken" / "level_missing"
    with served(broken, page_for_what_is_missing) as address:
        (issue,) = validate(address)
    assert issue.where == "multiscales[0].datasets[1].path"


def test_address_that_answers_with_pages_only_is_no_image() -> None:
    with (
        served(SOUND / "0_5", lambda handler, found: send(handler, PAGE)) as address,
        pytest.raises(NotFoundError, match="answers with a web page in place of zarr"),
    ):
        validate(address)


def test_compressed_metadata_is_called_that() -> None:
    def packed(handler: BaseHTTPRequestHandler, found: bytes | None) -> None:
        body = gzip.compress(found) if found else b""
        send(handler, body, ("Content-Encoding", "gzip"), code=200 if found else 404)

    with (
        served(SOUND / "0_5", packed) as address,
        pytest.raises(MetadataError, match="is compressed with gzip"),
    ):
        describe_image(address)


def test_redirects_without_end_are_called_that() -> None:
    def elsewhere(handler: BaseHTTPRequestHandler, found: bytes | None) -> None:
        send(handler, b"", ("Location", f"{handler.path}x"), code=302)

    with served(SOUND / "0_5", elsewhere) as address, pytest.raises(StorageError, match="without end"):
        describe_image(address)


def test_server_that_does_not_say_how_much_it_sends_is_told_so() -> None:
    def unmeasured(handler: BaseHTTPRequestHandler, found: bytes | None) -> None:
        send(handler, found or b"", length=False)

    with served(SOUND / "0_5", unmeasured) as address, pytest.raises(StorageError, match="Content-Length"):
        describe_image(address)


def test_document_that_never_arrives_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "_PATIENCE_S", 0.5)
    over = Event()

    def dripping(handler: BaseHTTPRequestHandler, found: bytes | None) -> None:
        handler.send_response(200)
        handler.send_header(*NEWS)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b"{")
        handler.wfile.flush()
        over.wait()

    with served(SOUND / "0_5", dripping) as address:
        try:
            with pytest.raises(StorageError, match="did not answer in time"):
                describe_image(address)
        finally:
            over.set()
