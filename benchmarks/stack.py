"""A realistic stack to convert: blobs on an uneven background with Poisson noise, one TIFF per plane."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import tifffile

RECIPE = 3  # count up when the pixels below change: stacks kept from before are then made anew
PERIOD = 32  # planes repeat, moved and mirrored, so that a deep stack is made in little time
NOISE = 2**22  # deviates drawn once; each plane takes them from another start
OFFSET, GAIN = 100, 2.2  # what a camera makes of photons


def make_planes(folder: Path, shape: tuple[int, int, int], seed: int = 1) -> Path:
    """Write a uint16 stack (z, y, x) as uncompressed planes; one that is there and whole is used again."""
    planes, proof = folder / "planes", folder / "proof.json"
    wanted = {"recipe": RECIPE, "shape": list(shape), "seed": seed}
    if proof.is_file():
        kept = json.loads(proof.read_text())
        if kept.get("recipe") == wanted and kept.get("digest") == digest(planes):
            return planes
    shutil.rmtree(folder, ignore_errors=True)
    planes.mkdir(parents=True)
    depth, height, width = shape
    rng = np.random.default_rng(seed)
    lights = [_light(rng, z, height, width) for z in range(min(PERIOD, depth))]
    deviates = rng.standard_normal(NOISE + height * width, dtype="float32")
    starts = rng.integers(NOISE, size=depth)

    def make(z: int) -> None:
        light = lights[z % PERIOD]
        noise = deviates[starts[z] : starts[z] + height * width].reshape(height, width)
        photons = light + np.sqrt(light) * noise  # what Poisson is for so many
        plane = np.rint(OFFSET + GAIN * photons).clip(0, 65535).astype("uint16")
        tifffile.imwrite(planes / f"plane_z{z:04}.tif", plane)

    with ThreadPoolExecutor() as threads:
        list(threads.map(make, range(depth)))
    proof.write_text(json.dumps({"recipe": wanted, "digest": digest(planes)}))
    return planes


def make_deeper(folder: Path, planes: Path, times: int) -> Path:
    """Return a stack `times` as deep, whose planes are hard links: no disk, and the cache stays warm."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    files = sorted(planes.iterdir())
    for index in range(times * len(files)):
        os.link(files[index % len(files)], folder / f"plane_z{index:04}.tif")
    return folder


def digest(planes: Path) -> str:
    """Return a checksum over the names, the sizes and some bytes of every plane: cheap, and rarely fooled."""
    total = hashlib.sha256()
    for file in sorted(planes.glob("*.tif")):
        total.update(f"{file.name} {file.stat().st_size}\n".encode())
        with file.open("rb") as stream:
            for part in (0.0, 0.5, 0.99):
                stream.seek(int(part * file.stat().st_size))
                total.update(stream.read(4096))
    return total.hexdigest()


def _light(rng: np.random.Generator, z: int, height: int, width: int) -> np.ndarray:
    """Return the expected photons of one plane: an uneven background, and blobs of several sizes."""
    y, x = np.mgrid[:height, :width].astype("float32")
    light = 100 + 60 * np.sin(x / width * 3) * np.cos(y / height * 2)
    for _ in range(max(8, height * width // 20_000)):
        top, left = int(rng.integers(-40, height)), int(rng.integers(-40, width))
        box = np.s_[max(0, top) : top + 80, max(0, left) : left + 80]
        r2 = (y[box] - top - 40) ** 2 + (x[box] - left - 40) ** 2
        light[box] += rng.uniform(50, 900) * np.exp(-r2 / rng.uniform(60, 400))
    return np.roll(light, z, axis=1)
