"""Which kind of OME-Zarr a group's attributes describe, and which version they are written in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, get_args

from ngff_practical.model import Kind, Version

VERSIONS: tuple[Version, ...] = get_args(Version.__value__)
"""Released versions of the specification, oldest first."""

_DRAFT = re.compile(r"(0\.\d+)(?:[.-]?(?:dev|rc|a|b)[.-]?\d*)")


def metadata_of(attributes: Mapping[str, object]) -> dict[str, object]:
    """Return the OME-Zarr metadata in a group's attributes: what is below "ome" (from 0.5 on), or all."""
    inner = attributes.get("ome")
    return dict(inner) if isinstance(inner, dict) else dict(attributes)


def version_of(attributes: Mapping[str, object]) -> str | None:
    """Return the version as it is written, whatever it is, and None where none is stated.

    A version written as a number is returned as its digits. Metadata of 0.4 and before state it in the
    first multiscales entry, the plate, the well or the image-label.
    """
    metadata = metadata_of(attributes)
    multiscales = metadata.get("multiscales")
    first = multiscales[0] if isinstance(multiscales, list) and multiscales else None
    for part in (metadata, first, *(metadata.get(key) for key in ("plate", "well", "image-label"))):
        stated = part.get("version") if isinstance(part, dict) else None
        if isinstance(stated, str) or (isinstance(stated, int | float) and not isinstance(stated, bool)):
            return str(stated)
    return None


def kind_of(attributes: Mapping[str, object]) -> Kind:
    """Return what the attributes say the group is, "none" where they are not OME-Zarr.

    A plate stays a plate where "bioformats2raw.layout" is there too (OME-Zarr 0.4, bioformats2raw.layout).
    Where anything else is there, a key that is null says nothing: some libraries write all keys they know.
    """
    metadata = metadata_of(attributes)
    metadata = {key: value for key, value in metadata.items() if value is not None} or metadata
    if "multiscales" in metadata and not {"plate", "well"} & metadata.keys():
        return "label" if "image-label" in metadata else "image"
    names: dict[str, Kind] = {
        "plate": "plate",
        "well": "well",
        "scene": "scene",
        "labels": "labels",
        "bioformats2raw.layout": "bioformats2raw",
        "series": "bioformats2raw",
        "image-label": "label",
    }
    return next((kind for key, kind in names.items() if key in metadata), "none")


def base_version(stated: str | None) -> Version | None:
    """Return the released version whose rules a stated version follows, None for one that nobody knows.

    Drafts ("0.6.dev3", "0.6rc0") and dialects ("0.5-dev-spatialdata") follow the version they start with;
    drafts of versions still to come follow the newest release.
    """
    if stated is None:
        return None
    match = re.match(r"0\.\d+", stated)
    if match is None or (match.group() != stated and stated[match.end()].isdigit()):
        return None
    if match.group() in VERSIONS:
        return next(version for version in VERSIONS if version == match.group())
    return VERSIONS[-1] if is_draft(stated) else None


def is_draft(stated: str) -> bool:
    """Return True for a numbered draft of the specification itself, such as "0.6.dev3" or "0.6rc0"."""
    return _DRAFT.fullmatch(stated) is not None


def assumed_version(attributes: Mapping[str, object], zarr_format: Literal[2, 3]) -> Version:
    """Return the version to read metadata by: the stated one's, else what their form suggests."""
    stated = base_version(version_of(attributes))
    if stated is not None:
        return stated
    metadata = metadata_of(attributes)
    multiscales = metadata.get("multiscales")
    first = multiscales[0] if isinstance(multiscales, list) and multiscales else None
    keys: dict[str, object] = first if isinstance(first, dict) else {}
    if "coordinateSystems" in keys:
        return "0.6"
    if zarr_format == 3 or "ome" in attributes:
        return "0.5"
    axes = keys.get("axes")
    if isinstance(axes, list) and axes and all(isinstance(axis, str) for axis in axes):
        return "0.3"
    return "0.4"
