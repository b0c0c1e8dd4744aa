"""A stand-in for the base image, made of Debian's packages where no registry can be reached.

Like the official image it is Debian with a Python of the same version, pip and certificates, and
without any bytecode; its interpreter is Debian's own, in ``/usr/bin``.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

RELEASE = "trixie"
PACKAGES = "python3,python3-venv,python3-pip,ca-certificates"
NEEDED = ("apt-get", "debootstrap")


def what_is_missing() -> str:
    """Why none can be made here, or nothing."""
    missing = [name for name in NEEDED if not shutil.which(name)]
    if missing and not archive().exists():
        return f"{' and '.join(missing)} missing, to make a base image: apt-get install debootstrap"
    return ""


def archive() -> Path:
    """Where it is kept from one run to the next: in ``IMAGE_TEST_CACHE``, or the user's cache."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fft-pipeline"
    return Path(os.environ.get("IMAGE_TEST_CACHE") or cache) / f"{RELEASE}.tar"


def stand_in() -> Path:
    """Make it, or find it made: an archive of its files."""
    made = archive()
    if not made.exists():
        made.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=made.parent) as folder:
            _make(Path(folder) / "root")
            packed = Path(folder) / "packed.tar"
            with tarfile.open(packed, "w") as tar:
                tar.add(Path(folder) / "root", "", filter=_without_bytecode)
            packed.rename(made)
    return made


def _make(root: Path) -> None:
    words = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", RELEASE, str(root)]
    words.append(mirror())
    done = subprocess.run(words, capture_output=True, check=False, text=True)
    if done.returncode:
        raise RuntimeError(f"debootstrap could not make a base image:\n{done.stdout[-2000:]}")
    for leftover in ("var/cache/apt", "var/lib/apt/lists"):
        shutil.rmtree(root / leftover)


def mirror() -> str:
    """Where this machine gets its Debian packages from."""
    words = ["apt-get", "--print-uris", "download", "hostname"]
    done = subprocess.run(words, capture_output=True, check=False, text=True)
    found = re.match(r"'(.+)/pool/", done.stdout)
    assert found is not None, f"apt-get knows no mirror: apt-get update\n{done.stderr}"
    return found[1]


def _without_bytecode(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if "__pycache__" in entry.name else entry
