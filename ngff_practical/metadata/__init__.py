"""OME-Zarr metadata of every version: what it says, how it is written, and what is wrong with it. No I/O."""

from ngff_practical.metadata.arrays import ArrayInfo, array_info, array_issues
from ngff_practical.metadata.checking import check, check_document
from ngff_practical.metadata.documents import Document, parse_document
from ngff_practical.metadata.paths import path_fault
from ngff_practical.metadata.reading import level_paths, multiscales_of, pyramid_of
from ngff_practical.metadata.structure import entries
from ngff_practical.metadata.subject import Subject
from ngff_practical.metadata.versions import assumed_version, kind_of, metadata_of, version_of
from ngff_practical.metadata.wording import escaped
from ngff_practical.metadata.writing import image_document, labels_document

__all__ = [
    "ArrayInfo",
    "Document",
    "Subject",
    "array_info",
    "array_issues",
    "assumed_version",
    "check",
    "check_document",
    "entries",
    "escaped",
    "image_document",
    "kind_of",
    "labels_document",
    "level_paths",
    "metadata_of",
    "multiscales_of",
    "parse_document",
    "path_fault",
    "pyramid_of",
    "version_of",
]
