"""Commands between this machine and S3: ls, upload, download and verify."""

from __future__ import annotations

from pathlib import Path

from ngff_practical.cli import documents, pages
from ngff_practical.cli.options import DONE, PROBLEMS, Anonymous, AsJson, DryRun, Endpoint, Overwrite
from ngff_practical.cli.output import emit
from ngff_practical.cli.places import resolve, resolve_location, resolve_upload
from ngff_practical.cli.progress import bar
from ngff_practical.errors import NotFoundError, PlanError
from ngff_practical.model import Location, StoredObject, TransferReport
from ngff_practical.storage import list_folder, refuse_portal
from ngff_practical.transfer import download as fetch
from ngff_practical.transfer import upload as send
from ngff_practical.transfer import verify_copy


def ls(url: str, *, endpoint: Endpoint = None, anonymous: Anonymous = False, json: AsJson = False) -> int:
    """List one level below a place: prefixes that keys share, and objects.

    Parameters
    ----------
    url
        A folder, s3://bucket/key or https://host/bucket/key.
    """
    place = resolve(url, endpoint, anonymous)
    folders, objects = list_folder(place)
    if isinstance(place, Location) and place.key and not folders and not objects:
        objects = _object_itself(place)
    if json:
        emit(documents.listing_document(str(place), folders, objects))
    else:
        pages.listing_page(folders, objects)
    return DONE


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
    destination = resolve_upload(url, endpoint)
    with bar("object") as on_object:
        report = send(source, destination, overwrite=overwrite, dry_run=dry_run, on_object=on_object)
    code = _transferred(report, "sent", json)
    if not json and not dry_run:
        from ngff_practical.sharing import reach, viewer_links

        pages.reach_page(reach(destination), viewer_links(destination))
    return code


def download(
    url: str,
    destination: Path,
    *,
    level: list[int] | None = None,
    region: str | None = None,
    overwrite: Overwrite = False,
    dry_run: DryRun = False,
    endpoint: Endpoint = None,
    anonymous: Anonymous = False,
    json: AsJson = False,
) -> int:
    """Fetch an image from S3, or part of it, into a new folder, each object proven.

    Parameters
    ----------
    url
        The image: s3://bucket/key or https://host/bucket/key.
    destination
        The folder to make.
    level
        Fetch this level alone, 0 being the finest; may be given more than once.
    region
        Bounds in the unit of each axis, such as z=0:50,y=100:300; --dry-run says how much that is.
    """
    bounds = parse_region(region) if region is not None else None
    source = resolve_location(url, endpoint, anonymous)
    with bar("object") as on_object:
        report = fetch(
            source,
            destination,
            levels=level,
            region=bounds,
            overwrite=overwrite,
            dry_run=dry_run,
            on_object=on_object,
        )
    return _transferred(report, "fetched", json)


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
    if json:
        emit(documents.transfer_document(report))
    else:
        pages.comparison_page(report)
    return PROBLEMS if report.problems else DONE


def parse_region(text: str) -> dict[str, tuple[float, float]]:
    """Return the bounds that "z=0:50,y=100:300" names, by axis.

    Raises
    ------
    PlanError
        The text is not written like that.
    """
    bounds: dict[str, tuple[float, float]] = {}
    for part in text.split(","):
        axis, _, span = part.partition("=")
        low, _, high = span.partition(":")
        try:
            bounds[axis.strip()] = float(low), float(high)
        except ValueError:
            raise PlanError(
                f"--region {text!r} cannot be read at {part!r}; write it like --region z=0:50,y=100:300"
            ) from None
    return bounds


def _object_itself(place: Location) -> tuple[StoredObject, ...]:
    """Return the object whose key the place is: a key that nothing lies below may still be one."""
    above = Location(place.endpoint, place.bucket, place.key.rpartition("/")[0], place.anonymous)
    found = tuple(stored for stored in list_folder(above)[1] if stored.key == place.name)
    if not found:
        refuse_portal(place)
        raise NotFoundError(f"nothing is stored below {place}; list what is there: ngff-practical ls {above}")
    return found


def _transferred(report: TransferReport, done: str, json: bool) -> int:
    if json:
        emit(documents.transfer_document(report))
    else:
        pages.transfer_page(report, done)
    return PROBLEMS if report.problems else DONE
