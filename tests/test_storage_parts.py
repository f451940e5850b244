"""Large objects in parts, on a server that is busy for a while: every step of them is tried again."""

import hashlib
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from begun import begin_parts

from ngff_practical.model import Location
from ngff_practical.sandbox import Fault, Sandbox
from ngff_practical.storage import object_exists, read_object
from ngff_practical.storage.moving import Objects
from ngff_practical.storage.parts import open_uploads
from ngff_practical.transfer import delete_image

pytestmark = pytest.mark.s3

PARTS = [np.random.default_rng(seed).bytes(5 * 2**20) for seed in range(3)]


@pytest.fixture
def place(server: Sandbox, request: pytest.FixtureRequest) -> Location:
    name = hashlib.md5(request.node.name.encode()).hexdigest()[:10]
    return server.location("practical", f"parts-of/{name}")


@pytest.mark.parametrize("listing", ["uploads", "parts"])
def test_busy_server_is_asked_again_what_was_begun(server: Sandbox, place: Location, listing: str) -> None:
    begin_parts(place, *PARTS[:2])
    key = place.bucket if listing == "uploads" else f"{place.bucket}/{place.key}"
    server.set_faults([Fault("slow-down", f"{key}*", "GET", times=3)])
    waits: list[float] = []
    since = server.request_count()
    Objects(place, pause=waits.append).put_parts("", lambda: iter(PARTS))
    assert len(waits) == 3
    assert len([request for request in server.requests(since) if request.method == "PUT"]) == 1
    assert read_object(place) == b"".join(PARTS)


def breaking(error: BaseException) -> Callable[[], Iterator[bytes]]:
    def parts() -> Iterator[bytes]:
        yield PARTS[0]
        raise error

    return parts


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError("changed")])
def test_upload_that_ends_early_is_given_up_on_a_busy_server_too(
    server: Sandbox, place: Location, error: BaseException
) -> None:
    server.set_faults([Fault("slow-down", f"{place.bucket}/{place.key}*", "DELETE", times=3)])
    waits: list[float] = []
    with pytest.raises(type(error)):
        Objects(place, pause=waits.append).put_parts("", breaking(error))
    assert len(waits) == 3
    assert open_uploads(place) == ()
    assert not object_exists(place)


def test_network_that_stays_away_is_waited_for_once_and_the_parts_stay_for_the_next_time(
    server: Sandbox, place: Location
) -> None:
    def parts() -> Iterator[bytes]:
        yield PARTS[0]
        server.set_network(online=False)
        yield from PARTS[1:]

    waits: list[float] = []
    objects = Objects(place, pause=waits.append)
    begin_parts(place, PARTS[0])
    with pytest.raises(OSError, match="broke off"):
        objects.put_parts("", parts)
    assert 30 < sum(waits) <= 2 * 60  # two parts, each for a minute, and no third for giving up
    server.set_network()
    since = server.request_count()
    Objects(place).put_parts("", lambda: iter(PARTS))
    assert len([request for request in server.requests(since) if request.method == "PUT"]) == 2


def test_deleting_an_image_gives_up_its_parts_on_a_busy_server_too(server: Sandbox, place: Location) -> None:
    begin_parts(place / "0", PARTS[0])
    server.set_faults([Fault("slow-down", f"{place.bucket}/{place.key}/0*", "DELETE", times=1)])
    delete_image(place)
    assert open_uploads(place) == ()
