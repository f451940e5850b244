"""Requests and bytes, whoever made them: one record type, several sources, one way to watch."""

from ngff_practical.meter.naming import request_key
from ngff_practical.meter.recorder import Recorder, RequestSource, Seen, Totals, totals, watch
from ngff_practical.model.wording import bytes_text, duration_text

__all__ = [
    "Recorder",
    "RequestSource",
    "Seen",
    "Totals",
    "bytes_text",
    "duration_text",
    "request_key",
    "totals",
    "watch",
]
