"""Longer tasks by mouse and keyboard: compare layouts, plan and measure, stop and resume, a million keys."""

import re

import pytest
from kernels import python, run, until, wait_for
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

LAYOUTS = """
from ngff_practical.model import Axis, Level, Pyramid
from ngff_practical.widgets import ChunkExplorer
def plan(name, chunks):
    levels = tuple(Level(f'{n}', (64 >> n, 256 >> n, 256 >> n), 'uint16', chunks, (2.0**n,) * 3, itemsize=2)
                   for n in range(2))
    return Pyramid(name, '0.5', tuple(Axis(name, 'space') for name in 'zyx'), levels)
view = ChunkExplorer(plan('planes', (1, 256, 256)), plan('cubes', (32, 64, 64)))
view.select('0:64, 100, 100')
view
"""
BESIDE = """() => {
    const [left, right] = [...document.querySelectorAll('.ngff-chunks canvas')]
        .map(one => one.getBoundingClientRect());
    return right && left.y === right.y && left.right <= right.x
}"""


def test_two_layouts_of_one_image_stand_side_by_side(cells):
    page = cells(LAYOUTS)
    page.wait_for_function(BESIDE)
    tables = page.locator(".ngff-levels table")
    cells_of = [tables.nth(at).locator("tbody tr").first.locator("td").all_inner_texts()[:3] for at in (0, 1)]
    assert cells_of == [["64", "64", "64"], ["2", "2", "2"]]  # chunks, objects, requests


def test_the_tables_of_two_layouts_are_seen_whole_at_the_width_of_a_lesson(cells):
    page = cells(LAYOUTS)
    page.wait_for_function("() => document.querySelector('.ngff')?.clientWidth > 700")
    expect(page.locator(".ngff-levels caption")).to_have_text(["planes (plan)", "cubes (plan)"])
    beyond = (
        "() => [...document.querySelectorAll('.ngff-levels')].map(one => one.scrollWidth - one.clientWidth)"
    )
    until(lambda: max(page.evaluate(beyond)) <= 0, True)


def test_the_level_and_the_axis_are_chosen(cells):
    page = cells(LAYOUTS)
    page.get_by_label("level", exact=True).nth(1).select_option("1")
    twin = page.locator(".ngff-twin")
    twin.get_by_text("cubes, level 1: 1 chunk in 1 object").wait_for()
    expect(twin).to_contain_text("planes, level 0: 64 chunks")
    page.get_by_label("slice along", exact=True).select_option("y")
    page.get_by_role("img", name="region of z and x").first.wait_for()
    twin.get_by_text("cubes, level 1: 2 chunks in 2 objects").wait_for()
    expect(page.get_by_label("region (z, y, x)")).to_have_value("0:64, 100, 96:160")


CONVERTED = """
import tempfile
from pathlib import Path
from ngff_practical import convert_stack, find_stack, plan_pyramid
from ngff_practical.samples import sample_planes
folder = Path(tempfile.mkdtemp())
source = find_stack(sample_planes(folder / 'planes'))
plan = plan_pyramid(source, chunks=(2, 16, 16), shards=None)
convert_stack(source, folder / 'a.ome.zarr', plan)
"""
STORED = """
from ngff_practical.widgets import ChunkExplorer
view = ChunkExplorer(folder / 'a.ome.zarr')
view
"""


def test_the_objects_touched_are_listed_with_the_size_of_their_files(cells):
    page = cells(CONVERTED, STORED)
    region = page.get_by_label("region (z, y, x)")
    region.fill("0, 0:20, 0:40")
    region.press("Enter")
    rows = page.locator(".ngff-keys tbody tr")
    page.wait_for_function("() => document.querySelectorAll('.ngff-keys tbody tr').length === 6")
    shown = [[row.locator("th").inner_text(), row.locator("td").inner_text()] for row in rows.all()]
    assert [key for key, _ in shown] == [f"0/c/0/{y}/{x}" for y in range(2) for x in range(3)]
    run(page, "from ngff_practical.meter import bytes_text")
    for key, size in shown:
        assert python(page, f"bytes_text((folder / 'a.ome.zarr' / {key!r}).stat().st_size)") == repr(size)


METER = """
from ngff_practical.meter import Recorder
from ngff_practical.model import Request
from ngff_practical.widgets import RequestMeter
source = Recorder()
view = RequestMeter(source)
with view.watch('one plane'):
    for n in range(3):
        source.record(Request('GET', f'idr/a.zarr/0/c/{n}', None, 200, 1000, 25.0, 'obstore', n / 10))
source.record(Request('GET', 'idr/a.zarr/0/c/9', None, 200, 1000, 25.0, 'obstore', 0.4))
view
"""


def test_what_a_block_of_code_cost_stands_in_a_table_and_each_request_on_a_line_of_time(cells):
    page = cells(METER)
    page.get_by_text("4 requests, 4.0 kB").wait_for()
    costs = page.get_by_role("table", name="What each block of code cost").locator("tbody tr")
    expect(costs.locator("th, td")).to_have_text(["one plane", "3", "3.0 kB", "75 ms"])
    run(page, "with view.watch('nothing'): pass")
    page.get_by_role("rowheader", name="nothing").wait_for()
    expect(costs.nth(1).locator("td")).to_contain_text(["0", "0 B"])
    bars = page.locator(".ngff-waterfall .ngff-bar")
    expect(bars).to_have_count(4)
    lefts = bars.evaluate_all("all => all.map(one => one.getBoundingClientRect().x)")
    assert len(set(lefts)) == 4
    assert lefts == sorted(lefts)


PLANNER = """
import tempfile
from pathlib import Path
from ngff_practical import find_stack
from ngff_practical.samples import sample_planes
from ngff_practical.widgets import ConversionPlanner
folder = Path(tempfile.mkdtemp())
view = ConversionPlanner(find_stack(sample_planes(folder / 'planes')), str(folder / 'a.ome.zarr'))
view
"""


def test_after_converting_what_was_measured_stands_beside_the_prediction(cells):
    page = cells(PLANNER)
    expect(page.get_by_role("columnheader", name="measured")).to_have_count(0)
    run(page, "report = view.convert()")
    page.get_by_role("columnheader", name="measured").wait_for()
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="objects"))
    objects = python(page, "f'{report.objects:,}'").strip("'")
    expect(row.first.locator("td")).to_have_text([objects, objects])  # predicted, measured


SLOW = """
from ngff_practical import upload
from ngff_practical.course import connect
from ngff_practical.widgets import DownloadPanel, UploadPanel
server = connect()
server.use()
server.set_network()
place = server.location('practical', f'panels/{folder.name}.ome.zarr')
import threading
stopped = threading.Event()
def held(work):
    def until_stopped(on_step):
        def step(done, total):
            on_step(done, total)
            if view.shown['share'] > 0.06:
                stopped.wait(60)
        return work(step)
    return until_stopped
"""
PANELS = {
    "Upload": "view = UploadPanel(folder / 'a.ome.zarr', place)",
    "Download": "upload(folder / 'a.ome.zarr', place)\nview = DownloadPanel(place, folder / 'b.ome.zarr')",
}


HELD = "\nview.work = held(view.work)\nserver.set_network(latency_ms=300)\nview"  # it cannot end too soon


@pytest.mark.parametrize("verb", PANELS)
def test_what_is_stopped_is_resumed_and_ends_verified(cells, verb):
    page = cells(CONVERTED, SLOW, PANELS[verb] + HELD)
    page.get_by_role("button", name=verb, exact=True).press("Enter")
    bar = page.get_by_role("progressbar", name=verb)
    page.wait_for_function("() => document.querySelector('.ngff-track').ariaValueNow > 5")
    expect(bar).to_have_attribute("aria-valuetext", re.compile("left"))  # how long the rest takes
    page.get_by_role("button", name="Stop").press("Enter")
    wait_for(page, "view.state", "'stopping'")
    run(page, "stopped.set()")
    said = page.locator(".ngff-says")
    said.get_by_text("What is done is kept").wait_for()
    run(page, "server.set_network()")
    page.get_by_role("button", name="Resume").press("Enter")
    truth = {"Upload": "the manifest", "Download": "what the server gives out"}[verb]
    said.get_by_text(f"Verified: every object was compared with {truth}").wait_for()
    expect(bar).to_have_attribute("aria-valuenow", "100")
    assert (
        int(python(page, "int(view.shown['said'].split(' were there')[0].split()[-1].replace(',', ''))")) > 0
    )


MILLION = """
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit
from ngff_practical.model import Location
from ngff_practical.widgets import KeyBrowser
KEYS = 1_000_000
asked = []
def key(n):
    return f'big.zarr/0/c/{n:07d}'
class Bucket(BaseHTTPRequestHandler):
    def do_GET(self):
        query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        asked.append(query)
        prefix, start = query.get('prefix', ''), int(query.get('continuation-token', 0))
        most = min(int(query.get('max-keys', 1000)), 1000)
        rows, folders, following = [], '', ''
        if query.get('delimiter') and 'big.zarr/0/c/'.startswith(prefix) and prefix != 'big.zarr/0/c/':
            inner = prefix + 'big.zarr/0/c/'[len(prefix):].split('/')[0] + '/'
            folders = f'<CommonPrefixes><Prefix>{inner}</Prefix></CommonPrefixes>'
        elif 'big.zarr/0/c/'.startswith(prefix):
            rows = range(start, min(start + most, KEYS))
            following = str(start + most) if start + most < KEYS else ''
        when = '2026-01-01T00:00:00.000Z'
        body = ''.join(f'<Contents><Key>{key(n)}</Key><Size>5</Size><LastModified>{when}</LastModified>'
                       '<ETag>"0"</ETag></Contents>' for n in rows)
        token = f'<NextContinuationToken>{following}</NextContinuationToken>' if following else ''
        cut = 'true' if following else 'false'
        text = ('<?xml version="1.0"?><ListBucketResult><Name>many</Name>'
                f'<IsTruncated>{cut}</IsTruncated>{token}{folders}{body}</ListBucketResult>').encode()
        self.send_response(200)
        self.send_header('Content-Type', 'application/xml')
        self.send_header('Content-Length', str(len(text)))
        self.end_headers()
        self.wfile.write(text)
    def log_message(self, *_):
        pass
bucket = ThreadingHTTPServer(('127.0.0.1', 0), Bucket)
threading.Thread(target=bucket.serve_forever, daemon=True).start()
endpoint = f'http://127.0.0.1:{bucket.server_address[1]}'
view = KeyBrowser(Location(endpoint, 'many', 'big.zarr', anonymous=True))
view
"""


def test_a_million_keys_are_a_page_of_a_thousand_and_the_next(cells):
    page = cells(MILLION)
    page.locator(".ngff-twin").get_by_text("keys 1 to 1,000").wait_for()
    expect(page.locator(".ngff-bucket tbody tr")).to_have_count(1000)
    assert int(python(page, "len(asked)")) <= 6
    page.get_by_role("button", name="Next page").click()
    page.locator(".ngff-twin").get_by_text("keys 1,001 to 2,000").wait_for()
    expect(page.locator(".ngff-bucket tbody tr")).to_have_count(1000)
    page.get_by_role("button", name="Count below").press("Enter")
    page.locator(".ngff-found").get_by_text("at least 5,000 keys").wait_for()
    assert int(python(page, "len(asked)")) <= 14
