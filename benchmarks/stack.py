"""A realistic stack to convert: blobs on an uneven background with Poisson noise, one TIFF per plane."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tifffile

PERIOD = 32  # planes repeat with another noise, so that a deep stack is made in little time


def make_planes(folder: Path, shape: tuple[int, int, int], seed: int = 1) -> Path:
    """Write a uint16 stack (z, y, x) as uncompressed planes; kept and reused when it is there already."""
    depth, height, width = shape
    done = folder / "complete"
    if done.exists():
        return folder / "planes"
    planes = folder / "planes"
    planes.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width].astype("float32")
    background = 100 + 60 * np.sin(x / width * 3) * np.cos(y / height * 2)
    centres = rng.uniform((0, 0, 0), (PERIOD, height, width), (max(8, height * width // 20_000), 3))
    for z in range(PERIOD):
        light = background.copy()
        for centre_z, centre_y, centre_x in centres:
            away = min(abs(z - centre_z), PERIOD - abs(z - centre_z))
            if away < 12:
                top, left = int(max(0, centre_y - 40)), int(max(0, centre_x - 40))
                box = np.s_[top : top + 80, left : left + 80]
                r2 = (y[box] - centre_y) ** 2 + (x[box] - centre_x) ** 2 + (3 * away) ** 2
                light[box] += 900 * np.exp(-r2 / 400)
        for repeat in range(z, depth, PERIOD):
            plane = rng.poisson(light).astype("uint16")
            tifffile.imwrite(planes / f"plane_z{repeat:04}.tif", plane)
    done.touch()
    return planes
