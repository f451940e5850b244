"""Open an image on S3 as a viewer does, and print the milliseconds and requests each step took."""

import json
import sys
import time
import urllib.request

import zarr

from ngff_practical.inspection import describe_image
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


level, opened = timed(open_level)
plane, first = timed(lambda: level[level.shape[0] // 2])
_, described = timed(lambda: describe_image(location))
print(json.dumps({"open": opened, "plane": {**first, "shape": plane.shape}, "describe_image": described}))
