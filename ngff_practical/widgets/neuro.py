"""Neuroglancer in the notebook: its page comes through Jupyter's own port, and so do local voxels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

import traitlets

from ngff_practical.inspection import describe_image
from ngff_practical.model import Location, Place, Pyramid, spatial
from ngff_practical.sharing import web_address
from ngff_practical.storage import parse_place
from ngff_practical.widgets.base import Message, Widget, script, style
from ngff_practical.widgets.counting import counted
from ngff_practical.widgets.lengths import METRES
from ngff_practical.widgets.pixels import Levels, contrast
from ngff_practical.widgets.serving import ImageServer

if TYPE_CHECKING:
    from neuroglancer import Viewer

_MOST_VOXELS = 64_000_000  # of a coarsest level that is read to find its contrast
_HERE = ("127.0.0.1", "localhost")


def neuroglancer_view(place: str | Place) -> NeuroglancerView:
    """Return neuroglancer as a widget, showing an image and its labels in three planes and in 3D.

    A folder and the practice server are read through this kernel and Jupyter's proxy; any other server has
    to allow the browser to read it (see `ngff_practical.reach`).
    """
    return NeuroglancerView(place)


class NeuroglancerView(Widget):
    """The full viewer in a frame; see `neuroglancer_view`."""

    _esm = script("neuro")
    _css = style("neuro")
    picture_size = (7.0, 1.4)

    address = traitlets.Unicode("", help="Where the frame finds neuroglancer.").tag(sync=True)

    def __init__(self, place: str | Place) -> None:
        super().__init__()
        self._place = parse_place(place) if isinstance(place, str) else place
        self._image = describe_image(self._place)
        self._server = _server(self._place)
        self._viewer: Viewer | None = None
        labels = counted(len(self._image.labels), "label image")
        self.text = (
            f"{self._image.name} in neuroglancer, with {labels}. The viewer is used with the mouse: drag to "
            "move, Ctrl and wheel to zoom, wheel to go through planes, H for all keys."
        )

    def receive(self, message: Message, buffers: Sequence[memoryview]) -> bool:
        """Start the viewer, for a page at this base address."""
        match message:
            case {"do": "open", "base": str() as base} if _is_base(base):
                with self._lock:
                    self._open(base)
        return False

    def _open(self, base: str) -> None:
        import neuroglancer

        if self._viewer is None:
            neuroglancer.set_server_bind_address("127.0.0.1", 0)
            self._viewer = neuroglancer.Viewer()
        with self._viewer.txn() as state:
            state.dimensions = neuroglancer.CoordinateSpace(**dimensions(self._image))
            state.layers.clear()
            for name, source in sources(self._place, self._image, base, self._server).items():
                if name == self._image.name:
                    shown = {"normalized": {"range": list(black_and_white(self._place, self._image))}}
                    state.layers[name] = neuroglancer.ImageLayer(source=source, shader_controls=shown)
                else:
                    state.layers[name] = neuroglancer.SegmentationLayer(source=source)
            state.layout = "4panel" if len(spatial(self._image.axes)) == 3 else "xy"
        found = urlsplit(self._viewer.get_viewer_url())
        self.address = f"{base}proxy/{found.port}{found.path}"


def dimensions(image: Pyramid) -> dict[str, list[str] | list[float]]:
    """Return neuroglancer's dimensions, x first: names, units, and voxel sizes in metres."""
    space = list(reversed(spatial(image.axes)))
    steps = [image.levels[0].scale[axis] for axis in space]
    metres = [METRES.get(image.axes[axis].unit or "") for axis in space]
    return {
        "names": [image.axes[axis].name for axis in space],
        "units": ["m" if size else "" for size in metres],
        "scales": [step * (size or 1.0) for step, size in zip(steps, metres, strict=True)],
    }


def black_and_white(place: Place, image: Pyramid) -> tuple[float, float]:
    """Return the values that are shown as black and as white: as stated, else those of the coarsest level."""
    stated = image.channels[0].window if image.channels else None
    if stated and stated[3] > stated[2]:
        return stated[2], stated[3]
    level = image.levels[-1]
    if prod(level.shape) > _MOST_VOXELS:
        return 0.0, 255.0 if level.itemsize == 1 else 65535.0
    region = tuple(
        slice(0, size) if axis.type == "space" else slice(0, 1)
        for axis, size in zip(image.axes, level.shape, strict=True)
    )
    return contrast(Levels(place, image).read(len(image.levels) - 1, region))


def sources(place: Place, image: Pyramid, base: str, server: ImageServer | None = None) -> Mapping[str, str]:
    """Return where neuroglancer finds the image and each of its labels, by the name of the layer."""
    root = _root(place, base, server)
    end = f"/|zarr{image.zarr_format}:"
    labels = {f"labels: {name}": f"{root}/labels/{quote(name)}{end}" for name in image.labels}
    return {image.name: f"{root}{end}", **labels}


def _server(place: Place) -> ImageServer | None:
    """Return what serves an image of this computer, None for one that a page reads itself."""
    if isinstance(place, Path):
        return ImageServer(place)
    address = web_address(place)
    return ImageServer(address) if urlsplit(address).hostname in _HERE else None


def _root(place: Place, base: str, server: ImageServer | None) -> str:
    if server:
        return f"{base}proxy/{server.port}/{server.path}"
    return web_address(place) if isinstance(place, Location) else place.as_uri()


def _is_base(base: str) -> bool:
    return urlsplit(base).scheme in ("http", "https") and base.endswith("/")
