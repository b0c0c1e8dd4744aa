"""Where tests have images built by ``tools/image/build.py``, and what they are built from.

Several processes of pytest share one folder, so that each image is built once: whoever builds or
sets the folder up does so alone, and whoever leaves last clears it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import base_image, pip_settings
from tests.support.container import SECONDS, Image, call
from tools.errors import ToolError
from tools.image import builders

ROOT = Path(__file__).resolve().parents[2]
BUILDERS = ("docker", "podman", "buildah")
TAG = "localhost/fft-test-{}:1"
STAND_IN = "localhost/stand-in:1"
Ended = subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class ImageBuilds:
    """A builder, with a folder for what it makes."""

    builder: str
    folder: Path
    variables: Mapping[str, str]
    base: str | None = None

    @classmethod
    def open(cls, builder: str, folder: Path) -> ImageBuilds:
        """Set a builder up, with the base image that ``IMAGE_BASE`` names or a stand-in."""
        variables = {name: text for name, text in os.environ.items() if name[:4] != "AWS_"}
        base = os.environ.get("IMAGE_BASE")
        with alone(folder):
            if builder == "buildah":
                variables |= own_storage(folder)
                base = base or import_stand_in(variables)
            (folder / f"user-{os.getpid()}").touch()
        return cls(builder, folder, variables, base)

    def build(self, target: str, context: Path) -> Image:
        """Build a target of the Dockerfile from the files of a folder, unless it is there."""
        tag = TAG.format(target)
        built = self.folder / f"{target}.built"
        with alone(self.folder):
            if not built.exists():
                done = self._call(context, "--target", target, "--tag", tag)
                assert done.returncode == 0, done.stderr
                built.touch()
        shared_memory = target != "lambda"
        return Image(self.builder, tag, self.variables, self._mounted(tag), shared_memory)

    def try_to_build(self, context: Path, *words: str, **variables: str) -> Ended:
        """Call the script that builds, which may fail.

        One build at a time: two would both build the layers that they have in common.
        """
        with alone(self.folder):
            return self._call(context, *words, **variables)

    def _call(self, context: Path, *words: str, **variables: str) -> Ended:
        words += ("--base", self.base) if self.base else ()
        flags = ["--network=host"] if self.builder != "docker" else []
        flags += pip_settings.secrets(self.folder)
        return subprocess.run(
            [sys.executable, "-m", "tools.image.build", *words, "--", *flags],
            capture_output=True,
            cwd=context,
            env={**self.variables, "BUILDER": self.builder, **variables},
            text=True,
            timeout=SECONDS,
            check=False,
        )

    def _mounted(self, tag: str) -> Path | None:
        """The files of a container of its own, to which mounts may add folders."""
        if self.builder != "buildah":
            return None
        made = call(["buildah", "from", "--pull-never", tag], self.variables).strip()
        return Path(call(["buildah", "mount", made], self.variables).strip())

    def close(self) -> None:
        """Leave nothing behind, but for what an engine keeps in its cache."""
        with alone(self.folder):
            (self.folder / f"user-{os.getpid()}").unlink()
            if any(self.folder.glob("user-*")):
                return
            if self.builder == "buildah":
                call(["buildah", "rm", "--all"], self.variables)
                call(["buildah", "rmi", "--all", "--force"], self.variables)
            else:
                tags = [TAG.format(built.stem) for built in self.folder.glob("*.built")]
                call([self.builder, "rmi", "--force", *tags], self.variables)
            shutil.rmtree(self.folder)


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder, and wait for other processes that hold it."""
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder.mkdir(exist_ok=True)
        yield


def own_storage(folder: Path) -> dict[str, str]:
    """Variables that give Buildah a storage of its own, of the fastest kind that works here."""
    settings = folder / "storage.conf"
    variables = {"CONTAINERS_STORAGE_CONF": str(settings), "BUILDAH_ISOLATION": "chroot"}
    if settings.exists():
        return variables
    wanted = os.environ.get("STORAGE_DRIVER")
    for driver in [wanted] if wanted else ("overlay", "vfs"):
        lines = ["[storage]", f'driver = "{driver}"']
        lines += [f'{name} = "{folder / driver / name}"' for name in ("graphroot", "runroot")]
        settings.write_text("\n".join(lines))
        tried = subprocess.run(
            ["sh", "-ec", 'buildah mount "$(buildah from scratch)" && buildah rm --all'],
            capture_output=True,
            env={**os.environ, **variables},
            check=False,
        )
        if tried.returncode == 0:
            return variables
    settings.unlink()
    raise RuntimeError(tried.stderr.decode())


def import_stand_in(variables: Mapping[str, str]) -> str:
    """Make an image of the stand-in, unless it is there; its name."""
    there = subprocess.run(
        ["buildah", "inspect", "--type=image", STAND_IN],
        capture_output=True,
        env=variables,
        check=False,
    )
    if there.returncode == 0:
        return STAND_IN
    made = call(["buildah", "from", "scratch"], variables).strip()
    call(["buildah", "add", "--quiet", made, str(base_image.stand_in()), "/"], variables)
    call(["buildah", "commit", "--quiet", "--rm", made, STAND_IN], variables)
    return STAND_IN


def find_builder() -> str:
    """The first builder of which images can be run here; skips the test where there is none."""
    wanted = os.environ.get("BUILDER")
    reasons = {name: why_not(name) for name in ([wanted] if wanted else BUILDERS)}
    for name, reason in reasons.items():
        if not reason:
            return name
    pytest.skip("\n".join(f"{name}: {reason}" for name, reason in reasons.items()))


def why_not(builder: str) -> str:
    """Why images that this builder makes cannot be run here, or nothing."""
    try:
        builders.find_builder({"BUILDER": builder})
    except ToolError as exc:
        return str(exc)
    if builder != "buildah":
        return "" if os.environ.get("IMAGE_BASE") else _why_no_base(builder)
    if os.geteuid():
        return "its images are run by root only: sudo make image-test"
    if not shutil.which("unshare"):
        return "unshare is missing: apt-get install util-linux"
    return "" if os.environ.get("IMAGE_BASE") else base_image.what_is_missing()


def _why_no_base(builder: str) -> str:
    (base,) = re.findall(r"^ARG BASE=(.+)$", (ROOT / "docker/Dockerfile").read_text(), re.MULTILINE)
    pulled = subprocess.run(
        [builder, "pull", base], capture_output=True, timeout=SECONDS, check=False, text=True
    )
    said = pulled.stderr.strip().splitlines() or [""]
    return f"it cannot pull the base image: {said[-1]}" if pulled.returncode else ""


def script(*words: str | Path, **variables: str) -> Ended:
    """Run Python with these arguments, in the repository; it may fail."""
    return subprocess.run(
        [sys.executable, *words],
        capture_output=True,
        cwd=ROOT,
        env={**os.environ, **variables},
        text=True,
        check=False,
    )
