"""Pictures of bytes: a bar for each format, each segment as wide as its bytes."""

import pytest
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_hex

from ngff_practical.course import byte_picture
from ngff_practical.model import ByteMap, Segment

SEGMENTS = (
    Segment("a", 0, 10, "metadata", "header"),
    Segment("a", 10, 30, "pixels", "plane 0"),
    Segment("b", 0, 20, "pixels", "plane 1"),
)


@pytest.fixture
def bars():
    figure = byte_picture({"TIFF": ByteMap("x", "TIFF", SEGMENTS)}, lit={"TIFF": {"plane 1"}})
    return figure.axes[0]


def test_files_stand_one_behind_the_other(bars):
    (drawn,) = [child for child in bars.get_children() if isinstance(child, PolyCollection)]
    spans = [(path.vertices[:, 0].min(), path.vertices[:, 0].max()) for path in drawn.get_paths()]
    assert spans == [(0, 10), (10, 40), (40, 60)]


def test_only_what_is_wanted_is_dark(bars):
    (drawn,) = [child for child in bars.get_children() if isinstance(child, PolyCollection)]
    colours = [to_hex(colour) for colour in drawn.get_facecolors()]
    assert colours.count("#0072b2") == 1
    assert colours[2] == "#0072b2"


def test_each_bar_says_how_many_files_it_stands_for(bars):
    assert [label.get_text() for label in bars.get_yticklabels()] == ["TIFF: 2"]
