"""What the commands do: from parsed options to calls of the library, and back to the terminal."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from fft_tool import invert, pipeline, png, record
from fft_tool.batch import Job, Outcome, run_batch
from fft_tool.errors import BadArtifact, FftToolError, NotFound, NotInvertible
from fft_tool.limits import MIB, Limits
from fft_tool.naming import RECORD
from fft_tool.recipe import KEYS, Recipe
from fft_tool.sources import SourceRef, find_sources
from fft_tool.store import Store, open_store

TABLE_ROWS = 40  # a longer table helps nobody: the records hold it all


def say(text: str) -> None:
    """Tell people something, beside the data."""
    print(f"fft-tool: {text}", file=sys.stderr)


def analyze(options: argparse.Namespace) -> int:
    """Make pictures and records."""
    return _run(options, Job(_recipe(options), skip_existing=options.skip_existing))


def crop(options: argparse.Namespace) -> int:
    """Make crops."""
    recipe = _recipe(options)
    if recipe.crop is None and recipe.smart_crop is None:
        raise UsageError("say what to crop: --crop or --smart-crop")
    return _run(options, Job(recipe, operation=pipeline.run_crop))


def filter(options: argparse.Namespace) -> int:  # noqa: A001  (the command's name)
    """Make filtered images."""
    recipe = _recipe(options)
    if recipe.filter is None:
        raise UsageError("say which filter: --filter")
    return _run(options, Job(recipe, operation=pipeline.run_filter))
