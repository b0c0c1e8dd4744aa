from __future__ import annotations

import io
import math
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

import fft_tool
from fft_tool.codec.png_encode import encode
from fft_tool.errors import CorruptImage
from fft_tool.recipe import Recipe
from fft_tool.report import sentences as said
from fft_tool.report.sentences import findings
from fft_tool.results.recording import rejected
from tests.support.images import noise, npy, pink_noise

Json = dict[str, Any]


def made(pixels: NDArray[Any], recipe: str = "", **options: Any) -> Json:
    source = fft_tool.Source("image.png", encode(pixels, **options))
    outputs = fft_tool.run(source, Recipe.parse({"bits": 16} | texts(recipe) | {"metadata": "yes"}))
    assert outputs.record is not None
    return outputs.record


def texts(recipe: str) -> dict[str, str]:
    return dict(word.split("=", 1) for word in recipe.split())


def told(record: Json) -> dict[str, str]:
    return {finding.topic: finding.text for finding in findings(record)}


def waves(
    *vectors: tuple[float, float], shape: tuple[int, int] = (192, 256), spread: float = 2.0
) -> NDArray[np.uint8]:
    """Cosines of (period in pixels, angle in degrees) in slight noise."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    levels = 128 + np.random.default_rng(0).normal(0, spread, shape)
    for length, degrees in vectors:
        turn = math.radians(degrees)
        along = x * math.cos(turn) - y * math.sin(turn)  # y is up
        levels += 100 / len(vectors) * np.cos(2 * np.pi * along / length)
    return np.rint(levels).clip(0, 255).astype(np.uint8)


def test_the_dominant_wave_is_described_by_period_angle_and_amplitude() -> None:
    text = told(made(waves((16, 30))))["Waves"]
    assert "a period of 16.0 px, at 30.0°: stripes that run at 120.0°" in text
    amplitude = float(text.partition("an amplitude of ")[2].partition(" grey")[0])
    assert amplitude == pytest.approx(100, rel=0.15)


@pytest.mark.parametrize(
    ("degrees", "words"),
    [(0, "vertical stripes"), (90, "horizontal stripes"), (45, "stripes that run at 135.0°")],
)
def test_stripes_are_described_by_their_direction(degrees: float, words: str) -> None:
    assert words in told(made(waves((12, degrees))))["Waves"]


def test_a_known_pixel_size_gives_periods_in_length() -> None:
    text = told(made(waves((20, 60)), "pixel-size=65nm"))["Waves"]
    assert "20.0 px = 1.30 µm" in text


@pytest.mark.parametrize("window", ["none", "hann"])
def test_amplitudes_are_those_of_the_image_with_any_window(window: str) -> None:
    text = told(made(waves((16, 30)), f"window={window}"))["Waves"]
    amplitude = float(text.partition("an amplitude of ")[2].partition(" grey")[0])
    assert amplitude == pytest.approx(100, rel=0.01)


def test_noise_has_no_wave_no_direction_and_a_flat_spectrum() -> None:
    text = told(made(noise((128, 160))))
    assert text["Waves"].startswith("No wave stands out")
    assert text["Directions"].startswith("No direction is preferred")
    assert "as in white noise" in text["Slope"]
    assert text["Detail"].startswith(("79.", "80."))


def test_an_image_with_the_slope_of_a_photograph_is_described_as_such() -> None:
    text = told(made(pink_noise((192, 192))))["Slope"]
    assert text.startswith(("Power falls as 1/f^1.9", "Power falls as 1/f^2.0"))
    assert "as in most photographs" in text


@pytest.mark.parametrize(
    ("beta", "error", "words"),
    [
        (3.2, 0.05, "less fine detail"),
        (2.0, 0.05, "as in most photographs"),
        (1.0, 0.05, "more fine detail"),
        (0.1, 0.05, "hardly depends"),
        (-1.0, 0.05, "rises with frequency"),
        (2.0, 0.5, "follows no clear power law"),
    ],
)
def test_slopes_are_compared_with_photographs(beta: float, error: float, words: str) -> None:
    record = made(noise((64, 64)))
    record["measures"]["slope"] |= {"beta": beta, "error": error}
    text = told(record)["Slope"]
    assert words in text
    assert f"{abs(beta):.2f} ± {error:.2f}" in text


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.0, "There is no detail at periods below 4 px beyond the rounding of grey levels."),
        (0.0002, "Under 0.1 % of the energy beside the mean lies at periods below 4 px"),
        (0.25, "25.0 % of the energy beside the mean lies at periods below 4 px"),
    ],
)
def test_fine_detail_below_rounding_is_called_none(share: float, words: str) -> None:
    record = made(noise((64, 64)))
    record["measures"]["high_frequency_fraction"] = share
    assert told(record)["Detail"].startswith(words)


@pytest.mark.parametrize("turn", [0, 17, 38])
def test_three_waves_60_degrees_apart_make_a_hexagonal_lattice(turn: float) -> None:
    record = made(waves((12, turn), (12, turn + 60), (12, turn + 120)))
    spacing = 12 * 2 / math.sqrt(3)
    expected = f"make a hexagonal lattice: neighbours are {spacing:.1f} px apart"
    assert expected in told(record)["Waves"]


@pytest.mark.parametrize("turn", [0, 17, 45])
def test_two_waves_at_right_angles_make_a_square_lattice(turn: float) -> None:
    text = told(made(waves((12, turn), (12, turn + 90)), "pixel-size=0.5um"))["Waves"]
    found = re.search(r"make a square lattice: neighbours are (\S+) px = (\S+) µm apart", text)
    assert found is not None
    assert float(found[1]) == pytest.approx(12, rel=0.005)
    assert float(found[2]) == pytest.approx(6, rel=0.005)


def test_waves_that_are_neither_square_nor_hexagonal_make_no_lattice() -> None:
    for other in (40, 75):
        text = told(made(waves((12, 10), (12, 10 + other))))["Waves"]
        assert "lattice" not in text
        assert "Next comes 12.0 px" in text


def test_a_lattice_that_is_square_only_in_oblong_pixels_is_not_called_square() -> None:
    record = made(waves((12, 0), (12, 90)), pixels_per_metre=(1000, 2000))
    assert "lattice" not in told(record)["Waves"]


def test_stripes_with_sharp_edges_have_harmonics_and_a_cosine_has_none() -> None:
    cosine = waves((16, 0))
    sharp = np.where(cosine > 128, 200, 50).astype(np.uint8) + noise(cosine.shape) // 64
    assert "multiples of its frequency: the pattern is not purely" in told(made(sharp))["Waves"]
    assert "sinusoidal" not in told(made(cosine))["Waves"]


def test_dots_on_a_lattice_have_waves_at_sums_of_the_first_ones() -> None:
    y, x = np.mgrid[:192, :192]
    dots = np.cos(2 * np.pi * x / 16) + np.cos(2 * np.pi * y / 16) > 1.2
    pixels = (dots * 150 + 40).astype(np.uint8) + noise((192, 192)) // 64
    assert "sums and multiples of these" in told(made(pixels))["Waves"]


def test_a_long_wave_of_the_layout_does_not_hide_a_pattern() -> None:
    record = made(waves((80, 0), (80, 0), (80, 0), (9, 90)))
    assert record["measures"]["peaks"][0]["period"] > 70
    dominant = said.dominant(record)
    assert dominant is not None
    assert dominant["period"] == pytest.approx(9, rel=0.01)
    text = told(record)["Waves"]
    assert text.startswith(f"The dominant wave has a period of {dominant['period']:.2f} px")
    assert re.search(r"A longer wave, of [78]\d\.\d px, is stronger", text)
    assert "it may be its layout rather than a pattern" in text


def test_a_wave_with_few_periods_is_described_as_possible_layout() -> None:
    record = made(waves((256 / 3, 90), shape=(256, 192)))
    assert said.dominant(record) == record["measures"]["peaks"][0]
    assert "with 3.0 periods in the image it may be its layout" in told(record)["Waves"]


def test_directions_are_described_by_strength() -> None:
    record = made(noise((64, 64)))
    orientation = record["measures"]["orientation"]
    for anisotropy, words in (
        (0.01, "No direction is preferred (anisotropy 0.010 of 1)."),
        (0.2, "The waves slightly prefer 12.0° (anisotropy 0.20 of 1);"),
        (0.8, "The waves clearly prefer 12.0° (anisotropy 0.80 of 1);"),
    ):
        orientation |= {"angle": 12.0, "anisotropy": anisotropy}
        assert told(record)["Directions"].startswith(words)


def test_a_constant_image_is_described_as_such_and_nothing_else_is_said_about_its_spectrum() -> (
    None
):
    text = told(made(np.full((20, 30), 77, np.uint8)))
    assert list(text) == ["Constant", "Inversion"]
    assert "All pixels have the value 77" in text["Constant"]


@pytest.mark.parametrize("shape", [(1, 64), (64, 1), (2, 2), (1, 2), (8, 8), (15, 40)])
def test_small_images_have_only_findings_that_their_few_pixels_allow(
    shape: tuple[int, int],
) -> None:
    text = told(made(noise(shape)))
    assert "Directions" not in text
    assert "white noise: 80" not in text.get("Detail", "")


def test_clipping_is_reported_with_its_fractions() -> None:
    pixels = noise((100, 100)) // 2 + 60
    assert "No pixel is clipped: the values go from 60 to 187" in told(made(pixels))["Clipping"]
    pixels[:12] = 0
    text = told(made(pixels))["Clipping"]
    assert text == "Clipped: 12.0 % of the pixels at 0. Anything darker is lost there."
    pixels[-1, :5] = 255
    text = told(made(pixels))["Clipping"]
    assert "12.0 % of the pixels at 0, under 0.1 % of the pixels at 255" in text
    assert "Anything darker or brighter is lost there." in text


def test_exact_inversion_is_reported() -> None:
    expected = "The 16-bit pictures give the source back bit for bit."
    assert told(made(noise((30, 40))))["Inversion"] == expected


@pytest.mark.parametrize(
    ("channels", "recipe", "words"),
    [
        (1, "crop=square", "give the region back"),
        (3, "", "give the grey image that was analysed back"),
        (1, "spectrum=yes", "The saved spectrum gives the source back bit for bit."),
        (1, "bits=8", "The 8-bit pictures do not give the source back exactly: errors reach"),
        (1, "phase=no", "do not give the image back: there is no phase picture."),
        (1, "magnitude=no", "do not give the image back: there is no magnitude picture."),
        (1, "magnitude=no phase=no", "do not give the image back: no pictures were made."),
        (1, "bits=8 colour=yes", "do not give the image back: the pictures are in colour."),
        (1, "window=hann", "at the border to zero."),
    ],
)
def test_inversion_is_reported_as_certified(channels: int, recipe: str, words: str) -> None:
    pixels = noise((30, 40, channels))
    assert words in told(made(pixels[:, :, 0] if channels == 1 else pixels, recipe))["Inversion"]


def test_corrected_pixels_are_reported() -> None:
    record = made(noise((30, 40)))
    record["certificate"] |= {"corrected_pixels": 2}
    expected = "bit for bit, 2 pixels of it from the correction in the record."
    assert told(record)["Inversion"].endswith(expected)
    del record["certificate"]["corrected_pixels"]  # as in earlier versions
    assert told(record)["Inversion"].endswith("back bit for bit.")


def test_errors_of_inversion_are_reported_in_grey_levels_and_decibels() -> None:
    record = made(noise((64, 64), np.uint16))
    record["certificate"] |= {"exact": False, "max_abs_error": 1, "psnr_db": 93.62}
    expected = (
        "not give the source back exactly: errors reach 1 grey level of 65,535, at 93.6 dB (PSNR)."
    )
    assert expected in told(record)["Inversion"]


def test_further_frames_are_mentioned() -> None:
    file = io.BytesIO()
    pages = [Image.fromarray(noise((9, 9), seed=seed)) for seed in range(3)]
    pages[0].save(file, "TIFF", save_all=True, append_images=pages[1:])
    source = fft_tool.Source("pages.tif", file.getvalue())
    outputs = fft_tool.run(source, Recipe(metadata=True))
    assert outputs.record is not None
    assert told(outputs.record)["Frames"] == "Only the first of 3 frames was analysed."
    outputs = fft_tool.run(source, Recipe(frame=2, metadata=True))
    assert outputs.record is not None
    assert told(outputs.record)["Frames"] == "Frame 2 of 3 was analysed."


@pytest.mark.parametrize(
    ("values", "limits", "expected"),
    [
        ([[-2.5, 0.0], [0.25, 4.0]], None, "not exactly"),
        ([[-3, 0], [12, 4]], None, "every value back exactly"),
        ([[-3.5, 0], [12, 4]], "0,10", "2 of them were out of range and became black or white"),
    ],
)
def test_the_values_that_grey_levels_stand_for_are_told(
    values: Any, limits: Any, expected: str
) -> None:
    source = fft_tool.Source("a.npy", npy(np.array(values)))
    outputs = fft_tool.run(source, Recipe(range=limits, metadata=True))
    assert outputs.record is not None
    told_ = told(outputs.record)["Values"]
    assert f"values from {np.min(values):g} to {np.max(values):g}, scaled to grey levels" in told_
    assert expected in told_


def test_a_rejected_source_has_its_reason_and_nothing_else() -> None:
    record = rejected(fft_tool.Source("a", b""), None, CorruptImage("cut in the middle"))
    assert told(record) == {"Rejected": "cut in the middle"}


@pytest.mark.parametrize(
    "pixels",
    [
        noise((1, 1)),
        noise((2, 3)),
        noise((1, 50)),
        noise((33, 47)),
        pink_noise((64, 50)),
        waves((8, 20), (11, 100)),
        waves((4, 0), (4, 90), spread=0),
        np.eye(40, dtype=np.uint8) * 255,
        np.full((9, 9), 255, np.uint8),
        noise((20, 20, 4)),
        noise((20, 20), np.uint16),
    ],
)
def test_sentences_are_complete_for_any_image(pixels: NDArray[Any]) -> None:
    for finding in findings(made(pixels, "pixel-size=2mm")):
        assert finding.topic
        assert finding.text[0].isupper() or finding.text[0].isdigit()
        assert finding.text.endswith(".")
        assert not re.search(r"None|\b(nan|inf)\b|  |[{}]|\.\.| [,.]|-\d", finding.text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.0, "0"),
        (1, "1.00"),
        (0.019687, "0.0197"),
        (9.996, "10.0"),
        (12.345, "12.3"),
        (13007.1, "13,007"),
        (-0.5, "−0.500"),
        (123_456_789, "123,456,789"),
        (2e9, "2.00 × 10⁹"),
        (-2e-7, "−2.00 × 10⁻⁷"),
    ],
)
def test_numbers_are_formatted_for_people(value: float, text: str) -> None:
    assert said.number(value) == text


@given(st.floats(-1e12, 1e12, allow_subnormal=False), st.integers(1, 6))
def test_numbers_keep_their_significant_digits(value: float, digits: int) -> None:
    text = said.number(value, digits).replace(",", "").replace("−", "-")
    mantissa, _, power = text.partition(" × 10")
    exponent = int(power.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")) or 0)
    assert float(f"{mantissa}e{exponent}") == pytest.approx(value, rel=0.51 * 10 ** (1 - digits))


@pytest.mark.parametrize(
    ("micrometres", "text"),
    [
        (0.0519529, "52.0 nm"),
        (0.9, "900 nm"),
        (1.3, "1.30 µm"),
        (999.4, "999 µm"),
        (25_400, "25.4 mm"),
        (2e6, "2.00 m"),
    ],
)
def test_lengths_have_the_unit_that_suits_them(micrometres: float, text: str) -> None:
    assert said.length(micrometres) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0 %"),
        (1e-6, "under 0.1 %"),
        (0.001, "0.1 %"),
        (0.1234, "12.3 %"),
        (0.9999, "over 99.9 %"),
        (1, "100 %"),
    ],
)
def test_percentages_never_round_to_0_or_100(share: float, text: str) -> None:
    assert said.percent(share) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 bytes"), (999, "999 bytes"), (53_702, "53.7 kB"), (8_500_000, "8.50 MB")],
)
def test_file_sizes_have_the_unit_that_suits_them(count: int, text: str) -> None:
    assert said.file_size(count) == text


@pytest.mark.parametrize(
    ("degrees", "text"), [(0, "0.0°"), (179.96, "0.0°"), (179.94, "179.9°"), (210, "30.0°")]
)
def test_angles_stay_below_180_degrees(degrees: float, text: str) -> None:
    assert said.angle(degrees) == text


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (3.1564, 0.11453, "3.16 ± 0.11"),
        (2.1469, 0.01427, "2.15 ± 0.01"),
        (2.1469, 0.00427, "2.147 ± 0.004"),
        (-0.2593, 0.08547, "−0.26 ± 0.09"),
        (2.0, 0.0, "2.0000 ± 0.0000"),
        (-1.9, 12.5, "−1.90 ± 12.50"),
    ],
)
def test_values_have_as_many_decimals_as_their_error_allows(
    value: float, error: float, text: str
) -> None:
    assert said.with_error(value, error) == text
