"""What each key of OME-Zarr and Zarr metadata means, in plain words."""

from __future__ import annotations

from types import MappingProxyType

_OF = MappingProxyType(
    {
        ("axes", "name"): "What the axis is called: t, c, z, y or x as a rule, in the order of the array.",
        ("axes", "type"): "What runs along the axis: time, channel or space.",
        ("axes", "unit"): "The unit of one step of scale along this axis, spelled out: micrometer, second.",
        ("datasets", "path"): "The array that holds this level, as a path below this group.",
        ("coordinateTransformations", "type"): "What kind of step from voxels to space: scale, translation.",
        ("channels", "label"): "The name a viewer shows for the channel.",
        ("channels", "color"): "The colour a viewer starts with: six hex digits, red, green, blue.",
        ("channels", "active"): "Whether a viewer shows the channel at first.",
        ("window", "min"): "The smallest value the contrast slider of a viewer offers.",
        ("window", "max"): "The largest value the contrast slider of a viewer offers.",
        ("window", "start"): "The value a viewer shows as black at first.",
        ("window", "end"): "The value a viewer shows at full brightness at first.",
        ("wells", "path"): "The well's group below the plate: row, slash, column.",
        ("images", "path"): "The field's image below the well.",
        ("images", "acquisition"): "Which acquisition of the plate the field belongs to.",
        ("rows", "name"): "The row's name, as in the first half of a well's path.",
        ("columns", "name"): "The column's name, as in the second half of a well's path.",
        ("image-label", "source"): "Which image these labels were drawn on.",
        ("source", "image"): "The path from here to the image the labels belong to.",
        ("multiscales", "name"): "A name for people; no program needs it.",
        ("multiscales", "type"): "How coarser levels were made, such as mean or nearest.",
        ("multiscales", "version"): "The OME-Zarr version this entry follows.",
        ("codecs", "name"): "The step's name: bytes, blosc, zstd, gzip, sharding_indexed.",
    }
)
_KEYS = MappingProxyType(
    {
        "zarr_format": "The Zarr format: 2 is used up to OME-Zarr 0.4, 3 from 0.5 on.",
        "node_type": "A group holds other things, an array holds voxels.",
        "attributes": "Everything that is not Zarr's own: OME-Zarr's metadata lie here.",
        "ome": "From OME-Zarr 0.5 on, all of its metadata lie under this key.",
        "version": "The OME-Zarr version that the metadata follow.",
        "multiscales": "The image: its axes and its levels. There is nearly always one entry.",
        "axes": "What each dimension of the arrays is, in the order of the arrays.",
        "datasets": "The levels, the full resolution first.",
        "coordinateTransformations": "How voxel indices become positions: first scale, then translation.",
        "coordinateSystems": "The spaces that positions are given in, each with its axes (from 0.6 on).",
        "scale": "The size of a voxel along each axis, in the unit of the axis.",
        "translation": "Where the centre of the first voxel lies along each axis, in the unit of the axis.",
        "type": "Which kind of thing this is; the keys beside it depend on it.",
        "name": "A name for people and for references.",
        "path": "Where something is stored, seen from this group.",
        "unit": "The unit, spelled out.",
        "input": "The space that a transformation starts from.",
        "output": "The space that a transformation leads to.",
        "transformations": "Several steps, one after the other.",
        "scene": "Several images brought into one space.",
        "metadata": "How the levels were made; free text for people and programs.",
        "omero": "How a viewer should show the channels; the voxels do not depend on it.",
        "channels": "One entry for each channel: label, colour and contrast.",
        "window": "The contrast of a channel: the range offered, and the part shown at first.",
        "rdefs": "How a viewer starts: which plane, which colour model.",
        "labels": "The names of the label images stored below this group.",
        "image-label": "Says that this image holds label ids, and how they are to be shown.",
        "colors": "A colour for each label id.",
        "properties": "What is known of each label id.",
        "label-value": "The label id, as it stands in the voxels.",
        "rgba": "Red, green, blue and opacity, 0 to 255.",
        "plate": "A multi-well plate: its rows, columns and wells.",
        "rows": "The rows of the plate, in order.",
        "columns": "The columns of the plate, in order.",
        "wells": "The wells that were imaged, each with its path.",
        "rowIndex": "The row of the well, counted from 0.",
        "columnIndex": "The column of the well, counted from 0.",
        "acquisitions": "The runs of the microscope that the fields belong to.",
        "field_count": "The largest number of fields that a well has.",
        "well": "A well: the fields that were imaged in it.",
        "images": "The fields of the well, each an image of its own.",
        "series": "The images of a collection, each an image of its own.",
        "bioformats2raw.layout": "Says that this group is a collection of images, 0, 1, 2 and so on.",
        "shape": "How many voxels the array has along each axis.",
        "chunks": "How many voxels of each axis are compressed together: the least that is read.",
        "chunk_grid": "How the array is cut into chunks (or shards, where there are any).",
        "chunk_shape": "How many voxels of each axis go into one object: a chunk, or a shard of them.",
        "chunk_key_encoding": "How the number of a chunk becomes its key, such as c/0/1/2.",
        "dimension_separator": "What stands between the numbers in a chunk's key: / or a dot.",
        "separator": "What stands between the numbers in a chunk's key.",
        "data_type": "The kind of number of a voxel, such as uint16.",
        "dtype": "The kind of number of a voxel; < means the low byte comes first, u2 two bytes unsigned.",
        "fill_value": "What a chunk that is not stored reads as.",
        "codecs": "The steps from voxels to stored bytes, in the order of writing.",
        "compressor": "How each chunk is compressed (Zarr v2).",
        "filters": "Steps before compression (Zarr v2), usually none.",
        "order": "Which axis runs fastest within a chunk; C means the last one.",
        "cname": "The compressor inside of blosc.",
        "clevel": "How hard it compresses, 0 to 9.",
        "level": "How hard it compresses.",
        "shuffle": "Whether bytes are sorted by their place in the number first, which compresses better.",
        "typesize": "Bytes of one number, for the sorting before compression.",
        "endian": "Which byte of a number comes first.",
        "index_codecs": "How the index of a shard is stored.",
        "index_location": "Where in a shard its index lies: at the end, as a rule.",
        "configuration": "The settings of what is named beside it.",
        "dimension_names": "The names of the axes, as Zarr itself knows them.",
        "_ARRAY_DIMENSIONS": "The names of the axes, as xarray writes them into Zarr v2.",
        "consolidated_metadata": "A copy of the documents of everything below, to save requests.",
        "id": "A number that other entries refer to.",
        "_creator": "The program that wrote this.",
    }
)
_NO_MEANING = "OME-Zarr does not define this key; it is kept for whoever wrote it."


def meaning(parents: tuple[str, ...], key: str) -> str:
    """Return what a key means below the keys that hold it (list positions left out)."""
    above = parents[-1] if parents else ""
    if key == "chunk_shape" and "codecs" in parents:
        return "How many voxels of each axis go into one inner chunk of a shard."
    return _OF.get((above, key)) or _KEYS.get(key) or _NO_MEANING


def meaning_of_item(parents: tuple[str, ...]) -> str:
    """Return what an item of a list means, from the key that holds the list."""
    return _ITEMS.get(parents[-1] if parents else "", "")


_ITEMS = MappingProxyType(
    {
        "multiscales": "One image.",
        "axes": "One axis.",
        "datasets": "One level: its path, and how large and where its voxels are.",
        "coordinateTransformations": "One step from voxel indices to positions.",
        "channels": "One channel.",
        "wells": "One well.",
        "images": "One field.",
        "rows": "One row.",
        "columns": "One column.",
        "acquisitions": "One acquisition.",
        "codecs": "One step of encoding.",
        "labels": "One label image.",
        "series": "One image of the collection.",
        "colors": "One label id and its colour.",
    }
)
