"""The pyramid viewer on an image of 4 TB on S3: what is asked for, and what is kept."""

import pytest
from kernels import python, run, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.s3]

HUGE = """
import numpy as np
import zarr
from ngff_practical.course import connect
from ngff_practical.storage import zarr_store
from ngff_practical.widgets import PyramidViewer
server = connect()
server.use()
server.set_network()
place = server.location('practical', 'huge-lab/4TB.ome.zarr')
group = zarr.open_group(zarr_store(place, read_only=False), mode='w', zarr_format=3)
sides = [2**20 >> level for level in range(12)]
for level, side in enumerate(sides):
    group.create_array(f'{level}', shape=(4, side, side), chunks=(1, 512, 512), dtype='uint8', fill_value=0)
group['11'][:] = np.broadcast_to(np.arange(512, dtype='uint16') % 200, (4, 512, 512))
middle = slice(2**19 - 512, 2**19 + 512)
group['0'][2, middle, middle] = np.broadcast_to(np.arange(1024) % 200, (1024, 1024)).astype('uint8')
axes = [{'name': name, 'type': 'space', 'unit': 'micrometer'} for name in 'zyx']
datasets = [{'path': f'{n}', 'coordinateTransformations': [{'type': 'scale', 'scale': [1, 2.0**n, 2.0**n]}]}
            for n in range(12)]
group.attrs['ome'] = {'version': '0.5', 'multiscales': [{'name': 'huge', 'axes': axes, 'datasets': datasets}]}
server.set_network(latency_ms=20)
start = server.request_count()
view = PyramidViewer(place)
view._scene.stack._blocks._most = 8 * 2**20
kept = []
answer = view.receive
def noted(message, buffers):
    kept.append(len(message.get('have', ())))
    return answer(message, buffers)
view.receive = noted
def asked():
    keys = (one.key.split('4TB.ome.zarr/')[1] for one in server.requests(start))
    return sorted({key for key in keys if '/c/' in key})
view
"""
GREYS = """least => {
    const canvas = document.querySelector('.ngff-viewer canvas');
    if (!canvas) return false;
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const greys = new Set();
    for (let at = 0; at < data.length; at += 4) greys.add(data[at]);
    return greys.size >= least
}"""
TILE = 512 * 512  # pixels


def test_of_an_image_of_4_tb_only_what_is_seen_is_asked_for_and_the_oldest_is_forgotten(cells):
    page = cells(HUGE)
    page.wait_for_function(GREYS, arg=50)
    whole = {f"10/c/2/{row}/{column}" for row in (0, 1) for column in (0, 1)}  # of the still picture
    assert set(eval(python(page, "asked()"))) <= {"11/c/2/0/0"} | whole
    canvas = page.locator(".ngff-viewer canvas")
    canvas.focus()
    for _ in range(20):  # 1.5 ** 20: beyond one pixel of the image for one of the screen
        page.keyboard.press("+")
    page.locator(".ngff-badge").get_by_text("level 0 (of 12 levels)").wait_for()
    page.wait_for_function(GREYS, arg=50)
    wait_for(page, "not view._wishes._wanted", "True")
    finest = {key for key in eval(python(page, "asked()")) if key.startswith("0/")}
    near = range(1022, 1026)
    assert {"0/c/2/1023/1023", "0/c/2/1024/1024"} <= finest
    assert finest <= {f"0/c/2/{row}/{column}" for row in near for column in near}

    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    for _ in range(4):
        page.keyboard.press("-")
    for step in range(60):
        across = (box["width"] / 2 - 20) * (-1 if step % 2 else 1)
        page.mouse.move(middle[0] + abs(across), middle[1])
        page.mouse.down()
        page.mouse.move(middle[0] - abs(across), middle[1] + (40 if step % 2 else -30), steps=2)
        page.mouse.up()
        wait_for(page, "not view._wishes._wanted", "True")
    most = int(python(page, "max(kept)"))
    assert most * TILE > 20e6  # the page has kept many, and
    assert most * TILE <= 32e6 + 40 * TILE  # no more than it may, besides what is seen
    assert int(python(page, "view._scene.stack._blocks.nbytes")) <= 8 * 2**20
    assert python(page, "view.notice") == "''"
    run(page, "server.set_network()")
