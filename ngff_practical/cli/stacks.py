"""Commands on TIFF stacks: plan and convert."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import Parameter

from ngff_practical.cli import documents, pages
from ngff_practical.cli.choices import DEFAULTS, Choices
from ngff_practical.cli.options import DONE, AsJson, DryRun, Endpoint, Overwrite
from ngff_practical.cli.output import emit, say
from ngff_practical.cli.places import resolve_destination, resolve_source
from ngff_practical.cli.progress import bar
from ngff_practical.convert import convert as write_stack
from ngff_practical.convert import predict
from ngff_practical.model import Place, StackSource

type Unsigned = Annotated[bool, Parameter(negative="", help="Read an s3:// source unsigned, without keys.")]


def plan(
    source: str,
    *,
    choices: Choices = DEFAULTS,
    endpoint: Endpoint = None,
    anonymous: Unsigned = False,
    json: AsJson = False,
) -> int:
    """Say what converting a TIFF stack would write, before anything is written.

    Parameters
    ----------
    source
        A folder of planes, or a TIFF file: a path, https://host/stack.tif or s3://bucket/stack.tif.
    """
    return _show_plan(resolve_source(source, endpoint, anonymous), choices, None, json)


def convert(
    source: str,
    destination: str,
    *,
    choices: Choices = DEFAULTS,
    verify: Literal["full", "sample", "none"] = "sample",
    overwrite: Overwrite = False,
    dry_run: DryRun = False,
    endpoint: Endpoint = None,
    anonymous: Unsigned = False,
    json: AsJson = False,
) -> int:
    """Convert a TIFF stack to OME-Zarr: streamed, counted and read back.

    Parameters
    ----------
    source
        A folder of planes, or a TIFF file: a path, https://host/stack.tif or s3://bucket/stack.tif.
    destination
        The image to make: a folder such as embryo.ome.zarr, or s3://bucket/key.
    verify
        What to read back and compare: all of it, a sample of each level, or nothing.
    """
    origin = resolve_source(source, endpoint, anonymous)
    place = resolve_destination(destination, endpoint)
    if dry_run:
        return _show_plan(origin, choices, str(place), json)
    stack = choices.find(origin)
    pyramid = choices.plan(stack)
    _say_notes(stack)
    with bar("slab") as on_slab:
        report = write_stack(stack, place, pyramid, overwrite=overwrite, verify=verify, on_slab=on_slab)
    if json:
        emit(documents.convert_document(report))
    else:
        pages.conversion_page(report, verify)
    return DONE


def _show_plan(source: Place, choices: Choices, destination: str | None, json: bool) -> int:
    stack = choices.find(source)
    pyramid = choices.plan(stack)
    _say_notes(stack)
    prediction = predict(stack, pyramid)
    if json:
        emit(documents.plan_document(stack, pyramid, prediction, destination))
    else:
        pages.plan_page(stack, pyramid, prediction)
    return DONE


def _say_notes(stack: StackSource) -> None:
    for note in stack.notes:
        say(f"note: {note}")
