"""The pyramid viewer on images of many kinds, in a real JupyterLab."""

import json
import re

import pytest
from kernels import python, wait_for
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

LIT = """least => {
    const canvas = document.querySelector('.ngff-viewer canvas');
    if (!canvas) return false;
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const greys = new Set();
    for (let at = 0; at < data.length; at += 4) greys.add(data[at] + data[at + 1] + data[at + 2]);
    return greys.size >= least
}"""
WRITE = """
import tempfile
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
    if version == '0.6':
        space = {'name': 'physical'}
        for n, one in enumerate(datasets):
            one['coordinateTransformations'][0].update(input={'path': f'{n}'}, output=space)
        systems = [{**space, 'axes': named}]
        image = {'name': 'a', 'datasets': datasets, 'coordinateSystems': systems}
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
    "3D of 0.6": "write('zyx', '0.6')",
    "over http": "serve(write('zyx', '0.5'))",
    "on S3": "send(write('czyx', '0.5'))",
}


@pytest.mark.parametrize("kind", PLACES)
def test_an_image_of_any_kind_is_seen(cells, kind):
    page = cells(WRITE, SERVE, ON_S3, f"view = PyramidViewer({PLACES[kind]})\nview")
    page.wait_for_function(LIT, arg=50)
    wait_for(page, "view.notice", "''")
    sliders = page.locator(".ngff-viewer .ngff-sliders input")
    expect(sliders).to_have_count({"2D": 0, "5D": 2, "5D of 0.4": 2}.get(kind, 1))
    expect(page.locator(".ngff-channel")).to_have_count(2 if kind[0] in "45" or kind == "on S3" else 1)


PLATE = """
import json
def group(path, **ome):
    path.mkdir(parents=True, exist_ok=True)
    document = {'zarr_format': 3, 'node_type': 'group', 'attributes': {'ome': {'version': '0.5', **ome}}}
    (path / 'zarr.json').write_text(json.dumps(document))
plate = Path(tempfile.mkdtemp()) / 'plate.ome.zarr'
for n, axes in enumerate(('yx', 'zyx'), 1):
    fields = ('ab', 'xy')[n - 1]  # no two wells have fields of the same names
    group(plate / 'A' / f'{n}', well={'images': [{'path': field} for field in fields]})
    for field in fields:
        write(axes, '0.5').rename(plate / 'A' / f'{n}' / field)
wells = [{'path': f'A/{n}', 'rowIndex': 0, 'columnIndex': n - 1} for n in (1, 2)]
group(plate, plate={'rows': [{'name': 'A'}], 'columns': [{'name': '1'}, {'name': '2'}], 'wells': wells})
view = PyramidViewer(plate)
view
"""


def test_a_plate_is_seen_well_by_well(cells):
    page = cells(WRITE, PLATE)
    page.wait_for_function(LIT, arg=50)
    sliders = page.locator(".ngff-viewer .ngff-sliders input")
    expect(sliders).to_have_count(0)
    well = page.get_by_label("well", exact=True)
    expect(well.locator("option")).to_have_text(["A/1", "A/2"])
    well.focus()
    well.select_option("A/2")
    sliders.first.wait_for()  # the image of this well has planes along z
    expect(well).to_be_focused()
    page.wait_for_function(LIT, arg=50)
    page.get_by_label("field", exact=True).select_option("y")  # once the fields are those of this well
    wait_for(page, "(view.choices['well'], view.choices['field'], view.notice)", "('A/2', 'y', '')")
    page.wait_for_function(LIT, arg=50)


LOOK = """
from ngff_practical.widgets.scene import colour_labels
own = colour_labels(np.array([[7]]))[0, 0, :3].tolist()
values = np.zeros((2, 4, 96, 128), 'uint8')
values[0], values[1] = np.arange(128) * 2, np.arange(96)[:, None] * 2
ids = np.zeros((4, 96, 128), 'uint16')
ids[:, 30:66, 40:88] = 7
def save(folder, array, axes, **more):
    group = zarr.open_group(folder, mode='w', zarr_format=2)
    key = {'name': 'v2', 'separator': '/'}
    chunks = (1,) * (array.ndim - 2) + (32, 32)
    group.create_array('0', data=array, chunks=chunks, chunk_key_encoding=key)
    kinds = {'c': 'channel'}
    named = [{'name': name, 'type': kinds.get(name, 'space')} for name in axes]
    scale = [{'type': 'scale', 'scale': [1.0] * array.ndim}]
    datasets = [{'path': '0', 'coordinateTransformations': scale}]
    image = {'version': '0.4', 'name': 'a', 'axes': named, 'datasets': datasets}
    group.attrs.update({'multiscales': [image], **more})
folder = Path(tempfile.mkdtemp()) / 'a.ome.zarr'
channels = [{'label': 'first', 'color': 'FF0000'}, {'label': 'second', 'color': '00FF00'}]
save(folder, values, 'czyx', omero={'channels': channels})
zarr.open_group(folder / 'labels', mode='w', zarr_format=2).attrs['labels'] = ['cells']
save(folder / 'labels' / 'cells', ids, 'zyx', **{'image-label': {'version': '0.4'}})
view = PyramidViewer(folder)
view
"""
SUMS = """() => {
    const canvas = document.querySelector('.ngff-viewer canvas');
    if (!canvas) return [];
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const sums = [0, 0, 0];
    for (let at = 0; at < data.length; at += 1) if (at % 4 < 3) sums[at % 4] += data[at];
    return sums
}"""


def wait_for_sums(page, condition):
    """Wait until the sums of red, green and blue (r, g, b) fulfil this; return them."""
    page.wait_for_function(f"() => {{ const [r, g, b] = ({SUMS})(); return {condition} }}")
    return page.evaluate(SUMS)


def test_a_channel_is_hidden_coloured_and_stretched(cells):
    page = cells(WRITE, LOOK)
    wait_for_sums(page, "r > 0 && g > 0 && b === 0")
    page.get_by_label("second", exact=True).press("Space")
    wait_for_sums(page, "r > 0 && g === 0 && b === 0")
    expect(page.locator(".ngff-viewer .ngff-twin")).to_have_text(re.compile(r"; first\.$"))
    page.get_by_label("colour of first").fill("#0000ff")
    _, _, before = wait_for_sums(page, "r === 0 && g === 0 && b > 0")
    white = page.get_by_label("white level of first")
    for _ in range(2):
        white.press("PageDown")
    _, _, brighter = wait_for_sums(page, f"b > {before * 1.15}")  # of both presses
    black = page.get_by_label("black level of first")
    for _ in range(2):
        black.press("PageUp")
    wait_for_sums(page, f"b < {brighter * 0.9}")
    low, high = (int(python(page, f"int(view.channels[0]['{end}'])")) for end in ("low", "high"))
    assert 0 < low < high < 254
    expect(white).to_have_attribute("aria-valuetext", str(high))


PIXEL = """([y, x]) => {
    const canvas = document.querySelector('.ngff-viewer canvas'), zoom = canvas.height / 96;
    const at = [canvas.width / 2 + (x + 0.5 - 64) * zoom, canvas.height / 2 + (y + 0.5 - 48) * zoom];
    return [...canvas.getContext('2d').getImageData(...at.map(Math.round), 1, 1).data].slice(0, 3)
}"""


def wait_for_pixel(page, place, condition):
    """Wait until the colour `now` at a pixel of the image fulfils this; return it."""
    page.wait_for_function(
        f"place => {{ const now = ({PIXEL})(place).join(); return {condition} }}", arg=place
    )
    return page.evaluate(PIXEL, place)


def test_labels_are_laid_over_the_image_as_strongly_as_wished_and_named_by_keyboard(cells):
    page = cells(WRITE, LOOK)
    wait_for_sums(page, "r > 0 && g > 0")
    inside, outside = [40, 70], [10, 20]
    bare, beside = page.evaluate(PIXEL, inside), page.evaluate(PIXEL, outside)
    opacity = page.get_by_label("opacity", exact=True)
    page.get_by_label("labels", exact=True).select_option("cells")
    opacity.press("End")
    wait_for_pixel(page, inside, f"now !== '{','.join(map(str, bare))}'")
    own = json.loads(python(page, "own"))
    wait_for_pixel(page, inside, f"now === '{','.join(map(str, own))}'")
    opacity.press("Home")
    wait_for_pixel(page, inside, f"now === '{','.join(map(str, bare))}'")
    assert page.evaluate(PIXEL, outside) == beside
    page.locator(".ngff-viewer canvas").press("Enter")
    page.locator(".ngff-picked").get_by_text(f"Label 7: {4 * 36 * 48:,} voxels").wait_for()


CHANGED = """before => {
    const canvas = document.querySelector('.ngff-viewer canvas'), zoom = canvas.height / 96;
    const row = Math.round(canvas.height / 6); // the middle of the first row of chunks
    const now = [...canvas.getContext('2d').getImageData(0, row, canvas.width, 1).data];
    if (!before) return now;
    const found = new Set();
    now.forEach((value, at) => {
        if (value !== before[at]) found.add(Math.round((Math.floor(at / 4) - canvas.width / 2) / zoom + 64));
    });
    return [...found]
}"""


def test_the_borders_of_chunks_and_tiles_are_drawn_on_request(cells):
    page = cells(WRITE, LOOK)
    wait_for_sums(page, "r > 0 && g > 0")
    before = page.evaluate(CHANGED, None)
    chunks = page.get_by_label("chunks", exact=True)
    chunks.press("Space")
    page.wait_for_function(f"before => ({CHANGED})(before).length > 0", arg=before)
    assert page.evaluate(CHANGED, before) == [0, 32, 64, 96, 128]
    chunks.press("Space")
    page.wait_for_function(f"before => ({CHANGED})(before).length === 0", arg=before)
    page.get_by_label("tiles", exact=True).click()
    page.wait_for_function(f"before => ({CHANGED})(before).length > 0", arg=before)
    assert set(page.evaluate(CHANGED, before)) == {0, 128}  # this image is a single tile


BRIGHT = """
values = np.add.outer(np.arange(1024), np.arange(1024)) % 20
values[200:300, 300:400] = 250
group = zarr.open_group(Path(tempfile.mkdtemp()) / 'a.ome.zarr', mode='w')
for n in range(2):
    group.create_array(f'{n}', data=values[::2**n, ::2**n].astype('uint8'), chunks=(256, 256))
datasets = [{'path': f'{n}', 'coordinateTransformations': [{'type': 'scale', 'scale': [2.0**n] * 2}]}
            for n in range(2)]
axes = [{'name': name, 'type': 'space', 'unit': 'micrometer'} for name in 'yx']
image = {'name': 'bright', 'axes': axes, 'datasets': datasets}
group.attrs['ome'] = {'version': '0.5', 'multiscales': [image]}
view = PyramidViewer(str(group.store.root))
view
"""
UNDER = """([x, y]) => {
    const canvas = document.querySelector('.ngff-viewer canvas');
    return canvas.getContext('2d').getImageData(x, y, 1, 1).data[0]
}"""


def test_the_wheel_zooms_about_the_mouse_and_the_level_follows(cells):
    page = cells(WRITE, BRIGHT)
    page.wait_for_function(LIT, arg=15)
    badge, bar = page.locator(".ngff-badge"), page.locator(".ngff-scalebar span")
    badge.get_by_text("level 1 (of 2 levels)").wait_for()
    length = bar.inner_text()
    canvas = page.locator(".ngff-viewer canvas")
    canvas.scroll_into_view_if_needed()
    canvas.focus()
    box = canvas.bounding_box()
    zoom = box["height"] / 1024
    place = [box["width"] / 2 + (390 - 512) * zoom, box["height"] / 2 + (290 - 512) * zoom]
    page.wait_for_function(f"place => ({UNDER})(place) === 255", arg=place)
    page.mouse.move(box["x"] + place[0], box["y"] + place[1])
    page.mouse.wheel(0, -500)
    badge.get_by_text("level 0 (of 2 levels)").wait_for()
    expect(bar).not_to_have_text(length)
    page.wait_for_function(f"place => ({UNDER})(place) === 255", arg=place)
    page.mouse.wheel(0, 500)
    badge.get_by_text("level 1 (of 2 levels)").wait_for()
    page.wait_for_function(
        "length => document.querySelector('.ngff-scalebar span').textContent === length", arg=length
    )
