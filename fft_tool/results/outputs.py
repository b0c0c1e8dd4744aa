"""What goes into the pipeline and what comes out: sources, artifacts, and both together."""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from fft_tool.recipe import Recipe
from fft_tool.results.naming import RECORD

CONTENT_TYPES = {
    "png": "image/png",
    "npz": "application/x-npz",
    "json": "application/json",
}


@dataclass(frozen=True)
class Source:
    """The image that came in: its bytes, and its name below the place where sources are kept."""

    name: str
    data: bytes

    @cached_property
    def sha256(self) -> str:
        """Hash of the bytes, in hexadecimal."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def size(self) -> int:
        """Number of bytes."""
        return len(self.data)


@dataclass(frozen=True, slots=True)
class Unread:
    """A source that was refused by its size alone, before it was fetched."""

    name: str
    size: int
    sha256: None = None


@dataclass(frozen=True)
class Artifact:
    """One named output, such as the magnitude picture: ``kind``, full ``name`` and bytes."""

    kind: str
    name: str
    data: bytes

    @property
    def content_type(self) -> str:
        """Media type of the bytes."""
        return CONTENT_TYPES[self.name.rpartition(".")[2]]

    @cached_property
    def sha256(self) -> str:
        """Hash of the bytes, in hexadecimal."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True, slots=True)
class Outputs:
    """Everything that a run has made, in the order in which it is to be written.

    The last one is the seal: whoever sees it may rely on all the others being there. It is the
    record where there is one, else the magnitude picture.
    """

    artifacts: tuple[Artifact, ...]
    record: dict[str, Any] | None

    def __iter__(self) -> Iterator[Artifact]:
        return iter(self.artifacts)

    def __getitem__(self, kind: str) -> Artifact:
        for artifact in self.artifacts:
            if artifact.kind == kind:
                return artifact
        raise KeyError(kind)

    def _repr_html_(self) -> str:
        """Pictures and the strongest waves, for a notebook."""
        shown = "".join(map(_figure, self.artifacts))
        peaks = (self.record or {}).get("measures", {}).get("peaks", [])
        waves = ", ".join(f"{peak['period']:g} px at {peak['angle']:g}°" for peak in peaks[:3])
        return f"<div>{shown}{f'<p>Periods: {waves}</p>' if waves else ''}</div>"


def _figure(artifact: Artifact) -> str:
    caption = html.escape(f"{artifact.name} ({len(artifact.data):,} bytes)")
    if artifact.content_type != "image/png":
        return f"<p>{caption}</p>"
    data = base64.b64encode(artifact.data).decode()
    return (
        '<figure style="display: inline-block; margin: 0.5em">'
        f'<img style="max-width: 320px" alt="{artifact.kind}" src="data:image/png;base64,{data}">'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def output_kinds(recipe: Recipe) -> tuple[str, ...]:
    """Kinds of outputs that a recipe asks for."""
    wanted = {
        "crop": recipe.crop is not None or recipe.smart_crop is not None,
        "histogram": recipe.histogram,
        "filtered": recipe.filter is not None,
        "spectrum": recipe.spectrum,
        "phase": recipe.phase,
        "magnitude": True,
        RECORD: recipe.metadata,
    }
    return tuple(kind for kind, made in wanted.items() if made)
