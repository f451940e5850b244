"""The widgets on metadata, keys, bytes, plans and plates, as a person uses them in a real JupyterLab."""

import json
from pathlib import Path

import pytest
from kernels import python, until
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

DATA = Path(__file__).resolve().parents[1] / "data"
TREE = f"""
from ngff_practical.widgets import MetadataTree
MetadataTree({str(DATA / "broken" / "growing_scale")!r})
"""


def twin(page, kind, words):
    page.locator(f".ngff-{kind} .ngff-twin").get_by_text(words).first.wait_for()


def test_a_key_of_the_metadata_is_chosen_by_mouse_and_by_keyboard(cells):
    page = cells(TREE)
    page.get_by_role("treeitem").filter(has_text="coordinateTransformations").nth(1).click()
    twin(page, "documents", "must: level 1 has smaller voxels")
    expect(page.locator(".ngff-issues .ngff-must")).to_have_count(1)
    tree = page.get_by_role("tree", name="Keys of the metadata")
    shown = page.locator(".ngff-line:visible").count()
    tree.focus()
    page.keyboard.press("ArrowLeft")
    until(lambda: page.locator(".ngff-line:visible").count() < shown, True)
    page.keyboard.press("Home")
    twin(page, "documents", "zarr_format = 3. The Zarr format")
    page.get_by_role("listbox", name="Groups and arrays").focus()
    page.keyboard.press("ArrowDown")
    page.get_by_role("treeitem").filter(has_text="chunk_grid").wait_for()


BUCKET = """
import boto3
from ngff_practical.course import connect
from ngff_practical.widgets import KeyBrowser
server = connect()
server.use()
client = boto3.Session().client('s3', endpoint_url=server.endpoint)
for key in ('a.zarr/zarr.json', 'a.zarr/0/c/0', 'a.zarr2/0', '<img src=x onerror=alert(1)>'):
    client.put_object(Bucket='practical', Key='seen/' + key, Body=b'12345')
KeyBrowser(server.location('practical', 'seen'))
"""


def test_a_bucket_is_browsed_and_the_missing_slash_is_seen(cells):
    page = cells(BUCKET)
    twin(page, "bucket", "keys 1 to 4 (20 B)")
    expect(page.locator(".ngff-folders")).to_contain_text("<img src=x onerror=alert(1)>")
    page.get_by_role("button", name="a.zarr/", exact=True).press("Enter")
    twin(page, "bucket", "keys 1 to 2")
    page.get_by_role("button", name="Without the slash").click()
    twin(page, "bucket", "takes in seen/a.zarr2/, too")
    prefix = page.get_by_label("keys that begin with")
    prefix.fill("seen/a.zarr2")
    prefix.press("Enter")
    twin(page, "bucket", "keys 1 to 1")


BYTES = """
import tempfile
import numpy as np
import tifffile
from ngff_practical.formats import write_formats
from ngff_practical.widgets import ByteMapView
paths = write_formats(np.arange(12 * 1600, dtype='uint16').reshape(12, 40, 40), tempfile.mkdtemp(),
                      chunks=(4, 20, 20), shards=(8, 40, 40))
page = tifffile.TiffFile(paths['TIFF']).pages[10]
start, nbytes, whole = page.dataoffsets[0], page.databytecounts[0], paths['TIFF'].stat().st_size
ByteMapView(*paths.values())
"""
MARKED = """wanted => wanted.every(([index, share, middle, within]) => {
    const canvas = document.querySelectorAll('.ngff-bytes canvas')[index];
    if (!canvas) return false;
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let seen = 0, sum = 0;
    for (let at = 0; at < data.length / 4; at += 1) {
        if (data[4 * at] !== 230 || data[4 * at + 1] !== 159 || data[4 * at + 2] !== 0) continue;
        seen += 1;
        sum += (at % canvas.width + 0.5) / canvas.width;
    }
    return Math.abs(seen / (data.length / 4) - share) < within && Math.abs(sum / seen - middle) < within;
})"""


def test_choosing_a_plane_marks_its_bytes_in_every_format(cells):
    page = cells(BYTES)
    plane = page.get_by_role("slider", name="plane")
    plane.focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    twin(page, "bytes", "stack.tif (TIFF): plane 10 needs 3.2 kB")
    share, middle = json.loads(python(page, "[nbytes / whole, (start + nbytes / 2) / whole]"))
    # of the TIFF one plane; of chunks of four planes the last four
    page.wait_for_function(MARKED, arg=[[0, share, middle, 0.01], [3, 4 / 12, 10 / 12, 0.02]])


PLANNER = """
import tempfile
from pathlib import Path
from ngff_practical import find_stack
from ngff_practical.samples import sample_planes
from ngff_practical.widgets import ConversionPlanner
folder = Path(tempfile.mkdtemp())
planner = ConversionPlanner(find_stack(sample_planes(folder / 'planes')))
planner
"""


def test_a_plan_is_chosen_by_keyboard_and_its_command_follows(cells):
    page = cells(PLANNER)
    slider = page.get_by_role("slider", name="chunk x")
    slider.focus()
    page.keyboard.press("Home")
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    twin(page, "planner", "×32, ")
    page.get_by_label("codec").select_option("gzip")
    page.locator(".ngff-command").get_by_text("--codec gzip").wait_for()
    expect(page.locator(".ngff-command")).to_contain_text("--chunks")
    expect(page.get_by_role("rowheader", name="time to upload")).to_have_count(1)
    expect(page.get_by_role("cell", name="time to upload")).to_have_count(0)  # a row's head, not a cell


PLATE = f"""
from ngff_practical.widgets import PlateMap
PlateMap({str(DATA / "sound" / "plate")!r})
"""


def test_a_well_is_chosen_by_keyboard_and_shows_its_key(cells):
    page = cells(PLATE)
    first = page.locator(".ngff-spot").first
    first.focus()
    page.keyboard.press("Enter")
    page.locator(".ngff-well .ngff-key").get_by_text("plate").wait_for()
    expect(first).to_have_attribute("aria-pressed", "true")
    twin(page, "plate", "Well ")


NEURO = f"""
from ngff_practical.widgets import neuroglancer_view
neuroglancer_view({str(DATA / "sound" / "labels")!r})
"""


def test_neuroglancer_opens_through_jupyters_own_port(cells):
    page = cells(NEURO)
    viewer = page.frame_locator(".ngff-neuro iframe")
    viewer.locator("canvas").first.wait_for()
    viewer.get_by_text("labels").first.wait_for()


SHARDED = """
import tempfile
from pathlib import Path
from ngff_practical import convert_stack, find_stack, plan_pyramid
from ngff_practical.samples import sample_planes
from ngff_practical.widgets import neuroglancer_view
sharded = Path(tempfile.mkdtemp()) / 'a.ome.zarr'
stack = find_stack(sample_planes(sharded.parent / 'planes'))
convert_stack(stack, sharded, plan_pyramid(stack, chunks=(8, 32, 32), shards=(24, 96, 96)))
"""


def test_neuroglancer_reads_chunks_out_of_shards(cells):
    page = cells(SHARDED)
    with page.expect_response(is_chunk_of_a_shard, timeout=60_000):
        cells("neuroglancer_view(sharded)")


def is_chunk_of_a_shard(response):
    """Return True for an answer with a piece of a shard: more than the byte that says how large it is."""
    piece = response.status == 206 and "/c/" in response.url
    return piece and int(response.headers["content-length"]) > 1000


PANEL = """
import tempfile
from pathlib import Path
from ngff_practical import find_stack
from ngff_practical.samples import sample_planes
from ngff_practical.widgets import ConvertPanel
folder = Path(tempfile.mkdtemp())
ConvertPanel(find_stack(sample_planes(folder / 'planes')), folder / 'embryo.ome.zarr')
"""


def test_a_panel_looks_first_and_then_converts(cells):
    page = cells(PANEL)
    page.get_by_role("button", name="Dry run").click()
    page.locator(".ngff-says").get_by_text("would be written").wait_for()
    page.get_by_role("button", name="Convert").press("Enter")
    page.locator(".ngff-says").get_by_text("a sample of each level read back").wait_for()
    expect(page.get_by_role("progressbar", name="Convert")).to_have_attribute("aria-valuenow", "100")
