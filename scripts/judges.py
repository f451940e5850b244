"""Ask one other library about OME-Zarr stores: lines of "kind<TAB>folder" in, lines of JSON out.

Runs under whichever Python has the library, so nothing but the standard library is imported at the top.
"""

import contextlib
import json
import os
import signal
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

SECONDS = 30
MEMORY = 4 * 2**30


class SlowError(Exception):
    """The library took longer than a person waits."""


def ome_zarr_models(kind: str, folder: Path) -> str:
    """Open the store with the class that the library itself chooses."""
    import zarr
    from ome_zarr_models import open_ome_zarr

    open_ome_zarr(zarr.open_group(folder, mode="r"))
    return "passed"


def yaozarrs(kind: str, folder: Path) -> str:
    """Validate the whole store, arrays included."""
    from yaozarrs import validate_zarr_store

    validate_zarr_store(folder)
    return "passed"


def ngff_zarr(kind: str, folder: Path) -> str:
    """Validate by schema and by structure; it knows images, label images, plates and wells."""
    import ngff_zarr as library

    if kind in ("image", "label"):
        image = library.from_ngff_zarr(folder, validate=True)
        library.validate_structural(image.metadata)
    elif kind == "plate":
        plate = library.hcs.from_hcs_zarr(folder, validate=True)
        library.validate_plate(plate.metadata)
    elif kind == "scene":
        library.from_ngff_zarr(folder, validate=True, kind="scene")
    else:
        return "not judged"
    return "passed"


JUDGES: dict[str, Callable[[str, Path], str]] = {
    "ome-zarr-models": ome_zarr_models,
    "yaozarrs": yaozarrs,
    "ngff-zarr": ngff_zarr,
}


def verdict(judge: Callable[[str, Path], str], kind: str, folder: Path) -> tuple[str, str]:
    """Return "passed", "refused" or "not judged", and what the library said."""
    try:
        return judge(kind, folder), ""
    except SlowError:
        return "refused", f"no answer within {SECONDS} s"
    except Exception as error:  # noqa: BLE001 - whatever a library raises is its verdict
        return "refused", f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"


def _too_slow(*_: object) -> None:
    raise SlowError


def main(name: str) -> None:
    """Judge store after store; what the library prints goes to stderr."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    warnings.simplefilter("ignore")
    with contextlib.suppress(ImportError):  # Windows has neither
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        signal.signal(signal.SIGALRM, _too_slow)
    for line in sys.stdin:
        kind, folder = line.rstrip("\n").split("\t")
        if hasattr(signal, "alarm"):
            signal.alarm(SECONDS)
        said = verdict(JUDGES[name], kind, Path(folder))
        if hasattr(signal, "alarm"):
            signal.alarm(0)
        print(json.dumps(said), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
