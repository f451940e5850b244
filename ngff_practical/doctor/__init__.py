"""Whether this computer, the network and a place on S3 are ready, each check with its fix."""

from ngff_practical.doctor.checks import Check, ready
from ngff_practical.doctor.computer import check_computer
from ngff_practical.doctor.everything import check_everything
from ngff_practical.doctor.network import check_hosts
from ngff_practical.doctor.place import check_place
from ngff_practical.doctor.practice import check_sandbox
from ngff_practical.doctor.preflight import Preflight, preflight

__all__ = [
    "Check",
    "Preflight",
    "check_computer",
    "check_everything",
    "check_hosts",
    "check_place",
    "check_sandbox",
    "preflight",
    "ready",
]
