"""What an open TIFF states beside its pixels and channels: voxel size, and what a person should know."""

from __future__ import annotations

import re
from collections.abc import Mapping

import tifffile

from ngff_practical.stack.calibration import (
    Calibration,
    calibration_of_imagej,
    calibration_of_metaseries,
    calibration_of_ome,
    calibration_of_series,
    calibration_of_tags,
)
from ngff_practical.stack.faults import FAULTS, by, clean, listed
from ngff_practical.stack.ome import OmeImage

_PHOTOMETRIC = {
    0: "The file calls 0 white (inverted photometric interpretation); its values are kept as stored.",
    3: "The file has a colour palette; its indices are kept as values, the colours are left out.",
    5: "The samples are inks (CMYK), not fluorescence channels; they are kept as stored.",
    8: "The samples are CIE L*a*b* coordinates; they are kept as stored.",
}


def stated_calibration(
    tif: tifffile.TiffFile, series: tifffile.TiffPageSeries, image: OmeImage | None
) -> Calibration:
    """Return the calibration from the metadata that describes this kind of file."""
    page = tif.pages.first
    if image is not None:
        return calibration_of_ome(image)
    if tif.is_imagej:
        return calibration_of_imagej(tif.imagej_metadata or {}, page)
    if tif.is_metaseries:
        described = metaseries_of(tif)
        if described is None:
            reason = "its MetaSeries description cannot be read"
            return Calibration(reasons={"y": reason, "x": reason})
        return calibration_of_metaseries(described)
    if series.kind == "shaped" and {"unit", "spacing"} & set(metadata := (tif.shaped_metadata or ({},))[0]):
        return calibration_of_imagej(metadata, page)
    if series.kind in ("generic", "uniform", "shaped", "ome"):
        return calibration_of_tags(page)
    return calibration_of_series(series)


def metaseries_of(tif: tifffile.TiffFile) -> Mapping[str, object] | None:
    """Return what MetaMorph or MetaXpress wrote into the description, None where that cannot be read."""
    try:
        metadata: Mapping[str, object] = tif.metaseries_metadata or {}
    except FAULTS:
        return None
    return metadata


def remarks_on(
    every: tifffile.TiffSeries, series: tifffile.TiffPageSeries, image: OmeImage | None, heard: list[str]
) -> list[str]:
    """Return what a person should know about the file: left-out images, inverted or turned pixels."""
    notes: list[str] = []
    held, key = series.dtype.name, series.keyframe
    if image is not None and image.pixel_type not in ("", held):
        notes.append(
            f"The OME-XML calls the pixels {image.pixel_type}, the pages hold {held}; they are read as the "
            "pages say."
        )
    others = [f"{by(one.keyframe.shape)} {one.dtype.name}" for one in every if one is not series]
    if others:
        number = list(every).index(series) + 1
        which = "the first" if number == 1 else f"number {number}"
        notes.append(f"The file holds {len(others) + 1} images; {which} is used, left out: {listed(others)}.")
    if series.is_pyramidal:
        notes.append(
            "The file holds smaller copies of its pages (a pyramid); they are left out and made anew."
        )
    if 262 in key.tags and int(key.photometric) in _PHOTOMETRIC:
        notes.append(_PHOTOMETRIC[int(key.photometric)])
    metadata = key.parent.imagej_metadata or {} if image is None and series.kind == "imagej" else {}
    if "cf" in metadata and (metadata.get("c0", 0), metadata.get("c1", 1)) != (0, 1):
        line = f"{metadata.get('c0', 0)} + {metadata.get('c1', 1)} x value"
        exact = "" if metadata["cf"] == 0 else ", or a curve of it"
        notes.append(
            f"ImageJ shows other values than are stored ({clean(line)}{exact}); they are kept as stored."
        )
    orientation = int(key.tags.valueof(274) or 1)
    if orientation != 1:
        notes.append(
            f"The file asks viewers to turn or mirror it (orientation {int(orientation)}); it is kept as "
            "stored."
        )
    if heard:
        complaint = re.sub(r"^.*> |^\w+Error\('|'\)$", "", heard[0])
        more = f" (and {len(heard) - 1} more complaints)" if len(heard) > 1 else ""
        notes.append(f"Parts of the file that were not needed are damaged: {clean(complaint)}{more}.")
    return notes
