"""What is written as metadata and read back, of every version, and what the rules say of broken examples."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import ome_zarr_models.v04.image
import ome_zarr_models.v05.image
import ome_zarr_models.v06.image
import pytest
import yaozarrs
from hypothesis import given, settings
from hypothesis import strategies as st

from ngff_practical.errors import MetadataError
from ngff_practical.metadata import (
    ArrayInfo,
    Subject,
    array_info,
    array_issues,
    assumed_version,
    check,
    check_document,
    escaped,
    image_document,
    kind_of,
    labels_document,
    parse_document,
    pyramid_of,
    version_of,
)
from ngff_practical.metadata.checking import RULES
from ngff_practical.metadata.documents import LARGEST_DOCUMENT
from ngff_practical.metadata.paths import path_fault, resolved
from ngff_practical.metadata.versions import base_version
from ngff_practical.model import Axis, Channel, Kind, Level, Pyramid, Version

DATA = Path(__file__).parent / "data"
CASES = Path(__file__).resolve().parents[2] / "shared" / "data" / "spec_cases"

ZYX = tuple(Axis(name, "space", "micrometer") for name in "zyx")
CZYX = (Axis("c", "channel"), *ZYX)


def planned(version: str, *, channels: tuple[Channel, ...] = (), dtype: str = "uint16") -> Pyramid:
    levels = (
        Level("0", (2, 10, 64, 64), dtype, (1, 1, 64, 64), (1.0, 0.5, 0.25, 0.25), (0.0,) * 4),
        Level("1", (2, 10, 32, 32), dtype, (1, 1, 32, 32), (1.0, 0.5, 0.5, 0.5), (0.0, 0.0, 0.125, 0.125)),
    )
    return Pyramid("embryo", version, CZYX, levels, channels=channels, downsampling="mean")


def array(*shape: int, dtype: str = "uint16") -> ArrayInfo:
    return ArrayInfo(shape, dtype, shape, 3)


def read_back(document: dict[str, object], version: Version) -> Pyramid:
    levels = {"0": array(2, 10, 64, 64), "1": array(2, 10, 32, 32)}
    return pyramid_of(document, levels, version=version)


# Writing


@pytest.mark.parametrize("version", ["0.4", "0.5", "0.6"])
def test_written_document_is_accepted_by_the_models_of_its_version(version: str) -> None:
    document = image_document(planned(version, channels=(Channel("DAPI"), Channel("GFP"))))
    match version:
        case "0.4":
            ome_zarr_models.v04.image.ImageAttrs.model_validate(document)
        case "0.5":
            ome_zarr_models.v05.image.ImageAttrs.model_validate(document["ome"])
        case _:
            ome_zarr_models.v06.image.ImageAttrs.model_validate(document["ome"])


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_written_document_is_accepted_by_yaozarrs(version: str) -> None:
    document = image_document(planned(version, channels=(Channel("DAPI"), Channel("GFP"))))
    yaozarrs.validate_ome_object(document if version == "0.4" else document["ome"])


@pytest.mark.parametrize("version", ["0.4", "0.5", "0.6"])
def test_written_document_breaks_no_rule(version: str) -> None:
    document = image_document(planned(version, channels=(Channel("DAPI"), Channel("GFP"))))
    assert check_document(document) == []


@pytest.mark.parametrize("version", ["0.4", "0.5", "0.6"])
def test_written_document_reads_back_as_the_plan(version: Version) -> None:
    plan = planned(version, channels=(Channel("DAPI", "0000FF", (0.0, 4095.0, 10.0, 500.0)),))
    found = read_back(image_document(plan), version)
    assert (found.name, found.version, found.axes, found.channels) == (
        plan.name,
        version,
        CZYX,
        plan.channels,
    )
    assert [level.scale for level in found.levels] == [level.scale for level in plan.levels]
    assert found.levels[1].translation == plan.levels[1].translation


def test_level_without_offset_gets_no_translation() -> None:
    datasets = image_document(planned("0.4"))["multiscales"][0]["datasets"]
    assert [[step["type"] for step in level["coordinateTransformations"]] for level in datasets] == [
        ["scale"],
        ["scale", "translation"],
    ]


def test_image_without_channels_gets_no_omero() -> None:
    assert "omero" not in image_document(planned("0.5"))["ome"]


def test_colour_loses_its_hash() -> None:
    document = image_document(planned("0.5", channels=(Channel("DAPI", "#00ffff"), Channel("GFP"))))
    assert document["ome"]["omero"]["channels"][0]["color"] == "00FFFF"


@pytest.mark.parametrize(
    ("dtype", "limits"), [("uint8", [0, 255]), ("int16", [-32768, 32767]), ("float32", [0, 1])]
)
def test_window_of_a_channel_without_one_is_the_range_of_its_type(dtype: str, limits: list[int]) -> None:
    document = image_document(planned("0.5", channels=(Channel("DAPI"),), dtype=dtype))
    window = document["ome"]["omero"]["channels"][0]["window"]
    assert [window["min"], window["max"]] == [window["start"], window["end"]] == limits


@pytest.mark.parametrize("version", ["0.4", "0.5", "0.6"])
def test_label_image_says_what_it_belongs_to(version: str) -> None:
    document = image_document(planned(version), label_colors={1: (255, 0, 0, 255)})
    metadata = document if version == "0.4" else document["ome"]
    assert kind_of(document) == "label"
    assert metadata["image-label"]["source"] == {"image": "../../"}
    assert check_document(document) == []


@pytest.mark.parametrize("version", ["0.4", "0.5", "0.6"])
def test_labels_group_lists_its_label_images(version: str) -> None:
    document = labels_document(["nuclei"], version=version)
    assert kind_of(document) == "labels"
    assert check_document(document) == []


def test_version_that_is_not_written_is_refused() -> None:
    with pytest.raises(MetadataError, match=r"0\.3 is not written; choose 0\.4 or 0\.5 or 0\.6"):
        image_document(planned("0.3"))


# Reading


def test_axes_of_0_2_are_the_five_that_nobody_states() -> None:
    document = {"multiscales": [{"version": "0.2", "datasets": [{"path": "0"}]}]}
    found = pyramid_of(document, {"0": array(1, 2, 3, 4, 5)}, version="0.2")
    assert found.axis_names == ("t", "c", "z", "y", "x")
    assert [axis.type for axis in found.axes] == ["time", "channel", "space", "space", "space"]


def test_axes_of_0_3_are_letters() -> None:
    document = {"multiscales": [{"version": "0.3", "axes": ["c", "y", "x"], "datasets": [{"path": "0"}]}]}
    found = pyramid_of(document, {"0": array(2, 8, 8)}, version="0.3")
    assert found.axes == (Axis("c", "channel"), Axis("y", "space"), Axis("x", "space"))


def test_scale_that_nobody_states_is_one() -> None:
    document = {"multiscales": [{"version": "0.3", "axes": ["y", "x"], "datasets": [{"path": "0"}]}]}
    assert pyramid_of(document, {"0": array(8, 8)}, version="0.3").levels[0].scale == (1.0, 1.0)


def test_transformations_of_the_whole_image_come_after_those_of_its_levels() -> None:
    document = {
        "multiscales": [
            {
                "axes": [{"name": "y", "type": "space"}, {"name": "x", "type": "space"}],
                "datasets": [
                    {
                        "path": "0",
                        "coordinateTransformations": [
                            {"type": "scale", "scale": [2, 3]},
                            {"type": "translation", "translation": [10, 20]},
                        ],
                    }
                ],
                "coordinateTransformations": [
                    {"type": "scale", "scale": [5, 7]},
                    {"type": "translation", "translation": [100, 200]},
                ],
            }
        ]
    }
    level = pyramid_of(document, {"0": array(8, 8)}, version="0.4").levels[0]
    voxel = np.array([4, 6])  # through one after the other: (voxel * 2, 3 + 10, 20) * 5, 7 + 100, 200
    through = (voxel * [2, 3] + [10, 20]) * [5, 7] + [100, 200]
    assert tuple(voxel * level.scale + level.translation) == tuple(through)


def test_axes_of_0_6_are_those_that_the_levels_lead_to() -> None:
    systems = [
        {"name": "stage", "axes": [{"name": "a", "type": "space"}, {"name": "b", "type": "space"}]},
        {"name": "physical", "axes": [{"name": "y", "type": "space"}, {"name": "x", "type": "space"}]},
    ]
    transformation = {"type": "identity", "input": {"path": "0"}, "output": {"name": "physical"}}
    datasets = [{"path": "0", "coordinateTransformations": [transformation]}]
    document = {
        "ome": {"version": "0.6", "multiscales": [{"coordinateSystems": systems, "datasets": datasets}]}
    }
    assert pyramid_of(document, {"0": array(8, 8)}, version="0.6").axis_names == ("y", "x")


@pytest.mark.parametrize("path", ["../1", "/1", "s3://bucket/1", "%2e%2e/1", "0\0", "", "C:\\1", "0/./1"])
def test_level_that_leads_elsewhere_is_not_followed(path: str) -> None:
    document = {"multiscales": [{"version": "0.3", "axes": ["y", "x"], "datasets": [{"path": path}]}]}
    with pytest.raises(MetadataError, match=r"the path .* of multiscales\[0\]\.datasets\[0\]"):
        pyramid_of(document, {}, version="0.3")


def test_array_with_other_dimensions_than_the_axes_is_no_image() -> None:
    document = {"multiscales": [{"version": "0.3", "axes": ["y", "x"], "datasets": [{"path": "0"}]}]}
    with pytest.raises(MetadataError, match="level 0 has 3 dimensions, the image 2 axes"):
        pyramid_of(document, {"0": array(2, 8, 8)}, version="0.3")


# Kinds and versions


@pytest.mark.parametrize(
    ("attributes", "kind"),
    [
        ({"multiscales": []}, "image"),
        ({"multiscales": [], "image-label": {}}, "label"),
        ({"ome": {"labels": ["a"]}}, "labels"),
        ({"plate": {}, "bioformats2raw.layout": 3}, "plate"),
        ({"well": {}}, "well"),
        ({"bioformats2raw.layout": 3}, "bioformats2raw"),
        ({"ome": {"series": ["0"]}}, "bioformats2raw"),
        ({"ome": {"scene": {}}}, "scene"),
        ({"spam": 1}, "none"),
        ({"ome": 3}, "none"),
    ],
)
def test_kind_is_what_the_keys_say(attributes: dict[str, object], kind: Kind) -> None:
    assert kind_of(attributes) == kind


@pytest.mark.parametrize(
    ("attributes", "version"),
    [
        ({"ome": {"version": "0.5"}}, "0.5"),
        ({"multiscales": [{"version": "0.4"}]}, "0.4"),
        ({"multiscales": [{"version": 0.4}]}, "0.4"),
        ({"plate": {"version": "0.3"}}, "0.3"),
        ({"well": {}}, None),
        ({"multiscales": [{"version": ["0.4"]}]}, None),
    ],
)
def test_version_is_read_where_each_version_states_it(
    attributes: dict[str, object], version: str | None
) -> None:
    assert version_of(attributes) == version


@pytest.mark.parametrize(
    ("stated", "base"),
    [
        ("0.4", "0.4"),
        ("0.6.dev3", "0.6"),
        ("0.6rc0", "0.6"),
        ("0.5-dev-spatialdata", "0.5"),
        ("0.9.dev1", "0.6"),
        ("9.9", None),
        ("abc123", None),
        ("0.41", None),
        ("0.9", None),
    ],
)
def test_draft_follows_the_version_it_leads_to(stated: str, base: str | None) -> None:
    assert base_version(stated) == base


@pytest.mark.parametrize(
    ("multiscale", "version"),
    [({"axes": ["y", "x"]}, "0.3"), ({"axes": [{"name": "y"}]}, "0.4"), ({"coordinateSystems": []}, "0.6")],
)
def test_version_that_is_not_stated_is_seen_from_the_form(
    multiscale: dict[str, object], version: str
) -> None:
    assert assumed_version({"multiscales": [multiscale]}, 2) == version


# Documents, paths, texts


def test_document_larger_than_metadata_is_not_parsed() -> None:
    with pytest.raises(MetadataError, match=r"zarr\.json is 32 MB large; metadata stays below 32 MB"):
        parse_document(b" " * (LARGEST_DOCUMENT + 1), "zarr.json")


def test_number_of_thousands_of_digits_is_not_parsed() -> None:
    with pytest.raises(MetadataError, match="a number with thousands of digits"):
        parse_document(b'{"a": ' + b"9" * 5000 + b"}", "zarr.json")


def test_document_nested_a_hundred_thousand_deep_is_not_parsed() -> None:
    with pytest.raises(MetadataError, match="nested deeper than metadata ever is"):
        parse_document(b'{"a":' * 100_000, "zarr.json")


def test_key_that_stands_twice_is_remembered() -> None:
    document = parse_document(b'{"a": {"b": 1, "b": 2}, "a": {"b": 3}}', "zarr.json")
    assert (document.value, document.repeated) == ({"a": {"b": 3}}, ("b", "a"))


@pytest.mark.parametrize("path", ["0", "scale0/image", "A/1/0", "my image.zarr", "50%", "ch:1", "größe"])
def test_path_of_plain_names_is_followed(path: str) -> None:
    assert path_fault(path) == ""


@pytest.mark.parametrize(
    ("base", "relative", "target"),
    [
        ("labels/nuclei", "../../", ""),
        ("A/1/0/labels/nuclei", "../../../1", "A/1/1"),
        ("labels/nuclei", "../../../x", None),
        ("labels/nuclei", "%2e%2e", None),
    ],
)
def test_relative_path_never_leads_above_the_top(base: str, relative: str, target: str | None) -> None:
    assert resolved(base, relative) == target


def test_text_of_a_file_cannot_move_the_cursor_or_turn_the_writing() -> None:
    shown = escaped("\x1b[2Ja\nb\u202egpj.exe \ud800 \u2028\u200b")
    assert shown == "\\x1b[2Ja\\x0ab\\u202egpj.exe \\ud800 \\u2028\\u200b"


def test_long_text_is_cut() -> None:
    assert len(escaped("a" * 10_000)) == 80


# Arrays


def v3_array(**changes: object) -> dict[str, object]:
    document: dict[str, object] = {
        "zarr_format": 3,
        "node_type": "array",
        "shape": [10, 20],
        "data_type": "uint16",
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [5, 8]}},
        "chunk_key_encoding": {"name": "default"},
        "fill_value": 0,
        "codecs": [{"name": "bytes"}],
    }
    return document | changes


@pytest.mark.parametrize(
    ("encoding", "key"),
    [
        ({"name": "default"}, "c/1/2"),
        ({"name": "default", "configuration": {"separator": "."}}, "c.1.2"),
        ({"name": "v2"}, "1.2"),
        ({"name": "v2", "configuration": {"separator": "/"}}, "1/2"),
    ],
)
def test_chunk_is_found_under_the_key_that_its_array_says(encoding: dict[str, object], key: str) -> None:
    info = array_info(v3_array(chunk_key_encoding=encoding), "0")
    assert info.object_at(key) == (1, 2)


@pytest.mark.parametrize("key", ["c/2/0", "c/0/3", "c/00/1", "c/0", "c/0/0/0", "0/0", "zarr.json", "c/-1/0"])
def test_key_of_no_chunk_is_none(key: str) -> None:
    assert array_info(v3_array(), "0").object_at(key) is None


def test_shards_are_what_is_stored_and_chunks_what_is_inside() -> None:
    shards = {
        "name": "sharding_indexed",
        "configuration": {"chunk_shape": [5, 4], "codecs": [{"name": "zstd"}]},
    }
    info = array_info(v3_array(codecs=[shards]), "0")
    assert (info.chunks, info.shards, info.codecs) == ((5, 4), (5, 8), ("sharding_indexed", "zstd"))


@pytest.mark.parametrize(
    ("stored", "dtype", "itemsize"),
    [("<u2", "uint16", 2), (">f4", "float32", 4), ("|b1", "bool", 1), ("|i1", "int8", 1)],
)
def test_type_of_a_v2_array_is_numpys(stored: str, dtype: str, itemsize: int) -> None:
    document = {"zarr_format": 2, "shape": [4], "chunks": [4], "dtype": stored, "compressor": None}
    info = array_info({**document, "filters": None, "fill_value": 0, "order": "C"}, "0")
    assert (info.dtype, info.itemsize) == (dtype, itemsize)


@pytest.mark.parametrize(
    "changes",
    [
        {"shape": [2**70, 4]},
        {"shape": [-1, 4]},
        {"shape": "10"},
        {"data_type": "uint128"},
        {"codecs": []},
        {"chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [0, 8]}}},
        {"shape": [True, 4]},
    ],
)
def test_impossible_array_is_refused_and_reported(changes: dict[str, object]) -> None:
    document = v3_array(**changes)
    assert any(issue.severity == "must" for issue in array_issues(document))
    with pytest.raises(MetadataError, match="the array 0 cannot be understood"):
        array_info(document, "0")


# Checking


def cases() -> list[object]:
    if not (CASES / "index.csv").is_file():
        reason = "the collection of other tools' files is not beside this checkout"
        return [pytest.param({}, marks=pytest.mark.skip(reason=reason))]
    with (CASES / "index.csv").open() as file:
        return [pytest.param(row, id=row["path"]) for row in csv.DictReader(file)]


@pytest.mark.parametrize("case", cases())
def test_official_case_gets_its_verdict(case: dict[str, str]) -> None:
    document = json.loads((CASES / case["path"]).read_text())
    name = case["schema"].removesuffix(".schema").removeprefix("strict_")
    kinds: dict[str, Kind | None] = {"bf2raw": "bioformats2raw", "ome": "bioformats2raw", "ome_zarr": None}
    found = check_document(document, kind=kinds.get(name, name), version=case["version"].removesuffix("rc0"))
    strict = (
        case["strict"] == "True" and case["expected"] == "invalid"
    )  # a strict schema demands SHOULDs, too
    invalid = any(issue.severity == "must" or strict for issue in found)
    assert ("invalid" if invalid else "valid") == case["expected"], found


def test_every_rule_about_a_group_has_a_broken_example() -> None:
    examples = [folder.name for folder in (DATA / "broken").iterdir()]
    rules = {rule.__name__ for rules in RULES.values() for rule in rules}
    assert {rule for rule in rules if not any(name.startswith(rule) for name in examples)} == set()


def test_every_rule_about_a_group_says_what_it_enforces_and_where_that_stands() -> None:
    unquoted = {
        rule.__name__
        for rules in RULES.values()
        for rule in rules
        if not re.match(r"(Demand|Recommend|Suspect) ", rule.__doc__ or "")
    }
    assert unquoted == set()


def test_document_of_another_kind_is_no_ome_zarr() -> None:
    (issue,) = check_document({"ome": {"version": "0.5", "spam": 1}})
    assert (issue.severity, issue.where) == ("must", "")
    assert "expected multiscales, plate, well or labels, found version and spam" in issue.message


def test_fault_is_named_once_though_two_would_find_it() -> None:
    document = image_document(planned("0.5"))
    del document["ome"]["multiscales"][0]["axes"]  # our table and ome-zarr-models both miss it
    assert [issue.where for issue in check_document(document)] == ["multiscales[0].axes"]


def test_fault_that_only_the_models_know_is_reported_with_its_path() -> None:
    document = image_document(planned("0.6"))
    document["ome"]["multiscales"][0]["coordinateTransformations"] = [
        {"type": "mapAxis", "mapAxis": [0, 0], "input": {"name": "physical"}, "output": {"name": "physical"}}
    ]
    (issue,) = check_document(document)
    assert issue.where == "multiscales[0].coordinateTransformations[0].mapAxis"
    assert "Not all axes present" in issue.message


def test_models_that_stumble_do_not_hide_a_fault_beside() -> None:
    document = image_document(planned("0.6"))
    ends = {"input": {"name": "physical"}, "output": {"name": "physical"}}
    document["ome"]["multiscales"][0]["coordinateTransformations"] = [
        {
            "type": "sequence",
            "transformations": [{"type": "identity"}],
            **ends,
        },  # has no dimension: they stumble
        {"type": "affine", **ends},
    ]
    assert [issue.where for issue in check_document(document)] == [
        "multiscales[0].coordinateTransformations[1]"
    ]


def test_level_that_was_picked_instead_of_averaged_needs_no_offset() -> None:
    document = image_document(planned("0.5"))
    multiscale = document["ome"]["multiscales"][0]
    multiscale["type"] = "nearest"
    multiscale["datasets"][1]["coordinateTransformations"].pop()
    assert check_document(document) == []


@pytest.mark.parametrize(("size", "coarse"), [(9, 4), (9, 5), (5, 2), (5, 3), (3, 1), (3, 2), (1001, 500)])
def test_scale_fits_a_level_whichever_way_odd_sizes_were_rounded(size: int, coarse: int) -> None:
    document = image_document(planned("0.5"))
    arrays = {"0": array(2, 10, size, size), "1": array(2, 10, coarse, coarse)}
    found = check(Subject("image", "0.5", document, arrays))
    assert not [issue for issue in found if issue.severity == "must"]


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["0.5", "scale"]),
    lambda children: (
        st.lists(children, max_size=4)
        | st.dictionaries(
            st.sampled_from(["path", "type", "scale", "name", "axes", "version"]), children, max_size=4
        )
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(
    key=st.sampled_from(
        ["multiscales", "omero", "plate", "well", "labels", "image-label", "series", "scene", "version"]
    ),
    value=json_values,
    version=st.sampled_from(["0.1", "0.3", "0.4", "0.5", "0.6"]),
    kind=st.sampled_from(["image", "label", "labels", "plate", "well", "bioformats2raw", "scene"]),
)
def test_no_document_is_too_strange_to_be_judged(
    key: str, value: object, version: Version, kind: Kind
) -> None:
    document = image_document(planned("0.5", channels=(Channel("DAPI"),)))
    document["ome"][key] = value
    for issue in check_document(document, kind=kind, version=version):
        assert str(issue).isprintable()


@settings(max_examples=150, deadline=None)
@given(
    place=st.sampled_from([("axes", 0, "name"), ("axes", 0, "type"), ("axes", 1), ("axes",), ("datasets",)])
    | st.sampled_from(
        [("datasets", 0), ("datasets", 1, "path"), ("datasets", 1, "coordinateTransformations")]
    )
    | st.sampled_from(
        [("datasets", 1, "coordinateTransformations", 0, "scale"), ("coordinateTransformations",)]
    ),
    value=json_values,
    version=st.sampled_from(["0.4", "0.5", "0.6"]),
)
def test_no_image_is_too_strange_to_be_judged(
    place: tuple[str | int, ...], value: object, version: Version
) -> None:
    document = image_document(planned(version))
    parent = (document if version == "0.4" else document["ome"])["multiscales"][0]
    for step in place[:-1]:
        parent = (
            parent[step] if not isinstance(parent, dict) or step in parent else parent.setdefault(step, {})
        )
    if isinstance(parent, dict) or (isinstance(parent, list) and isinstance(place[-1], int) and parent):
        parent[place[-1]] = value
    arrays = {"0": array(2, 10, 64, 64), "1": array(2, 10, 32, 32)}
    for issue in check(Subject("image", version, document, arrays, 3)):
        assert str(issue).isprintable()
