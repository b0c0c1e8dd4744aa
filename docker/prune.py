"""Prepare installed packages for an image: remove unused files, compile, set modes and times.

    python3 prune.py FOLDER      an environment, or a folder of packages

The reasons for what is removed: docs/decisions/2026-11-20-what-is-in-the-image.md
"""

from __future__ import annotations

import compileall
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from py_compile import PycInvalidationMode

# Files in any folder that only serve to build, check or describe a package.
UNUSED = ("tests", "conftest.py", "*.pyi", "*.pxd", "*.pyx", "*.h", "*.a", "*.c")

# Packages in the command line's lock file that are needed only to build a wheel.
BUILDS = ("setuptools", "setuptools-*", "pkg_resources", "_distutils_hack", "distutils-*.pth")

# Shared libraries that no remaining file is linked to.
UNLINKED = ("scipy.libs",)

# What pyarrow has beside writing Parquet to memory: other file systems and formats, and the same
# library under three names, of which the one that others are linked to stays.
OF_ARROW = (
    *("include", "includes", "src", "*.pxi", "libarrow_python.so", "libarrow_python.so.*.*.*"),
    *("*flight*", "*parquet_encryption*", "*s3*", "_azurefs*", "_gcsfs*", "_hdfs*", "_json*"),
    *("_acero*", "_compute.*", "_csv*", "_dataset*", "_feather*", "_orc*", "_substrait*"),
    "_pyarrow_cpp_tests*",
)

# Parts of SQLAlchemy and Alembic that are for other databases, or for testing themselves.
OF_DATABASES = (
    *("sqlalchemy/testing", "alembic/testing", "alembic/templates"),
    *(f"sqlalchemy/dialects/{name}" for name in ("mssql", "mysql", "oracle")),
)

# Folders of which only these subfolders are used; the files in them stay.
KEPT_OF = {
    # Only scipy's compiled transforms are loaded: fft_tool/spectrum/kernel.py.
    "scipy": ("fft",),
    "scipy/fft": ("_duccfft", "_pocketfft"),
    # S3, state machines, secrets, the table and functions of the service, and what can provide the
    # credentials of a profile.
    "botocore/data": (
        *("dynamodb", "lambda", "s3", "secretsmanager", "stepfunctions"),
        *("signin", "sso", "sso-oidc", "sts"),
    ),
}

EPOCH = 315_532_800  # 1980, the earliest time that every archive format can store


def prune(root: Path) -> None:
    """Remove unused files, compile the rest, and set modes and times."""
    before = size(root)
    for packages in root.glob("lib/python3.*/site-packages"):
        remove(unused(packages))
    remove(program for program in root.glob("bin/*") if not program.name.startswith("python"))
    print(f"{root}: removed {(before - size(root)) / 1e6:.1f} MB of {before / 1e6:.1f} MB")
    compile_below(root)
    set_modes_and_times(root)


def unused(packages: Path) -> Iterator[Path]:
    """Unused files and folders of installed packages."""
    for pattern in UNUSED:
        yield from packages.rglob(pattern)
    for pattern in (*BUILDS, *UNLINKED, *OF_DATABASES):
        yield from packages.glob(pattern)
    for pattern in OF_ARROW:
        yield from packages.glob(f"pyarrow/{pattern}")
    for place, kept in KEPT_OF.items():
        folders = (path for path in (packages / place).glob("*") if path.is_dir())
        yield from (folder for folder in folders if folder.name not in kept)


def remove(paths: Iterable[Path]) -> None:
    """Remove files and folders; one may lie inside another."""
    for path in list(paths):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def compile_below(root: Path) -> None:
    """Compile all modules to bytecode that does not depend on the times of the sources."""
    mode = PycInvalidationMode.UNCHECKED_HASH
    if not compileall.compile_dir(root, quiet=1, force=True, invalidation_mode=mode, workers=0):
        sys.exit(f"{root}: not everything could be compiled")


def set_modes_and_times(root: Path) -> None:
    """Make everything readable by all and writable by its owner only, with times of 1980."""
    for path in (root, *root.rglob("*")):
        if not path.is_symlink():
            runs = path.is_dir() or path.stat().st_mode & 0o111
            path.chmod(0o755 if runs else 0o644)
        os.utime(path, (EPOCH, EPOCH), follow_symlinks=False)


def size(root: Path) -> int:
    """Bytes in all files below a folder."""
    return sum(path.lstat().st_size for path in root.rglob("*") if not path.is_dir())


if __name__ == "__main__":
    prune(Path(sys.argv[1]))
