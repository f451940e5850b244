"""The command `ngff-practical`: which commands there are, and what their errors look like.

Each command is imported when it is asked for, so that none waits for the libraries of another.
"""

from __future__ import annotations

import gc
import os
import sys

from cyclopts import App, CycloptsError

from ngff_practical.cli.documents import error_document
from ngff_practical.cli.options import DONE, PROBLEMS, WRONG
from ngff_practical.cli.output import emit, never_fail_to_print, say
from ngff_practical.errors import ConversionError, NgffPracticalError, TransferError

INTERRUPTED = 130  # as shells have it
YOUNG_OBJECTS = 100_000  # what imports make stays: looking for garbage among it as often as usual costs 0.1 s


def _version() -> str:
    from ngff_practical import __version__

    return __version__


app = App(
    name="ngff-practical",
    version=_version,
    help="Convert TIFF z-stacks to OME-Zarr, look inside, and share them on S3.",
    suppress_keyboard_interrupt=False,
)
sandbox_app = App(name="sandbox", help="The S3 server on this machine that the lessons use.")
app.command(sandbox_app)
_COMMANDS = {
    "lab": ("setting:lab", "Start the sandbox with its samples, and the course in JupyterLab."),
    "doctor": ("doctor:doctor", "Check that this computer, or a place on S3, is ready."),
    "samples": ("setting:samples", "List the images the lessons use."),
    "progress": ("learning:progress", "Say which exercises of the course are passed."),
    "reset": ("learning:reset", "Put a notebook of the course back as it was; yours is kept."),
    "plan": ("stacks:plan", "Say what converting a TIFF stack would write."),
    "convert": ("stacks:convert", "Convert a TIFF stack to OME-Zarr: streamed, counted and read back."),
    "info": ("images:info", "Say what is stored at a place; no pixel is read."),
    "validate": ("images:validate", "Check an image against the specification of its version."),
    "ls": ("transfers:ls", "List one level below a place."),
    "upload": ("transfers:upload", "Send an image to S3: root metadata last, each object proven."),
    "download": ("transfers:download", "Fetch an image from S3, each object proven."),
    "delete": ("deleting:delete", "Delete an image from S3, after asking; it stops opening first."),
    "verify": ("transfers:verify", "Compare a copy with the local image, byte for byte."),
}
_SANDBOX_COMMANDS = {
    "start": ("setting:sandbox_start", "Start it with the samples in it, or say where it already runs."),
    "stop": ("setting:sandbox_stop", "Stop it; everything in it is forgotten."),
    "status": ("setting:sandbox_status", "Say whether it runs, and where."),
}
for _parent, _commands in ((app, _COMMANDS), (sandbox_app, _SANDBOX_COMMANDS)):
    for _name, (_place, _help) in _commands.items():
        _parent.command(f"ngff_practical.cli.{_place}", name=_name, help=_help)


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return 0 (done), 1 (problems found) or 2 (wrong usage, unreadable input)."""
    tokens = sys.argv[1:] if arguments is None else arguments
    if arguments is None:
        gc.set_threshold(YOUNG_OBJECTS)
    never_fail_to_print()
    try:
        code = app(tokens, exit_on_error=False, print_error=False, result_action="return_value")
    except (ConversionError, TransferError) as error:
        return _failed(error, tokens, PROBLEMS)
    except (CycloptsError, NgffPracticalError) as error:
        return _failed(error, tokens, WRONG)
    except KeyboardInterrupt as stop:
        say(f"stopped; {' '.join(getattr(stop, '__notes__', ())) or 'the same command can be run again'}")
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has seen enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    return code if isinstance(code, int) else DONE


def _failed(error: Exception, tokens: list[str], code: int) -> int:
    """Say what went wrong; with `--json` stdout still gets exactly one document."""
    say(str(error))
    if "--json" in tokens:
        emit(error_document(error))
    return code
