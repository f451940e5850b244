"""Where the words go: results to stdout, messages to stderr, and text from files made harmless."""

from __future__ import annotations

import io
import json
import math
import sys

from ngff_practical.model.wording import escaped

type Json = dict[str, object]

LONGEST_LINE = 10_000


def never_fail_to_print() -> None:
    """Let stdout escape what its encoding has no sign for, as stderr does: a pipe on Windows has 256."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def say(text: str) -> None:
    """Print a message for the person, on stderr."""
    print(escape(text), file=sys.stderr)


def show(text: str) -> None:
    """Print a line of the result, on stdout."""
    print(escape(text))


def emit(document: Json) -> None:
    """Print the one JSON document of a command, on stdout; NaN and infinity, which JSON has not, are null.

    Characters that a terminal would obey, and those that no encoding or not stdout's has, are written as JSON
    escapes: whoever parses the document gets them back.
    """
    everything = (sys.stdout.encoding or "utf-8").lower() in ("utf-8", "utf8")
    text = json.dumps(_finite(document), indent=2, ensure_ascii=not everything, allow_nan=False)
    print("".join(character if character.isprintable() else _escape(character) for character in text))


def escape(text: str) -> str:
    """Return text that cannot move the cursor, colour the terminal or turn the reading direction."""
    return escaped(text, limit=LONGEST_LINE)


def _escape(character: str) -> str:
    return character if character == "\n" else json.dumps(character)[1:-1]


def _finite(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
