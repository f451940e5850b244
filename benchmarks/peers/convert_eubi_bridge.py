"""Convert with EuBI-Bridge: the planes joined along z, as its command line does it."""

import shutil
import tempfile
from pathlib import Path

from common import CHUNKS, DESTINATION, LEVELS, PLANES, VOXEL_SIZE
from eubi_bridge.ebridge import EuBIBridge

if __name__ == "__main__":  # its workers import this file again
    with tempfile.TemporaryDirectory(dir=DESTINATION.parent) as folder:
        EuBIBridge(Path(folder) / "config").to_zarr(
            str(PLANES),
            str(Path(folder) / "out"),
            z_tag="plane_z",
            concatenation_axes="z",
            ome_zarr_version="0.5",
            auto_chunk=False,
            z_chunk=CHUNKS[0],
            y_chunk=CHUNKS[1],
            x_chunk=CHUNKS[2],
            z_shard_coef=1,
            y_shard_coef=1,
            x_shard_coef=1,
            compressor="blosc",
            compressor_params={"cname": "zstd", "clevel": 3, "shuffle": "shuffle"},
            n_layers=LEVELS,
            z_scale_factor=2,
            y_scale_factor=2,
            x_scale_factor=2,
            z_scale=VOXEL_SIZE[0],
            y_scale=VOXEL_SIZE[1],
            x_scale=VOXEL_SIZE[2],
            downscale_method="mean",
            save_omexml=False,
        )
        (made,) = (path for path in (Path(folder) / "out").iterdir() if path.suffix == ".zarr")
        shutil.move(made, DESTINATION)
