"""The size of a voxel: what a file states, and what becomes of it. Nothing is ever assumed to be 1.0 um."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import tifffile

from ngff_practical.errors import StackError
from ngff_practical.model import Axis, Vector, axis_type
from ngff_practical.stack.faults import clean, listed
from ngff_practical.stack.ome import OmeImage, number
from ngff_practical.stack.typed import option, typed
from ngff_practical.stack.units import asked_unit, convert_length, length_unit, seconds, stated_length

type Length = tuple[float, str]

UNSIZED = "No voxel size"  # how the note on axes without one begins
_NO_UNIT = {"", "pixel", "pixels", "px", "voxel", "none", "null", "unknown"}
_RESOLUTION_UNITS = {2: "inch", 3: "centimeter"}
_RESOLUTIONS = {"x": 282, "y": 283}
_FINEST_PRINT = 2.5  # micrometers: more than 10,000 dots per inch are no printer's
_SMALLEST = 1e-4  # micrometers: an atom's size


@dataclass(frozen=True, slots=True)
class Calibration:
    """What a file states, by axis name: lengths with UDUNITS-2 names, and why a stated one is not used.

    `lengths` holds only axes that are calibrated beyond doubt; `interval` is the time step in seconds.
    """

    lengths: Mapping[str, Length] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)
    interval: float | None = None

    def agrees_with(self, other: Calibration) -> bool:
        """Return True where both state the same sizes, up to the rounding of TIFF's rationals."""
        return self.lengths.keys() == other.lengths.keys() and all(
            math.isclose(
                convert_length(*length, other.lengths[axis][1]), other.lengths[axis][0], rel_tol=1e-4
            )
            for axis, length in self.lengths.items()
        )

    def __str__(self) -> str:
        """Return the stated sizes as people write them: "z 0.5, y 0.25, x 0.25 micrometer"."""
        stated = [(axis, *self.lengths[axis]) for axis in "zyx" if axis in self.lengths]
        return ", ".join(f"{axis} {size:.6g} {unit}" for axis, size, unit in stated) or "none"


def calibration_of_ome(image: OmeImage) -> Calibration:
    """Return PhysicalSizeX, Y, Z and TimeIncrement, whose units default to micrometers and seconds."""
    lengths: dict[str, Length] = {}
    reasons: dict[str, str] = {}
    for axis, (text, unit) in image.physical.items():
        _take(axis, number(text), text, unit, lengths, reasons)
    interval = None
    if image.increment is not None:
        interval = _interval(number(image.increment[0]), image.increment[1])
    return Calibration(lengths, reasons, interval)


def calibration_of_imagej(metadata: Mapping[str, object], page: tifffile.TiffPage) -> Calibration:
    """Return ImageJ's calibration: `unit`, `spacing` along z, and pixels per unit in the resolution tags."""
    lengths: dict[str, Length] = {}
    reasons: dict[str, str] = {}
    unit = metadata.get("unit")
    for axis, tag in _RESOLUTIONS.items():
        resolution = page.tags.valueof(tag)
        if resolution is None:
            continue
        size, text = _pixel_size(resolution)
        by_tag = _fine_size(size, page)
        if by_tag is not None and (unit is None or _is_absurd(size, unit)):
            lengths[axis] = by_tag
            continue
        _take(axis, size, text, metadata.get("yunit", unit) if axis == "y" else unit, lengths, reasons)
    if "spacing" in metadata:
        spacing = metadata["spacing"]
        _take("z", number(spacing), str(spacing), metadata.get("zunit", unit), lengths, reasons)
    step = number(metadata.get("finterval"))
    return Calibration(lengths, reasons, _interval(step, str(metadata.get("tunit", "s"))))


def calibration_of_metaseries(metadata: Mapping[str, object]) -> Calibration:
    """Return the spatial calibration that MetaMorph and MetaXpress write into the description."""
    lengths: dict[str, Length] = {}
    reasons: dict[str, str] = {}
    plane = metadata.get("PlaneInfo")
    state = plane.get("spatial-calibration-state") if isinstance(plane, Mapping) else None
    if isinstance(plane, Mapping) and str(state).casefold() in ("true", "on", "1"):
        for axis in "xy":
            size = plane.get(f"spatial-calibration-{axis}")
            _take(axis, number(size), str(size), plane.get("spatial-calibration-units"), lengths, reasons)
    return Calibration(lengths, reasons)


def calibration_of_series(series: tifffile.TiffPageSeries) -> Calibration:
    """Return what tifffile knows of a microscope's own format (LSM, STK); print resolutions do not count."""
    lengths: dict[str, Length] = {}
    for letter, size in series.coord_scales.items():
        unit = length_unit(series.coord_units.get(letter))
        if letter in "XYZ" and unit not in (None, *_RESOLUTION_UNITS.values()) and 0 < size < math.inf:
            lengths[letter.lower()] = (float(size), str(unit))
    return Calibration(lengths)


def calibration_of_tags(page: tifffile.TiffPage) -> Calibration:
    """Return no calibration, and say so: resolution tags of a plain TIFF are dots per inch for printing."""
    resolution, code = page.tags.valueof(282), page.tags.valueof(296)
    unit = _RESOLUTION_UNITS.get(2 if code is None else int(code))
    if resolution is None or unit is None:
        return Calibration()
    size, _ = _pixel_size(resolution)
    if not 0 < size < math.inf:
        return Calibration()
    length = convert_length(size, unit, "micrometer")
    dots = f"{1 / size:.6g} dots per {unit}, {length:.4g} micrometer each"
    reason = f"its tags say {dots}, usually a size for printing"
    return Calibration(reasons={"y": reason, "x": reason})


def settle(
    calibration: Calibration, names: Sequence[str], voxel_size: Sequence[float] | None, unit: str | None
) -> tuple[tuple[Axis, ...], Vector, tuple[str, ...]]:
    """Return axes, voxel size and notes for these axes: what was asked for, else what is stated."""
    space = [name for name in names if axis_type(name) == "space"]
    stated = {axis: length for axis, length in calibration.lengths.items() if axis in space}
    notes: list[str] = []
    wanted = None if unit is None else asked_unit(unit)
    if voxel_size is not None:
        lengths: dict[str, tuple[float, str | None]] = {}
        target = wanted if unit is not None else _stated_unit(stated)
        for axis, size in zip(space, checked_voxel_size(voxel_size, space), strict=True):
            lengths[axis] = (size, target)
        if unit is None:
            notes.append(
                f"The voxel size is taken in {target}, as the file states its own; {option('unit')} "
                "chooses another."
                if target
                else "The voxel size came without a unit and is recorded without one; add "
                f"{typed(unit='micrometer')}."
            )
    else:
        if wanted and not stated:
            raise StackError(
                f"a unit was given ({wanted}), but the file states no voxel size it could belong to; "
                f"give both: {typed(voxel_size=space, unit=wanted)}"
            )
        target = wanted or "micrometer"
        lengths = {
            axis: (convert_length(size, given, target), target) for axis, (size, given) in stated.items()
        }
        notes += _uncalibrated([axis for axis in space if axis not in lengths], calibration, space)
    axes: list[Axis] = []
    sizes: list[float] = []
    for name in names:
        size, axis_unit = lengths.get(name, (1.0, None))
        if name == "t" and calibration.interval is not None:
            size, axis_unit = calibration.interval, "second"
        axes.append(Axis(name, axis_type(name), axis_unit))
        sizes.append(size)
    return tuple(axes), tuple(sizes), tuple(notes)


def checked_voxel_size(voxel_size: Sequence[float], space: Sequence[str]) -> Vector:
    """Return the numbers somebody typed, or raise StackError where they cannot be a voxel's size."""
    sizes = tuple(float(size) for size in voxel_size)
    if len(sizes) != len(space):
        raise StackError(
            f"the voxel size has {len(sizes)} numbers ({', '.join(f'{size:g}' for size in sizes)}), the "
            f"image {len(space)} axes of space; give one for each: {typed(voxel_size=space)}"
        )
    for axis, size in zip(space, sizes, strict=True):
        if not 0 < size < math.inf:
            raise StackError(f"a voxel cannot be {size:g} long along {axis}; give a number greater than 0")
    return sizes


def _pixel_size(resolution: object) -> tuple[float, str]:
    """Return the size of a pixel from a resolution tag (pixels per unit, a rational), and the tag as text."""
    if isinstance(resolution, tuple) and len(resolution) == 2:
        pixels, units = resolution
        return (units / pixels if pixels and units else math.nan), f"{pixels}/{units} pixels per unit"
    return math.nan, str(resolution)


def _fine_size(size: float, page: tifffile.TiffPage) -> Length | None:
    """Return a size in the page's unit of resolution, None where that has none or may be for printing."""
    unit = _RESOLUTION_UNITS.get(int(page.tags.valueof(296) or 1))
    if unit is None or not 0 < size < math.inf:
        return None
    length = convert_length(size, unit, "micrometer")
    return (length, "micrometer") if length < _FINEST_PRINT else None


def _is_absurd(size: float, unit: object) -> bool:
    """Return True where a size would be less than an atom's, so that it is not meant in this unit."""
    length = stated_length(size, clean(str(unit)))
    return length is not None and convert_length(*length, "micrometer") < _SMALLEST


def _take(
    axis: str, size: float, text: str, unit: object, lengths: dict[str, Length], reasons: dict[str, str]
) -> None:
    """Enter a stated size among the calibrated axes, or the reason why it is none."""
    spelling = clean(str(unit)) if unit is not None else ""
    length = stated_length(size, spelling)
    if not 0 < size < math.inf:
        reasons[axis] = f"the file states {clean(text, 40) or 'nothing there'}"
    elif length is not None:
        lengths[axis] = length
    elif spelling.casefold() in _NO_UNIT:
        if unit is not None or size != 1:
            reasons[axis] = f"the file states {size:.6g} " + (f"{spelling}" if spelling else "without a unit")
    else:
        reasons[axis] = f"the file states {size:.6g} {spelling!r}, which is no known unit of length"


def _interval(step: float, unit: str) -> float | None:
    interval = seconds(step, unit) if 0 < step < math.inf else None
    return interval if interval is not None and 0 < interval < math.inf else None


def _stated_unit(stated: Mapping[str, Length]) -> str | None:
    """Return the one unit a file uses, None where it states none; two different ones leave a doubt."""
    units = sorted({unit for _, unit in stated.values()})
    if len(units) > 1:
        raise StackError(
            f"the voxel size came without a unit, and the file uses {listed(units)}; say which: "
            f"{typed(unit=units[0])}"
        )
    return units[0] if units else None


def _uncalibrated(axes: Sequence[str], calibration: Calibration, space: Sequence[str]) -> list[str]:
    """Return one sentence about the axes that stay without a unit, none where there are none."""
    grouped: dict[str, list[str]] = {}
    for axis in axes:
        grouped.setdefault(calibration.reasons.get(axis, "the file states none"), []).append(axis)
    if not grouped:
        return []
    said = "; ".join(
        f"{', '.join(names)}: {reason}" if len(grouped) > 1 else reason for reason, names in grouped.items()
    )
    return [
        f"{UNSIZED} along {', '.join(axes)} ({said}): scale 1.0 without a unit is recorded. "
        f"To give it: {typed(voxel_size=space, unit='micrometer')}, with a number for each letter."
    ]
