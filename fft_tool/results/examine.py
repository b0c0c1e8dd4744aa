"""What a record says of a source: statistics, measures, and the certificate of the artifacts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fft_tool.image.selection import Selection
from fft_tool.image.sharpness import sharpness
from fft_tool.image.statistics import describe
from fft_tool.measures.measure import measure
from fft_tool.parallel import run_all
from fft_tool.recipe import Recipe
from fft_tool.results import record
from fft_tool.results.certificate import Certificate, certify
from fft_tool.results.outputs import Artifact, Source
from fft_tool.results.spectrum_file import load_spectrum
from fft_tool.spectrum.half import Spectrum
from fft_tool.spectrum.inversion import Inversion, spectrum_of_pictures
from fft_tool.spectrum.preparation import Preparation

Json = dict[str, Any]
Plane = NDArray[np.unsignedinteger[Any]]


class Examination:
    """All that can be said before the artifacts exist; they complete it to a record."""

    def __init__(
        self,
        selection: Selection,
        recipe: Recipe,
        preparation: Preparation,
        spectrum: Spectrum,
        *,
        threads: int = 1,
    ) -> None:
        self._selection, self._recipe, self._preparation = selection, recipe, preparation
        self._shape, self._dc = spectrum.shape, spectrum.dc
        size = _pixel_size(selection, recipe)
        pixels, measures = run_all(
            [
                lambda: pixel_findings(selection, recipe),
                lambda: measure(spectrum, pixel_size_um=size).to_json(),
            ],
            threads=threads,
        )
        self._findings = {**pixels, "measures": measures}

    def record(
        self, source: Source, largest: float, artifacts: Sequence[Artifact], *, threads: int = 1
    ) -> Json:
        """Give the record, with a certificate of the ``artifacts`` as they are to be written.

        ``largest`` is the magnitude of the strongest coefficient, which scales the pictures.
        """
        spectrum = self._spectrum_section(largest)
        ways = dict(self._certificates(artifacts, {"spectrum": spectrum}, threads))
        findings = {**self._findings, "spectrum": spectrum, "certificate": _summary(ways)}
        return record.done(source, self._recipe, findings, artifacts)

    def _spectrum_section(self, largest: float) -> Json:
        return {
            "width": self._shape[1],
            "height": self._shape[0],
            "precision": self._recipe.precision,
            "preparation": self._preparation.to_json(),
            "dc": self._dc,
            "largest_magnitude": largest,
            "scale": self._recipe.scale,
            "bits": self._recipe.bits,
        }

    def _certificates(
        self, artifacts: Sequence[Artifact], sections: Json, threads: int
    ) -> Iterator[tuple[str, Certificate]]:
        """Certificates of every way back that the artifacts offer, the best first."""
        data = {artifact.kind: artifact.data for artifact in artifacts}
        plane = self._selection.plane
        if "spectrum" in data:
            spectrum, preparation = load_spectrum(data["spectrum"])
            yield "spectrum", certify(spectrum, preparation, plane, threads=threads)
        if "phase" in data and not self._recipe.colour:
            inversion = Inversion.from_record(sections)
            spectrum = spectrum_of_pictures(
                data["magnitude"], data["phase"], inversion, threads=threads
            )
            yield "pictures", certify(spectrum, inversion.preparation, plane, threads=threads)


def pixel_findings(selection: Selection, recipe: Recipe) -> Json:
    """Sections of the record that describe the source and its pixels."""
    sharp = sharpness(selection.plane, white=selection.white)
    return {
        "image": record.image_section(selection.header, selection.white, selection.names),
        "region": record.region_section(selection.box, selection.method),
        "grey": record.grey_section(recipe, selection.names),
        "statistics": dict(_statistics(selection, recipe)),
        "sharpness": sharp and sharp.to_json(),
    }


def _statistics(selection: Selection, recipe: Recipe) -> Iterator[tuple[str, Json]]:
    """Statistics of the grey plane and, if that is not all there is, of each channel."""
    planes: list[tuple[str, Plane]] = [("grey", selection.plane)]
    if selection.names != ("grey",):
        planes += [(name, selection.channels[:, :, i]) for i, name in enumerate(selection.names)]
    described: set[str] = set()
    for name, plane in planes:
        if name not in described:  # a grey image with alpha has a channel of that name too
            described.add(name)
            yield name, describe(plane, white=selection.white, threshold=recipe.threshold).to_json()


def _pixel_size(selection: Selection, recipe: Recipe) -> tuple[float, float] | None:
    """Pixel size (x, y) in micrometres: the recipe's word goes before the source's."""
    if recipe.pixel_size:
        return recipe.pixel_size, recipe.pixel_size
    return selection.header.pixel_size_um


def _summary(ways: dict[str, Certificate]) -> Json | None:
    """The best way back, and all of them."""
    if not ways:
        return None
    best = next(iter(ways))
    return {
        "from": best,
        **ways[best].to_json(),
        "ways": {name: certificate.to_json() for name, certificate in ways.items()},
    }
