"""Rules about plates, wells, collections and label lists: rows and columns agree, paths stay inside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ngff_practical.metadata.paths import path_fault
from ngff_practical.metadata.structure import LONGEST_LIST, Spot, entries, is_number
from ngff_practical.metadata.subject import Rule, Subject
from ngff_practical.metadata.wording import listed, number, plural, quoted
from ngff_practical.model import Issue, Severity


def safe_well_paths(plate: Subject) -> Iterator[Issue]:
    """Demand well paths without further folders before or after (0.5, plate metadata)."""
    yield from _safe(plate, "plate", "wells")


def safe_field_paths(well: Subject) -> Iterator[Issue]:
    """Demand plain names as the paths of a well's images (0.5, well metadata)."""
    yield from _safe(well, "well", "images")


def safe_label_paths(labels: Subject) -> Iterator[Issue]:
    """Demand paths below the group, each listed once (0.5, labels metadata)."""
    found = labels.metadata.get("labels")
    known: set[str] = set()
    for index, path in enumerate(found[:LONGEST_LIST] if isinstance(found, list) else ()):
        if not isinstance(path, str):
            continue
        spot, fault = labels.spot("labels metadata", f"labels[{index}]"), path_fault(path)
        if fault:
            yield spot.must(f"the path {quoted(path)} {fault}")
        elif path in known:
            yield spot.must(f"{quoted(path)} is listed twice")
        known.add(path)


def safe_series_paths(collection: Subject) -> Iterator[Issue]:
    """Demand paths to images of the collection, each once (0.4, bioformats2raw.layout)."""
    series = collection.metadata.get("series")
    known: set[str] = set()
    for index, path in enumerate(series[:LONGEST_LIST] if isinstance(series, list) else ()):
        if not isinstance(path, str):
            continue
        spot, fault = collection.spot("bioformats2raw.layout metadata", f"series[{index}]"), path_fault(path)
        if fault:
            yield spot.must(f"the path {quoted(path)} {fault}")
        elif path in known:
            yield spot.should(f"{quoted(path)} is listed twice, so another image may be missing")
        known.add(path)


def wells_in_rows_and_columns(plate: Subject) -> Iterator[Issue]:
    """Demand that path, rowIndex and columnIndex name the same row and column (0.5, plate metadata)."""
    rows, columns = _names(plate, "rows"), _names(plate, "columns")
    if not plate.calibrated or not rows or not columns:
        return
    found: dict[tuple[str, Severity], list[Issue]] = {}
    for index, well in enumerate(_list(plate, "plate", "wells")):
        path = well.get("path") if isinstance(well, dict) else None
        if not isinstance(well, dict) or not isinstance(path, str) or path.count("/") != 1:
            continue
        row, column = path.split("/")
        spot = plate.spot("plate metadata", f"plate.wells[{index}]")
        for issue in _misplaced(spot, well, path, (("row", rows, row), ("column", columns, column))):
            found.setdefault((issue.where.rsplit(".", 1)[-1], issue.severity), []).append(issue)
    for alike in found.values():
        more = f"; {plural(len(alike) - 1, 'more well')} likewise" if len(alike) > 1 else ""
        yield replace(alike[0], message=f"{alike[0].message}{more}")


def _misplaced(
    spot: Spot, well: dict[str, object], path: str, lines: tuple[tuple[str, dict[str, int], str], ...]
) -> Iterator[Issue]:
    (_, rows, row), (_, columns, column) = lines
    if row not in rows and column not in columns and row in columns and column in rows:
        message = f"the path {quoted(path)} names the column first, expected {quoted(f'{column}/{row}')}"
        yield spot.key("path").should(message)
        return
    for key, names, part in lines:
        at = well.get(f"{key}Index")
        if part not in names:
            message = f"well {quoted(path)} is in {key} {quoted(part)}, which is not among the {key}s"
            yield spot.key("path").must(message)
            return
        if is_number(at) and at >= 0 and at != names[part]:
            there = f"{key}Index {number(at)}"
            message = f"well {quoted(path)} has {there}, but {quoted(part)} is {key} {names[part]}"
            yield spot.key(f"{key}Index").must(message)


def distinct_names(plate: Subject) -> Iterator[Issue]:
    """Recommend names that differ in more than upper and lower case (0.5, plate metadata)."""
    for key in ("rows", "columns"):
        folded: dict[str, str] = {}
        for name in _names(plate, key):
            other = folded.setdefault(name.casefold(), name)
            if other != name:
                message = f"{listed([other, name])} differ only in case, so some computers take them for one"
                yield plate.spot("plate metadata", f"plate.{key}").should(message)


def acquisitions_of_well(well: Subject, plate: Subject) -> Iterator[Issue]:
    """Demand an acquisition of the plate for every image, where there are several (0.5, well metadata)."""
    ids = [item.get("id") for item in entries(plate.metadata.get("plate"), "acquisitions")]
    known = [value for value in ids if is_number(value) and value >= 0]
    if len(known) < len(ids):
        return  # said of the plate
    without = []
    for index, image in enumerate(_list(well, "well", "images")):
        if not isinstance(image, dict):
            continue
        spot = well.spot("well metadata", f"well.images[{index}]")
        acquisition = image.get("acquisition")
        if acquisition is None:
            without.append(spot)
        elif known and is_number(acquisition) and acquisition not in known:
            message = (
                f"the image is of acquisition {acquisition}, but the plate has {listed(map(str, known))}"
            )
            yield spot.key("acquisition").must(message)
    if without and len(known) > 1:
        message = f"the image does not say of which of the plate's {len(known)} acquisitions it is"
        yield without[0].issue("must" if well.calibrated else "should", message)


def fields_of_well(well: Subject, plate: Subject) -> Iterator[Issue]:
    """Recommend a field_count that no well exceeds, and the like for acquisitions (0.5, plate metadata)."""
    described = plate.metadata.get("plate")
    images = entries(well.metadata.get("well"), "images")
    most = described.get("field_count") if isinstance(described, dict) else None
    spot = well.spot("well metadata", "well.images")
    if is_number(most) and 0 < most < len(images):
        yield spot.should(f"the well has {len(images)} fields, but the plate's field_count is {number(most)}")
    for acquisition in entries(described, "acquisitions"):
        most, mine = acquisition.get("maximumfieldcount"), acquisition.get("id")
        count = sum(is_number(mine) and image.get("acquisition") == mine for image in images)
        if is_number(most) and 0 < most < count:
            message = f"acquisition {mine} has {count} fields, but its maximumfieldcount is {number(most)}"
            yield spot.should(message)


def times_of_acquisitions(plate: Subject) -> Iterator[Issue]:
    """Recommend acquisitions that end after they have begun (0.5, plate metadata)."""
    for index, item in enumerate(entries(plate.metadata.get("plate"), "acquisitions")):
        start, end = item.get("starttime"), item.get("endtime")
        if is_number(start) and is_number(end) and end < start:
            spot = plate.spot("plate metadata", f"plate.acquisitions[{index}].endtime")
            yield spot.should(f"endtime is {number(end)}, before starttime, {number(start)}")


def safe_scene_paths(scene: Subject) -> Iterator[Issue]:
    """Demand paths of images that stay below the scene (0.6, scene metadata)."""
    for index, item in enumerate(entries(scene.metadata.get("scene"), "coordinateTransformations")):
        for end in ("input", "output"):
            holder = item.get(end)
            path = holder.get("path") if isinstance(holder, dict) else None
            fault = path_fault(path) if isinstance(path, str) else ""
            if isinstance(path, str) and fault:
                where = f"scene.coordinateTransformations[{index}].{end}.path"
                yield scene.spot("scene metadata", where).must(f"the path {quoted(path)} {fault}")


def scene_systems(scene: Subject) -> Iterator[Issue]:
    """Demand that a coordinate system without an image is one of the scene's own (0.6, scene metadata)."""
    described = scene.metadata.get("scene")
    known = {system.get("name") for system in entries(described, "coordinateSystems")}
    for index, item in enumerate(entries(described, "coordinateTransformations")):
        for end in ("input", "output"):
            holder = item.get(end)
            name = holder.get("name") if isinstance(holder, dict) and "path" not in holder else None
            if isinstance(name, str) and name not in known:
                where = f"scene.coordinateTransformations[{index}].{end}"
                message = f"{end} is {quoted(name)}, which is none of the scene's coordinateSystems"
                yield scene.spot("scene metadata", where).must(message)


SCENE_RULES: tuple[Rule, ...] = (safe_scene_paths, scene_systems)
PLATE_RULES: tuple[Rule, ...] = (
    safe_well_paths,
    wells_in_rows_and_columns,
    distinct_names,
    times_of_acquisitions,
)
WELL_RULES: tuple[Rule, ...] = (safe_field_paths,)
LABELS_RULES: tuple[Rule, ...] = (safe_label_paths,)
COLLECTION_RULES: tuple[Rule, ...] = (safe_series_paths,)


def _safe(group: Subject, part: str, key: str) -> Iterator[Issue]:
    for index, item in enumerate(_list(group, part, key)):
        path = item.get("path") if isinstance(item, dict) else None
        fault = path_fault(path) if isinstance(path, str) else ""
        if isinstance(path, str) and fault:
            spot = group.spot(f"{part} metadata", f"{part}.{key}[{index}].path")
            yield spot.must(f"the path {quoted(path)} {fault}")


def _names(plate: Subject, key: str) -> dict[str, int]:
    """Return the names of rows or columns with their index; nothing where one of them is no name at all."""
    names = [item.get("name") for item in entries(plate.metadata.get("plate"), key)]
    if not all(isinstance(name, str) and name.isalnum() for name in names):
        return {}
    return {str(name): index for index, name in reversed(list(enumerate(names)))}


def _list(group: Subject, part: str, key: str) -> Sequence[object]:
    holder = group.metadata.get(part)
    items = holder.get(key) if isinstance(holder, dict) else None
    return items[:LONGEST_LIST] if isinstance(items, list) else []
