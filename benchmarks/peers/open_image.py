"""Open an image on S3 as a viewer does, and print the milliseconds and requests each step took."""

import asyncio
import json
import sys
import time
import urllib.request

import zarr
from zarr.core.buffer import default_buffer_prototype
from zarr.storage import MemoryStore

from ngff_practical.inspection import describe_image
from ngff_practical.meter import Recorder
from ngff_practical.meter.stores import MeteredStore
from ngff_practical.model import Location
from ngff_practical.storage import zarr_store

endpoint, key, view_px = sys.argv[1], sys.argv[2], int(sys.argv[3])
location = Location(endpoint, "bench", key, anonymous=True)


def requests():
    """Return how many requests the server has answered."""
    with urllib.request.urlopen(f"{endpoint}/-/stats") as answer:
        return json.load(answer)["requests"]


def timed(action):
    """Return what an action returns, with its milliseconds and requests."""
    before, began = requests(), time.perf_counter()
    result = action()
    ms = (time.perf_counter() - began) * 1000
    return result, {"ms": ms, "requests": requests() - before}


def open_level():
    """Open the image, of a version that is known, and the coarsest level that still fills the view."""
    group = zarr.open_group(zarr_store(location), mode="r", zarr_format=3, use_consolidated=False)
    datasets = group.attrs["ome"]["multiscales"][0]["datasets"]
    finest = datasets[0]["coordinateTransformations"][0]["scale"][-1]
    widths = {}
    for dataset in datasets:
        zoom = dataset["coordinateTransformations"][0]["scale"][-1] / finest
        widths[dataset["path"]] = int(sys.argv[4]) / zoom
    path = min((path for path in widths if widths[path] >= view_px), key=widths.get)
    return group[path]


def meter_ms():
    """Return the milliseconds that the meter adds to one read of a store."""
    memory = MemoryStore()
    prototype = default_buffer_prototype()

    async def read(store):
        await store.set("key", prototype.buffer.from_bytes(bytes(1000)))
        began = time.perf_counter()
        for _ in range(5000):
            await store.get("key", prototype)
        return (time.perf_counter() - began) / 5

    metered = MeteredStore(memory, Recorder(), root="memory", client="bench")
    return asyncio.run(read(metered)) - asyncio.run(read(memory))


level, opened = timed(open_level)
plane, first = timed(lambda: level[level.shape[0] // 2])
_, described = timed(lambda: describe_image(location))
steps = {"open": opened, "plane": {**first, "shape": plane.shape}, "describe_image": described}
print(json.dumps({**steps, "meter": {"ms": meter_ms(), "requests": 5000}}))
