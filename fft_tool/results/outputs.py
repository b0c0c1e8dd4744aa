"""Input and output of the pipeline: sources, artifacts, and all outputs of a run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fft_tool.recipe import Recipe
from fft_tool.results.registry import wanted_kinds
from fft_tool.results.values import Artifact, Remark, Source
from fft_tool.validate import Json

__all__ = ["Artifact", "Outputs", "Source", "output_kinds"]


@dataclass(frozen=True, slots=True)
class Outputs:
    """All artifacts of a run, in the order in which to write them, and its record.

    >>> import numpy as np
    >>> import fft_tool as ft
    >>> outputs = ft.analyze(np.eye(8, dtype=np.uint8), name="eye.png")
    >>> [artifact.kind for artifact in outputs]
    ['phase', 'magnitude']
    >>> outputs["magnitude"].name
    'eye_magnitude.png'

    The last artifact marks completion: if it exists, so do all the others. It is the record if
    there is one, otherwise the last of the pictures. ``remarks`` are what the user should know of
    the source, such as that only the first of its frames was analysed.
    """

    artifacts: tuple[Artifact, ...]
    record: Json | None
    remarks: tuple[Remark, ...] = ()

    def __iter__(self) -> Iterator[Artifact]:
        return iter(self.artifacts)

    def __getitem__(self, kind: str) -> Artifact:
        for artifact in self.artifacts:
            if artifact.kind == kind:
                return artifact
        raise KeyError(kind)

    def _repr_html_(self) -> str:
        """Show the pictures and the periods of the strongest waves in a notebook."""
        shown = "".join(map(_figure, self.artifacts))
        peaks = (self.record or {}).get("measures", {}).get("peaks", [])
        waves = ", ".join(f"{peak['period']:g} px at {peak['angle']:g}°" for peak in peaks[:3])
        return f"<div>{shown}{f'<p>Periods: {waves}</p>' if waves else ''}</div>"


def _figure(artifact: Artifact) -> str:
    import base64  # noqa: PLC0415  (only notebooks need it)
    import html  # noqa: PLC0415  (as above)

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
    """Kinds of outputs that a recipe asks for, in the order in which they are written."""
    return tuple(kind.name for kind in wanted_kinds(recipe))
