"""Frequency filters: masks compared with closed forms, filtered images, and grammar."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from fft_tool.spectrum.filtering import apply_filters
from fft_tool.spectrum.filters import (
    BandPass,
    Filter,
    HighPass,
    LowPass,
    MaskFilter,
    Notch,
    Stripe,
    format_filters,
    parse_filters,
)
from fft_tool.spectrum.half import Spectrum, frequencies
from fft_tool.spectrum.masks import MaskFile
from tests.support.recipes import MASKS

Shape = tuple[int, int]

SHAPES = [(64, 64), (63, 64), (64, 63), (63, 65), (98, 49), (1, 40), (37, 1), (1, 1), (2, 2)]
KINDS: list[MaskFilter] = [
    LowPass(5),
    LowPass(6.5, 0),
    HighPass(7, 2),
    BandPass(3, 9, 0.25),
]


def gain(mask: MaskFilter, period: float, angle: float = 0.0, shape: Shape = (4096, 4096)) -> float:
    """Gain of a wave of ``period`` px at ``angle`` degrees."""
    turn = math.radians(angle)
    fy, fx = np.array([[math.sin(turn) / period]]), np.array([[math.cos(turn) / period]])
    return float(mask.mask(fy, fx, shape)[0, 0])


# --- masks ---------------------------------------------------------------------------------------


def full_mask(each: MaskFilter, shape: Shape) -> NDArray[np.float32]:
    fy, fx = -np.fft.fftfreq(shape[0])[:, None], np.fft.fftfreq(shape[1])[None, :]
    return each.mask(fy, fx, shape)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("each", KINDS, ids=str)
def test_masks_are_float32_from_0_to_1_and_keep_the_mean(each: MaskFilter, shape: Shape) -> None:
    mask = each.mask(*frequencies(shape), shape)
    assert mask.dtype == np.float32
    assert mask.shape == (shape[0], shape[1] // 2 + 1)
    assert mask.min() >= 0
    assert mask.max() <= 1
    assert mask[0, 0] == 1


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("each", KINDS, ids=str)
def test_a_frequency_and_its_mirror_have_the_same_gain_also_at_nyquist(
    each: MaskFilter, shape: Shape
) -> None:
    mask = full_mask(each, shape)
    mirror = np.roll(mask[::-1, ::-1], (1, 1), axis=(0, 1))
    np.testing.assert_allclose(mask, mirror, atol=1e-6)
    half = each.mask(*frequencies(shape), shape)
    np.testing.assert_allclose(half, mask[:, : shape[1] // 2 + 1], atol=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("each", KINDS, ids=str)
def test_the_filtered_spectrum_belongs_to_a_real_image(each: MaskFilter, shape: Shape) -> None:
    image = np.random.default_rng(1).normal(0, 1, shape)
    result = apply_filters(Spectrum(np.fft.rfft2(image), shape[1]), (each,))
    again = np.fft.rfft2(np.fft.irfft2(result.half, s=shape))
    np.testing.assert_allclose(again, result.half, atol=1e-5 * math.sqrt(image.size))


@pytest.mark.parametrize("each", KINDS, ids=str)
def test_a_mask_by_blocks_of_rows_is_the_mask_of_the_whole(each: MaskFilter) -> None:
    fy, fx = frequencies((50, 34))
    blocks = [each.mask(fy[top : top + 7], fx, (50, 34)) for top in range(0, 50, 7)]
    np.testing.assert_array_equal(np.concatenate(blocks), each.mask(fy, fx, (50, 34)))


@pytest.mark.parametrize("angle", [0.0, 25.0, 90.0, 135.0])
@pytest.mark.parametrize("edge", [0.25, 0.5, 2.0])
def test_lowpass_is_a_raised_cosine_over_log_frequency(edge: float, angle: float) -> None:
    low = LowPass(10, edge)
    assert gain(low, 10, angle) == pytest.approx(0.5, abs=1e-6)
    assert gain(low, 10 * 2 ** (edge / 2 + 0.01), angle) == 1
    assert gain(low, 10 * 2 ** (-edge / 2 - 0.01), angle) == pytest.approx(0, abs=1e-7)
    quarter = 0.5 + math.sqrt(0.5) / 2
    assert gain(low, 10 * 2 ** (edge / 4), angle) == pytest.approx(quarter, abs=1e-5)
    assert gain(low, 10 * 2 ** (-edge / 4), angle) == pytest.approx(1 - quarter, abs=1e-5)


@pytest.mark.parametrize("shape", [(96, 96), (98, 97), (49, 147)])
def test_a_hard_lowpass_keeps_its_own_period_and_longer_ones_whole(shape: Shape) -> None:
    fy, fx = frequencies(shape)
    period = shape[1] / 12
    # In integers, so that bins on the circle are decided exactly: ky² w² + kx² h² <= (12 h)².
    ky, kx = np.rint(fy * shape[0]), np.rint(fx * shape[1])
    inside = (ky * shape[1]) ** 2 + (kx * shape[0]) ** 2 <= (12 * shape[0]) ** 2
    np.testing.assert_array_equal(LowPass(period, 0).mask(fy, fx, shape), inside)


@pytest.mark.parametrize("edge", [0.0, 0.5, 3.0])
@pytest.mark.parametrize("shape", [(64, 64), (81, 50)])
def test_lowpass_and_highpass_add_up_to_everything_but_the_mean_twice(
    shape: Shape, edge: float
) -> None:
    fy, fx = frequencies(shape)
    both = LowPass(6, edge).mask(fy, fx, shape) + HighPass(6, edge).mask(fy, fx, shape)
    assert both[0, 0] == 2
    both[0, 0] = 1
    np.testing.assert_allclose(both, 1, atol=1e-6)


def test_adjacent_bands_with_apart_edges_add_up_to_one_band() -> None:
    fy, fx = frequencies((128, 128))
    near = BandPass(3, 8).mask(fy, fx, (128, 128))
    far = BandPass(8, 30).mask(fy, fx, (128, 128))
    whole = BandPass(3, 30).mask(fy, fx, (128, 128))
    np.testing.assert_allclose((near + far)[fy + fx != 0], whole[fy + fx != 0], atol=1e-6)


@pytest.mark.parametrize(("period", "expected"), [(3.9, 0), (4.2, 1), (11.9, 1), (12.1, 0)])
def test_a_hard_bandpass_keeps_what_lies_between(period: float, expected: float) -> None:
    assert gain(BandPass(4, 12, 0), period, 40) == expected


@pytest.mark.parametrize(
    ("edge", "overshoot"), [(0, 0.09), (0.5, 0.086), (1, 0.079), (2, 0.051), (4, 0.016)]
)
def test_a_step_overshoots_as_the_documentation_says(edge: float, overshoot: float) -> None:
    step = np.zeros((1, 2048))
    step[:, 512:1536] = 1
    half = np.fft.rfft2(step) * LowPass(32, edge).mask(*frequencies((1, 2048)), (1, 2048))
    assert np.fft.irfft2(half, s=(1, 2048)).max() - 1 == pytest.approx(overshoot, abs=0.003)


# --- grammar -------------------------------------------------------------------------------------

periods = st.floats(2, 1e6)
edges = st.just(0.5) | st.floats(0, 10)
angles = st.floats(-1e6, 1e6) | st.floats(-1e-300, 1e300)
any_filter: st.SearchStrategy[Filter] = st.one_of(
    st.builds(LowPass, periods, edges),
    st.builds(HighPass, periods, edges),
    st.builds(BandPass, st.floats(2, 100), st.floats(101, 1e6), edges),
    st.builds(Notch, periods, angles, st.just(0.1) | st.floats(0, 1)),
    st.builds(Stripe, angles, st.just(64.0) | periods),
    MASKS,
)


@given(chain=st.lists(any_filter, min_size=1, max_size=4).map(tuple))
def test_filters_survive_their_text(chain: tuple[Filter, ...]) -> None:
    text = format_filters(chain)
    assert parse_filters(text) == chain
    assert format_filters(parse_filters(text)) == text


@pytest.mark.parametrize(
    ("text", "expected", "canonical"),
    [
        ("lowpass:8", (LowPass(8),), "lowpass:8"),
        ("lowpass:8,0.5", (LowPass(8),), "lowpass:8"),
        ("highpass:2.5,0", (HighPass(2.5, 0),), "highpass:2.5,0"),
        ("bandpass:4,32,1", (BandPass(4, 32, 1),), "bandpass:4,32,1"),
        ("notch:7.5,-30", (Notch(7.5, 150),), "notch:7.5,150"),
        ("notch:1.5,45,.25", (Notch(1.5, 45, 0.25),), "notch:1.5,45,0.25"),
        ("stripe:270,64", (Stripe(90),), "stripe:90"),
        ("stripe:-0", (Stripe(0),), "stripe:0"),
        (" stripe : 90 + lowpass: 1e+1 , 1. ", (Stripe(90), LowPass(10, 1)), None),
        ("mask:a.png", (MaskFile("a.png"),), "mask:a.png"),
        ("mask: /a/b.png , " + "AB" * 32, (MaskFile("/a/b.png", "ab" * 32),), None),
        ("lowpass:8+mask:1.png+stripe:90", (LowPass(8), MaskFile("1.png"), Stripe(90)), None),
        ("lowpass:+8+highpass:100", (LowPass(8), HighPass(100)), "lowpass:8+highpass:100"),
    ],
)
def test_text_is_read_and_written_canonically(
    text: str, expected: tuple[Filter, ...], canonical: str | None
) -> None:
    assert parse_filters(text) == expected
    assert format_filters(expected) == canonical or canonical is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("blur:3", ["blur:3", "lowpass:", "highpass:", "bandpass:", "notch:", "stripe:"]),
        ("", ["''", "lowpass:PERIOD[,EDGE]"]),
        ("lowpass:8+", ["''", "lowpass:PERIOD[,EDGE]", "joined by +"]),
        ("LOWPASS:8", ["LOWPASS", "lowpass:PERIOD[,EDGE]"]),
        ("lowpass", ["1 to 2 numbers, got 0", "lowpass:PERIOD[,EDGE]"]),
        ("lowpass:8,1,2", ["got 3", "lowpass:PERIOD[,EDGE]"]),
        ("lowpass:1.9", ["PERIOD", "2 px (Nyquist)", "lowpass:PERIOD[,EDGE]"]),
        ("lowpass:1000001", ["PERIOD", "1000000 px"]),
        ("lowpass:8,-1", ["EDGE", "0 to 10 octaves"]),
        ("lowpass:8,11", ["EDGE", "0 to 10 octaves"]),
        ("highpass:x", ["'x' is not a number", "highpass:PERIOD[,EDGE]"]),
        ("highpass:nan", ["'nan' is not a number"]),
        ("highpass:1e999", ["'1e999' is not finite"]),
        ("highpass:1_0", ["'1_0' is not a number"]),
        ("highpass:٨", ["is not a number"]),
        ("highpass:8,", ["'' is not a number"]),
        ("bandpass:8", ["2 to 3 numbers, got 1", "bandpass:SHORTEST,LONGEST[,EDGE]"]),
        ("bandpass:8,4", ["SHORTEST must be less than LONGEST"]),
        ("bandpass:1,4", ["SHORTEST must be from 2 px"]),
        ("notch:8", ["2 to 3 numbers, got 1", "notch:PERIOD,ANGLE[,WIDTH]"]),
        ("notch:0,10", ["PERIOD must be more than 0"]),
        ("notch:1.5,10", ["2 px measured along x and along y (Nyquist)"]),
        ("notch:8,10,1.5", ["WIDTH must be from 0 to 1"]),
        ("stripe:90,1", ["LONGEST must be from 2 px", "stripe:ANGLE[,LONGEST]"]),
        ("stripe:90+lowpass:0", ["'lowpass:0'"]),
        ("lowpass:8 stripe:90", ["'8 stripe:90' is not a number"]),
        ("mask:", ["should be the name of a PNG file", "mask:FILE[,SHA256]"]),
        ("mask:masks/", ["should be the name of a PNG file"]),
        ("mask:..", ["should be the name of a PNG file"]),
        ("mask:my mask.png", ["'my mask.png' has white space", "rename it, for instance to"]),
        ("mask:a\u202eb.png", ["outside of ASCII"]),
        ("mask:größe/a.png", ["'größe/a.png' has", "outside of ASCII", "work in its folder"]),
        ("mask:a+1.png", ["'a+1.png' has", "a plus"]),
        ("mask:a+b.png", ["'b.png'", "rename a FILE that has a +"]),
        ("mask:a,b.png", ["SHA-256 of FILE", "rename a FILE that has a comma"]),
        ("mask:a.png,", ["SHA-256 of FILE"]),
        ("mask:a.png," + "ab" * 31, ["64 hexadecimal digits"]),
        ("mask:" + "a" * 256, ["at most 255 bytes"]),
    ],
)
def test_a_bad_text_is_refused_with_the_form_it_should_have(text: str, says: list[str]) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011  (the message is looked at below)
        parse_filters(text)
    for words in says:
        assert words in str(caught.value)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_values_are_checked_when_a_filter_is_made(value: float) -> None:
    for make in (LowPass, HighPass, Stripe):
        with pytest.raises(ValueError, match=r"must be"):
            make(value)
    with pytest.raises(ValueError, match="EDGE"):
        BandPass(4, 8, value)
    with pytest.raises(ValueError, match="ANGLE"):
        Notch(8, value)
