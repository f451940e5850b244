"""Convert with tensorstore by hand: slabs of a chunk's depth, each level the mean of the one before."""

import json

import numpy as np
import tensorstore as ts
import tifffile
from common import BLOSC, CHUNKS, DESTINATION, FILES, LEVELS, VOXEL_SIZE


def level_spec(level, shape):
    """Return how one level is stored."""
    blosc = {"name": "blosc", "configuration": BLOSC}
    return {
        "driver": "zarr3",
        "kvstore": {"driver": "file", "path": str(DESTINATION / str(level))},
        "metadata": {
            "shape": list(shape),
            "data_type": "uint16",
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": list(CHUNKS)}},
            "codecs": [{"name": "bytes", "configuration": {"endian": "little"}}, blosc],
            "dimension_names": ["z", "y", "x"],
        },
        "create": True,
        "delete_existing": True,
    }


height, width = tifffile.imread(FILES[0]).shape
fine = ts.open(level_spec(0, (len(FILES), height, width))).result()
slab = np.empty((CHUNKS[0], height, width), "uint16")
for start in range(0, len(FILES), CHUNKS[0]):
    files = FILES[start : start + CHUNKS[0]]
    for plane, file in zip(slab, files, strict=False):
        plane[:] = tifffile.imread(file)
    fine[start : start + len(files)].write(slab[: len(files)]).result()
for level in range(1, LEVELS):
    mean = ts.downsample(fine, [2, 2, 2], method="mean")
    coarse = ts.open(level_spec(level, mean.shape)).result()
    for start in range(0, mean.shape[0], CHUNKS[0]):
        part = slice(start, min(start + CHUNKS[0], mean.shape[0]))
        coarse[part].write(mean[part]).result()
    fine = coarse

axes = [{"name": name, "type": "space", "unit": "micrometer"} for name in "zyx"]
datasets = [
    {
        "path": str(level),
        "coordinateTransformations": [{"type": "scale", "scale": [step * 2**level for step in VOXEL_SIZE]}],
    }
    for level in range(LEVELS)
]
ome = {"version": "0.5", "multiscales": [{"axes": axes, "datasets": datasets}]}
document = {"zarr_format": 3, "node_type": "group", "attributes": {"ome": ome}}
(DESTINATION / "zarr.json").write_text(json.dumps(document))
