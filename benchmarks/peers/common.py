"""What every peer is asked for: the same chunks, codec, levels and factors."""

import sys
from pathlib import Path

CHUNKS = (64, 128, 128)
BLOSC = {"cname": "zstd", "clevel": 3, "shuffle": "shuffle", "typesize": 2}
LEVELS = 5
VOXEL_SIZE = (2.0, 0.5, 0.5)  # micrometre
PLANES, DESTINATION = Path(sys.argv[1]), Path(sys.argv[2])
OWN_METHOD = "own-method" in sys.argv[3:]  # make levels the way the program does when nobody says how
FILES = sorted(PLANES.glob("*.tif"))
