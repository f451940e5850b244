"""What a view says of an error that nobody thought of: the traceback goes to the kernel's log."""

from __future__ import annotations


def unexpected(error: BaseException) -> str:
    """Return the sentence for the person at the keyboard."""
    return (
        f"That ended in an error nobody thought of ({type(error).__name__}: {error}). Run the cell again; "
        "if it comes back, please report it."
    )
