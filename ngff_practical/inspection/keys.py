"""Keys below a place: where the documents of groups and arrays are, by Zarr format."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from ngff_practical.metadata.wording import located
from ngff_practical.model import Issue

type ZarrFormat = Literal[2, 3]


def join(path: str, name: str) -> str:
    """Return the path of something below a group."""
    return f"{path}/{name}" if path else name


def array_key(path: str, zarr_format: ZarrFormat) -> str:
    """Return the key of an array's own document."""
    return join(path, "zarr.json" if zarr_format == 3 else ".zarray")


def attributes_key(path: str, zarr_format: ZarrFormat) -> str:
    """Return the key of the document that holds a group's attributes."""
    return join(path, "zarr.json" if zarr_format == 3 else ".zattrs")


def below(path: str, issue: Issue) -> Issue:
    """Return a finding with the path of its group before the path into the metadata."""
    if not path:
        return issue
    return replace(issue, where=f"{located(path)}: {issue.where}" if issue.where else located(path))
