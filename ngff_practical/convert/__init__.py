"""Write a TIFF stack as an OME-Zarr image: streamed, every level from one reading, root metadata last.

`convert` does the work and reports what was counted afterwards; `convert_stack` is the same and opens the
image. `predict` says beforehand what a conversion would take.
"""

from ngff_practical.convert.cluster import connected
from ngff_practical.convert.estimate import Prediction, predict
from ngff_practical.convert.labels import check_labels_name, convert_labels
from ngff_practical.convert.machine import reuse_freed_memory
from ngff_practical.convert.run import convert, convert_stack

__all__ = [
    "Prediction",
    "check_labels_name",
    "connected",
    "convert",
    "convert_labels",
    "convert_stack",
    "predict",
    "reuse_freed_memory",
]
