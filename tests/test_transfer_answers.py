"""Answers that S3 gives and the sandbox does not: right in the end, or one clear sentence."""

import hashlib
import re
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from scripted import Asked, Said, passed_on, scripted

from ngff_practical.errors import NgffPracticalError, StorageError, TransferError
from ngff_practical.model import Location
from ngff_practical.sandbox import Sandbox
from ngff_practical.storage.crew import Crew
from ngff_practical.transfer import delete_image, download, upload, verify
from ngff_practical.transfer.crc import crc32c, crc64nvme

MIB = 2**20
MOVED = b"<Error><Code>PermanentRedirect</Code><Message>Use another endpoint.</Message></Error>"
MALFORMED = b"<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region></Error>"
SKEWED = b"<Error><Code>RequestTimeTooSkewed</Code><Message>Too large.</Message></Error>"
BROKEN = b"<Error><Code>InternalError</Code><Message>Please try again.</Message></Error>"
BEGUN = b"<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>"
GONE = b"<Error><Code>NoSuchUpload</Code><Message>No such upload.</Message></Error>"
TAKEN = b"<Error><Code>PreconditionFailed</Code><Message>It is there.</Message></Error>"


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "PLANTED")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "planted")
    monkeypatch.setattr(Crew, "pause", lambda *_: None)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "x.zarr").mkdir()
    (tmp_path / "x.zarr" / "zarr.json").write_text("{}")
    (tmp_path / "x.zarr" / "c").write_bytes(b"chunk")
    return tmp_path / "x.zarr"


@pytest.fixture
def big(tmp_path: Path, five_mib_parts: None) -> Path:
    """A file of three parts."""
    path = tmp_path / "big.tif"
    path.write_bytes(np.random.default_rng(3).bytes(11 * MIB))
    return path


type Step = Callable[[Path, Location], object]
STEPS: dict[str, Step] = {
    "upload": upload,
    "upload a file": lambda tree, place: upload(tree / "c", place),
    "download": lambda tree, place: download(place, tree.parent / "back"),
    "verify": verify,
    "delete": lambda _, place: delete_image(place),
}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (301, MOVED, "is not in this region, or not at .* set AWS_REGION"),
        (400, MALFORMED, "is not in this region, or not at .* set AWS_REGION"),
        (403, SKEWED, "refuses requests from a clock as wrong as this computer's"),
        (502, b"<html>Bad Gateway</html>", "is overloaded or broken: it kept answering 502"),
    ],
)
def test_refusal_of_everything_is_explained_whatever_is_done(
    tree: Path, step: str, status: int, body: bytes, sentence: str
) -> None:
    with scripted(lambda _: Said(status, body, {"Content-Type": "application/xml"})) as endpoint:
        with pytest.raises(StorageError, match=sentence):
            STEPS[step](tree, Location(endpoint, "bucket", "x.zarr"))
        assert [path.name for path in tree.parent.iterdir()] == ["x.zarr"]


@pytest.mark.s3
@pytest.mark.parametrize(
    ("status", "code", "sentence"),
    [
        (409, "ConditionalRequestConflict", "somebody else writes to .*/c at this moment"),
        (507, "XMinioStorageFull", "takes no more, .* ask its owner for more room"),
        (403, "QuotaExceeded", "takes no more, .* ask its owner for more room"),
        (413, "", "takes no more, or nothing as large as .*/c"),
    ],
)
def test_refusal_of_what_is_sent_says_the_way_out(
    server: Sandbox, place: Location, tree: Path, status: int, code: str, sentence: str
) -> None:
    refused = Said(status, f"<Error><Code>{code}</Code></Error>".encode())

    def answer(asked: Asked) -> Said:
        return refused if asked.method == "PUT" else passed_on(server.endpoint, asked)

    with scripted(answer) as endpoint, pytest.raises(TransferError, match=sentence):
        upload(tree, Location(endpoint, place.bucket, place.key))


def test_object_in_an_archive_is_told(tmp_path: Path) -> None:
    frozen = Said(403, b"<Error><Code>InvalidObjectState</Code></Error>")
    with (
        scripted(lambda _: frozen) as endpoint,
        pytest.raises(StorageError, match="ask its owner to restore"),
    ):
        download(Location(endpoint, "bucket", "x", anonymous=True), tmp_path / "x")


@pytest.mark.parametrize("status", [302, 307])
def test_redirects_in_a_circle_are_told(tree: Path, status: int) -> None:
    with (
        scripted(lambda asked: Said(status, b"", {"Location": asked.target})) as endpoint,
        pytest.raises(NgffPracticalError, match="sends every request on to another address, without end"),
    ):
        upload(tree, Location(endpoint, "bucket", "x.zarr"))


class Multipart:
    """A bucket that takes one object in parts; `ends` says what the attempts to complete it are answered."""

    def __init__(self, *ends: tuple[Said, bool]) -> None:
        self.ends = list(ends)
        self.parts: dict[int, bytes] = {}
        self.object: bytes | None = None
        self.aborted = False

    @property
    def etag(self) -> str:
        digests = [hashlib.md5(part).digest() for _, part in sorted(self.parts.items())]
        return f'"{hashlib.md5(b"".join(digests)).hexdigest()}-{len(digests)}"'

    def __call__(self, asked: Asked) -> Said:
        query = parse_qs(urlsplit(asked.target).query, keep_blank_values=True)
        match asked.method:
            case "POST" if "uploads" in query:
                return Said(
                    200,
                    b"<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>",
                )
            case "POST":
                said, done = self.ends.pop(0)
                if done:
                    self.object = b"".join(part for _, part in sorted(self.parts.items()))
                return said
            case "PUT":
                self.parts[int(query["partNumber"][0])] = asked.body
                return Said(200, b"", {"ETag": f'"{hashlib.md5(asked.body).hexdigest()}"'})
            case "DELETE":
                self.aborted = True
                return Said(204)
            case _ if "uploads" in query:
                return Said(200, b"<ListMultipartUploadsResult></ListMultipartUploadsResult>")
            case _ if self.object is None:
                return Said(404)
        headers = {"ETag": self.etag, "Last-Modified": "Sun, 22 Nov 2026 00:00:00 GMT"}
        if "range" not in asked.headers:
            return Said(200, self.object, headers)
        first, last = map(int, asked.headers["range"].removeprefix("bytes=").split("-"))
        headers["Content-Range"] = f"bytes {first}-{last}/{len(self.object)}"
        return Said(206, self.object[first : last + 1], headers)


def completed(multipart: Multipart) -> Said:
    return Said(
        200,
        f"<CompleteMultipartUploadResult><ETag>{multipart.etag}</ETag></CompleteMultipartUploadResult>".encode(),
    )


@pytest.mark.parametrize(
    "ends",
    [
        [(Said(500, BROKEN), True), (Said(404, GONE), False)],
        [(Said(503, BROKEN), True), (Said(412, TAKEN), False)],
        [(Said(200, BROKEN), True), (Said(404, GONE), False)],
    ],
    ids=["500, then gone", "503, then taken", "error inside a 200, then gone"],
)
def test_completion_that_was_carried_out_behind_an_error_is_no_failure(
    big: Path, ends: list[tuple[Said, bool]]
) -> None:
    bucket = Multipart(*ends)
    with scripted(bucket) as endpoint:
        assert upload(big, Location(endpoint, "bucket", "big.tif")).verified == 1
    assert bucket.object == big.read_bytes()
    assert not bucket.ends


def test_completion_that_fails_for_good_leaves_no_parts(big: Path) -> None:
    bucket = Multipart(*[(Said(200, BROKEN), False)] * 60)
    with scripted(bucket) as endpoint, pytest.raises(TransferError, match="is overloaded or broken"):
        upload(big, Location(endpoint, "bucket", "big.tif"))
    assert bucket.aborted


def stating(name: str, value: bytes, *, kind: str, data: bytes) -> Callable[[Asked], Said]:
    """Serve an object whose ETag says nothing, with a checksum in the headers of those who ask for it."""

    def answer(asked: Asked) -> Said:
        headers = {"ETag": '"opaque"', "Last-Modified": "Sun, 22 Nov 2026 00:00:00 GMT"}
        if asked.headers.get("x-amz-checksum-mode", "").upper() == "ENABLED":
            headers[f"x-amz-checksum-{name}"] = b64encode(value).decode()
            headers["x-amz-checksum-type"] = kind
        return Said(200, data, headers)

    return answer


@pytest.mark.parametrize("nbytes", [9, 3 * MIB])
@pytest.mark.parametrize("name", ["crc64nvme", "crc32c"])
@pytest.mark.parametrize("kind", ["FULL_OBJECT", "COMPOSITE"])
def test_checksum_that_a_server_states_in_its_headers_proves_an_object(
    tmp_path: Path, nbytes: int, name: str, kind: str
) -> None:
    data = b"123456789" if nbytes == 9 else np.random.default_rng(2).bytes(nbytes)
    sums = {"crc64nvme": crc64nvme([data]).to_bytes(8, "big"), "crc32c": crc32c([data]).to_bytes(4, "big")}
    with scripted(stating(name, sums[name], kind=kind, data=data)) as endpoint:
        report = download(Location(endpoint, "bucket", "x"), tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == data
    assert report.verified == (kind == "FULL_OBJECT")  # that of parts put together is another's


def test_checksum_in_a_servers_headers_speaks_against_other_bytes(tmp_path: Path) -> None:
    right = crc64nvme([b"123456789"]).to_bytes(8, "big")
    with (
        scripted(stating("crc64nvme", right, kind="FULL_OBJECT", data=b"123456780")) as endpoint,
        pytest.raises(TransferError, match="its CRC64NVME is that of others: it is damaged on the server"),
    ):
        download(Location(endpoint, "bucket", "x"), tmp_path / "x")
    assert not (tmp_path / "x").exists()


PAGE = b"<!DOCTYPE html>\n<html><head><title>Guest network</title></head><body>Log in</body></html>"
HTML = {"Content-Type": "text/html; charset=utf-8"}
PORTALS: dict[str, Callable[[Asked], Said]] = {
    "page": lambda _: Said(200, PAGE, HTML),
    "page with an ETag": lambda _: Said(200, PAGE, {**HTML, "ETag": '"5f-2a"'}),
    "page without a type": lambda _: Said(200, PAGE),
    "page of another size each way": lambda asked: Said(200, PAGE + b" " * len(asked.method), HTML),
    "page whose HEAD is empty": lambda asked: Said(200, b"" if asked.method == "HEAD" else PAGE, HTML),
    "redirect": lambda asked: (
        Said(200, PAGE, HTML) if asked.target == "/login" else Said(302, headers={"Location": "/login"})
    ),
    "GET alone": lambda asked: Said(405) if asked.method == "HEAD" else Said(200, PAGE, HTML),
}


@pytest.mark.parametrize("portal", PORTALS)
def test_login_page_of_a_network_is_no_image(tmp_path: Path, portal: str) -> None:
    with (
        scripted(PORTALS[portal]) as endpoint,
        pytest.raises(StorageError, match="a network that wants a login"),
    ):
        download(Location(endpoint, "bucket", "a/x.zarr"), tmp_path / "back")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("portal", ["page", "page without a type", "redirect", "GET alone"])
@pytest.mark.parametrize("step", ["upload", "upload a file", "verify"])
def test_login_page_of_a_network_is_no_destination(tree: Path, portal: str, step: str) -> None:
    with (
        scripted(PORTALS[portal]) as endpoint,
        pytest.raises(NgffPracticalError, match="a network that wants a login"),
    ):
        STEPS[step](tree, Location(endpoint, "bucket", "a/x"))


def test_refusal_until_one_logs_in_is_told_as_such(tmp_path: Path) -> None:
    with (
        scripted(lambda _: Said(511, PAGE, HTML)) as endpoint,
        pytest.raises(StorageError, match="wants a login first"),
    ):
        download(Location(endpoint, "bucket", "a/x.zarr"), tmp_path / "back")


@pytest.mark.parametrize("key", ["index.html", "page"])
def test_web_page_that_is_stored_is_an_object_as_any_other(tmp_path: Path, key: str) -> None:
    etag = hashlib.md5(PAGE).hexdigest()

    def answer(asked: Asked) -> Said:
        there = asked.target == f"/bucket/{key}"
        return Said(200, PAGE, {**HTML, "ETag": f'"{etag}"'}) if there else Said(404)

    with scripted(answer) as endpoint:
        assert download(Location(endpoint, "bucket", key), tmp_path / "page").verified == 1


type Spelling = Callable[[str], str]


def respelled(said: Said, listed: Spelling, stated: Spelling) -> Said:
    """Return an answer with other ETags: in a list, and in the headers."""
    if b"<ListBucketResult" in said.body:
        body = re.sub(
            rb"<ETag>(.*?)</ETag>",
            lambda found: f"<ETag>{listed(found[1].decode())}</ETag>".encode(),
            said.body,
        )
        return Said(said.status, body, {**said.headers, "Content-Length": str(len(body))})
    headers = {name: stated(value) if name == "ETag" else value for name, value in said.headers.items()}
    return Said(said.status, said.body, {name: value for name, value in headers.items() if value})


def same(etag: str) -> str:
    return etag


def weak(etag: str) -> str:
    return f"W/{etag}"


def bare(etag: str) -> str:
    return etag.strip('"').removeprefix("&quot;").removesuffix("&quot;")


@pytest.mark.s3
@pytest.mark.parametrize(
    ("listed", "stated", "proven"),
    [
        (same, weak, 3),
        (bare, bare, 3),
        (str.upper, same, 3),
        (lambda _: "", same, 3),
        (lambda _: "", lambda _: "", 0),
        (same, lambda _: "", 3),
    ],
    ids=["made weak on the way", "no quotes", "upper case", "not listed", "none at all", "only listed"],
)
def test_etag_that_is_spelled_in_two_ways_is_no_replaced_object(
    server: Sandbox,
    place: Location,
    big: Path,
    tree: Path,
    listed: Spelling,
    stated: Spelling,
    proven: int,
) -> None:
    def answer(asked: Asked) -> Said:
        headers = {name: value for name, value in asked.headers.items() if name != "if-match"}
        said = passed_on(server.endpoint, asked._replace(headers=headers))
        if asked.method in ("GET", "HEAD") or stated("ETag"):
            said = respelled(said, listed, stated)
        compared = asked.headers.get("if-match")
        return Said(412, TAKEN) if compared and compared != said.headers.get("ETag") else said

    big.rename(tree / "big")
    with scripted(answer) as endpoint:
        bent = Location(endpoint, place.bucket, place.key)
        assert upload(tree, bent).verified == 3
        assert download(bent, tree.parent / "back.zarr").verified == proven
        assert verify(tree, bent) == ()
    assert (tree.parent / "back.zarr" / "big").read_bytes() == (tree / "big").read_bytes()
