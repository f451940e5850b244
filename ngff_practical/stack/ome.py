"""What the OME-XML in a TIFF's ImageDescription declares; read strictly, entities never resolved."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from xml.etree import ElementTree
from xml.parsers import expat

from ngff_practical.errors import StackError
from ngff_practical.model import Channel, Place
from ngff_practical.stack.faults import clean, one_line, shown

_OME = re.compile(r"<(?:[A-Za-z_][\w.-]*:)?OME[\s>/]")
_UUID = re.compile(r"<(?:[A-Za-z_][\w.-]*:)?OME\s(?:[^>]*\s)?UUID\s*=\s*[\"']([^\"'<>]*)")
_MARKUP = re.compile(r"<\s*[A-Za-z/!?]")
_DEEPEST = 100
_PIXEL_TYPES = {name: name for name in ("int8", "int16", "int32", "uint8", "uint16", "uint32")} | {
    "float": "float32",
    "double": "float64",
}


@dataclass(frozen=True, slots=True)
class OmeImage:
    """One Image of an OME-XML document: sizes by axis letter, numbers and units as they stand there."""

    name: str
    sizes: dict[str, int]
    physical: dict[str, tuple[str, str]]  # axis name -> (number, unit)
    increment: tuple[str, str] | None
    channels: tuple[Channel, ...]
    files: tuple[tuple[str, str], ...]  # (UUID as it stands there, file name) of where its planes lie
    has_data: bool
    pixel_type: str = ""  # as numpy calls it, "" where it is not stated or has no such name
    has_other_data: bool = False  # pixels within the XML, or none at all on purpose


@dataclass(frozen=True, slots=True)
class OmeDocument:
    """An OME-XML document; `metadata_file` is where the metadata is, for a file that says BinaryOnly."""

    uuid: str
    images: tuple[OmeImage, ...]
    metadata_file: str | None
    text: str


def plain_uuid(text: str) -> str:
    """Return a UUID as it is compared."""
    return text.strip().lower().removeprefix("urn:uuid:")


def own_uuid(head: str) -> str:
    """Return the UUID in the root element of a document, of which the beginning is enough; "" without one."""
    match = _UUID.search(head)
    return plain_uuid(match[1]) if match else ""


def is_ome(text: str) -> bool:
    """Return True where a description is, or was meant to be, OME-XML."""
    return _OME.search(text[:4096]) is not None


def is_markup(text: str) -> bool:
    """Return True where text that should be a name holds HTML or XML."""
    return _MARKUP.search(text) is not None


def refuse_entities(text: str, file: Place) -> None:
    """Raise StackError where a description declares a document type, the carrier of external entities."""
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise StackError(
            f"{shown(file)}: its description declares XML entities, which no microscope writes and which "
            "can read "
            "other files or exhaust memory; it is not read. Save the image anew without that description"
        )


def parse_ome(text: str, file: Place) -> OmeDocument:
    """Return what an OME-XML document declares, or raise StackError where it is cut off or hostile."""
    refuse_entities(text, file)
    root = _parse(text, file)
    images: list[OmeImage] = []
    metadata_file: str | None = None
    for element in root:
        kind = _local(element)
        if kind == "BinaryOnly":
            metadata_file = element.get("MetadataFile")
        elif kind == "Image":
            images += [_image(element, pixels, file) for pixels in element if _local(pixels) == "Pixels"]
    return OmeDocument(plain_uuid(root.get("UUID", "")), tuple(images), metadata_file, text)


def only_image(document: OmeDocument, index: int) -> str:
    """Return the document with one Image alone, so that a reader cannot pick another one."""
    root = ElementTree.fromstring(document.text)  # noqa: S314 - parse_ome has refused entities and depth
    return _with_only(root, _all_pixels(root)[index])


def joined_images(document: OmeDocument, indices: Sequence[int], letter: str) -> tuple[OmeImage, str]:
    """Return images of one shape as one, and its document; `letter` is an axis of length 1 in each."""
    root = ElementTree.fromstring(document.text)  # noqa: S314 - parse_ome has refused entities and depth
    every = _all_pixels(root)
    first = every[indices[0]]
    for number, index in enumerate(indices):
        for block in [child for child in every[index] if _local(child) == "TiffData"]:
            block.set(f"First{letter}", str(number))
            if number:
                first.append(block)
    first.set(f"Size{letter}", str(len(indices)))
    first.set("DimensionOrder", first.get("DimensionOrder", "XYZCT").replace(letter, "") + letter)
    images = [document.images[index] for index in indices]
    channels = images[0].channels
    if letter == "C":
        channels = tuple(channel for image in images for channel in image.channels)
    elif any(image.channels != channels for image in images):
        channels = ()
    joined = replace(
        images[0],
        sizes=images[0].sizes | {letter: len(indices)},
        channels=channels,
        files=tuple(dict.fromkeys(file for image in images for file in image.files)),
    )
    return joined, _with_only(root, first)


def _all_pixels(root: ElementTree.Element) -> list[ElementTree.Element]:
    images = [element for element in root if _local(element) == "Image"]
    return [child for image in images for child in image if _local(child) == "Pixels"]


def _with_only(root: ElementTree.Element, pixels: ElementTree.Element) -> str:
    """Return the text of a document without all pixels but these."""
    for element in [child for child in root if _local(child) == "Image"]:
        for other in [child for child in element if _local(child) == "Pixels" and child is not pixels]:
            element.remove(other)
        if pixels not in list(element):
            root.remove(element)
    return ElementTree.tostring(root, encoding="unicode")


def in_order(document: OmeDocument) -> str:
    """Return a document of one Image without TiffData, with one that stands for all pages in their order."""
    root = ElementTree.fromstring(document.text)  # noqa: S314 - parse_ome has refused entities and depth
    for pixels in _all_pixels(root):
        ElementTree.SubElement(pixels, pixels.tag.replace("Pixels", "TiffData"))
    return ElementTree.tostring(root, encoding="unicode")


def _parse(text: str, file: Place) -> ElementTree.Element:
    """Return the root, after a first pass that refuses documents nested too deep for a recursive reader."""
    depth = 0

    def enter(_name: str, _attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEEPEST:
            raise StackError(
                f"{shown(file)}: its OME-XML is nested more than {_DEEPEST} deep; it is not read"
            )

    def leave(_name: str) -> None:
        nonlocal depth
        depth -= 1

    parser = expat.ParserCreate("utf-8")
    parser.StartElementHandler = enter
    parser.EndElementHandler = leave
    try:
        parser.Parse(text.strip("\0 \r\n\t").encode("utf-8", "replace"), True)
        return ElementTree.fromstring(text.strip("\0 \r\n\t"))  # noqa: S314 - no entities, bounded depth
    except (expat.ExpatError, ElementTree.ParseError) as error:
        raise StackError(
            f"{shown(file)}: its OME-XML is cut off or damaged ({one_line(error)}); "
            "copy the file again, or save it anew from the program that made it"
        ) from error


def _local(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _image(element: ElementTree.Element, pixels: ElementTree.Element, file: Place) -> OmeImage:
    try:
        sizes = {letter: int(pixels.attrib[f"Size{letter}"]) for letter in "TCZYX"}
    except (KeyError, ValueError) as error:
        raise StackError(
            f"{shown(file)}: its OME-XML does not state the image's size ({one_line(error)}); "
            "save it anew from the program that made it"
        ) from error
    physical = {
        axis: (
            pixels.attrib[f"PhysicalSize{axis.upper()}"],
            pixels.get(f"PhysicalSize{axis.upper()}Unit", "µm"),
        )
        for axis in "zyx"
        if f"PhysicalSize{axis.upper()}" in pixels.attrib
    }
    increment = pixels.get("TimeIncrement")
    order = pixels.get("DimensionOrder", "XYZCT")
    if sorted(order) != sorted("XYZCT") or order[:2] != "XY":
        raise StackError(
            f"{shown(file)}: its OME-XML gives the order of its axes as {clean(order)!r}, which is none like "
            "XYZCT; save it anew from the program that made it"
        )
    data = [child for child in pixels if _local(child) == "TiffData"]
    for block in data:
        places = block.attrib.items()
        negative = [f"{name}={text}" for name, text in places if text.strip().startswith("-")]
        if negative:
            raise StackError(
                f"{shown(file)}: its OME-XML places planes at {clean(', '.join(negative))}, where none can "
                "be; save it anew from the program that made it"
            )
    uuids = [child for block in data for child in block if _local(child) == "UUID"]
    return OmeImage(
        name=element.get("Name", ""),
        sizes=sizes,
        physical=physical,
        increment=None if increment is None else (increment, pixels.get("TimeIncrementUnit", "s")),
        channels=_channels([child for child in pixels if _local(child) == "Channel"]),
        files=tuple(
            dict.fromkeys(
                (child.text or "", child.attrib["FileName"]) for child in uuids if "FileName" in child.attrib
            )
        ),
        has_data=bool(data),
        pixel_type=_PIXEL_TYPES.get(pixels.get("Type", ""), ""),
        has_other_data=any(_local(child) in ("BinData", "MetadataOnly") for child in pixels),
    )


def _channels(elements: list[ElementTree.Element]) -> tuple[Channel, ...]:
    """Return names and colours, or () where the document gives neither for any channel."""
    channels: list[Channel] = []
    stated = False
    for index, element in enumerate(elements):
        name = clean(element.get("Name", ""))  # markup in it stays: whoever shows names escapes them
        color = _color(element.get("Color"))
        stated = stated or bool(name) or color is not None
        channels.append(Channel(name or f"channel {index}", color))
    return tuple(channels) if stated else ()


def _color(text: str | None) -> str | None:
    """Return six hex digits for OME's signed RGBA, None where it is absent, broken or transparent."""
    try:
        value = int(text or "") & 0xFFFFFFFF
    except ValueError:
        return None
    return f"{value >> 8:06X}" if value & 0xFF else None


def number(text: object) -> float:
    """Return a stated number, NaN where it is none."""
    if isinstance(text, bool):
        return math.nan
    try:
        return float(text) if isinstance(text, (str, int, float)) else math.nan
    except (ValueError, OverflowError):
        return math.nan
