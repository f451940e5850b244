"""The images of the course: the IDR's catalogue, synthetic stand-ins, and small TIFF stacks to convert."""

from ngff_practical.samples.catalogue import SAMPLES, Sample, find_sample
from ngff_practical.samples.embryo import Blastocyst, blastocyst
from ngff_practical.samples.locate import locate, offline
from ngff_practical.samples.mini import mini_image, mini_plate
from ngff_practical.samples.particles import Particles, particles
from ngff_practical.samples.tiffs import sample_particles, sample_planes, sample_stack
from ngff_practical.samples.twins import cache_folder, seed

__all__ = [
    "Blastocyst",
    "Particles",
    "SAMPLES",
    "Sample",
    "blastocyst",
    "cache_folder",
    "find_sample",
    "locate",
    "mini_image",
    "mini_plate",
    "offline",
    "particles",
    "sample_particles",
    "sample_planes",
    "sample_stack",
    "seed",
]
