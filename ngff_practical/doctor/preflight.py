"""The pre-flight of the first lesson: what can be looked at in a second or two, as a table with fixes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from html import escape
from pathlib import Path

from ngff_practical.doctor.checks import Check, ready
from ngff_practical.doctor.computer import check_quickly
from ngff_practical.doctor.practice import check_sandbox
from ngff_practical.storage.credentials import find_keys, on_binder, sandboxs_own

# Okabe and Ito's colours, as in the boxes of the exercises
_WORDS = {"ok": "#009e73", "note": "#56b4e9", "WRONG": "#d55e00"}


@dataclass(frozen=True, slots=True)
class Preflight:
    """What was looked at and what to do about it: a table in a notebook, text elsewhere."""

    checks: tuple[Check, ...]

    @property
    def ready(self) -> bool:
        """True where everything that is needed is right."""
        return ready(self.checks)

    @property
    def sentence(self) -> str:
        """The verdict on all of it."""
        if self.ready:
            return "Ready: everything that the course needs is here."
        wrong = [check.name for check in self.checks if check.verdict == "WRONG"]
        return f"Not ready: {', '.join(wrong)}. Do what the table says, then run this cell again."

    def __repr__(self) -> str:
        lines = [
            f"{check.verdict:<6}{check.name:<13}{check.found}" + (f" -> {check.fix}" if check.fix else "")
            for check in self.checks
        ]
        return "\n".join([*lines, self.sentence])

    def _repr_html_(self) -> str:
        fixes = any(check.fix for check in self.checks)  # no column where nothing stands
        left = 'style="text-align:left;vertical-align:top;max-width:30em"'
        titles = ("", "looked at", "found", *(["do this"] * fixes))
        head = "".join(f"<th {left}>{title}</th>" for title in titles)
        rows = "".join(
            f'<tr><td {left}><strong style="color:{_WORDS[check.verdict]}">{check.verdict}</strong></td>'
            f'<th scope="row" {left}>{escape(check.name)}</th><td {left}>{escape(check.found)}</td>'
            + f"<td {left}>{escape(check.fix)}</td>" * fixes
            + "</tr>"
            for check in self.checks
        )
        return (
            f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
            f"<p>{escape(self.sentence)}</p>"
        )


def preflight(folder: Path) -> Preflight:
    """Return whether this computer is ready for lessons that write to a folder; asks no other machine.

    `ngff-practical doctor` looks longer: it imports every package, and asks the servers of the samples.
    """
    checks = [*check_quickly(folder), *check_sandbox()]
    if on_binder():
        checks.append(_binder())
    return Preflight(tuple(checks))


def _binder() -> Check:
    keys = find_keys() if os.environ.get("AWS_ACCESS_KEY_ID") else None
    if keys is None or sandboxs_own(keys):
        return Check("Binder", True, "a machine for everybody: no keys but those of the sandbox")
    return Check(
        "Binder",
        False,
        "keys of your own are in the environment of a public machine",
        "take them out, and change them: on Binder they are not used",
    )
