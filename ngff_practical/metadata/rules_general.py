"""Rules about every kind of group: the stated version, where the metadata stands, and texts that deceive."""

from __future__ import annotations

from collections.abc import Iterator

from ngff_practical.metadata.documents import not_json_numbers
from ngff_practical.metadata.structure import Spot, entries, is_number
from ngff_practical.metadata.subject import Rule, Subject
from ngff_practical.metadata.versions import is_draft
from ngff_practical.metadata.wording import is_plain, listed, number, quoted, shown
from ngff_practical.model import Issue


def stated_version(group: Subject) -> Iterator[Issue]:
    """Demand the version as a text in the namespace "ome" (0.5, OME-Zarr Metadata)."""
    spot = group.spot("OME-Zarr Metadata", "version")
    if not group.modern or not isinstance(group.attributes.get("ome"), dict):
        return
    if "version" not in group.metadata:
        yield spot.must(f'version is missing; expected "{group.version}"')
        return
    stated = group.metadata["version"]
    if not isinstance(stated, str):
        yield spot.wrong(stated, f'the text "{group.version}"')
    elif stated != group.version and is_draft(stated):
        message = f"{quoted(stated)} is a draft of the specification, judged here by OME-Zarr {group.version}"
        yield spot.should(message)
    elif stated != group.version:
        yield spot.must(f'version is {shown(stated)}, expected "{group.version}" or another release')


def place_of_metadata(group: Subject) -> Iterator[Issue]:
    """Demand Zarr v3 and the key "ome" from 0.5 on, Zarr v2 before (0.5, OME-Zarr Metadata)."""
    spot = group.spot("OME-Zarr Metadata" if group.modern else "storage format", "")
    inside = "ome" in group.attributes
    if group.modern and not inside:
        yield spot.must('the metadata stands beside the key "ome", expected below it')
    elif inside and not isinstance(group.attributes["ome"], dict):
        yield spot.key("ome").wrong(group.attributes["ome"], "an object")
    elif group.modern and "multiscales" in group.attributes:
        message = (
            'multiscales stands beside the key "ome", too; only the one below it counts, remove the other'
        )
        yield spot.key("multiscales").should(message)
    expected = group.expected_format
    if group.zarr_format not in (expected, None):
        message = f"the group is Zarr v{group.zarr_format}, but OME-Zarr {group.version} is Zarr v{expected}"
        yield spot.must(message)


def finite_numbers(group: Subject) -> Iterator[Issue]:
    """Demand JSON, which has neither NaN nor Infinity (RFC 8259, numbers)."""
    yield from not_json_numbers(group.metadata)


def plain_names(group: Subject) -> Iterator[Issue]:
    """Recommend names that show what they hold: no control characters, no change of the writing direction."""
    for spot, name in _names(group):
        if not is_plain(name):
            yield spot.issue(
                "should", f"{spot.name} is {shown(name)}: some characters change how text is shown"
            )


def something_known(group: Subject) -> Iterator[Issue]:
    """Demand one of the keys that the specification defines (0.5, OME-Zarr Metadata)."""
    keys = listed(group.metadata) or "nothing"
    message = f"this is no OME-Zarr metadata: expected multiscales, plate, well or labels, found {keys}"
    yield group.spot("OME-Zarr Metadata", "").must(message)


def channels(image: Subject) -> Iterator[Issue]:
    """Recommend one entry of omero for every channel (0.5, omero metadata)."""
    described = entries(image.metadata.get("omero"), "channels")
    first = next(image.levels(image.multiscales[0]), None) if image.multiscales else None
    if not described or first is None:
        return
    found = image.multiscales[0]
    axes = found.axes or ()
    sizes = [size for axis, size in zip(axes, first[1].shape, strict=False) if axis.type == "channel"]
    others = [axis for axis in axes if axis.type not in ("space", "time")]
    if not axes or image.faulty(image.axes_at(found)) or (others and not sizes):
        return  # nobody knows how many channels there are
    count = sizes[0] if sizes else 1
    if len(described) != count:
        spot = image.spot("omero metadata", "omero.channels")
        yield spot.should(f"omero describes {len(described)} channels, but the image has {count}")


def windows(image: Subject) -> Iterator[Issue]:
    """Recommend display limits in ascending order (0.5, omero metadata)."""
    for index, channel in enumerate(entries(image.metadata.get("omero"), "channels")):
        window = channel.get("window")
        spot = image.spot("omero metadata", f"omero.channels[{index}].window")
        for low, high in (("start", "end"), ("min", "max")):
            lower, upper = (window.get(low), window.get(high)) if isinstance(window, dict) else (None, None)
            if is_number(lower) and is_number(upper) and lower > upper:
                message = (
                    f"{low} is {number(lower)} and {high} is {number(upper)}, expected {low} below {high}"
                )
                yield spot.should(message)


def several_images(image: Subject) -> Iterator[Issue]:
    """Recommend a name for each of several images, by which to choose (0.5, multiscales metadata)."""
    names = [found.name for found in image.multiscales]
    if len(names) > 1 and len(set(names)) < len(names):
        message = f"{len(names)} images share the names {listed(map(quoted, names))}; give each its own"
        yield image.spot("multiscales metadata", "multiscales").should(message)


GENERAL_RULES: tuple[Rule, ...] = (stated_version, place_of_metadata, finite_numbers, plain_names)
CHANNEL_RULES: tuple[Rule, ...] = (channels, windows, several_images)


def _names(group: Subject) -> Iterator[tuple[Spot, str]]:
    """Yield the texts that viewers show as names."""
    spots = [
        (group.spot("multiscales metadata", f"multiscales[{index}].name"), item.get("name"))
        for index, item in enumerate(entries(group.metadata, "multiscales"))
    ]
    for index, channel in enumerate(entries(group.metadata.get("omero"), "channels")):
        spots.append((group.spot("omero metadata", f"omero.channels[{index}].label"), channel.get("label")))
    plate = group.metadata.get("plate")
    if isinstance(plate, dict):
        spots.append((group.spot("plate metadata", "plate.name"), plate.get("name")))
    yield from ((spot, name) for spot, name in spots if isinstance(name, str))
