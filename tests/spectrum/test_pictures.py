"""Pictures compared with numpy's fftshift(fft2), code by code, and recovery of the spectrum."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fft_tool.spectrum.half import Spectrum
from fft_tool.spectrum.pictures import paint, spectrum_from_pictures
from fft_tool.spectrum.scale import SCALES
from fft_tool.spectrum.transform import forward, inverse
from tests.support.images import noise
from tests.support.planes import SMALL_SHAPES, Plane, Shape, planes, read_png, shapes

BITS = (8, 16)
NAMES = tuple(SCALES)
# Error of a coefficient relative to the largest except DC, as in the tests of the transform.
ROUNDING = {"single": 1e-6, "double": 1e-12}


def centred(image: NDArray[Any]) -> NDArray[np.complex128]:
    return np.asarray(np.fft.fftshift(np.fft.fft2(image.astype(np.float64))))


def expected_magnitude(full: NDArray[Any], scale: str, bits: int) -> NDArray[np.float64]:
    """Magnitude codes before rounding, as the design states them."""
    magnitude, top = np.abs(full), 2**bits - 1
    largest = magnitude.max()
    match scale:
        case "log":
            shown, low, high = np.log1p(magnitude), 0.0, np.log1p(largest)
        case "linear":
            shown, low, high = magnitude, 0.0, largest
        case "power":
            shown, low, high = magnitude**2, 0.0, largest**2
        case _:
            floor = np.maximum(magnitude, 1e-6 * largest)
            shown, low, high = 20 * np.log10(floor / (largest or 1)), -120.0, 0.0
    return np.asarray(top * (shown - low) / (high - low))


def circular_distance(
    codes: NDArray[Any], expected: NDArray[Any], bits: int
) -> NDArray[np.float64]:
    """Distance of phase codes around the circle, on which 0 and the highest code coincide."""
    top = 2**bits - 1
    distance = np.abs(codes - expected) % top
    return np.asarray(np.minimum(distance, top - distance))


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("scale", NAMES)
@pytest.mark.parametrize("shape", [*SMALL_SHAPES, (61, 64), (128, 96)])
def test_magnitude_codes_agree_with_numpy(shape: Shape, scale: str, bits: int) -> None:
    image = noise(shape, white=65535)
    codes = paint(forward(image, precision="double"), scale=scale, bits=bits).magnitude.full()
    assert codes.dtype == (np.uint8 if bits == 8 else np.uint16)
    assert np.abs(codes - expected_magnitude(centred(image), scale, bits)).max() <= 0.5 + 1e-6


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("shape", [*SMALL_SHAPES, (61, 64), (128, 96)])
def test_phase_codes_agree_with_numpy(shape: Shape, bits: int) -> None:
    image = noise(shape, white=65535)
    pictures = paint(forward(image, precision="double"), bits=bits)
    assert pictures.phase is not None
    expected = (2**bits - 1) * (np.angle(centred(image)) + np.pi) / (2 * np.pi)
    assert circular_distance(pictures.phase.full(), expected, bits).max() <= 0.5 + 1e-6


@settings(max_examples=100, deadline=None)
@given(
    plane=planes(64, (255, 65535)),
    bits=st.sampled_from(BITS),
    precision=st.sampled_from(("single", "double")),
)
def test_pictures_of_any_image_agree_with_numpy(plane: Plane, bits: int, precision: str) -> None:
    """Within half a code, plus the effect of rounding errors of the transform."""
    full, top = centred(plane), 2**bits - 1
    magnitude = np.abs(full)
    others = magnitude.copy()
    others[plane.shape[0] // 2, plane.shape[1] // 2] = 0
    # The second term is numpy's own, which does not set the mean aside.
    moved = ROUNDING[precision] * max(others.max(), 1.0) + 1e-14 * magnitude.max()
    pictures = paint(forward(plane, precision=precision), bits=bits)
    assert pictures.phase is not None
    if full.any():
        slack = 0.51 + top / np.log1p(magnitude.max()) * np.log1p(moved / (1 + magnitude))
        error = np.abs(pictures.magnitude.full() - expected_magnitude(full, "log", bits))
        assert (error <= slack).all()
    sound = magnitude > 2 * moved
    slack = 0.51 + top / (2 * np.pi) * np.arcsin(moved / magnitude[sound])
    expected = top * (np.angle(full) + np.pi) / (2 * np.pi)
    distance = circular_distance(pictures.phase.full(), expected, bits)[sound]
    assert (distance <= slack).all()


@settings(deadline=None)
@given(shape=shapes())
def test_dc_is_in_the_centre_where_fftshift_puts_it(shape: Shape) -> None:
    codes = paint(forward(np.full(shape, 9, np.uint8))).magnitude.full()
    assert np.argwhere(codes).tolist() == [[shape[0] // 2, shape[1] // 2]]
    assert codes.max() == 255


@settings(max_examples=60, deadline=None)
@given(plane=planes(48), bits=st.sampled_from(BITS))
def test_pictures_are_point_symmetric_about_the_centre(plane: Plane, bits: int) -> None:
    height, width = plane.shape
    pictures = paint(forward(plane, precision="double"), bits=bits)
    assert pictures.phase is not None
    mirror = np.ix_(
        (2 * (height // 2) - np.arange(height)) % height,
        (2 * (width // 2) - np.arange(width)) % width,
    )
    magnitude, phase = pictures.magnitude.full(), pictures.phase.full()
    # The columns that are their own mirror come from two coefficients, each rounded by itself.
    assert np.abs(magnitude.astype(int) - magnitude[mirror]).max() <= 1
    full = np.abs(centred(plane))
    sound = full > 1e-12 * max(full.max(), 1.0)
    total = phase.astype(int) + phase[mirror]
    assert circular_distance(total, np.zeros(1), bits)[sound].max(initial=0) <= 1


@pytest.mark.parametrize("bits", BITS)
def test_the_phase_scale_is_the_full_circle_regardless_of_the_data(bits: int) -> None:
    """A bright pixel near the origin changes phases only slightly, and so the picture."""
    image = np.zeros((40, 50), np.uint8)
    image[0, 0], image[0, 1] = 255, 1
    phase = paint(forward(image), bits=bits).phase
    assert phase is not None
    codes, top = phase.full(), 2**bits - 1
    largest_turn = np.abs(np.angle(centred(image))).max()
    assert largest_turn < 0.01
    assert np.ptp(codes.astype(int)) <= 2 * np.ceil(top * largest_turn / (2 * np.pi)) + 1
    assert np.abs(codes.astype(int) - top / 2).max() <= top * largest_turn / (2 * np.pi) + 1


@pytest.mark.parametrize("bits", BITS)
def test_phases_have_their_documented_codes(bits: int) -> None:
    top = 2**bits - 1
    values = [1, -1, 1j, -1j, complex(-1, -0.0), -1 - 1e-30j, 0, complex(-0.0, -0.0)]
    half: Any = np.array([values], np.complex64)
    phase = paint(Spectrum(half, 15), bits=bits).phase
    assert phase is not None
    middle, quarter = (top + 1) // 2, top / 4
    codes = phase.codes[0].tolist()
    assert codes[0] == codes[6] == codes[7] == middle
    assert codes[1] == codes[4] == top  # π, never -π, whatever the sign of zero
    assert codes[2] == pytest.approx(3 * quarter, abs=0.5)
    assert codes[3] == pytest.approx(quarter, abs=0.5)
    assert codes[5] == 0  # just beyond: -π is the other end of the circle


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("scale", NAMES)
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (8, 8), (300, 301)])
def test_black_image_has_a_black_magnitude_picture(shape: Shape, scale: str, bits: int) -> None:
    pictures = paint(forward(np.zeros(shape, np.uint8)), scale=scale, bits=bits)
    assert pictures.largest == 0
    assert not pictures.magnitude.full().any()
    assert pictures.phase is not None
    # Phase 0 lies between the two middle codes; the mirrored half has the lower of them.
    assert (np.abs(pictures.phase.full() - (2**bits - 1) / 2) == 0.5).all()


@settings(max_examples=60, deadline=None)
@given(plane=planes(64, (255, 65535)), scale=st.sampled_from(NAMES))
def test_strongest_coefficient_has_the_highest_code(plane: Plane, scale: str) -> None:
    spectrum = forward(plane)
    pictures = paint(spectrum, scale=scale)
    assert pictures.largest == pytest.approx(float(np.abs(spectrum.half).max()), rel=1e-6)
    assert pictures.magnitude.full().max() == (255 if plane.any() else 0)


def test_known_largest_magnitude_gives_the_same_pictures() -> None:
    """For an image it is the DC coefficient, which saves a pass over the spectrum."""
    spectrum = forward(noise((64, 48)))
    found, known = paint(spectrum, bits=16), paint(spectrum, bits=16, largest=spectrum.dc)
    assert np.array_equal(found.magnitude.codes, known.magnitude.codes)


@pytest.mark.parametrize("scale", NAMES)
def test_magnitude_above_the_largest_does_not_wrap_around_to_black(scale: str) -> None:
    spectrum = forward(noise((16, 16)))
    for bits, top in ((8, 255), (16, 65535)):
        pictures = paint(spectrum, scale=scale, bits=bits, largest=spectrum.dc * 0.99)
        assert pictures.magnitude.full()[8, 8] == top


def test_phase_picture_is_left_out_on_request() -> None:
    assert paint(forward(noise((4, 4))), phase=False).phase is None


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("shape", SMALL_SHAPES)
def test_png_of_a_picture_holds_its_codes(shape: Shape, bits: int) -> None:
    pictures = paint(forward(noise(shape)), bits=bits)
    assert pictures.phase is not None
    for picture in (pictures.magnitude, pictures.phase):
        assert picture.bits == bits
        assert picture.shape == shape
        assert np.array_equal(read_png(picture.to_png()), picture.full())


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("shape", [(1, 1), (7, 10), (700, 900)])
def test_colour_png_holds_the_codes_looked_up_in_the_table(shape: Shape, threads: int) -> None:
    table = np.random.default_rng(1).integers(0, 256, (256, 3), dtype=np.uint8)
    pictures = paint(forward(noise(shape)))
    assert pictures.phase is not None
    for picture in (pictures.magnitude, pictures.phase):
        seen = read_png(picture.to_png(table=table, threads=threads))
        assert np.array_equal(seen, table[picture.full()])


def test_any_number_of_threads_gives_the_same_bytes() -> None:
    spectrum = forward(noise((900, 700)))
    pictures = [paint(spectrum, bits=16, threads=threads) for threads in (1, 3)]
    assert pictures[0].magnitude.to_png() == pictures[1].magnitude.to_png(threads=3)
    assert pictures[0].phase is not None
    assert pictures[1].phase is not None
    assert pictures[0].phase.to_png() == pictures[1].phase.to_png(threads=2)


@settings(max_examples=80, deadline=None)
@given(plane=planes(64, (255, 65535)), bits=st.sampled_from(BITS))
def test_the_spectrum_is_recovered_from_pictures_within_half_a_code(
    plane: Plane, bits: int
) -> None:
    """At most half a step of log(1 + m) in magnitude, and half a step of the circle in phase."""
    spectrum = forward(plane, precision="double")
    pictures = paint(spectrum, bits=bits)
    assert pictures.phase is not None
    back = spectrum_from_pictures(
        pictures.magnitude.full(),
        pictures.phase.full(),
        scale="log",
        largest=pictures.largest,
        precision="double",
    )
    assert back.width == spectrum.width
    magnitude, top = np.abs(spectrum.half), 2**bits - 1
    radial = (1 + magnitude) * np.expm1(np.log1p(pictures.largest) / top / 2)
    across = (magnitude + radial) * np.pi / top
    bound = np.hypot(radial, across) * (1 + 1e-6) + 1e-9
    assert (np.abs(back.half - spectrum.half) <= bound).all()


@pytest.mark.parametrize("scale", NAMES)
def test_spectra_are_recovered_from_pictures_on_every_scale(scale: str) -> None:
    """Approximately, for one wave over a constant, whose few coefficients any scale can hold."""
    columns = np.arange(64)[None, :] + np.zeros((48, 1))
    image = np.rint(128 + 100 * np.cos(2 * np.pi * columns / 8)).astype(np.uint8)
    pictures = paint(forward(image), scale=scale, bits=16)
    assert pictures.phase is not None
    back = spectrum_from_pictures(
        pictures.magnitude.full(), pictures.phase.full(), scale=scale, largest=pictures.largest
    )
    assert back.half.dtype == np.complex64
    np.testing.assert_allclose(inverse(back), image, atol=2)


@pytest.mark.parametrize("shape", [(4, 6), (5, 6), (4, 7), (5, 7), (1, 1), (1, 2), (2, 1)])
def test_self_conjugate_coefficients_are_recovered_as_real(shape: Shape) -> None:
    pictures = paint(forward(noise(shape)), bits=8)
    assert pictures.phase is not None
    back = spectrum_from_pictures(
        pictures.magnitude.full(), pictures.phase.full(), scale="log", largest=pictures.largest
    )
    for row in {0, shape[0] // 2} if shape[0] % 2 == 0 else {0}:
        for column in {0, shape[1] // 2} if shape[1] % 2 == 0 else {0}:
            assert back.half[row, column].imag == 0


def test_magnitude_and_phase_may_differ_in_depth() -> None:
    spectrum = forward(noise((9, 12)), precision="double")
    deep, shallow = paint(spectrum, bits=16), paint(spectrum, bits=8)
    assert shallow.phase is not None
    back = spectrum_from_pictures(
        deep.magnitude.full(), shallow.phase.full(), scale="log", largest=deep.largest
    )
    assert np.abs(np.abs(back.half) / np.abs(spectrum.half) - 1).max() < 1e-3
