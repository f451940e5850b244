"""TIFF stacks: what a folder, a file or a set of files holds, and its pixels. tifffile lives only here."""

from ngff_practical.stack.calibration import UNSIZED
from ngff_practical.stack.find import find_stack
from ngff_practical.stack.reader import StackReader, read_stack

__all__ = ["UNSIZED", "StackReader", "find_stack", "read_stack"]
