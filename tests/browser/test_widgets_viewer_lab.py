"""The pyramid viewer on images of many kinds, in a real JupyterLab."""

import pytest
from kernels import wait_for

pytestmark = pytest.mark.browser

LIT = """least => {
    const canvas = document.querySelector('.ngff-viewer canvas');
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const greys = new Set();
    for (let at = 0; at < data.length; at += 4) greys.add(data[at] + data[at + 1] + data[at + 2]);
    return greys.size >= least
}"""
WRITE = """
import shutil, tempfile
from pathlib import Path
import numpy as np
import zarr
from ngff_practical.widgets import PyramidViewer
def write(axes, version):
    size = {'t': 2, 'c': 2, 'z': 4, 'y': 96, 'x': 128}
    grids = np.indices([size[name] for name in axes])
    values = (sum((n + 2) * grid for n, grid in enumerate(grids)) % 250).astype('uint8')
    folder = Path(tempfile.mkdtemp()) / 'a.ome.zarr'
    zarr_format = 2 if version == '0.4' else 3
    group = zarr.open_group(folder, mode='w', zarr_format=zarr_format)
    key = {'name': 'v2', 'separator': '/'} if zarr_format == 2 else None
    chunks = (1,) * (len(axes) - 2) + (32, 32)
    for level in range(2):
        group.create_array(f'{level}', data=np.ascontiguousarray(values[..., ::2**level, ::2**level]),
                           chunks=chunks, chunk_key_encoding=key)
    kinds = {'t': 'time', 'c': 'channel'}
    named = [{'name': name, 'type': kinds.get(name, 'space')} for name in axes]
    steps = [[2.0**level if name in 'yx' else 1.0 for name in axes] for level in range(2)]
    datasets = [{'path': f'{level}', 'coordinateTransformations': [{'type': 'scale', 'scale': steps[level]}]}
                for level in range(2)]
    image = {'name': 'a', 'axes': named, 'datasets': datasets}
    attributes = {'multiscales': [{**image, 'version': '0.4'}]} if zarr_format == 2 else {
        'ome': {'version': version, 'multiscales': [image]}}
    group.attrs.update(attributes)
    return folder
"""
SERVE = """
import functools, threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass
def serve(folder):
    handler = functools.partial(Quiet, directory=str(folder.parent))
    server = ThreadingHTTPServer(('127.0.0.1', 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f'http://127.0.0.1:{server.server_address[1]}/{folder.name}'
"""
ON_S3 = """
from ngff_practical import upload
from ngff_practical.course import connect
server = connect()
server.use()
server.set_network()
def send(folder):
    place = server.location('practical', 'viewer-lab/a.ome.zarr')
    upload(folder, place, overwrite=True)
    return place
"""
PLACES = {
    "2D": "write('yx', '0.5')",
    "3D of 0.4": "write('zyx', '0.4')",
    "4D with channels": "write('czyx', '0.5')",
    "5D": "write('tczyx', '0.5')",
    "5D of 0.4": "write('tczyx', '0.4')",
    "over http": "serve(write('zyx', '0.5'))",
    "on S3": "send(write('czyx', '0.5'))",
}


@pytest.mark.parametrize("kind", PLACES)
def test_an_image_of_any_kind_is_seen(cells, kind):
    page = cells(WRITE, SERVE, ON_S3, f"view = PyramidViewer({PLACES[kind]})\nview")
    page.wait_for_function(LIT, arg=50)
    wait_for(page, "view.notice", "''")
    sliders = page.locator(".ngff-viewer .ngff-sliders input")
    assert sliders.count() == {"2D": 0, "5D": 2, "5D of 0.4": 2}.get(kind, 1)
    assert page.locator(".ngff-channel").count() == (2 if kind[0] in "45" or kind == "on S3" else 1)
