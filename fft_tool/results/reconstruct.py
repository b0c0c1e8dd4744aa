"""From a record, or a saved spectrum, and the artifacts beside it back to an image file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from fft_tool.codec.image_file import encode_image
from fft_tool.errors import NotInvertible
from fft_tool.limits import Limits
from fft_tool.results import record as records
from fft_tool.results.spectrum_file import load_spectrum
from fft_tool.spectrum.half import Spectrum
from fft_tool.spectrum.inversion import Inversion, check_shape, restore_plane, spectrum_of_pictures
from fft_tool.spectrum.preparation import Preparation
from fft_tool.validate import Json

Read = Callable[[str], bytes]


@dataclass(frozen=True, slots=True)
class Reconstruction:
    """An image given back: PNG bytes, and what the user should know about them."""

    data: bytes
    warnings: tuple[str, ...]


def reconstruct(
    name: str,
    read: Read,
    *,
    way: str | None = None,
    limits: Limits | None = None,
    threads: int = 1,
) -> Reconstruction:
    """Give back the image behind ``name``, a record (``.json``) or a saved spectrum (``.npz``).

    ``read`` fetches a file that lies where ``name`` does. ``way`` is "pictures" or "spectrum"; by
    default the saved spectrum is used where there is one, since it loses least. What a record or a
    spectrum says of its size is held against ``limits`` before pictures are read.
    """
    limits = limits or Limits()
    if name.endswith(".npz"):
        spectrum, preparation = load_spectrum(read(name), limits)
        return _restored(spectrum, preparation, None, [], threads)
    record = records.from_bytes(read(name))
    artifacts = _Artifacts(record, read)
    warnings: list[str] = []
    if way == "spectrum" or (way is None and "spectrum" in artifacts):
        spectrum, preparation = load_spectrum(artifacts.get("spectrum", warnings), limits)
    else:
        inversion = Inversion.from_record(record)
        check_shape(inversion.shape, limits)
        preparation = inversion.preparation
        pictures = [artifacts.get(kind, warnings) for kind in ("magnitude", "phase")]
        spectrum = spectrum_of_pictures(pictures[0], pictures[1], inversion, threads=threads)
    return _restored(spectrum, preparation, record, warnings, threads)


class _Artifacts:
    """The artifacts that a record lists, found beside it."""

    def __init__(self, record: Json, read: Read) -> None:
        if record.get("outcome") != "done":
            raise NotInvertible("the source was rejected: there are no artifacts to go back from")
        self._listed = records.listed_artifacts(record)
        self._read = read

    def __contains__(self, kind: str) -> bool:
        return kind in self._listed

    def get(self, kind: str, warnings: list[str]) -> bytes:
        """Bytes of an artifact; a change since it was made is allowed, but told."""
        if kind not in self._listed:
            remedy = "with --spectrum" if kind == "spectrum" else "without --no-phase"
            raise NotInvertible(f"the record lists no {kind}: analyse the source again, {remedy}")
        listed = self._listed[kind]
        data = self._read(listed.name)
        if hashlib.sha256(data).hexdigest() != listed.sha256:
            warnings.append(f"{listed.name} has been changed since the record was written")
        return data


def _restored(
    spectrum: Spectrum,
    preparation: Preparation,
    record: Json | None,
    warnings: list[str],
    threads: int,
) -> Reconstruction:
    lost = preparation.at(spectrum.shape).lost_pixels()
    if lost:
        warnings.append(f"{lost:,} pixels were zeroed by the window and cannot come back")
    plane = restore_plane(spectrum, preparation, threads=threads)
    data = encode_image(
        plane,
        preparation.white,
        pixel_size_um=records.pixel_size_um(record) if record else None,
        threads=threads,
    )
    return Reconstruction(data, tuple(warnings))
