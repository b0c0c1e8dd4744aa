"""Records, pictures and spectra that cannot be inverted are rejected with a clear message."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from fft_tool.errors import BadArtifact, NotInvertible
from fft_tool.results.spectrum_file import load_spectrum, save_spectrum
from fft_tool.spectrum.inversion import Inversion, spectrum_of_pictures
from fft_tool.spectrum.preparation import Preparation
from fft_tool.spectrum.transform import forward
from tests.support.images import noise, png_bytes
from tests.support.planes import Plane, planes


def spectrum_section(**changes: Any) -> dict[str, Any]:
    section = {
        "width": 6,
        "height": 4,
        "precision": "single",
        "preparation": Preparation(255).to_json(),
        "scale": "log",
        "largest_magnitude": 1000.0,
    }
    return {"spectrum": section | changes}


def test_a_record_is_enough_to_invert() -> None:
    expected = Inversion((4, 6), Preparation(255), "single", "log", 1000.0)
    assert Inversion.from_record(spectrum_section()) == expected


@pytest.mark.parametrize("key", list(spectrum_section()["spectrum"]))
def test_a_record_that_lacks_a_key_is_rejected(key: str) -> None:
    record = spectrum_section()
    del record["spectrum"][key]
    with pytest.raises(BadArtifact, match="the record does not say"):
        Inversion.from_record(record)


NAN, INFINITY = float("nan"), float("inf")
FALSE_VALUES: dict[str, list[Any]] = {
    "width": [None, "wide", [], INFINITY, 0, -6],
    "height": [None, "high", {}, INFINITY, 0, -4],
    "precision": ["half", None, 32],
    "preparation": [None, [], {}, "none", {"white": 0}],
    "scale": ["cube root", None, 7],
    "largest_magnitude": [None, "large", [], NAN, INFINITY, -1.0],
}


@pytest.mark.parametrize(
    ("key", "value"), [(key, value) for key, values in FALSE_VALUES.items() for value in values]
)
def test_a_record_with_an_invalid_value_is_rejected(key: str, value: Any) -> None:
    with pytest.raises(BadArtifact):
        Inversion.from_record(spectrum_section(**{key: value}))


@pytest.mark.parametrize("record", [{}, {"spectrum": None}, {"spectrum": []}, {"spectrum": "x"}])
def test_a_record_without_a_spectrum_is_rejected(record: dict[str, Any]) -> None:
    with pytest.raises(BadArtifact):
        Inversion.from_record(record)


def test_pictures_of_another_size_are_rejected_and_both_sizes_named() -> None:
    inversion = Inversion.from_record(spectrum_section())
    good, other = png_bytes(noise((4, 6))), png_bytes(noise((6, 4)))
    with pytest.raises(BadArtifact, match=r"magnitude picture has 4 x 6 .* says 6 x 4"):
        spectrum_of_pictures(other, good, inversion)
    with pytest.raises(BadArtifact, match=r"phase picture has 4 x 6 .* says 6 x 4"):
        spectrum_of_pictures(good, other, inversion)


@pytest.mark.parametrize("channels", [2, 3, 4])
def test_colour_pictures_cannot_be_inverted(channels: int) -> None:
    inversion = Inversion.from_record(spectrum_section())
    coloured = png_bytes(np.zeros((4, 6, channels), np.uint8))
    with pytest.raises(NotInvertible, match="in colour"):
        spectrum_of_pictures(coloured, coloured, inversion)


@pytest.mark.parametrize("data", [b"", b"junk", png_bytes(noise((4, 6)))[:-20]])
def test_damaged_pictures_are_rejected(data: bytes) -> None:
    inversion = Inversion.from_record(spectrum_section())
    with pytest.raises(BadArtifact, match="the magnitude picture is damaged"):
        spectrum_of_pictures(data, data, inversion)


@settings(max_examples=60, deadline=None)
@given(plane=planes(40, (255, 65535)))
def test_saved_spectrum_is_read_back_bit_for_bit(plane: Plane) -> None:
    for precision in ("single", "double"):
        spectrum = forward(plane, precision=precision)
        preparation = Preparation(65535, "hann", "linear", periodic=False)
        loaded, how = load_spectrum(save_spectrum(spectrum, preparation))
        assert loaded.half.tobytes() == spectrum.half.tobytes()
        assert (loaded.half.dtype, loaded.width, how) == (
            spectrum.half.dtype,
            spectrum.width,
            preparation,
        )


def test_saved_spectrum_is_the_same_file_each_time() -> None:
    spectrum = forward(noise((5, 6)))
    assert save_spectrum(spectrum, Preparation(255)) == save_spectrum(spectrum, Preparation(255))


def npz(**changes: Any) -> bytes:
    buffer = io.BytesIO()
    arrays = {
        "half": np.ones((4, 4), np.complex64),
        "shape": np.array([4, 6]),
        "preparation": np.array(json.dumps(Preparation(255).to_json())),
    }
    np.savez(buffer, **{key: v for key, v in (arrays | changes).items() if v is not None})
    return buffer.getvalue()


def _npy() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.ones(3))
    return buffer.getvalue()


NOT_SPECTRA = {
    "nothing": b"",
    "junk": b"junk",
    "a picture": png_bytes(noise((4, 6))),
    "an array alone": _npy(),
    "cut off": npz()[:-30],
    "without half": npz(half=None),
    "without shape": npz(shape=None),
    "without preparation": npz(preparation=None),
    "real half": npz(half=np.ones((4, 4), np.float32)),
    "half of objects": npz(half=np.array([[None]])),
    "half of another height": npz(half=np.ones((5, 4), np.complex64)),
    "half of another width": npz(half=np.ones((4, 5), np.complex64)),
    "half of three axes": npz(half=np.ones((4, 4, 1), np.complex64)),
    "half without rows": npz(half=np.ones((0, 4), np.complex64), shape=np.array([0, 6])),
    "half with NaN": npz(half=np.full((4, 4), np.nan, np.complex64)),
    "half with infinity": npz(half=np.full((4, 4), np.inf, np.complex64)),
    "no width": npz(half=np.ones((4, 1), np.complex64), shape=np.array([4, 0])),
    "fractional shape": npz(shape=np.array([4.0, 6.5])),
    "floating shape": npz(shape=np.array([4.0, 6.0])),
    "shape of three": npz(shape=np.array([4, 6, 1])),
    "shape of text": npz(shape=np.array(["4", "6"])),
    "preparation of junk": npz(preparation=np.array("junk")),
    "preparation of a list": npz(preparation=np.array("[1, 2]")),
    "preparation out of range": npz(preparation=np.array('{"white": 0}')),
    "preparation too deep": npz(preparation=np.array("[" * 100_000)),
}


@pytest.mark.parametrize("what", NOT_SPECTRA)
def test_other_files_are_rejected_as_spectra(what: str) -> None:
    with pytest.raises(BadArtifact, match="not a spectrum saved by fft-tool") as refused:
        load_spectrum(NOT_SPECTRA[what])
    words = str(refused.value).lower()
    assert not any(word in words for word in ("pickle", "numpy", "zip", "traceback", "object"))


JUMPS = np.arange(-5, 5)


def periodic(jumps: Any) -> bytes:
    values = Preparation(255, periodic=True).to_json()
    return npz(preparation=np.array(json.dumps(values)), jumps=jumps)


def test_jumps_are_read_from_a_saved_spectrum() -> None:
    _, preparation = load_spectrum(periodic(JUMPS))
    assert preparation.jumps is not None
    assert preparation.jumps.across.tolist() == [-5, -4, -3, -2, -1, 0]
    assert preparation.jumps.down.tolist() == [1, 2, 3, 4]
    assert load_spectrum(npz(jumps=JUMPS))[1].jumps is None  # nothing was taken out


@pytest.mark.parametrize(
    "jumps",
    [
        JUMPS[:-1],
        JUMPS[None],
        JUMPS.astype(float),
        JUMPS * 100,
        np.array("junk"),
        np.array([None] * 10),
    ],
    ids=["too few", "two axes", "floating", "out of range", "text", "objects"],
)
def test_jumps_that_make_no_sense_are_refused(jumps: Any) -> None:
    with pytest.raises(BadArtifact, match="not a spectrum saved by fft-tool"):
        load_spectrum(periodic(jumps))


def test_the_valid_counterpart_of_all_these_is_accepted() -> None:
    spectrum, preparation = load_spectrum(npz())
    assert (spectrum.shape, preparation) == ((4, 6), Preparation(255))


@pytest.mark.parametrize("flip", [0xFF, 0x01, 0x10])
def test_a_saved_spectrum_with_any_byte_changed_is_rejected_or_reads_the_same(flip: int) -> None:
    sound = npz()
    for position in range(len(sound)):
        damaged = bytearray(sound)
        damaged[position] ^= flip
        try:
            spectrum, preparation = load_spectrum(bytes(damaged))
        except BadArtifact:
            continue
        assert (spectrum.half == 1).all(), position
        assert preparation == Preparation(255), position
