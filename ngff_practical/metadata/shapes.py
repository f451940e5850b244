"""What the metadata of every kind looks like in every version: keys, types and what is free to vary.

Each table follows the section of the specification that its rule names. A key is `must` where the text
demands it and readers need it, `should` where the text recommends it or readers get by without it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ngff_practical.metadata.shapes_transforms import transform_0_4, transform_0_6
from ngff_practical.metadata.structure import (
    MOST_LEVELS,
    Check,
    Field,
    Spot,
    a_number,
    anything,
    choice,
    each,
    flag,
    mapping,
    may,
    must,
    record,
    section,
    should,
    text,
)
from ngff_practical.model import Issue, Kind, Version

_NAME = text(r"[A-Za-z0-9]+", "letters and digits only")
_WHOLE = a_number(whole=True)
_COUNT = a_number(whole=True, least=1)
_MOMENT = a_number(whole=True, least=0)
_STARTED_AT_0_4 = frozenset({"0.1", "0.2", "0.3"})  # versions before the plate section was spelled out


def shape_of(kind: Kind, version: Version) -> Check:
    """Return the check of the metadata object of one kind in one version."""
    fields: dict[Kind, tuple[Field, ...]] = {
        "image": _image(version),
        "label": (replace(_image(version)[0], need="may"), *_image(version)[1:], _image_label(version)),
        "labels": (must("labels", _in("labels", version, each(text())), "where the label images are"),),
        "plate": (must("plate", _in("plate", version, _plate(version)), "which wells there are"),),
        "well": (must("well", _in("well", version, _well(version)), "which images the well holds"),),
        "bioformats2raw": _collection(version),
        "scene": (must("scene", _in("scene", version, _scene()), "how the images lie to each other"),),
        "none": (),
    }
    return record(*fields[kind])


def rule_name(version: Version, part: str) -> str:
    """Return the name of a section of the specification, as findings quote it."""
    return f"OME-Zarr {version}, {part}"


def _in(part: str, version: Version, check: Check) -> Check:
    return section(rule_name(version, f"{part} metadata"), check)


def _image(version: Version) -> tuple[Field, ...]:
    one = _multiscale_0_6() if version == "0.6" else _multiscale(version)
    return (
        must(
            "multiscales",
            _in("multiscales", version, each(one, least=1, most=MOST_LEVELS)),
            "which arrays are the resolutions of the image",
        ),
        may("omero", _in("omero", version, _omero())),
    )


def _described() -> tuple[Field, ...]:
    return (
        should("name", text(), "what the image is called"),
        should("type", text(severity="should"), "how the smaller levels were computed"),
        should("metadata", _method, "how the smaller levels were computed, in detail"),
    )


def _method(value: object, spot: Spot) -> Iterator[Issue]:
    if not isinstance(value, dict):
        yield spot.wrong(value, "an object", "should")


def _multiscale(version: Version) -> Check:
    dataset = [must("path", text(), "in which folder the level is")]
    fields = [*_described(), should("version", choice(version), "which version of OME-Zarr this is")]
    if version == "0.5":
        fields.pop()
    if version in ("0.4", "0.5"):
        transforms = _in("coordinateTransformations", version, each(transform_0_4))
        dataset.append(must("coordinateTransformations", transforms, "how large a voxel of the level is"))
        fields.append(may("coordinateTransformations", transforms))
        axes = _in("axes", version, _axes_0_4)
        fields.append(must("axes", axes, "what the dimensions of the arrays are"))
    if version == "0.3":
        letters = each(choice("t", "c", "z", "y", "x"), least=2)
        fields.append(must("axes", letters, "what the dimensions of the arrays are"))
    fields.append(
        must(
            "datasets",
            each(record(*dataset), least=1, most=MOST_LEVELS),
            "which arrays are the levels of the image",
        )
    )
    return record(*fields)


def _axes_0_4(value: object, spot: Spot) -> Iterator[Issue]:
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        yield spot.issue(
            "must",
            'the axes are plain texts as in 0.3, expected objects such as {"name": "z", "type": "space"}',
        )
        return
    yield from each(_axis(), least=1)(value, spot)


def _axis(*more: Field) -> Check:
    return record(
        must("name", text(".+", "a name"), "which dimension this is"),
        should("type", text(), "whether this is space, time or channel"),
        may("unit", text()),
        *more,
    )


def _multiscale_0_6() -> Check:
    system = record(
        must("name", text(".+", "a name"), "what the coordinate system is called"),
        must(
            "axes",
            _in(
                "axes",
                "0.6",
                each(_axis(may("discrete", flag), may("longName", text())), least=1),
            ),
            "what its dimensions are",
        ),
    )
    dataset = record(
        must("path", text(), "in which folder the level is"),
        must(
            "coordinateTransformations",
            _in("coordinateTransformations", "0.6", each(transform_0_6, least=1)),
            "how large a voxel of the level is",
        ),
    )
    systems = _in("coordinateSystems", "0.6", each(system, least=1, distinct="name"))
    return record(
        *_described(),
        must("coordinateSystems", systems, "what the dimensions of the arrays are"),
        must(
            "datasets", each(dataset, least=1, most=MOST_LEVELS), "which arrays are the levels of the image"
        ),
        may("coordinateTransformations", each(mapping)),
    )


def _scene() -> Check:
    transformation = record(
        must("type", text(), "its kind"),
        must("input", mapping, "where it starts"),
        must("output", mapping, "where it leads"),
    )
    return record(
        must("coordinateTransformations", each(transformation), "how the images lie to each other"),
        may("coordinateSystems", each(mapping, distinct="name")),
    )


def _omero() -> Check:
    edge = a_number()
    window = record(
        *(must(name, edge, "one limit of the values to show") for name in ("min", "max", "start", "end"))
    )
    channel = record(
        must(
            "color",
            text("[0-9A-Fa-f]{6}", 'six hexadecimal digits without "#", such as "00FF00"'),
            "its colour",
        ),
        must("window", window, "between which values to show it"),
        may("label", text()),
        may("family", text()),
        may("active", flag),
    )
    return record(must("channels", each(channel), "how to show every channel"))


def _image_label(version: Version) -> Field:
    value = must("label-value", _WHOLE, "which pixels this is about")
    colour = record(value, may("rgba", _rgba))
    fields = [
        should(
            "colors", each(colour, least=1, distinct="label-value"), "in which colour to show every label"
        ),
        may("properties", each(record(value), least=1)),
        may("source", record(may("image", text()))),
    ]
    if version != "0.6":
        fields.append(should("version", choice(version), "which version of OME-Zarr this is"))
    return may("image-label", _in("labels", version, record(*fields)))


def _rgba(value: object, spot: Spot) -> Iterator[Issue]:
    if not isinstance(value, list) or len(value) != 4:
        yield spot.wrong(value, "a list of 4 numbers: red, green, blue and opacity")
        return
    yield from each(a_number(whole=True, least=0, most=255))(value, spot)


def _plate(version: Version) -> Check:
    early = version in _STARTED_AT_0_4
    line = each(
        record(must("name", text() if early else _NAME, "what it is called")), least=1, distinct="name"
    )
    place = text() if early else text(r"[A-Za-z0-9]+/[A-Za-z0-9]+", 'a row and a column, such as "A/1"')
    well = [must("path", place, "in which folder the well is")]
    if not early:
        index = a_number(whole=True, least=0)
        well += [
            must("rowIndex", index, "which row it is in"),
            must("columnIndex", index, "which column it is in"),
        ]
    moment = anything if early else _MOMENT  # an "epoch string" there
    acquisition = record(
        must("id", a_number() if early else _MOMENT, "how wells refer to it"),
        should("name", text(), "what it is called"),
        should("maximumfieldcount", _COUNT, "how many fields of view it has at most"),
        may("description", text()),
        may("starttime", moment),
        may("endtime", moment),
    )
    fields = [
        must("columns", line, "which columns the plate has"),
        must("rows", line, "which rows the plate has"),
        must("wells", each(record(*well), least=1, distinct="path"), "which wells there are"),
        should("name", text(), "what the plate is called"),
        should("field_count", _COUNT, "how many fields of view a well has at most"),
        may("acquisitions", each(acquisition, distinct="id")),
    ]
    if version != "0.6":
        fields.append(should("version", choice(version), "which version of OME-Zarr this is"))
    return record(*fields)


def _well(version: Version) -> Check:
    if version in _STARTED_AT_0_4:
        path = text()
    elif version == "0.6":
        path = text(r"(?!\.+$)(?!__)[A-Za-z0-9._-]+", 'letters, digits, "-", "_" and "." only')
    else:
        path = _NAME
    image = record(must("path", path, "in which folder the image is"), may("acquisition", _WHOLE))
    fields = [must("images", each(image, least=1, distinct="path"), "which images the well holds")]
    if version != "0.6":
        fields.append(should("version", choice(version), "which version of OME-Zarr this is"))
    return record(*fields)


def _collection(version: Version) -> tuple[Field, ...]:
    return (
        may("bioformats2raw.layout", _in("bioformats2raw.layout", version, choice(3))),
        may("series", _in("bioformats2raw.layout", version, each(text()))),
    )
