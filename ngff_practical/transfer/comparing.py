"""What is at the destination of an upload already, and whether that stands in its way."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ngff_practical.errors import ExistsError
from ngff_practical.model import Location, Manifest, ManifestEntry, StoredObject
from ngff_practical.storage.moving import Objects
from ngff_practical.transfer.checksums import etag_proves, sha256_of_object
from ngff_practical.transfer.crew import Crew, weight
from ngff_practical.transfer.keys import is_root_metadata, local_path
from ngff_practical.transfer.verify import is_single, stored_objects


@dataclass(slots=True)
class Plan:
    """Keys, sorted into what is there as it should be, not there, there with other bytes, there in excess."""

    same: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    there: set[str] = field(default_factory=set)


def compare(root: Path, manifest: Manifest, objects: Objects, crew: Crew) -> Plan:
    """Return what is at the destination, compared with what is to be there: by ETag, else by reading it."""
    stored = stored_objects(objects, single=is_single(manifest))
    plan = Plan(there=set(stored))
    plan.extra = sorted(set(stored) - {entry.key for entry in manifest.entries})
    to_check = []
    for entry in manifest.entries:
        other = stored.get(entry.key)
        if other is None:
            plan.new.append(entry.key)
        elif other.nbytes != entry.nbytes:
            plan.changed.append(entry.key)
        else:
            to_check.append((entry, other))

    def same(pair: tuple[ManifestEntry, StoredObject]) -> bool:
        entry, other = pair
        if etag_proves(other.etag, local_path(root, entry.key), entry.nbytes):
            return True
        return sha256_of_object(objects, other) == entry.sha256

    for (entry, _), equal in crew.each(to_check, same, lambda pair: weight(pair[0].nbytes)):
        (plan.same if equal else plan.changed).append(entry.key)
    return plan


def refuse(plan: Plan, manifest: Manifest, destination: Location, overwrite: bool) -> None:
    """Raise ExistsError where the upload would change or mix with what it may not."""
    in_the_way = sorted(plan.changed) + plan.extra
    if not in_the_way:
        return
    url = destination.url
    first = f"{url}/{in_the_way[0]}" if in_the_way[0] else url
    more = f" and {len(in_the_way) - 1} more" if len(in_the_way) > 1 else ""
    if not overwrite:
        what = "differs from the local file" if plan.changed else f"is not part of {manifest.name}"
        raise ExistsError(
            f"{first} exists already and {what}{more}; nothing was sent. Choose another key, or ask to "
            "overwrite (overwrite=True, --overwrite), which makes the place hold this image and nothing else"
        )
    ours = plan.there.intersection(entry.key for entry in manifest.entries)
    if plan.extra and not ours and not any(is_root_metadata(key) for key in plan.extra):
        raise ExistsError(
            f"{url} is not an image that could be overwritten: it holds {first}{more}, which would have "
            "to be deleted; nothing was sent. Give the image a key of its own"
        )
