"""Widgets on pages without a kernel: what nbconvert makes of a saved notebook that holds no widget state."""

import io

import nbformat
import numpy as np
import pytest
from nbconvert import HTMLExporter
from PIL import Image

from ngff_practical.meter import Recorder
from ngff_practical.model import Axis, Level, Pyramid
from ngff_practical.widgets import ChunkExplorer, RequestMeter

VIEW = "application/vnd.jupyter.widget-view+json"


def explorer():
    level = Level("0", (8, 64, 64), "uint8", (1, 64, 64), (1.0, 1.0, 1.0), itemsize=1)
    return ChunkExplorer(Pyramid("<b>a</b>", "0.5", tuple(Axis(n, "space") for n in "zyx"), (level,)))


def page(view):
    data, metadata = view._repr_mimebundle_()
    output = nbformat.v4.new_output("display_data", data=data, metadata=metadata)
    cell = nbformat.v4.new_code_cell("view", outputs=[output])
    html, _ = HTMLExporter().from_notebook_node(nbformat.v4.new_notebook(cells=[cell]))
    return data, html


def test_a_static_page_shows_the_still_picture_and_names_stay_text():
    data, html = page(explorer())
    assert VIEW in data
    assert f"data:image/png;base64,{data['image/png'].strip()}" in html.replace("\n", "")
    assert "<b>a</b>" not in html


@pytest.mark.parametrize("make", [explorer, lambda: RequestMeter(Recorder())], ids=["chunks", "requests"])
def test_the_still_picture_is_a_picture_of_something(make):
    pixels = np.asarray(Image.open(io.BytesIO(make().picture())).convert("L"))
    assert len(np.unique(pixels)) > 10
