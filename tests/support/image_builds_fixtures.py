"""Fixtures for tests of the images, which are built once for all of them and for all processes.

They are built from a copy of the sources that nobody but their owner may read, with files beside
them that have no business in an image. ``IMAGE_BASE`` names another base image than the default.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.container import Image, call
from tests.support.image_builds import ROOT, ImageBuilds, alone, find_builder

BUILT_OF = (
    ".dockerignore",
    "LICENSE",
    "docker",
    "fft_tool",
    "handler",
    "requirements.txt",
    "service",
    "tools",
)
REMOTE = "https://somebody:secret-of-git@git.example/team/pipeline.git"
STRAY = "stray-file-of-a-developer"


@pytest.fixture(scope="session")
def image_builds(shared_folder: Path) -> Iterator[ImageBuilds]:
    """What builds images here."""
    image_builds = ImageBuilds.open(find_builder(), shared_folder / "image_builds")
    yield image_builds
    image_builds.close()


@pytest.fixture(scope="session")
def context(shared_folder: Path) -> Path:
    """The sources, as they are on the disk of a careful person with some files lying about."""
    folder = shared_folder / "context"
    with alone(folder):
        if not (folder / ".git" / "config").exists():
            fill(folder)
    return folder


def fill(folder: Path) -> None:
    """Copy the sources, and put a repository and other things beside them."""
    for name in BUILT_OF:
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copyfile
        copy(source, folder / name)
    for name in (".env", "handler/.env", "tools/x.py", "tests/x.py", "fft_tool/x.pyc"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# {STRAY}\n")
    for path in folder.rglob("*"):
        path.chmod(0o700 if path.is_dir() or os.access(path, os.X_OK) else 0o600)
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org", "-C", str(folder)]
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "x"]):
        call([*git, *words], os.environ)
    call([*git, "remote", "add", "origin", REMOTE], os.environ)


@pytest.fixture(scope="session")
def image(image_builds: ImageBuilds, context: Path) -> Image:
    """The image of the Lambda function."""
    return image_builds.build("lambda", context)


@pytest.fixture(scope="session")
def cli(image_builds: ImageBuilds, context: Path) -> Image:
    """The image of the command line."""
    return image_builds.build("cli", context)


@pytest.fixture(scope="session")
def service(image_builds: ImageBuilds, context: Path) -> Image:
    """The image of the service."""
    return image_builds.build("service", context)


@pytest.fixture(scope="session")
def local_aws(image_builds: ImageBuilds, context: Path) -> Image:
    """The image of the AWS on one machine that the service is used with."""
    return image_builds.build("local-aws", context)
