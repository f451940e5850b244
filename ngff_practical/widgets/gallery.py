"""The gallery of a class: one small picture of each shared image, or why there is none.

Images and names come from strangers. Pictures are of coarsest levels that are small, fetched without keys and
taken only where the validator could decode every chunk; text is escaped.
"""

from __future__ import annotations

import base64
import io
import math
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from html import escape
from itertools import islice
from pathlib import Path

from ngff_practical.errors import NgffPracticalError, StorageError
from ngff_practical.inspection import describe_image, validation_report
from ngff_practical.model import Location
from ngff_practical.model.wording import bytes_text, escaped, plural
from ngff_practical.storage import list_objects
from ngff_practical.transfer import download
from ngff_practical.widgets.pixels import Grey, Levels, contrast, grey

MOST_IMAGES = 60
MOST_OBJECTS = 1000
MOST_NBYTES = 16 * 2**20
"""Bytes of a coarsest level that a picture is made of, as it is stored and as it is decoded."""

_SIDE = 128  # pixels of a picture at most
_AT_ONCE = 4
_LONGEST = 160


@dataclass(frozen=True, slots=True)
class _Shown:
    name: str
    place: str
    licence: str
    picture: bytes  # PNG, empty where there is none
    reason: str


class Gallery:
    """Small pictures of images that others share: pseudonym, place and licence of each.

    ```python
    Gallery(classroom.read_wall(bucket).gallery)
    ```
    """

    def __init__(self, images: Sequence[tuple[str, Location, str]]) -> None:
        with ThreadPoolExecutor(_AT_ONCE) as crew:
            self._shown = tuple(crew.map(_look, images[:MOST_IMAGES]))
        self._more = len(images) - len(self._shown)

    def __repr__(self) -> str:
        lines = [
            f"{each.name}: {each.place} ({each.licence})"
            + (f"; no picture: {each.reason}" if each.reason else "")
            for each in self._shown
        ]
        return "\n".join([*lines, *self._rest()]) or "No image is shown."

    def _rest(self) -> list[str]:
        return [f"{plural(self._more, 'more image')} are not shown"] if self._more else []

    def _repr_html_(self) -> str:
        figures = "".join(map(_figure, self._shown)) or "<p>No image is shown.</p>"
        rest = "".join(f"<p>{said}</p>" for said in self._rest())
        return f'<div style="display:flex;flex-wrap:wrap;gap:12px">{figures}</div>{rest}'


def _look(shared: tuple[str, Location, str]) -> _Shown:
    name, place, licence = shared
    picture, reason = b"", ""
    try:
        picture = _png(_plane(replace(place, anonymous=True)))
    except NgffPracticalError as error:
        reason = str(error)
    name, at, licence = (escaped(text, limit=_LONGEST) for text in (name, str(place), licence))
    return _Shown(name, at, licence, picture, escaped(reason, limit=_LONGEST))


def _plane(place: Location) -> Grey:
    """Return the middle plane of an image's coarsest level, thinned out to a small picture."""
    image = describe_image(place)
    number = len(image.levels) - 1
    level = image.levels[number]
    stored = list(islice(list_objects(place / level.path), MOST_OBJECTS + 1))
    if len(stored) > MOST_OBJECTS:
        raise StorageError(f"its coarsest level has more than {MOST_OBJECTS} objects")
    one_object = math.prod(level.object_shape) * level.itemsize
    largest = max(level.nbytes, one_object, sum(each.nbytes for each in stored))
    if largest > MOST_NBYTES:
        raise StorageError(f"its coarsest level takes {bytes_text(largest)}")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "image.zarr"
        download(place, copy, levels=(number,))
        report = validation_report(copy, data=True)
        wrong = [issue.message for issue in report.issues if issue.severity != "should"]
        if wrong or report.notes:
            raise StorageError([*wrong, *report.notes][0])
        image = describe_image(copy)
        values = Levels(copy, image).middle_plane(0)
    step = -(-max(values.shape) // _SIDE)
    return grey(values[::step, ::step], *contrast(values))


def _png(plane: Grey) -> bytes:
    from matplotlib.image import imsave

    drawn = io.BytesIO()
    imsave(drawn, plane, cmap="gray", vmin=0, vmax=255, format="png")
    return drawn.getvalue()


def _figure(shown: _Shown) -> str:
    name = escape(shown.name)
    box = f"width:{_SIDE}px;height:{_SIDE}px;object-fit:contain;image-rendering:pixelated;background:#000"
    view = f'<div style="width:{_SIDE}px;font-size:smaller">no picture: {escape(shown.reason)}</div>'
    if shown.picture:
        source = f"data:image/png;base64,{base64.b64encode(shown.picture).decode()}"
        view = f'<img style="{box}" src="{source}" alt="A plane of the image that {name} shares">'
    licence, place = escape(shown.licence), escape(shown.place)
    caption = f'<figcaption title="{place}">{name}<br><small>{licence}</small></figcaption>'
    return f'<figure style="margin:0;max-width:{_SIDE}px;overflow-wrap:anywhere">{view}{caption}</figure>'
