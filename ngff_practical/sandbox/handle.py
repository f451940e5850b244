"""A running sandbox as its users see it: where it is, its keys, its log and its network."""

from __future__ import annotations

import http.client
import json
import os
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from ngff_practical.errors import SandboxError
from ngff_practical.model import Location, Request
from ngff_practical.sandbox.faults import Fault
from ngff_practical.sandbox.state import State

CONTROL = "/_sandbox/"  # no bucket can have this name
TOKEN_HEADER = "X-Sandbox-Token"  # noqa: S105  the header's name, not a token
_REGION = "us-east-1"
_ASK_S = 5.0


_LEARNER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


@dataclass(frozen=True, slots=True)
class Learner:
    """Somebody with keys of their own: they write below practical/<name>/, and read everything public."""

    name: str
    location: Location
    _keys: tuple[str, str] = field(repr=False)

    @property
    def environment(self) -> dict[str, str]:
        """The AWS_* variables with which every S3 library acts as this learner."""
        return _environment(self.location.endpoint, *self._keys)

    def use(self) -> None:
        """Put the learner's variables into os.environ, as `Sandbox.use` does."""
        _use(self.environment)


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A sandbox that was running when this was made; what it stores is gone when it stops."""

    endpoint: str
    pid: int
    _state: State = field(repr=False)

    @property
    def environment(self) -> dict[str, str]:
        """The AWS_* variables with which every S3 library finds the sandbox and may write to it."""
        return _environment(self.endpoint, self._state.access_key_id, self._state.secret_access_key)

    def use(self) -> None:
        """Put the sandbox's variables into os.environ, and take out those that would win over them.

        A proxy that the environment names is told to leave this computer's own addresses alone.
        """
        _use(self.environment)

    def learner(self, name: str) -> Learner:
        """Return a learner with keys of their own; the same name gives the same keys.

        Raises
        ------
        SandboxError
            The name cannot be a prefix.
        """
        if not _LEARNER.fullmatch(name):
            raise SandboxError(
                f"{name!r} cannot be a prefix; take letters, digits, dots, dashes and underscores"
            )
        answer = self._ask("PUT", "learner", {"name": name})
        keys = str(answer["access_key_id"]), str(answer["secret_access_key"])
        return Learner(name, self.location("practical", name), keys)

    def location(self, bucket: str, key: str = "", *, anonymous: bool = False) -> Location:
        """Return a place in the sandbox."""
        return Location(self.endpoint, bucket, key, anonymous)

    def request_count(self) -> int:
        """Return how many S3 requests the sandbox has answered since it started."""
        count = self._ask("GET", "requests?since=-1")["count"]
        if not isinstance(count, int):
            raise self._strange("requests")
        return count

    def requests(self, since: int = 0) -> tuple[Request, ...]:
        """Return the S3 requests from number `since` on, oldest first, whoever made them.

        Waits a moment for requests still under way. The last 100,000 are kept.
        """
        rows = self._ask("GET", f"requests?since={max(0, since)}")["requests"]
        if not isinstance(rows, list):
            raise self._strange("requests")
        return tuple(Request(*row) for row in rows)

    def set_network(
        self,
        *,
        latency_ms: float = 0,
        kbytes_per_s: float | None = None,
        cors: bool = True,
        online: bool = True,
    ) -> None:
        """Make the sandbox as slow as a server far away.

        Parameters
        ----------
        latency_ms
            Wait this long before each answer. TCP and TLS handshakes are not emulated.
        kbytes_per_s
            Bandwidth that all transfers share; None is as fast as it goes.
        cors
            False leaves out the headers by which a web page of another origin may read answers.
        online
            False breaks every connection before anything is answered, as if the network were gone.
        """
        if not 0 <= latency_ms <= 10_000:
            raise ValueError(f"latency_ms is {latency_ms}; give 0 to 10000")
        if kbytes_per_s is not None and not kbytes_per_s > 0:
            raise ValueError(f"kbytes_per_s is {kbytes_per_s}; give a number above 0, or None for no limit")
        setting: dict[str, object] = {
            "latency_ms": latency_ms,
            "kbytes_per_s": kbytes_per_s,
            "cors": cors,
            "online": online,
        }
        self._ask("PUT", "network", setting)

    def network(self) -> dict[str, float | bool | None]:
        """Return the settings made by `set_network`."""
        answer = self._ask("GET", "network")
        return {name: value for name, value in answer.items() if isinstance(value, int | float | None)}

    def set_faults(self, faults: Iterable[Fault]) -> None:
        """Let these faults happen to the requests they match, in place of those set before; () ends all.

        ```python
        sandbox.set_faults([Fault("slow-down", "practical/ada/*", method="PUT", times=3)])
        ```
        """
        self._ask("PUT", "faults", {"faults": [asdict(fault) for fault in faults]})

    def faults(self) -> tuple[Fault, ...]:
        """Return the faults that have not been played yet, `times` being how often they still will."""
        rows = self._ask("GET", "faults")["faults"]
        if not isinstance(rows, list):
            raise self._strange("faults")
        return tuple(Fault(**row) for row in rows)

    def status(self) -> str:
        """Return in one sentence where the sandbox is and what it keeps."""
        since = datetime.fromtimestamp(self._state.started).strftime("%H:%M")
        return (
            f"S3 sandbox at {self.endpoint} (process {self.pid}, since {since}): bucket idr to read, "
            "bucket practical to read and write; it forgets everything when it stops"
        )

    def alive(self) -> bool:
        """Return True where this very sandbox still answers."""
        try:
            return self._ask("GET", "health").get("instance") == self._state.instance
        except SandboxError:
            return False

    def _ask(self, method: str, what: str, body: dict[str, object] | None = None) -> dict[str, object]:
        address = urlsplit(self.endpoint)
        connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=_ASK_S)
        try:
            connection.request(
                method,
                CONTROL + what,
                body=None if body is None else json.dumps(body),
                headers={TOKEN_HEADER: self._state.token},
            )
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException):
            raise SandboxError(
                f"the sandbox at {self.endpoint} does not answer; start it again with "
                "`ngff-practical sandbox start` (what it held is gone)"
            ) from None
        finally:
            connection.close()
        if answer.status != 200:
            raise self._strange(what)
        try:
            found = json.loads(text)
        except ValueError:
            raise self._strange(what) from None
        if not isinstance(found, dict):
            raise self._strange(what)
        return found

    def _strange(self, what: str) -> SandboxError:
        return SandboxError(
            f"what answers at {self.endpoint} is not the sandbox that was started there (asked for {what}); "
            "start it again with `ngff-practical sandbox start`"
        )


def _environment(endpoint: str, access_key_id: str, secret_access_key: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": access_key_id,
        "AWS_SECRET_ACCESS_KEY": secret_access_key,
        "AWS_REGION": _REGION,
        "AWS_DEFAULT_REGION": _REGION,
        "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required",
        "AWS_RESPONSE_CHECKSUM_VALIDATION": "when_required",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _use(environment: dict[str, str]) -> None:
    for name in ("AWS_ENDPOINT_URL_S3", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_PROFILE"):
        os.environ.pop(name, None)
    os.environ.update(environment)
    for name in ("NO_PROXY", "no_proxy"):
        exempt = [host for host in os.environ.get(name, "").split(",") if host]
        os.environ[name] = ",".join(dict.fromkeys([*exempt, "127.0.0.1", "localhost"]))


def from_state(state: State) -> Sandbox:
    """Return the sandbox that a state file describes."""
    return Sandbox(state.endpoint, state.pid, state)


def ask_to_stop(sandbox: Sandbox) -> None:
    """Ask the sandbox's process to end; returns at once."""
    sandbox._ask("PUT", "stop")
