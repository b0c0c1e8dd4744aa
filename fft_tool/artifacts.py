"""Artifacts: from what was computed to named files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fft_tool import __version__, codec, pngwrite
from fft_tool.naming import RECORD, output_name
from fft_tool.outputs import Artifact, Source
from fft_tool.picture import HalfPicture, Pictures
from fft_tool.prepare import Preparation
from fft_tool.recipe import Recipe
from fft_tool.spectrum import Spectrum
from fft_tool.subject import Subject
from fft_tool.transform import forward

Plane = NDArray[np.unsignedinteger[Any]]


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes the artifacts of one source."""

    source: Source
    recipe: Recipe
    threads: int

    def artifact(self, kind: str, data: bytes) -> Artifact:
        """Name some bytes."""
        return Artifact(kind, output_name(self.source.name, kind), data)

    def record(self, document: dict[str, Any]) -> Artifact:
        """Give the record."""
        from fft_tool.record import to_bytes  # noqa: PLC0415  (not every recipe needs it)

        return self.artifact(RECORD, to_bytes(document))

    @property
    def provenance(self) -> dict[str, str]:
        """Texts inside every picture: what made it, from what."""
        return provenance(self.source, self.recipe)

    def extras(
        self, subject: Subject, preparation: Preparation, spectrum: Spectrum
    ) -> Iterator[Artifact]:
        """Give all that the recipe asks for beside the two pictures."""
        if subject.method != "whole":
            yield self.crop(subject)
        if self.recipe.histogram:
            yield self.artifact("histogram", self._histogram(subject))
        if self.recipe.filter:
            yield self.filtered(subject)
        if self.recipe.spectrum:
            from fft_tool.invert import save_spectrum  # noqa: PLC0415  (few recipes need it)

            yield self.artifact("spectrum", save_spectrum(spectrum, preparation, self.provenance))

    def crop(self, subject: Subject) -> Artifact:
        """Give the region that was analysed, with all its channels."""
        return self.artifact("crop", self._image(subject.channels, subject))

    def filtered(self, subject: Subject) -> Artifact:
        """Give the grey plane, filtered."""
        from fft_tool.filters import apply_filters  # noqa: PLC0415  (few recipes need it)
        from fft_tool.invert import restore_plane  # noqa: PLC0415

        spectrum = forward(subject.plane, precision=self.recipe.precision, threads=self.threads)
        spectrum = apply_filters(spectrum, self.recipe.filter or (), threads=self.threads)
        untouched = Preparation(subject.white)
        plane = restore_plane(spectrum, untouched, threads=self.threads)
        return self.artifact("filtered", self._image(plane, subject))

    def pictures(self, pictures: Pictures) -> Iterator[Artifact]:
        """Give the phase picture, if wanted, and at the end the magnitude picture."""
        if pictures.phase is not None:
            yield self.artifact("phase", self._picture(pictures.phase, "cyclic"))
        yield self.artifact("magnitude", self._picture(pictures.magnitude, "sequential"))

    def _picture(self, picture: HalfPicture, colours: str) -> bytes:
        table = None
        if self.recipe.colour:
            from fft_tool import colourmap  # noqa: PLC0415  (few recipes need it)

            table = getattr(colourmap, colours)()
        return picture.to_png(table=table, text=self.provenance, threads=self.threads)

    def _image(self, pixels: Plane, subject: Subject) -> bytes:
        return codec.encode_image(
            pixels,
            subject.white,
            pixel_size_um=subject.header.pixel_size_um,
            text=self.provenance,
            threads=self.threads,
        )

    def _histogram(self, subject: Subject) -> bytes:
        from fft_tool.histogram import histogram_picture  # noqa: PLC0415
        from fft_tool.stats import describe  # noqa: PLC0415

        statistics = describe(subject.plane, white=subject.white, threshold=self.recipe.threshold)
        return pngwrite.encode(histogram_picture(statistics), text=self.provenance)


def provenance(source: Source, recipe: Recipe) -> dict[str, str]:
    """Texts that tell of a picture what made it, from what and how."""
    return {
        "Software": f"fft-tool {__version__}",
        "Source-SHA256": source.sha256,
        "Recipe": str(recipe),
    }
