"""Units of length and time: the spellings found in files, and the names OME-Zarr takes from UDUNITS-2."""

from __future__ import annotations

import re

from ngff_practical.errors import StackError
from ngff_practical.stack.faults import clean

# OME-Zarr 0.5, axes metadata: units of type "space" SHOULD be one of these UDUNITS-2 names.
# The number is the unit's size as (numerator, denominator) in micrometers: 1/1000 keeps 250 nm at 0.25.
_LENGTHS: dict[str, tuple[float, float]] = {
    "angstrom": (1, 10_000),
    "attometer": (1, 1e12),
    "centimeter": (10_000, 1),
    "decimeter": (100_000, 1),
    "exameter": (1e24, 1),
    "femtometer": (1, 1e9),
    "foot": (304_800, 1),
    "gigameter": (1e15, 1),
    "hectometer": (1e8, 1),
    "inch": (25_400, 1),
    "kilometer": (1e9, 1),
    "megameter": (1e12, 1),
    "meter": (1_000_000, 1),
    "micrometer": (1, 1),
    "mile": (1_609_344_000, 1),
    "millimeter": (1000, 1),
    "nanometer": (1, 1000),
    "parsec": (3.0856775814913673e22, 1),
    "petameter": (1e21, 1),
    "picometer": (1, 1_000_000),
    "terameter": (1e18, 1),
    "yard": (914_400, 1),
    "yoctometer": (1, 1e18),
    "yottameter": (1e30, 1),
    "zeptometer": (1, 1e15),
    "zettameter": (1e27, 1),
}

# Units of OME-XML that OME-Zarr does not know, in micrometers: they are read, never written.
_ONLY_READ = {
    "dam": 1e7,
    "decameter": 1e7,
    "li": 25_400 / 12,
    "line": 25_400 / 12,
    "ly": 9.4607304725808e21,
    "mil": 25.4,
    "pt": 25_400 / 72,
    "point": 25_400 / 72,
    "thou": 25.4,
    "ua": 1.495978707e17,
}

_SHORT = {
    "am": "attometer",
    "cm": "centimeter",
    "dm": "decimeter",
    "fm": "femtometer",
    "ft": "foot",
    "feet": "foot",
    "hm": "hectometer",
    "in": "inch",
    "inches": "inch",
    '"': "inch",
    "km": "kilometer",
    "m": "meter",
    "micron": "micrometer",
    "mi": "mile",
    "mm": "millimeter",
    "nm": "nanometer",
    "pc": "parsec",
    "pm": "picometer",
    "um": "micrometer",
    "yd": "yard",
    "å": "angstrom",
    "a\u030a": "angstrom",
    "ångström": "angstrom",
    "ångstrom": "angstrom",
}

# Case decides: Pm is a petameter, pm a picometer.
_EXACT = {
    "A": "angstrom",
    "µ": "micrometer",
    "μ": "micrometer",
    "Mm": "megameter",
    "Gm": "gigameter",
    "Tm": "terameter",
    "Pm": "petameter",
    "Em": "exameter",
    "Zm": "zettameter",
    "zm": "zeptometer",
    "Ym": "yottameter",
    "ym": "yoctometer",
}

_SECONDS = {
    "as": 1e-18,
    "fs": 1e-15,
    "ps": 1e-12,
    "cs": 0.01,
    "ds": 0.1,
    "das": 10.0,
    "hs": 100.0,
    "ks": 1000.0,
    "s": 1.0,
    "sec": 1.0,
    "second": 1.0,
    "ms": 1e-3,
    "msec": 1e-3,
    "millisecond": 1e-3,
    "us": 1e-6,
    "microsecond": 1e-6,
    "ns": 1e-9,
    "nanosecond": 1e-9,
    "min": 60.0,
    "minute": 60.0,
    "h": 3600.0,
    "hr": 3600.0,
    "hour": 3600.0,
    "d": 86400.0,
    "day": 86400.0,
}

# Case decides here too: Ms is a million seconds.
_EXACT_SECONDS = {"Ms": 1e6, "Gs": 1e9, "Ts": 1e12, "Ps": 1e15, "Es": 1e18, "Zs": 1e21, "Ys": 1e24}

# Both micro signs (U+00B5 and the Greek U+03BC), the first one after a wrong decoding, and as an escape.
_MICRO = re.compile(r"\\?u00b5|\\?u03bc|&#181;|&#xb5;|&#956;|&micro;|&mu;|Âµ|Î¼|┬╡|╬╝|µ|μ", re.IGNORECASE)
_ESCAPE = re.compile(r"\\u([0-9a-f]{4})", re.IGNORECASE)  # as ImageJ writes what is not ASCII
_PER_PIXEL = re.compile(r"(?:\s*/\s*|\s+per\s+)(?:pixel|px|pix|voxel)s?$", re.IGNORECASE)


def _plain(text: str) -> str:
    return _MICRO.sub("u", _bare(text)).casefold()


def _bare(text: str) -> str:
    """Return a unit without what programs put around it: "µm/pixel", [µm]."""
    plain = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), clean(text))
    return _PER_PIXEL.sub("", plain.strip("\0 .'()[]"))


def length_unit(text: str | None) -> str | None:
    """Return the UDUNITS-2 name of a unit of length in any usual spelling ("µm", "microns"), else None."""
    if text is None:
        return None
    if _bare(text) in _EXACT:
        return _EXACT[_bare(text)]
    word = _plain(text)
    for spelling in (word, word.removesuffix("s"), word.removesuffix("s").replace("metre", "meter")):
        name = _SHORT.get(spelling, spelling)
        if name.startswith("u") and name.endswith("meter"):
            name = "micrometer"
        if name in _LENGTHS:
            return name
    return None


def stated_length(size: float, text: str) -> tuple[float, str] | None:
    """Return a stated length with a unit that OME-Zarr knows, None where the unit is none of length."""
    name = length_unit(text)
    if name is not None:
        return size, name
    factor = _ONLY_READ.get(_plain(text), _ONLY_READ.get(_plain(text).removesuffix("s")))
    return None if factor is None else (size * factor, "micrometer")


def asked_unit(text: str) -> str:
    """Return the UDUNITS-2 name of the unit somebody typed, or raise StackError that lists some."""
    unit = length_unit(text)
    if unit is None:
        raise StackError(
            f"{clean(text)!r} is not a unit of length that OME-Zarr knows; "
            "use micrometer, nanometer, millimeter, centimeter, meter, angstrom or inch"
        )
    return unit


def convert_length(value: float, unit: str, to: str) -> float:
    """Return a length in another unit; both are UDUNITS-2 names."""
    if unit == to:
        return value
    numerator, denominator = _LENGTHS[unit]
    to_numerator, to_denominator = _LENGTHS[to]
    return value * (numerator * to_denominator) / (denominator * to_numerator)


def seconds(value: float, unit: str | None) -> float | None:
    """Return a time in seconds, None where its unit is not one of time; no unit means seconds."""
    if unit is not None and _bare(unit) in _EXACT_SECONDS:
        return value * _EXACT_SECONDS[_bare(unit)]
    word = _plain(unit) if unit else "s"
    factor = _SECONDS.get(word, _SECONDS.get(word.removesuffix("s")))
    return None if factor is None else value * factor
