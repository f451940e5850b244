"""Convert with acquire-zarr: planes appended to a stream, as a camera would."""

import acquire_zarr as aqz
import tifffile
from common import CHUNKS, DESTINATION, FILES, LEVELS, VOXEL_SIZE

shape = (len(FILES), *tifffile.imread(FILES[0]).shape)
settings = aqz.StreamSettings(
    store_path=str(DESTINATION),
    overwrite=True,
    arrays=[
        aqz.ArraySettings(
            data_type=aqz.DataType.UINT16,
            dimensions=[
                aqz.Dimension(
                    name=name,
                    kind=aqz.DimensionType.SPACE,
                    array_size_px=size,
                    chunk_size_px=chunk,
                    shard_size_chunks=1,
                    scale=step,
                    unit="micrometer",
                )
                for name, size, chunk, step in zip("zyx", shape, CHUNKS, VOXEL_SIZE, strict=True)
            ],
            compression=aqz.CompressionSettings(
                compressor=aqz.Compressor.BLOSC1, codec=aqz.CompressionCodec.BLOSC_ZSTD, level=3, shuffle=1
            ),
            downsampling_method=aqz.DownsamplingMethod.MEAN,
            max_levels=LEVELS - 1,
        )
    ],
)
stream = aqz.ZarrStream(settings)
for file in FILES:
    stream.append(tifffile.imread(file))
stream.close()
