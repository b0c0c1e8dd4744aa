"""Whether anybody answers at the endpoint that stands in for AWS.

Clients ask again for as long as there is patience, since a server may be restarting. Whoever has
mistyped its address, or not started it, should be told at once.
"""

from __future__ import annotations

import os
import socket
import threading
from urllib.parse import SplitResult, urlsplit

from fft_tool.errors import NotAllowed, StoreUnavailable

SECONDS = 4.0  # that a connection may take

_VARIABLES = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT")
_PORTS = {"http": 80, "https": 443}


def check_endpoint(seconds: float = SECONDS) -> None:
    """Refuse an ``AWS_ENDPOINT_URL`` that cannot be connected to within so many seconds.

    AWS itself, and an endpoint behind a proxy, are not tried.
    """
    variable = next((name for name in _VARIABLES if os.environ.get(name)), None)
    if variable is None:
        return
    url = os.environ[variable]
    address = _parsed(variable, url)
    if _is_behind_proxy(address):
        return
    reason = _fault(address, seconds)
    if reason:
        raise StoreUnavailable(f"{url}: {reason}: is {variable} right, and is the server running?")


def _parsed(variable: str, url: str) -> SplitResult:
    address = urlsplit(url)
    try:
        sound = address.scheme in _PORTS and address.hostname and (address.port or 1)
    except ValueError:  # the port
        sound = False
    if not sound:
        raise NotAllowed(f"{variable}={url!r}: should be like http://127.0.0.1:9000")
    return address


def _is_behind_proxy(address: SplitResult) -> bool:
    if not any(name.upper().endswith("_PROXY") for name in os.environ):
        return False
    from urllib.request import getproxies, proxy_bypass  # noqa: PLC0415  (costs 30 ms)

    return address.scheme in getproxies() and not proxy_bypass(address.hostname or "")


def _fault(address: SplitResult, seconds: float) -> str | None:
    """Why there is no connection; None if there is one."""
    found: list[str | None] = []

    def connect() -> None:
        place = address.hostname, address.port or _PORTS[address.scheme]
        try:
            socket.create_connection(place, timeout=seconds).close()
            found.append(None)
        except OSError as exc:
            found.append((exc.strerror or str(exc) or "no answer").lower())

    # In a thread, since looking up the name has no time limit of its own.
    attempt = threading.Thread(target=connect, daemon=True)
    attempt.start()
    attempt.join(seconds)
    return found[0] if found else f"no answer within {seconds:g} s"
