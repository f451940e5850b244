"""One stack in the formats that people compare: written small, and mapped byte by byte."""

from ngff_practical.formats.mapping import byte_map
from ngff_practical.formats.planes import PlaneOrder, plane_order
from ngff_practical.formats.writing import FORMATS, write_formats

__all__ = ["FORMATS", "PlaneOrder", "byte_map", "plane_order", "write_formats"]
