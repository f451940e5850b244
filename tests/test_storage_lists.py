"""Lists as other servers than S3 give them: all that is there, or an error; never a part, nor for ever."""

import itertools
from collections.abc import Callable, Sequence
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from scripted import Asked, Said, scripted

from ngff_practical.errors import StorageError
from ngff_practical.model import Location
from ngff_practical.storage import list_folder, list_objects

PAGE = 100
KEYS = [f"t.zarr/{number:03}" for number in range(250)]
NAMES = [key.removeprefix("t.zarr/") for key in KEYS]

type List = Callable[[dict[str, str]], Said]


def page(
    keys: Sequence[str], *, more: bool = False, token: str = "", when: str = "2026-11-22T00:00:00Z"
) -> Said:
    listed = "".join(
        f'<Contents><Key>{key}</Key><Size>1</Size><ETag>"e"</ETag><LastModified>{when}</LastModified></Contents>'
        for key in keys
    )
    token = f"<NextContinuationToken>{token}</NextContinuationToken>" if token else ""
    truncated = f"<IsTruncated>{'true' if more else 'false'}</IsTruncated>"
    body = f"<ListBucketResult>{truncated}{token}{listed}</ListBucketResult>"
    return Said(200, body.encode(), {"Content-Type": "application/xml"})


def first_version(asked: dict[str, str]) -> Said:
    """Know of markers, and of no tokens."""
    left = [key for key in KEYS if key > asked.get("marker", "")]
    return page(left[:PAGE], more=len(left) > PAGE)


def overlapping(asked: dict[str, str]) -> Said:
    """Begin each page with the end of the one before."""
    left = [key for key in KEYS if key >= asked.get("continuation-token", "")]
    more = len(left) > PAGE
    return page(left[:PAGE], more=more, token=left[PAGE - 1] if more else "")


def encoded(_: dict[str, str]) -> Said:
    said = page([quote(key, safe="") for key in KEYS])
    return said._replace(body=said.body.replace(b"<IsT", b"<EncodingType>url</EncodingType><IsT", 1))


WHOLE: dict[str, List] = {
    "first version": first_version,
    "overlapping": overlapping,
    "unordered": lambda _: page(KEYS[::-1]),
    "encoded": encoded,
    "times of HTTP": lambda _: page(KEYS, when="Sun, 22 Nov 2026 00:00:00 GMT"),
    "times without a zone": lambda _: page(KEYS, when="2026-11-22T00:00:00"),
    "of the whole bucket": lambda _: page(["other", *KEYS, "t.zarr2/0"]),
    "markers of bytes": lambda _: page(["t.zarr/", *KEYS, "t.zarr/249/", "t.zarr/249/.keep/"]),
}


def served(answer: List) -> Callable[[Asked], Said]:
    def listed(asked: Asked) -> Said:
        query = parse_qs(urlsplit(asked.target).query)
        return answer({name: values[0] for name, values in query.items()})

    return listed


@pytest.mark.parametrize("way", WHOLE)
def test_everything_is_listed_once_whatever_the_list_is_like(way: str) -> None:
    with scripted(served(WHOLE[way])) as endpoint:
        found = list(list_objects(Location(endpoint, "bucket", "t.zarr", anonymous=True)))
    assert [stored.key for stored in found] == NAMES


def test_folder_is_listed_whole_where_only_the_first_version_is_known() -> None:
    with scripted(served(first_version)) as endpoint:
        _, files = list_folder(Location(endpoint, "bucket", "t.zarr", anonymous=True))
    assert [stored.key for stored in files] == NAMES


@pytest.mark.parametrize("tokens", [itertools.repeat("same"), map(str, itertools.count())])
def test_list_that_never_ends_is_told(tokens: "itertools.repeat[str] | map[str]") -> None:
    with (
        scripted(lambda _: page(KEYS[:PAGE], more=True, token=next(tokens))) as endpoint,
        pytest.raises(StorageError, match="gives the same keys again and again, and never the rest"),
    ):
        list_objects(Location(endpoint, "bucket", "t.zarr", anonymous=True))
