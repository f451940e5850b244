"""How the channels of an image are shown: names, colours, and contrast from the values themselves."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from ngff_practical.errors import NgffPracticalError
from ngff_practical.model import Pyramid
from ngff_practical.widgets.colours import OKABE_ITO
from ngff_practical.widgets.pixels import Voxels, contrast

SHOWN = 4
"""Channels that are visible at first; those after them are not read before they are."""

_PALETTE = tuple(OKABE_ITO[name][1:] for name in ("sky", "orange", "green", "purple", "yellow", "vermilion"))
_PRIMARIES = ("FF0000", "00FF00", "0000FF")


@dataclass(frozen=True, slots=True)
class ChannelView:
    """How one channel is shown: `color` is six hex digits, `low` is black, `high` its full colour.

    `limits` are how far both can be moved; None as long as no value was looked at. `whole` values are
    integers.
    """

    name: str
    color: str
    low: float = 0.0
    high: float = 1.0
    limits: tuple[float, float] | None = None
    visible: bool = True
    whole: bool = False

    @property
    def trait(self) -> dict[str, object]:
        """The channel as the page takes it."""
        low, high = self.limits or (0.0, 1.0)
        return {
            "name": self.name,
            "color": f"#{self.color}",
            "low": self.low,
            "high": self.high,
            "min": low,
            "max": high,
            "step": 1 if self.whole and high - low <= 4096 else "any",
            "whole": self.whole,
            "visible": self.visible,
        }


def first_channels(pyramid: Pyramid, values_of: Callable[[int], Voxels]) -> Iterator[ChannelView]:
    """Yield each channel as it is shown at first; `values_of` reads some of one, for its contrast.

    Three channels of bytes that the file calls red, green and blue are shown as they are stored: colours of
    a photograph are not stretched one by one.
    """
    count = pyramid.shape[pyramid.axis_names.index("c")] if "c" in pyramid.axis_names else 1
    stated = pyramid.channels
    colors = [hex_digits(channel.color) if channel.color else "" for channel in stated[:count]]
    photograph = pyramid.dtype == "uint8" and tuple(colors[:3]) == _PRIMARIES and count in (3, 4)
    for index in range(count):
        channel = stated[index] if index < len(stated) else None
        color = colors[index] if index < len(colors) else ""
        made = ChannelView(
            channel.label if channel and channel.label else f"channel {index}",
            color or ("FFFFFF" if count == 1 else _PALETTE[index % len(_PALETTE)]),
            visible=index < (3 if photograph else SHOWN),  # the fourth is how opaque a pixel is
            whole="int" in pyramid.dtype,
        )
        if photograph:
            yield replace(made, high=255.0, limits=(0.0, 255.0))
        elif index < SHOWN:
            try:
                yield measured(made, values_of(index))
            except NgffPracticalError:  # said where the tiles are read
                yield made
        else:
            yield made


def measured(channel: ChannelView, values: Voxels) -> ChannelView:
    """Return a channel with the contrast of these values."""
    low, high = contrast(values)
    finite = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    bottom = min(float(finite.min()), 0.0) if finite.size else 0.0
    top = float(finite.max()) if finite.size else 1.0
    return replace(channel, low=low, high=high, limits=(bottom, max(top, low + (high - low) * 1.5)))


def hex_digits(text: str) -> str:
    """Return the six hex digits of a colour, "" where the text is none."""
    digits = text.removeprefix("#").upper()
    return digits if re.fullmatch("[0-9A-F]{6}", digits) else ""
