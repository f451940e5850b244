"""The wall of a class, rehearsed with thirty learners, each of whom writes below their own prefix only."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from ngff_practical.course.book import Progress, Record
from ngff_practical.course.catalogue import LESSONS, exercises_of
from ngff_practical.course.classroom import KEY, document, parse, publish, read_wall, withdraw
from ngff_practical.course.overview import overview
from ngff_practical.errors import StorageError
from ngff_practical.model import Location
from ngff_practical.sandbox import Sandbox
from ngff_practical.storage import delete_object, list_objects, write_object

KEYS = [f"{each.name}/{exercise.name}" for each in LESSONS for exercise in exercises_of(each.name)]
PASSED = Record(attempts=1, passed="2026-01-01T00:00:00+00:00", unaided=True)


def after(passed: int):
    """Return the overview of somebody who has passed the first exercises of the course."""
    return overview(Progress(1, dict.fromkeys(KEYS[:passed], PASSED)), "self-paced")


@pytest.fixture
def bucket(sandbox_server: Sandbox) -> Iterator[Location]:
    sandbox_server.use()
    place = sandbox_server.location("practical")
    delete_object(place, [each.key for each in list_objects(place)])
    yield place
    sandbox_server.use()
    delete_object(place, [each.key for each in list_objects(place)])


def client_of(server: Sandbox, name: str) -> "boto3.client":
    """Return a client with the keys of one learner; the environment is shared by all threads."""
    keys = server.learner(name).environment
    return boto3.Session().client(
        "s3",
        endpoint_url=server.endpoint,
        region_name="us-east-1",
        aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )


@pytest.mark.s3
def test_thirty_learners_publish_at_once_and_nobody_writes_elsewhere(
    sandbox_server: Sandbox, bucket: Location
) -> None:
    names = [f"learner-{number}" for number in range(30)]

    def work(number: int) -> str:
        s3 = client_of(sandbox_server, names[number])
        content = document(after(number % 12), pseudonym=f"bird {number}")
        s3.put_object(Bucket="practical", Key=f"{names[number]}/{KEY}", Body=content)
        with pytest.raises(ClientError) as caught:
            s3.put_object(Bucket="practical", Key=f"{names[number - 1]}/{KEY}", Body=b"{}")
        s3.close()
        return caught.value.response["Error"]["Code"]

    with ThreadPoolExecutor(30) as crew:
        assert set(crew.map(work, range(30))) == {"AccessDenied"}
    sandbox_server.use()
    wall = read_wall(bucket)
    assert wall.notes == ()
    counted = {each.prefix: sum(passed for passed, _ in each.passed.values()) for each in wall.members}
    assert counted == {name: number % 12 for number, name in enumerate(names)}
    first = len(exercises_of(LESSONS[0].name))
    assert wall.finished[LESSONS[0].name] == sum(number % 12 >= first for number in range(30))


@pytest.mark.s3
def test_publishing_is_with_own_keys_and_can_be_taken_back(sandbox_server: Sandbox, bucket: Location) -> None:
    ada = sandbox_server.learner("ada")
    ada.use()
    publish(ada.location, after(3), pseudonym="blue heron", image="embryo.ome.zarr", licence="CC BY 4.0")
    wall = read_wall(bucket)
    assert wall.gallery == (("blue heron", ada.location / "embryo.ome.zarr", "CC BY 4.0"),)
    with pytest.raises(StorageError):
        publish(bucket / "grace", after(3), pseudonym="not mine")
    withdraw(ada.location)
    assert read_wall(bucket).members == ()


@pytest.mark.s3
def test_prefix_without_a_file_shows_nothing_and_a_broken_file_is_named(bucket: Location) -> None:
    write_object(bucket / "ada", "embryo.zarr/zarr.json", b"{}")
    for name, content in {"bob": b"no json", "eve": b"x" * 20_000, "deep": b"[" * 15_000}.items():
        write_object(bucket / name, KEY, content)
    wall = read_wall(bucket)
    assert wall.members == ()
    assert sorted(note.split("/")[0] for note in wall.notes) == ["bob", "deep", "eve"]


def test_only_a_name_and_counts_are_published() -> None:
    shown = json.loads(document(after(5), pseudonym="blue heron"))
    assert set(shown) == {"version", "pseudonym", "passed"}
    assert sum(passed for passed, _ in shown["passed"].values()) == 5
    assert "2026-01-01" not in str(shown)


@pytest.mark.parametrize("name", ["", "  ", "x" * 41])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(StorageError, match="1 to 40 characters"):
        document(after(1), pseudonym=name)


@pytest.mark.parametrize(
    "content",
    [
        b"[]",
        b"{}",
        b'{"version": 1, "pseudonym": "a", "passed": {"00_start_here": [3, 2]}}',
        b'{"version": 1, "pseudonym": "a", "passed": {"00_start_here": "2"}}',
        b'{"version": 1, "pseudonym": "", "passed": {}}',
        b"\xff",
    ],
)
def test_a_file_that_says_something_else_is_no_member(content: bytes) -> None:
    with pytest.raises(ValueError):
        parse("ada", content)


def test_text_of_learners_stays_text_and_an_image_stays_below_the_prefix() -> None:
    counts = {"00_start_here": [1, 1], "elsewhere": [1, 1]}
    shown = {"version": 1, "pseudonym": "<script>\x1b[2J", "passed": counts, "image": "../grace/x.zarr"}
    member = parse("ada", json.dumps(shown).encode())
    assert "\x1b" not in member.pseudonym
    assert list(member.passed) == ["00_start_here"]
    assert member.image is None


@pytest.mark.s3
def test_wall_escapes_what_it_shows(bucket: Location) -> None:
    write_object(bucket / "ada", KEY, document(after(2), pseudonym="<b>ada</b>"))
    assert "&lt;b&gt;ada" in read_wall(bucket)._repr_html_()
    assert "<b>ada" not in read_wall(bucket)._repr_html_()


def test_a_place_that_is_not_a_learners_prefix_is_refused() -> None:
    for key in ("", "ada/deeper"):
        with pytest.raises(StorageError, match="no prefix of one learner"):
            publish(Location("http://127.0.0.1:9", "practical", key), after(1), pseudonym="a")


@pytest.mark.s3
def test_a_wall_that_nobody_is_on_is_one_sentence(bucket: Location) -> None:
    wall = read_wall(bucket)
    assert repr(wall) == "Nobody shows progress yet."
    assert wall._repr_html_() == "<p>Nobody shows progress yet.</p>"


@pytest.mark.s3
def test_one_learner_is_not_called_many(bucket: Location) -> None:
    publish(bucket / "ada", after(3), pseudonym="wren")
    assert "1 learner shows their progress" in read_wall(bucket)._repr_html_()
