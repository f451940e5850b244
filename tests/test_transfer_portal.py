"""A network that shows its login page from the middle of something on: named, whatever was under way."""

import itertools
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from scripted import Asked, Said, passed_on, scripted

from ngff_practical.errors import NgffPracticalError, StorageError
from ngff_practical.model import Location
from ngff_practical.sandbox import Sandbox
from ngff_practical.storage import list_page, object_exists
from ngff_practical.storage.crew import Crew
from ngff_practical.storage.moving import Objects
from ngff_practical.transfer import delete_image, download, upload, verify

pytestmark = pytest.mark.s3

MIB = 2**20
HTML = {"Content-Type": "text/html; charset=utf-8"}
PAGE = b"<!DOCTYPE html>\n<html><head><title>Guest network</title></head><body>Log in</body></html>"
UNCLOSED = b"<!DOCTYPE html>\n<html><head><meta charset=utf-8><title>Guest</title><body>Log in<br><p>here"
NAMED = "is not what answers: every key, even one that nobody has, gets a web page"
PORTALS: dict[str, Callable[[Asked], Said]] = {
    "page": lambda _: Said(200, PAGE, HTML),
    "page that is no XML": lambda _: Said(200, UNCLOSED, HTML),
    "redirect": lambda asked: (
        Said(200, PAGE, HTML) if asked.target == "/login" else Said(302, headers={"Location": "/login"})
    ),
    "GET alone": lambda asked: Said(200, PAGE, HTML) if asked.method == "GET" else Said(405, PAGE, HTML),
}


@pytest.fixture(autouse=True)
def patience_without_pauses(monkeypatch: pytest.MonkeyPatch, five_mib_parts: None) -> None:
    monkeypatch.setattr(Crew, "pause", lambda *_: None)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """An object of each kind: small, streamed, in parts."""
    random = np.random.default_rng(5)
    (tmp_path / "t.zarr" / "0").mkdir(parents=True)
    for name, nbytes in (("a", 1000), ("b", 1_200_000), ("c", 6 * MIB + 1)):
        (tmp_path / "t.zarr" / "0" / name).write_bytes(random.bytes(nbytes))
    for name in ("0/zarr.json", "zarr.json"):
        (tmp_path / "t.zarr" / name).write_text("{}")
    return tmp_path / "t.zarr"


@contextmanager
def until(server: Sandbox, like: str, portal: str, *, nth: int = 1) -> Iterator[str]:
    """Give an endpoint that is the sandbox, and the portal from the nth request on that is like this one."""
    closed = threading.Event()
    seen = itertools.count(1)

    def answer(asked: Asked) -> Said:
        if re.search(like, f"{asked.method} {asked.target}") and next(seen) == nth:
            closed.set()
        return PORTALS[portal](asked) if closed.is_set() else passed_on(server.endpoint, asked)

    with scripted(answer) as endpoint:
        yield endpoint
    assert closed.is_set()


@pytest.mark.parametrize("portal", ["page that is no XML", "GET alone"])
@pytest.mark.parametrize(
    "request_like", ["HEAD", "list-type", "GET .*/0/a", "GET .*/0/b", "GET .*/0/c", r"r/z"]
)
def test_login_page_in_the_middle_of_a_download_is_named(
    server: Sandbox, place: Location, tree: Path, tmp_path: Path, portal: str, request_like: str
) -> None:
    upload(tree, place)
    with until(server, request_like, portal) as endpoint, pytest.raises(NgffPracticalError, match=NAMED):
        download(Location(endpoint, place.bucket, place.key), tmp_path / "back")
    assert not (tmp_path / "back").exists()
    assert download(place, tmp_path / "back").verified == 5


@pytest.mark.parametrize("portal", ["page", "redirect"])
@pytest.mark.parametrize(
    "request_like",
    ["PUT .*/0/a", "GET .*uploads", "POST .*uploads", "PUT .*uploadId", "POST .*uploadId", "PUT .*r/z"],
)
def test_login_page_in_the_middle_of_an_upload_is_named_and_nothing_opens(
    server: Sandbox, place: Location, tree: Path, portal: str, request_like: str
) -> None:
    with until(server, request_like, portal) as endpoint, pytest.raises(NgffPracticalError, match=NAMED):
        upload(tree, Location(endpoint, place.bucket, place.key))
    assert not object_exists(place, "zarr.json")
    upload(tree, place)
    assert verify(tree, place) == ()


@pytest.mark.parametrize("portal", PORTALS)
def test_login_page_in_place_of_the_count_before_the_root_is_not_somebody_elses_change(
    server: Sandbox, place: Location, tree: Path, portal: str
) -> None:
    with (
        until(server, "list-type", portal, nth=2) as endpoint,
        pytest.raises(NgffPracticalError, match=NAMED),
    ):
        upload(tree, Location(endpoint, place.bucket, place.key))
    assert not object_exists(place, "zarr.json")


@pytest.mark.parametrize("portal", ["page", "GET alone"])
@pytest.mark.parametrize("request_like", ["list-type", "GET .*/0/a", "GET .*/0/c", r"GET .*r/z"])
def test_login_page_in_the_middle_of_verifying_is_no_difference(
    server: Sandbox, place: Location, tree: Path, portal: str, request_like: str
) -> None:
    upload(tree, place)
    with (
        until(server, request_like, portal) as endpoint,
        pytest.raises(NgffPracticalError, match=NAMED),
    ):
        verify(tree, Location(endpoint, place.bucket, place.key))


@pytest.mark.parametrize("portal", PORTALS)
@pytest.mark.parametrize("request_like", ["list-type", "POST .*delete"])
def test_login_page_in_place_of_what_is_to_be_deleted_is_not_an_empty_place(
    server: Sandbox, place: Location, tree: Path, portal: str, request_like: str
) -> None:
    upload(tree, place)
    with (
        until(server, request_like, portal) as endpoint,
        pytest.raises(NgffPracticalError, match=NAMED),
    ):
        delete_image(Location(endpoint, place.bucket, place.key))
    assert object_exists(place, "zarr.json")


def test_login_page_in_place_of_the_end_of_a_list_does_not_end_it() -> None:
    listed = "".join(
        f'<Contents><Key>t.zarr/{number}</Key><Size>1</Size><ETag>"e"</ETag>'
        "<LastModified>2026-11-22T00:00:00Z</LastModified></Contents>"
        for number in range(1000)
    )
    first = (
        "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>n</NextContinuationToken>"
        f"{listed}</ListBucketResult>"
    )

    def answer(asked: Asked) -> Said:
        there = "list-type" in asked.target and "continuation" not in asked.target
        return (
            Said(200, first.encode(), {"Content-Type": "application/xml"}) if there else Said(200, PAGE, HTML)
        )

    with scripted(answer) as endpoint, pytest.raises(StorageError, match=NAMED):
        Objects(Location(endpoint, "bucket", "t.zarr", anonymous=True)).list()


@pytest.mark.parametrize("status", [403, 401])
def test_refusal_by_a_web_page_is_told_apart(status: int, tree: Path) -> None:
    with (
        scripted(lambda _: Said(status, PAGE, HTML)) as endpoint,
        pytest.raises(
            StorageError,
            match=rf"\({status}\).*a web page says so and not S3, such as that of a proxy on the way",
        ),
    ):
        verify(tree, Location(endpoint, "bucket", "t.zarr", anonymous=True))


def test_list_without_etags_is_read() -> None:
    listed = b"<ListBucketResult><Contents><Key>a//b</Key><Size>1</Size></Contents></ListBucketResult>"
    with scripted(lambda _: Said(200, listed, {"Content-Type": "application/xml"})) as endpoint:
        [found] = list_page(Location(endpoint, "bucket", anonymous=True)).objects
    assert (found.key, found.etag) == ("a//b", None)
