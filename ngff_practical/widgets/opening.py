"""Which of several wells, or fields of a well, is shown where nobody has chosen: the first that opens."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ngff_practical.errors import MetadataError, NgffPracticalError

_TRIED = 4  # each may take several requests


def first_that_opens[Opened](
    names: Sequence[str], opened: Callable[[str], Opened]
) -> tuple[str, Opened, str]:
    """Return the first name that opens, what it is, and why the one before all does not ("" where it does).

    Raises
    ------
    NgffPracticalError
        None of the first few opens; the error is that of the first.
    """
    wrong: NgffPracticalError | None = None
    for name in names[:_TRIED]:
        try:
            return name, opened(name), f"{names[0]} is passed over: {wrong}" if wrong else ""
        except NgffPracticalError as error:
            wrong = wrong or error
    raise wrong or MetadataError("there is no image to be shown")
