"""Write a stack of label ids as a label image of an image that is there already, listed when it is whole."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from contextlib import nullcontext
from pathlib import Path

from ngff_practical.convert.readback import Thoroughness
from ngff_practical.convert.run import convert
from ngff_practical.errors import MetadataError, NotFoundError, PlanError, StorageError
from ngff_practical.metadata import labels_document, parse_document
from ngff_practical.metadata.paths import path_fault
from ngff_practical.metadata.writing import Rgba
from ngff_practical.model import ConversionReport, Location, Place, Pyramid, StackSource
from ngff_practical.storage import object_exists, parse_place, read_object, write_object
from ngff_practical.storage.lock import alone

LABELS = "labels"
_RESERVED = re.compile(r"^\s|\s$|[/:]|^__|^\.z|^zarr\.json$")  # blanks, separators, and Zarr's own names
ATTRIBUTES = {2: ".zattrs", 3: "zarr.json"}


def convert_labels(
    source: StackSource,
    image: str | Path | Location,
    pyramid: Pyramid,
    *,
    name: str,
    colors: Mapping[int, Rgba] | None = None,
    overwrite: bool = False,
    verify: Thoroughness = "sample",
    executor: Executor | None = None,
    on_slab: Callable[[int, int], None] | None = None,
) -> ConversionReport:
    """Write label ids as `labels/NAME` of an image, and report what was counted; see `convert`.

    `pyramid` comes from `plan_labels`. The image itself is not touched, and labels it has already stay
    listed; the new name is added to the list last, when all of it is written and read back. `overwrite`
    replaces labels of this name.

    Raises
    ------
    PlanError
        The name cannot be the name of a folder.
    NotFoundError
        There is no image of the plan's version at the place.
    """
    check_labels_name(name)
    place = image if isinstance(image, Location) else parse_place(image)
    if not object_exists(place, ATTRIBUTES[pyramid.zarr_format]):
        raise NotFoundError(
            f"{place} holds no OME-Zarr {pyramid.version} image; convert the image first, its labels then"
        )
    group = place / LABELS
    if isinstance(group, Path):
        try:
            group.mkdir(exist_ok=True)
        except OSError as error:
            raise StorageError(f"{group} cannot be made: {error.strerror or error}") from error
    report = convert(
        source,
        group / name,
        pyramid,
        overwrite=overwrite,
        verify=verify,
        executor=executor,
        label_colors=colors or {},
        on_slab=on_slab,
    )
    with alone(group, "conversion") if isinstance(group, Path) else nullcontext():
        _list_labels(group, name, pyramid)
    return report


def check_labels_name(name: str) -> None:
    """Raise PlanError for what cannot be the name of labels: they lie in a folder of that name."""
    if path_fault(name) or _RESERVED.search(name):
        raise PlanError(f"{name!r} cannot name labels; choose a single word such as nuclei")


def _list_labels(group: Place, name: str, pyramid: Pyramid) -> None:
    """Add a name to the list of labels; what else the group says stays."""
    key = ATTRIBUTES[pyramid.zarr_format]
    stored = _stored(group, key)
    if pyramid.zarr_format == 2:
        write_object(group, ".zgroup", _bytes({"zarr_format": 2}), overwrite=True)
        attributes, document = stored, stored
    else:
        document = {"zarr_format": 3, "node_type": "group", **stored}
        found = stored.get("attributes")
        attributes = dict(found) if isinstance(found, dict) else {}
        document["attributes"] = attributes
    inner = attributes.get("ome") if pyramid.zarr_format == 3 else attributes
    names = inner.get(LABELS) if isinstance(inner, dict) else None
    listed = [item for item in names if isinstance(item, str)] if isinstance(names, list) else []
    attributes.update(labels_document([*listed, *({name} - set(listed))], version=pyramid.version))
    write_object(group, key, _bytes(document), overwrite=True)


def _stored(group: Place, key: str) -> dict[str, object]:
    if not object_exists(group, key):
        return {}
    document = parse_document(read_object(group, key), f"{group}/{key}")
    if document.repeated:
        raise MetadataError(f"{group}/{key} says {document.repeated[0]!r} twice; mend it first")
    return dict(document.value)


def _bytes(document: Mapping[str, object]) -> bytes:
    return json.dumps(document, indent=2).encode()
