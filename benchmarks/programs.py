"""The contenders that run as processes of their own, from an image file to picture files."""

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

# The first that is the real one is taken: some systems have other programs called convert.
_MAGICKS = ("magick", "convert-im6.q16", "/usr/bin/convert", "convert")

Command = Callable[[Path, Path], list[str]]


@dataclass(frozen=True, slots=True)
class Program:
    """``command`` takes an image and a folder; ``outputs`` are names in it, for a stem."""

    name: str
    there: bool
    command: Command
    look: Look
    outputs: tuple[str, ...] = ("{}_magnitude.png", "{}_phase.png")

    def read_codes(self, out: Path, stem: str) -> Codes:
        """Read the pictures that the command has left."""
        magnitude, *phase = (decoded((out / n.format(stem)).read_bytes()) for n in self.outputs)
        return Codes(magnitude, phase[0] if phase else None)


def all_programs() -> tuple[Program, ...]:
    """Ours first, then the peers, there or not."""
    return (
        Program(OURS, True, analyze, reference.fixed),
        Program("plain script", True, plain_script, reference.stretched),
        Program("OpenCV script", installed("cv2"), _opencv_script, reference.from_zero),
        Program(
            "ImageMagick -fft",
            imagemagick() is not None,
            _imagemagick_command,
            reference.cut_off,
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
    """Our command, as anybody would type it; ``image`` may be a folder."""
    return [sys.executable, "-m", "fft_tool", "analyze", str(image), "-o", str(out)]


def analyze_on_one_core(folder: Path, out: Path, core: int) -> list[str]:
    """Do the same on one core and in one process."""
    return ["taskset", "-c", str(core), *analyze(folder, out), "--jobs", "1"]


def plain_script(image: Path, out: Path) -> list[str]:
    """Run numpy and Pillow; ``image`` may be a folder."""
    return [sys.executable, str(SCRIPTS / "plain.py"), str(image), str(out)]


def library(image: Path, out: Path, repeats: int) -> list[str]:
    """Run our library in its own process, which prints the seconds of each of its runs."""
    return [sys.executable, str(SCRIPTS / "library.py"), str(image), str(out), str(repeats)]


@functools.cache
def imagemagick() -> str | None:
    """Find ImageMagick with a Fourier transform: by what it says, since its name proves nothing."""
    return next(filter(is_imagemagick, _MAGICKS), None)


def version_text(command: str, option: str) -> str:
    """First line that a program says about its version; empty where it fails or is missing."""
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
    """Its default, cut off at white, takes half the time of ``fourier:normalize=forward``."""
    target = str(out / f"{image.stem}-%d.png")
    return [imagemagick() or "magick", str(image), "-fft", "+adjoin", target]


def _vips_command(image: Path, out: Path) -> list[str]:
    return ["vips", "spectrum", str(image), str(out / image.name)]
