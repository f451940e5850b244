"""Frozen values that every part of the package speaks; no I/O, nothing but the standard library."""

from ngff_practical.model.bytemap import ByteMap, Holds, Segment
from ngff_practical.model.image import (
    Axis,
    Channel,
    Level,
    Pyramid,
    Shape,
    StoredGrid,
    Vector,
    axis_type,
    spatial,
    zarr_format_of,
)
from ngff_practical.model.place import Location, Place, StoredObject, check_location
from ngff_practical.model.report import (
    ConversionReport,
    Description,
    Issue,
    Issues,
    Kind,
    Manifest,
    ManifestEntry,
    Problem,
    Severity,
    TransferReport,
    ValidationReport,
    Version,
)
from ngff_practical.model.request import ChunkAccess, Request
from ngff_practical.model.stack import Plane, StackSource

__all__ = [
    "ByteMap",
    "Holds",
    "Segment",
    "Axis",
    "Channel",
    "ChunkAccess",
    "ConversionReport",
    "Description",
    "Issue",
    "Issues",
    "Kind",
    "Level",
    "Location",
    "Manifest",
    "ManifestEntry",
    "Place",
    "Plane",
    "Problem",
    "Pyramid",
    "Request",
    "Severity",
    "Shape",
    "StackSource",
    "StoredGrid",
    "StoredObject",
    "TransferReport",
    "ValidationReport",
    "Vector",
    "Version",
    "axis_type",
    "check_location",
    "spatial",
    "zarr_format_of",
]
