"""Views of chunks, pyramids and requests for notebooks: each shows a value that Python has worked out.

Each name is imported when it is first used; a widget draws in matplotlib only where a page cannot run it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ngff_practical.widgets.beside import BeforeAfter as BeforeAfter
    from ngff_practical.widgets.bytes import ByteMapView as ByteMapView
    from ngff_practical.widgets.chunks import ChunkExplorer as ChunkExplorer
    from ngff_practical.widgets.documents import MetadataTree as MetadataTree
    from ngff_practical.widgets.keys import KeyBrowser as KeyBrowser
    from ngff_practical.widgets.latency import LatencyModel as LatencyModel
    from ngff_practical.widgets.neuro import NeuroglancerView as NeuroglancerView
    from ngff_practical.widgets.neuro import neuroglancer_view as neuroglancer_view
    from ngff_practical.widgets.panels import ConvertPanel as ConvertPanel
    from ngff_practical.widgets.panels import DownloadPanel as DownloadPanel
    from ngff_practical.widgets.panels import UploadPanel as UploadPanel
    from ngff_practical.widgets.planner import ConversionPlanner as ConversionPlanner
    from ngff_practical.widgets.plate import PlateMap as PlateMap
    from ngff_practical.widgets.requests import RequestMeter as RequestMeter
    from ngff_practical.widgets.viewer import PyramidViewer as PyramidViewer

_HOMES: dict[str, str] = {
    "BeforeAfter": "beside",
    "ByteMapView": "bytes",
    "ChunkExplorer": "chunks",
    "ConvertPanel": "panels",
    "DownloadPanel": "panels",
    "UploadPanel": "panels",
    "ConversionPlanner": "planner",
    "KeyBrowser": "keys",
    "LatencyModel": "latency",
    "MetadataTree": "documents",
    "NeuroglancerView": "neuro",
    "PlateMap": "plate",
    "neuroglancer_view": "neuro",
    "PyramidViewer": "viewer",
    "RequestMeter": "requests",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
