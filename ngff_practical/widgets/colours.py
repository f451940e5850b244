"""Colours that people with any colour vision tell apart (Okabe and Ito), for still pictures and for views."""

from __future__ import annotations

from types import MappingProxyType

OKABE_ITO = MappingProxyType(
    {
        "black": "#000000",
        "orange": "#E69F00",
        "sky": "#56B4E9",
        "green": "#009E73",
        "yellow": "#F0E442",
        "blue": "#0072B2",
        "vermilion": "#D55E00",
        "purple": "#CC79A7",
    }
)
