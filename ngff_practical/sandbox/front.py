"""What stands in front of S3 in the sandbox's process: log, latency, gate, CORS and the control path."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, astuple, replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from ngff_practical.meter import request_key
from ngff_practical.model import Request
from ngff_practical.sandbox.faults import REFUSALS, Fault, Script, altered, flip
from ngff_practical.sandbox.gate import Gate, refuse_body
from ngff_practical.sandbox.handle import CONTROL, TOKEN_HEADER
from ngff_practical.sandbox.log import Log
from ngff_practical.sandbox.network import Network
from ngff_practical.sandbox.state import State, new_keys
from ngff_practical.sandbox.wire import (
    Answer,
    App,
    Arrived,
    Headers,
    ResetError,
    arrived,
    error,
    put_body,
    take_body,
    take_half,
)

if TYPE_CHECKING:
    from types import TracebackType

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

type Begin = Callable[[str, Headers], Callable[[bytes], object]]

_PREFLIGHT_S = 600
_CHECKSUMS = ("SHA256", "SHA1", "CRC32")
_EXPOSED = "Content-Range, Content-Length, Accept-Ranges, ETag, Last-Modified, x-amz-request-id"
_OURS = ("access-control-allow-origin", "access-control-expose-headers")
# moto asks for a signature of its own before it gives a private object; the gate has decided already.
_ADMITTED = "AWS4-HMAC-SHA256 Credential=admitted/20000101/us-east-1/s3/aws4_request"


class Front:
    """A WSGI application around another one that speaks S3."""

    def __init__(
        self,
        app: App,
        state: State,
        gate: Gate,
        stop: Callable[[], None],
        replace_object: Callable[[str, str], None],
    ) -> None:
        self.log = Log()
        self.network = Network()
        self.faults = Script()
        self._app = app
        self._state = state
        self._gate = gate
        self._stop = stop
        self.replace = replace_object

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        if str(environ["PATH_INFO"]).startswith(CONTROL):
            answer = self._control(environ)
            start_response(answer.status, answer.headers)
            return [answer.body]
        return _Exchange(self, environ).run(start_response)

    def answer(self, request: Arrived, body: bytes) -> Answer | None:
        """Return the answer that needs no S3: a preflight, a refusal. None lets the request pass."""
        if request.method == "OPTIONS":
            return self._preflight(request)
        refusal = self._gate.refuse(request, body) or refuse_body(request, body)
        return None if refusal is None else error(refusal, request)

    def pass_on(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Let S3 answer a request that the gate has admitted."""
        environ["HTTP_AUTHORIZATION"] = _ADMITTED
        for name in _CHECKSUMS:  # S3 keeps any of them; moto wants to be told which
            if f"HTTP_X_AMZ_CHECKSUM_{name}" in environ:
                environ.setdefault("HTTP_X_AMZ_SDK_CHECKSUM_ALGORITHM", name)
        return self._app(environ, start_response)

    def with_cors(self, headers: Headers) -> Headers:
        """Return an answer's headers with those by which a browser lets any page read it."""
        kept = [(name, value) for name, value in headers if name.lower() not in _OURS]
        if self.network.setting.cors:
            kept += [("Access-Control-Allow-Origin", "*"), ("Access-Control-Expose-Headers", _EXPOSED)]
        return kept

    def _preflight(self, request: Arrived) -> Answer:
        headers = [("Content-Length", "0")]
        if self.network.setting.cors:
            headers += [
                ("Access-Control-Allow-Methods", "GET, HEAD, PUT, POST, DELETE"),
                ("Access-Control-Allow-Headers", request.headers.get("access-control-request-headers", "*")),
                ("Access-Control-Allow-Private-Network", "true"),
                ("Access-Control-Max-Age", str(_PREFLIGHT_S)),
            ]
        return Answer("200 OK", headers)

    def _control(self, environ: WSGIEnvironment) -> Answer:
        body = take_body(environ)
        what = environ["REQUEST_METHOD"], str(environ["PATH_INFO"]).removeprefix(CONTROL)
        if what == ("GET", "health"):
            return _json({"instance": self._state.instance})
        given = str(environ.get("HTTP_" + TOKEN_HEADER.upper().replace("-", "_"), ""))
        if not secrets.compare_digest(given.encode(), self._state.token.encode()):
            return _json({"error": "the token is in the state file"}, "403 Forbidden")
        match what:
            case "GET", "requests":
                return self._requests(str(environ.get("QUERY_STRING", "")))
            case "GET", "network":
                return _json(asdict(self.network.setting))
            case "PUT", "network":
                self.network.setting = replace(self.network.setting, **json.loads(body))
                return _json(asdict(self.network.setting))
            case "GET", "faults":
                return _json({"faults": [asdict(fault) for fault in self.faults.left()]})
            case "PUT", "faults":
                self.faults.set(Fault(**fault) for fault in json.loads(body)["faults"])
                return _json({})
            case "PUT", "learner":
                name = str(json.loads(body)["name"])
                access, secret = self._gate.admit(name, *new_keys())
                return _json({"access_key_id": access, "secret_access_key": secret})
            case "PUT", "stop":
                self._stop()
                return _json({"stopping": True})
            case _:
                return _json({"error": "unknown"}, "404 Not Found")

    def _requests(self, query: str) -> Answer:
        since = int(parse_qs(query).get("since", ["0"])[0])
        self.log.settle()
        records = self.log.requests(since) if since >= 0 else ()
        return _json({"count": self.log.request_count(), "requests": [astuple(record) for record in records]})


class _Exchange:
    """One S3 request and its answer, from the first byte in to the last byte out."""

    def __init__(self, front: Front, environ: WSGIEnvironment) -> None:
        self._front = front
        self._environ = environ
        self._request = arrived(environ)
        self._at, self._started = time.time(), time.perf_counter()
        self._status = 0
        self._received = self._sent = 0

    def run(self, start_response: StartResponse) -> Iterable[bytes]:
        front, request = self._front, self._request

        def begin(
            status: str,
            headers: Headers,
            failure: tuple[type[BaseException], BaseException, TracebackType]
            | tuple[None, None, None]
            | None = None,
        ) -> Callable[[bytes], object]:
            self._status = int(status[:3])
            return start_response(status, front.with_cors(headers), failure)

        if not front.network.setting.online:
            raise ResetError  # and nothing in the log: no request arrives
        fault = front.faults.take(request)
        try:
            front.network.delay()
            self._break_off(fault)
            body = take_body(self._environ)
            if fault is not None and fault.kind == "flipped" and request.method == "PUT":
                body = flip(body)
                put_body(self._environ, body)
            self._received = len(body)
            front.network.carry(len(body))
            answer = front.answer(request, body)
            if answer is None and fault is not None:
                if fault.kind in REFUSALS:
                    answer = error(REFUSALS[fault.kind], request)
                else:
                    return _Body(self, self._faulty(fault, body, begin))
            if answer is not None:
                begin(answer.status, answer.headers)
                return _Body(self, [answer.body])
            return _Body(self, front.pass_on(self._environ, begin))
        except BaseException:
            self.end()
            raise

    def _break_off(self, fault: Fault | None) -> None:
        """Raise ResetError where a fault wants it before the request is read to its end."""
        if fault is None or fault.kind not in ("reset", "reset-in-body"):
            return
        if fault.kind == "reset-in-body":
            if self._request.method != "PUT":
                return
            take_half(self._environ)
        raise ResetError

    def _faulty(self, fault: Fault, body: bytes, begin: Begin) -> Iterable[bytes]:
        """Let S3 answer, and return what comes out of it with the fault."""
        if fault.kind == "stored-wrong":
            put_body(self._environ, flip(body))
        if fault.kind == "replaced":
            self._front.replace(self._request.bucket, self._request.key)
        found: list[tuple[str, Headers]] = []

        def note(status: str, headers: Headers, _failure: object = None) -> Callable[[bytes], object]:
            found[:] = [(status, headers)]
            return lambda _: None

        pieces = self._front.pass_on(self._environ, note)
        whole = b"".join(pieces)
        close = getattr(pieces, "close", None)
        if close is not None:
            close()
        if fault.kind == "lost-answer":
            raise ResetError
        status, headers = found[0]
        outgoing: Iterable[bytes] = [whole]
        if self._request.method == "GET" and status.startswith("2"):
            headers, outgoing = altered(fault, headers, whole)
        begin(status, headers)
        return outgoing

    def pieces(self, body: Iterable[bytes]) -> Iterator[bytes]:
        last = b""
        for piece in self._front.network.paced(body):
            if last:
                yield last
            self._sent += len(piece)
            last = piece
        self._front.log.finishing(self)
        yield last

    def end(self) -> None:
        request = self._request
        nbytes = {"GET": self._sent, "HEAD": 0}.get(request.method, self._received)
        if self._status >= 400:
            nbytes = 0  # an error's text is not data
        self._front.log.record(
            Request(
                method=request.method,
                key=request_key(request.signed.target),
                range=request.headers.get("range"),
                status=self._status,
                nbytes=nbytes,
                ms=round((time.perf_counter() - self._started) * 1000, 3),
                client=request.client,
                at=self._at,
            )
        )
        self._front.log.finished(self)


class _Body:
    """A body on its way out; closing it ends the exchange, however far it came."""

    def __init__(self, exchange: _Exchange, body: Iterable[bytes]) -> None:
        self._exchange = exchange
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        return self._exchange.pieces(self._body)

    def close(self) -> None:
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        finally:
            self._exchange.end()


def _json(value: object, status: str = "200 OK") -> Answer:
    body = json.dumps(value).encode()
    return Answer(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))], body)
