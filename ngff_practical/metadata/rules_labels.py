"""Rules about label images: what they say of their labels, and how they fit the image they belong to."""

from __future__ import annotations

from collections.abc import Iterator

from ngff_practical.metadata.arrays import integer_limits
from ngff_practical.metadata.structure import entries
from ngff_practical.metadata.subject import Rule, Subject
from ngff_practical.metadata.wording import listed, plural, quoted
from ngff_practical.model import Issue


def label_says_so(label: Subject) -> Iterator[Issue]:
    """Demand an image-label of an image that is listed as a label image (0.5, labels metadata).

    The text says SHOULD; but nothing else tells a label image from a plain one, and no viewer guesses.
    """
    if label.zarr_format is not None and "image-label" not in label.metadata:
        message = (
            "image-label is missing though the image is listed in labels, so viewers show it as a plain one"
        )
        yield label.spot("labels metadata", "image-label").must(message)


def label_has_levels(label: Subject) -> Iterator[Issue]:
    """Demand the multiscales specification of label images, too (0.5, labels metadata)."""
    if label.zarr_format is not None and "multiscales" not in label.metadata:
        spot = label.spot("labels metadata", "multiscales")
        yield spot.must("multiscales is missing, so this label image has no pixels")


def colors_and_properties(label: Subject) -> Iterator[Issue]:
    """Suspect a slip where properties and colors are about different labels (0.5, labels metadata)."""
    described = label.metadata.get("image-label")
    colors, properties = (_values(described, key) for key in ("colors", "properties"))
    if colors and properties and not colors & properties:
        spot = label.spot("labels metadata", "image-label.properties")
        yield spot.should("properties describe none of the labels that colors are given for")


def values_of_labels(label: Subject) -> Iterator[Issue]:
    """Suspect a slip where colors are given for values that no pixel can have (0.5, labels metadata)."""
    first = next(label.levels(label.multiscales[0]), None) if label.multiscales else None
    limits = integer_limits(first[1].dtype) if first else None
    if first is None or limits is None:
        return
    for part in ("colors", "properties"):
        values = sorted(_values(label.metadata.get("image-label"), part))
        outside = [value for value in values if not limits[0] <= value <= limits[1]]
        if outside:
            spot = label.spot("labels metadata", f"image-label.{part}")
            message = f"{part} are given for {listed(map(str, outside))}, which {first[1].dtype} cannot hold"
            yield spot.should(message)


def label_fits_image(label: Subject, image: Subject) -> Iterator[Issue]:
    """Demand the image's number of levels, and its size or 1 along every axis (0.5, labels metadata).

    Up to 0.4 another number of levels is a `should` here: docs/validators.md says why.
    """
    if not label.multiscales or not image.multiscales:
        return
    mine, theirs = label.multiscales[0], image.multiscales[0]
    count, expected = len(mine.datasets), len(theirs.datasets)
    if count != expected:
        message = f"the label image has {plural(count, 'level')}, its image {expected}; expected the same"
        spot = label.spot("labels metadata", f"{mine.where}.datasets")
        yield spot.must(message) if label.modern else spot.should(message)
    sizes, own = _sizes(image), _sizes(label)
    for name, size in own.items():
        if name in sizes and size not in (1, sizes[name]):
            spot = label.spot("labels metadata", f"{mine.where}.datasets[0].path")
            message = f"along {quoted(name)} the label image has {size} voxels, its image {sizes[name]}"
            yield spot.must(f"{message}; expected the same, or 1")
    unknown = [name for name in own if name not in sizes]
    if unknown and sizes:
        spot = label.spot("labels metadata", f"{mine.where}.axes")
        yield spot.issue(
            "should", f"the label image has the axes {listed(unknown)}, which its image does not have"
        )


LABEL_RULES: tuple[Rule, ...] = (label_says_so, label_has_levels, colors_and_properties, values_of_labels)


def _values(described: object, key: str) -> set[int]:
    values = (item.get("label-value") for item in entries(described, key))
    return {value for value in values if isinstance(value, int)}


def _sizes(subject: Subject) -> dict[str, int]:
    """Return the size of the full resolution by axis name; nothing where it is not known."""
    found = subject.multiscales[0]
    level = next(subject.levels(found), None)
    if not found.axes or level is None or level[0] != found.datasets[0].where:
        return {}
    return {axis.name: size for axis, size in zip(found.axes, level[1].shape, strict=False)}
