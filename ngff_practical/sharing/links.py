"""Links and commands that open an image on S3 in the viewers of the field."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from urllib.parse import quote

from ngff_practical.model import Location, check_location

_VIZARR = "https://hms-dbmi.github.io/vizarr/"
ORIGIN = "https://hms-dbmi.github.io"  # what its page tells a server that it is asked from
_VALIDATOR = "https://ome.github.io/ome-ngff-validator/"
_NEUROGLANCER = "https://neuroglancer-demo.appspot.com/"


@dataclass(frozen=True, slots=True)
class ViewerLink:
    """How to open an image in one viewer: `url` for a browser, or `command` for a terminal."""

    viewer: str
    url: str | None = None
    command: str | None = None

    def __str__(self) -> str:
        return f"{self.viewer}: {self.url or self.command}"


def web_address(location: Location) -> str:
    """Return the address of a location as a browser needs it: percent-encoded, without a slash at its end."""
    check_location(location)
    path = "/".join(part for part in (location.bucket, location.key) if part)
    return f"{location.endpoint}/{quote(path, safe='/-._~')}"


def viewer_links(location: Location) -> tuple[ViewerLink, ...]:
    """Return links to vizarr, neuroglancer and ome-ngff-validator, and the command for napari.

    The viewers are web pages of others, which read the image straight from its server: that has to be public
    and to allow it (see `reach`).
    """
    address = web_address(location)
    state = {
        "layers": [{"name": location.name, "type": "image", "source": f"zarr://{address}"}],
        "selectedLayer": {"layer": location.name, "visible": True},
    }
    source = quote(address, safe="")
    return (
        ViewerLink("vizarr", f"{_VIZARR}?source={source}"),
        ViewerLink(
            "neuroglancer", f"{_NEUROGLANCER}#!{quote(json.dumps(state, ensure_ascii=False), safe='')}"
        ),
        ViewerLink("ome-ngff-validator", f"{_VALIDATOR}?source={source}"),
        ViewerLink("napari", command=shlex.join(["napari", "--plugin", "napari-ome-zarr", address])),
    )
