"""The sandbox as real clients meet it (obstore, s3fs, boto3, plain HTTP), and its process, start to end."""

import base64
import errno
import hashlib
import http.client
import io
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
import urllib.request
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import boto3
import google_crc32c
import obstore
import psutil
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from ngff_practical import meter, sandbox
from ngff_practical.errors import AccessError, NotFoundError, SandboxError
from ngff_practical.sandbox import state
from ngff_practical.sandbox.http_server import listen
from ngff_practical.sandbox.signature import Signed, check
from ngff_practical.sandbox.wire import client_name
from ngff_practical.storage import (
    delete_object,
    filesystem,
    list_folder,
    list_objects,
    object_exists,
    object_store,
    read_object,
    write_object,
)
from ngff_practical.transfer.crc import crc32c, crc64nvme

pytestmark = pytest.mark.s3


@pytest.fixture
def server(sandbox_server: sandbox.Sandbox) -> Iterator[sandbox.Sandbox]:
    """The shared sandbox, its keys in the environment, its network as it comes."""
    sandbox_server.use()
    yield sandbox_server
    sandbox_server.set_network()


@pytest.fixture
def boto(server: sandbox.Sandbox) -> Iterator["boto3.client"]:
    client = boto3.Session().client(
        "s3", config=Config(signature_version="s3v4", s3={"addressing_style": "path"})
    )
    yield client
    client.close()


class Answer:
    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self.status = answer.status
        self.body = answer.read()
        self.headers = answer.headers


def ask(
    server: sandbox.Sandbox, method: str, target: str, body: bytes | None = None, **headers: str
) -> Answer:
    """Return what a client without any library gets."""
    connection = http.client.HTTPConnection(server.endpoint.removeprefix("http://"), timeout=60)
    try:
        connection.request(
            method, target, body, {name.replace("_", "-"): text for name, text in headers.items()}
        )
        return Answer(connection.getresponse())
    finally:
        connection.close()


def codes(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.body.decode().partition("<Code>")[2].partition("</Code>")[0]


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


# S3 as clients meet it


def test_obstore_reads_whole_objects_ranges_and_suffixes(server: sandbox.Sandbox) -> None:
    place = server.location("practical", "obstore")
    write_object(place, "ten", b"0123456789")
    store = object_store(place)
    assert bytes(obstore.get(store, "ten").bytes()) == b"0123456789"
    assert bytes(obstore.get_range(store, "ten", start=2, end=5)) == b"234"
    suffix = obstore.get(store, "ten", options={"range": {"suffix": 3}})
    assert bytes(suffix.bytes()) == b"789"
    assert obstore.head(store, "ten")["size"] == 10


def test_ranged_get_is_answered_206_with_its_range(server: sandbox.Sandbox) -> None:
    write_object(server.location("practical", "raw"), "ten", b"0123456789")
    answer = ask(server, "GET", "/practical/raw/ten", Range="bytes=-3")
    assert (answer.status, answer.body) == (206, b"789")
    assert answer.headers["Content-Range"] == "bytes 7-9/10"
    assert answer.headers["Content-Length"] == "3"
    assert answer.headers["Accept-Ranges"] == "bytes"


def test_head_gives_the_size_and_no_body(server: sandbox.Sandbox) -> None:
    write_object(server.location("practical", "raw"), "four", b"abcd")
    answer = ask(server, "HEAD", "/practical/raw/four")
    assert (answer.status, answer.body, answer.headers["Content-Length"]) == (200, b"", "4")


def test_unchanged_object_is_answered_304(server: sandbox.Sandbox) -> None:
    write_object(server.location("practical", "raw"), "etag", b"abcd")
    etag = ask(server, "HEAD", "/practical/raw/etag").headers["ETag"]
    answer = ask(server, "GET", "/practical/raw/etag", If_None_Match=etag)
    assert (answer.status, answer.body) == (304, b"")


def test_one_connection_serves_many_requests(server: sandbox.Sandbox) -> None:
    write_object(server.location("practical", "raw"), "kept", b"abcd")
    connection = http.client.HTTPConnection(server.endpoint.removeprefix("http://"), timeout=60)
    connection.connect()
    own_port = connection.sock.getsockname()
    asked = [
        ("GET", "/practical/raw/kept", None, 200),
        ("HEAD", "/practical/raw/kept", None, 200),
        ("PUT", "/practical/raw/refused", b"x" * 300_000, 403),
        ("GET", "/practical/raw/none", None, 404),
        ("OPTIONS", "/practical/raw/kept", None, 200),
        ("GET", "/practical?list-type=2&prefix=raw/kept", None, 200),
        ("GET", "/practical/raw/kept", None, 200),
    ]
    for method, target, body, status in asked:
        connection.request(method, target, body)
        answer = connection.getresponse()
        answer.read()
        assert (method, answer.status) == (method, status)
        assert connection.sock.getsockname() == own_port
    connection.close()


def test_body_in_chunks_of_unknown_length_is_stored_whole(server: sandbox.Sandbox) -> None:
    url = boto3.client("s3", config=Config(signature_version="s3v4")).generate_presigned_url(
        "put_object", Params={"Bucket": "practical", "Key": "raw/chunked"}
    )
    pieces = (b"abc" for _ in range(5))
    connection = http.client.HTTPConnection(server.endpoint.removeprefix("http://"), timeout=60)
    connection.request("PUT", url.removeprefix(server.endpoint), pieces, encode_chunked=True,
                       headers={"Transfer-Encoding": "chunked"})  # fmt: skip
    assert connection.getresponse().status == 200
    connection.close()
    assert read_object(server.location("practical", "raw"), "chunked") == b"abc" * 5


@pytest.mark.parametrize(
    "key", ["a b", "ünïcode/é 日本", "a//b", "plus+and&", "100%25?#x", "c:\\win", "~.-_*'()"]
)
def test_every_kind_of_key_comes_back(key: str, server: sandbox.Sandbox, boto: "boto3.client") -> None:
    full = f"odd/{key}"
    boto.put_object(Bucket="practical", Key=full, Body=key.encode())
    assert read_object(server.location("practical", "odd"), key) == key.encode()
    assert boto.get_object(Bucket="practical", Key=full)["Body"].read() == key.encode()
    assert filesystem(server.location("practical")).cat_file(f"practical/{full}") == key.encode()
    assert key in {stored.key for stored in list_objects(server.location("practical", "odd"))}


def test_multipart_upload_of_boto3_and_of_s3fs(server: sandbox.Sandbox, boto: "boto3.client") -> None:
    data = os.urandom(9_000_000)
    boto.upload_fileobj(io.BytesIO(data), "practical", "multi/boto3")
    with filesystem(server.location("practical")).open(
        "practical/multi/s3fs", "wb", block_size=5 << 20
    ) as file:
        file.write(data)
    obstore.put(object_store(server.location("practical", "multi")), "obstore", data, use_multipart=True)
    for key in ("boto3", "s3fs", "obstore"):
        assert read_object(server.location("practical", "multi"), key) == data
        assert boto.head_object(Bucket="practical", Key=f"multi/{key}")["ETag"].strip('"').partition("-")[1]


def test_create_only_put_is_answered_412_and_writes_nothing(
    server: sandbox.Sandbox, boto: "boto3.client"
) -> None:
    boto.put_object(Bucket="practical", Key="once", Body=b"first", IfNoneMatch="*")
    with pytest.raises(ClientError) as refused:
        boto.put_object(Bucket="practical", Key="once", Body=b"second", IfNoneMatch="*")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 412
    assert read_object(server.location("practical"), "once") == b"first"


def test_boto3_with_its_own_checksums_stores_the_bytes_alone(
    server: sandbox.Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_REQUEST_CHECKSUM_CALCULATION")
    client = boto3.Session().client("s3")
    client.put_object(Bucket="practical", Key="checksummed", Body=io.BytesIO(b"abc" * 1000))
    assert client.get_object(Bucket="practical", Key="checksummed")["Body"].read() == b"abc" * 1000
    client.close()
    assert read_object(server.location("practical"), "checksummed") == b"abc" * 1000


def test_upload_that_breaks_off_stores_nothing(server: sandbox.Sandbox, boto: "boto3.client") -> None:
    url = boto.generate_presigned_url("put_object", Params={"Bucket": "practical", "Key": "broken-off"})
    target = url.removeprefix(server.endpoint)
    host, port = server.endpoint.removeprefix("http://").split(":")
    with meter.watch(server) as seen:
        with socket.create_connection((host, int(port))) as line:
            head = f"PUT {target} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Length: 1000\r\n\r\n"
            line.sendall(head.encode() + b"only this")
        deadline = time.monotonic() + 120
        while seen.count == 0 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert [request.status for request in seen.requests] == [0]
    assert not object_exists(server.location("practical"), "broken-off")


@pytest.mark.parametrize(
    ("header", "promise", "code"),
    [
        ("Content-MD5", b64(hashlib.md5(b"sent", usedforsecurity=False).digest()), "BadDigest"),
        ("x-amz-checksum-sha256", b64(hashlib.sha256(b"sent").digest()), "BadDigest"),
        ("x-amz-checksum-crc32", b64(b"\x00\x00\x00\x01"), "BadDigest"),
        ("x-amz-checksum-crc32c", b64(crc32c([b"sent"]).to_bytes(4, "big")), "BadDigest"),
        ("x-amz-checksum-crc64nvme", b64(crc64nvme([b"sent"]).to_bytes(8, "big")), "BadDigest"),
        ("x-amz-content-sha256", hashlib.sha256(b"sent").hexdigest(), "XAmzContentSHA256Mismatch"),
    ],
)
def test_body_that_does_not_match_its_checksum_is_refused(
    header: str, promise: str, code: str, server: sandbox.Sandbox, boto: "boto3.client"
) -> None:
    url = boto.generate_presigned_url("put_object", Params={"Bucket": "practical", "Key": "flipped"})
    answer = ask(
        server,
        "PUT",
        url.removeprefix(server.endpoint),
        b"seNt",
        **{header: promise},
    )
    assert codes(answer) == (400, code)
    with pytest.raises(NotFoundError):
        read_object(server.location("practical"), "flipped")


@pytest.mark.parametrize("name", ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"])
def test_body_that_matches_its_checksum_is_taken(
    name: str, server: sandbox.Sandbox, boto: "boto3.client"
) -> None:
    right = {
        "CRC32": zlib.crc32(b"sent").to_bytes(4, "big"),
        "CRC32C": google_crc32c.value(b"sent").to_bytes(4, "big"),
        "CRC64NVME": crc64nvme([b"sent"]).to_bytes(8, "big"),
        "SHA1": hashlib.sha1(b"sent", usedforsecurity=False).digest(),
        "SHA256": hashlib.sha256(b"sent").digest(),
    }
    boto.put_object(
        Bucket="practical", Key=f"sums/{name}", Body=b"sent", **{f"Checksum{name}": b64(right[name])}
    )
    assert read_object(server.location("practical"), f"sums/{name}") == b"sent"


def test_checksum_of_a_whole_object_is_not_that_of_the_list_of_its_parts(
    server: sandbox.Sandbox, boto: "boto3.client"
) -> None:
    target = {"Bucket": "practical", "Key": "sums/parts"}
    upload = boto.create_multipart_upload(**target, ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")
    target["UploadId"] = upload["UploadId"]
    etag = boto.upload_part(**target, PartNumber=1, Body=b"sent")["ETag"]
    boto.complete_multipart_upload(
        **target,
        MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]},
        ChecksumCRC32=b64(zlib.crc32(b"sent").to_bytes(4, "big")),
        ChecksumType="FULL_OBJECT",
    )
    assert read_object(server.location("practical"), "sums/parts") == b"sent"


# The gate


def test_anybody_reads_both_buckets(server: sandbox.Sandbox) -> None:
    write_object(server.location("practical", "open"), "k", b"shared")
    assert ask(server, "GET", "/practical/open/k").body == b"shared"
    assert ask(server, "GET", "/idr/tiny.zarr/zarr.json").status == 200
    assert b"tiny.zarr/zarr.json" in ask(server, "GET", "/idr?list-type=2").body


def test_nobody_writes_to_idr(server: sandbox.Sandbox, boto: "boto3.client") -> None:
    assert codes(ask(server, "PUT", "/idr/mine", b"x")) == (403, "AccessDenied")
    with pytest.raises(AccessError, match="may not write"):
        write_object(server.location("idr"), "mine", b"x")
    for attempt in (
        lambda: boto.delete_object(Bucket="idr", Key="tiny.zarr/zarr.json"),
        lambda: boto.delete_objects(Bucket="idr", Delete={"Objects": [{"Key": "tiny.zarr/zarr.json"}]}),
        lambda: boto.delete_bucket(Bucket="idr"),
        lambda: boto.create_multipart_upload(Bucket="idr", Key="mine"),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            attempt()


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("PUT", "/practical/k"),
        ("DELETE", "/practical/k"),
        ("POST", "/practical?delete"),
        ("POST", "/practical/k?uploads"),
        ("PUT", "/newbucket"),
        ("GET", "/"),
    ],
)
def test_anonymous_requests_may_read_only(method: str, target: str, server: sandbox.Sandbox) -> None:
    assert codes(ask(server, method, target, b"" if method != "GET" else None)) == (403, "AccessDenied")


def test_unknown_key_is_refused_as_s3_does(server: sandbox.Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "SOMEBODYELSE")
    client = boto3.Session().client("s3")
    with pytest.raises(ClientError, match="InvalidAccessKeyId"):
        client.list_objects_v2(Bucket="practical")
    client.close()
    with pytest.raises(AccessError, match="does not know the access key"):
        read_object(server.location("practical"), "k")


def test_wrong_secret_is_refused_as_s3_does(server: sandbox.Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-the-secret")
    with pytest.raises(AccessError, match="secret key does not belong"):
        read_object(server.location("practical"), "k")
    with pytest.raises(PermissionError):
        filesystem(server.location("practical")).pipe("practical/k", b"x")


def test_missing_bucket_is_named_to_everybody(server: sandbox.Sandbox) -> None:
    assert codes(ask(server, "GET", "/nobucket/k")) == (404, "NoSuchBucket")
    with pytest.raises(NotFoundError, match="no bucket 'nobucket'"):
        list(list_objects(server.location("nobucket")))


def test_own_bucket_is_private(server: sandbox.Sandbox, boto: "boto3.client") -> None:
    boto.create_bucket(Bucket="mine-alone")
    boto.put_object(Bucket="mine-alone", Key="k", Body=b"secret")
    assert read_object(server.location("mine-alone"), "k") == b"secret"
    assert codes(ask(server, "GET", "/mine-alone/k")) == (403, "AccessDenied")


def test_shared_bucket_cannot_be_removed(server: sandbox.Sandbox, boto: "boto3.client") -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        boto.delete_bucket(Bucket="practical")


def test_presigned_address_opens_one_object(server: sandbox.Sandbox, boto: "boto3.client") -> None:
    boto.create_bucket(Bucket="presigned")
    boto.put_object(Bucket="presigned", Key="a b/ü", Body=b"for you")
    url = boto.generate_presigned_url("get_object", Params={"Bucket": "presigned", "Key": "a b/ü"})
    with urllib.request.urlopen(url) as answer:
        assert answer.read() == b"for you"
    other = url.removeprefix(server.endpoint).replace("a%20b", "other")
    assert codes(ask(server, "GET", other)) == (403, "SignatureDoesNotMatch")


def test_old_signatures_are_refused(server: sandbox.Sandbox) -> None:
    answer = ask(server, "GET", "/practical/k?AWSAccessKeyId=me&Signature=x&Expires=99999999999")
    assert codes(answer) == (400, "InvalidRequest")


def test_signature_agrees_with_the_worked_example_of_the_s3_manual() -> None:
    # Amazon S3 API reference, "Examples: Signature Calculations", GET with a range.
    example_key = "AKIA" + "IOSFODNN7EXAMPLE"  # the manual's; in two parts, for those who look for keys
    signed = Signed(
        "GET",
        "/test.txt",
        {
            "host": "examplebucket.s3.amazonaws.com",
            "range": "bytes=0-9",
            "x-amz-content-sha256": hashlib.sha256(b"").hexdigest(),
            "x-amz-date": "20130524T000000Z",
            "authorization": "AWS4-HMAC-SHA256 "
            f"Credential={example_key}/20130524/us-east-1/s3/aws4_request,"
            "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
            "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        },
    )
    keys = {example_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}
    then = datetime(2013, 5, 24, 0, 5, tzinfo=UTC)
    assert check(signed, keys, then) is None
    wrong_clock = check(signed, keys, datetime(2013, 5, 24, 0, 16, tzinfo=UTC))
    assert wrong_clock is not None
    assert wrong_clock.code == "RequestTimeTooSkewed"


# CORS


def test_answers_and_errors_may_be_read_by_web_pages(server: sandbox.Sandbox) -> None:
    for target, status in (("/idr/tiny.zarr/zarr.json", 200), ("/idr/none", 404), ("/nobucket/k", 404)):
        answer = ask(server, "GET", target, Origin="https://viewer.example")
        assert (answer.status, answer.headers.get_all("Access-Control-Allow-Origin")) == (status, ["*"])
        exposed = answer.headers["Access-Control-Expose-Headers"]
        assert {"Content-Range", "Content-Length", "Accept-Ranges", "ETag"} <= set(exposed.split(", "))
    assert ask(server, "PUT", "/idr/k", b"", Origin="https://x").headers["Access-Control-Allow-Origin"] == "*"


def test_preflight_allows_ranges(server: sandbox.Sandbox) -> None:
    answer = ask(
        server,
        "OPTIONS",
        "/idr/tiny.zarr/zarr.json",
        Origin="https://viewer.example",
        Access_Control_Request_Method="GET",
        Access_Control_Request_Headers="range",
    )
    assert answer.status == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "GET" in answer.headers["Access-Control-Allow-Methods"]
    assert answer.headers["Access-Control-Allow-Headers"] == "range"


def test_cors_can_be_switched_off_for_a_lesson(server: sandbox.Sandbox) -> None:
    server.set_network(cors=False)
    answer = ask(server, "GET", "/idr/tiny.zarr/zarr.json", Origin="https://viewer.example")
    assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (200, None)


# Log and network


def test_log_tells_method_key_range_status_bytes_and_client(server: sandbox.Sandbox) -> None:
    write_object(server.location("practical", "log"), "ten", b"0123456789")
    with meter.watch(server) as seen:
        obstore.get_range(object_store(server.location("practical", "log")), "ten", start=0, end=4)
    (request,) = seen.requests
    assert (request.method, request.key, request.range) == ("GET", "practical/log/ten", "bytes=0-3")
    assert (request.status, request.nbytes, request.client) == (206, 4, "obstore")
    assert request.ms > 0


def test_log_counts_what_a_put_sends_and_nothing_for_a_head(
    server: sandbox.Sandbox, boto: "boto3.client"
) -> None:
    with meter.watch(server) as seen:
        boto.put_object(Bucket="practical", Key="log/put", Body=b"12345")
        boto.head_object(Bucket="practical", Key="log/put")
    assert [(one.method, one.nbytes, one.client) for one in seen.requests] == [
        ("PUT", 5, "boto3"),
        ("HEAD", 0, "boto3"),
    ]


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        ("aiobotocore/2.13 md/Botocore#1.34 lang/python#3.13", "s3fs"),
        ("Boto3/1.40 md/Botocore#1.40", "boto3"),
        ("aws-cli/2.15 md/Botocore", "aws-cli"),
        ("object_store/0.12.1", "obstore"),
        ("Mozilla/5.0 (X11; Linux x86_64)", "browser"),
        ("rclone/v1.75", "rclone"),
        ("curl/8.5.0", "curl"),
        ("", "unknown"),
    ],
)
def test_client_is_named_as_learners_know_it(user_agent: str, name: str) -> None:
    assert client_name(user_agent) == name


def test_latency_comes_before_each_answer(server: sandbox.Sandbox) -> None:
    server.set_network(latency_ms=100)
    with meter.watch(server) as seen:
        ask(server, "GET", "/idr/tiny.zarr/zarr.json")
        ask(server, "GET", "/idr/none")
    assert [request.ms >= 100 for request in seen.requests] == [True, True]
    assert server.network()["latency_ms"] == 100


def test_bandwidth_is_shared_by_all_transfers(server: sandbox.Sandbox) -> None:
    place = server.location("practical", "slow")
    write_object(place, "k", b"x" * 20_000)
    server.set_network(kbytes_per_s=400)
    with meter.watch(server) as seen, ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: read_object(place, "k"), range(2)))
    began = min(request.at for request in seen.requests)
    assert (
        max(request.at + request.ms / 1000 for request in seen.requests) - began >= 0.09
    )  # 40 kB at 400 kB/s


@pytest.mark.parametrize(
    "setting",
    [{"latency_ms": -1}, {"latency_ms": 1e9}, {"kbytes_per_s": 0}],
    ids=["past", "forever", "stopped"],
)
def test_impossible_networks_are_refused(setting: dict[str, float], server: sandbox.Sandbox) -> None:
    with pytest.raises(ValueError, match="give"):
        server.set_network(**setting)


def test_control_needs_the_token_and_never_appears_in_the_log(server: sandbox.Sandbox) -> None:
    with meter.watch(server) as seen:
        assert ask(server, "GET", "/_sandbox/requests").status == 403
        assert ask(server, "PUT", "/_sandbox/stop", b"", X_Sandbox_Token="guess").status == 403
        assert ask(server, "GET", "/_sandbox/health").status == 200
    assert seen.count == 0
    assert server.alive()


# Keys stay where they belong


def test_no_text_of_the_sandbox_shows_its_secret(server: sandbox.Sandbox) -> None:
    secret = server.environment["AWS_SECRET_ACCESS_KEY"]
    token = server._state.token
    place = server.location("practical", "quiet")
    shown = [repr(server), str(server), server.status(), repr(place), repr(object_store(place))]
    shown += [repr(filesystem(place)), repr(server.requests()), state.log_file().read_text()]
    assert not any(secret in text or token in text for text in shown)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_state_file_is_for_its_owner_alone(server: sandbox.Sandbox) -> None:
    assert stat.S_IMODE(state.file().stat().st_mode) == 0o600


def test_process_shows_no_key_to_other_users(server: sandbox.Sandbox) -> None:
    process = psutil.Process(server.pid)
    secret = server.environment["AWS_SECRET_ACCESS_KEY"]
    assert secret not in " ".join(process.cmdline())
    assert not any(name.startswith("AWS_") for name in process.environ())


def test_use_takes_out_what_would_win_over_the_sandbox(
    server: sandbox.Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ENDPOINT_URL_S3", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.setenv(name, "from before")
    monkeypatch.setenv("NO_PROXY", "intranet")
    server.use()
    assert not {"AWS_ENDPOINT_URL_S3", "AWS_SESSION_TOKEN", "AWS_PROFILE"} & set(os.environ)
    assert os.environ["AWS_ENDPOINT_URL"] == server.endpoint
    assert os.environ["NO_PROXY"] == "intranet,127.0.0.1,localhost"


def test_sandbox_is_reached_past_a_proxy(server: sandbox.Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name)
    place = server.location("idr", "tiny.zarr", anonymous=True)
    assert read_object(place, "zarr.json")
    assert filesystem(place).cat("idr/tiny.zarr/zarr.json")
    assert server.alive()


# The process: each test has a state folder, and so a sandbox, of its own


@pytest.fixture
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "state"
    monkeypatch.setenv("NGFF_PRACTICAL_STATE", str(folder))
    yield folder
    sandbox.stop()


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_until_gone(pid: int) -> None:
    until = time.monotonic() + 120
    while not gone(pid):
        assert time.monotonic() < until
        time.sleep(0.01)
    with suppress(psutil.Error):
        psutil.Process(pid).wait(0)  # a process that we began stays listed until somebody asks how it ended


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True
    )


def test_sandbox_outlives_the_program_that_started_it(own_state: Path) -> None:
    started = run(
        "from ngff_practical import sandbox; s = sandbox.ensure(); print(s.pid, s.endpoint)"
    ).stdout.split()
    found = sandbox.running()
    assert found is not None
    assert [str(found.pid), found.endpoint] == started
    assert sandbox.ensure() == found
    assert sandbox.stop()
    assert gone(found.pid)
    assert sandbox.running() is None
    assert not state.file().exists()


def test_sandbox_ends_with_its_owner_where_it_has_one(own_state: Path) -> None:
    pid = int(run(
        "import os; from ngff_practical import sandbox; print(sandbox.ensure(owner_pid=os.getpid()).pid)"
    ).stdout)  # fmt: skip
    wait_until_gone(pid)
    assert sandbox.running() is None


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process with any signal")
def test_interrupt_meant_for_the_notebook_does_not_reach_it(own_state: Path) -> None:
    found = sandbox.ensure(owner_pid=os.getpid())
    os.kill(found.pid, signal.SIGINT)
    assert found.alive()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends processes one way only")
def test_termination_is_a_clean_end(own_state: Path) -> None:
    found = sandbox.ensure(owner_pid=os.getpid())
    psutil.Process(found.pid).terminate()
    wait_until_gone(found.pid)
    assert not state.file().exists()


def test_killed_sandbox_is_noticed_and_replaced(own_state: Path) -> None:
    first = sandbox.ensure(owner_pid=os.getpid())
    psutil.Process(first.pid).kill()
    wait_until_gone(first.pid)
    assert state.file().exists()
    second = sandbox.ensure(owner_pid=os.getpid())
    assert second.pid != first.pid
    assert second.alive()
    assert not first.alive()


@pytest.mark.skipif(sys.platform == "win32", reason="processes cannot be stopped in their tracks there")
def test_hanging_sandbox_is_ended_the_hard_way(own_state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ngff_practical.sandbox.handle._ASK_S", 0.2)
    monkeypatch.setattr("ngff_practical.sandbox.lifecycle._STOP_S", 0.2)
    found = sandbox.ensure(owner_pid=os.getpid())
    psutil.Process(found.pid).suspend()
    assert sandbox.stop()
    assert gone(found.pid)


@pytest.mark.parametrize("said", [ProcessLookupError(), OSError(errno.EINVAL, "what Windows says")])
def test_sandbox_that_ends_just_before_it_is_ended_is_stopped(
    own_state: Path, monkeypatch: pytest.MonkeyPatch, said: OSError
) -> None:
    state.write(state.State("other", 1, "http://127.0.0.1:9", 0.0, "A", "B", "C"))
    ended: list[int] = []

    def end(pid: int, number: int) -> None:
        ended.append(pid)
        raise said

    monkeypatch.setattr(os, "kill", end)
    monkeypatch.setattr(state, "held", lambda _: not ended)
    monkeypatch.setattr(state, "process_alive", lambda _: not ended)
    assert sandbox.stop()
    assert not state.file().exists()


def test_state_file_of_a_stranger_is_not_believed(own_state: Path, sandbox_server: sandbox.Sandbox) -> None:
    lie = state.State("other", 1, sandbox_server.endpoint, 0.0, "A", "B", "C")
    state.write(lie)
    assert sandbox.running() is None
    assert not sandbox.stop()
    assert sandbox_server.alive()


def test_damaged_state_file_is_replaced(own_state: Path) -> None:
    own_state.mkdir()
    state.file().write_text('{"pid": ')
    assert sandbox.running() is None
    assert sandbox.ensure(owner_pid=os.getpid()).alive()


def test_two_sandboxes_live_side_by_side(own_state: Path, sandbox_server: sandbox.Sandbox) -> None:
    second = sandbox.ensure(owner_pid=os.getpid())
    assert second.endpoint != sandbox_server.endpoint
    second.use()
    write_object(second.location("practical"), "side-by-side", b"2")
    with pytest.raises(NotFoundError):
        read_object(sandbox_server.location("practical", anonymous=True), "side-by-side")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no sessions of processes")
def test_sandbox_leaves_the_session_of_its_starter(server: sandbox.Sandbox) -> None:
    assert os.getsid(server.pid) == server.pid != os.getsid(0)


def test_two_notebooks_starting_at_once_share_one_sandbox(own_state: Path) -> None:
    code = "import os; from ngff_practical import sandbox; print(sandbox.ensure().pid)"
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: run(code).stdout, range(2))
    assert first == second


def test_start_refuses_where_one_is_running(own_state: Path) -> None:
    sandbox.ensure(owner_pid=os.getpid())
    with pytest.raises(SandboxError, match="is running at"):
        sandbox.start()


def test_seed_is_there_from_the_start_and_asked_for_once(own_state: Path, tmp_path: Path) -> None:
    folder = tmp_path / "image.zarr"
    (folder / "0" / "c").mkdir(parents=True)
    (folder / "zarr.json").write_text("{}")
    (folder / "0" / "c" / "é 0").write_bytes(b"chunk")
    calls: list[int] = []

    def seed() -> dict[str, Path]:
        calls.append(1)
        return {"idr/zarr/image.zarr": folder, "teaching": folder}

    found = sandbox.ensure(seed=seed, owner_pid=os.getpid())
    assert sandbox.ensure(seed=seed) == found
    assert len(calls) == 1
    assert read_object(found.location("idr", "zarr/image.zarr", anonymous=True), "0/c/é 0") == b"chunk"
    found.use()
    assert read_object(found.location("teaching"), "zarr.json") == b"{}"
    answer = ask(found, "HEAD", "/idr/zarr/image.zarr/zarr.json")
    assert answer.headers["Content-Type"] == "application/json"


def test_listing_goes_beyond_a_thousand_keys(own_state: Path, tmp_path: Path) -> None:
    for number in range(1101):
        folder = tmp_path / "many" / f"d{number}"
        folder.mkdir(parents=True)
        (folder / "o").write_bytes(b"1")
    server = sandbox.ensure(seed={"practical/many": tmp_path / "many"}, owner_pid=os.getpid())
    server.use()
    place = server.location("practical", "many")
    with meter.watch(server) as seen:
        assert len(list_folder(place)[0]) == 1101
        assert len(list(list_objects(place))) == 1101
    assert seen.count == 4
    assert len(filesystem(place).ls("practical/many")) == 1101
    client = boto3.Session().client("s3")
    pages = client.get_paginator("list_objects_v2").paginate(
        Bucket="practical", Prefix="many/", Delimiter="/"
    )
    assert [len(page["CommonPrefixes"]) for page in pages] == [1000, 101]
    client.close()
    delete_object(place, [f"d{number}/o" for number in range(1, 1101)])
    assert [stored.key for stored in list_objects(place)] == ["d0/o"]


def test_seed_that_is_no_folder_is_named(own_state: Path, tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match=r"idr/x should come from .*nowhere"):
        sandbox.ensure(seed={"idr/x": tmp_path / "nowhere"})
    assert sandbox.running() is None


def test_stopping_what_is_not_there_is_no_error(own_state: Path) -> None:
    assert sandbox.stop() is False


def test_stopped_sandbox_explains_itself(own_state: Path) -> None:
    found = sandbox.ensure(owner_pid=os.getpid())
    sandbox.stop()
    with pytest.raises(SandboxError, match="does not answer; start it again"):
        found.requests()


def test_failing_start_quotes_the_process(
    own_state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "broken" / "moto"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise ImportError('moto is only half installed')")
    monkeypatch.setenv("PYTHONPATH", str(broken.parent))
    with pytest.raises(
        SandboxError, match=r"could not be started: ImportError: moto is only half installed; see .*log"
    ):
        sandbox.ensure()
    assert sandbox.running() is None


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.10", "::", "example.org", ""])
def test_server_never_listens_beyond_this_computer(host: str) -> None:
    with pytest.raises(SandboxError, match="this computer alone"):
        listen(host, lambda environ, start_response: [])


def test_process_listens_on_loopback_alone(server: sandbox.Sandbox) -> None:
    listening = [
        connection.laddr.ip
        for connection in psutil.Process(server.pid).net_connections()
        if connection.status == psutil.CONN_LISTEN
    ]
    assert listening == ["127.0.0.1"]


def test_status_says_that_it_forgets(server: sandbox.Sandbox) -> None:
    assert "forgets everything when it stops" in server.status()


def test_importing_the_sandbox_imports_neither_moto_nor_boto() -> None:
    code = (
        "import sys, json, ngff_practical.sandbox; "
        "names = ('moto', 'boto3', 'botocore', 'flask', 'werkzeug'); "
        "print(json.dumps([name for name in names if name in sys.modules]))"
    )
    assert json.loads(run(code).stdout) == []


def test_many_clients_are_served_at_once(server: sandbox.Sandbox) -> None:
    place = server.location("practical", "crowd")
    barrier = threading.Barrier(16)

    def round_trip(number: int) -> bool:
        barrier.wait(120)
        write_object(place, f"k{number}", bytes([number]) * 1000)
        return read_object(place, f"k{number}") == bytes([number]) * 1000

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(round_trip, range(16)))


def test_ending_sandbox_leaves_the_state_of_another_alone(own_state: Path) -> None:
    state.write(state.State("mine", 1, "http://127.0.0.1:9", 0.0, "A", "B", "C"))
    state.clear("another")
    assert state.read() is not None
    state.clear("mine")
    assert state.read() is None


@pytest.mark.skipif(sys.platform == "win32", reason="HOME does not move a Windows user's folders")
def test_state_lies_in_the_users_own_folder_and_nobody_is_warned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NGFF_PRACTICAL_STATE", "XDG_RUNTIME_DIR", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert state.folder().is_relative_to(tmp_path)
    assert state.folder().name == socket.gethostname()
