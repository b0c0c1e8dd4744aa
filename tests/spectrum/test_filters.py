"""Frequency filters: masks compared with closed forms, filtered images, and grammar."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from fft_tool.spectrum.filters import (
    BandPass,
    Filter,
    HighPass,
    LowPass,
    Notch,
    Stripe,
    apply_filters,
    format_filters,
    parse_filters,
)
from fft_tool.spectrum.half import Spectrum, frequencies

Canvas = NDArray[np.float64]
Shape = tuple[int, int]

SHAPES = [(64, 64), (63, 64), (64, 63), (63, 65), (98, 49), (1, 40), (37, 1), (1, 1), (2, 2)]
KINDS: list[Filter] = [
    LowPass(5),
    LowPass(6.5, 0),
    HighPass(7, 2),
    BandPass(3, 9, 0.25),
    Notch(2, 0),
    Notch(4.3, 33, 0.3),
    Notch(2.1, 90, 0.5),
    Notch(1.5, 45),
    Stripe(90),
    Stripe(0, 8),
    Stripe(30, 16),
    Stripe(120),
]


def gain(mask: Filter, period: float, angle: float = 0.0, shape: Shape = (4096, 4096)) -> float:
    """Gain of a wave of ``period`` px at ``angle`` degrees."""
    turn = math.radians(angle)
    fy, fx = np.array([[math.sin(turn) / period]]), np.array([[math.cos(turn) / period]])
    return float(mask.mask(fy, fx, shape)[0, 0])


def wave(shape: Shape, period: float, angle: float = 0.0, phase: float = 0.3) -> Canvas:
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    turn = math.radians(angle)
    path = columns * math.cos(turn) - rows * math.sin(turn)
    return np.asarray(np.cos(2 * np.pi * path / period + phase), dtype=np.float64)


def filtered(image: Canvas, text: str) -> Canvas:
    spectrum = Spectrum(np.fft.rfft2(image), image.shape[1])
    result = apply_filters(spectrum, parse_filters(text))
    return np.fft.irfft2(result.half, s=(image.shape[0], image.shape[1]))


def amplitude(image: Canvas, like: Canvas) -> float:
    """Amplitude of the wave ``like`` within ``image``."""
    return float(np.sum(image * like) / np.sum(like * like))


def psnr(image: Canvas, truth: Canvas) -> float:
    return float(10 * np.log10(255**2 / np.mean(np.square(image - truth))))


def scenery(shape: Shape, seed: int = 4) -> Canvas:
    """Grey image with a 1/f amplitude spectrum, as photographs have."""
    white = np.random.default_rng(seed).normal(0, 1, shape)
    fy, fx = frequencies(shape)
    half = np.fft.rfft2(white) / np.hypot(np.hypot(fy, fx), 1 / max(shape))
    image = np.fft.irfft2(half, s=shape)
    return np.asarray(128 + 40 * (image - image.mean()) / image.std(), dtype=np.float64)


# --- masks ---------------------------------------------------------------------------------------


def full_mask(each: Filter, shape: Shape) -> NDArray[np.float32]:
    fy, fx = -np.fft.fftfreq(shape[0])[:, None], np.fft.fftfreq(shape[1])[None, :]
    return each.mask(fy, fx, shape)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("each", KINDS, ids=str)
def test_masks_are_float32_from_0_to_1_and_keep_the_mean(each: Filter, shape: Shape) -> None:
    mask = each.mask(*frequencies(shape), shape)
    assert mask.dtype == np.float32
    assert mask.shape == (shape[0], shape[1] // 2 + 1)
    assert mask.min() >= 0
    assert mask.max() <= 1
    assert mask[0, 0] == 1


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("each", KINDS, ids=str)
def test_a_frequency_and_its_mirror_have_the_same_gain_also_at_nyquist(
    each: Filter, shape: Shape
) -> None:
    mask = full_mask(each, shape)
    mirror = np.roll(mask[::-1, ::-1], (1, 1), axis=(0, 1))
    np.testing.assert_allclose(mask, mirror, atol=1e-6)
    half = each.mask(*frequencies(shape), shape)
    np.testing.assert_allclose(half, mask[:, : shape[1] // 2 + 1], atol=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("each", KINDS, ids=str)
def test_the_filtered_spectrum_belongs_to_a_real_image(each: Filter, shape: Shape) -> None:
    image = np.random.default_rng(1).normal(0, 1, shape)
    result = apply_filters(Spectrum(np.fft.rfft2(image), shape[1]), (each,))
    again = np.fft.rfft2(np.fft.irfft2(result.half, s=shape))
    np.testing.assert_allclose(again, result.half, atol=1e-5 * math.sqrt(image.size))


@pytest.mark.parametrize("each", KINDS, ids=str)
def test_a_mask_by_blocks_of_rows_is_the_mask_of_the_whole(each: Filter) -> None:
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


@pytest.mark.parametrize("angle", [0.0, 33.0, 90.0, 160.0])
def test_a_notch_is_a_gaussian_as_wide_as_told(angle: float) -> None:
    notch = Notch(8, angle, 0.2)
    assert gain(notch, 8, angle) == pytest.approx(0, abs=1e-6)
    assert gain(notch, 8, angle + 180) == pytest.approx(0, abs=1e-6)
    assert gain(notch, 8 / 1.2, angle) == pytest.approx(1 - math.exp(-0.5), abs=1e-5)
    assert gain(notch, 8 / 0.6, angle) == pytest.approx(1 - math.exp(-2), abs=1e-5)
    assert gain(notch, 8, angle + 90) == pytest.approx(1, abs=1e-6)


def test_a_notch_is_at_least_one_and_a_half_bins_wide_along_each_axis() -> None:
    mask = Notch(8, 0, 0).mask(*frequencies((40, 80)), (40, 80))
    one_bin = 1 - math.exp(-0.5 / 1.5**2)
    assert mask[0, 10] == pytest.approx(0, abs=1e-6)
    for row, column in [(1, 10), (-1, 10), (0, 9), (0, 11)]:
        assert mask[row, column] == pytest.approx(one_bin, abs=1e-6)


@pytest.mark.parametrize("angle", [0.0, 45.0, 90.0])
def test_a_stripe_filter_has_a_gaussian_profile_a_bin_wide_and_starts_softly(angle: float) -> None:
    stripe, shape = Stripe(angle, 32), (256, 256)
    turn = math.radians(angle)

    def at(along: float, bins: float) -> float:
        fy = along * math.sin(turn) + bins / 256 * math.cos(turn)
        fx = along * math.cos(turn) - bins / 256 * math.sin(turn)
        return float(stripe.mask(np.array([[fy]]), np.array([[fx]]), shape)[0, 0])

    assert at(0.2, 0) == pytest.approx(0, abs=1e-5)
    assert at(0.2, 0.5) == pytest.approx(1 - math.exp(-0.5), abs=1e-4)
    assert at(-0.2, 1) == pytest.approx(1 - math.exp(-2), abs=1e-4)
    assert at(0.2, 3) == pytest.approx(1, abs=1e-6)
    assert at(1 / 32, 0) == pytest.approx(0.5, abs=1e-5)
    assert at(1 / 46, 0) == 1
    assert at(1 / 22, 0) == pytest.approx(0, abs=1e-5)


# --- images --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kept_long", "kept_short"),
    [
        ("lowpass:10", 1, 0),
        ("highpass:10", 0, 1),
        ("bandpass:4,10", 0, 1),
        ("bandpass:10,64", 1, 0),
        ("notch:24,60", 0, 1),
        ("notch:6,0", 1, 0),
        ("notch:6,180+notch:24,-120", 0, 0),
        ("stripe:0", 1, 0),
        ("stripe:60,48", 0, 1),
        ("lowpass:6", 1, 0.5),
    ],
)
@pytest.mark.parametrize("shape", [(240, 240), (197, 241)])
def test_of_two_waves_the_chosen_one_stays(
    shape: Shape, text: str, kept_long: float, kept_short: float
) -> None:
    long, short = wave(shape, 24, 60), wave(shape, 6, 0)
    image = filtered(70 + 20 * long + 10 * short, text)
    inner = (slice(40, -40), slice(40, -40))  # away from the jump at the borders
    ground = image[inner] - image[inner].mean()
    assert amplitude(ground, long[inner]) == pytest.approx(20 * kept_long, abs=1.2)
    assert amplitude(ground, short[inner]) == pytest.approx(10 * kept_short, abs=0.6)
    assert image.mean() == pytest.approx((70 + 20 * long + 10 * short).mean())


@pytest.mark.parametrize("shape", [(256, 256), (255, 180)])
@pytest.mark.parametrize(("axis", "angle"), [(1, "90"), (0, "0"), (1, "-90")])
def test_taking_stripes_out_restores_the_image(shape: Shape, axis: int, angle: str) -> None:
    truth = scenery(shape)
    lines = np.random.default_rng(9).normal(0, 30, shape).mean(axis, keepdims=True)
    striped = truth + lines * math.sqrt(shape[axis])
    restored = filtered(striped, f"stripe:{angle}")
    assert psnr(restored, truth) > psnr(striped, truth) + 10
    assert psnr(filtered(truth, f"stripe:{angle}"), truth) > 32


def test_taking_a_moire_out_by_its_peak_restores_the_image() -> None:
    truth = scenery((200, 300))
    spoilt = truth + 15 * wave((200, 300), 5.37, 71)
    restored = filtered(spoilt, "notch:5.37,71")
    assert psnr(restored, truth) > psnr(spoilt, truth) + 8


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
@pytest.mark.parametrize("threads", [1, 3])
def test_applying_multiplies_the_masks_and_keeps_precision_and_original(
    dtype: Any, threads: int
) -> None:
    shape = (700, 401)
    half = np.fft.rfft2(np.random.default_rng(2).normal(0, 1, shape)).astype(dtype)
    spectrum = Spectrum(half.copy(), shape[1])
    chain = parse_filters("bandpass:3,40+stripe:20+notch:7,100")
    result = apply_filters(spectrum, chain, threads=threads)
    masks = [each.mask(*frequencies(shape), shape) for each in chain]
    np.testing.assert_allclose(result.half, half * np.prod(masks, axis=0), rtol=1e-5, atol=1e-4)
    assert result.half.dtype == dtype
    assert result.shape == shape
    np.testing.assert_array_equal(spectrum.half, half)


def test_no_filters_give_an_equal_but_separate_spectrum() -> None:
    spectrum = Spectrum(np.ones((3, 3), dtype=np.complex64), 4)
    result = apply_filters(spectrum, ())
    np.testing.assert_array_equal(result.half, spectrum.half)
    assert not np.shares_memory(result.half, spectrum.half)


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
)


@given(chain=st.lists(any_filter, min_size=1, max_size=4).map(tuple))
def test_filters_survive_their_text(chain: tuple[Filter, ...]) -> None:
    text = format_filters(chain)
    assert parse_filters(text) == chain
    assert format_filters(parse_filters(text)) == text


@given(each=any_filter)
def test_every_valid_filter_gives_a_sound_mask(each: Filter) -> None:
    mask = each.mask(*frequencies((12, 10)), (12, 10))
    assert np.isfinite(mask).all()
    assert mask.min() >= 0
    assert mask.max() <= 1
    assert mask[0, 0] == 1


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
