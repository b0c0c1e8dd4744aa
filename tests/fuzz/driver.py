"""Runs libFuzzer through atheris, with seeds in a temporary folder."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

Check = Callable[[bytes], object]

KEPT = Path(__file__).resolve().parents[2] / ".fuzz"

# What the project imports when it needs it, which would be too late to be instrumented.
LATE = (
    "fft_tool.spectrum.filters",
    "PIL.BmpImagePlugin",
    "PIL.JpegImagePlugin",
    "PIL.PngImagePlugin",
    "PIL.TiffImagePlugin",
    "PIL.WebPImagePlugin",
)


def instrumented(name: str) -> Any:
    """Import a module such that libFuzzer sees the branches of the project and of Pillow."""
    atheris = import_module("atheris")
    with atheris.instrument_imports(include=["fft_tool", "PIL"]):
        for late in LATE:
            import_module(late)
        return import_module(name)


def fuzz(check: Check, seeds: Iterable[bytes], after: Callable[[bytes], bytes] = bytes) -> None:
    """Call ``check`` with ever new bytes until it raises, or takes too much memory or time.

    ``after`` is applied to each mutation. Arguments are libFuzzer's own; the first folder among
    them collects what was found to be new, by default one in ``.fuzz/``, which keeps growing.
    """
    atheris = import_module("atheris")

    def mutate(data: bytes, max_size: int, _: int) -> bytes:
        return after(atheris.Mutate(data, max_size))[:max_size]

    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    for index, seed in enumerate(seeds):
        (folder / f"seed-{index:03}").write_bytes(seed)
    arguments = list(sys.argv)
    if all(argument.startswith("-") for argument in arguments[1:]):
        kept = KEPT / Path(arguments[0]).stem
        kept.mkdir(parents=True, exist_ok=True)
        arguments.append(str(kept))
    arguments.append(str(folder))
    for flag, value in (
        ("-artifact_prefix", f"{folder}/"),
        ("-timeout", "10"),  # seconds for one input
        ("-rss_limit_mb", "2048"),
    ):
        if not any(argument.startswith(flag) for argument in arguments):
            arguments.append(f"{flag}={value}")
    atheris.Setup(arguments, lambda data: check(data) and None, custom_mutator=mutate)
    atheris.Fuzz()
