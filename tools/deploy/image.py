"""The container image: what it is made of, how it is called, and who builds and sends it."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from fft_tool import __version__
from tools.deploy.faults import Fault

ROOT = Path(__file__).resolve().parents[2]
PINNED = re.compile(r"\S+@sha256:[0-9a-f]{64}")
PLATFORMS = {"x86_64": "linux/amd64", "arm64": "linux/arm64"}


NOT_PINNED = """a base image is named by its digest, for its tag may be another one tomorrow: \
BASE={base}@sha256:…
  `python3 -m tools.image.base {base}` tells the digest of today."""


@dataclass(frozen=True, slots=True)
class Image:
    """An image that may have been built or not: its tag tells what it is made of."""

    tag: str
    platform: str
    base: str | None

    @classmethod
    def of_sources(cls, architecture: str, base: str | None, *, anew: bool) -> Image:
        """Name the image of the files as they are: the same files and base, the same tag."""
        if base and not PINNED.fullmatch(base):
            raise Fault(NOT_PINNED.format(base=base))
        parts = [__version__, architecture, _fingerprint(base)]
        if anew:
            parts.append(f"{datetime.now(UTC):%Y%m%dT%H%M%S}")
        return cls("-".join(parts), PLATFORMS[architecture], base)


class Builder:
    """The program that builds images here, through tools/image/build.py."""

    def __init__(self, name: str) -> None:
        self._name = name

    @classmethod
    def find(cls) -> Builder:
        """Find one that works."""
        done = subprocess.run(
            [sys.executable, "-m", "tools.image.builders"],
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
        )
        if done.returncode:
            raise Fault(done.stderr.strip().removeprefix("builders.py: "))
        return cls(done.stdout.strip())

    def log_in(self, url: str, password: str) -> None:
        """Log in at the registry that a repository is in."""
        registry = url.partition("/")[0]
        words = [self._name, "login", "--username", "AWS", "--password-stdin", registry]
        done = subprocess.run(words, input=password, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Fault(f"{self._name} cannot log in at {registry}: {done.stderr.strip()}")

    def push(self, image: Image, url: str, flags: Sequence[str]) -> None:
        """Build an image and send it to its repository."""
        words = [sys.executable, "-m", "tools.image.build", "--target", "lambda"]
        words += ["--tag", f"{url}:{image.tag}", "--platform", image.platform, "--push"]
        if image.base:
            words += ["--base", image.base]
        words += ["--", *flags] if flags else []
        # Its stdout is where the image is, which the registry tells as well.
        done = subprocess.run(words, stdout=subprocess.DEVNULL, check=False, cwd=ROOT)
        if done.returncode:
            raise Fault("the image could not be built and sent, see above")


def _fingerprint(base: str | None) -> str:
    """Twelve digits that are others if anything is that the image is made of."""
    total = hashlib.sha256((base or "").encode())
    for path in sorted(_sources()):
        name = path.relative_to(ROOT).as_posix()
        total.update(f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\0".encode())
    return total.hexdigest()[:12]


def _sources() -> Iterator[Path]:
    """The Dockerfile, and what .dockerignore lets through to it."""
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    for name in ["docker/Dockerfile", *(line[1:] for line in lines if line.startswith("!"))]:
        path = ROOT / name
        for file in [path] if path.is_file() else path.rglob("*"):
            if file.is_file() and not _is_noise(file):
                yield file


def _is_noise(file: Path) -> bool:
    parts = file.relative_to(ROOT).parts
    return "__pycache__" in parts or any(part.startswith(".") for part in parts)
