"""What ome-zarr-models says, as a second opinion: the class of exactly this kind and version."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING

from ngff_practical.metadata.structure import Spot, entries
from ngff_practical.metadata.wording import escaped, located, shown
from ngff_practical.model import Issue, Kind, Version

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic_core import ErrorDetails

_CLASSES: dict[Kind, str] = {
    "image": "image.ImageAttrs",
    "label": "image_label.ImageLabelAttrs",
    "labels": "labels.LabelsAttrs",
    "plate": "hcs.HCSAttrs",
    "well": "well.WellAttrs",
    "bioformats2raw": "bioformats2raw.BioFormats2RawAttrs",
    "scene": "scene.BaseSceneAttrs",
}

_LONGEST_COMPARED = 500
_NOT_COMPARED = ("wells", "colors", "properties")

# A part that stands alone (an image-label, the series of a collection) has no class of its own.
_SUBJECTS: dict[Kind, frozenset[str]] = {
    "label": frozenset({"multiscales"}),
    "bioformats2raw": frozenset({"bioformats2raw.layout"}),
}

# What is not taken over. The models are stricter than the text in the first two: rgba MAY be absent, and
# colors and properties may differ. Our own rules judge the others: each path, well and transformation, and
# resolutions with an allowance for rounding.
_NOT_TAKEN = (
    "rgba: Field required",
    "Inconsistent `label_value`",
    "path: Field required",
    "has a lower resolution",
    "Error validating plate metadata",
    "Invalid input in coordinate transformation",
    "Invalid output in coordinate transformation",
)

# Some validators of ome-zarr-models 1.8 stumble instead of judging: over vectors of unequal length,
# transformations without a dimension, matrices stored as arrays, lone surrogates. That is no verdict.
_STUMBLES = (RuntimeError, LookupError, TypeError, ValueError, AttributeError, ArithmeticError)

_PHRASES = {
    "missing": "is missing",
    "list_type": "expected a list",
    "tuple_type": "expected a list",
    "string_type": "expected a text",
    "int_type": "expected a whole number",
    "float_type": "expected a number",
    "model_type": "expected an object",
    "dict_type": "expected an object",
    "too_short": "has too few entries",
    "too_long": "has too many entries",
}


def second_opinion(
    kind: Kind, version: Version, metadata: Mapping[str, object], rule: str
) -> Iterator[Issue]:
    """Find what ome-zarr-models refuses, a `must` for each cause; nothing for versions it does not know.

    `metadata` is what stands below "ome" from 0.5 on; its stated version is not judged here.
    """
    model = _model(kind, version)
    if model is None or not metadata.keys() & _SUBJECTS.get(kind, metadata.keys()) or _takes_long(metadata):
        return
    stated = {"version": version} if version in ("0.5", "0.6") else {}
    judged = _judge(model.model_validate, {**metadata, **stated})
    if judged is not None:
        yield from _issues(judged[:_LONGEST_COMPARED], metadata, "", rule)
        return
    for where, transformation in _transformations(metadata):
        yield from _issues(_judge(_transformation, transformation) or [], transformation, where, rule)


def _takes_long(value: object, name: str = "") -> bool:
    """Return True for lists whose entries the models would compare each with each, for minutes."""
    if isinstance(value, Mapping):
        return any(_takes_long(child, key) for key, child in value.items())
    if isinstance(value, list):
        limit = _LONGEST_COMPARED if name not in _NOT_COMPARED else 20 * _LONGEST_COMPARED
        return len(value) > limit or any(_takes_long(child) for child in value)
    return False


def _judge(validate: Callable[[object], object], value: object) -> list[ErrorDetails] | None:
    """Return the errors that a model finds in a value, None where it stumbles over it."""
    from pydantic import ValidationError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            validate(value)
    except ValidationError as error:
        return error.errors(include_url=False, include_context=False)
    except _STUMBLES:
        return None
    return []


def _transformation(value: object) -> object:
    from ome_zarr_models.v06.coordinate_transforms import AnyTransform
    from pydantic import TypeAdapter

    adapter: TypeAdapter[object] = TypeAdapter(AnyTransform)
    return adapter.validate_python(value)


def _transformations(metadata: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """Yield the transformations of whole images, which 0.6 has in a great variety."""
    for number, image in enumerate(entries(metadata, "multiscales")):
        for index, item in enumerate(entries(image, "coordinateTransformations")):
            yield f"multiscales[{number}].coordinateTransformations[{index}]", item


def _model(kind: Kind, version: Version) -> type[BaseModel] | None:
    name = _CLASSES.get(kind)
    if name is None or version not in ("0.4", "0.5", "0.6") or (kind == "scene" and version != "0.6"):
        return None
    module, _, attributes = name.partition(".")
    found: type[BaseModel] = getattr(
        import_module(f"ome_zarr_models.v{version.replace('.', '')}.{module}"), attributes
    )
    return found


def _issues(details: Iterable[ErrorDetails], value: object, where: str, rule: str) -> Iterator[Issue]:
    for detail in details:
        said = f"{detail['loc'][-1] if detail['loc'] else ''}: {detail['msg']}"
        if not any(words in said for words in _NOT_TAKEN):
            yield _issue(detail, _spot(detail, value, Spot(where, rule)))


def _issue(detail: ErrorDetails, spot: Spot) -> Issue:
    phrase = _PHRASES.get(detail["type"])
    if detail["type"] == "missing":
        return spot.must(f"{spot.name} is missing")
    if phrase:
        return spot.must(f"{spot.name} is {shown(detail['input'])}, {phrase}")
    cause = detail["msg"].removeprefix("Value error, ").splitlines()
    return spot.must(f"{spot.name}: {escaped(' '.join(cause), limit=200)}")


def _spot(detail: ErrorDetails, value: object, spot: Spot) -> Spot:
    """Return where in the document an error is; pydantic mixes the names of its own classes into the path."""
    tag = ""
    for part in detail["loc"]:
        if isinstance(part, int) and isinstance(value, list):
            spot, value, tag = spot.item(part), value[part] if part < len(value) else None, ""
        elif isinstance(part, str) and isinstance(value, Mapping):
            if not tag and part == value.get("type"):
                tag = part  # which class of transformation it was judged as
            elif part in value or (detail["type"] == "missing" and part == detail["loc"][-1]):
                spot, value, tag = spot.key(part), value.get(part), ""
    return replace(spot, where=located(spot.where))
