"""Paths that metadata names: which stay below their group, and where relative ones lead."""

from __future__ import annotations

import re
from urllib.parse import unquote

from ngff_practical.metadata.wording import is_plain

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|[A-Za-z]:")


def path_fault(path: str) -> str:
    """Return what keeps a path from being followed, as the end of a sentence; "" for a safe one.

    Safe is a relative path of plain names that stays below its group however often it is decoded.
    """
    if not path or not path.strip("/"):
        return "is empty; it has to name a folder below the image"
    if len(path) > 1024:
        return "is longer than 1024 characters, the limit of S3"
    if "\0" in path:
        return "holds a NUL character"
    if path.startswith(("/", "\\")):
        return "is absolute; it has to be relative to the image"
    if _ADDRESS.match(path):
        return "is an address of its own; it has to be relative to the image"
    for form in (path, unquote(path), unquote(unquote(path))):
        parts = form.replace("\\", "/").split("/")
        if ".." in parts:
            return "leads out of the image; it is not followed"
        if form.count("/") > path.count("/"):
            return 'hides a "/" behind percent signs; it is not followed'
        if "." in parts or "" in parts[:-1]:
            return 'has an empty part or "." in it; write plain names separated by "/"'
    if "\\" in path:
        return 'has "\\" in it; the separator is "/" on every system'
    if not is_plain(path):
        return "holds control or invisible characters"
    return ""


def resolved(base: str, relative: str) -> str | None:
    """Return where a relative path such as "../../" leads from a group, None where that is above the top.

    Both are relative to the same top; "" is the top itself.
    """
    parts = [part for part in base.split("/") if part]
    for part in relative.split("/"):
        if part in ("", "."):
            continue
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif path_fault(part):
            return None
        else:
            parts.append(part)
    return "/".join(parts)
