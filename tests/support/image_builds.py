"""Where tests have images built by ``tools/image/build.py``, and what they are built from."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
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
Ended = subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class ImageBuilds:
    """A builder, with a folder of its own for what it makes."""

    builder: str
    folder: Path
    variables: Mapping[str, str]
    base: str | None = None

    @classmethod
    def open(cls, builder: str, folder: Path) -> ImageBuilds:
        """Set a builder up, with the base image that ``IMAGE_BASE`` names or a stand-in."""
        variables = {name: text for name, text in os.environ.items() if name[:4] != "AWS_"}
        base = os.environ.get("IMAGE_BASE")
        if builder == "buildah":
            variables |= own_storage(folder)
            base = base or import_stand_in(variables)
        return cls(builder, folder, variables, base)

    def build(self, target: str, context: Path) -> Image:
        """Build a target of the Dockerfile from the files of a folder."""
        tag = TAG.format(target)
        done = self.try_to_build(context, "--target", target, "--tag", tag)
        assert done.returncode == 0, done.stderr
        return Image(self.builder, tag, self.variables, self._mounted(tag), target == "cli")

    def try_to_build(self, context: Path, *words: str, **variables: str) -> Ended:
        """Call the script that builds, which may fail."""
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
        if self.builder != "buildah":
            return None
        made = call(["buildah", "from", "--pull-never", tag], self.variables).strip()
        return Path(call(["buildah", "mount", made], self.variables).strip())

    def close(self) -> None:
        """Leave nothing behind, but for what an engine keeps in its cache."""
        if self.builder == "buildah":
            call(["buildah", "rm", "--all"], self.variables)
            call(["buildah", "rmi", "--all", "--force"], self.variables)
        else:
            tags = [TAG.format(target) for target in ("lambda", "cli")]
            call([self.builder, "rmi", "--force", *tags], self.variables)


def own_storage(folder: Path) -> dict[str, str]:
    """Variables that give Buildah a storage of its own, of the fastest kind that works here."""
    settings = folder / "storage.conf"
    variables = {"CONTAINERS_STORAGE_CONF": str(settings), "BUILDAH_ISOLATION": "chroot"}
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
    raise RuntimeError(tried.stderr.decode())


def import_stand_in(variables: Mapping[str, str]) -> str:
    """Make an image of the stand-in; its name."""
    made = call(["buildah", "from", "scratch"], variables).strip()
    call(["buildah", "add", "--quiet", made, str(base_image.stand_in()), "/"], variables)
    call(["buildah", "commit", "--quiet", "--rm", made, "localhost/stand-in:1"], variables)
    return "localhost/stand-in:1"


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
