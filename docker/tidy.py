"""Make what was installed fit for an image: only what is used, compiled, the same each time.

    python3 tidy.py FOLDER      an environment, or a folder of packages

docs/decisions/2026-11-20-what-is-in-the-image.md tells what is left out, and why.
"""

from __future__ import annotations

import compileall
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from py_compile import PycInvalidationMode

# What only builds, checks or describes a package, wherever it lies.
UNUSED = ("tests", "conftest.py", "*.pyi", "*.pxd", "*.pyx", "*.h", "*.a", "*.c")

# What the command line's lock file has for those who build a wheel.
BUILDS = ("setuptools", "setuptools-*", "pkg_resources", "_distutils_hack", "distutils-*.pth")

# Libraries that nothing of what is kept is linked to.
UNLINKED = ("scipy.libs",)

# Folders of which only these subfolders are used; files that lie in them directly stay.
KEPT_OF = {
    # Of scipy, its compiled transforms alone are loaded: fft_tool/spectrum/kernel.py.
    "scipy": ("fft",),
    "scipy/fft": ("_duccfft", "_pocketfft"),
    # S3, and the services that a profile's credentials may come from.
    "botocore/data": ("s3", "signin", "sso", "sso-oidc", "sts"),
}

EPOCH = 315_532_800  # 1980, as far back as every archive format can go


def tidy(root: Path) -> None:
    """Leave out, compile, and settle modes and times."""
    before = size(root)
    for packages in root.glob("lib/python3.*/site-packages"):
        remove(unused(packages))
    remove(program for program in root.glob("bin/*") if not program.name.startswith("python"))
    print(f"{root}: left out {(before - size(root)) / 1e6:.1f} MB of {before / 1e6:.1f} MB")
    compile_below(root)
    settle(root)


def unused(packages: Path) -> Iterator[Path]:
    """What may go, of the packages in a folder."""
    for pattern in UNUSED:
        yield from packages.rglob(pattern)
    for pattern in (*BUILDS, *UNLINKED):
        yield from packages.glob(pattern)
    for place, kept in KEPT_OF.items():
        folders = (path for path in (packages / place).glob("*") if path.is_dir())
        yield from (folder for folder in folders if folder.name not in kept)


def remove(paths: Iterable[Path]) -> None:
    """Remove files and folders, of which one may lie in another."""
    for path in list(paths):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def compile_below(root: Path) -> None:
    """Compile all modules. The results stay valid whatever the times of their sources are."""
    mode = PycInvalidationMode.UNCHECKED_HASH
    if not compileall.compile_dir(root, quiet=1, force=True, invalidation_mode=mode, workers=0):
        sys.exit(f"{root}: not everything could be compiled")


def settle(root: Path) -> None:
    """Have everybody read everything, only its owner write, and times tell nothing."""
    for path in (root, *root.rglob("*")):
        if not path.is_symlink():
            runs = path.is_dir() or path.stat().st_mode & 0o111
            path.chmod(0o755 if runs else 0o644)
        os.utime(path, (EPOCH, EPOCH), follow_symlinks=False)


def size(root: Path) -> int:
    """Bytes in all files below a folder."""
    return sum(path.lstat().st_size for path in root.rglob("*") if not path.is_dir())


if __name__ == "__main__":
    tidy(Path(sys.argv[1]))
