"""Reconstruction: from a record or a saved spectrum, and the artifacts beside it, to an image."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from fft_tool.arrays import Plane, sha256_of_levels
from fft_tool.codec.image_file import encode_image
from fft_tool.errors import BadArtifact, ChangedArtifact, NotInvertible
from fft_tool.limits import Limits
from fft_tool.results import record as records
from fft_tool.results.correction import Correction
from fft_tool.results.spectrum_file import GREY_SHA256, load_spectrum, spectrum_text
from fft_tool.spectrum.half import Spectrum
from fft_tool.spectrum.inversion import Inversion, check_shape, restore_plane, spectrum_of_pictures
from fft_tool.spectrum.preparation import Preparation
from fft_tool.validate import Json, whole

Read = Callable[[str], bytes]


@dataclass(frozen=True, slots=True)
class Reconstruction:
    """A reconstructed image.

    Attributes
    ----------
    data
        PNG bytes.
    way
        What it was made from: "pictures" or "spectrum".
    exact
        Whether its grey levels are those that were analysed. Their hash is compared with that in
        the record or the saved spectrum; without one, the record's certificate is believed. None
        if it is unknown.
    max_abs_error
        Largest error in grey levels; None if it is unknown.
    corrected_pixels
        Number of pixels whose grey level was taken from the record's correction.
    source_sha256
        SHA-256 of the source, in hexadecimal; None if it is unknown.
    warnings
        What the user should know, above all anything that makes it inexact.
    """

    data: bytes
    way: str
    exact: bool | None
    max_abs_error: int | None
    corrected_pixels: int
    source_sha256: str | None
    warnings: tuple[str, ...]

    def to_json(self) -> Json:
        """Return plain values, without the image."""
        return {
            "from": self.way,
            "exact": self.exact,
            "max_abs_error": self.max_abs_error,
            "corrected_pixels": self.corrected_pixels,
            "warnings": list(self.warnings),
        }


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known about the image before it is reconstructed; None if it is not."""

    source_sha256: str | None = None
    grey_sha256: str | None = None
    exact: bool | None = None
    max_abs_error: int | None = None
    correction: Correction | None = None
    pixel_size_um: tuple[float, float] | None = None
    changed: Sequence[str] = ()
    """Names of artifacts that are not those that the record lists."""


def reconstruct(
    name: str,
    read: Read,
    *,
    way: str | None = None,
    force: bool = False,
    limits: Limits | None = None,
    threads: int = 1,
) -> Reconstruction:
    """Reconstruct an image from ``name``, a record (``.json``) or a saved spectrum (``.npz``).

    Parameters
    ----------
    name
        Name of the record or the spectrum.
    read
        Reads a file in the folder of ``name``.
    way
        "pictures" or "spectrum". By default the saved spectrum is used if there is one, since it
        loses least.
    force
        Use artifacts even if they are not those that the record lists.
    limits
        Checked against the size stated in the record or spectrum before pictures are read.
    threads
        Number of threads; the result does not depend on it.
    """
    limits = limits or Limits()
    if name.endswith(".npz"):
        return _from_saved(read(name), limits, threads)
    record = records.from_bytes(read(name))
    artifacts = _Artifacts(record, read, force=force)
    way = way or ("spectrum" if "spectrum" in artifacts else "pictures")
    if way == "spectrum":
        spectrum, preparation = load_spectrum(artifacts.get("spectrum"), limits)
    else:
        artifacts.check_listed("magnitude", "phase")
        inversion = Inversion.from_record(record)
        check_shape(inversion.shape, limits)
        preparation = inversion.preparation
        magnitude, phase = artifacts.get("magnitude"), artifacts.get("phase")
        spectrum = spectrum_of_pictures(magnitude, phase, inversion, threads=threads)
    known = _known(record, way, spectrum.shape, preparation.white, artifacts.changed)
    return _restored(spectrum, preparation, way, known, threads)


def _from_saved(data: bytes, limits: Limits, threads: int) -> Reconstruction:
    spectrum, preparation = load_spectrum(data, limits)
    text = spectrum_text(data)
    known = _Known(text.get("Source-SHA256"), text.get(GREY_SHA256))
    return _restored(spectrum, preparation, "spectrum", known, threads)


class _Artifacts:
    """The artifacts listed in a record; ``changed`` names those whose hash differs."""

    def __init__(self, record: Json, read: Read, *, force: bool) -> None:
        if record.get("outcome") != "done":
            raise NotInvertible("the source was rejected: there are no artifacts to invert")
        self._listed = records.listed_artifacts(record)
        self._read, self._force = read, force
        self.changed: list[str] = []

    def __contains__(self, kind: str) -> bool:
        return kind in self._listed

    def check_listed(self, *kinds: str) -> None:
        """Raise an error if an artifact was never made."""
        for kind in kinds:
            if kind not in self._listed:
                remedy = "with --spectrum" if kind == "spectrum" else f"without --no-{kind}"
                raise NotInvertible(
                    f"the record lists no {kind}: analyse the source again, {remedy}"
                )

    def get(self, kind: str) -> bytes:
        """Read an artifact; raise an error if it is not the one that the record lists."""
        self.check_listed(kind)
        listed = self._listed[kind]
        data = self._read(listed.name)
        if hashlib.sha256(data).hexdigest() != listed.sha256:
            if not self._force:
                raise ChangedArtifact(
                    f"{listed.name} is not the file that the record lists: it was changed, or "
                    "belongs to another image"
                )
            self.changed.append(listed.name)
        return data


def _known(
    record: Json, way: str, shape: tuple[int, int], white: int, changed: Sequence[str]
) -> _Known:
    """Read what a record says about an inversion; BadArtifact if it makes no sense."""
    try:
        certificate, source_sha256 = record["certificate"], _typed(record["source"]["sha256"], str)
        pixel_size_um = records.pixel_size_um(record)
        if certificate is None:
            return _Known(source_sha256, pixel_size_um=pixel_size_um, changed=changed)
        own = certificate["ways"][way]
        correction = own.get("correction")
        return _Known(
            source_sha256,
            _typed(certificate.get("grey_sha256"), str | None),
            _typed(own["exact"], bool),
            whole(own["max_abs_error"], 0, 65535),
            None if correction is None else Correction.from_json(correction, shape, white),
            pixel_size_um,
            changed,
        )
    except KeyError as exc:
        raise BadArtifact(f"the record is damaged: it lacks {exc}") from exc
    except (TypeError, ValueError, AttributeError) as exc:
        raise BadArtifact(f"the certificate in the record is damaged: {exc}") from exc


def _typed(value: Any, kind: Any) -> Any:
    if not isinstance(value, kind):
        raise TypeError(f"{value!r} has the wrong type")
    return value


def _restored(
    spectrum: Spectrum, preparation: Preparation, way: str, known: _Known, threads: int
) -> Reconstruction:
    lost = preparation.at(spectrum.shape).lost_pixels()
    plane = restore_plane(spectrum, preparation, threads=threads)
    if known.correction:
        known.correction.apply(plane)
    exact = _is_exact(plane, known)
    error = 0 if exact else _stated_error(known)
    warnings = [f"{name} is not the file that the record lists" for name in known.changed]
    if exact is not True:
        warnings += _doubts(known, exact, error, preparation.white)
        warnings += [f"{lost:,} pixels were suppressed by the window and are lost"] if lost else []
    return Reconstruction(
        encode_image(plane, preparation.white, pixel_size_um=known.pixel_size_um, threads=threads),
        way,
        exact,
        error,
        known.correction.pixels if known.correction else 0,
        known.source_sha256,
        tuple(warnings),
    )


def _is_exact(plane: Plane, known: _Known) -> bool | None:
    """Tell whether these are the grey levels that were analysed; None if it is unknown."""
    if known.grey_sha256 is not None:
        return sha256_of_levels(plane) == known.grey_sha256
    return None if known.changed else known.exact


def _stated_error(known: _Known) -> int | None:
    """Return the largest error of an inexact image, if the record states it."""
    return None if known.changed or known.exact is not False else known.max_abs_error


def _doubts(known: _Known, exact: bool | None, error: int | None, white: int) -> list[str]:
    """Explain why an image is not exact, or may not be."""
    if exact is None:
        return ["whether it is exact is unknown: neither record nor spectrum states it"]
    if error is not None:
        return [f"not exact: grey levels are off by up to {error:,} of {white:,}"]
    if known.exact and not known.changed:
        return ["not exact, although the record says so: the image differs from the one analysed"]
    return ["not exact: the image differs from the one analysed"]
