"""The words and letters that microscopes put beside numbers in names, and what these count."""

from __future__ import annotations

import re

WORD = re.compile(r"([A-Za-z]+)[\s_\-=.#()\[\]/]*$")  # the last word of a text, with what follows it
_CAPITAL = re.compile(r"[A-Z]+[a-z]*$")

AXES = {
    "z": "z", "zstep": "z", "slice": "z", "section": "z", "plane": "z", "zplane": "z", "zslice": "z",
    "zpos": "z", "depth": "z", "sl": "z", "zstack": "z", "pln": "z", "layer": "z",
    "t": "t", "time": "t", "timepoint": "t", "frame": "t", "tp": "t", "timestep": "t", "tpt": "t",
    "tm": "t", "tl": "t",
    "c": "c", "ch": "c", "chan": "c", "chn": "c", "channel": "c", "wv": "c", "wavelength": "c", "ex": "c",
    "em": "c", "exc": "c", "laser": "c", "lambda": "c", "filter": "c",
}  # fmt: skip

SPELLED_CHANNELS = {"channel", "chan", "chn", "laser", "wavelength", "lambda", "wv"}

# Words for other places on the same sample, other looks at it, and other samples.
PLACES = {
    "site", "pos", "position", "field", "fld", "fov", "xy", "well", "w", "tile", "mosaic", "scene", "series",
    "stage", "row", "col", "column", "point", "roi", "region", "reg",
    "angle", "ang", "view", "camera", "cam", "cm", "illum", "illumination", "specimen", "spc", "spm",
}  # fmt: skip
# These may be anything where nothing else varies: embryo001 to embryo200 are planes of one embryo.
SHORT_PLACES = {
    "s", "p", "f", "x", "y", "m", "r", "sh",
    "embryo", "larva", "fish", "fly", "worm", "mouse", "rat", "animal", "organoid", "cell", "sample",
    "subject", "patient", "donor", "rep", "replicate", "repeat", "exp", "experiment", "run", "trial",
    "plate", "slide", "dish", "coverslip", "batch",
}  # fmt: skip

DYE = re.compile(
    r"(?:ch(?:an(?:nel)?)?)?(?:[em]|td|irfp|mi)?(?:dapi|hoechst\d*|[bcgry]fp|cherry|tomato|fitc|tritc|"
    r"cy\d(?:[._]\d)?|alexa\w*|af\d+|texas\w*|txred|rhod\w*|venus|citrine|mkate\d?|sytox\w*|draq\d|far_?red|bf|"
    r"bright\w*|trans\w*|phase\w*|ph\d?|dic|red|green|blue|\d{3}(?:nm)?|ir|nir|lyso\w*|mito\w*)\d*",
    re.I,
)
NUMBERED_DYES = {"af", "alexa", "alexafluor", "fluor", "atto", "dylight", "cf", "jf"}  # by their light
CYANINES = frozenset({2, 3, 5, 7})
LASERS = frozenset(
    {405, 408, 445, 458, 473, 476, 488, 491, 496, 514, 515, 532, 543, 546, 552, 555, 559, 561, 568, 594}
    | {633, 635, 638, 640, 642, 647, 660, 685}
)

# What stands right before a number, to the end of it; SPAN: behind one.
CLOCK = re.compile(r"[0-9]{6,8}T$", re.I)  # 20240301T120000
SPAN = re.compile(r"(?:h|hrs?|hours?|min|s|sec|d|days?|hpf|dpf)(?![A-Za-z])", re.I)
DYE_OF_PLATE = re.compile(r"f[0-9]+_?d$", re.I)  # A01f00d0: the dye of a field of a well
BEHIND = re.compile(r"(?:^|[\W_])[0-9]+[a-z]+[_-]$")  # 000z_0000t: the letter stands behind its number
TILE = re.compile(r"(?:^|[^A-Za-z])r(?:ow)?[0-9]*[\W_]?c$", re.I)  # r0_c1 is row 0, column 1 of a mosaic
UNIT = re.compile(r"[0-9][xsmc][\W_]+$", re.I)  # 20x_001 and 37C_001: a lens and a temperature
LENGTH_OR_TIME = re.compile(r"\s?(?:[uµμnm]m|microns?|[mun]?s|sec|min|h)(?![A-Za-z])", re.I)


def word_of(before: str) -> str:
    """Return the word that ends a text, in lower case, without what is glued to the front of it."""
    match = WORD.search(before)
    if match is None or UNIT.search(before):
        return ""
    capital = _CAPITAL.search(match[1])
    word = match[1].lower()
    known = word in AXES or word in PLACES or word in SHORT_PLACES
    return word if known or capital is None else capital[0].lower()
