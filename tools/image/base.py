"""Pin images of others: look up the current digests of their tags, and write them to our files.

    python3 -m tools.image.base             update docker/Dockerfile and docker/compose.yaml
    python3 -m tools.image.base NAME:TAG    print NAME:TAG@sha256:…, for BASE=

The registry is asked without credentials. Proxies and certificates are taken from the environment
(HTTPS_PROXY, SSL_CERT_FILE).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

from tools.errors import ToolError
from tools.image.builders import ROOT

FILES = (ROOT / "docker" / "Dockerfile", ROOT / "docker" / "compose.yaml")
DIGEST = "@sha256:[0-9a-f]{64}"

# Images without a digest in a compose file are our own.
PINNED = re.compile(
    rf"^(?:ARG BASE=(?P<base>[^\s@]+)(?:{DIGEST})?| +image: (?P<image>[^\s@]+){DIGEST})$",
    re.MULTILINE,
)

# The architectures that the function can run on: one digest must cover both.
ARCHITECTURES = {"amd64", "arm64"}

MANIFESTS = (
    "application/vnd.oci.image.index.v1+json,"
    "application/vnd.docker.distribution.manifest.list.v2+json,"
    "application/vnd.oci.image.manifest.v1+json,"
    "application/vnd.docker.distribution.manifest.v2+json"
)
LARGEST = 4 << 20  # bytes: the largest manifest that registries accept
SECONDS = 30


@dataclass(frozen=True)
class Tag:
    """A tag in a registry, with its name resolved as builders do."""

    host: str
    repository: str
    tag: str

    @classmethod
    def parse(cls, text: str) -> Tag:
        """Parse ``docker.io/library/python:3.13``; missing parts take Docker's defaults."""
        found = re.fullmatch(r"(?:([^/@]+)/)?([a-z0-9._/-]+)(?::([\w.-]+))?", text)
        if not found:
            raise ToolError(f"{text}: should be REGISTRY/REPOSITORY:TAG, without a digest")
        host, repository, tag = found.groups()
        if host and not re.search(r"[.:]|^localhost$", host):  # a folder of Docker Hub
            host, repository = None, f"{host}/{repository}"
        if host in (None, "docker.io"):
            repository = repository if "/" in repository else f"library/{repository}"
            host = "registry-1.docker.io"
        return cls(host, repository, tag or "latest")

    @property
    def url(self) -> str:
        """URL of its manifest; plain HTTP is used only for a registry on this machine."""
        local = re.fullmatch(r"(127\.0\.0\.1|localhost)(:\d+)?", self.host)
        scheme = "http" if local else "https"
        return f"{scheme}://{self.host}/v2/{self.repository}/manifests/{self.tag}"


def resolve(name: str) -> str:
    """Current digest of a tag."""
    tag = Tag.parse(name)
    try:
        body, stated = _manifest(tag.url)
    except (OSError, HTTPException) as exc:
        raise ToolError(f"{tag.host} does not return a manifest of {name}: {exc}") from exc
    digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
    if stated not in ("", digest):
        raise ToolError(f"{tag.host} states {stated} for {name}, but sends {digest}")
    _check_architectures(name, body)
    return digest


def _manifest(url: str) -> tuple[bytes, str]:
    """Fetch a manifest and the digest that the registry states for it."""
    headers = {"Accept": MANIFESTS}
    try:
        return _get(url, headers)
    except urllib.error.HTTPError as exc:
        challenge = exc.headers.get("WWW-Authenticate", "")
        if exc.code != 401 or not challenge.startswith("Bearer "):
            raise
    return _get(url, {**headers, "Authorization": f"Bearer {_token(challenge)}"})


def _token(challenge: str) -> str:
    """Get an anonymous token of a public registry."""
    fields = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
    realm = fields.pop("realm", "")
    if not realm.startswith(("https://", "http://127.0.0.1:", "http://localhost:")):
        raise ToolError(
            f"the registry asks for a token of {realm!r}, which is neither HTTPS nor this machine"
        )
    body, _ = _get(f"{realm}?{urllib.parse.urlencode(fields)}", {})
    answer = json.loads(body)
    return str(answer.get("token") or answer.get("access_token"))


def _get(url: str, headers: dict[str, str]) -> tuple[bytes, str]:
    request = urllib.request.Request(url, headers=headers)  # noqa: S310  (Tag.url, or _token's check)
    with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310  (the same)
        body: bytes = answer.read(LARGEST + 1)
        if len(body) > LARGEST:
            raise ToolError(f"{url} sends more than {LARGEST} bytes")
        return body, answer.headers.get("Docker-Content-Digest", "")


def _check_architectures(name: str, body: bytes) -> None:
    try:
        entries = json.loads(body).get("manifests", [])
        there = {entry["platform"]["architecture"] for entry in entries if "platform" in entry}
    except (AttributeError, KeyError, TypeError, ValueError) as exc:
        raise ToolError(f"the registry's response for {name} is not a manifest") from exc
    missing = ARCHITECTURES - there
    if missing:
        raise ToolError(f"{name} does not exist for {' and '.join(sorted(missing))}")


def renew(path: Path) -> str:
    """Write current digests into a Dockerfile or compose file; returns what has changed."""
    text = path.read_text("utf-8")
    found = list(PINNED.finditer(text))
    if not found:
        raise ToolError(f"{path.name} has no line ARG BASE=NAME:TAG or image: NAME:TAG@sha256:…")
    messages = []
    for match in found:
        name = match["base"] or match["image"]
        before = match[0][match[0].index(name) :]
        pinned = f"{name}@{resolve(name)}"
        text = text.replace(match[0], match[0].replace(before, pinned))
        messages.append(
            f"{name} is up to date" if before == pinned else f"{before} is now {pinned}"
        )
    path.write_text(text, "utf-8")
    return "\n".join(messages)


def main() -> None:
    """Update the digests, or print one."""
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").strip(), formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", nargs="?", metavar="NAME:TAG", help="print the digest of this tag")
    parser.add_argument("--file", type=Path, action="append", help="a file to update instead")
    options = parser.parse_args()
    try:
        name = options.name
        if name:
            print(f"{name}@{resolve(name)}")
        for path in () if name else options.file or FILES:
            print(renew(path))
    except ToolError as exc:
        sys.exit(f"base.py: {exc}")


if __name__ == "__main__":
    main()
