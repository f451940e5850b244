"""The IDR images the course uses, with licence and source; the one place that knows IDR's addresses."""

from __future__ import annotations

import csv
import difflib
import io
from dataclasses import dataclass
from importlib import resources

from ngff_practical.errors import NotFoundError
from ngff_practical.model import Location, Shape, zarr_format_of

HOSTS = (
    "https://livingobjects.ebi.ac.uk",
    "https://uk1s3.embassy.ebi.ac.uk",
)  # current, then its predecessor
BUCKET = "idr"


@dataclass(frozen=True, slots=True)
class Sample:
    """One image of the IDR (or a stand-in for a file that nobody serves any more).

    `version` is that of OME-Zarr, None for a TIFF. `axes` and `shape` are those of the full resolution,
    empty where the catalogue does not state them. `twin` says that the sandbox holds a synthetic stand-in
    under the same key, `live` that the IDR serves the original.
    """

    name: str
    key: str
    version: str | None
    axes: tuple[str, ...]
    shape: Shape
    study: str
    licence: str
    citation: str
    doi: str | None = None
    note: str = ""
    twin: bool = False
    live: bool = True

    @property
    def link_only(self) -> bool:
        """True where the licence forbids what the course does with samples: look, but do not copy."""
        return not {"NC", "ND"}.isdisjoint(self.licence.replace("-", " ").split())

    @property
    def metadata_key(self) -> str:
        """Key, below the bucket, of one small object that is there when the sample is."""
        if self.version is None:
            return self.key
        return f"{self.key}/{'.zattrs' if zarr_format_of(self.version) == 2 else 'zarr.json'}"

    @property
    def locations(self) -> tuple[Location, ...]:
        """Where the IDR serves it, in the order to be tried; empty for what only the sandbox holds."""
        return tuple(Location(host, BUCKET, self.key, anonymous=True) for host in HOSTS if self.live)


def _read_table() -> tuple[Sample, ...]:
    table = resources.files(__package__).joinpath("catalogue.csv").read_text(encoding="utf-8")
    return tuple(
        Sample(
            name=row["name"],
            key=row["key"],
            version=None if row["version"] == "TIFF" else row["version"],
            axes=tuple(row["axes"]),
            shape=tuple(int(size) for size in row["shape"].split("x") if size),
            study=row["study"],
            licence=row["licence"],
            citation=row["citation"],
            doi=row["doi"] or None,
            note=row["note"],
            twin="twin" in row["source"],
            live="idr" in row["source"],
        )
        for row in csv.DictReader(io.StringIO(table))
    )


SAMPLES: tuple[Sample, ...] = _read_table()


def find_sample(name: str) -> Sample:
    """Return the sample with this name, or with this key.

    Raises
    ------
    NotFoundError
        There is none; the message names similar ones.
    """
    wanted = name.strip("/")
    for sample in SAMPLES:
        if wanted in (sample.name, sample.key, f"{BUCKET}/{sample.key}"):
            return sample
    names = [sample.name for sample in SAMPLES]
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.4) or names[:3]
    raise NotFoundError(
        f"no sample is called {name!r}; did you mean {', '.join(close)}? "
        "`ngff-practical samples` lists all of them"
    )
