"""Workflows in memory: sources with what is asked for them, and what becomes of them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from fft_tool.runs.one import Outcome
from fft_tool.stores.base import Store
from fft_tool.stores.memory import MemoryStore
from fft_tool.workflows.run import run_workflow
from tests.support.images import Pixels, pink_noise, png_bytes

NAME = "plants/forest.png"
FOLDER = "plants/forest"
ASKED = {"operations": "grayscale,blur:3,sepia"}


def photo(seed: int = 0) -> Pixels:
    """A small colour image."""
    planes = [pink_noise((40, 56), seed=seed + place) for place in range(3)]
    return np.stack(planes, axis=-1)


PHOTO = png_bytes(photo())


def sources_with(data: bytes = PHOTO, asked: Any = None, name: str = NAME) -> MemoryStore:
    """A store that holds one image with its metadata."""
    store = MemoryStore()
    store.write(name, data, metadata=ASKED if asked is None else asked)
    return store


def files(store: MemoryStore) -> dict[str, bytes]:
    """Every file of a store."""
    return {name: stored.data for name, stored in store.objects.items()}


def manifest_in(store: Store, folder: str = FOLDER) -> dict[str, Any]:
    """The manifest in the folder of a source."""
    found: dict[str, Any] = json.loads(store.read(f"{folder}/manifest.json").data)
    return found


def worked(sources: MemoryStore, name: str = NAME, **options: Any) -> tuple[MemoryStore, Outcome]:
    """Run the workflow; returns the store of the results, and the outcome."""
    target = MemoryStore()
    return target, run_workflow(sources, target, name, **options)
