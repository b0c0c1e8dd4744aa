"""Check that the endpoint configured in place of AWS can be connected to.

S3 clients retry a failed connection for many seconds, as a server may be restarting. An endpoint
that is mistyped or was never started should be reported at once.
"""

from __future__ import annotations

import os
import socket
import threading
from urllib.parse import SplitResult, urlsplit

from fft_tool.errors import NotAllowed, StoreUnavailable

SECONDS = 4.0  # time limit for connecting

_VARIABLES = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT")
_PORTS = {"http": 80, "https": 443}


def check_endpoint(seconds: float = SECONDS) -> None:
    """Raise an error if ``AWS_ENDPOINT_URL`` cannot be connected to within ``seconds``.

    AWS itself and endpoints behind a proxy are not checked.
    """
    variable = _variable()
    if variable is None:
        return
    url = os.environ[variable]
    address = _parsed(variable, url)
    if _is_behind_proxy(address):
        return
    reason = _fault(address, seconds)
    if reason:
        raise StoreUnavailable(f"{url}: {reason}: is {variable} right, and is the server running?")


def endpoint() -> str | None:
    """URL that is used in place of AWS, if one is configured."""
    variable = _variable()
    return variable and os.environ[variable]


def _variable() -> str | None:
    return next((name for name in _VARIABLES if os.environ.get(name)), None)


def _parsed(variable: str, url: str) -> SplitResult:
    try:
        address = urlsplit(url)
        if address.scheme in _PORTS and address.hostname and address.port != 0:
            return address
    except ValueError:  # brackets without an address, or a port that is not a number
        pass
    raise NotAllowed(f"{variable}={url!r}: should be like http://127.0.0.1:9000")


def _is_behind_proxy(address: SplitResult) -> bool:
    if not any(name.upper().endswith("_PROXY") for name in os.environ):
        return False
    from urllib.request import getproxies, proxy_bypass  # noqa: PLC0415  (costs 30 ms)

    return address.scheme in getproxies() and not proxy_bypass(address.hostname or "")


def _fault(address: SplitResult, seconds: float) -> str | None:
    """Reason why connecting fails; None if it succeeds."""
    found: list[str | None] = []

    def connect() -> None:
        place = address.hostname, address.port or _PORTS[address.scheme]
        try:
            socket.create_connection(place, timeout=seconds).close()
            found.append(None)
        except OSError as exc:
            found.append((exc.strerror or str(exc) or "no answer").lower())

    # In a thread, as resolving the host name has no time limit of its own.
    attempt = threading.Thread(target=connect, daemon=True)
    attempt.start()
    attempt.join(seconds)
    return found[0] if found else f"no answer within {seconds:g} s"
