"""A description of the machine: processor and versions, but nothing that identifies it."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from programs import imagemagick, version_text

import fft_tool

DISTRIBUTIONS = (
    "numpy",
    "scipy",
    "pillow",
    "isal",
    "opencv-python-headless",
    "opencv-python",
    "ducc0",
    "mkl_fft",
    "mkl",
    "pyfftw",
)


def describe(cores: int) -> list[tuple[str, str]]:
    """Pairs of name and value; ``cores`` is the number of cores used."""
    magick = version_text(imagemagick() or "magick", "-version")
    programs = [
        ("ImageMagick", " ".join(magick.split()[2:4])),
        ("vips", version_text("vips", "--version").removeprefix("vips-")),
    ]
    there = [(name, version) for name, version in programs if version]
    return [*describe_python(cores, DISTRIBUTIONS), *there]


def describe_python(cores: int, distributions: Sequence[str]) -> list[tuple[str, str]]:
    """The machine, Python, and the versions of the packages that are installed."""
    found = [(name, _version(name)) for name in distributions]
    return [
        ("processor", _processor()),
        ("cores used", f"{cores} of {os.cpu_count()}"),
        ("system", f"{platform.system()} {platform.machine()}"),
        (platform.python_implementation(), platform.python_version()),
        ("fft-tool", fft_tool.__version__),
        *((name, version) for name, version in found if version),
    ]


def use_cores(count: int) -> int:
    """Restrict this process and its children to ``count`` cores; returns the number available."""
    if not hasattr(os, "sched_setaffinity"):
        return os.cpu_count() or 1
    cores = sorted(os.sched_getaffinity(0))[:count]
    os.sched_setaffinity(0, cores)
    return len(cores)


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""


def _processor() -> str:
    """The processor's model name; if the system does not provide it, its architecture."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor() or platform.machine()
