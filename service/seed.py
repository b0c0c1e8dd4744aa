"""Sample images for a running service, sent over HTTP as any client would send them."""

from __future__ import annotations

import http.client
import json
import secrets
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fft_tool.errors import FftToolError, UsageError
from fft_tool.printable import printable

ANSWERING = 60.0  # seconds until the service has to have answered a request
WAITING = 120.0  # seconds until a job has to have ended, after the one before
LOOKING = 0.2  # seconds between two questions for a job


class NotSeeded(FftToolError):
    """The service does not answer, or does not take an image."""

    code = "not-seeded"


@dataclass(frozen=True, slots=True)
class Seeded:
    """A sample image in the service: its state is ``done`` or ``failed``, with the reason."""

    name: str
    asset_id: int
    state: str
    renditions: int
    artifacts: int
    reason: str = ""

    def __str__(self) -> str:
        made = f"{self.renditions} renditions, {self.artifacts} artifacts"
        outcome = made if self.state == "done" else printable(self.reason)
        return f"{printable(self.name)}\tasset {self.asset_id}\t{self.state}\t{outcome}"


def seed(url: str, images: list[Path], tenant: str, key: str | None) -> Iterator[Seeded]:
    """Upload images for a tenant, then yield each as soon as its job has ended, in their order.

    Images that the service has already are not made again. Raises :class:`NotSeeded`.
    """
    client = _Client(url, key)
    asset_ids = [
        client.upload("/upload/", path, {"tenant_name": tenant})["asset_id"] for path in images
    ]
    for path, asset_id in zip(images, asset_ids, strict=True):
        yield _ended(client, path.name, asset_id)


def _ended(client: _Client, name: str, asset_id: int) -> Seeded:
    end = time.monotonic() + WAITING
    while True:
        asset = client.get(f"/retrieve/asset/{asset_id}")
        if asset["status"] in ("done", "failed"):
            error = asset["job"].get("error") or {}
            return Seeded(
                name,
                asset_id,
                asset["status"],
                len(asset["renditions"]),
                len(asset["artifacts"]),
                f"{error.get('code', '')}: {error.get('message', '')}",
            )
        if time.monotonic() > end:
            raise NotSeeded(
                f"{name}: its job is still {asset['status']} after {WAITING:g} seconds: "
                "is a worker running? `fft-service worker` starts one"
            )
        time.sleep(LOOKING)


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirects: they would take the key to another host."""

    def redirect_request(self, *_: object) -> None:
        """Take the redirect as the answer."""


class _Client:
    """Requests to a service whose answers are JSON."""

    def __init__(self, url: str, key: str | None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise UsageError(f"{url!r}: should be the address of a service: http://127.0.0.1:10000")
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._opener = urllib.request.build_opener(_Stay)

    def get(self, path: str) -> dict[str, Any]:
        """Ask for something."""
        return self._answer(path, None, {})

    def upload(self, path: str, file: Path, fields: dict[str, str]) -> dict[str, Any]:
        """Send a file in a form."""
        boundary = secrets.token_hex(16)
        name = file.name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
        parts = [(f'name="{field}"', text.encode()) for field, text in fields.items()]
        parts.append((f'name="file"; filename="{name}"', file.read_bytes()))
        body = b"".join(
            f"--{boundary}\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode()
            + data
            + b"\r\n"
            for head, data in parts
        )
        form = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        return self._answer(path, body + f"--{boundary}--\r\n".encode(), form)

    def _answer(self, path: str, body: bytes | None, headers: dict[str, str]) -> dict[str, Any]:
        request = urllib.request.Request(  # noqa: S310  (the scheme was checked)
            self._url + path, body, {**self._headers, **headers}
        )
        try:
            with self._opener.open(request, timeout=ANSWERING) as response:
                answer = json.load(response)
        except urllib.error.HTTPError as exc:
            with exc:
                raise NotSeeded(f"{self._url}{path}: {_refusal(exc)}") from exc
        except (OSError, http.client.HTTPException) as exc:
            reason = getattr(exc, "reason", exc)
            raise NotSeeded(
                f"{self._url}: no service answers there ({reason}): "
                "start it with `make serve` or `fft-service serve`, or check the address"
            ) from exc
        except ValueError as exc:
            raise NotSeeded(f"{self._url}{path}: {_FOREIGN}") from exc
        if not isinstance(answer, dict):
            raise NotSeeded(f"{self._url}{path}: {_FOREIGN}")
        return answer


_FOREIGN = "the answer is not that of this service: is it another one that answers there?"


def _refusal(error: urllib.error.HTTPError) -> str:
    """Why the service refused a request, by its problem."""
    try:
        told = json.load(error)
        reason = f"{told['detail']} ({told['code']})"
    except (ValueError, KeyError, TypeError, OSError):
        return f"{error.code} {error.reason}: {_FOREIGN}"
    remedy = ": give a key that allows it with --key" if error.code in (401, 403) else ""
    return f"{error.code} {error.reason}: {reason}{remedy}"
