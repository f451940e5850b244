"""Learn OME-NGFF (OME-Zarr) hands on: the small package behind the course.

The walk: `find_stack`, `plan_pyramid`, `convert_stack`, `validate`, `upload`, `verify`, `describe_image`.
Each name is imported when it is first used, so that `import ngff_practical` stays quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ngff_practical.convert import convert_labels as convert_labels
    from ngff_practical.convert import convert_stack as convert_stack
    from ngff_practical.inspection import describe_image as describe_image
    from ngff_practical.inspection import validate as validate
    from ngff_practical.meter import watch as watch
    from ngff_practical.model import Location as Location
    from ngff_practical.pyramid import chunk_access as chunk_access
    from ngff_practical.pyramid import plan_labels as plan_labels
    from ngff_practical.pyramid import plan_pyramid as plan_pyramid
    from ngff_practical.stack import find_stack as find_stack
    from ngff_practical.storage import parse_place as parse_place
    from ngff_practical.transfer import download as download
    from ngff_practical.transfer import upload as upload
    from ngff_practical.transfer import verify as verify

__version__: str

_HOMES = {
    "Location": "model",
    "chunk_access": "pyramid",
    "convert_labels": "convert",
    "convert_stack": "convert",
    "describe_image": "inspection",
    "download": "transfer",
    "find_stack": "stack",
    "parse_place": "storage",
    "plan_labels": "pyramid",
    "plan_pyramid": "pyramid",
    "upload": "transfer",
    "validate": "inspection",
    "verify": "transfer",
    "watch": "meter",
}

__all__ = ["__version__", *sorted(_HOMES)]


def __getattr__(name: str) -> object:
    if name == "__version__":  # what looks it up takes longer to import than most commands have to do
        from importlib.metadata import version

        return version("ngff-practical")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
