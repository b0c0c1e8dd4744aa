"""The container image: its tag, which depends on its sources, and its build and push."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from fft_tool import __version__
from tools.errors import ToolError
from tools.image.build import origin
from tools.image.builders import ROOT, Build, Builder

PINNED = re.compile(r"\S+@sha256:[0-9a-f]{64}")
PLATFORMS = {"x86_64": "linux/amd64", "arm64": "linux/arm64"}


NOT_PINNED = """a base image needs a digest, since a tag can be moved to another image: \
BASE={base}@sha256:…
  `python3 -m tools.image.base {base}` prints the current digest."""


@dataclass(frozen=True, slots=True)
class Image:
    """An image, built or not; its tag depends on everything that it is built from."""

    tag: str
    platform: str
    base: str | None

    @classmethod
    def of_sources(cls, architecture: str, base: str | None, *, rebuild: bool) -> Image:
        """The image of the working tree: the same files and base give the same tag."""
        if base and not PINNED.fullmatch(base):
            raise ToolError(NOT_PINNED.format(base=base))
        parts = [__version__, architecture, _fingerprint(base)]
        if rebuild:
            parts.append(f"{datetime.now(UTC):%Y%m%dT%H%M%S}")
        return cls("-".join(parts), PLATFORMS[architecture], base)

    def build_and_push(self, builder: Builder, url: str, flags: Sequence[str]) -> None:
        """Build the image and push it to the repository at ``url``."""
        tag = f"{url}:{self.tag}"
        build = Build(
            target="lambda",
            tag=tag,
            origin=origin(),
            base=self.base,
            platform=self.platform,
            flags=flags,
        )
        builder.build(build)
        builder.push(tag)


def _fingerprint(base: str | None) -> str:
    """First twelve hexadecimal digits of a hash over everything that the image is built from."""
    total = hashlib.sha256((base or "").encode())
    for path in sorted(_sources()):
        name = path.relative_to(ROOT).as_posix()
        total.update(f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\0".encode())
    return total.hexdigest()[:12]


def _sources() -> Iterator[Path]:
    """The Dockerfile, and the files that .dockerignore does not exclude."""
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    for name in ["docker/Dockerfile", *(line[1:] for line in lines if line.startswith("!"))]:
        path = ROOT / name
        for file in [path] if path.is_file() else path.rglob("*"):
            if file.is_file() and not _is_excluded(file):
                yield file


def _is_excluded(file: Path) -> bool:
    parts = file.relative_to(ROOT).parts
    return "__pycache__" in parts or any(part.startswith(".") for part in parts)
