"""Independent witnesses: other S3 clients in our sandbox, and each side checking what the other has sent."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import numpy as np
import obstore
import pytest
import s3fs
import tensorstore
import zarr
from botocore.config import Config
from botocore.exceptions import ClientError
from obstore.store import S3Store

from ngff_practical.cli import main
from ngff_practical.errors import AccessError, TransferError
from ngff_practical.model import Location
from ngff_practical.sandbox import Fault, Sandbox
from ngff_practical.storage import list_folder, list_objects, write_object
from ngff_practical.transfer import download, manifest_path, upload, verify, verify_copy

pytestmark = pytest.mark.s3

KEYS = ("plain", "with space", "é/ü", "a//b", "plus+and&amp", "100%", "question?", "hash#", "(brackets)[1]")
ODD_FOR_RUST = ("a//b",)  # obstore takes no empty part; our own functions go through botocore there


@pytest.fixture
def boto(server: Sandbox) -> Iterator["boto3.client"]:
    client = boto3.Session().client(
        "s3", config=Config(signature_version="s3v4", s3={"addressing_style": "path"})
    )
    yield client
    client.close()


@pytest.fixture
def image(tmp_path: Path) -> Path:
    group = zarr.create_group(tmp_path / "t.zarr", zarr_format=3)
    pixels = np.random.default_rng(7).integers(0, 999, (6, 32, 32), dtype="uint16")
    group.create_array("0", data=pixels, chunks=(1, 16, 16))
    group.attrs["ome"] = {"version": "0.5"}
    (tmp_path / "t.zarr" / "with space é").write_bytes(b"x")
    return tmp_path / "t.zarr"


def md5s(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.md5(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def rclone(server: Sandbox, tmp_path: Path) -> Callable[..., str]:
    """rclone as a person runs it, its S3 set up by environment variables."""
    beside = Path(sys.executable).with_name("rclone")
    program = str(beside) if beside.exists() else shutil.which("rclone")
    if program is None:
        pytest.skip("rclone is not installed")
    (tmp_path / "rclone.conf").touch()
    environment = {
        **os.environ,
        "RCLONE_CONFIG": str(tmp_path / "rclone.conf"),
        "RCLONE_CONFIG_BOX_TYPE": "s3",
        "RCLONE_CONFIG_BOX_PROVIDER": "Other",
        "RCLONE_CONFIG_BOX_ENV_AUTH": "true",
        "RCLONE_CONFIG_BOX_ENDPOINT": server.endpoint,
    }

    def run(*arguments: str, code: int = 0) -> str:
        done = subprocess.run(
            [program, *arguments], env=environment, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    return run


@pytest.fixture
def s5cmd(server: Sandbox) -> Callable[..., str]:
    """s5cmd as a person runs it, its server and keys in the environment."""
    beside = Path(sys.executable).with_name("s5cmd")
    program = str(beside) if beside.exists() else shutil.which("s5cmd")
    if program is None:
        if "s5cmd" in _asked_for():
            pytest.fail("s5cmd is among the packages for tests, and is not installed")
        pytest.skip("s5cmd is not installed")
    environment = {**os.environ, "S3_ENDPOINT_URL": server.endpoint}

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [program, *arguments], env=environment, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def _asked_for() -> set[str]:
    """Return the names of the packages that the tests are to have."""
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))
    groups = project["dependency-groups"].values()
    return {re.split(r"[^\w.-]", need)[0] for group in groups for need in group if isinstance(need, str)}


def remote(place: Location) -> str:
    return f"box:{place.bucket}/{place.key}"


# what we send, seen by others


def test_rclone_finds_what_we_sent_identical(
    image: Path, place: Location, rclone: Callable[..., str]
) -> None:
    upload(image, place)
    assert "0 differences found" in rclone("check", str(image), remote(place), "--download")
    sums = (line.partition("  ") for line in rclone("md5sum", remote(place)).splitlines())
    listed = {name: md5 for md5, _, name in sums if len(md5) == 32}
    assert listed == md5s(image)


def test_boto3_finds_names_sizes_and_md5_of_what_we_sent(
    image: Path, place: Location, boto: "boto3.client"
) -> None:
    upload(image, place)
    found = boto.list_objects_v2(Bucket=place.bucket, Prefix=place.key + "/")["Contents"]
    assert {item["Key"].removeprefix(place.key + "/"): item["ETag"].strip('"') for item in found} == md5s(
        image
    )
    for item in found:
        body = boto.get_object(Bucket=place.bucket, Key=item["Key"])["Body"].read()
        assert len(body) == item["Size"]


def test_rclone_notices_what_verify_notices(image: Path, place: Location, rclone: Callable[..., str]) -> None:
    upload(image, place)
    write_object(place, "0/c/3/0/0", b"\0" * 10, overwrite=True)
    assert "1 differences found" in rclone("check", str(image), remote(place), code=1)
    assert [problem.key for problem in verify(image, place)] == ["0/c/3/0/0"]


def test_s5cmd_lists_and_fetches_what_we_sent(
    image: Path, place: Location, s5cmd: Callable[..., str], tmp_path: Path
) -> None:
    upload(image, place)
    lines = s5cmd("ls", f"s3://{place.bucket}/{place.key}/*").splitlines()
    sizes = {name: int(size) for _, _, size, name in (line.split(maxsplit=3) for line in lines)}
    assert sizes == {
        path.relative_to(image).as_posix(): path.stat().st_size for path in image.rglob("*") if path.is_file()
    }
    s5cmd("cp", f"s3://{place.bucket}/{place.key}/*", f"{tmp_path / 'back.zarr'}/")
    assert md5s(tmp_path / "back.zarr") == md5s(image)


# what others send, seen by us


def test_we_find_what_s5cmd_sent_identical(
    image: Path, place: Location, s5cmd: Callable[..., str], tmp_path: Path
) -> None:
    s5cmd("cp", f"{image}/", f"s3://{place.bucket}/{place.key}/")
    report = verify_copy(image, place)
    assert (report.problems, report.verified) == ((), len(md5s(image)))
    assert upload(image, place).copied == 0
    download(place, tmp_path / "back.zarr")
    assert md5s(tmp_path / "back.zarr") == md5s(image)
    s5cmd("rm", f"s3://{place.bucket}/{place.key}/*")
    assert list(list_objects(place)) == []


def test_we_find_what_rclone_sent_identical(
    image: Path, place: Location, rclone: Callable[..., str], tmp_path: Path
) -> None:
    rclone("copy", str(image), remote(place))
    report = verify_copy(image, place)
    assert (report.problems, report.verified) == ((), len(md5s(image)))
    assert upload(image, place).copied == 0
    download(place, tmp_path / "back.zarr")
    assert md5s(tmp_path / "back.zarr") == md5s(image)


def test_we_find_what_boto3_sent_in_parts_identical(
    place: Location, boto: "boto3.client", tmp_path: Path
) -> None:
    big = tmp_path / "big.tif"
    big.write_bytes(np.random.default_rng(8).bytes(9 * 2**20))  # boto3 sends 8 MiB at a time
    boto.upload_file(str(big), place.bucket, place.key)
    assert boto.head_object(Bucket=place.bucket, Key=place.key)["ETag"].endswith('-2"')
    assert verify(big, place) == ()
    assert download(place, tmp_path / "back.tif").verified == 1
    assert upload(big, place).copied == 0


# the sandbox as each library meets it


def test_tensorstore_reads_an_image_we_sent(image: Path, place: Location, server: Sandbox) -> None:
    upload(image, place)
    kvstore = {
        "driver": "s3",
        "bucket": place.bucket,
        "path": f"{place.key}/0",
        "endpoint": server.endpoint,
        "aws_region": "us-east-1",
    }
    array = tensorstore.open({"driver": "zarr3", "kvstore": kvstore}).result()
    np.testing.assert_array_equal(array.read().result(), zarr.open_array(image / "0")[:])


class _Boto:
    def __init__(self, server: Sandbox) -> None:
        self.s3 = boto3.Session().client(
            "s3", config=Config(signature_version="s3v4", s3={"addressing_style": "path"})
        )

    def put(self, key: str, data: bytes) -> None:
        self.s3.put_object(Bucket="practical", Key=key, Body=data)

    def get(self, key: str, start: int, stop: int) -> bytes:
        answer = self.s3.get_object(Bucket="practical", Key=key, Range=f"bytes={start}-{stop - 1}")
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 206
        return answer["Body"].read()

    def names(self, prefix: str) -> set[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket="practical", Prefix=prefix)
        return {item["Key"] for page in pages for item in page.get("Contents", ())}

    def create(self, key: str) -> None:
        try:
            self.s3.put_object(Bucket="practical", Key=key, Body=b"", IfNoneMatch="*")
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 412:
                raise FileExistsError from error
            raise

    def delete(self, keys: list[str]) -> None:
        self.s3.delete_objects(Bucket="practical", Delete={"Objects": [{"Key": key} for key in keys]})


class _S3fs:
    def __init__(self, server: Sandbox) -> None:
        self.fs = s3fs.S3FileSystem(skip_instance_cache=True, use_listings_cache=False)

    def put(self, key: str, data: bytes) -> None:
        self.fs.pipe_file(f"practical/{key}", data)

    def get(self, key: str, start: int, stop: int) -> bytes:
        return self.fs.cat_file(f"practical/{key}", start=start, end=stop)

    def names(self, prefix: str) -> set[str]:
        return {path.removeprefix("practical/") for path in self.fs.find(f"practical/{prefix}")}

    def create(self, key: str) -> None:
        self.fs.pipe_file(f"practical/{key}", b"", mode="create")

    def delete(self, keys: list[str]) -> None:
        for key in keys:
            self.fs.rm_file(f"practical/{key}")  # rm would take the brackets of a key for a pattern


class _Obstore:
    def __init__(self, server: Sandbox) -> None:
        self.store = S3Store(
            "practical", endpoint=server.endpoint, client_options={"allow_http": True}, region="us-east-1"
        )

    def put(self, key: str, data: bytes) -> None:
        obstore.put(self.store, key, data)

    def get(self, key: str, start: int, stop: int) -> bytes:
        return bytes(obstore.get_range(self.store, key, start=start, end=stop))

    def names(self, prefix: str) -> set[str]:
        return {item["path"] for item in obstore.list(self.store, prefix=prefix).collect()}

    def create(self, key: str) -> None:
        try:
            obstore.put(self.store, key, b"", mode="create")
        except obstore.exceptions.AlreadyExistsError as error:
            raise FileExistsError from error

    def delete(self, keys: list[str]) -> None:
        obstore.delete(self.store, keys)


type Client = _Boto | _S3fs | _Obstore
CLIENTS = {"boto3": _Boto, "s3fs": _S3fs, "obstore": _Obstore}


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest, server: Sandbox) -> Client:
    return CLIENTS[request.param](server)


@pytest.mark.parametrize("key", KEYS)
def test_client_writes_lists_reads_a_range_and_deletes_every_kind_of_key(client: Client, key: str) -> None:
    if isinstance(client, _Obstore) and key in ODD_FOR_RUST:
        pytest.skip("obstore takes no key with an empty part")
    top = f"clients/{type(client).__name__}"
    client.put(f"{top}/{key}", b"0123456789")
    assert f"{top}/{key}" in client.names(top)
    assert client.get(f"{top}/{key}", 2, 5) == b"234"
    client.delete([f"{top}/{key}"])
    assert f"{top}/{key}" not in client.names(top)


def test_create_only_is_refused_to_each_client(client: Client) -> None:
    key = f"clients/{type(client).__name__}/create"
    client.put(key, b"there")
    with pytest.raises(FileExistsError):
        client.create(key)
    assert client.get(key, 0, 5) == b"there"


def test_client_lists_more_than_a_thousand_keys(client: Client, boto: "boto3.client") -> None:
    wanted = {f"many/{number:04}" for number in range(1005)}
    if not boto.list_objects_v2(Bucket="practical", Prefix="many/")["KeyCount"]:
        for key in wanted:
            boto.put_object(Bucket="practical", Key=key, Body=b"")
    assert client.names("many/") == wanted


def test_rclone_writes_lists_reads_and_deletes(rclone: Callable[..., str], tmp_path: Path) -> None:
    source = tmp_path / "odd"
    for key in ("plain", "with space", "é/ü", "plus+and&amp", "100%"):
        (source / key).parent.mkdir(parents=True, exist_ok=True)
        (source / key).write_bytes(key.encode())
    rclone("copy", str(source), "box:practical/clients/rclone")
    assert "0 differences" in rclone("check", "--download", str(source), "box:practical/clients/rclone")
    assert rclone("cat", "--offset", "2", "--count", "3", "box:practical/clients/rclone/plain") == "ain"
    rclone("purge", "box:practical/clients/rclone")
    assert rclone("lsf", "-R", "box:practical/clients/rclone") == ""


# each of these is percent-encoded, or not, by every client in its own way, and all of them sign it
ODD_PREFIXES = [
    "<",
    "=",
    " ",
    "+",
    "a b+c=d",
    "&",
    "%",
    "%2B",
    "*",
    "~",
    "é",
    "日",
    "\u202e",
    "'",
    "(1)[2]",
    ";,:@!$",
]


@pytest.fixture(scope="module")
def odd_prefixes(sandbox_server: Sandbox) -> list[str]:
    """Prefixes with an odd character each, below which "k" and "sub/k" are stored."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in sandbox_server.environment.items():
            patch.setenv(name, value)
        made = [f"listed/x{odd}y" for odd in ODD_PREFIXES]
        for prefix in made:
            for key in ("k", "sub/k"):
                write_object(sandbox_server.location("practical", prefix), key, b"1")
    return made


def test_client_lists_a_prefix_with_odd_characters(client: Client, odd_prefixes: list[str]) -> None:
    for prefix in odd_prefixes:
        assert client.names(f"{prefix}/") == {f"{prefix}/k", f"{prefix}/sub/k"}


def test_prefix_with_odd_characters_is_listed_page_by_page(
    server: Sandbox, odd_prefixes: list[str], boto: "boto3.client"
) -> None:
    for prefix in odd_prefixes:
        pages = boto.get_paginator("list_objects_v2").paginate(
            Bucket="practical", Prefix=prefix, PaginationConfig={"PageSize": 1}
        )
        assert [page["Contents"][0]["Key"] for page in pages] == [f"{prefix}/k", f"{prefix}/sub/k"]
        folders, objects = list_folder(server.location("practical", prefix))
        assert (folders, [stored.key for stored in objects]) == (("sub",), ["k"])


def test_s5cmd_lists_a_prefix_with_odd_characters(s5cmd: Callable[..., str], odd_prefixes: list[str]) -> None:
    for prefix in odd_prefixes:
        if "*" in prefix:  # a pattern, to s5cmd
            continue
        listed = s5cmd("ls", f"s3://practical/{prefix}/").splitlines()
        assert [line.split()[-1] for line in listed] == ["sub/", "k"]


def test_rclone_lists_a_prefix_with_odd_characters(
    rclone: Callable[..., str], odd_prefixes: list[str]
) -> None:
    for prefix in odd_prefixes:
        assert sorted(rclone("lsf", "-R", f"box:practical/{prefix}").split()) == ["k", "sub/", "sub/k"]


def test_prefixes_are_told_from_objects(server: Sandbox) -> None:
    top = server.location("practical", "clients/delimiter")
    for key in ("a/1", "a/2", "b c/1", "z"):
        write_object(top, key, b"x", overwrite=True)
    folders, objects = list_folder(top)
    assert (folders, [stored.key for stored in objects]) == (("a", "b c"), ["z"])
    assert len(list(list_objects(top))) == 4


# no key anywhere


def test_planted_keys_reach_no_output_log_manifest_error_or_repr(
    image: Path,
    server: Sandbox,
    place: Location,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(0)
    learner = server.learner("planted")
    learner.use()
    secrets = [os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]]
    own = learner.location / "t.zarr"
    told = [repr(server), repr(learner), repr(own)]
    target = f"s3://{own.bucket}/{own.key}"
    assert main(["upload", str(image), target, "--endpoint", server.endpoint]) == 0
    learner.use()
    report = upload(image, own)
    told += [repr(report), manifest_path(image).read_text()]
    assert main(["doctor", "s3://no-such-bucket/x", "--endpoint", server.endpoint, "--json"]) == 1
    learner.use()
    server.set_faults([Fault("expired", "practical/planted/*", times=None)])
    failures = (
        (AccessError, lambda: write_object(own, "x", b"")),
        (TransferError, lambda: upload(image, place)),
    )
    for kind, fails in failures:
        with pytest.raises(kind) as caught:
            fails()
        error: BaseException | None = caught.value
        ours = [
            frame for frame, _ in traceback.walk_tb(caught.tb) if "ngff_practical" in frame.f_code.co_filename
        ]
        told += [repr(frame.f_locals) for frame in ours]  # what IPython's and pytest's long tracebacks show
        told.append(str(caught.getrepr(style="long")))
        while error is not None:
            told += [repr(error), str(error.__dict__)]
            error = error.__cause__ or error.__context__
    told += [*capsys.readouterr(), caplog.text]
    told += [str(request) for request in server.requests()]
    for secret in secrets:
        assert not [text for text in told if secret in text]


@pytest.mark.parametrize("name", ["BINDER_SERVICE_HOST", "BINDER_LAUNCH_HOST"])
def test_keys_of_ones_own_are_refused_on_binder_and_the_sandboxs_are_not(
    server: Sandbox, place: Location, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "somewhere")
    write_object(place, "with the sandbox's keys", b"")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA" + "EXAMPLE" * 2)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    with pytest.raises(AccessError, match="not used on Binder, whose machines are public"):
        write_object(place, "with others", b"")


def test_keys_are_asked_for_without_showing_them(monkeypatch: pytest.MonkeyPatch) -> None:
    from ngff_practical.course import ask_for_keys

    typed = iter(["an-id ", "a-secret"])
    monkeypatch.setattr("ngff_practical.course.keys.getpass", lambda prompt: next(typed))
    monkeypatch.setenv("AWS_SESSION_TOKEN", "old")
    ask_for_keys("https://s3.example.org/")
    assert os.environ["AWS_ACCESS_KEY_ID"] == "an-id"
    assert os.environ["AWS_ENDPOINT_URL"] == "https://s3.example.org"
    assert "AWS_SESSION_TOKEN" not in os.environ
    monkeypatch.setenv("BINDER_REQUEST", "x")
    with pytest.raises(AccessError, match="not asked for on Binder"):
        ask_for_keys("https://s3.example.org")
