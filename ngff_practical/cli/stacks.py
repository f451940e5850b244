"""Commands on TIFF stacks: plan and convert."""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from typing import Annotated, Literal

from cyclopts import Parameter

from ngff_practical.cli import documents, pages
from ngff_practical.cli.choices import DEFAULTS, Choices
from ngff_practical.cli.options import DONE, AsJson, DryRun, Endpoint, Overwrite
from ngff_practical.cli.output import emit, say
from ngff_practical.cli.places import resolve_destination, resolve_source
from ngff_practical.cli.progress import bar
from ngff_practical.convert import check_labels_name, connected, convert_labels, predict, reuse_freed_memory
from ngff_practical.convert import convert as write_stack
from ngff_practical.model import Place, Pyramid, StackSource
from ngff_practical.stack import UNSIZED

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
        A folder of planes, or a TIFF file: a path, s3://bucket/planes/ or https://host/stack.tif.
    """
    stack = choices.find(resolve_source(source, endpoint, anonymous))
    pyramid = choices.plan(stack)
    _say_notes(stack)
    return _show_plan(stack, pyramid, None, json)


def convert(
    source: str,
    destination: str,
    *,
    choices: Choices = DEFAULTS,
    labels: str | None = None,
    scheduler: str | None = None,
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
        A folder of planes, or a TIFF file: a path, s3://bucket/planes/ or https://host/stack.tif.
    destination
        The image to make: a folder such as embryo.ome.zarr, or s3://bucket/key. With --labels the image
        that the labels belong to.
    labels
        Name, such as nuclei: the stack holds label ids of the image at the destination. They are written
        below it, at its levels, nearest instead of mean.
    scheduler
        Address of a dask scheduler, such as tcp://host:8786: its workers do the work, and must see the
        source and the destination under the same names.
    verify
        What to read back and compare: all of it, a sample of each level, or nothing.
    """
    if labels is not None:
        check_labels_name(labels)
    place = resolve_destination(destination, endpoint)
    image = None if labels is None else _image_of_the_labels(place)
    stack = choices.find(resolve_source(source, endpoint, anonymous))
    pyramid = choices.plan_labels(stack, image) if image else choices.plan(stack)
    _say_notes(stack, sized=image is None)
    if dry_run:
        return _show_plan(stack, pyramid, str(place if labels is None else place / "labels" / labels), json)
    reuse_freed_memory()
    with bar("slab") as on_slab, connected(scheduler) if scheduler else nullcontext() as executor:
        write = write_stack if labels is None else partial(convert_labels, name=labels)
        report = write(
            stack, place, pyramid, overwrite=overwrite, verify=verify, executor=executor, on_slab=on_slab
        )
    if json:
        emit(documents.convert_document(report))
    else:
        pages.conversion_page(report, verify)
    return DONE


def _image_of_the_labels(place: Place) -> Pyramid:
    from ngff_practical.inspection import describe_image  # no other stack needs to wait for it

    return describe_image(place)


def _show_plan(stack: StackSource, pyramid: Pyramid, destination: str | None, json: bool) -> int:
    prediction = predict(stack, pyramid)
    if json:
        emit(documents.plan_document(stack, pyramid, prediction, destination))
    else:
        pages.plan_page(stack, pyramid, prediction)
    return DONE


def _say_notes(stack: StackSource, *, sized: bool = True) -> None:
    """Say the notes on a stack; labels have the voxel size of their image, whatever their own file states."""
    for note in stack.notes:
        if sized or not note.startswith(UNSIZED):
            say(f"note: {note}")
