"""Programs that build images: which of them works, and how to call each."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.errors import ToolError
from tools.image.bill import EPOCH

ROOT = Path(__file__).resolve().parents[2]

# Lambda accepts a single image, not an index: attestations, which would create an index, are off,
# and all three builders write the same kind of manifest.
BUILD = {
    "docker": ("docker", "buildx", "build", "--load", "--provenance=false", "--sbom=false"),
    "podman": ("podman", "build", "--format", "docker", "--layers"),
    "buildah": ("buildah", "build", "--format", "docker", "--layers"),
}
SAVE = {
    "docker": ("docker", "image", "save", "--output", "{file}", "{tag}"),
    "podman": ("podman", "save", "--quiet", "--format", "docker-archive", "-o", "{file}", "{tag}"),
    "buildah": ("buildah", "push", "--quiet", "{tag}", "docker-archive:{file}:{tag}"),
}
PUSH = {
    "docker": ("docker", "push", "{tag}"),
    "podman": ("podman", "push", "--digestfile", "{file}", "{tag}"),
    "buildah": ("buildah", "push", "--digestfile", "{file}", "{tag}"),
}

# Timestamp of an image and its files: a fixed one, so that the same files give the same layers.
SOURCE_DATE = str(EPOCH)

LABEL = "org.opencontainers.image."

# A builder works if these commands succeed.
TRIALS = {
    "docker": (("docker", "version"), ("docker", "buildx", "version")),
    "podman": (("podman", "info"),),
    "buildah": (("buildah", "info"),),
}

NONE_WORKS = """no program that can build images works here.
{reasons}
Install Docker with buildx (https://docs.docker.com/engine/install/), Podman or Buildah \
(apt-get install buildah), or start its daemon."""


@dataclass(frozen=True)
class Build:
    """What to build: a target of the Dockerfile, its tag, and options."""

    target: str
    tag: str
    origin: Mapping[str, str]  # version, revision and source, for the labels
    base: str | None = None
    platform: str | None = None
    flags: Sequence[str] = ()


@dataclass(frozen=True)
class Builder:
    """A program that builds images."""

    name: str

    def build(self, build: Build) -> None:
        """Build an image, with progress on stderr."""
        words = [*BUILD[self.name], "--file", "docker/Dockerfile"]
        words += ["--target", build.target, "--tag", build.tag]
        words += ["--platform", build.platform] if build.platform else []
        words += ["--build-arg", f"BASE={build.base}"] if build.base else []
        for name, value in build.origin.items():
            words += ["--build-arg", f"{name.upper()}={value}"]
            if self.name != "docker":  # the others may reuse cached labels
                words += ["--label", f"{LABEL}{name}={value}"]
        words += ["--timestamp", SOURCE_DATE] if self.name != "docker" else []
        self._run([*words, *build.flags, "."], SOURCE_DATE_EPOCH=SOURCE_DATE)

    def save(self, tag: str, file: Path) -> None:
        """Write an image to a file, as ``docker save`` does."""
        self._run(_filled(SAVE[self.name], tag=tag, file=file))

    def push(self, tag: str) -> str:
        """Push an image to its registry; returns its digest there."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "digest"
            self._run(_filled(PUSH[self.name], tag=tag, file=file))
            text = self._repository_digests(tag) if self.name == "docker" else file.read_text()
        repository = re.escape(tag.rpartition(":")[0] or tag)
        found = re.search(rf"(?:{repository}@|\A)(sha256:[0-9a-f]{{64}})", text)
        if not found:
            raise ToolError(
                f"{tag} was pushed, but {self.name} does not report its digest: {text!r}"
            )
        return found[1]

    def log_in(self, registry: str, user: str, password: str) -> None:
        """Log in to a registry."""
        words = [self.name, "login", "--username", user, "--password-stdin", registry]
        done = subprocess.run(words, input=password, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ToolError(f"{self.name} cannot log in to {registry}: {done.stderr.strip()}")

    def _repository_digests(self, tag: str) -> str:
        words = ["docker", "image", "inspect", "--format", "{{json .RepoDigests}}", tag]
        return subprocess.run(words, capture_output=True, check=True, text=True).stdout

    def _run(self, words: Sequence[str], **variables: str) -> None:
        """Run the builder, which prints its own errors."""
        done = subprocess.run(
            words, cwd=ROOT, env={**os.environ, **variables}, stdout=sys.stderr, check=False
        )
        if done.returncode:
            program = " ".join(words[:3])
            raise ToolError(f"{program} … failed with exit code {done.returncode}, see above")


def find_builder(environ: Mapping[str, str] = os.environ) -> Builder:
    """Find a working builder: the one named by ``BUILDER``, or the first of the list."""
    wanted = environ.get("BUILDER")
    if wanted and wanted not in BUILD:
        raise ToolError(f"BUILDER={wanted}: should be one of {', '.join(BUILD)}")
    reasons = {}
    for name in [wanted] if wanted else BUILD:
        reasons[name] = _what_is_missing(name)
        if not reasons[name]:
            return Builder(name)
    lines = "\n".join(f"  {name}: {reason}" for name, reason in reasons.items())
    raise ToolError(NONE_WORKS.format(reasons=lines))


@contextlib.contextmanager
def archived(image: str) -> Iterator[Path]:
    """The archive of an image in the builder's store, or the archive that ``image`` names."""
    if image.endswith(".tar"):
        yield Path(image)
        return
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "image.tar"
        find_builder().save(image, archive)
        yield archive


def _what_is_missing(name: str) -> str:
    if not shutil.which(name):
        return "not installed"
    for words in TRIALS[name]:
        tried = subprocess.run(words, capture_output=True, check=False, text=True)
        if tried.returncode:
            lines = tried.stderr.strip().splitlines() or ["no reason given"]
            return f"{' '.join(words)}: {lines[-1]}"
    return ""


def _filled(words: Sequence[str], **values: object) -> list[str]:
    return [word.format(**values) for word in words]
