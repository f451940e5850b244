"""What transfers tell while they run."""

from __future__ import annotations

from collections.abc import Callable

type Progress = Callable[[int, int], None]
