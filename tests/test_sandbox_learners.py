"""Keys of a learner: everything below the own prefix, and nothing elsewhere."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from ngff_practical.errors import SandboxError, TransferError
from ngff_practical.sandbox import Sandbox
from ngff_practical.storage import list_objects, object_exists, read_object, write_object
from ngff_practical.transfer import delete_image, upload, verify

pytestmark = pytest.mark.s3


@pytest.fixture
def server(sandbox_server: Sandbox) -> Sandbox:
    sandbox_server.use()
    return sandbox_server


@pytest.fixture
def ada(server: Sandbox) -> Iterator["boto3.client"]:
    """A client with ada's keys; somebody else's object is there to be left alone."""
    write_object(server.location("practical", "grace"), "object", b"grace's", overwrite=True)
    server.learner("ada").use()
    client = boto3.Session().client(
        "s3", config=Config(signature_version="s3v4", s3={"addressing_style": "path"})
    )
    yield client
    client.close()


FORBIDDEN: dict[str, Callable[["boto3.client"], object]] = {
    "put beside": lambda s3: s3.put_object(Bucket="practical", Key="grace/object", Body=b"x"),
    "put a prefix that begins alike": lambda s3: s3.put_object(Bucket="practical", Key="adam/x", Body=b"x"),
    "put at the top": lambda s3: s3.put_object(Bucket="practical", Key="ada", Body=b"x"),
    "delete": lambda s3: s3.delete_object(Bucket="practical", Key="grace/object"),
    "delete several, one of them an own one": lambda s3: s3.delete_objects(
        Bucket="practical", Delete={"Objects": [{"Key": "ada/x"}, {"Key": "grace/object"}]}
    ),
    "copy": lambda s3: s3.copy_object(Bucket="practical", Key="grace/y", CopySource="practical/grace/object"),
    "multipart": lambda s3: s3.create_multipart_upload(Bucket="practical", Key="grace/object"),
    "another bucket": lambda s3: s3.create_bucket(Bucket="adas-own"),
    "the read-only bucket": lambda s3: s3.put_object(Bucket="idr", Key="ada/x", Body=b"x"),
    "the bucket's rules": lambda s3: s3.delete_bucket_policy(Bucket="practical"),
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_learner_changes_nothing_elsewhere(server: Sandbox, ada: "boto3.client", what: str) -> None:
    with pytest.raises(ClientError) as caught:
        FORBIDDEN[what](ada)
    assert caught.value.response["Error"]["Code"] == "AccessDenied"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    server.use()
    assert read_object(server.location("practical", "grace/object")) == b"grace's"


def test_learner_writes_and_deletes_below_the_own_prefix(ada: "boto3.client") -> None:
    for key in ("ada/1", "ada/a & b", "ada/<x>"):
        ada.put_object(Bucket="practical", Key=key, Body=b"x")
    ada.delete_objects(
        Bucket="practical", Delete={"Objects": [{"Key": "ada/1"}, {"Key": "ada/a & b"}, {"Key": "ada/<x>"}]}
    )
    assert "Contents" not in ada.list_objects_v2(Bucket="practical", Prefix="ada/")


def test_learner_reads_what_is_public(ada: "boto3.client") -> None:
    assert ada.get_object(Bucket="practical", Key="grace/object")["Body"].read() == b"grace's"
    assert ada.list_objects_v2(Bucket="idr")["KeyCount"] > 0


def test_learner_shares_an_image_below_the_own_prefix_and_takes_it_away(
    server: Sandbox, tmp_path: Path
) -> None:
    image = tmp_path / "t.zarr"
    image.mkdir()
    for name in ("c", "d", "zarr.json"):
        (image / name).write_bytes(name.encode())
    learner = server.learner("marie")
    learner.use()
    place = learner.location / "t.zarr"
    upload(image, place)
    assert verify(image, place) == ()
    assert len(delete_image(place)) == 3


def test_upload_to_somebody_elses_prefix_is_refused_with_its_first_object(
    server: Sandbox, tmp_path: Path
) -> None:
    image = tmp_path / "t.zarr"
    image.mkdir()
    for name in [*"abcdefgh", "zarr.json"]:
        (image / name).write_bytes(name.encode())
    server.learner("ada").use()
    place = server.location("practical", "grace/t.zarr")
    since = server.request_count()
    with pytest.raises(
        TransferError, match=r"may not write .*403 AccessDenied\); write below a prefix of your"
    ):
        upload(image, place)
    assert [r.status for r in server.requests(since) if r.method == "PUT"] == [403]
    assert list(list_objects(place)) == []
    assert not object_exists(place, "zarr.json")


def test_same_name_gives_the_same_keys_and_another_name_others(server: Sandbox) -> None:
    assert server.learner("ada") == server.learner("ada")
    assert server.learner("ada").environment != server.learner("grace").environment


def test_keys_of_a_learner_show_in_no_text(server: Sandbox) -> None:
    learner = server.learner("ada")
    secrets = [learner.environment["AWS_ACCESS_KEY_ID"], learner.environment["AWS_SECRET_ACCESS_KEY"]]
    assert not any(secret in f"{learner!r}{learner}" for secret in secrets)


@pytest.mark.parametrize("name", ["", "a/b", "..", "a b", "x" * 64])
def test_name_that_is_no_prefix_is_refused(server: Sandbox, name: str) -> None:
    with pytest.raises(SandboxError, match="cannot be a prefix"):
        server.learner(name)
    assert "AWS_ACCESS_KEY_ID" in os.environ
