"""From a record, or a saved spectrum, and the artifacts beside it back to an image file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

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
    """An image given back.

    Attributes
    ----------
    data
        PNG bytes.
    way
        What it was made of: "pictures" or "spectrum".
    exact
        Whether its grey levels are those that were analysed. They are compared by their hash, or
        if there is none, this is what the record says; None if that says nothing either.
    max_abs_error
        Largest error in grey levels; None where it is not known.
    corrected_pixels
        Pixels whose grey level came from the record's correction.
    warnings
        What the user should know, above all whatever keeps it from being exact.
    """

    data: bytes
    way: str
    exact: bool | None
    max_abs_error: int | None
    corrected_pixels: int
    warnings: tuple[str, ...]

    def to_json(self) -> Json:
        """Plain values, the image left out."""
        return {
            "from": self.way,
            "exact": self.exact,
            "max_abs_error": self.max_abs_error,
            "corrected_pixels": self.corrected_pixels,
            "warnings": list(self.warnings),
        }


@dataclass(frozen=True, slots=True)
class _Promise:
    """What is said of the image that will be given back; None where nothing is."""

    sha256: str | None = None
    exact: bool | None = None
    max_abs_error: int | None = None
    correction: Correction | None = None


def reconstruct(
    name: str,
    read: Read,
    *,
    way: str | None = None,
    force: bool = False,
    limits: Limits | None = None,
    threads: int = 1,
) -> Reconstruction:
    """Give back the image behind ``name``, a record (``.json``) or a saved spectrum (``.npz``).

    ``read`` fetches a file that lies where ``name`` does. ``way`` is "pictures" or "spectrum"; by
    default the saved spectrum is used where there is one, since it loses least. Artifacts that the
    record was not written for are refused, unless ``force`` is given. What a record or a spectrum
    says of its size is held against ``limits`` before pictures are read.
    """
    limits = limits or Limits()
    if name.endswith(".npz"):
        data = read(name)
        spectrum, preparation = load_spectrum(data, limits)
        promise = _Promise(sha256=spectrum_text(data).get(GREY_SHA256))
        return _restored(spectrum, preparation, "spectrum", promise, threads=threads)
    record = records.from_bytes(read(name))
    artifacts = _Artifacts(record, read, force=force)
    way = way or ("spectrum" if "spectrum" in artifacts else "pictures")
    if way == "spectrum":
        spectrum, preparation = load_spectrum(artifacts.get("spectrum"), limits)
    else:
        inversion = Inversion.from_record(record)
        check_shape(inversion.shape, limits)
        preparation = inversion.preparation
        pictures = [artifacts.get(kind) for kind in ("magnitude", "phase")]
        spectrum = spectrum_of_pictures(pictures[0], pictures[1], inversion, threads=threads)
    return _restored(
        spectrum,
        preparation,
        way,
        _promise(record, way, spectrum.shape, preparation.white),
        changed=artifacts.changed,
        pixel_size_um=records.pixel_size_um(record),
        threads=threads,
    )


class _Artifacts:
    """The artifacts that a record lists, found beside it; ``changed`` names those that differ."""

    def __init__(self, record: Json, read: Read, *, force: bool) -> None:
        if record.get("outcome") != "done":
            raise NotInvertible("the source was rejected: there are no artifacts to go back from")
        self._listed = records.listed_artifacts(record)
        self._read, self._force = read, force
        self.changed: list[str] = []

    def __contains__(self, kind: str) -> bool:
        return kind in self._listed

    def get(self, kind: str) -> bytes:
        """Bytes of an artifact, unless they are not those that the record was written for."""
        if kind not in self._listed:
            remedy = "with --spectrum" if kind == "spectrum" else "without --no-phase"
            raise NotInvertible(f"the record lists no {kind}: analyse the source again, {remedy}")
        listed = self._listed[kind]
        data = self._read(listed.name)
        if hashlib.sha256(data).hexdigest() != listed.sha256:
            self.changed.append(listed.name)
            if not self._force:
                raise ChangedArtifact(
                    f"{listed.name} is not the file that the record was written for: it has been "
                    "changed, or belongs to another image"
                )
        return data


def _promise(record: Json, way: str, shape: tuple[int, int], white: int) -> _Promise:
    """Read what the record says of one way back."""
    certificate = record.get("certificate")
    if certificate is None:
        return _Promise()
    try:
        return _read_promise(certificate, certificate["ways"][way], shape, white)
    except (KeyError, TypeError, ValueError) as exc:
        raise BadArtifact(f"the record's certificate does not make sense: {exc}") from exc


def _read_promise(certificate: Json, own: Json, shape: tuple[int, int], white: int) -> _Promise:
    sha256, exact = certificate.get("grey_sha256"), own["exact"]
    if not isinstance(sha256, str | None) or not isinstance(exact, bool):
        raise TypeError("a value is of the wrong type")
    correction = own.get("correction")
    return _Promise(
        sha256,
        exact,
        whole(own["max_abs_error"], 0, 65535),
        None if correction is None else Correction.from_json(correction, shape, white),
    )


def _restored(
    spectrum: Spectrum,
    preparation: Preparation,
    way: str,
    promise: _Promise,
    *,
    changed: list[str] | None = None,
    pixel_size_um: tuple[float, float] | None = None,
    threads: int,
) -> Reconstruction:
    lost = preparation.at(spectrum.shape).lost_pixels()
    plane = restore_plane(spectrum, preparation, threads=threads)
    if promise.correction:
        promise.correction.apply(plane)
    exact = _is_exact(plane, promise, changed or [])
    as_said = exact is not True and not changed and promise.exact is False
    error = 0 if exact else promise.max_abs_error if as_said else None
    warnings = [f"{name} is not the file that the record was written for" for name in changed or []]
    if exact is not True:
        warnings += _doubts(promise, exact, error, preparation.white, lost)
    data = encode_image(plane, preparation.white, pixel_size_um=pixel_size_um, threads=threads)
    corrected = promise.correction.pixels if promise.correction else 0
    return Reconstruction(data, way, exact, error, corrected, tuple(warnings))


def _is_exact(plane: Plane, promise: _Promise, changed: list[str]) -> bool | None:
    """Whether these are the grey levels that were analysed; None if nothing tells."""
    if promise.sha256 is not None:
        return sha256_of_levels(plane) == promise.sha256
    return None if changed else promise.exact


def _doubts(
    promise: _Promise, exact: bool | None, error: int | None, white: int, lost: int
) -> list[str]:
    """Say what is not, or may not be, as it was."""
    texts = []
    if exact is None:
        texts.append("nothing beside the artifacts says whether every grey level has come back")
    elif error is not None:
        texts.append(f"not exact: grey levels are off by up to {error:,} of {white:,}")
    elif promise.exact:
        texts.append("not exact, though the record says so: these are not the grey levels analysed")
    else:
        texts.append("not exact: these are not quite the grey levels that were analysed")
    if lost:
        texts.append(f"{lost:,} pixels were zeroed by the window and cannot come back")
    return texts
