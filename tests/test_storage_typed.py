"""Addresses, keys and variables as people type them: used, or refused in a sentence that says what to do."""

from pathlib import Path

import pytest

from ngff_practical.errors import AccessError, NgffPracticalError, StorageError
from ngff_practical.model import Location
from ngff_practical.sandbox import Fault, Sandbox
from ngff_practical.storage import list_folder, list_objects, list_page, read_object
from ngff_practical.storage.moving import Objects
from ngff_practical.transfer import delete_image, download, upload, verify


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "t.zarr").mkdir()
    (tmp_path / "t.zarr" / "zarr.json").write_text("{}")
    return tmp_path / "t.zarr"


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://127.0.0.1:99999",
        "http://127.0.0.1:0",
        "http://127.0.0.1:port",
        "http://a b/",
        "http://a\n",
        "http://exämple.org",
        "http://[::1",
        "http://:9000",
        "http://host?x=1",
        "http://host#x",
    ],
)
def test_endpoint_that_is_no_address_is_refused(endpoint: str) -> None:
    with pytest.raises(StorageError, match=r"cannot be an address: write https://host or http://host:9000"):
        Location(endpoint, "bucket")


@pytest.mark.parametrize("endpoint", ["", "http://", "https:///", "localhost:9000", "s3://x", " http://host"])
def test_endpoint_that_is_no_url_is_refused(endpoint: str) -> None:
    with pytest.raises(StorageError, match="is not a URL; it starts with https://"):
        Location(endpoint, "bucket")


@pytest.mark.parametrize(
    ("endpoint", "same"),
    [
        ("HTTPS://host/", "https://host"),
        ("http://[::1]:9000", "http://[::1]:9000"),
        ("https://host/behind/a/path/", "https://host/behind/a/path"),
        ("http://host_name-1.example.org.:65535", "http://host_name-1.example.org.:65535"),
    ],
)
def test_endpoint_is_taken_without_a_trailing_slash(endpoint: str, same: str) -> None:
    assert Location(endpoint, "bucket").endpoint == same


def test_password_in_an_endpoint_is_refused_and_not_repeated() -> None:
    with pytest.raises(StorageError, match="at host:9000 carries a name or a password") as told:
        Location("https://ada:PLANTED@host:9000", "bucket")
    assert "PLANTED" not in str(told.value)


@pytest.mark.parametrize("variable", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"])
@pytest.mark.parametrize("value", ["PLANTED\r", "PLANTED\n", " PLANTED", "PLÄNTED"])
def test_key_that_came_with_a_line_break_is_refused_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "right")
    monkeypatch.setenv(variable, value)
    with pytest.raises(AccessError, match=r"has a line break, .* copy it again") as told:
        list_folder(Location("http://127.0.0.1:9", "bucket"))
    assert "PLA" not in str(told.value)


@pytest.mark.parametrize(
    "line",
    [
        "credential_process = echo PLANTED",
        "credential_process = /no/such/program",
        "credential_process = false",
        "aws_access_key_id = PLANTED",
        "role_arn = arn:aws:iam::1:role/x\nsource_profile = none",
    ],
)
def test_profile_that_gives_no_keys_is_told_with_the_way_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, line: str
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_CONFIG_FILE"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "credentials").write_text(f"[default]\n{line}\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    with pytest.raises(AccessError, match=r"AWS profile cannot be used: .*Mend|set both or none") as told:
        list_folder(Location("http://127.0.0.1:9", "bucket"))
    assert "PLANTED" not in str(told.value)


@pytest.mark.s3
@pytest.mark.parametrize("bucket", ["pra ctical", "é", "a|b", "100%"])
def test_bucket_no_bucket_can_be_called_is_not_there(server: Sandbox, bucket: str) -> None:
    place = server.location(bucket, "t.zarr")
    for look in (list_objects, list_folder, list_page, delete_image):
        with pytest.raises(StorageError, match=r"there is no bucket .* check both spellings"):
            look(place)
    with pytest.raises(StorageError):
        read_object(place, "zarr.json")


@pytest.mark.s3
@pytest.mark.parametrize("key", ["tests/a//t.zarr", "tests/../t.zarr", "tests/./t.zarr"])
def test_key_with_an_empty_part_or_dots_is_refused_before_anything_is_sent(
    server: Sandbox, tree: Path, tmp_path: Path, key: str
) -> None:
    place = server.location("practical", key)
    before = server.request_count()
    with pytest.raises(StorageError, match=r"the key has an empty part, a dot for a part .* another key"):
        upload(tree, place)
    assert server.request_count() == before
    with pytest.raises(StorageError, match="the key has an empty part"):
        download(place, tmp_path / "back")
    assert [problem.kind for problem in verify(tree, place)] == ["missing"]
    assert delete_image(place) == ()


@pytest.mark.s3
@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("AWS_CONDITIONAL_PUT", "disabled"),
        ("AWS_S3_EXPRESS", "true"),
        ("AWS_VIRTUAL_HOSTED_STYLE_REQUEST", "true"),
        ("AWS_SKIP_SIGNATURE", "true"),
        ("AWS_BUCKET", "other"),
        ("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9"),
    ],
)
def test_variables_of_the_library_below_do_not_change_what_was_asked_for(
    place: Location, tree: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    upload(tree, place / variable)
    assert verify(tree, place / variable) == ()


@pytest.mark.s3
@pytest.mark.parametrize("kind", ["reset-in-body", "truncated", "short"])
def test_list_that_arrives_in_half_is_asked_for_again(
    server: Sandbox, place: Location, tree: Path, kind: str
) -> None:
    upload(tree, place)
    server.set_faults([Fault(kind, "practical/", "GET")])  # type: ignore[arg-type]
    found = Objects(place, pause=lambda _: None).list()
    assert [stored.key for stored in found] == ["zarr.json"]
    assert server.faults() == ()


@pytest.mark.s3
def test_list_that_never_arrives_whole_is_an_error(server: Sandbox, place: Location, tree: Path) -> None:
    upload(tree, place)
    server.set_faults([Fault("truncated", "practical/", "GET", times=None)])
    with pytest.raises(NgffPracticalError):
        Objects(place, pause=lambda _: None).list()
