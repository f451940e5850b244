"""Rules about the coordinate systems of 0.6: which transformations a level has, and what they connect."""

from __future__ import annotations

from collections.abc import Iterator

from ngff_practical.metadata.paths import path_fault
from ngff_practical.metadata.structure import Spot, entries
from ngff_practical.metadata.subject import Rule, Subject
from ngff_practical.metadata.transforms import coordinate_system_name
from ngff_practical.metadata.wording import listed, quoted, shown
from ngff_practical.model import Issue

_ONE = "expected one: a scale, an identity, or a sequence of scale and translation"


def kinds_of_level_transformations(image: Subject) -> Iterator[Issue]:
    """Demand a scale, an identity or a sequence of scale and translation (0.6, multiscales metadata)."""
    for _, dataset, where in _datasets(image):
        spot = image.spot("multiscales metadata", f"{where}.coordinateTransformations")
        items = dataset.get("coordinateTransformations")
        if isinstance(items, list) and len(items) > 1:
            yield spot.must(f"there are {len(items)} transformations, {_ONE}")
        for index, item in enumerate(entries(dataset, "coordinateTransformations")):
            kind = item.get("type")
            if kind == "sequence":
                at = spot.item(index).key("transformations")
                steps = [str(step.get("type")) for step in entries(item, "transformations")]
                if steps != ["scale", "translation"] and not image.faulty(at.where):
                    found = listed(steps) or "nothing"
                    yield at.must(f"the sequence holds {found}, expected a scale, then a translation")
            elif isinstance(kind, str) and kind not in ("scale", "identity"):
                yield (
                    spot.item(index).key("type").must(f"the transformation is of type {quoted(kind)}, {_ONE}")
                )


def ends_of_level_transformations(image: Subject) -> Iterator[Issue]:
    """Demand the level's path as input, one system for all as output (0.6, multiscales metadata)."""
    for item, where in _images(image):
        systems = [system.get("name") for system in entries(item, "coordinateSystems")]
        first: str | None = None
        for index, dataset in enumerate(entries(item, "datasets")):
            for at, transformation in enumerate(entries(dataset, "coordinateTransformations")):
                place = f"{where}.datasets[{index}].coordinateTransformations[{at}]"
                spot = image.spot("multiscales metadata", place)
                yield from _ends(transformation, dataset.get("path"), spot, texts=image.draft)
                output = coordinate_system_name(transformation.get("output"))
                if output is None or not systems:
                    continue
                if output not in systems:
                    message = f"it leads to {quoted(output)}, which is none of the coordinateSystems"
                    yield spot.key("output").must(message)
                elif first is not None and output != first:
                    message = (
                        f"it leads to {quoted(output)}, but level 0 to {quoted(first)}; expected the same"
                    )
                    yield spot.key("output").must(message)
                first = first or output


def ends_of_image_transformations(image: Subject) -> Iterator[Issue]:
    """Recommend known systems at the ends of an image's own transformations (0.6, multiscales metadata).

    The text demands it, but readers pass these transformations over, and so do its own examples.
    """
    for item, where in _images(image):
        names = [system.get("name") for system in entries(item, "coordinateSystems")]
        systems = [name for name in names if isinstance(name, str)]
        for index, transformation in enumerate(entries(item, "coordinateTransformations")):
            spot = image.spot("multiscales metadata", f"{where}.coordinateTransformations[{index}]")
            for end in ("input", "output"):
                named = transformation.get(end)
                name = coordinate_system_name(named)
                elsewhere = isinstance(named, dict) and named.get("path") is not None
                if name is not None and name not in systems and not elsewhere:
                    message = (
                        f"{end} is {quoted(name)}, which is none of the coordinateSystems ({listed(systems)})"
                    )
                    yield spot.key(end).should(message)


SYSTEM_RULES: tuple[Rule, ...] = (
    kinds_of_level_transformations,
    ends_of_level_transformations,
    ends_of_image_transformations,
)


def _ends(transformation: dict[str, object], path: object, spot: Spot, *, texts: bool) -> Iterator[Issue]:
    start, end = transformation.get("input"), transformation.get("output")
    if texts and isinstance(start, str) and isinstance(end, str):
        return  # as drafts of 0.6 had it
    named = start.get("path") if isinstance(start, dict) else None
    if not isinstance(named, str):
        yield spot.key("input").must(
            f"input is {shown(start)}, expected an object with the path of the level"
        )
    elif isinstance(path, str) and named != path and not path_fault(path):
        yield spot.key("input").must(
            f"it starts from {quoted(named)}, expected the level's path {quoted(path)}"
        )
    if not isinstance(end, dict) or not isinstance(end.get("name"), str):
        message = f"output is {shown(end)}, expected an object with the name of a coordinate system"
        yield spot.key("output").must(message)


def _images(image: Subject) -> Iterator[tuple[dict[str, object], str]]:
    for number, item in enumerate(entries(image.metadata, "multiscales")) if image.version == "0.6" else ():
        yield item, f"multiscales[{number}]"


def _datasets(image: Subject) -> Iterator[tuple[dict[str, object], dict[str, object], str]]:
    for item, where in _images(image):
        for index, dataset in enumerate(entries(item, "datasets")):
            yield item, dataset, f"{where}.datasets[{index}]"
