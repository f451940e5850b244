"""A bucket in two views: the keys that begin with a text, and the folders that people read into them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ngff_practical.meter import bytes_text
from ngff_practical.storage import KeyPage
from ngff_practical.widgets.counting import counted

MOST_PAGES = 5
"""Pages of a thousand keys that counting below a prefix may take."""

_IMAGES = (".zarr", ".zarr.zip", ".ozx")


@dataclass(frozen=True, slots=True)
class Amount:
    """Keys and bytes below a prefix; where `more` is set they were counted only so far."""

    keys: int
    nbytes: int
    more: bool

    def __str__(self) -> str:
        least = "at least " if self.more else ""
        return f"{least}{counted(self.keys, 'key')}, {bytes_text(self.nbytes)}"


@dataclass(frozen=True, slots=True)
class Entry:
    """A folder or object directly below the prefix: its name, its whole key, and its size if it has one."""

    name: str
    key: str
    size: str
    folder: bool
    image: bool


@dataclass(frozen=True, slots=True)
class Trap:
    """What a prefix without its closing slash finds besides what lies below the slash."""

    without: int
    within: int
    strangers: tuple[str, ...]
    more: bool

    def sentence(self, prefix: str) -> str:
        """Return what the slash changes, in words."""
        stem = prefix.removesuffix("/")
        least = "at least " if self.more else ""
        found = (
            f"'{stem}' begins {least}{counted(self.without, 'key')}, '{stem}/' {counted(self.within, 'key')}"
        )
        if self.strangers:
            shown = ", ".join(self.strangers[:3])
            return f"{found}: without the slash the listing takes in {shown}, too."
        return f"{found}: here the slash changes nothing."


def count(pages: Callable[[str], KeyPage], most: int = MOST_PAGES) -> Amount:
    """Return how many keys and bytes a listing holds; `pages` gives the page that follows a token."""
    keys, nbytes, token = 0, 0, ""
    for _ in range(most):
        page = pages(token)
        keys += len(page.objects)
        nbytes += sum(stored.nbytes for stored in page.objects)
        token = page.next
        if not token:
            return Amount(keys, nbytes, more=False)
    return Amount(keys, nbytes, more=True)


def trap(prefix: str, without: KeyPage, within: KeyPage) -> Trap:
    """Return what a prefix finds without its slash, from the first page of each listing."""
    folder = prefix.removesuffix("/") + "/"
    keys = [stored.key for stored in without.objects]
    return Trap(
        len(keys),
        len(within.objects),
        tuple(dict.fromkeys(_top(key, folder) for key in keys if not key.startswith(folder))),
        bool(without.next or within.next),
    )


def entries(prefix: str, page: KeyPage) -> tuple[Entry, ...]:
    """Return folders and objects directly below a prefix, in the order of their keys."""
    folders = [
        Entry(folder[len(prefix) :], folder, "", folder=True, image=folder.rstrip("/").endswith(_IMAGES))
        for folder in page.folders
    ]
    objects = [
        Entry(
            stored.key[len(prefix) :] or "(a key that is the prefix itself)",
            stored.key,
            bytes_text(stored.nbytes),
            folder=False,
            image=stored.key.endswith(_IMAGES[1:]),
        )
        for stored in page.objects
    ]
    return tuple(sorted((*folders, *objects), key=lambda entry: entry.key))


def is_image(names: Sequence[str]) -> bool:
    """Return whether a folder with these names directly in it is a Zarr group or array."""
    return not {"zarr.json", ".zattrs", ".zgroup", ".zarray"}.isdisjoint(names)


def above(prefix: str) -> str:
    """Return the folder that a prefix lies in: "a/b/" is in "a/", "a" in the bucket itself."""
    return prefix.rstrip("/").rpartition("/")[0] + "/" if "/" in prefix.rstrip("/") else ""


def _top(key: str, folder: str) -> str:
    """Return the part of a stranger's key that stands beside the folder: "a.zarr2/"."""
    depth = folder.count("/")
    parts = key.split("/")
    return "/".join(parts[:depth]) + ("/" if len(parts) > depth else "")
