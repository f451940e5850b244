"""Which Zarr format to ask a server for first: by the version in the address, else by one listing.

An image with labels is three sorts of documents, its own, that of "labels" and one for every level, and they
have other names in each format. So whoever asks for them in the wrong format first has lost a request, and
a listing, which tells the format, is one itself; but it also tells that there are no labels to be asked for.

| requests beside one for every level   | without labels | with labels |
| ------------------------------------- | -------------- | ----------- |
| the address names the version         | 2              | 2           |
| it names none, read with keys         | 2 (listed)     | 3 (listed)  |
| it names none, read unsigned: v3      | 2              | 2           |
| it names none, read unsigned: v2      | 3              | 3           |
| it names another version than is there | 3             | 3           |

No order of asking has 2 everywhere: without a hint v2 and v3 with labels have no request in common that
either could begin with. Unsigned readers do not list, as many servers refuse it to them, and then it is lost.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ngff_practical.errors import StorageError
from ngff_practical.inspection.keys import ZarrFormat
from ngff_practical.model import Location, Place, zarr_format_of
from ngff_practical.storage import list_page

_STATED_VERSION = re.compile(r"(?<![0-9.])(?:v0[._]?|0[._])([1-9])(?![0-9.])")


@dataclass(frozen=True, slots=True)
class Top:
    """What lies directly below a place, as one page of its listing says."""

    names: frozenset[str]  # folders end in "/"
    complete: bool

    @property
    def zarr_format(self) -> ZarrFormat | None:
        """The format of the documents there, None where there are none on this page."""
        if "zarr.json" in self.names:
            return 3
        return 2 if {".zattrs", ".zgroup", ".zarray"} & self.names and self.complete else None

    def lacks(self, key: str) -> bool:
        """Return True where there is certainly nothing under a key."""
        first, slash, _ = key.partition("/")
        return self.complete and first + slash not in self.names


def format_by_name(place: Place) -> ZarrFormat | None:
    """Return the format of the version that an address names, as IDR's do (".../v0.4/..."), else None."""
    stated = _STATED_VERSION.findall(str(place))
    return zarr_format_of(f"0.{stated[-1]}") if stated else None


def top_of(place: Place) -> Top | None:
    """Return what lies directly below a place on S3, None where it may not be listed or is read unsigned."""
    if not isinstance(place, Location) or place.anonymous:
        return None
    prefix = f"{place.key}/" if place.key else ""
    try:
        page = list_page(place, prefix, folders=True)
    except StorageError:
        return None
    found = [*(stored.key for stored in page.objects), *page.folders]
    return Top(frozenset(key.removeprefix(prefix) for key in found), complete=not page.next)
