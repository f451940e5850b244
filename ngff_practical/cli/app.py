"""The commands of `ngff-practical`: each resolves its places, calls one function, and prints."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, CycloptsError, Parameter

from ngff_practical import __version__
from ngff_practical.cli import documents, pages
from ngff_practical.cli.choices import DEFAULTS, Choices
from ngff_practical.cli.lab import run_lab
from ngff_practical.cli.places import resolve, resolve_location
from ngff_practical.cli.progress import bar
from ngff_practical.convert import convert as write_stack
from ngff_practical.convert import predict
from ngff_practical.errors import ConversionError, NgffPracticalError, TransferError
from ngff_practical.inspection import describe, validation_report
from ngff_practical.model import StackSource, TransferReport
from ngff_practical.samples import SAMPLES, seed
from ngff_practical.sandbox import ensure, running, stop
from ngff_practical.storage import list_folder
from ngff_practical.transfer import download as fetch
from ngff_practical.transfer import upload as send
from ngff_practical.transfer import verify_copy

DONE, PROBLEMS, WRONG = 0, 1, 2

app = App(
    name="ngff-practical",
    version=__version__,
    help="Convert TIFF z-stacks to OME-Zarr, look inside, and share them on S3.",
)
sandbox_app = App(name="sandbox", help="The S3 server on this machine that the lessons use.")
app.command(sandbox_app)

type Endpoint = Annotated[str | None, Parameter(help="Address of the S3 server; else AWS_ENDPOINT_URL.")]
type Anonymous = Annotated[bool, Parameter(negative="", help="Send unsigned requests, without keys.")]
type AsJson = Annotated[bool, Parameter(name="--json", negative="", help="Print one JSON document.")]
type Overwrite = Annotated[bool, Parameter(negative="", help="Replace what is already there.")]
type DryRun = Annotated[bool, Parameter(negative="", help="Print what would be done, and do nothing.")]


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return 0 (done), 1 (problems found) or 2 (wrong usage, unreadable input)."""
    tokens = sys.argv[1:] if arguments is None else arguments
    try:
        code = app(tokens, exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        return _failed(error, tokens, WRONG)
    except (ConversionError, TransferError) as error:
        return _failed(error, tokens, PROBLEMS)
    except NgffPracticalError as error:
        return _failed(error, tokens, WRONG)
    except KeyboardInterrupt:
        pages.say("stopped; the same command can be run again")
        return 130
    return code if isinstance(code, int) else DONE


@app.command
def lab(*, browser: bool = True, port: int | None = None, folder: Path = Path("notebooks")) -> int:
    """Start the sandbox with its samples, and the course in JupyterLab.

    Parameters
    ----------
    browser
        Open a browser window.
    port
        Port of JupyterLab; the next free one from 8888 by default.
    folder
        Where the notebooks are.
    """
    return run_lab(folder, browser=browser, port=port)


@sandbox_app.command(name="start")
def sandbox_start() -> int:
    """Start the sandbox with its samples, or say where it already runs."""
    server = ensure(seed=seed)
    pages.show(f"endpoint  {server.endpoint}")
    pages.show("buckets   idr (anyone may read), practical (keys needed to write)")
    pages.say("It forgets everything when it stops: ngff-practical sandbox stop")
    return DONE


@sandbox_app.command(name="stop")
def sandbox_stop() -> int:
    """Stop the sandbox; everything in it is forgotten."""
    pages.show("stopped" if stop() else "no sandbox is running")
    return DONE


@sandbox_app.command(name="status")
def sandbox_status() -> int:
    """Say whether the sandbox runs, and where."""
    server = running()
    pages.show(f"running at {server.endpoint} (process {server.pid})" if server else "no sandbox is running")
    return DONE if server else PROBLEMS


@app.command
def samples(*, json: AsJson = False) -> int:
    """List the images the lessons use: name, key, shape, licence and citation."""
    if json:
        pages.emit(documents.samples_document(SAMPLES))
        return DONE
    pages.samples_page(SAMPLES)
    return DONE


@app.command
def ls(url: str, *, endpoint: Endpoint = None, anonymous: Anonymous = False, json: AsJson = False) -> int:
    """List one level below a place: prefixes that keys share, and objects.

    Parameters
    ----------
    url
        A folder, s3://bucket/key or https://host/bucket/key.
    """
    place = resolve(url, endpoint, anonymous)
    folders, objects = list_folder(place)
    if json:
        pages.emit(documents.listing_document(str(place), folders, objects))
    else:
        pages.listing_page(folders, objects)
    return DONE


@app.command
def info(url: str, *, endpoint: Endpoint = None, anonymous: Anonymous = False, json: AsJson = False) -> int:
    """Say what is stored at a place, from its metadata; no pixel is read.

    Parameters
    ----------
    url
        A folder, s3://bucket/key or https://host/bucket/key.
    """
    description = describe(resolve(url, endpoint, anonymous))
    if json:
        pages.emit(documents.info_document(description))
    else:
        pages.info_page(description)
    return DONE if description.kind != "none" else PROBLEMS


@app.command
def validate(
    url: str,
    *,
    data: Annotated[bool, Parameter(negative="")] = False,
    endpoint: Endpoint = None,
    anonymous: Anonymous = False,
    json: AsJson = False,
) -> int:
    """Check an image, plate or collection against the specification of its version.

    Parameters
    ----------
    url
        A folder, s3://bucket/key or https://host/bucket/key.
    data
        Decode every chunk, too.
    """
    report = validation_report(resolve(url, endpoint, anonymous), data=data)
    if json:
        pages.emit(documents.validate_document(report))
    else:
        pages.validation_page(report)
    return DONE if report.valid else PROBLEMS


@app.command
def plan(source: Path, *, choices: Choices = DEFAULTS, json: AsJson = False) -> int:
    """Say what converting a TIFF stack would write, before anything is written.

    Parameters
    ----------
    source
        A folder of planes, or a TIFF file.
    """
    return _show_plan(source, choices, None, json)


@app.command
def convert(
    source: Path,
    destination: str,
    *,
    choices: Choices = DEFAULTS,
    verify: Literal["full", "sample", "none"] = "sample",
    overwrite: Overwrite = False,
    dry_run: DryRun = False,
    endpoint: Endpoint = None,
    json: AsJson = False,
) -> int:
    """Convert a TIFF stack to OME-Zarr: streamed, counted and read back.

    Parameters
    ----------
    source
        A folder of planes, or a TIFF file.
    destination
        The image to make: a folder such as embryo.ome.zarr, or s3://bucket/key.
    verify
        What to read back and compare: all of it, a sample of each level, or nothing.
    """
    place = resolve(destination, endpoint, anonymous=False)
    if dry_run:
        return _show_plan(source, choices, str(place), json)
    stack = choices.find(source)
    pyramid = choices.plan(stack)
    _say_notes(stack)
    with bar("slab") as on_slab:
        report = write_stack(stack, place, pyramid, overwrite=overwrite, verify=verify, on_slab=on_slab)
    if json:
        pages.emit(documents.convert_document(report))
    else:
        pages.conversion_page(report, verify)
    return DONE


@app.command
def upload(
    source: Path,
    url: str,
    *,
    overwrite: Overwrite = False,
    dry_run: DryRun = False,
    endpoint: Endpoint = None,
    json: AsJson = False,
) -> int:
    """Send an image to S3: chunks first, root metadata last, each object proven.

    Parameters
    ----------
    source
        The image's folder.
    url
        Where its root goes: s3://bucket/key.
    """
    destination = resolve_location(url, endpoint, anonymous=False)
    with bar("object") as on_object:
        report = send(source, destination, overwrite=overwrite, dry_run=dry_run, on_object=on_object)
    return _transferred(report, "sent", json)


@app.command
def download(
    url: str,
    destination: Path,
    *,
    overwrite: Overwrite = False,
    dry_run: DryRun = False,
    endpoint: Endpoint = None,
    anonymous: Anonymous = False,
    json: AsJson = False,
) -> int:
    """Fetch an image from S3 into a new folder, each object proven.

    Parameters
    ----------
    url
        The image: s3://bucket/key or https://host/bucket/key.
    destination
        The folder to make.
    """
    source = resolve_location(url, endpoint, anonymous)
    with bar("object") as on_object:
        report = fetch(source, destination, overwrite=overwrite, dry_run=dry_run, on_object=on_object)
    return _transferred(report, "fetched", json)


@app.command
def verify(
    source: Path,
    url: str,
    *,
    endpoint: Endpoint = None,
    anonymous: Anonymous = False,
    json: AsJson = False,
) -> int:
    """Compare every object at a place with the local image, byte for byte.

    Parameters
    ----------
    source
        The image's folder, or the manifest that an upload wrote beside it.
    url
        The copy: s3://bucket/key or https://host/bucket/key.
    """
    report = verify_copy(source, resolve_location(url, endpoint, anonymous))
    return _transferred(report, "compared", json)


def _show_plan(source: Path, choices: Choices, destination: str | None, json: bool) -> int:
    stack = choices.find(source)
    pyramid = choices.plan(stack)
    _say_notes(stack)
    prediction = predict(stack, pyramid)
    if json:
        pages.emit(documents.plan_document(stack, pyramid, prediction, destination))
    else:
        pages.plan_page(stack, pyramid, prediction)
    return DONE


def _transferred(report: TransferReport, done: str, json: bool) -> int:
    if json:
        pages.emit(documents.transfer_document(report))
    else:
        pages.transfer_page(report, done)
    return PROBLEMS if report.problems else DONE


def _say_notes(stack: StackSource) -> None:
    for note in stack.notes:
        pages.say(f"note: {note}")


def _failed(error: Exception, tokens: list[str], code: int) -> int:
    """Say what went wrong; with `--json` stdout still gets exactly one document."""
    pages.say(str(error))
    if "--json" in tokens:
        pages.emit(documents.error_document(error))
    return code
