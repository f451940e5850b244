"""Pure arithmetic of multiscale images: plan the levels, average them, say what a region touches.

Nothing here reads or writes; arrays are numpy's, everything else is a value of `ngff_practical.model`.
"""

from ngff_practical.pyramid.access import chunk_access, object_keys, touched_cells
from ngff_practical.pyramid.bands import (
    Band,
    Pass,
    fitting_workers,
    peak_memory_bytes,
    plan_bands,
    plan_passes,
)
from ngff_practical.pyramid.downsample import downsample_mean, downsample_nearest
from ngff_practical.pyramid.labels import plan_labels
from ngff_practical.pyramid.plan import plan_pyramid, shrink_level

__all__ = [
    "Band",
    "Pass",
    "chunk_access",
    "downsample_mean",
    "downsample_nearest",
    "fitting_workers",
    "object_keys",
    "peak_memory_bytes",
    "plan_bands",
    "plan_labels",
    "plan_passes",
    "plan_pyramid",
    "shrink_level",
    "touched_cells",
]
