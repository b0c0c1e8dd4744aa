"""Records of analysed and of rejected sources.

This module is separate from :mod:`fft_tool.results.record`, which parses and serialises records
without loading their model. Modules that load numpy are imported where they are used: the record of
a rejected source does not need them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fft_tool import __version__
from fft_tool.errors import FftToolError
from fft_tool.recipe import Recipe
from fft_tool.results import record_model as model
from fft_tool.results.parts import computed
from fft_tool.results.sections import SCHEMA_NAME
from fft_tool.results.values import Artifact, OversizedSource, Source
from fft_tool.validate import Json

if TYPE_CHECKING:
    from fft_tool.image.selection import Selection
    from fft_tool.results.analysis import Analysis
    from fft_tool.results.certificate import Certificate


def done(analysis: Analysis, artifacts: Sequence[Artifact], *, threads: int = 1) -> model.Done:
    """Record of a finished run, with a certificate of the ``artifacts`` as they are written."""
    from fft_tool.results.certificate import certificates  # noqa: PLC0415  (loads numpy)

    ways = certificates(analysis, artifacts, threads=threads)
    return model.Done(
        **_opening(analysis.source, analysis.recipe, "done"),
        **_pixels(analysis),
        measures=model.Measures.of(computed(analysis.measures).to_json()),
        spectrum=_spectrum(analysis),
        filtered=_filtered(artifacts),
        certificate=_certificate(ways, analysis) if ways else None,
        artifacts=tuple(
            model.Artifact(
                artifact=artifact.kind,
                name=artifact.name,
                content_type=artifact.content_type,
                size=len(artifact.data),
                sha256=artifact.sha256,
            )
            for artifact in artifacts
        ),
    )


def rejected(source: Source | OversizedSource, recipe: Recipe | None, error: FftToolError) -> Json:
    """Record of a source that was permanently rejected."""
    return model.Rejected(
        **_opening(source, recipe, "rejected"),
        error=model.Error(code=error.code, message=str(error)),
        artifacts=(),
    ).to_json()


def opening(source: Source | OversizedSource, recipe: Recipe | None, outcome: str) -> Json:
    """First sections of every record: program, source, recipe and outcome."""
    return model.Opening(**_opening(source, recipe, outcome)).to_json()


def pixel_sections(analysis: Analysis) -> Json:
    """Sections of the record that describe the source and its pixels."""
    return {name: each and each.to_json() for name, each in _pixels(analysis).items()}


def _opening(
    source: Source | OversizedSource, recipe: Recipe | None, outcome: str
) -> dict[str, Any]:
    return {
        "schema": SCHEMA_NAME,
        "outcome": outcome,
        "tool": model.Tool(name="fft-tool", version=__version__),
        "source": model.Source(name=source.name, size=source.size, sha256=source.sha256),
        "recipe": recipe and recipe_section(recipe),
    }


def recipe_section(recipe: Recipe) -> model.Recipe:
    """Section that describes a recipe."""
    return model.Recipe(
        text=str(recipe), sha256=recipe.sha256, values=model.RecipeValues.of(recipe.texts())
    )


def _pixels(analysis: Analysis) -> dict[str, Any]:
    selection, sharp = analysis.selection, analysis.sharpness
    box = selection.box
    return {
        "image": _image(selection),
        "region": model.Region(
            x=box.x, y=box.y, width=box.width, height=box.height, method=selection.method
        ),
        "grey": _grey(analysis.recipe, selection.names),
        "statistics": model.Statistics.of(
            {name: each.to_json() for name, each in analysis.statistics.items()}
        ),
        "sharpness": sharp and model.Sharpness.of(sharp.to_json()),
    }


def _image(selection: Selection) -> model.Image:
    """Properties of the source, from its header."""
    header = selection.header
    height, width = header.shape
    size, scale = header.pixel_size_um, selection.values
    return model.Image(
        format=header.format,
        width=width,
        height=height,
        channels=selection.names,
        depth=header.depth,
        sample_type=header.sample_type,
        values=model.Values.of(dataclasses.asdict(scale)) if scale else None,
        white=selection.white,
        frames=header.frames,
        frame=header.frame,
        orientation=header.orientation,
        pixel_size=size
        and model.PixelSize(x_um=size[0], y_um=size[1], source=str(header.pixel_size_from)),
    )


def _grey(recipe: Recipe, names: tuple[str, ...]) -> model.Grey:
    """How the grey plane was made."""
    from fft_tool.image.grey import LUMA_WEIGHTS  # noqa: PLC0415  (loads numpy)

    red, green, blue = (weight / 65536 for weight in LUMA_WEIGHTS)
    weighted = recipe.channel == "luma" and "red" in names
    return model.Grey(
        channel=recipe.channel,
        luma_weights=model.LumaWeights(red=red, green=green, blue=blue) if weighted else None,
        background=recipe.background if "alpha" in names else None,
    )


def _spectrum(analysis: Analysis) -> model.Spectrum:
    """How the spectrum and its pictures were computed."""
    height, width = analysis.selection.plane.shape
    preparation = analysis.preparation
    jumps = preparation.jumps and preparation.jumps.to_text(preparation.white)
    return model.Spectrum(
        width=width,
        height=height,
        precision=analysis.recipe.precision,
        preparation=model.Preparation.of({**preparation.to_json(), "jumps": jumps}),
        dc=analysis.dc,
        largest_magnitude=analysis.largest if analysis.recipe.magnitude else None,
        scale=analysis.recipe.scale,
        bits=analysis.recipe.bits,
    )


def _filtered(artifacts: Sequence[Artifact]) -> model.Filtered | None:
    """What became of the samples of the filtered image, if there is one."""
    made = next((artifact for artifact in artifacts if artifact.kind == "filtered"), None)
    return model.Filtered.of(made.details) if made and made.details else None


def _certificate(ways: Mapping[str, Certificate], analysis: Analysis) -> model.Certificate:
    """Combine the certificates of all inversions, the best one first."""
    from fft_tool.arrays import sha256_of_levels  # noqa: PLC0415  (loads numpy)

    plain = {name: certificate.to_json() for name, certificate in ways.items()}
    kept = {name: way.correction and way.correction.to_json() for name, way in ways.items()}
    best = next(iter(ways))
    return model.Certificate.of(
        {
            "from": best,
            **plain[best],
            "grey_sha256": sha256_of_levels(analysis.selection.plane),
            "ways": {name: {**plain[name], "correction": kept[name]} for name in ways},
        }
    )
