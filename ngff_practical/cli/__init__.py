"""The command line: public functions plus printing. Results go to stdout, everything else to stderr."""

from ngff_practical.cli.app import main

__all__ = ["main"]
