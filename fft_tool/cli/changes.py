"""What operations have changed in an image, from the manifest of its workflow, as plain text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from fft_tool.report.sentences import number

Side = Mapping[str, Any]

COLUMNS: Mapping[str, Callable[[Side], str]] = {
    "size": lambda side: f"{side['width']:,} × {side['height']:,}",
    "mean": lambda side: number(side["mean"], 4),
    "std": lambda side: number(side["standard_deviation"]),
    "min": lambda side: f"{side['minimum']:,}",
    "max": lambda side: f"{side['maximum']:,}",
    "contrast": lambda side: number(side["contrast"]),
    "slope β": lambda side: number(side["slope"]["beta"]) if side["slope"] else "none",
    "sharpness": lambda side: (
        number(side["sharpness"]["laplacian_variance"]) if side["sharpness"] else "none"
    ),
}
"""What is shown of the image before and after, by heading."""

SHOWN = ("mean", "std", "slope β", "sharpness")
"""Columns for which a table of several images has room."""


def changes(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Before and after, by heading, and the PSNR."""
    before, after = manifest["before"], manifest["after"]
    found = {name: f"{text(before)} → {text(after)}" for name, text in COLUMNS.items()}
    return found | {"PSNR": psnr(manifest)}


def psnr(manifest: Mapping[str, Any]) -> str:
    """The PSNR, or why there is none."""
    found = manifest["psnr_db"]
    return str(manifest["psnr_note"]) if found is None else f"{found:.2f} dB"


def lines(manifest: Mapping[str, Any]) -> Iterator[str]:
    """One line for each number of an image."""
    found = changes(manifest)
    width = max(map(len, found)) + 2
    yield from (f"{name.ljust(width)}{text}" for name, text in found.items())
