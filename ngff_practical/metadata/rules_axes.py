"""Rules about the axes of an image: how many, of which type, in which order, in which unit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ngff_practical.metadata.reading import axes_of
from ngff_practical.metadata.structure import Spot, entries
from ngff_practical.metadata.subject import Rule, Subject
from ngff_practical.metadata.wording import is_plain, listed, plural, quoted
from ngff_practical.model import Axis, Issue

_PREFIXES = (
    *("", "atto", "centi", "deci", "exa", "femto", "giga", "hecto", "kilo", "mega", "micro", "milli"),
    *("nano", "peta", "pico", "tera", "yocto", "yotta", "zepto", "zetta"),
)  # those of the SI that the specification lists; deca is not among them
UNITS = {
    "space": frozenset(
        {f"{prefix}meter" for prefix in _PREFIXES} | {"angstrom", "foot", "inch", "mile", "parsec", "yard"}
    ),
    "time": frozenset({f"{prefix}second" for prefix in _PREFIXES} | {"minute", "hour", "day"}),
}
"""Units that the specification recommends, of UDUNITS-2, by axis type."""

_MEANT = {
    **dict.fromkeys(
        ("µm", "μm", "um", "micron", "microns", "micrometre", "micrometers", "Micrometer"), "micrometer"
    ),
    **dict.fromkeys(("nm", "nanometre", "nanometers"), "nanometer"),
    **dict.fromkeys(("mm", "millimetre", "millimeters"), "millimeter"),
    **dict.fromkeys(("m", "metre", "meters"), "meter"),
    **dict.fromkeys(("Å", "A", "angstroms"), "angstrom"),
    **dict.fromkeys(("s", "sec", "seconds"), "second"),
    **dict.fromkeys(("ms", "msec", "milliseconds"), "millisecond"),
    **dict.fromkeys(("min", "minutes"), "minute"),
    **dict.fromkeys(("h", "hours"), "hour"),
}


def number_of_axes(image: Subject) -> Iterator[Issue]:
    """Demand 2 to 5 axes (0.5, multiscales metadata)."""
    for spot, axes in _axes(image):
        if not 2 <= len(axes) <= 5:
            yield spot.must(f"there {_are(len(axes))} ({_names(axes)}), expected 2 to 5")


def distinct_axes(image: Subject) -> Iterator[Issue]:
    """Demand another name for every axis (0.5, axes metadata)."""
    for spot, axes in _few_axes(image):
        names = [axis.name for axis in axes]
        repeated = [name for name in dict.fromkeys(names) if names.count(name) > 1]
        if repeated:
            second = names.index(repeated[0], names.index(repeated[0]) + 1)
            at = image.spot("axes metadata", spot.where).item(second).key("name")
            yield at.must(f"more than one of the axes {_names(axes)} is called {listed(repeated)}")


def types_of_axes(image: Subject) -> Iterator[Issue]:
    """Demand 2 or 3 axes of space, at most one of time, at most one other (0.5, multiscales metadata)."""
    for spot, axes in _few_axes(image):
        types = [axis.type for axis in axes]
        if image.version == "0.6" and set(types) == {"array"}:
            continue  # a coordinate system that counts voxels
        space, time = types.count("space"), types.count("time")
        others = [axis for axis in axes if axis.type not in ("space", "time")]
        if not 2 <= space <= 3:
            found = _are(space)
            yield spot.must(f"there {found} of type space among {_names(axes)}, expected 2 or 3")
        elif len(others) > 1:
            yield spot.must(f"{_names(others)} are neither space nor time, expected at most 1 such axis")
        if time > 1:
            yield spot.must(f"there {_are(time)} of type time, expected at most 1")


def order_of_axes(image: Subject) -> Iterator[Issue]:
    """Demand time first, then channel or custom, then space (0.5, multiscales metadata)."""
    for spot, axes in _axes(image):
        ranks = [{"time": 0, "space": 2}.get(axis.type or "", 1) for axis in axes]
        if ranks != sorted(ranks):
            proper = [axis for _, axis in sorted(zip(ranks, axes, strict=True), key=lambda pair: pair[0])]
            message = f"the axes are in the order {_names(axes)}, expected {_names(proper)}"
            yield spot.must(f"{message}: time, then channel, then space")


def order_of_space(image: Subject) -> Iterator[Issue]:
    """Recommend the order zyx of spatial axes (0.5, multiscales metadata)."""
    for spot, axes in _axes(image):
        names = [axis.name.lower() for axis in axes if axis.type == "space"]
        proper = sorted(names, key="zyx".find)
        if len(set(names)) == len(names) and set(names) <= set("zyx") and names != proper:
            yield spot.should(f"the spatial axes are in the order {listed(names)}, expected {listed(proper)}")


def order_of_letters(image: Subject) -> Iterator[Issue]:
    """Demand the order t, c, z, y, x, every letter once (0.3, multiscales metadata)."""
    for found in image.multiscales if image.version == "0.3" else ():
        names = [axis.name for axis in found.axes or ()]
        spot = image.spot("multiscales metadata", f"{found.where}.axes")
        if len(set(names)) < len(names):
            yield spot.must(f"an axis stands twice in {listed(names)}")
        elif names != sorted(names, key="tczyx".find) and set(names) <= set("tczyx"):
            yield spot.must(f"the axes are in the order {listed(names)}, expected t, c, z, y, x")


def units(image: Subject) -> Iterator[Issue]:
    """Recommend a unit for every axis, one that UDUNITS-2 knows (0.5, axes metadata)."""
    for found, axes in _axes(image):
        spot = image.spot("axes metadata", found.where)
        without = [
            axis.name
            for index, axis in enumerate(axes)
            if axis.unit is None
            and axis.type in UNITS
            and not image.faulty(spot.item(index).key("unit").where)
        ]
        if without:
            have = "have" if len(without) > 1 else "has"
            yield spot.should(f"{listed(without)} {have} no unit, so nobody knows what the scale means")
        for index, axis in enumerate(axes):
            allowed = UNITS.get(axis.type or "", frozenset())
            if axis.unit is None or not allowed or axis.unit in allowed:
                continue
            advice = _MEANT.get(axis.unit)
            expected = (
                f'write "{advice}"' if advice in allowed else f"expected one like {_example(axis.type)}"
            )
            message = f"the unit of {listed([axis.name])} is {quoted(axis.unit)}, which is not in the list"
            yield spot.item(index).key("unit").should(f"{message}; {expected}")


def plain_axis_names(image: Subject) -> Iterator[Issue]:
    """Recommend names without markup and control characters, as every viewer shows them."""
    for spot, axes in _axes(image):
        for index, axis in enumerate(axes):
            if not is_plain(axis.name) or any(mark in axis.name for mark in "<>&"):
                message = f"the axis is called {quoted(axis.name)}, expected a plain name such as z"
                yield spot.item(index).key("name").should(message)


AXIS_RULES: tuple[Rule, ...] = (
    number_of_axes,
    distinct_axes,
    types_of_axes,
    order_of_axes,
    order_of_space,
    order_of_letters,
    units,
    plain_axis_names,
)


def _axes(image: Subject) -> Iterator[tuple[Spot, tuple[Axis, ...]]]:
    """Yield every readable list of axes of 0.4 and later; in 0.6 each coordinate system has one."""
    if not image.calibrated:
        return
    multiscales = image.metadata.get("multiscales")
    for index, item in enumerate(multiscales if isinstance(multiscales, list) else ()):
        where = f"multiscales[{index}]"
        if image.version == "0.6":
            for at, system in enumerate(entries(item, "coordinateSystems")):
                axes = axes_of(system.get("axes"))
                if axes:
                    yield image.spot("multiscales metadata", f"{where}.coordinateSystems[{at}].axes"), axes
        elif isinstance(item, dict):
            axes = axes_of(item.get("axes"))
            if axes and not any(isinstance(axis, str) for axis in item["axes"]):
                yield image.spot("multiscales metadata", f"{where}.axes"), axes


def _few_axes(image: Subject) -> Iterator[tuple[Spot, tuple[Axis, ...]]]:
    """Yield the lists of axes that have a possible length; of others only that is said."""
    return ((spot, axes) for spot, axes in _axes(image) if 2 <= len(axes) <= 5)


def _are(count: int) -> str:
    return f"{'is' if count == 1 else 'are'} {plural(count, 'axis', 'axes')}"


def _example(kind: str | None) -> str:
    return '"second"' if kind == "time" else '"micrometer"'


def _names(axes: Sequence[Axis]) -> str:
    return listed(axis.name for axis in axes)
