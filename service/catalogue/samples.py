"""Sample images of the project, for a catalogue that is empty."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path

from fft_tool.errors import UsageError
from service.catalogue import assets
from service.errors import NotHere
from service.parts import Parts
from service.samples import images_in


def has_samples(parts: Parts) -> bool:
    """Whether there are sample images in the folder that the settings name."""
    try:
        return bool(images_in(parts.settings.samples))
    except UsageError:
        return False


def add_samples(parts: Parts, tenant: str) -> int:
    """Add all sample images to the assets of a tenant; return how many they are.

    Raises :class:`~service.errors.NotHere` if there are none.
    """
    try:
        images = images_in(parts.settings.samples)
    except UsageError as exc:
        raise NotHere(f"there are no sample images: {exc}") from exc
    for path in images:
        # A store may take over the file that it is given, so it gets a copy.
        with tempfile.TemporaryDirectory(dir=parts.settings.temporary) as folder:
            copy = Path(shutil.copyfile(path, Path(folder) / "sample"))
            sha256 = hashlib.sha256(copy.read_bytes()).hexdigest()
            assets.upload(parts, tenant, path.name, copy, sha256)
    return len(images)
