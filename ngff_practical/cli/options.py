"""Options that several commands share, and the exit codes."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

DONE, PROBLEMS, WRONG = 0, 1, 2

type Endpoint = Annotated[str | None, Parameter(help="Address of the S3 server; else AWS_ENDPOINT_URL.")]
type Anonymous = Annotated[bool, Parameter(negative="", help="Send unsigned requests, without keys.")]
type AsJson = Annotated[bool, Parameter(name="--json", negative="", help="Print one JSON document.")]
type Overwrite = Annotated[bool, Parameter(negative="", help="Replace what is already there.")]
type DryRun = Annotated[bool, Parameter(negative="", help="Print what would be done, and do nothing.")]
