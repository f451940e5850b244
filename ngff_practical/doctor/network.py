"""The servers the samples come from: DNS, proxy, TLS and captive portals told apart, within seconds."""

from __future__ import annotations

import queue
import socket
import ssl
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from http.client import HTTPException
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

from ngff_practical.doctor.checks import Check
from ngff_practical.samples.catalogue import BUCKET, HOSTS
from ngff_practical.sharing.stranger import NoRedirect

_STAND_INS = "lessons use the synthetic stand-ins meanwhile"


def check_hosts(hosts: Sequence[str] = HOSTS, *, timeout_s: float = 3.0) -> Iterator[Check]:
    """Yield whether each server of the samples answers; all are asked at once and given `timeout_s` together.

    None is needed: the sandbox holds stand-ins.
    """
    answers: queue.SimpleQueue[tuple[str, Check]] = queue.SimpleQueue()

    def ask(host: str) -> None:
        answers.put((host, _look(host, timeout_s)))

    for host in hosts:
        threading.Thread(target=ask, args=(host,), daemon=True).start()
    until = time.monotonic() + timeout_s
    known: dict[str, Check] = {}
    while len(known) < len(hosts):
        try:
            host, check = answers.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            break
        known[host] = check
    for host in hosts:
        yield known.get(host) or _trouble(
            host,
            f"no answer within {timeout_s:g} s",
            "check the network, or whether a firewall is in between",
        )


def _look(host: str, timeout_s: float) -> Check:
    # the bucket's listing, of one key: every S3 server answers it in XML, allowed or not
    url = f"{host}/{BUCKET}/?list-type=2&max-keys=1"
    try:
        # a redirect is not followed: it tells the login page of a network
        with urllib.request.build_opener(NoRedirect()).open(url, timeout=timeout_s) as answer:
            status, kind, length = answer.status, answer.headers.get_content_type(), len(answer.read(100_000))
    except HTTPError as error:
        with error:
            status, kind, length = error.code, error.headers.get_content_type(), 0
    except URLError as error:
        return _explain(host, error.reason)
    except (OSError, HTTPException) as error:
        return _explain(host, error)
    if 300 <= status < 400 or status == 511 or kind == "text/html":
        return _trouble(
            host,
            f"something in between answers with a web page ({status})",
            "log in to this network first: open any page in a browser",
        )
    if status == 407:
        return _explain(host, "407")
    return Check(_name(host), True, f"answers ({status}, {length} bytes)", needed=False)


def _explain(host: str, reason: object) -> Check:
    text = str(reason)
    if isinstance(reason, socket.gaierror):
        return _trouble(host, "its name is not known here", "check the network and its DNS")
    if isinstance(reason, ssl.SSLCertVerificationError):
        return _trouble(
            host,
            "its TLS certificate is not trusted here",
            "a proxy of this network may replace it: ask for its certificate, and name it in SSL_CERT_FILE; "
            "check this computer's date; and on a Mac run `Install Certificates.command`, which lies in the "
            "folder of a Python from python.org",
        )
    if "Tunnel connection failed" in text or "407" in text or _proxy(host):
        return _trouble(
            host,
            f"the proxy {_proxy(host) or 'of this network'} does not let requests through",
            "check HTTPS_PROXY, or put the host into NO_PROXY",
        )
    if isinstance(reason, ssl.SSLError):
        return _trouble(
            host, "what answers does not speak TLS", "a firewall may be in between; try another network"
        )
    if isinstance(reason, TimeoutError) or "timed out" in text:
        return _trouble(
            host, "it did not answer in time", "check the network, or whether a firewall is in between"
        )
    return _trouble(host, "the connection failed", "check the network, or whether a firewall is in between")


def _proxy(host: str) -> str:
    parts = urlsplit(host)
    if urllib.request.proxy_bypass(parts.hostname or ""):
        return ""
    return urlsplit(urllib.request.getproxies().get(parts.scheme, "")).hostname or ""


def _trouble(host: str, found: str, fix: str) -> Check:
    return Check(_name(host), False, found, f"{fix}; {_STAND_INS}", needed=False)


def _name(host: str) -> str:
    return urlsplit(host).netloc
