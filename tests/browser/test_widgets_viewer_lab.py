"""The pyramid viewer on every kind of image, and on one far larger than memory, in a real JupyterLab."""

from pathlib import Path

import pytest
from kernels import python, run, wait_for

pytestmark = pytest.mark.browser

DATA = Path(__file__).resolve().parents[1] / "data" / "sound"
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


def test_an_image_of_0_6_is_seen(cells):
    page = cells(f"from ngff_practical.widgets import PyramidViewer\nPyramidViewer({str(DATA / '0_6')!r})")
    page.wait_for_function("() => document.querySelector('.ngff-badge').textContent !== ''")
    page.wait_for_function(LIT, arg=2)


def test_a_plate_is_seen_well_by_well(cells):
    source = f"view = PyramidViewer({str(DATA / 'plate')!r})\nview"
    page = cells("from ngff_practical.widgets import PyramidViewer", source)
    wells = page.get_by_label("well").locator("option").all_inner_texts()
    assert len(wells) > 1
    page.get_by_label("well").select_option(wells[1])
    wait_for(page, "view.choices['well']", repr(wells[1]))
    wait_for(page, "view.notice", "''")


HUGE = """
import json
import numpy as np
import zarr
from ngff_practical.course import connect
from ngff_practical.storage import zarr_store
from ngff_practical.widgets import PyramidViewer
server = connect()
server.use()
server.set_network(latency_ms=20)
place = server.location('practical', 'huge/4TB.ome.zarr')
group = zarr.open_group(zarr_store(place, read_only=False), mode='w', zarr_format=3)
sides = [2**20 >> level for level in range(12)]
for level, side in enumerate(sides):
    group.create_array(f'{level}', shape=(4, side, side), chunks=(1, 512, 512), dtype='uint8', fill_value=0)
group['11'][:] = np.broadcast_to(np.arange(512, dtype='uint16') % 200, (4, 512, 512))
group['0'][2, 2**19 - 512:2**19 + 512, 2**19 - 512:2**19 + 512] = np.arange(1024) % 200
axes = [{'name': name, 'type': 'space', 'unit': 'micrometer'} for name in 'zyx']
datasets = [{'path': f'{n}', 'coordinateTransformations': [{'type': 'scale', 'scale': [1, 2.0**n, 2.0**n]}]}
            for n in range(12)]
group.attrs['ome'] = {'version': '0.5', 'multiscales': [{'name': 'huge', 'axes': axes, 'datasets': datasets}]}
start = server.request_count()
view = PyramidViewer(place)
view
"""
SETTLED = """() => {
    const root = document.querySelector('.ngff-viewer');
    return root.querySelector('.ngff-badge').textContent.startsWith('level 0 ')
        && root.querySelector('.ngff-twin').textContent.includes(': level 0,')
}"""
ASKED = (
    "sorted({one.key.split('huge/4TB.ome.zarr/')[1] for one in server.requests(start) if '/c/' in one.key})"
)


def test_of_an_image_of_4_tb_only_what_is_seen_is_asked_for(cells):
    page = cells(HUGE)
    page.wait_for_function(LIT, arg=50)
    first = eval(python(page, ASKED))
    assert 0 < len(first) <= 2  # the plane in the middle, of the coarsest level
    assert {key.split("/")[0] for key in first} == {"11"}
    canvas = page.locator(".ngff-viewer canvas")
    canvas.focus()
    for _ in range(20):  # 1.5 ** 20 is beyond one pixel for each
        canvas.press("+")
    page.wait_for_function(SETTLED)
    page.wait_for_function(LIT, arg=50)
    seen = {key for key in eval(python(page, ASKED)) if key.startswith("0/")}
    assert seen <= {
        f"0/c/2/{row}/{column}" for row in (1022, 1023, 1024, 1025) for column in (1022, 1023, 1024, 1025)
    }
    assert {"0/c/2/1023/1023", "0/c/2/1024/1024"} <= seen
    assert len(eval(python(page, ASKED))) < 120  # of twelve levels on the way, those that were waited for
    run(page, "server.set_network()")


def test_a_fast_way_over_a_huge_image_leaves_out_what_was_passed_and_forgets_the_oldest(cells):
    page = cells(HUGE)
    page.wait_for_function(LIT, arg=50)
    canvas = page.locator(".ngff-viewer canvas")
    canvas.focus()
    for _ in range(14):
        canvas.press("+")
    wait_for(page, "not view._wishes._wanted", "True")
    before = int(python(page, "server.request_count()"))
    for _ in range(60):
        page.keyboard.press("ArrowRight")
    wait_for(page, "not view._wishes._wanted", "True")
    assert int(python(page, "server.request_count()")) - before <= 60
    wait_for(page, "view._scene.stack._blocks.nbytes <= 256 * 2**20", "True")
    run(page, "server.set_network()")
