"""Faults the sandbox plays on request, as a client without any library meets them."""

import base64
import hashlib
import http.client
import socket
import urllib.error
import urllib.request
import zlib
from collections.abc import Iterator

import boto3
import obstore
import pytest
from botocore.config import Config

from ngff_practical import sandbox
from ngff_practical.errors import AccessError
from ngff_practical.sandbox import Fault, Sandbox
from ngff_practical.sandbox.gate import refuse_body
from ngff_practical.sandbox.signature import Signed
from ngff_practical.sandbox.wire import Arrived
from ngff_practical.storage import object_store, read_object, write_object

pytestmark = pytest.mark.s3

BODY = bytes(range(200)) * 5
KEY = "faults/object"
TARGET = f"practical/{KEY}"


@pytest.fixture
def server(sandbox_server: sandbox.Sandbox) -> Iterator[sandbox.Sandbox]:
    sandbox_server.use()
    sandbox_server.set_faults(())
    write_object(sandbox_server.location("practical", KEY), "", BODY, overwrite=True)
    yield sandbox_server
    sandbox_server.set_faults(())
    sandbox_server.set_network()


def get(server: sandbox.Sandbox, **headers: str) -> tuple[int, bytes]:
    """Return status and body as they arrive; a broken connection raises."""
    connection = http.client.HTTPConnection(server.endpoint.removeprefix("http://"), timeout=60)
    try:
        connection.request("GET", f"/{TARGET}", headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def put(server: sandbox.Sandbox, key: str) -> None:
    """Store BODY with a client that does not try again."""
    store = object_store(server.location("practical", "faults"), retries=0)
    obstore.put(store, key, BODY, use_multipart=False)


@pytest.mark.parametrize(
    ("kind", "status", "code"), [("slow-down", 503, b"SlowDown"), ("expired", 403, b"ExpiredToken")]
)
def test_refusals_come_as_often_as_asked_for_in_s3s_words(
    server: sandbox.Sandbox, kind: str, status: int, code: bytes
) -> None:
    server.set_faults([Fault(kind, TARGET, times=2)])
    answers = [get(server) for _ in range(3)]
    assert [answer[0] for answer in answers] == [status, status, 200]
    assert b"<Code>" + code + b"</Code>" in answers[0][1]
    assert answers[2][1] == BODY


def test_reset_comes_before_any_answer(server: sandbox.Sandbox) -> None:
    server.set_faults([Fault("reset", TARGET)])
    with pytest.raises(ConnectionResetError):
        get(server)
    assert get(server) == (200, BODY)


def test_reset_in_the_body_comes_after_half_of_it(server: sandbox.Sandbox) -> None:
    server.set_faults([Fault("reset-in-body", TARGET)])
    with socket.create_connection(("127.0.0.1", int(server.endpoint.rsplit(":")[-1])), timeout=60) as line:
        line.sendall(f"GET /{TARGET} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        came: list[bytes] = []
        with pytest.raises(ConnectionResetError):
            came.extend(iter(lambda: line.recv(4096), b""))
    body = b"".join(came).partition(b"\r\n\r\n")[2]
    assert body in (b"", BODY[: len(BODY) // 2])  # what was sent before a reset may be lost with it


def test_truncated_answer_announces_more_than_it_holds(server: sandbox.Sandbox) -> None:
    server.set_faults([Fault("truncated", TARGET)])
    with pytest.raises(http.client.IncompleteRead) as caught:
        get(server)
    assert caught.value.partial == BODY[: len(BODY) // 2]


def test_short_answer_looks_whole(server: sandbox.Sandbox) -> None:
    server.set_faults([Fault("short", TARGET)])
    assert get(server) == (200, BODY[: len(BODY) // 2])


def test_flipped_bit_leaves_size_and_etag_as_they_are(server: sandbox.Sandbox) -> None:
    server.set_faults([Fault("flipped", TARGET)])
    status, body = get(server)
    assert (status, len(body)) == (200, len(BODY))
    assert [a ^ b for a, b in zip(body, BODY, strict=True) if a != b] == [1]
    assert get(server) == (200, BODY)


def test_slow_body_arrives_whole(server: sandbox.Sandbox) -> None:
    server.set_faults([Fault("slow", TARGET, seconds=0.3)])
    before = server.request_count()
    assert get(server) == (200, BODY)
    assert server.requests(before)[0].ms >= 300


def test_replaced_object_is_another_one_between_two_ranges(server: sandbox.Sandbox) -> None:
    server.set_faults([Fault("replaced", TARGET, after=1)])
    first = get(server, Range="bytes=0-9")
    second = get(server, Range="bytes=10-19")
    assert first == (206, BODY[:10])
    assert second == (206, bytes(255 - byte for byte in BODY[10:20]))


def test_bit_flipped_on_the_way_up_is_refused_where_the_client_sent_a_checksum(
    server: sandbox.Sandbox,
) -> None:
    server.set_faults([Fault("flipped", method="PUT")])
    with pytest.raises(obstore.exceptions.BaseError, match="XAmzContentSHA256Mismatch"):
        put(server, "flipped-up")


def test_bytes_stored_wrong_get_the_etag_of_what_is_stored(server: sandbox.Sandbox) -> None:
    server.set_faults([Fault("stored-wrong", "practical/faults/wrong")])
    store = object_store(server.location("practical", "faults"), retries=0)
    etag = obstore.put(store, "wrong", BODY, use_multipart=False)["e_tag"]
    held = read_object(server.location("practical", "faults/wrong"))
    assert held != BODY
    assert etag == f'"{hashlib.md5(held).hexdigest()}"'


@pytest.mark.parametrize(
    ("kind", "there"), [("lost-answer", True), ("reset", False), ("reset-in-body", False)]
)
def test_broken_put_is_carried_out_only_where_just_the_answer_is_lost(
    server: sandbox.Sandbox, kind: str, there: bool
) -> None:
    key = f"put-{kind}"
    server.set_faults([Fault(kind, f"practical/faults/{key}", method="PUT")])
    with pytest.raises(obstore.exceptions.BaseError):
        put(server, key)
    found = obstore.list(object_store(server.location("practical", "faults"))).collect()
    assert (key in [item["path"] for item in found]) == there


def test_faults_wait_skip_and_are_told_apart_by_key_and_method(server: sandbox.Sandbox) -> None:
    server.set_faults(
        [
            Fault("slow-down", "practical/elsewhere/*"),
            Fault("slow-down", TARGET, method="PUT"),
            Fault("slow-down", TARGET, after=1, every=2, times=2),
        ]
    )
    assert [get(server)[0] for _ in range(7)] == [200, 200, 503, 200, 503, 200, 200]
    assert [fault.times for fault in server.faults()] == [1, 1]


def test_faults_end_when_they_are_cleared(server: sandbox.Sandbox) -> None:
    server.set_faults([Fault("reset", times=None)])
    server.set_faults(())
    assert get(server) == (200, BODY)
    assert server.faults() == ()


def test_network_that_is_gone_breaks_every_connection_and_comes_back(server: sandbox.Sandbox) -> None:
    server.set_network(online=False)
    before = server.request_count()
    with pytest.raises(ConnectionError):
        get(server)
    assert server.request_count() == before
    server.set_network()
    assert get(server) == (200, BODY)


@pytest.mark.parametrize(
    "setting", [{"kind": "earthquake"}, {"kind": "reset", "every": 0}, {"kind": "slow", "seconds": -1}]
)
def test_impossible_faults_are_refused(setting: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        Fault(**setting)


def test_expired_credentials_are_said_to_be_expired(server: sandbox.Sandbox) -> None:
    server.set_faults([Fault("expired", times=None)])
    with pytest.raises(AccessError, match="says that the credentials have expired; get new ones"):
        read_object(server.location("practical", KEY))


def in_pieces(*pieces: bytes, trailer: bytes = b"") -> bytes:
    """Return a body as "aws-chunked" sends it."""
    sent = b"".join(b"%x;chunk-signature=0\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return sent + b"0\r\n" + trailer + b"\r\n"


def crc32_behind(data: bytes) -> bytes:
    return b"x-amz-checksum-crc32:" + base64.b64encode(zlib.crc32(data).to_bytes(4, "big")) + b"\r\n"


TRAILER = crc32_behind(b"abcdef")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (in_pieces(b"abc", b"def", trailer=TRAILER), None),
        (in_pieces(b"abc", b"def"), None),
        (in_pieces(trailer=b"x-amz-checksum-crc32:AAAAAA==\r\n"), None),
        (in_pieces(b"abc", b"deF", trailer=TRAILER), "BadDigest"),
        (in_pieces(b"abc", b"def", trailer=TRAILER)[:20], "IncompleteBody"),
        (b"abcdef", "IncompleteBody"),
        (b"", "IncompleteBody"),
    ],
)
def test_checksum_behind_a_body_in_pieces_is_checked(body: bytes, code: str | None) -> None:
    headers = {"x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER"}
    refusal = refuse_body(
        Arrived(Signed("PUT", "/practical/k", headers), "practical", "k", {}, "boto3"), body
    )
    assert (refusal.code if refusal else None) == code


def test_body_in_pieces_that_is_altered_on_the_way_is_refused_by_the_sandbox(server: Sandbox) -> None:
    client = boto3.Session().client("s3", config=Config(signature_version="s3v4"))
    url = client.generate_presigned_url("put_object", Params={"Bucket": "practical", "Key": "pieces"})
    client.close()
    body = in_pieces(bytes(1000), trailer=crc32_behind(bytes(1000)))
    server.set_faults([Fault("flipped", "practical/pieces", "PUT")])

    def put(body: bytes) -> int:
        headers = {"x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER"}
        request = urllib.request.Request(url, body, headers, method="PUT")
        try:
            with urllib.request.urlopen(request) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    assert put(body) == 400
    assert put(body) == 200
