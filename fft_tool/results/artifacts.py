"""Artifacts: from what was computed to named files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fft_tool import __version__
from fft_tool.codec import image_file, png_encode
from fft_tool.image.selection import Selection
from fft_tool.recipe import Recipe
from fft_tool.results.naming import RECORD, output_name
from fft_tool.results.outputs import Artifact, Source
from fft_tool.spectrum.half import Spectrum
from fft_tool.spectrum.pictures import HalfPicture, Pictures
from fft_tool.spectrum.preparation import Preparation
from fft_tool.spectrum.transform import forward

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
        from fft_tool.results.record import to_bytes  # noqa: PLC0415  (not every recipe needs it)

        return self.artifact(RECORD, to_bytes(document))

    @property
    def provenance(self) -> dict[str, str]:
        """Texts inside every picture: what made it, from what."""
        return provenance(self.source, self.recipe)

    def extras(
        self, selection: Selection, preparation: Preparation, spectrum: Spectrum
    ) -> Iterator[Artifact]:
        """Give all that the recipe asks for beside the two pictures."""
        if selection.method != "whole":
            yield self.crop(selection)
        if self.recipe.histogram:
            yield self.artifact("histogram", self._histogram(selection))
        if self.recipe.filter:
            yield self.filtered(selection)
        if self.recipe.spectrum:
            from fft_tool.results.spectrum_file import save_spectrum  # noqa: PLC0415  (few recipes need it)

            yield self.artifact("spectrum", save_spectrum(spectrum, preparation, self.provenance))

    def crop(self, selection: Selection) -> Artifact:
        """Give the region that was analysed, with all its channels."""
        return self.artifact("crop", self._image(selection.channels, selection))

    def filtered(self, selection: Selection) -> Artifact:
        """Give the grey plane, filtered."""
        from fft_tool.spectrum.filters import apply_filters  # noqa: PLC0415  (few recipes need it)
        from fft_tool.spectrum.inversion import restore_plane  # noqa: PLC0415

        spectrum = forward(selection.plane, precision=self.recipe.precision, threads=self.threads)
        spectrum = apply_filters(spectrum, self.recipe.filter or (), threads=self.threads)
        untouched = Preparation(selection.white)
        plane = restore_plane(spectrum, untouched, threads=self.threads)
        return self.artifact("filtered", self._image(plane, selection))

    def pictures(self, pictures: Pictures) -> Iterator[Artifact]:
        """Give the phase picture, if wanted, and at the end the magnitude picture."""
        if pictures.phase is not None:
            yield self.artifact("phase", self._picture(pictures.phase, "cyclic"))
        yield self.artifact("magnitude", self._picture(pictures.magnitude, "sequential"))

    def _picture(self, picture: HalfPicture, colours: str) -> bytes:
        table = None
        if self.recipe.colour:
            from fft_tool.spectrum import colourmap  # noqa: PLC0415  (few recipes need it)

            table = getattr(colourmap, colours)()
        return picture.to_png(table=table, text=self.provenance, threads=self.threads)

    def _image(self, pixels: Plane, selection: Selection) -> bytes:
        return image_file.encode_image(
            pixels,
            selection.white,
            pixel_size_um=selection.header.pixel_size_um,
            text=self.provenance,
            threads=self.threads,
        )

    def _histogram(self, selection: Selection) -> bytes:
        from fft_tool.image.statistics import describe  # noqa: PLC0415
        from fft_tool.results.histogram import histogram_picture  # noqa: PLC0415

        statistics = describe(
            selection.plane, white=selection.white, threshold=self.recipe.threshold
        )
        return png_encode.encode(histogram_picture(statistics), text=self.provenance)


def provenance(source: Source, recipe: Recipe) -> dict[str, str]:
    """Texts that tell of a picture what made it, from what and how."""
    return {
        "Software": f"fft-tool {__version__}",
        "Source-SHA256": source.sha256,
        "Recipe": str(recipe),
    }
