"""Programs that build images: which of them works here, and how each is told what to do."""

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

from tools.image.bill import EPOCH

ROOT = Path(__file__).resolve().parents[2]

# Lambda takes one image, not an index of several: so no attestations beside it, and for all three
# the same kind of manifest.
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

# Time of an image and its files: the same files are the same layers, whenever they are built.
SOURCE_DATE = str(EPOCH)

LABEL = "org.opencontainers.image."

# What has to succeed before a builder counts as one that works.
TRIALS = {
    "docker": (("docker", "version"), ("docker", "buildx", "version")),
    "podman": (("podman", "info"),),
    "buildah": (("buildah", "info"),),
}

NONE_WORKS = """no program that builds images works here.
{reasons}
Install Docker with buildx (https://docs.docker.com/engine/install/), Podman or Buildah \
(apt-get install buildah), or start its daemon."""


class Failed(Exception):
    """Something that people can mend: what, and what to do."""


@dataclass(frozen=True)
class Wish:
    """What is to be built: a target of the Dockerfile, what it is to be called, and how."""

    target: str
    tag: str
    facts: Mapping[str, str]  # version, revision, source: for the labels
    base: str | None = None
    platform: str | None = None
    flags: Sequence[str] = ()


@dataclass(frozen=True)
class Builder:
    """One of these programs."""

    name: str

    def build(self, wish: Wish) -> None:
        """Build an image, its progress on stderr."""
        words = [*BUILD[self.name], "--file", "docker/Dockerfile"]
        words += ["--target", wish.target, "--tag", wish.tag]
        words += ["--platform", wish.platform] if wish.platform else []
        words += ["--build-arg", f"BASE={wish.base}"] if wish.base else []
        for name, value in wish.facts.items():
            words += ["--build-arg", f"{name.upper()}={value}"]
            if self.name != "docker":  # the others may find a label in their cache, with old values
                words += ["--label", f"{LABEL}{name}={value}"]
        words += ["--timestamp", SOURCE_DATE] if self.name != "docker" else []
        self._run([*words, *wish.flags, "."], SOURCE_DATE_EPOCH=SOURCE_DATE)

    def save(self, tag: str, file: Path) -> None:
        """Write an image to a file, as ``docker save`` does."""
        self._run(_filled(SAVE[self.name], tag=tag, file=file))

    def push(self, tag: str) -> str:
        """Send an image to its registry; its digest there."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "digest"
            self._run(_filled(PUSH[self.name], tag=tag, file=file))
            text = self._repository_digests(tag) if self.name == "docker" else file.read_text()
        repository = re.escape(tag.rpartition(":")[0] or tag)
        found = re.search(rf"(?:{repository}@|\A)(sha256:[0-9a-f]{{64}})", text)
        if not found:
            raise Failed(f"{tag} was pushed, but {self.name} does not tell its digest: {text!r}")
        return found[1]

    def _repository_digests(self, tag: str) -> str:
        words = ["docker", "image", "inspect", "--format", "{{json .RepoDigests}}", tag]
        return subprocess.run(words, capture_output=True, check=True, text=True).stdout

    def _run(self, words: Sequence[str], **variables: str) -> None:
        """Run the program; it has told by itself what went wrong."""
        done = subprocess.run(
            words, cwd=ROOT, env={**os.environ, **variables}, stdout=sys.stderr, check=False
        )
        if done.returncode:
            program = " ".join(words[:3])
            raise Failed(f"{program} … ended with exit code {done.returncode}, see above")


def find(environ: Mapping[str, str] = os.environ) -> Builder:
    """Find a builder that works: the one that ``BUILDER`` names, or the first of all."""
    wanted = environ.get("BUILDER")
    if wanted and wanted not in BUILD:
        raise Failed(f"BUILDER={wanted}: should be one of {', '.join(BUILD)}")
    reasons = {}
    for name in [wanted] if wanted else BUILD:
        reasons[name] = _what_is_missing(name)
        if not reasons[name]:
            return Builder(name)
    told = "\n".join(f"  {name}: {reason}" for name, reason in reasons.items())
    raise Failed(NONE_WORKS.format(reasons=told))


def _what_is_missing(name: str) -> str:
    if not shutil.which(name):
        return "not installed"
    for words in TRIALS[name]:
        tried = subprocess.run(words, capture_output=True, check=False, text=True)
        if tried.returncode:
            said = tried.stderr.strip().splitlines() or ["no reason given"]
            return f"{' '.join(words)}: {said[-1]}"
    return ""


def _filled(words: Sequence[str], **values: object) -> list[str]:
    return [word.format(**values) for word in words]


if __name__ == "__main__":  # tells which one it would be
    try:
        print(find().name)
    except Failed as failed:
        sys.exit(f"builders.py: {failed}")


@contextlib.contextmanager
def archived(image: str) -> Iterator[Path]:
    """Give an archive of an image that the builder here has, or the one that ``image`` names."""
    if image.endswith(".tar"):
        yield Path(image)
        return
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "image.tar"
        find().save(image, archive)
        yield archive
