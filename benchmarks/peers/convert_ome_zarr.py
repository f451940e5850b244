"""Convert with ome-zarr: a dask array of planes, in chunks as deep as the image's, written by write_image."""

import dask.array as da
import tifffile
import zarr
from common import CHUNKS, DESTINATION, FILES, LEVELS, OWN_METHOD, VOXEL_SIZE
from ome_zarr.format import FormatV05
from ome_zarr.scale import Methods
from ome_zarr.writer import write_image

first = tifffile.imread(FILES[0])


def read(block_info=None):
    """Return the planes of one block."""
    start, stop = block_info[None]["array-location"][0]
    return tifffile.imread(FILES[start:stop])


depths = tuple(min(CHUNKS[0], len(FILES) - z) for z in range(0, len(FILES), CHUNKS[0]))
stack = da.map_blocks(read, chunks=(depths, *first.shape), dtype=first.dtype, meta=first[None])
blosc = zarr.codecs.BloscCodec(cname="zstd", clevel=3, shuffle="shuffle", typesize=2)
write_image(
    stack,
    zarr.open_group(DESTINATION, mode="w", zarr_format=3),
    scale_factors=[dict.fromkeys("zyx", 2**level) for level in range(1, LEVELS)],
    **({} if OWN_METHOD else {"method": Methods.LOCAL_MEAN}),
    fmt=FormatV05(),
    axes=list("zyx"),
    scale=dict(zip("zyx", VOXEL_SIZE, strict=True)),
    storage_options={"chunks": CHUNKS, "compressors": (blosc,)},
)
