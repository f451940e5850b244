"""All rules in one table, and `check`, which applies those of a kind and keeps one finding per fault."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Literal

from ngff_practical.metadata.models import second_opinion
from ngff_practical.metadata.rules_arrays import ARRAY_RULES
from ngff_practical.metadata.rules_axes import AXIS_RULES
from ngff_practical.metadata.rules_general import CHANNEL_RULES, GENERAL_RULES, something_known
from ngff_practical.metadata.rules_labels import LABEL_RULES
from ngff_practical.metadata.rules_plate import (
    COLLECTION_RULES,
    LABELS_RULES,
    PLATE_RULES,
    SCENE_RULES,
    WELL_RULES,
)
from ngff_practical.metadata.rules_systems import SYSTEM_RULES
from ngff_practical.metadata.rules_transforms import TRANSFORM_RULES
from ngff_practical.metadata.shapes import rule_name, shape_of
from ngff_practical.metadata.structure import Spot
from ngff_practical.metadata.subject import Rule, Subject
from ngff_practical.metadata.versions import assumed_version, kind_of
from ngff_practical.model import Issue, Kind, Version

_IMAGE_RULES = (*GENERAL_RULES, *AXIS_RULES, *SYSTEM_RULES, *TRANSFORM_RULES, *ARRAY_RULES, *CHANNEL_RULES)

RULES: dict[Kind, tuple[Rule, ...]] = {
    "image": _IMAGE_RULES,
    "label": (*_IMAGE_RULES, *LABEL_RULES),
    "labels": (*GENERAL_RULES, *LABELS_RULES),
    "plate": (*GENERAL_RULES, *PLATE_RULES),
    "well": (*GENERAL_RULES, *WELL_RULES),
    "bioformats2raw": (*GENERAL_RULES, *COLLECTION_RULES),
    "scene": (*GENERAL_RULES, *SCENE_RULES),
    "none": (something_known,),
}
"""Every rule about one group, by kind, what others build on first; each quotes what it enforces."""

_PARTS: dict[Kind, str] = {
    "image": "multiscales metadata",
    "label": "labels metadata",
    "bioformats2raw": "bioformats2raw.layout metadata",
    "none": "OME-Zarr Metadata",
}


def check_document(
    attributes: Mapping[str, object], *, kind: Kind | None = None, version: Version | None = None
) -> list[Issue]:
    """Return what is wrong with the attributes of a group, judged alone, without its arrays.

    `kind` and `version` are what the attributes are judged as; left out, what they themselves say.
    """
    kind = kind or kind_of(attributes)
    return check(Subject(kind, version or assumed_version(attributes, _format(attributes)), attributes))


def check(group: Subject) -> list[Issue]:
    """Return what is wrong with one group: its metadata, and its arrays as far as they are given.

    The table of its kind and version comes first, then the rules of RULES, then ome-zarr-models, of which
    only that is kept which nothing before has found at the same place.
    """
    rule = rule_name(group.version, _PARTS.get(group.kind, f"{group.kind} metadata"))
    found = [*shape_of(group.kind, group.version)(group.metadata, Spot("", rule))]
    for look in RULES[group.kind]:
        faults = frozenset(issue.where for issue in found if issue.severity == "must")
        if faults != group.faults:
            group = replace(group, faults=faults)
        found.extend(_new(look(group), found))
    if not group.draft and not any(issue.where == "" for issue in found):
        found.extend(_unsaid(second_opinion(group.kind, group.version, group.metadata, rule), found))
    return found


def _new(issues: Iterable[Issue], found: list[Issue]) -> Iterator[Issue]:
    """Leave out what a finding before it says of the same place, as gravely or more so."""
    known = {(issue.severity, issue.where) for issue in found if issue.where}
    for issue in issues:
        if not {(issue.severity, issue.where), ("must", issue.where)} & known:
            yield issue


def _unsaid(issues: Iterable[Issue], found: list[Issue]) -> Iterator[Issue]:
    """Leave out what lies above, below or at a finding before it: the same fault in other words."""
    said = [issue.where for issue in found if issue.severity == "must"]
    for issue in issues:
        if not any(_same_branch(issue.where, where) for where in said):
            said.append(issue.where)
            yield issue


def _same_branch(left: str, right: str) -> bool:
    short, long = sorted((left, right), key=len)
    return long.startswith(short) and (len(long) == len(short) or not short or long[len(short)] in ".[")


def _format(attributes: Mapping[str, object]) -> Literal[2, 3]:
    return 3 if "ome" in attributes else 2
