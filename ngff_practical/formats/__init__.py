"""One stack in the formats that people compare: written small, mapped byte by byte, and back to OME-TIFF."""

from ngff_practical.formats.mapping import byte_map
from ngff_practical.formats.ome_tiff import to_ome_tiff
from ngff_practical.formats.planes import PlaneOrder, plane_order
from ngff_practical.formats.writing import FORMATS, write_formats

__all__ = ["FORMATS", "PlaneOrder", "byte_map", "plane_order", "to_ome_tiff", "write_formats"]
