"""Convert with ngff-zarr: a dask array of planes, its local mean or own method, written by to_ome_zarr."""

import dask.array as da
import tifffile
from common import BLOSC, CHUNKS, DESTINATION, FILES, LEVELS, OWN_METHOD, VOXEL_SIZE
from ngff_zarr import Methods, to_multiscales, to_ngff_image, to_ome_zarr

first = tifffile.imread(FILES[0])


def read(block_info=None):
    """Return the planes of one block."""
    start, stop = block_info[None]["array-location"][0]
    return tifffile.imread(FILES[start:stop])


depths = tuple(min(CHUNKS[0], len(FILES) - z) for z in range(0, len(FILES), CHUNKS[0]))
stack = da.map_blocks(read, chunks=(depths, *first.shape), dtype=first.dtype, meta=first[None])
image = to_ngff_image(stack, dims=list("zyx"), scale=dict(zip("zyx", VOXEL_SIZE, strict=True)))
multiscales = to_multiscales(
    image,
    scale_factors=[2**level for level in range(1, LEVELS)],
    **({} if OWN_METHOD else {"method": Methods.ITKWASM_BIN_SHRINK}),
    chunks=dict(zip("zyx", CHUNKS, strict=True)),
)
blosc = {"name": "blosc", "configuration": BLOSC}
to_ome_zarr(str(DESTINATION), multiscales, version="0.5", compressors=[blosc])
