"""What an OME-Zarr is, and whether it is right: described and validated where it lies, local or on S3."""

from ngff_practical.inspection.decoding import UNDECODABLE
from ngff_practical.inspection.describing import describe, describe_image
from ngff_practical.inspection.elsewhere import what_is_there
from ngff_practical.inspection.keys import join
from ngff_practical.inspection.members import images_of, labels_of, paths_of, texts_of
from ngff_practical.inspection.tree import Node, Tree, UnreadableError, open_tree
from ngff_practical.inspection.validating import validate, validation_report

__all__ = [
    "UNDECODABLE",
    "Node",
    "Tree",
    "UnreadableError",
    "describe",
    "describe_image",
    "images_of",
    "join",
    "labels_of",
    "open_tree",
    "paths_of",
    "texts_of",
    "validate",
    "validation_report",
    "what_is_there",
]
