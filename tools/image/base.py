"""Pin the base image: ask its registry which image a tag stands for, and write down the digest.

    python3 -m tools.image.base             renew the digest in docker/Dockerfile (make update-base)
    python3 -m tools.image.base NAME:TAG    print NAME:TAG@sha256:…, for BASE=

Asks as anybody may, without credentials. Proxies and certificates are taken from the environment
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

from tools.image.builders import ROOT, Failed

DOCKERFILE = ROOT / "docker" / "Dockerfile"
PINNED = re.compile(r"^ARG BASE=(?P<name>[^\s@]+)(?:@sha256:[0-9a-f]{64})?$", re.MULTILINE)

# Both architectures that the function may have, so that one digest serves either.
ARCHITECTURES = {"amd64", "arm64"}

MANIFESTS = (
    "application/vnd.oci.image.index.v1+json,"
    "application/vnd.docker.distribution.manifest.list.v2+json,"
    "application/vnd.oci.image.manifest.v1+json,"
    "application/vnd.docker.distribution.manifest.v2+json"
)
LARGEST = 4 << 20  # bytes that a registry takes as a manifest
SECONDS = 30


@dataclass(frozen=True)
class Tag:
    """A tag in a registry, as builders understand its name."""

    host: str
    repository: str
    tag: str

    @classmethod
    def parse(cls, text: str) -> Tag:
        """Read ``docker.io/library/python:3.13``; what is left out is Docker's default."""
        found = re.fullmatch(r"(?:([^/@]+)/)?([a-z0-9._/-]+)(?::([\w.-]+))?", text)
        if not found:
            raise Failed(f"{text}: should be REGISTRY/REPOSITORY:TAG, without a digest")
        host, repository, tag = found.groups()
        if host and not re.search(r"[.:]|^localhost$", host):  # a folder of Docker Hub
            host, repository = None, f"{host}/{repository}"
        if host in (None, "docker.io"):
            repository = repository if "/" in repository else f"library/{repository}"
            host = "registry-1.docker.io"
        return cls(host, repository, tag or "latest")

    @property
    def url(self) -> str:
        """Where its manifest is; a registry on this machine speaks plain HTTP."""
        local = re.fullmatch(r"(127\.0\.0\.1|localhost)(:\d+)?", self.host)
        scheme = "http" if local else "https"
        return f"{scheme}://{self.host}/v2/{self.repository}/manifests/{self.tag}"


def resolve(name: str) -> str:
    """Find the digest of what a tag stands for now."""
    tag = Tag.parse(name)
    try:
        body, said = _manifest(tag.url)
    except (OSError, HTTPException) as exc:
        raise Failed(f"{tag.host} does not tell what {name} is: {exc}") from exc
    digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
    if said not in ("", digest):
        raise Failed(f"{tag.host} calls {name} {said}, but what it sends is {digest}")
    _check_architectures(name, body)
    return digest


def _manifest(url: str) -> tuple[bytes, str]:
    """Fetch a manifest, and the digest that the registry gives it."""
    headers = {"Accept": MANIFESTS}
    try:
        return _get(url, headers)
    except urllib.error.HTTPError as exc:
        challenge = exc.headers.get("WWW-Authenticate", "")
        if exc.code != 401 or not challenge.startswith("Bearer "):
            raise
    return _get(url, {**headers, "Authorization": f"Bearer {_token(challenge)}"})


def _token(challenge: str) -> str:
    """Get the pass that a public registry gives to anybody who asks."""
    fields = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
    realm = fields.pop("realm", "")
    if not realm.startswith(("https://", "http://127.0.0.1:", "http://localhost:")):
        raise Failed(f"the registry sends people to {realm!r} for a token")
    body, _ = _get(f"{realm}?{urllib.parse.urlencode(fields)}", {})
    answer = json.loads(body)
    return str(answer.get("token") or answer.get("access_token"))


def _get(url: str, headers: dict[str, str]) -> tuple[bytes, str]:
    request = urllib.request.Request(url, headers=headers)  # noqa: S310  (Tag.url, or _token's check)
    with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310  (the same)
        body: bytes = answer.read(LARGEST + 1)
        if len(body) > LARGEST:
            raise Failed(f"{url} sends more than {LARGEST} bytes")
        return body, answer.headers.get("Docker-Content-Digest", "")


def _check_architectures(name: str, body: bytes) -> None:
    try:
        entries = json.loads(body).get("manifests", [])
        there = {entry["platform"]["architecture"] for entry in entries if "platform" in entry}
    except (AttributeError, KeyError, TypeError, ValueError) as exc:
        raise Failed(f"what the registry sends for {name} is not a manifest") from exc
    missing = ARCHITECTURES - there
    if missing:
        raise Failed(f"{name} is not there for {' and '.join(sorted(missing))}")


def renew(dockerfile: Path) -> str:
    """Write the digest of today into a Dockerfile; tells what has changed."""
    text = dockerfile.read_text("utf-8")
    found = PINNED.search(text)
    if not found:
        raise Failed(f"{dockerfile.name} has no line ARG BASE=NAME:TAG@sha256:…")
    name = found["name"]
    line = f"ARG BASE={name}@{resolve(name)}"
    if line == found[0]:
        return f"{name} is up to date"
    dockerfile.write_text(text.replace(found[0], line), "utf-8")
    return f"{found[0].removeprefix('ARG BASE=')} is now {line.removeprefix('ARG BASE=')}"


def main() -> None:
    """Renew the digest, or print one."""
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").strip(), formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", nargs="?", metavar="NAME:TAG", help="print this one's digest")
    parser.add_argument("--dockerfile", type=Path, default=DOCKERFILE, help="what is renewed")
    options = parser.parse_args()
    try:
        name = options.name
        print(f"{name}@{resolve(name)}" if name else renew(options.dockerfile))
    except Failed as exc:
        sys.exit(f"base.py: {exc}")


if __name__ == "__main__":
    main()
