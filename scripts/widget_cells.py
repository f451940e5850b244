"""What each picture of `screenshots.py` shows, as code for a notebook; its files lie beside that notebook."""

OPEN = """
from ngff_practical.course import connect
server = connect()
server.use()
server.set_network()
image = server.location('idr', 'zarr/v0.4/idr0062A/6001240.zarr', anonymous=True)
sharded = server.location('idr', 'zarr/v0.5/idr0062A/6001240_labels.zarr', anonymous=True)
"""

STACK = """
import shutil
from ngff_practical import convert_stack, find_stack, plan_pyramid
from ngff_practical.samples import sample_planes
shutil.rmtree('planes', ignore_errors=True)
source = find_stack(sample_planes('planes'))
"""

IMAGE = (
    STACK
    + """
plan = plan_pyramid(source, chunks=(8, 32, 32), shards=None)
convert_stack(source, 'embryo.ome.zarr', plan, overwrite=True)
"""
)

PLATE = """
import json
import shutil
from pathlib import Path
import numpy as np
import zarr
plate = Path('plate.ome.zarr')
shutil.rmtree(plate, ignore_errors=True)
def group(path, **ome):
    path.mkdir(parents=True, exist_ok=True)
    document = {'zarr_format': 3, 'node_type': 'group', 'attributes': {'ome': {'version': '0.5', **ome}}}
    (path / 'zarr.json').write_text(json.dumps(document))
rows, columns = 'ABCDEFGH', [f'{n}' for n in range(1, 13)]
axes = [{'name': name, 'type': 'space'} for name in 'yx']
scale = [{'type': 'scale', 'scale': [1, 1]}]
y, x = np.mgrid[:96, :96]
wells = []
for r, row in enumerate(rows):
    for c, column in enumerate(columns):
        if (r, c) in {(0, 11), (7, 3)}:
            continue
        if (r, c) != (5, 5):
            wells.append({'path': f'{row}/{column}', 'rowIndex': r, 'columnIndex': c})
        if (r, c) in {(2, 4), (2, 5)}:
            continue
        well = plate / row / column
        group(well, well={'images': [{'path': '0'}]})
        datasets = [{'path': '0', 'coordinateTransformations': scale}]
        group(well / '0', multiscales=[{'axes': axes, 'datasets': datasets}])
        spots = np.random.default_rng(r * 12 + c).uniform(8, 88, (9, 2))
        values = sum(np.exp(-((y - a) ** 2 + (x - b) ** 2) / 50) for a, b in spots)
        zarr.save_array(well / '0' / '0', (values * 3000).astype('uint16'), zarr_format=3)
named = [[{'name': name} for name in names] for names in (rows, columns)]
group(plate, plate={'rows': named[0], 'columns': named[1], 'wells': wells})
"""

CELLS = {
    "chunks": """
from dataclasses import replace
from ngff_practical import describe_image
from ngff_practical.widgets import ChunkExplorer
planes = replace(describe_image(image), name='planes')
cubes = [replace(level, chunks=(1, 64, 64, 64)) for level in planes.levels]
explorer = ChunkExplorer(planes, replace(planes, name='cubes', levels=tuple(cubes)))
explorer.select('0, 70:190, 70:150, 100:180')
explorer
""",
    "chunks-stored": """
from ngff_practical.widgets import ChunkExplorer
ChunkExplorer(sharded)
""",
    "viewer": """
from ngff_practical.widgets import PyramidViewer
PyramidViewer(image)
""",
    "requests": """
import zarr
from ngff_practical.storage import zarr_store
from ngff_practical.widgets import RequestMeter
server.set_network(latency_ms=20)
meter = RequestMeter(server)
level_0 = zarr.open_array(zarr_store(image), path='0', mode='r')
with meter.watch('one plane'):
    level_0[0, 118]
with meter.watch('one column of pixels'):
    level_0[0, :40, 100, 100]
server.set_network()
meter
""",
    "keys": IMAGE
    + """
from ngff_practical.transfer import upload
from ngff_practical.widgets import KeyBrowser
for name in ('embryo.ome.zarr', 'embryo.ome.zarr.old'):
    upload('embryo.ome.zarr', server.location('practical', f'ada/{name}'), overwrite=True)
KeyBrowser(server.location('practical'), 'ada/embryo.ome.zarr')
""",
    "documents": """
from ngff_practical.widgets import MetadataTree
tree = MetadataTree(image)
tree.look('multiscales[0].datasets[1].coordinateTransformations')
tree
""",
    "bytes": """
import shutil
import numpy as np
from ngff_practical.formats import write_formats
from ngff_practical.widgets import ByteMapView
shutil.rmtree('formats', ignore_errors=True)
stack = np.random.default_rng(0).integers(0, 4000, (64, 128, 128), dtype='uint16')
paths = write_formats(stack, 'formats', chunks=(16, 32, 32), shards=(32, 64, 64))
ByteMapView(*paths.values(), plane=10)
""",
    "planner": STACK
    + """
from ngff_practical.widgets import ConversionPlanner
planner = ConversionPlanner(source, 'embryo.ome.zarr')
planner.choose(chunks=(8, 32, 32), levels=2)
planner.convert(overwrite=True)
planner
""",
    "plate": PLATE
    + """
from ngff_practical.widgets import PlateMap
shown = PlateMap(plate)
shown.look('B/3')
shown
""",
    "upload": IMAGE
    + """
from ngff_practical.widgets import UploadPanel
panel = UploadPanel('embryo.ome.zarr', server.location('practical', 'ada/shared.ome.zarr'))
panel.start()
panel.wait()
panel
""",
    "download": """
import shutil
from ngff_practical.widgets import DownloadPanel
shutil.rmtree('6001240.zarr', ignore_errors=True)
panel = DownloadPanel(image, '6001240.zarr')
server.set_network(latency_ms=150)
panel.start()
while panel.shown['share'] < 0.4:
    pass
panel.stop()
panel.wait()
server.set_network()
panel
""",
    "convert": STACK
    + """
from ngff_practical.widgets import ConvertPanel
shutil.rmtree('stack.ome.zarr', ignore_errors=True)
panel = ConvertPanel(source, 'stack.ome.zarr')
panel.receive({'do': 'look'}, [])
panel
""",
    "latency": """
from ngff_practical.widgets import LatencyModel
LatencyModel(objects=571, megabytes=2)
""",
    "beside": """
import shutil
import zarr
from ngff_practical import convert_stack, find_stack, plan_pyramid
from ngff_practical.samples import sample_stack
from ngff_practical.widgets import BeforeAfter
import tifffile
source = find_stack(sample_stack('stack.tif', shape=(32, 160, 160)))
written = convert_stack(source, 'beside.ome.zarr', plan_pyramid(source, levels=2), overwrite=True)
before = tifffile.imread('stack.tif').transpose(1, 0, 2, 3)
BeforeAfter({'TIFF': before, 'level 0': written['0'], 'level 1': written['1']})
""",
    "neuroglancer": """
from ngff_practical.widgets import neuroglancer_view
neuroglancer_view(image)
""",
}
