"""The metadata tree: documents line by line, what each key means, findings at the line they are about."""

import json
from pathlib import Path

import pytest

from ngff_practical import validate
from ngff_practical.errors import MetadataError
from ngff_practical.model import Issue
from ngff_practical.widgets import MetadataTree
from ngff_practical.widgets.meanings import meaning
from ngff_practical.widgets.nodes import lines_of, read_nodes, with_issues

DATA = Path(__file__).parent / "data"
SOUND = sorted(path for path in (DATA / "sound").iterdir() if path.is_dir())


def ask(tree, **message):
    tree._handle_custom_msg(message, [])


def broken(name):
    return MetadataTree(DATA / "broken" / name)


def line_of(nodes, path, where):
    node = next(node for node in nodes if node.path == path)
    return next(line for line in node.lines if line.where == where)


@pytest.mark.parametrize("place", SOUND, ids=lambda path: path.name)
def test_every_document_of_a_sound_image_is_shown_key_by_key(place):
    for node in read_nodes(place):
        names = ("zarr.json", ".zattrs", ".zgroup", ".zarray")
        documents = [place / node.path / name for name in names if (place / node.path / name).is_file()]
        keys = {key for document in documents for key in json.loads(document.read_text())}
        assert {line.key for line in node.lines if line.depth == 0} == keys


@pytest.mark.parametrize("place", SOUND, ids=lambda path: path.name)
def test_what_the_specification_names_has_a_meaning(place):
    own = {"method", "note", "maximumfieldcount"}
    unknown = {
        line.key
        for node in read_nodes(place)
        for line in node.lines
        if line.meaning.startswith("OME-Zarr does not define") and ".metadata" not in line.where
    }
    assert not unknown - own


def test_the_nodes_of_an_image_are_itself_its_levels_and_its_labels():
    paths = [node.path for node in read_nodes(DATA / "sound" / "labels")]
    assert paths[0] == ""
    assert {"0", "labels"} <= set(paths)
    assert any(path.startswith("labels/") for path in paths)


def test_a_key_means_what_it_means_where_it_stands():
    assert "array that holds this level" in meaning(("multiscales", "datasets"), "path")
    assert "well" in meaning(("plate", "wells"), "path")
    assert "does not define" in meaning((), "our-own")


def test_paths_are_those_that_findings_give_in_every_version():
    new = lines_of({"attributes": {"ome": {"multiscales": [{"axes": [{"name": "y"}]}]}}})
    old = lines_of({"multiscales": [{"axes": [{"name": "y"}]}]})
    assert [line.where for line in old] == [line.where for line in new][2:]
    assert old[-1].where == "multiscales[0].axes[0].name"


def test_short_lists_of_numbers_stay_on_one_line_and_long_lists_are_cut():
    lines = lines_of({"scale": [1, 0.5, 0.5], "wells": [{"path": f"A/{n}"} for n in range(100)]})
    assert (lines[0].value, lines[0].holds) == ("[1, 0.5, 0.5]", False)
    assert (lines[-1].key, lines[-1].value) == ("…", "and 40 more")


@pytest.mark.parametrize(
    ("name", "path", "where"),
    [
        ("growing_scale", "", "multiscales[0].datasets[1].coordinateTransformations"),
        ("distinct_axes", "", "multiscales[0].axes[1].name"),
        ("array_fill_value", "0", "fill_value"),
        ("array_dimensions_differ", "0", "chunks"),
        ("array_chunk_too_large", "0", "chunk_grid"),
        ("acquisitions_of_well_unknown", "A/1", "well.images[0].acquisition"),
    ],
)
def test_a_finding_stands_at_the_line_it_is_about(name, path, where):
    tree = broken(name)
    assert line_of(tree._nodes, path, where).issues


@pytest.mark.parametrize("place", sorted((DATA / "broken").glob("*_*")), ids=lambda path: path.name)
def test_no_finding_gets_lost(place):
    issues = validate(place)
    try:
        nodes = with_issues(read_nodes(place), issues)
    except MetadataError:
        return  # nothing there can be shown; the error says so
    shown = [issue for node in nodes for issue in node.all_issues]
    assert sorted(map(str, shown)) == sorted(map(str, issues))


def test_a_finding_about_what_is_not_there_stands_at_what_should_hold_it():
    nodes = read_nodes(DATA / "sound" / "0_5")
    issue = Issue("must", "multiscales[0].axes[7].unit", "it is missing", "0.5")
    marked = with_issues(nodes, [issue])
    assert line_of(marked, "", "multiscales[0].axes").issues == (issue,)


def test_a_level_that_is_named_but_missing_is_said_to_be():
    assert [node.kind for node in broken("level_missing")._nodes if node.path == "1"] == [
        "named, but not there"
    ]


def test_a_place_without_metadata_is_refused_with_what_is_there(tmp_path):
    (tmp_path / "plane.tif").write_bytes(b"")
    with pytest.raises(MetadataError, match=r"plane\.tif"):
        MetadataTree(tmp_path)


def test_choosing_a_line_says_its_value_meaning_and_findings_in_words():
    tree = broken("growing_scale")
    tree.look("multiscales[0].datasets[1].coordinateTransformations")
    assert "then translation" in tree.text
    assert "must: level 1 has smaller voxels" in tree.text
    assert tree.chosen["issues"][0][0] == "must"


def test_choosing_another_node_shows_its_lines():
    tree = MetadataTree(DATA / "sound" / "0_5")
    at = [node["path"] for node in tree.nodes].index("0")
    ask(tree, do="node", node=at)
    assert "chunk_grid" in [line["key"] for line in tree.lines]
    ask(tree, do="line", line=[line["key"] for line in tree.lines].index("fill_value"))
    assert "not stored reads as" in tree.text


@pytest.mark.parametrize(
    "message",
    [{"do": "node", "node": 99}, {"do": "node", "node": "0"}, {"do": "line", "line": 999}, {"do": 1}, {}],
)
def test_a_strange_message_does_no_harm(message):
    tree = MetadataTree(DATA / "sound" / "0_4")
    ask(tree, **message)
    assert (tree.notice, tree.chosen["node"], tree.chosen["line"]) == ("", 0, -1)


def test_without_findings_none_are_claimed_to_be_missing():
    assert "validator" not in MetadataTree(DATA / "broken" / "growing_scale", findings=False).text


def test_a_static_page_shows_a_picture():
    assert broken("growing_scale").picture().startswith(b"\x89PNG")
