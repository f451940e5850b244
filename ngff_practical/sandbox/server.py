"""The sandbox's process: moto's S3 behind our front."""

from __future__ import annotations

import json
import os
import secrets
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING

from moto.moto_server.werkzeug_app import create_backend_app
from werkzeug.test import Client

from ngff_practical.sandbox import seeding, state
from ngff_practical.sandbox.front import Front
from ngff_practical.sandbox.gate import SHARED, Gate
from ngff_practical.sandbox.http_server import HOST, listen

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_OWNER_LOOK_S = 0.5


def main(setting_text: str) -> int:
    """Serve until told to stop; the setting is JSON with `instance`, `seed` and `owner_pid`."""
    setting = json.loads(setting_text)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # meant for the program in the terminal, not for its server
    with state.locked(state.ALIVE, wait_s=5) as mine:
        if not mine:
            print("another sandbox is running with this state folder", file=sys.stderr)
            return 1
        server = listen(HOST, _not_yet)
        access, secret = state.new_keys()
        left = state.State(
            instance=setting["instance"],
            pid=os.getpid(),
            endpoint=f"http://{HOST}:{server.port}",
            started=time.time(),
            access_key_id=access,
            secret_access_key=secret,
            token=secrets.token_hex(16),
        )
        seeding.fill(setting["seed"])
        stopping = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: stopping.set())
        gate = Gate({left.access_key_id: left.secret_access_key}, seeding.bucket_exists)
        s3 = create_backend_app("s3")
        s3.debug = False  # a request that moto fails on is answered 500, not with a broken connection
        server.app = front = Front(s3, left, gate, stopping.set, seeding.replace_object)
        Client(front.pass_on).get(f"/{SHARED}?list-type=2")  # moto's first answer takes it 150 ms
        threading.Thread(target=server.serve_forever, name="sandbox", daemon=True).start()
        state.write(left)
        try:
            _wait(stopping, setting["owner_pid"])
        finally:
            state.clear(left.instance)
    return 0


def _not_yet(_: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    start_response("503 Service Unavailable", [("Content-Length", "0")])
    return []


def _wait(stopping: threading.Event, owner_pid: int | None) -> None:
    while not stopping.wait(_OWNER_LOOK_S if owner_pid else 3600):
        if owner_pid and not state.process_alive(owner_pid):
            return
