"""The sandbox's stand-ins on disk: built once into a cache folder, under the IDR's own keys."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import time
from importlib import resources
from pathlib import Path, PurePosixPath

from ngff_practical.errors import StorageError
from ngff_practical.samples.catalogue import BUCKET, SAMPLES

CACHE = "NGFF_PRACTICAL_CACHE"
_GENERATORS = ("embryo.py", "particles.py", "layouts.py", "tiffs.py", "catalogue.csv")
_RECORD = "built.json"
_ABOUT = "about"
_ABANDONED_S = 3600.0
_TEXT = """\
Everything in this bucket is synthetic. The images stand in for images of the Image Data Resource (IDR)
under the same keys, so that the lessons run without a network. They look alike and measure nothing.
"""


def cache_folder() -> Path:
    """Return the folder for what can be made again: NGFF_PRACTICAL_CACHE, else the user's cache."""
    stated = os.environ.get(CACHE)
    if stated:
        return Path(stated).expanduser()
    from platformdirs import user_cache_dir

    return Path(user_cache_dir("ngff-practical", appauthor=False))


def seed() -> dict[str, Path]:
    """Return what the sandbox is to hold: "bucket" or "bucket/key" to the folder with what is below it.

    The first call builds the stand-ins (76 MB, some fifteen seconds) and later ones find them. They
    appear all at once: a build that is interrupted, or two at the same time, leave nothing half-made.

    Raises
    ------
    StorageError
        The cache folder cannot be written.
    """
    home = cache_folder() / f"twins-{_fingerprint()}"
    if not _complete(home):
        _build(home)
    keys = (
        sample.key if sample.version else str(PurePosixPath(sample.key).parent)
        for sample in SAMPLES
        if sample.twin
    )
    return {BUCKET: home / _ABOUT, **{f"{BUCKET}/{key}": home / key for key in keys}}


def _build(home: Path) -> None:
    from ngff_practical.samples.layouts import write_twins

    try:
        home.parent.mkdir(parents=True, exist_ok=True)
        _remove_old(home)
        part = Path(tempfile.mkdtemp(prefix=f"{home.name}.part-", dir=home.parent))
    except OSError as error:
        raise StorageError(
            f"the stand-ins cannot be written to {home.parent}: {error.strerror}; "
            f"set {CACHE} to a folder with 200 MB of space"
        ) from error
    try:
        (part / _ABOUT).mkdir()
        (part / _ABOUT / "README.txt").write_text(_TEXT, encoding="utf-8")
        write_twins(part)
        files, nbytes = _count(part)
        record = {"files": files + 1, "bytes": nbytes}
        (part / _RECORD).write_text(json.dumps(record), encoding="utf-8")
        _swap(part, home)
    except OSError as error:
        raise StorageError(
            f"the stand-ins cannot be written to {home.parent}: {error.strerror or error}; "
            f"set {CACHE} to a folder with 200 MB of space"
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _swap(part: Path, home: Path) -> None:
    if home.exists() and not _complete(home):  # a cache that was partly cleaned away
        home.rename(Path(tempfile.mkdtemp(prefix=f"{home.name}.part-", dir=home.parent)) / "old")
    try:
        part.rename(home)
    except OSError:
        if not _complete(home):  # else somebody else was faster
            raise


def _complete(home: Path) -> bool:
    try:
        record = json.loads((home / _RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    files, nbytes = _count(home)
    return bool(
        isinstance(record, dict)
        and record.get("files") == files
        and record.get("bytes") == nbytes - (home / _RECORD).stat().st_size
    )


def _count(folder: Path) -> tuple[int, int]:
    files = nbytes = 0
    for root, _, names in os.walk(folder):
        files += len(names)
        nbytes += sum(os.stat(os.path.join(root, name)).st_size for name in names)  # noqa: PTH116, PTH118
    return files, nbytes


def _fingerprint() -> str:
    """Return a name for what the generators make: other code, other stand-ins."""
    here = resources.files(__package__)
    sources = (here.joinpath(name).read_text(encoding="utf-8") for name in _GENERATORS)
    return hashlib.sha256("\0".join(sources).encode()).hexdigest()[:8]


def _remove_old(home: Path) -> None:
    for other in home.parent.glob("twins-*"):
        if other != home and time.time() - other.stat().st_mtime > _ABANDONED_S:
            shutil.rmtree(other, ignore_errors=True)
