"""One fault at a time in a sound document: one finding each, and none for what is no fault."""

import copy
import re
from collections.abc import Callable
from typing import Literal

import pytest

from ngff_practical.metadata import (
    ArrayInfo,
    Subject,
    array_info,
    array_issues,
    check,
    image_document,
    kind_of,
)
from ngff_practical.model import Axis, Channel, Issue, Kind, Level, Pyramid, Version

ZYX = tuple(Axis(name, "space", "micrometer") for name in "zyx")
SIZES = (64, 32, 16)
MODERN: tuple[Version, ...] = ("0.4", "0.5", "0.6")
WINDOW = (0.0, 255.0, 0.0, 255.0)

type Json = dict[str, object]


def metadata(version: Version) -> Json:
    """An image of three levels and two channels that breaks no rule, as what stands below "ome"."""
    levels = tuple(
        Level(
            str(index),
            (2, 9, size, size),
            "uint16",
            (1, 1, 16, 16),
            (1.0, 2.0, *(32 / size,) * 2),
            (0.0, 0.0, *(16 / size - 0.25,) * 2),
        )
        for index, size in enumerate(SIZES)
    )
    channels = (Channel("a", "FF0000", WINDOW), Channel("b", "00FF00", WINDOW))
    axes = (Axis("c", "channel"), *ZYX)
    image = Pyramid("cells", version, axes, levels, channels=channels, downsampling="mean")
    document = image_document(image)
    inner = document.get("ome", document)
    assert isinstance(inner, dict)
    return copy.deepcopy(inner)


def judged(
    version: Version, inner: Json, *, sizes: tuple[int, ...] = SIZES, kind: Kind = "image"
) -> list[Issue]:
    zarr_format: Literal[2, 3] = 3 if version in ("0.5", "0.6") else 2
    arrays = {
        str(index): ArrayInfo(
            (2, 9, size, size), "uint16", (1, 1, 16, 16), zarr_format, dimension_names=("c", "z", "y", "x")
        )
        for index, size in enumerate(sizes)
    }
    attributes = {"ome": inner} if zarr_format == 3 else inner
    return check(Subject(kind, version, attributes, arrays, zarr_format))


def image_of(inner: Json) -> dict[str, list[dict[str, object]]]:
    images = inner["multiscales"]
    assert isinstance(images, list)
    found: dict[str, list[dict[str, object]]] = images[0]
    return found


def axes_of(inner: Json) -> list[dict[str, object]]:
    image = image_of(inner)
    if "axes" in image:
        return image["axes"]
    found = image["coordinateSystems"][0]["axes"]
    assert isinstance(found, list)
    return found


def steps_of(inner: Json, level: int) -> list[dict[str, list[object]]]:
    found = image_of(inner)["datasets"][level]["coordinateTransformations"]
    assert isinstance(found, list)
    steps: list[dict[str, list[object]]] = found[0].get("transformations", found)
    return steps


def set_scale(inner: Json, level: int, *scale: object) -> None:
    steps_of(inner, level)[0]["scale"] = list(scale)


@pytest.mark.parametrize("version", MODERN)
def test_image_that_the_faults_are_made_from_breaks_no_rule(version: Version) -> None:
    assert judged(version, metadata(version)) == []


def without_axes(inner: Json) -> None:
    image_of(inner).pop("axes", None)
    image_of(inner).get("coordinateSystems", [{}])[0].pop("axes", None)


def halved(inner: Json) -> None:
    for level, size in enumerate((0.5, 0.25, 0.125)):
        set_scale(inner, level, 1.0, 2.0, size, size)


def the_same(inner: Json) -> None:
    for level in range(3):
        set_scale(inner, level, 1.0, 2.0, 0.5, 0.5)


FAULTS: dict[str, tuple[Callable[[Json], object], str]] = {
    "axes missing": (without_axes, r".*\.axes"),
    "channel axis of type time": (lambda inner: axes_of(inner)[0].update(type="time", unit="second"), ""),
    "channel axis of no type": (lambda inner: axes_of(inner)[0].pop("type"), r".*\.axes\[0\]\.type"),
    "axis twice": (lambda inner: axes_of(inner)[3].update(name="y"), r".*\.axes\[3\]\.name"),
    "axis without a name": (lambda inner: axes_of(inner)[3].update(name=""), r".*\.axes\[3\]\.name"),
    "unit that is a number": (lambda inner: axes_of(inner)[1].update(unit=5), r".*\.axes\[1\]\.unit"),
    "scale with a text": (
        lambda inner: set_scale(inner, 1, 1.0, 2.0, "1.0", 1.0),
        r".*datasets\[1\].*\.scale\[2\]",
    ),
    "scale with a text, first level": (
        lambda inner: set_scale(inner, 0, 1.0, 2.0, "1.0", 1.0),
        r".*datasets\[0\].*\.scale\[2\]",
    ),
    "scale that is null": (
        lambda inner: steps_of(inner, 1)[0].update(scale=None),  # type: ignore[call-overload]
        r".*datasets\[1\].*\.scale",
    ),
    "scale too long": (
        lambda inner: steps_of(inner, 1)[0]["scale"].append(1.0),
        r".*datasets\[1\].*\.scale",
    ),
    "scales that shrink": (halved, r"multiscales\[0\]\.datasets\[1\]\.coordinateTransformations"),
    "scales that stay": (the_same, r"multiscales\[0\]\.datasets\[1\]\.coordinateTransformations"),
    "translation before scale": (lambda inner: steps_of(inner, 1).reverse(), r".*datasets\[1\]\..*"),
    "two scales": (
        lambda inner: steps_of(inner, 1).insert(0, copy.deepcopy(steps_of(inner, 1)[0])),
        r".*datasets\[1\]\..*",
    ),
    "affine level": (
        lambda inner: steps_of(inner, 0)[0].update(type="affine"),  # type: ignore[call-overload]
        r".*datasets\[0\]\.coordinateTransformations.*",
    ),
}


@pytest.mark.parametrize("version", MODERN)
@pytest.mark.parametrize("fault", FAULTS)
def test_one_fault_is_one_finding(fault: str, version: Version) -> None:
    inner = metadata(version)
    damage, where = FAULTS[fault]
    damage(inner)
    found = judged(version, inner)
    if fault == "scales that stay":  # an offset is not what the scale asks for: advice of its own
        found = [issue for issue in found if issue.severity == "must"]
    assert len(found) <= 1, found
    if where:
        assert re.fullmatch(where, found[0].where), found


@pytest.mark.parametrize("version", MODERN)
def test_levels_from_the_smallest_to_the_largest_are_one_finding(version: Version) -> None:
    inner = metadata(version)
    image_of(inner)["datasets"].reverse()
    (issue,) = judged(version, inner)
    assert issue.where == "multiscales[0].datasets[1].path"
    assert "from the largest to the smallest" in issue.message


@pytest.mark.parametrize("version", MODERN)
@pytest.mark.parametrize("wobble", [1e-12, 1e-9, 1e-7])
def test_scale_that_differs_by_rounding_is_no_fault(version: Version, wobble: float) -> None:
    inner = metadata(version)
    set_scale(inner, 1, 1.0, 2.0 * (1 - wobble), 1.0, 1.0)
    assert judged(version, inner) == []


def test_levels_with_the_same_fault_are_counted_in_one_finding() -> None:
    inner = metadata("0.5")
    the_same(inner)
    (issue,) = [issue for issue in judged("0.5", inner) if issue.severity == "must"]
    assert issue.message.endswith("; 1 more level likewise")


def test_place_of_a_number_in_a_sequence_can_be_looked_up() -> None:
    inner = metadata("0.6")
    steps_of(inner, 1)[0]["scale"][2] = -1.0
    (issue,) = judged("0.6", inner)
    place = "multiscales[0].datasets[1].coordinateTransformations[0].transformations[0].scale"
    assert issue.where == place


def test_deep_place_is_not_cut() -> None:
    inner = metadata("0.6")
    steps_of(inner, 1)[0]["scale"][2] = float("nan")
    (issue,) = judged("0.6", inner)
    assert issue.where.endswith(".transformations[0].scale[2]")


@pytest.mark.parametrize("key", ["filters", "compressor"])
def test_array_without_a_key_that_zarr_gets_by_without_is_read(key: str) -> None:
    document: Json = {
        **{"zarr_format": 2, "shape": [4], "chunks": [2], "dtype": "<u2", "order": "C", "fill_value": 0},
        **{"compressor": None, "filters": None},
    }
    del document[key]
    assert array_info(document, "0").codecs == ()
    assert [(issue.severity, issue.where) for issue in array_issues(document)] == [("should", key)]


def test_whole_number_with_a_decimal_point_is_whole() -> None:
    lines = {"rows": [{"name": "A"}], "columns": [{"name": "1"}]}
    acquisitions = [{"id": 1.0, "name": "a", "maximumfieldcount": 2.0}]
    wells = [{"path": "A/1", "rowIndex": 0.0, "columnIndex": 0.0}]
    plate = {"name": "p", "field_count": 2.0, "wells": wells, "acquisitions": acquisitions, **lines}
    assert check(Subject("plate", "0.4", {"plate": {**plate, "version": "0.4"}})) == []
    wells[0]["rowIndex"] = 0.5
    (issue,) = check(Subject("plate", "0.4", {"plate": {**plate, "version": "0.4"}}))
    assert "rowIndex is the number 0.5, expected a whole number" in issue.message


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("خلايا", True),
        ("می\N{ZERO WIDTH NON-JOINER}خواهم", True),
        ("👩\N{ZERO WIDTH JOINER}🔬", True),
        ("a\N{ZERO WIDTH SPACE}b", False),
        ("a\N{RIGHT-TO-LEFT OVERRIDE}b", False),
        ("a\x1b[31mb", False),
        ("a\nb", False),
    ],
)
def test_name_of_any_script_is_plain_and_one_that_deceives_is_not(name: str, plain: bool) -> None:
    inner = metadata("0.5")
    image_of(inner)["name"] = name  # type: ignore[assignment]
    assert (judged("0.5", inner) == []) is plain


@pytest.mark.parametrize("key", ["plate", "well", "image-label"])
def test_key_that_is_null_does_not_make_an_image_something_else(key: str) -> None:
    assert kind_of({"ome": {**metadata("0.5"), key: None}}) == "image"
    assert kind_of({"ome": {key: None}}) != "image"


def test_axis_of_a_type_of_its_own_says_nothing_about_channels() -> None:
    inner = metadata("0.5")
    axes_of(inner)[0]["type"] = "angle"
    assert judged("0.5", inner) == []


def test_size_that_comes_of_two_scales_is_not_suspected() -> None:
    inner = metadata("0.5")
    image_of(inner)["coordinateTransformations"] = [{"type": "scale", "scale": [1.0, 0.5, 1.0, 1.0]}]
    assert judged("0.5", inner) == []


def test_wells_whose_indices_start_at_one_are_one_finding_for_rows_and_one_for_columns() -> None:
    lines = {"rows": [{"name": "A"}, {"name": "B"}], "columns": [{"name": "1"}, {"name": "2"}]}
    wells = [
        {"path": f"{row}/{column}", "rowIndex": at + 1, "columnIndex": beside + 1}
        for at, row in enumerate("AB")
        for beside, column in enumerate("12")
    ]
    plate = {"plate": {"name": "p", "field_count": 1, "version": "0.4", "wells": wells, **lines}}
    found = check(Subject("plate", "0.4", plate))
    assert [issue.where for issue in found] == ["plate.wells[0].rowIndex", "plate.wells[0].columnIndex"]
    assert all(issue.message.endswith("; 3 more wells likewise") for issue in found)
