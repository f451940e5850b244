"""A synthetic stand-in for idr0062's mouse blastocyst 6001240: two channels and a label for each nucleus."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

VOXEL_SIZE_UM = (0.5002025531914894, 0.3603981534640209, 0.3603981534640209)  # z, y, x as IDR states it
SHAPE = (236, 275, 271)
CHANNELS = ("LaminB1", "Dapi")
SATURATION = 4095  # 12-bit detector in a 16-bit file
_VOLUME_UM3 = (1900.0, 0.47)  # median and log-sd; touching takes a tenth, which leaves the study's 1706
_ENVELOPE = (438.0, 0.67)  # mean LaminB1 signal inside a nucleus, likewise
_DNA = (493.0, 0.42)
_BACKGROUND = (5.0, 30.0)  # per channel
_HAZE = (4.0, 12.0)  # out-of-focus light inside the embryo
_GAIN = (5.0, 2.0)  # grey values per photon: sets the shot noise
_READ_SD = (0.9, 2.0)
_PSF_UM = (0.55, 0.2, 0.2)
_SHELL_UM = 0.34
_STRETCH = (1.225, 0.903, 0.903)  # nuclei look longer along the optical axis; the volume stays
_EMBRYO_RADII_UM = (41.0, 35.0, 36.0)


@dataclass(frozen=True, slots=True)
class Blastocyst:
    """A synthetic embryo: `image` is (c, z, y, x) uint16, `labels` (z, y, x) int8 with one id per nucleus.

    `voxel_size` is (z, y, x) in micrometer.
    """

    image: NDArray[np.uint16]
    labels: NDArray[np.int8]
    voxel_size: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class _Nucleus:
    centre: NDArray[np.float64]  # z, y, x in micrometer
    directions: NDArray[np.float64]  # rows are the unit vectors of the three semi-axes
    semi_axes: NDArray[np.float64]
    envelope: float
    dna: float


def blastocyst(*, shape: tuple[int, int, int] = SHAPE, nuclei: int = 61, seed: int = 62) -> Blastocyst:
    """Return an embryo like idr0062's 6001240: LaminB1 as thin bright shells, DAPI filled and textured.

    Nuclei lie on the wall of a hollow ball and in an inner cell mass; sizes, brightness, background and
    saturation follow what was measured in the real stacks. The field of view stays the same whatever
    `shape` (z, y, x) is, so a small shape gives coarse voxels. The same arguments give the same embryo.
    """
    if not 1 <= nuclei <= 127:
        raise ValueError(f"nuclei is {nuclei}; the labels are int8 and hold 1 to 127")
    rng = np.random.default_rng(seed)
    voxel_size = tuple(size * full / now for size, full, now in zip(VOXEL_SIZE_UM, SHAPE, shape, strict=True))
    voxel = np.array(voxel_size)
    cells = _place(nuclei, np.array(SHAPE) * VOXEL_SIZE_UM, rng)
    texture = _texture(rng)
    labels, nearness = _segment(cells, shape, voxel, rng)
    image = np.empty((2, *shape), np.uint16)
    signal = np.empty(shape, np.float32)
    for channel in range(2):
        signal[:] = _haze(shape, voxel) * _HAZE[channel] + _BACKGROUND[channel]
        for index, cell in enumerate(cells):
            _light(channel, cell, index + 1, nearness[index], labels, texture, signal, voxel, rng)
        _expose(signal, channel, rng, image[channel])
    return Blastocyst(image, labels, (voxel_size[0], voxel_size[1], voxel_size[2]))


def _quantiles(count: int, median: float, log_sd: float, rng: np.random.Generator) -> NDArray[np.float64]:
    # evenly spread quantiles in random order: a small sample then still has the distribution asked for
    normal = np.sort(rng.standard_normal((400, count)), axis=1).mean(axis=0)
    return np.asarray(rng.permutation(median * np.exp(log_sd * normal)))


def _place(count: int, field_um: NDArray[np.float64], rng: np.random.Generator) -> list[_Nucleus]:
    radii = np.cbrt(_quantiles(count, *_VOLUME_UM3, rng) * 3 / (4 * np.pi))
    envelope, dna = _quantiles(count, *_ENVELOPE, rng), _quantiles(count, *_DNA, rng)
    outer = np.arange(count) < round(0.66 * count)
    wall = np.array(_EMBRYO_RADII_UM)
    points = rng.standard_normal((count, 3))
    points *= wall / np.linalg.norm(points, axis=1, keepdims=True)
    inner = rng.normal(0, 1, (count, 3)) * 7 + (0, 0, 18)
    points = np.where(outer[:, None], points, inner)
    points = _push_apart(points, radii, outer, wall, rng)
    cells = []
    for point, radius, on_wall, lamin, stain in zip(points, radii, outer, envelope, dna, strict=True):
        if on_wall:  # flattened against the wall, seen from the centre
            first = point / wall**2
            proportions = np.array([0.74, 1.1, 1.23])
        else:
            first = rng.standard_normal(3)
            proportions = np.array([0.86, 1.0, 1.16])
        directions = np.linalg.qr(np.column_stack([first, rng.standard_normal((3, 2))]))[0].T
        cells.append(
            _Nucleus(point + field_um / 2 - (0, 0, 1.5), directions, proportions * radius, lamin, stain)
        )
    return cells


def _push_apart(
    points: NDArray[np.float64],
    radii: NDArray[np.float64],
    outer: NDArray[np.bool_],
    wall: NDArray[np.float64],
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    room = 0.76 * (radii[:, None] + radii[None, :])
    np.fill_diagonal(room, 0)
    for _ in range(300):
        gap = points[:, None] - points[None, :] + rng.normal(0, 1e-3, (len(points), len(points), 3))
        distance = np.linalg.norm(gap, axis=2) + 1e-9
        push = np.clip(room - distance, 0, None) * 0.25
        points = points + (gap / distance[..., None] * push[..., None]).sum(axis=1)
        depth = np.linalg.norm(points / wall, axis=1, keepdims=True)
        limit = 1 - (radii[:, None] * 0.9 + 3) / wall.min()  # the inner cells stay inside the wall
        points = np.where(outer[:, None], points / depth, points / np.maximum(1, depth / limit))
    return points


def _texture(rng: np.random.Generator) -> NDArray[np.float32]:
    # periodic smooth noise of unit variance: any crop of it, wrapped round, serves as chromatin
    noise = rng.standard_normal((64, 64, 64)).astype(np.float32)
    frequency = np.fft.fftfreq(64) ** 2
    squared = frequency[:, None, None] + frequency[None, :, None] + (np.fft.rfftfreq(64) ** 2)[None, None, :]
    passed = np.fft.rfftn(noise) * np.exp(-2 * np.pi**2 * 1.6**2 * squared)
    smooth = np.fft.irfftn(passed, s=noise.shape, axes=(0, 1, 2))
    return np.asarray(smooth / smooth.std(), np.float32)


type _Box = tuple[slice, slice, slice]


def _segment(
    cells: list[_Nucleus], shape: tuple[int, int, int], voxel: NDArray[np.float64], rng: np.random.Generator
) -> tuple[NDArray[np.int8], list[tuple[_Box, NDArray[np.float32]]]]:
    """Return the label image, and for each nucleus its box with every voxel's distance (1 is the surface)."""
    labels = np.zeros(shape, np.int8)
    nearest = np.full(shape, np.inf, np.float32)
    boxes = []
    for number, cell in enumerate(cells, 1):
        reach = (
            np.sqrt(((cell.semi_axes[:, None] * cell.directions) ** 2).sum(axis=0)) * _STRETCH * 1.15 + 1.5
        )
        low = np.clip(np.floor((cell.centre - reach) / voxel).astype(int), 0, shape)
        high = np.clip(np.ceil((cell.centre + reach) / voxel).astype(int) + 1, 0, shape)
        box = (slice(low[0], high[0]), slice(low[1], high[1]), slice(low[2], high[2]))
        z, y, x = (
            ((index * step - middle) / stretch).astype(np.float32)
            for index, step, middle, stretch in zip(np.ogrid[box], voxel, cell.centre, _STRETCH, strict=True)
        )
        squared = np.zeros(tuple(high - low), np.float32)
        dents = np.ones(tuple(high - low), np.float32)
        for direction, length in zip(cell.directions.astype(np.float32), cell.semi_axes, strict=True):
            along = (direction[0] * z + direction[1] * y + direction[2] * x) / np.float32(length)
            dents += 0.035 * np.sin(2.6 * along + np.float32(rng.uniform(0, 6.28)))
            squared += along * along
        distance = np.sqrt(squared) * dents
        mine = (distance < nearest[box]) & (distance < 1)
        labels[box][mine] = number
        np.minimum(nearest[box], distance, out=nearest[box])
        boxes.append((box, distance))
    return labels, boxes


def _light(
    channel: int,
    cell: _Nucleus,
    number: int,
    nearness: tuple[_Box, NDArray[np.float32]],
    labels: NDArray[np.int8],
    texture: NDArray[np.float32],
    signal: NDArray[np.float32],
    voxel: NDArray[np.float64],
    rng: np.random.Generator,
) -> None:
    """Add one nucleus to one channel, blurred by the microscope."""
    box, distance = nearness
    radius = float(np.cbrt(cell.semi_axes.prod()))
    own = (labels[box] == number) | ((labels[box] == 0) & (distance < 1.1))
    grain = _crop(texture, distance.shape, rng)
    if channel == 0:
        depth = (distance - 0.97) * np.float32(radius / _SHELL_UM)
        light = np.exp(-0.5 * depth * depth + 0.42 * grain) + np.where(distance < 1, np.float32(0.035), 0)
        wanted = cell.envelope
    else:
        spots = np.clip(grain - 1.3, 0, None)  # chromocentres
        edge = np.clip((np.float32(0.98) - distance) * np.float32(radius / 0.5), 0, 1)
        light = edge * (1 + 0.12 * grain + 0.25 * spots)
        wanted = cell.dna
    light *= own
    inside = labels[box] == number
    _blur(light, np.array(_PSF_UM) / voxel)
    mean = float(light[inside].mean()) if inside.any() else 0.0
    if mean > 0:
        light *= (wanted - _BACKGROUND[channel] - _HAZE[channel]) / mean
        signal[box] += light


def _crop(
    texture: NDArray[np.float32], shape: tuple[int, ...], rng: np.random.Generator
) -> NDArray[np.float32]:
    picks = [(np.arange(n) + start) % 64 for n, start in zip(shape, rng.integers(0, 64, 3), strict=True)]
    return texture[np.ix_(*picks)]


def _blur(block: NDArray[np.float32], sigmas: NDArray[np.float64]) -> None:
    for axis, sigma in enumerate(sigmas):
        reach = min(int(np.ceil(3 * sigma)), block.shape[axis] - 1)
        weights = np.exp(-(np.arange(reach + 1) ** 2) / (2 * sigma**2))
        weights /= weights[0] + 2 * weights[1:].sum()
        sharp = np.moveaxis(block.copy(), axis, 0)
        out = np.moveaxis(block, axis, 0)
        out *= np.float32(weights[0])
        for offset in range(1, reach + 1):
            weight = np.float32(weights[offset])
            out[offset:] += weight * sharp[:-offset]
            out[:-offset] += weight * sharp[offset:]


def _haze(shape: tuple[int, int, int], voxel: NDArray[np.float64]) -> NDArray[np.float32]:
    z, y, x = np.ogrid[: shape[0], : shape[1], : shape[2]]
    radii = np.array(_EMBRYO_RADII_UM) + 8
    z, y, x = (
        (index - size / 2) * step / radius
        for index, size, step, radius in zip((z, y, x), shape, voxel, radii, strict=True)
    )
    return np.asarray(1 / (1 + (z**2 + y**2 + x**2) ** 3), np.float32)


def _expose(
    signal: NDArray[np.float32], channel: int, rng: np.random.Generator, out: NDArray[np.uint16]
) -> None:
    # photon noise in its normal approximation: its variance is the gain times the light
    gain, offset, read = np.float32(_GAIN[channel]), _BACKGROUND[channel], np.float32(_READ_SD[channel])
    noise = np.empty(signal.shape[1:], np.float32)
    for plane, target in zip(signal, out, strict=True):
        rng.standard_normal(out=noise, dtype=np.float32)
        noise *= np.sqrt(gain * (plane - offset) + read * read)
        noise += plane
        target[:] = np.rint(np.clip(noise, 0, SATURATION, out=noise), out=noise)
