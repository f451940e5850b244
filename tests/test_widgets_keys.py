"""The key browser: flat keys beside folders, the slash that is missing, pages, and images on the way."""

import boto3
import pytest

from ngff_practical.errors import StorageError
from ngff_practical.model import StoredObject
from ngff_practical.storage import KeyPage, list_page
from ngff_practical.widgets import KeyBrowser
from ngff_practical.widgets.browsing import above, count, entries, trap


def page(*keys, following=""):
    return KeyPage(tuple(StoredObject(key, 10) for key in keys), (), following)


def ask(browser, **message):
    browser._handle_custom_msg(message, [])


# Values


def test_a_prefix_without_its_slash_takes_in_its_neighbours():
    found = trap("a/b.zarr", page("a/b.zarr/0", "a/b.zarr2/0", "a/b.zarr.txt"), page("a/b.zarr/0"))
    assert (found.without, found.within, found.strangers) == (3, 1, ("a/b.zarr2/", "a/b.zarr.txt"))
    assert "takes in a/b.zarr2/, a/b.zarr.txt, too" in found.sentence("a/b.zarr/")


def test_without_neighbours_the_slash_changes_nothing():
    assert "changes nothing" in trap("b", page("b/0"), page("b/0")).sentence("b")


def test_counting_ends_with_the_listing_or_says_that_it_did_not():
    pages = {"": page("a", "b", following="x"), "x": page("c")}
    assert str(count(pages.__getitem__)) == "3 keys, 30 B"
    assert str(count(lambda _: page("a", following="x"), most=2)) == "at least 2 keys, 20 B"


def test_folders_and_objects_stand_in_the_order_of_their_keys():
    listed = KeyPage((StoredObject("a/note", 5),), ("a/b.zarr/", "a/z/"))
    found = entries("a/", listed)
    assert [(one.name, one.folder, one.image) for one in found] == [
        ("b.zarr/", True, True),
        ("note", False, False),
        ("z/", True, False),
    ]


@pytest.mark.parametrize(
    ("prefix", "folder"), [("a/b/c/", "a/b/"), ("a/b", "a/"), ("a/", ""), ("a", ""), ("", "")]
)
def test_above_a_prefix_is_the_folder_it_lies_in(prefix, folder):
    assert above(prefix) == folder


# A real listing


@pytest.fixture
def bucket(sandbox_server):
    sandbox_server.use()
    return sandbox_server.location("idr")


@pytest.fixture
def many(sandbox_server):
    sandbox_server.use()
    client = boto3.Session().client("s3", endpoint_url=sandbox_server.endpoint)
    keys = ["browse/a.zarr/zarr.json", "browse/a.zarr/0/c/0", "browse/a.zarr2/0", "browse/<img src=x>"]
    for key in keys:
        client.put_object(Bucket="practical", Key=key, Body=b"12345")
    yield sandbox_server.location("practical", "browse")
    for key in keys:
        client.delete_object(Bucket="practical", Key=key)


@pytest.mark.s3
def test_a_page_has_no_more_keys_than_asked_for_and_leads_to_the_rest(bucket):
    client = boto3.Session().client("s3", endpoint_url=bucket.endpoint)
    wanted = [item["Key"] for item in client.list_objects_v2(Bucket="idr", Prefix="tiny")["Contents"]]
    found, start = [], ""
    while True:
        one = list_page(bucket, "tiny", start=start, most=2)
        assert len(one.objects) <= 2
        found += [stored.key for stored in one.objects]
        start = one.next
        if not start:
            break
    assert found == wanted


@pytest.mark.s3
def test_a_prefix_is_text_and_not_a_folder(many):
    def keys(prefix):
        return [stored.key for stored in list_page(many, prefix).objects]

    assert len(keys("browse/a.zarr")) == 3
    assert len(keys("browse/a.zarr/")) == 2


@pytest.mark.s3
def test_keys_and_folders_are_shown_side_by_side(many):
    browser = KeyBrowser(many)
    assert [key for key, _ in browser.flat][-1] == "browse/a.zarr2/0"
    assert [entry["name"] for entry in browser.folders] == ["<img src=x>", "a.zarr/", "a.zarr2/"]
    assert "keys 1 to 4 (20 B). Read as folders, 'browse/' holds 2 folders and 1 object" in browser.text


@pytest.mark.s3
def test_the_slash_can_be_left_out_to_see_what_happens(many):
    browser = KeyBrowser(many)
    ask(browser, do="open", prefix="browse/a.zarr/")
    assert len(browser.flat) == 2
    ask(browser, do="open", prefix="browse/a.zarr")
    assert len(browser.flat) == 3
    assert "takes in browse/a.zarr2/, too" in browser.text
    ask(browser, do="up")
    assert browser.at["prefix"] == "browse/"


@pytest.mark.s3
def test_turning_pages_goes_forth_and_back(many, monkeypatch):
    monkeypatch.setattr(
        "ngff_practical.widgets.keys.list_page", lambda *args, **named: list_page(*args, **named, most=3)
    )
    browser = KeyBrowser(many)
    first = [key for key, _ in browser.flat]
    assert (len(first), browser.at["next"], browser.at["back"]) == (3, True, False)
    ask(browser, do="next")
    assert [key for key, _ in browser.flat] == ["browse/a.zarr2/0"]
    ask(browser, do="next")
    assert browser.at["back"]
    ask(browser, do="back")
    assert [key for key, _ in browser.flat] == first


@pytest.mark.s3
def test_what_lies_below_a_prefix_is_counted_on_request(many):
    browser = KeyBrowser(many)
    ask(browser, do="count", prefix="browse/a.zarr/")
    assert browser.found == "Below 'browse/a.zarr/': 2 keys, 10 B."


@pytest.mark.s3
def test_a_place_that_only_looks_like_an_image_is_said_to_be_none(many):
    browser = KeyBrowser(many)
    ask(browser, do="open", prefix="browse/a.zarr/")
    assert browser.at["image"]
    ask(browser, do="describe", prefix="browse/a.zarr/")
    assert "zarr.json" in browser.found
    assert browser.notice == ""


@pytest.mark.s3
def test_a_bucket_that_is_not_there_is_named(sandbox_server):
    sandbox_server.use()
    with pytest.raises(StorageError, match="nowhere"):
        KeyBrowser(sandbox_server.location("nowhere"))


@pytest.mark.s3
def test_an_empty_prefix_that_nothing_begins_with_is_shown_as_such(many):
    browser = KeyBrowser(many)
    ask(browser, do="open", prefix="browse/none-of-these")
    assert (browser.flat, browser.notice) == ([], "")
    assert "no key" in browser.text


@pytest.mark.s3
@pytest.mark.parametrize(
    "message", [{"do": "next"}, {"do": "back"}, {"do": "open"}, {"do": "open", "prefix": 3}, {}]
)
def test_a_strange_message_does_no_harm(many, message):
    browser = KeyBrowser(many)
    ask(browser, **message)
    assert (browser.notice, browser.at["prefix"]) == ("", "browse/")


@pytest.mark.s3
def test_a_static_page_shows_a_picture(many):
    assert KeyBrowser(many).picture().startswith(b"\x89PNG")


def test_a_folder_of_this_computer_is_refused(tmp_path):
    with pytest.raises(StorageError, match="give a bucket"):
        KeyBrowser(tmp_path)


def test_what_cannot_be_listed_leaves_the_view_as_it_was(many, monkeypatch):
    browser = KeyBrowser(many)
    before, listed = (browser.at, browser.flat), browser._list

    def offline(prefix, start="", *, folders=False):
        raise StorageError("the server does not answer")

    monkeypatch.setattr(browser, "_list", offline)
    ask(browser, do="open", prefix="browse/a.zarr/")
    assert browser.notice == "the server does not answer"
    assert (browser.at, browser.flat) == before
    monkeypatch.setattr(browser, "_list", listed)
    ask(browser, do="open", prefix="browse/a.zarr/")
    assert (browser.notice, browser.at["prefix"]) == ("", "browse/a.zarr/")
