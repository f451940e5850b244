"""How to say to `find_stack` what files leave open: in Python first, then for the command line."""

from __future__ import annotations

from collections.abc import Sequence

from ngff_practical.stack.faults import clean

_LONGEST = 300
_SPECIAL = frozenset('"$`\\')  # within double quotes; Windows' cmd knows no others


def typed(
    *,
    image: int | None = None,
    axes: str | None = None,
    pattern: str | None = None,
    voxel_size: Sequence[str] | None = None,
    unit: str | None = None,
) -> str:
    """Return what to type, both ways: `axes="zyx" (--axes zyx)`; a voxel size is shown by its axes."""
    python: list[str] = []
    shell: list[str] = []
    if image is not None:
        python.append(f"image={image}")
        shell.append(f"--image {image}")
    if axes is not None:
        python.append(f'axes="{axes}"')
        shell.append(f"--axes {axes}")
    if pattern is not None:
        text = clean(pattern, _LONGEST)
        python.append(f"pattern={text!r}")
        quoted = repr(text) if set(text) & _SPECIAL else f'"{text}"'
        shell.append(f"--pattern {quoted}")
    if voxel_size is not None:
        python.append(f"voxel_size=({', '.join(voxel_size)}{',' if len(voxel_size) == 1 else ''})")
        shell.append(f"--voxel-size {','.join(voxel_size)}")
    if unit is not None:
        python.append(f'unit="{unit}"')
        shell.append(f"--unit {unit}")
    return f"{', '.join(python)} ({' '.join(shell)})"


def option(name: str) -> str:
    """Return the name of an option, both ways: `voxel_size` (`--voxel-size`)."""
    return f"{name} (--{name.replace('_', '-')})"
