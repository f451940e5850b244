"""Objects by key behave alike in folders, on S3 and on web servers, and failures say what to do."""

import asyncio
import functools
import http.server
import json
import os
import pickle
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import numpy as np
import obstore
import pytest
import zarr
from zarr.abc.store import RangeByteRequest
from zarr.core.buffer import default_buffer_prototype

from ngff_practical.errors import AccessError, ExistsError, NotFoundError, StorageError
from ngff_practical.model import Location, Place, StoredObject
from ngff_practical.sandbox import Sandbox
from ngff_practical.storage import (
    delete_object,
    explained,
    filesystem,
    has_credentials,
    list_folder,
    list_objects,
    object_exists,
    object_store,
    parse_place,
    reachable,
    read_object,
    write_object,
    zarr_store,
)
from ngff_practical.storage.credentials import EnvironmentCredentials

# What a person types


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("image.zarr", Path("image.zarr")),
        ("/data/image.zarr/", Path("/data/image.zarr")),
        ("file:///data/my%20image.zarr", Path("/data/my image.zarr")),
        ("~/image.zarr", Path.home() / "image.zarr"),
        ("C:\\data\\image.zarr", Path("C:\\data\\image.zarr")),
        ("C:/data/image.zarr", Path("C:/data/image.zarr")),
        ("\\\\server\\share\\image.zarr", Path("\\\\server\\share\\image.zarr")),
        (
            "https://host.example/bucket/a/b.zarr/",
            Location("https://host.example", "bucket", "a/b.zarr", True),
        ),
        ("http://127.0.0.1:5000/bucket", Location("http://127.0.0.1:5000", "bucket", "", True)),
        ("HTTPS://host.example/b/my%20%C3%BC", Location("https://host.example", "b", "my ü", True)),
        ("https://host.example/b/100%25%3F", Location("https://host.example", "b", "100%?", True)),
    ],
)
def test_place_is_what_its_text_says(text: str, place: Place) -> None:
    assert parse_place(text) == place


def test_path_is_a_place_already() -> None:
    assert parse_place(Path("s3:/odd")) == Path("s3:/odd")


def test_s3_url_takes_the_endpoint_given() -> None:
    assert parse_place("s3://bucket/a b/100%25?", endpoint="https://host.example/") == Location(
        "https://host.example", "bucket", "a b/100%25?", False
    )


def test_s3_url_takes_the_endpoint_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://any.example")
    assert parse_place("s3://bucket/key") == Location("https://any.example", "bucket", "key", False)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "https://s3.example")
    assert parse_place("s3://bucket/key") == Location("https://s3.example", "bucket", "key", False)


def test_s3_url_without_endpoint_says_how_to_give_one() -> None:
    with pytest.raises(StorageError, match=r"does not say which server.*--endpoint.*AWS_ENDPOINT_URL"):
        parse_place("s3://bucket/key")


@pytest.mark.parametrize("anonymous", [True, False])
def test_access_is_what_was_asked_for(anonymous: bool) -> None:
    for text in ("s3://bucket/key", "https://host.example/bucket/key"):
        place = parse_place(text, endpoint="https://host.example", anonymous=anonymous)
        assert place == Location("https://host.example", "bucket", "key", anonymous)


def test_endpoint_with_a_path_is_cut_off_a_web_address() -> None:
    place = parse_place("https://host.example/s3/bucket/key", endpoint="https://host.example/s3/")
    assert place == Location("https://host.example/s3", "bucket", "key", True)


@pytest.mark.parametrize(
    ("text", "explanation"),
    [
        ("", "address is empty"),
        ("s3:///key", "names no bucket"),
        ("https://host.example", "names no bucket"),
        ("https:///bucket/key", "names no server"),
        ("ftp://host/file", "ftp:// addresses are not supported"),
        ("file://server/share", "on the machine 'server'"),
        ("s3://bucket/caf\udce9", "not valid Unicode"),
        ("https://host.example/bucket/caf\udce9", "not valid Unicode"),
        ("https://host.example/b/k?X-Amz-Signature=abc", "is followed by a query"),
        ("https://elsewhere.example/b/k", "is not on the endpoint"),
    ],
)
def test_text_that_names_no_place_is_explained(text: str, explanation: str) -> None:
    with pytest.raises(StorageError, match=explanation):
        parse_place(text, endpoint="https://host.example")


def test_password_in_an_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(StorageError, match="credentials come from the environment") as refused:
        parse_place("https://me:hunter2@host.example/b/k")
    assert "hunter2" not in str(refused.value)


# Credentials


def test_keys_are_found_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not has_credentials()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "me")
    assert not has_credentials()
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "for an hour")
    assert has_credentials()
    assert EnvironmentCredentials()()["token"] == "for an hour"


def test_keys_are_found_in_an_aws_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    profiles = tmp_path / "credentials"
    profiles.write_text("[lab]\naws_access_key_id = me\naws_secret_access_key = mine\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(profiles))
    assert not has_credentials()
    monkeypatch.setenv("AWS_PROFILE", "lab")
    assert has_credentials()
    assert EnvironmentCredentials()()["secret_access_key"] == "mine"


def test_profile_that_does_not_exist_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "typo")
    assert not has_credentials()
    with pytest.raises(AccessError, match="typo"):
        object_store(Location("http://127.0.0.1:9", "bucket"))


def test_instance_metadata_is_never_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(*_: object) -> None:
        raise AssertionError("the metadata service was asked")

    monkeypatch.setattr("botocore.utils.IMDSFetcher._fetch_metadata_token", ask)
    monkeypatch.setattr("botocore.utils.InstanceMetadataFetcher.retrieve_iam_role_credentials", ask)
    assert not has_credentials()


@pytest.mark.parametrize(
    "use",
    [
        lambda place: read_object(place, "k"),
        lambda place: list(list_objects(place)),
        lambda place: write_object(place, "k", b""),
        object_store,
        zarr_store,
        filesystem,
    ],
    ids=["read", "list", "write", "object_store", "zarr_store", "filesystem"],
)
def test_signing_without_keys_says_where_keys_come_from(use: Callable[[Location], object]) -> None:
    with pytest.raises(AccessError, match=r"no S3 credentials.*AWS_ACCESS_KEY_ID.*anonymous"):
        use(Location("http://127.0.0.1:9", "bucket", "key"))


# The same functions on a folder and on S3


@pytest.fixture(params=["folder", pytest.param("s3", marks=pytest.mark.s3)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "folder":
        return tmp_path / "image.zarr"
    server: Sandbox = request.getfixturevalue("sandbox_server")
    server.use()
    return server.location("practical", f"storage/{tmp_path.name}/image.zarr")


def keys(place: Place) -> list[str]:
    return [stored.key for stored in list_objects(place)]


def test_object_written_is_read_again(place: Place) -> None:
    write_object(place, "0/c/0/0", b"chunk")
    assert read_object(place, "0/c/0/0") == b"chunk"
    assert read_object(place / "0", "c/0/0") == b"chunk"
    assert read_object(place / "0" / "c" / "0" / "0") == b"chunk"


def test_objects_are_listed_sorted_with_relative_keys(place: Place) -> None:
    for key in ("zarr.json", "a/b", "a b", "é", "a/B", "a-b"):
        write_object(place, key, key.encode())
    write_object(place.parent if isinstance(place, Path) else Location(place.endpoint, place.bucket,
                 place.key.rpartition("/")[0]), "image.zarr.txt", b"a neighbour")  # fmt: skip
    assert keys(place) == ["a b", "a-b", "a/B", "a/b", "zarr.json", "é"]
    assert [stored.nbytes for stored in list_objects(place)] == [3, 3, 3, 3, 9, 2]


def test_folder_is_listed_one_level_deep(place: Place) -> None:
    for key in ("zarr.json", "0/zarr.json", "0/c/0", "labels/zarr.json"):
        write_object(place, key, b"{}")
    folders, objects = list_folder(place)
    assert folders == ("0", "labels")
    assert [(stored.key, stored.nbytes) for stored in objects] == [("zarr.json", 2)]


def test_existing_object_is_overwritten_only_on_request(place: Place) -> None:
    write_object(place, "k", b"first")
    with pytest.raises(ExistsError, match="nothing was overwritten"):
        write_object(place, "k", b"second")
    assert read_object(place, "k") == b"first"
    write_object(place, "k", b"second", overwrite=True)
    assert read_object(place, "k") == b"second"


def test_missing_object_is_named(place: Place) -> None:
    write_object(place, "k", b"")
    with pytest.raises(NotFoundError, match=r"image\.zarr.none"):
        read_object(place, "none")
    assert not object_exists(place, "none")


def test_existing_object_exists_and_a_folder_is_none(place: Place) -> None:
    write_object(place, "0/c/0", b"1")
    assert object_exists(place, "0/c/0")
    assert object_exists(place / "0" / "c" / "0")
    assert not object_exists(place, "0/c")


def test_deleted_objects_are_gone_and_missing_ones_no_error(place: Place) -> None:
    for key in ("a", "b", "c d"):
        write_object(place, key, b"1")
    delete_object(place, "a")
    delete_object(place, ["c d", "never there"])
    delete_object(place, [])
    assert keys(place) == ["b"]


def test_empty_objects_are_listed(place: Place) -> None:
    write_object(place, "0/empty", b"")
    write_object(place, "full", b"1")
    assert keys(place) == ["0/empty", "full"]
    assert list_folder(place)[0] == ("0",)


def test_zarr_store_reads_what_was_written_through_it(place: Place) -> None:
    pixels = np.arange(36, dtype="uint16").reshape(6, 6)
    array = zarr.create_array(zarr_store(place, read_only=False), data=pixels, chunks=(3, 3))
    assert array.attrs.asdict() == {}
    assert np.array_equal(zarr.open_array(zarr_store(place), mode="r")[:], pixels)
    assert keys(place) == ["c/0/0", "c/0/1", "c/1/0", "c/1/1", "zarr.json"]


def test_zarr_store_is_read_only_unless_asked_otherwise(place: Place) -> None:
    write_object(place, "k", b"")
    with pytest.raises(ValueError, match="read-only"):
        zarr.create_group(zarr_store(place))


# Folders


def test_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"there is no folder .*nowhere"):
        list_objects(tmp_path / "nowhere")


def test_file_is_not_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match="is a file, not a folder"):
        list_folder(tmp_path / "file")
    with pytest.raises(NotFoundError, match="is a folder, not a file"):
        read_object(tmp_path)


@pytest.mark.parametrize("key", ["../secret", "a/../../secret", "/etc/hostname", "a\0b"])
def test_no_key_leads_out_of_its_folder(key: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "image.zarr").mkdir()
    for use in (read_object, object_exists, delete_object):
        with pytest.raises(AccessError, match="leads out of the folder"):
            use(tmp_path / "image.zarr", key)
    with pytest.raises(AccessError, match="leads out of the folder"):
        write_object(tmp_path / "image.zarr", key, b"", overwrite=True)
    assert (tmp_path / "secret").read_bytes() == b"secret"


@pytest.fixture
def linked(tmp_path: Path) -> Path:
    root = tmp_path / "image.zarr"
    root.mkdir()
    (root / "here").write_bytes(b"here")
    (tmp_path / "secret").write_bytes(b"secret")
    try:
        (root / "inside").symlink_to(root / "here")
    except OSError:
        pytest.skip("this system gives no right to make links")
    return root


def test_link_to_a_file_of_the_same_folder_is_followed(linked: Path) -> None:
    assert keys(linked) == ["here", "inside"]
    assert read_object(linked, "inside") == b"here"


def test_link_out_of_the_folder_is_never_followed(linked: Path) -> None:
    (linked / "outside").symlink_to(linked.parent / "secret")
    with pytest.raises(AccessError, match=r"outside in .* is a link to .*secret"):
        list_objects(linked)
    with pytest.raises(AccessError, match="is a link"):
        list_folder(linked)
    with pytest.raises(AccessError, match="leads out of the folder"):
        read_object(linked, "outside")


def test_circle_of_links_ends(linked: Path) -> None:
    (linked / "circle").symlink_to(linked, target_is_directory=True)
    with pytest.raises(AccessError, match="is a link"):
        list_objects(linked)


def test_folder_reached_through_a_link_is_a_folder(linked: Path) -> None:
    (linked.parent / "alias.zarr").symlink_to(linked, target_is_directory=True)
    assert read_object(linked.parent / "alias.zarr", "here") == b"here"
    assert keys(linked.parent / "alias.zarr") == ["here", "inside"]


def test_failed_write_leaves_nothing_behind(tmp_path: Path) -> None:
    write_object(tmp_path, "k", b"1")
    with pytest.raises(ExistsError):
        write_object(tmp_path, "k", b"2")
    with pytest.raises(StorageError, match="a file stands where a folder is needed"):
        write_object(tmp_path, "k/below", b"2")
    assert [path.name for path in tmp_path.iterdir()] == ["k"]


# S3


@pytest.fixture
def location(sandbox_server: Sandbox, tmp_path: Path) -> Location:
    sandbox_server.use()
    return sandbox_server.location("practical", f"storage/{tmp_path.name}")


@pytest.mark.s3
@pytest.mark.parametrize("key", ["a//b", "a/./b", "tab\tstop"])
def test_keys_that_obstore_cannot_say_work_all_the_same(key: str, location: Location) -> None:
    write_object(location, key, b"odd")
    assert read_object(location, key) == b"odd"
    assert object_exists(location, key)
    with pytest.raises(ExistsError):
        write_object(location, key, b"again")
    assert keys(location) == [key]
    delete_object(location, [key])
    assert not object_exists(location, key)


@pytest.mark.s3
def test_folder_markers_are_no_objects(location: Location) -> None:
    client = boto3.Session().client("s3")
    for key in ("", "sub/", "sub/k"):
        client.put_object(Bucket="practical", Key=f"{location.key}/{key}", Body=b"")
    client.close()
    assert keys(location) == ["sub/k"]
    assert list_folder(location) == (("sub",), ())


@pytest.mark.s3
def test_etag_of_a_listing_is_the_plain_md5(location: Location) -> None:
    write_object(location, "k", b"abc")
    assert list(list_objects(location)) == [StoredObject("k", 3, "900150983cd24fb0d6963f7d28e17f72")]


@pytest.mark.s3
def test_endpoint_of_the_environment_does_not_redirect_a_location(
    location: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_object(location, "k", b"here")
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert bytes(obstore.get(object_store(location), "k").bytes()) == b"here"
    assert filesystem(location).cat(f"practical/{location.key}/k") == b"here"
    assert read_object(location, "k") == b"here"


@pytest.mark.s3
def test_anonymous_location_never_signs(sandbox_server: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "unknown here")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "unknown here")
    place = sandbox_server.location("idr", "tiny.zarr", anonymous=True)
    assert read_object(place, "zarr.json")
    assert filesystem(place).cat("idr/tiny.zarr/zarr.json")
    assert zarr.open_array(zarr_store(place), mode="r").shape == (4, 64, 64)


@pytest.mark.s3
def test_new_keys_are_used_at_once(location: Location, monkeypatch: pytest.MonkeyPatch) -> None:
    write_object(location, "k", b"1")
    assert filesystem(location).cat(f"practical/{location.key}/k") == b"1"
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "changed")
    with pytest.raises(AccessError):
        read_object(location, "k")
    with pytest.raises(PermissionError):
        filesystem(location).cat(f"practical/{location.key}/k")


@pytest.mark.s3
def test_whole_bucket_is_no_object(sandbox_server: Sandbox) -> None:
    with pytest.raises(StorageError, match="whole bucket, not an object"):
        read_object(sandbox_server.location("idr", anonymous=True))


@pytest.mark.s3
def test_bucket_is_listed_from_its_root(sandbox_server: Sandbox) -> None:
    bucket = sandbox_server.location("idr", anonymous=True)
    assert "tiny.zarr" in list_folder(bucket)[0]
    assert "tiny.zarr/zarr.json" in keys(bucket)


@pytest.mark.s3
def test_prefix_with_nothing_below_lists_nothing(sandbox_server: Sandbox) -> None:
    empty = sandbox_server.location("idr", "no/such/prefix", anonymous=True)
    assert keys(empty) == []
    assert list_folder(empty) == ((), ())


@pytest.mark.s3
def test_forbidden_image_is_an_access_error_for_zarr(sandbox_server: Sandbox) -> None:
    sandbox_server.use()
    client = boto3.Session().client("s3")
    client.create_bucket(Bucket="closed")
    client.close()
    store = zarr_store(sandbox_server.location("closed", "image.zarr", anonymous=True))
    with pytest.raises(AccessError, match=r"may not read .*/closed/image\.zarr/.*403 AccessDenied"):
        zarr.open_group(store, mode="r")


@pytest.mark.s3
def test_zarr_store_travels_without_its_keys(location: Location) -> None:
    write_object(location, "zarr.json", b"{}")
    store = zarr_store(location)
    packed = pickle.dumps(store)
    assert os.environ["AWS_SECRET_ACCESS_KEY"].encode() not in packed
    assert pickle.loads(packed) == store


# Servers that misbehave


class Web(http.server.SimpleHTTPRequestHandler):
    """A plain web server, as `python -m http.server`, that fails as often as it is told to."""

    failures: list[int]

    def do_GET(self) -> None:
        if self.failures:
            status = self.failures.pop(0)
            if status == 0:
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        super().do_GET()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def web(tmp_path: Path) -> Iterator[tuple[Location, list[int]]]:
    folder = tmp_path / "web" / "images" / "my image.zarr"
    pixels = np.arange(16, dtype="uint8").reshape(4, 4)
    zarr.create_array(folder / "whole", data=pixels, chunks=(2, 2))
    zarr.create_array(folder / "sharded", data=pixels, chunks=(2, 2), shards=(4, 4))
    failures: list[int] = []
    handler = type("Handler", (Web,), {"failures": failures})
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(handler, directory=str(tmp_path / "web"))
    )
    server.handle_error = lambda *_: None
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    place = parse_place(f"http://127.0.0.1:{server.server_port}/images/my%20image.zarr")
    assert isinstance(place, Location)
    yield place, failures
    server.shutdown()
    thread.join()
    server.server_close()


type WebServer = tuple[Location, list[int]]


def test_plain_web_server_is_read_by_key(web: WebServer) -> None:
    place, _ = web
    assert json.loads(read_object(place, "whole/zarr.json"))["node_type"] == "array"
    assert object_exists(place, "whole/zarr.json")
    assert not object_exists(place, "zarr.json")
    assert zarr.open_array(zarr_store(place / "whole"), mode="r")[3].tolist() == [12, 13, 14, 15]


def test_plain_web_server_cannot_be_listed(web: WebServer) -> None:
    for listing in (list_objects, list_folder):
        with pytest.raises(StorageError, match="cannot list 'images': it answers like a plain web server"):
            listing(web[0])


def test_plain_web_server_cannot_be_written(web: WebServer) -> None:
    with pytest.raises(StorageError, match="like a plain web server"):
        write_object(Location(web[0].endpoint, "images", "k", anonymous=True), "k", b"")


def test_server_without_ranges_is_named_when_a_shard_is_read(web: WebServer) -> None:
    array = zarr.open_array(zarr_store(web[0] / "sharded"), mode="r")
    with pytest.raises(StorageError, match=r"sends whole objects only.*answers range requests"):
        array[0, 0]


def test_several_reads_that_fail_at_once_are_one_error(web: WebServer) -> None:
    async def read() -> None:
        ranges = [RangeByteRequest(0, 1), RangeByteRequest(5_000_000, 5_000_001)]
        store = zarr_store(web[0])
        async for _ in store.get_ranges("sharded/c/0/0", ranges, prototype=default_buffer_prototype()):
            pass

    # in a thread: a browser test may have left an event loop running in this one
    with ThreadPoolExecutor(1) as thread, pytest.raises(StorageError, match="sends whole objects only"):
        thread.submit(lambda: asyncio.run(read())).result()


@pytest.mark.parametrize(
    "failures", [[503], [503, 500, 503], [429], [0, 0]], ids=["busy", "broken", "slow down", "reset"]
)
def test_passing_trouble_is_not_noticed(failures: list[int], web: WebServer) -> None:
    place, planned = web
    planned += failures
    assert read_object(place, "whole/zarr.json")
    assert planned == []


def test_lasting_trouble_is_explained(web: WebServer) -> None:
    place, planned = web
    planned += [503] * 50
    with pytest.raises(StorageError, match=r"overloaded or broken: it kept answering 503.*later"):
        read_object(place, "whole/zarr.json")


def test_refused_access_is_not_tried_again(web: WebServer) -> None:
    place, planned = web
    planned += [403, 403]
    with pytest.raises(AccessError, match=r"anonymous access may not read .*403.*sign with your keys"):
        read_object(place, "whole/zarr.json")
    assert planned == [403]


@pytest.fixture
def silent() -> Iterator[Location]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield Location(f"http://127.0.0.1:{listener.getsockname()[1]}", "bucket", "image.zarr", True)


@pytest.fixture
def nobody() -> Iterator[Location]:
    with socket.socket() as taken:  # and so no other program can listen there meanwhile
        taken.bind(("127.0.0.1", 0))
        yield Location(f"http://127.0.0.1:{taken.getsockname()[1]}", "bucket", "image.zarr", True)


@pytest.mark.parametrize("key", ["zarr.json", "odd//key"], ids=["obstore", "botocore"])
def test_refused_connection_points_to_the_sandbox(key: str, nobody: Location) -> None:
    with pytest.raises(StorageError, match=r"nothing answers at http://127\.0\.0\.1.*sandbox start"):
        read_object(nobody, key)


def test_zarr_says_that_nothing_answers(nobody: Location) -> None:
    with pytest.raises(StorageError, match="nothing answers at"):
        zarr.open_group(zarr_store(nobody), mode="r")


def test_silent_server_is_given_up(silent: Location) -> None:
    store = object_store(silent, retries=0, timeout_s=0.2)
    with pytest.raises(StorageError, match="did not answer in time"), explained(silent, "zarr.json"):
        obstore.get(store, "zarr.json")


def test_wrong_scheme_is_noticed(web: WebServer) -> None:
    tls = Location(web[0].endpoint.replace("http://", "https://"), "images", "k", anonymous=True)
    store = object_store(tls, retries=0)
    with pytest.raises(StorageError, match="does not speak TLS; try http://"), explained(tls, "k"):
        obstore.get(store, "k")


def test_unknown_host_is_named() -> None:
    nowhere = Location("http://no-such-host.invalid", "bucket", "k", anonymous=True)
    store = object_store(nowhere, retries=0)
    with (
        pytest.raises(StorageError, match=r"no server is called 'no-such-host\.invalid'"),
        explained(nowhere),
    ):
        obstore.get(store, "k")


def test_reachable_means_that_somebody_answers(web: WebServer, silent: Location, nobody: Location) -> None:
    assert reachable(web[0], timeout_s=60)
    assert not reachable(nobody)
    assert not reachable(silent, timeout_s=0.2)


@pytest.mark.parametrize(
    ("code", "explanation"),
    [
        ("RequestTimeTooSkewed", "set the time right"),
        ("ExpiredToken", "credentials have expired"),
        ("SignatureDoesNotMatch", "secret key does not belong"),
        ("InvalidAccessKeyId", "does not know the access key"),
    ],
)
def test_trouble_with_keys_is_told_apart(code: str, explanation: str) -> None:
    place = Location("https://host.example", "bucket", "image.zarr")
    library_text = f"Server returned non-2xx status code: 403 Forbidden: <Error><Code>{code}</Code></Error>"
    with pytest.raises(AccessError, match=explanation), explained(place):
        raise obstore.exceptions.PermissionDeniedError(library_text)


def test_error_shows_nothing_of_the_servers_own_text() -> None:
    place = Location("https://host.example", "bucket", "image.zarr")
    with pytest.raises(AccessError) as refused, explained(place):
        raise obstore.exceptions.PermissionDeniedError(
            "status code: 403 <Code>SignatureDoesNotMatch</Code><StringToSign>PLANTED</StringToSign>"
        )
    assert "PLANTED" not in str(refused.value)
    assert refused.value.__suppress_context__


# Weight


def test_importing_storage_imports_no_heavy_library() -> None:
    code = (
        "import json, sys, ngff_practical.storage; "
        "names = ('zarr', 's3fs', 'fsspec', 'aiobotocore', 'botocore', 'boto3', 'moto', 'dask'); "
        "print(json.dumps([name for name in names if name in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []


def test_image_under_an_odd_key_cannot_be_opened_and_says_so() -> None:
    with pytest.raises(StorageError, match="the key has an empty part"):
        zarr_store(Location("http://127.0.0.1:9", "bucket", "a//image.zarr", anonymous=True))
