"""Every widget as a cell that makes `view`, and one thing a person does there that changes its words.

What is shown carries a hostile name wherever a file could bring one: markup that would run, a character that
turns the reading direction, and one that rings a terminal's bell.
"""

from collections.abc import Callable
from dataclasses import dataclass

MARKUP = "<img src=x onerror=window.hacked=1>"

NAMES = f"""
import json, shutil, tempfile
from pathlib import Path
import numpy as np
MARKUP = {MARKUP!r}
NASTY = MARKUP + '\\u202egnp.'
RINGING = NASTY + '\\x07'
home = Path(tempfile.mkdtemp())
"""

IMAGE = (
    NAMES
    + """
import zarr
def write(folder, values, axes, **more):
    group = zarr.open_group(folder, mode='w', zarr_format=2)
    key = {'name': 'v2', 'separator': '/'}
    chunks = (1,) * (values.ndim - 2) + (32, 32)
    group.create_array('0', data=values, chunks=chunks, chunk_key_encoding=key)
    kinds = {'c': 'channel', 'z': 'space', 'y': 'space', 'x': 'space'}
    scale = [{'type': 'scale', 'scale': [1.0] * values.ndim}]
    datasets = [{'path': '0', 'coordinateTransformations': scale}]
    named = [{'name': name, 'type': kinds[name]} for name in axes]
    image = {'version': '0.4', 'name': RINGING, 'axes': named, 'datasets': datasets}
    group.attrs.update({'multiscales': [image], **more})
    return folder
z, y, x = np.mgrid[:6, :64, :64]
values = ((x * 4 + y * 3 + z * 5) % 251).astype('uint8')
channels = [{'label': RINGING, 'color': 'FF8800'}, {'label': 'b', 'color': '0088FF'}]
image = write(home / RINGING, np.stack([values, values[:, ::-1]]), 'czyx',
              omero={'channels': channels}, **{RINGING: RINGING})
zarr.open_group(image / 'labels', mode='w', zarr_format=2).attrs['labels'] = [NASTY]
write(image / 'labels' / NASTY, (values // 64).astype('uint16'), 'zyx', **{'image-label': {'version': '0.4'}})
"""
)

STACK = (
    NAMES
    + """
from ngff_practical import convert_stack, find_stack, plan_pyramid
from ngff_practical.samples import sample_planes
source = find_stack(sample_planes(home / RINGING))
"""
)

BUCKET = (
    NAMES
    + """
import boto3
from ngff_practical.course import connect
server = connect()
server.use()
server.set_network()
client = boto3.Session().client('s3', endpoint_url=server.endpoint)
for key in ('a.zarr/zarr.json', 'a.zarr/0/c/0', 'a.zarr2/0', NASTY, NASTY + '.zarr/0/c/0'):
    client.put_object(Bucket='practical', Key='each/' + key, Body=b'12345')
"""
)


def press(key: str, selector: str) -> Callable[..., None]:
    """Return an act: a key, with the focus on the first of these."""
    return lambda page: page.locator(selector).first.press(key)


def choose(label: str, value: str) -> Callable[..., None]:
    """Return an act: another choice of a menu."""
    return lambda page: page.get_by_label(label).select_option(value)


@dataclass(frozen=True)
class Each:
    """One widget: `kind` is its class in the page, `act` what a person does there."""

    kind: str
    source: str
    act: Callable[..., None]


EACH = {
    "ChunkExplorer": Each(
        "chunks",
        IMAGE + "from ngff_practical.widgets import ChunkExplorer\nview = ChunkExplorer(image)\nview",
        press("ArrowRight", ".ngff-chunks canvas"),
    ),
    "PyramidViewer": Each(
        "viewer",
        IMAGE + "from ngff_practical.widgets import PyramidViewer\nview = PyramidViewer(image)\nview",
        press("PageUp", ".ngff-viewer canvas"),
    ),
    "RequestMeter": Each(
        "requests",
        NAMES
        + """
from ngff_practical.meter import Recorder
from ngff_practical.model import Request
from ngff_practical.widgets import RequestMeter
recorder = Recorder()
view = RequestMeter(recorder)
with view.watch(RINGING):
    recorder.record(Request('GET', 'idr/' + RINGING, None, 404, 0, 25.0, 'obstore', 1.0))
view
""",
        lambda page: page.get_by_role("button", name="Clear").press("Enter"),
    ),
    "KeyBrowser": Each(
        "bucket",
        BUCKET
        + """
from ngff_practical.widgets import KeyBrowser
view = KeyBrowser(server.location('practical', 'each'))
view
""",
        lambda page: page.get_by_role("button", name="a.zarr/", exact=True).press("Enter"),
    ),
    "MetadataTree": Each(
        "documents",
        IMAGE + "from ngff_practical.widgets import MetadataTree\nview = MetadataTree(image)\nview",
        press("End", ".ngff-tree"),
    ),
    "ByteMapView": Each(
        "bytes",
        NAMES
        + """
import tifffile
from ngff_practical.widgets import ByteMapView
tifffile.imwrite(home / f'{RINGING}.tif', np.zeros((6, 32, 32), 'uint8'))
view = ByteMapView(home / f'{RINGING}.tif')
view
""",
        press("ArrowRight", ".ngff-bytes input"),
    ),
    "ConversionPlanner": Each(
        "planner",
        STACK
        + "from ngff_practical.widgets import ConversionPlanner\nview = ConversionPlanner(source)\nview",
        choose("codec", "gzip"),
    ),
    "PlateMap": Each(
        "plate",
        NAMES
        + """
import zarr
from ngff_practical.widgets import PlateMap
plate = {'version': '0.4', 'name': RINGING, 'rows': [{'name': 'A'}, {'name': MARKUP}],
         'columns': [{'name': '1'}, {'name': RINGING}],
         'wells': [{'path': 'A/1', 'rowIndex': 0, 'columnIndex': 0}]}
zarr.open_group(home / RINGING, mode='w', zarr_format=2).attrs['plate'] = plate
view = PlateMap(home / RINGING)
view
""",
        press("Enter", ".ngff-spot"),
    ),
    "UploadPanel": Each(
        "task",
        STACK
        + """
from ngff_practical.course import connect
from ngff_practical.widgets import UploadPanel
server = connect()
server.use()
server.set_network()
convert_stack(source, home / (NASTY + '.ome.zarr'), plan_pyramid(source))
view = UploadPanel(home / (NASTY + '.ome.zarr'), server.location('practical', 'each-upload/a.ome.zarr'))
view
""",
        lambda page: page.get_by_role("button", name="Dry run").press("Enter"),
    ),
    "DownloadPanel": Each(
        "task",
        BUCKET
        + """
from ngff_practical.widgets import DownloadPanel
view = DownloadPanel(server.location('practical', 'each/a.zarr'), home / RINGING)
view
""",
        lambda page: page.get_by_role("button", name="Dry run").press("Enter"),
    ),
    "ConvertPanel": Each(
        "task",
        STACK
        + """
from ngff_practical.widgets import ConvertPanel
view = ConvertPanel(source, home / (RINGING + '.ome.zarr'))
view
""",
        lambda page: page.get_by_role("button", name="Dry run").press("Enter"),
    ),
    "LatencyModel": Each(
        "latency",
        "from ngff_practical.widgets import LatencyModel\nview = LatencyModel()\nview",
        press("ArrowRight", ".ngff-latency input"),
    ),
    "BeforeAfter": Each(
        "beside",
        NAMES
        + """
from ngff_practical.widgets import BeforeAfter
values = np.arange(6 * 32 * 32, dtype='uint16').reshape(6, 32, 32)
view = BeforeAfter({RINGING: values, 'written': values, 'level 1': values[::2, ::2, ::2]})
view
""",
        press("ArrowRight", ".ngff-beside input"),
    ),
    "NeuroglancerView": Each(
        "neuro",
        IMAGE + "from ngff_practical.widgets import NeuroglancerView\nview = NeuroglancerView(image)\nview",
        lambda page: None,
    ),
}
