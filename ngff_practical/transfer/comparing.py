"""What is at the destination of an upload already, and whether that stands in its way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ngff_practical.errors import ExistsError
from ngff_practical.model import Location, StoredObject
from ngff_practical.storage.crew import Crew, weight
from ngff_practical.storage.moving import Objects
from ngff_practical.transfer.checksums import sha256_of_object
from ngff_practical.transfer.keys import is_root_metadata
from ngff_practical.transfer.source import SourceFile
from ngff_practical.transfer.verify import stored_objects


@dataclass(slots=True)
class Plan:
    """Keys, sorted into what is there as it should be, not there, there with other bytes, there in excess.

    `sums` has the SHA-256 of each local file that had to be read for it.
    """

    same: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    there: set[str] = field(default_factory=set)
    sums: dict[str, str] = field(default_factory=dict)


def compare(files: Mapping[str, SourceFile], objects: Objects, crew: Crew) -> Plan:
    """Return what is at the destination, compared with what is to be there: by ETag, else by reading it."""
    stored = crew.do(lambda: stored_objects(objects, single=set(files) == {""}))
    plan = Plan(there=set(stored))
    plan.extra = sorted(set(stored) - set(files))
    to_check = []
    for key, file in files.items():
        other = stored.get(key)
        if other is None:
            plan.new.append(key)
        elif other.nbytes != file.nbytes:
            plan.changed.append(key)
        else:
            to_check.append((file, other))

    def same(pair: tuple[SourceFile, StoredObject]) -> tuple[str, bool]:
        file, other = pair
        local, proven = file.prove(other.etag)
        return local, proven or sha256_of_object(objects, other, crew) == local

    checked = crew.each(to_check, same, lambda pair: weight(pair[0].nbytes))
    for (file, _), (plan.sums[file.key], equal) in checked:
        (plan.same if equal else plan.changed).append(file.key)
    return plan


def refuse(
    plan: Plan, files: Mapping[str, SourceFile], name: str, destination: Location, overwrite: bool
) -> None:
    """Raise ExistsError where the upload would change or mix with what it may not."""
    in_the_way = sorted(plan.changed) + plan.extra
    if not in_the_way:
        return
    url = destination.url
    first = f"{url}/{in_the_way[0]}" if in_the_way[0] else url
    more = f" and {len(in_the_way) - 1} more" if len(in_the_way) > 1 else ""
    if not overwrite:
        what = "differs from the local file" if plan.changed else f"is not part of {name}"
        raise ExistsError(
            f"{first} exists already and {what}{more}; nothing was sent. Choose another key, or ask to "
            "overwrite (overwrite=True, --overwrite), which makes the place hold this image and nothing else"
        )
    ours = plan.there.intersection(files)
    if plan.extra and not ours and not any(is_root_metadata(key) for key in plan.extra):
        raise ExistsError(
            f"{url} is not an image that could be overwritten: it holds {first}{more}, which would have "
            "to be deleted; nothing was sent. Give the image a key of its own"
        )
