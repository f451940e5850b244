"""Widgets as a person uses them, in a real JupyterLab under a prefix, with nothing fetched from elsewhere."""

import json
import re

import pytest
from kernels import begin, ended, interrupt, python, restart, run, until, wait_for
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

METER = """
from ngff_practical.meter import Recorder
from ngff_practical.model import Request
from ngff_practical.widgets import RequestMeter
class Source(Recorder):
    line = {"latency_ms": 20, "kbytes_per_s": None}
    def set_network(self, *, latency_ms=0, kbytes_per_s=None):
        self.line = {"latency_ms": latency_ms, "kbytes_per_s": kbytes_per_s}
    def network(self):
        return self.line
source = Source()
meter = RequestMeter(source)
source.record(Request("GET", "idr/<img src=x onerror=alert(1)>", None, 404, 0, 25.0, "obstore", 1.0))
source.record(Request("GET", "idr/a.zarr/0/c/0", None, 200, 2000, 25.0, "obstore", 1.02))
meter
"""


def test_the_meter_lists_new_requests_by_itself_and_names_stay_text(cells):
    page = cells(METER)
    rows = page.locator(".ngff-waterfall tbody tr")
    page.get_by_text("2 requests, 2.0 kB").wait_for()
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("<img src=x onerror=alert(1)>")
    run(page, "source.record(Request('GET', 'idr/a.zarr/0/c/1', None, 200, 3000, 25.0, 'obstore', 1.1))")
    page.get_by_text("3 requests, 5.0 kB").wait_for()
    expect(rows).to_have_count(3)


def test_the_meters_slider_takes_the_arrow_keys_and_sets_the_line(cells):
    page = cells(METER)
    slider = page.get_by_role("slider", name="latency")
    slider.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuetext", "45 ms")
    wait_for(page, "source.line['latency_ms']", "45.0")
    page.get_by_role("combobox", name="bandwidth").select_option("2 MB/s")
    page.get_by_role("button", name="Clear").press("Enter")
    page.get_by_text("No request yet").wait_for()
    wait_for(page, "source.line['kbytes_per_s']", "2000.0")


def test_a_paused_meter_asks_nothing(cells):
    page = cells(METER)
    pause = page.get_by_role("button", name="Pause")
    page.get_by_text("2 requests, 2.0 kB").wait_for()
    pause.press("Space")
    expect(pause).to_have_attribute("aria-pressed", "true")
    wait_for(page, "meter.paused", "True")  # what was asked before is answered
    run(page, "source.record(Request('GET', 'idr/a.zarr/0/c/1', None, 200, 3000, 25.0, 'obstore', 1.1))")
    assert python(page, "len(meter.bars)") == "2"
    pause.click()
    page.get_by_text("3 requests, 5.0 kB").wait_for()


def test_after_a_restart_a_view_says_what_to_do(cells):
    page = cells(METER)
    gone = page.get_by_text("Run the cell again to bring it back")
    expect(gone).to_be_hidden()
    restart(page)
    gone.wait_for(state="visible")


EXPLORER = """
from ngff_practical.model import Axis, Level, Pyramid
from ngff_practical.widgets import ChunkExplorer
def plan(name, chunks):
    level = Level("0", (30, 100, 200), "uint16", chunks, (1.0, 1.0, 1.0), itemsize=2)
    return Pyramid(name, "0.5", tuple(Axis(n, "space") for n in "zyx"), (level,))
explorer = ChunkExplorer(plan("<b>planes</b>", (1, 50, 50)), plan("cubes", (15, 25, 25)))
explorer
"""
COLOURS = """canvas => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const seen = {};
    for (let at = 0; at < data.length; at += 4) {
        const key = `${data[at]},${data[at + 1]},${data[at + 2]}`;
        seen[key] = (seen[key] ?? 0) + 1;
    }
    return seen;
}"""


def lit_share(page, index):
    """Return the share of a canvas that is drawn in the warm colour of touched chunks."""
    colours = page.locator(".ngff-chunks canvas").nth(index).evaluate(COLOURS)
    warm = sum(n for key, n in colours.items() if (c := [*map(int, key.split(","))])[0] - c[2] > 60)
    return warm / sum(colours.values())


def test_dragging_over_a_plane_lights_up_the_chunks_of_both_layouts(cells):
    page = cells(EXPLORER)
    canvas = page.locator(".ngff-chunks canvas").first
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 4, box["y"] + 4)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.24, box["y"] + box["height"] * 0.49, steps=10)
    page.mouse.up()
    twin = page.locator(".ngff-twin")
    twin.get_by_text("cubes, level 0: 4 chunks in 4 objects").wait_for()
    expect(twin).to_contain_text("<b>planes</b>, level 0: 1 chunk in 1 object")
    page.wait_for_function(
        "() => document.querySelector('.ngff-chunks input[type=text]').value.startsWith('15,')"
    )
    until(lambda: lit_share(page, 0), pytest.approx(1 / 8, abs=0.04))
    until(lambda: lit_share(page, 1), pytest.approx(1 / 8, abs=0.04))


def test_the_explorer_is_used_by_keyboard_alone(cells):
    page = cells(EXPLORER)
    region = page.get_by_label("region (z, y, x)")
    region.fill("0, 0:50, 0:50")
    region.press("Enter")
    page.get_by_text("level 0: 1 chunk in 1 object").first.wait_for()
    canvas = page.locator(".ngff-chunks canvas").first
    canvas.focus()
    page.keyboard.press("Shift+ArrowRight")
    page.get_by_text("level 0: 2 chunks in 2 objects").first.wait_for()
    expect(canvas).to_have_attribute("aria-label", re.compile("2 chunks"))
    region.fill("nonsense")
    region.press("Enter")
    page.get_by_role("alert").get_by_text("write one for each").wait_for()


VIEWER = """
from ngff_practical.course import connect
from ngff_practical.widgets import PyramidViewer
server = connect()
server.set_network(latency_ms=20)
viewer = PyramidViewer(server.location('idr', 'zarr/v0.4/idr0062A/6001240.zarr', anonymous=True))
viewer
"""
STEPS, AT_ONCE = 40, 5  # steps between two chances of an answer to arrive, however slow this computer is
DRAG = """async ({ steps, atOnce, from }) => {
    const input = document.querySelector('.ngff-viewer .ngff-sliders input');
    for (let step = 1; step <= steps; step += 1) {
        input.value = from + step;
        input.dispatchEvent(new Event('input', { bubbles: true }));
        if (step % atOnce === 0) await new Promise(resolve => setTimeout(resolve, atOnce * 16));
    }
    const start = performance.now();
    const wanted = `z ${from + steps};`;
    const text = () => document.querySelector('.ngff-viewer .ngff-twin').textContent;
    while (!text().includes(wanted)) await new Promise(resolve => setTimeout(resolve, 5));
    return performance.now() - start;
}"""


def greys(page):
    """Return how many different grey values the viewer's canvas shows."""
    colours = page.locator(".ngff-viewer canvas").evaluate(COLOURS)
    return len({sum(map(int, key.split(","))) for key in colours})


def read_so_far(page):
    return int(python(page, "viewer.recorder.request_count()"))


def wait_until_seen(page, words):
    page.locator(".ngff-viewer .ngff-twin").get_by_text(words).wait_for()
    page.wait_for_function("() => document.querySelector('.ngff-badge').textContent !== ''")


def test_a_fast_drag_costs_at_most_half_of_the_requests_of_its_steps(cells, record_property):
    page = cells(VIEWER)
    wait_until_seen(page, "z 118")
    until(lambda: greys(page) > 50, True)
    per_plane = 2  # one object for each channel
    before = read_so_far(page)
    settled_ms = page.evaluate(DRAG, {"steps": STEPS, "atOnce": AT_ONCE, "from": 118})
    spent = read_so_far(page) - before
    record_property("settled_ms", round(settled_ms))
    print(f"settled {settled_ms:.0f} ms after the last step; {spent} of {STEPS * per_plane} requests")
    assert 0 < spent <= STEPS * per_plane / 2


def test_the_viewer_is_used_by_mouse_and_names_the_label_that_is_clicked(cells):
    page = cells(VIEWER)
    wait_until_seen(page, "z 118")
    page.get_by_label("labels").select_option(index=1)
    canvas = page.locator(".ngff-viewer canvas")
    canvas.scroll_into_view_if_needed()
    page.wait_for_function("() => document.querySelectorAll('.ngff-viewer').length === 1")
    label = json.loads(
        python(
            page,
            "import json; import numpy as np; ids = viewer._scene.labels('0').levels.read(0, "
            "(slice(0, 1), slice(118, 119), slice(0, 275), slice(0, 271)))[0, 0]; "
            "y, x = map(int, np.argwhere(ids)[len(np.argwhere(ids)) // 2]); "
            "json.dumps([y, x, int(ids[y, x])])",
        ).strip("'")
    )
    box = canvas.bounding_box()
    zoom = min(box["width"] / 271, box["height"] / 275)
    page.mouse.click(
        box["x"] + box["width"] / 2 + (label[1] + 0.5 - 135.5) * zoom,
        box["y"] + box["height"] / 2 + (label[0] + 0.5 - 137.5) * zoom,
    )
    page.get_by_text(f"Label {label[2]}: ").wait_for()
    expect(page.locator(".ngff-picked")).to_contain_text("µm³")


def test_the_viewer_is_used_by_keyboard_alone(cells):
    page = cells(VIEWER)
    wait_until_seen(page, "z 118")
    canvas = page.locator(".ngff-viewer canvas")
    canvas.focus()
    page.keyboard.press("PageUp")
    wait_until_seen(page, "z 119")
    bar = page.locator(".ngff-scalebar span")
    before = bar.inner_text()
    for _ in range(4):
        page.keyboard.press("+")
    page.wait_for_function(
        "before => document.querySelector('.ngff-scalebar span').textContent !== before", arg=before
    )
    page.keyboard.press("ArrowRight")
    page.keyboard.press("0")
    page.wait_for_function(
        "before => document.querySelector('.ngff-scalebar span').textContent === before", arg=before
    )
    page.get_by_label("LaminB1", exact=True).press("Space")
    page.locator(".ngff-viewer .ngff-twin").get_by_text("119; Dapi").wait_for()


def test_the_viewer_answers_while_a_cell_runs(cells):
    page = cells(VIEWER)
    wait_until_seen(page, "z 118")
    begin(page, "import time\nfor _ in range(600): time.sleep(0.1)")
    page.locator(".ngff-viewer canvas").focus()
    page.keyboard.press("PageUp")
    wait_until_seen(page, "z 119")
    interrupt(page)
    assert ended(page) == "error"  # that of the interrupt: it ran until then
