"""A synthetic stand-in for idr0023's aligned nuclear pores: 571 particles that are not a z-stack."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RING_RADIUS_PX = 5.5
FOLD = 8
_CENTRE_PX = (15.1, 15.0)
_RADIAL_SD_PX = 1.0
_SPOT_SD_PX = 0.95
_FRAME_SD = 8.95


@dataclass(frozen=True, slots=True)
class Particles:
    """Images of single particles, stacked: `images` is (particle, y, x) float32 and has no voxel size.

    The first axis counts particles. It is neither z nor time, so averaging neighbours along it mixes
    objects that have nothing to do with each other.
    """

    images: NDArray[np.float32]


def particles(*, count: int = 571, size: int = 30, seed: int = 23) -> Particles:
    """Return `count` images of eightfold rings of radius 5.5 pixels, each seen once, in random rotation.

    What a pore localisation gives: 8 to 20 blurred spots on the ring, mean subtracted and variance
    normalised (so the empty floor is negative), then shifted into place with zeros at the border.
    Values are relative; no pixel size belongs to them.
    """
    rng = np.random.default_rng(seed)
    spots = rng.integers(8, 21, count)
    frame = np.repeat(np.arange(count), spots)
    subunit = rng.integers(0, FOLD, frame.size)
    rotation = rng.uniform(0, 2 * np.pi, count)
    angle = rotation[frame] + subunit * (2 * np.pi / FOLD) + rng.normal(0, 0.06, frame.size)
    radius = RING_RADIUS_PX + rng.normal(0, _RADIAL_SD_PX, frame.size)
    brightness = rng.lognormal(0.0, 0.5, frame.size)
    scale = size / 30
    centre = np.array(_CENTRE_PX) * scale
    y = centre[0] + scale * radius * np.sin(angle)
    x = centre[1] + scale * radius * np.cos(angle)
    grid = np.arange(size)
    rows = brightness[:, None] * np.exp(-((grid - y[:, None]) ** 2) / (2 * (_SPOT_SD_PX * scale) ** 2))
    columns = np.exp(-((grid - x[:, None]) ** 2) / (2 * (_SPOT_SD_PX * scale) ** 2))
    starts = np.concatenate([[0], np.cumsum(spots)[:-1]])
    images = np.add.reduceat(rows[:, :, None] * columns[:, None, :], starts, axis=0)
    images *= 1 + 0.15 * rng.standard_normal(images.shape)  # localisations are few: their counts scatter
    images -= images.mean(axis=(1, 2), keepdims=True)
    images *= _FRAME_SD / images.std(axis=(1, 2), keepdims=True)
    _blank_border(images, rng)
    return Particles(images.astype(np.float32))


def _blank_border(images: NDArray[np.float64], rng: np.random.Generator) -> None:
    # aligning a particle shifts its image; the pixels that come in from outside hold zero, not the floor
    for image, (dy, dx) in zip(images, rng.integers(-3, 4, (len(images), 2)), strict=True):
        image[slice(0, dy) if dy > 0 else slice(len(image) + dy, None)] = 0
        image[:, slice(0, dx) if dx > 0 else slice(len(image) + dx, None)] = 0
