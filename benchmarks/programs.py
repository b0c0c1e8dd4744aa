"""The contenders that run as separate processes, from an image file to picture files."""

from __future__ import annotations

import functools
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import reference
from contenders import OURS, installed
from images import decoded
from reference import Codes, Look

SCRIPTS = Path(__file__).parent / "scripts"

# The first genuine one is used: some systems have other programs called convert.
_MAGICKS = ("magick", "convert-im6.q16", "/usr/bin/convert", "convert")

Command = Callable[[Path, Path], list[str]]


@dataclass(frozen=True, slots=True)
class Program:
    """``command`` takes an image and a folder; ``outputs`` are file names in it, given a stem."""

    name: str
    installed: bool
    command: Command
    look: Look
    outputs: tuple[str, ...] = ("{}_magnitude.png", "{}_phase.png")

    def read_codes(self, out: Path, stem: str) -> Codes:
        """Read the pictures that the command has written."""
        magnitude, *phase = (decoded((out / n.format(stem)).read_bytes()) for n in self.outputs)
        return Codes(magnitude, phase[0] if phase else None)


def all_programs() -> tuple[Program, ...]:
    """Ours first, then the peers, installed or not."""
    return (
        Program(OURS, True, analyze, reference.fixed),
        Program("plain script", True, plain_script, reference.stretched),
        Program("OpenCV script", installed("cv2"), _opencv_script, reference.from_zero),
        Program(
            "ImageMagick -fft",
            imagemagick() is not None,
            _imagemagick_command,
            reference.clipped,
            ("{}-0.png", "{}-1.png"),
        ),
        Program(
            "vips spectrum (magnitude only)",
            shutil.which("vips") is not None,
            _vips_command,
            reference.fourth_root,
            ("{}.png",),
        ),
    )


def analyze(image: Path, out: Path) -> list[str]:
    """Our command with its defaults; ``image`` may be a folder."""
    return [sys.executable, "-m", "fft_tool", "analyze", str(image), "-o", str(out)]


def analyze_on_one_core(folder: Path, out: Path, core: int) -> list[str]:
    """The same on one core and in one process."""
    return ["taskset", "-c", str(core), *analyze(folder, out), "--jobs", "1"]


def plain_script(image: Path, out: Path) -> list[str]:
    """Run numpy and Pillow; ``image`` may be a folder."""
    return [sys.executable, str(SCRIPTS / "plain.py"), str(image), str(out)]


def library(image: Path, out: Path, repeats: int) -> list[str]:
    """Run our library in a separate process, which prints the seconds of each run."""
    return [sys.executable, str(SCRIPTS / "library.py"), str(image), str(out), str(repeats)]


@functools.cache
def imagemagick() -> str | None:
    """Find ImageMagick by its version text, since other programs have the same name."""
    return next(filter(is_imagemagick, _MAGICKS), None)


def version_text(command: str, option: str) -> str:
    """First line of a program's version text; empty if it fails or is missing."""
    try:
        done = subprocess.run([command, option], check=False, capture_output=True, text=True)
    except OSError:
        return ""
    return done.stdout.partition("\n")[0] if done.returncode == 0 else ""


def is_imagemagick(command: str) -> bool:
    """Whether a command is ImageMagick's own."""
    return version_text(command, "-version").startswith("Version: ImageMagick")


def _opencv_script(image: Path, out: Path) -> list[str]:
    return [sys.executable, str(SCRIPTS / "with_opencv.py"), str(image), str(out)]


def _imagemagick_command(image: Path, out: Path) -> list[str]:
    """The default, clipped at white, takes half the time of ``fourier:normalize=forward``."""
    target = str(out / f"{image.stem}-%d.png")
    return [imagemagick() or "magick", str(image), "-fft", "+adjoin", target]


def _vips_command(image: Path, out: Path) -> list[str]:
    return ["vips", "spectrum", str(image), str(out / image.name)]
