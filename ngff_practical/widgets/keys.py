"""The key browser: a bucket as flat keys and as folders, side by side, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING

import traitlets

from ngff_practical.errors import MetadataError, StorageError
from ngff_practical.inspection import describe
from ngff_practical.meter import bytes_text
from ngff_practical.model import Location, Place
from ngff_practical.model.wording import shape_text
from ngff_practical.storage import KeyPage, list_page, parse_place
from ngff_practical.widgets.base import Message, Widget, script, style
from ngff_practical.widgets.browsing import Entry, above, count, entries, is_image, trap
from ngff_practical.widgets.colours import OKABE_ITO
from ngff_practical.widgets.counting import counted

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DRAWN = 18  # rows of the still picture


class KeyBrowser(Widget):
    """The keys of a bucket as S3 has them, and the folders that are read into them, side by side.

    ```python
    KeyBrowser(server.location("idr"))
    KeyBrowser("s3://idr/zarr/v0.4/")
    ```
    It asks for 1,000 keys at a time, however many there are.
    """

    _esm = script("keys")
    _css = style("keys")
    picture_size = (8.0, 4.4)

    flat: traitlets.List[object] = traitlets.List(help="This page of keys, with their sizes.").tag(sync=True)
    folders: traitlets.List[object] = traitlets.List(help="Folders and objects below the prefix.").tag(
        sync=True
    )
    at = traitlets.Dict(help="Bucket, prefix, page, and what may be done next.").tag(sync=True)
    found = traitlets.Unicode("", help="What the chosen folder holds, if it was asked for.").tag(sync=True)

    def __init__(self, place: str | Place, prefix: str | None = None) -> None:
        super().__init__()
        named = parse_place(place) if isinstance(place, str) else place
        if not isinstance(named, Location):
            raise StorageError(f"{named} is a folder of this computer; give a bucket: s3://bucket/prefix")
        self._bucket = Location(named.endpoint, named.bucket, anonymous=named.anonymous)
        under = f"{named.key}/" if named.key else ""
        self._entries: tuple[Entry, ...] = ()
        self._open(under if prefix is None else prefix)

    def go(self, prefix: str) -> None:
        """Show the keys that begin with a text; with "/" at its end that is a folder."""
        with self._lock:
            self._open(prefix)

    def receive(self, message: Message, buffers: Sequence[memoryview]) -> bool:
        """Go where a person wants to go, turn a page, count, or describe an image."""
        with self._lock:
            match message:
                case {"do": "open", "prefix": str() as prefix}:
                    self._open(prefix)
                case {"do": "up"}:
                    self._open(above(self._prefix))
                case {"do": "next"} if self._page.next:
                    self._turn([*self._starts, self._page.next])
                case {"do": "back"} if len(self._starts) > 1:
                    self._turn(self._starts[:-1])
                case {"do": "count", "prefix": str() as prefix}:
                    self.found = f"Below '{prefix}': {count(partial(self._list, prefix))}."
                case {"do": "describe", "prefix": str() as prefix}:
                    self.found = self._describe(prefix)
        return False

    def _list(self, prefix: str, start: str = "", *, folders: bool = False) -> KeyPage:
        return list_page(self._bucket, prefix, start=start, folders=folders)

    def _open(self, prefix: str) -> None:
        """Show what begins with a prefix; where that cannot be listed, what is shown stays as it is."""
        folder = prefix if prefix.endswith("/") else above(prefix)
        shown, page = self._list(folder, folders=True), self._list(prefix)
        said, trapped = "", False
        if prefix.strip("/"):
            stem = prefix.removesuffix("/")
            found = trap(prefix, self._list(stem), self._list(f"{stem}/"))
            said, trapped = found.sentence(prefix), bool(found.strangers)
        self._prefix, self._folder, self._starts, self._page = prefix, folder, [""], page
        self._entries, self._more_folders = entries(folder, shown), bool(shown.next)
        self._trap, self._trapped = said, trapped
        self.notice, self.found = "", ""
        self._show()

    def _turn(self, starts: list[str]) -> None:
        self._page = self._list(self._prefix, starts[-1])
        self._starts, self.notice = starts, ""
        self._show()

    def _describe(self, prefix: str) -> str:
        place = self._bucket / prefix.strip("/")
        try:
            what = describe(place)
        except (MetadataError, StorageError) as error:
            return str(error)
        if what.image:
            image = what.image
            return (
                f"{prefix} is an OME-Zarr {what.kind} of version {what.version}: "
                f"{shape_text(image.shape)} voxels ({', '.join(image.axis_names)}), {image.dtype}, "
                f"{counted(len(image.levels), 'level')}. "
                f"Open it with ChunkExplorer or PyramidViewer: {place}"
            )
        if what.kind == "plate":
            return f"{prefix} is an OME-Zarr plate with {counted(len(what.wells), 'well')}: {place}"
        if what.kind == "none":
            return f"{prefix} is no OME-Zarr."
        return f"{prefix} is an OME-Zarr {what.kind}: {place}"

    def _show(self) -> None:
        first = 1 + 1000 * (len(self._starts) - 1)
        with self.hold_sync():
            self.flat = [[stored.key, bytes_text(stored.nbytes)] for stored in self._page.objects]
            self.folders = [asdict(entry) for entry in self._entries]
            names = [entry.name for entry in self._entries]
            self.at = {
                "bucket": self._bucket.bucket,
                "endpoint": self._bucket.endpoint,
                "prefix": self._prefix,
                "folder": self._folder,
                "image": is_image(names),
                "first": first,
                "last": first - 1 + len(self.flat),
                "held": bytes_text(sum(stored.nbytes for stored in self._page.objects)),
                "next": bool(self._page.next),
                "back": len(self._starts) > 1,
                "more_folders": self._more_folders,
                "trap": self._trap,
                "trapped": self._trapped,
            }
            self.text = self._sentence(first)

    def _sentence(self, first: int) -> str:
        held = sum(stored.nbytes for stored in self._page.objects)
        shown = f"keys {first:,} to {first - 1 + len(self.flat):,}" if self.flat else "no key"
        more = ", and there are more" if self._page.next else ""
        folders = sum(entry.folder for entry in self._entries)
        words = (
            f"Bucket {self._bucket.bucket}, prefix '{self._prefix}': {shown} "
            f"({bytes_text(held)}){more}. Read as folders, '{self._folder}' holds "
            f"{counted(folders, 'folder')} and {counted(len(self._entries) - folders, 'object')}."
        )
        return f"{words} {self._trap}".strip()

    def draw(self, figure: Figure) -> None:
        """Draw the first keys and the first folders side by side."""
        figure.suptitle(f"{self._bucket.bucket}: '{self._prefix}'"[:80], x=0.02, ha="left", fontsize=11)
        left, right = figure.subplots(1, 2, width_ratios=(3, 2))
        for axes in (left, right):
            axes.set_axis_off()
            axes.set(xlim=(0, 1), ylim=(_DRAWN + 1, 0))
        left.text(0, 0.6, "keys, as S3 has them", fontsize=8, color="0.4")
        right.text(0, 0.6, "read as folders", fontsize=8, color="0.4")
        for row, stored in enumerate(self._page.objects[:_DRAWN], 1):
            label = f"{stored.key[-52:]}  {bytes_text(stored.nbytes)}"
            left.text(0, row + 0.6, label, fontsize=7, family="monospace", parse_math=False)
        for row, entry in enumerate(self._entries[:_DRAWN], 1):
            ink = OKABE_ITO["blue"] if entry.folder else "0.2"
            label = f"{entry.name[:34]}  {entry.size}"
            right.text(0, row + 0.6, label, fontsize=7, color=ink, family="monospace", parse_math=False)
