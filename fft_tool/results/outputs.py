"""What goes into the pipeline and what comes out: sources, artifacts, and all outputs of a run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fft_tool.recipe import Recipe
from fft_tool.results.registry import wanted_kinds
from fft_tool.results.values import Artifact, Source
from fft_tool.validate import Json

__all__ = ["Artifact", "Outputs", "Source", "output_kinds"]


@dataclass(frozen=True, slots=True)
class Outputs:
    """Everything that a run has made, in the order in which it is to be written.

    The last one is the seal: whoever sees it may rely on all the others being there. It is the
    record where there is one, else the magnitude picture.
    """

    artifacts: tuple[Artifact, ...]
    record: Json | None

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
    import base64  # noqa: PLC0415  (for notebooks alone)
    import html  # noqa: PLC0415

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
