"""The public functions for arrays, compared with numpy for all types of arrays; their errors."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from skimage import metrics

import fft_tool as ft
from tests.support.images import noise

SHAPES = [(1, 1), (1, 9), (9, 1), (7, 13), (16, 20), (2, 2), (31, 8)]
DTYPES = ["float16", "float32", "float64", "uint8", "uint16", "int64", "bool"]


def made(shape: tuple[int, int], dtype: str) -> np.ndarray[Any, Any]:
    values = np.random.default_rng(3).uniform(0, 200, shape)
    return values > 100 if dtype == "bool" else values.astype(dtype)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_magnitude_and_phase_are_those_of_numpy(shape: tuple[int, int], dtype: str) -> None:
    grey = made(shape, dtype)
    spectrum = ft.transform(grey, precision="double")
    expected = np.fft.fftshift(np.fft.fft2(grey.astype(np.float64)))
    modulus, angle = ft.magnitude(spectrum), ft.phase(spectrum)
    scale = np.abs(expected).max()
    np.testing.assert_allclose(modulus, np.abs(expected), atol=1e-12 * scale)
    np.testing.assert_allclose(modulus * np.exp(1j * angle), expected, atol=1e-12 * scale)
    assert angle.min() > -math.pi
    back = ft.inverse(spectrum)
    np.testing.assert_allclose(back, grey.astype(np.float64), atol=1e-10)
    assert modulus.shape == angle.shape == back.shape == shape


@pytest.mark.parametrize(
    "arranged",
    [
        lambda grey: grey[::2, ::-3],
        np.asfortranarray,
        lambda grey: grey.T,
        lambda grey: grey.astype(grey.dtype.newbyteorder(">")),
        lambda grey: np.broadcast_to(grey[:1], (12, grey.shape[1])),
    ],
    ids=["strided", "Fortran", "transposed", "big-endian", "broadcast"],
)
@pytest.mark.parametrize("dtype", ["uint16", "float64"])
def test_memory_layout_does_not_matter(arranged: Any, dtype: str) -> None:
    grey = arranged(made((14, 18), dtype))
    plain = np.array(grey, dtype, order="C")
    assert np.array_equal(ft.transform(grey).half, ft.transform(plain).half)
    if dtype == "uint16":
        first, second = (ft.analyze(each)["magnitude"].data for each in (grey, plain))
        assert first == second
        assert ft.describe(grey) == ft.describe(plain)
        assert ft.sharpness(grey) == ft.sharpness(plain)
        assert np.array_equal(ft.saliency_map(grey), ft.saliency_map(plain))


def test_arguments_are_not_changed() -> None:
    grey = made((14, 18), "float32")
    grey.flags.writeable = False
    spectrum = ft.transform(grey)
    before = spectrum.half.copy()
    ft.inverse(spectrum)
    ft.apply_filter(spectrum, "lowpass:4")
    ft.magnitude(spectrum)
    ft.phase(spectrum)
    ft.measure(spectrum)
    ft.find_peaks(spectrum)
    assert np.array_equal(spectrum.half, before)


ZEROS = np.zeros((4, 4))
WRONG: list[tuple[Any, str]] = [
    (np.where(np.eye(4) > 0, np.nan, 1), r"NaN \(4 of 16 values.*numpy\.where"),
    (np.where(np.eye(4) > 0, np.inf, 1), r"infinite values \(4 of 16 .*numpy\.where"),
    (np.zeros(5), r"1-D array of shape \(5,\).*newaxis"),
    (np.zeros((5, 6, 3)), r"3-D array of shape \(5, 6, 3\).*image\[\.\.\., 0\].*analyze\(\)"),
    (np.zeros((9, 5, 6)), r"3-D array of shape \(9, 5, 6\).*image\[0\]"),
    (np.zeros(()), r"0-D array.*\(h, w\)"),
    (np.zeros((0, 4)), r"empty array of shape \(0, 4\).*at least one pixel"),
    (ZEROS.astype(complex), r"complex128.*image\.real"),
    (ZEROS.astype(object), r"object.*astype\(numpy\.float64\)"),
    (ZEROS.astype(str), r"pass integers or floating-point numbers"),
    ([[1, 2], [3, 4]], r"list is not a numpy array.*numpy\.asarray"),
    (np.ma.masked_array(ZEROS), r"masked array.*filled"),
]


@pytest.mark.parametrize(("image", "message"), WRONG)
def test_arrays_that_cannot_be_transformed_are_rejected_with_a_remedy(
    image: Any, message: str
) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        ft.transform(image)


@pytest.mark.parametrize(("image", "message"), WRONG[2:7] + WRONG[10:])
@pytest.mark.parametrize("function", [ft.describe, ft.sharpness, ft.saliency_map])
def test_pixel_functions_reject_the_same_arrays(function: Any, image: Any, message: str) -> None:
    if function is ft.saliency_map and np.shape(image)[2:] == (3,):
        message = "float64.*uint8 or uint16"  # colours would be welcome
    with pytest.raises((TypeError, ValueError), match=message):
        function(image)


@pytest.mark.parametrize(
    ("dtype", "message"),
    [
        ("float32", r"float32, should be uint8 or uint16: scale"),
        ("int16", r"int16.*if no value is negative"),
        ("uint32", r"uint32.*if no value is above 65535"),
        ("bool", r"bool.*image \* numpy\.uint8\(255\)"),
        ("complex64", r"complex64.*image\.real"),
    ],
)
@pytest.mark.parametrize("function", [ft.describe, ft.sharpness, ft.saliency_map])
def test_levels_are_8_or_16_bits(function: Any, dtype: str, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        function(ZEROS.astype(dtype))


def test_values_too_large_for_single_precision_are_refused() -> None:
    with pytest.raises(ValueError, match=r"1e\+38 are too large for single.*precision='double'"):
        ft.transform(ZEROS + 1e38)
    assert ft.transform(ZEROS + 1e38, precision="double").dc == pytest.approx(1.6e39)
    with pytest.raises(ValueError, match="should be 'single' or 'double'"):
        ft.transform(ZEROS, precision="half")


# analyze

GREY = noise((20, 30))


def png_of(image: np.ndarray[Any, Any]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


def test_analyze_accepts_every_type_of_image(tmp_path: Path) -> None:
    data = png_of(GREY)
    path = tmp_path / "image.png"
    path.write_bytes(data)
    with path.open("rb") as file:
        images: list[Any] = [str(path), path, data, bytearray(data), file, io.BytesIO(data)]
        images += [Image.open(path), GREY, GREY[:, :, None]]
        found = [ft.analyze(image, bits=16, crop="square") for image in images]
    names = {tuple(artifact.name for artifact in outputs) for outputs in found}
    assert names == {("image_crop.png", "image_phase.png", "image_magnitude.png")}
    # The files differ only in the hash of the source, which a picture holds as text.
    for kind in ("magnitude", "phase", "crop"):
        assert len({ft.decode(outputs[kind].data).pixels.tobytes() for outputs in found}) == 1


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_an_array_is_analysed_as_it_is(channels: int, dtype: str) -> None:
    rng = np.random.default_rng(5)
    image = rng.integers(0, np.iinfo(dtype).max, (6, 9, channels), dtype, endpoint=True)
    outputs = ft.analyze(image, name="mine.png", crop="0,0,9,6")
    assert outputs["crop"].name == "mine_crop.png"
    assert np.array_equal(ft.decode(outputs["crop"].data).pixels, image)


@pytest.mark.parametrize("mode", ["1", "P", "L", "LA", "RGB", "RGBA", "I;16"])
def test_pillow_images_are_taken_in_every_mode_without_loss(mode: str) -> None:
    colours = Image.fromarray(noise((6, 8, 4), seed=2), "RGBA")
    image = Image.fromarray(noise((6, 8), np.uint16)) if mode == "I;16" else colours.convert(mode)
    shown = image.convert({"1": "L", "P": "RGB"}.get(mode, mode))
    crop = ft.decode(ft.analyze(image, crop="0,0,8,6")["crop"].data)
    assert np.array_equal(crop.pixels.squeeze(), np.asarray(shown))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pillow_images_are_turned_upright_as_files_are(orientation: int) -> None:
    image = Image.fromarray(np.arange(48, dtype=np.uint8).reshape(6, 8))
    image.getexif()[0x0112] = orientation
    file = io.BytesIO()
    image.save(file, "PNG", exif=image.getexif())
    given = ft.analyze(Image.open(file), bits=16, metadata=True)
    read = ft.analyze(file.getvalue(), bits=16, metadata=True)
    assert given["magnitude"].data[:33] == read["magnitude"].data[:33]  # the same size
    assert np.array_equal(ft.reconstruct(given), ft.reconstruct(read))


@pytest.mark.parametrize("mode", ["CMYK", "F", "I", "YCbCr"])
def test_other_pillow_images_are_rejected(mode: str) -> None:
    with pytest.raises(TypeError, match=f"mode {mode}: convert it"):
        ft.analyze(Image.new(mode, (8, 6)))


def test_floats_are_scaled_from_the_given_range() -> None:
    image = np.array([[-1.0, 0.0, 1.0]])
    outputs = ft.analyze(image, value_range=(-1, 1), crop="0,0,3,1")
    assert ft.decode(outputs["crop"].data).pixels[0, :, 0].tolist() == [0, 32768, 65535]


@pytest.mark.parametrize(
    ("image", "keys", "message"),
    [
        (ZEROS, {}, r"float64 without a range: pass value_range"),
        (ZEROS + 2, {"value_range": (0, 1)}, r"from 2 to 2 exceed.*numpy\.clip"),
        (ZEROS, {"value_range": (1, 1)}, r"low < high"),
        (ZEROS * np.nan, {"value_range": (0, 1)}, r"NaN"),
        (GREY, {"value_range": (0, 1)}, r"uint8: leave it out"),
        (png_of(GREY), {"value_range": (0, 1)}, r"floating-point arrays: leave it out"),
        (ZEROS.astype(bool), {}, r"bool.*uint8\(255\)"),
        (ZEROS.astype(np.int32), {}, r"int32.*astype\(numpy\.uint16\)"),
        (ZEROS.astype(complex), {}, r"complex128.*image\.real"),
        (np.zeros((3, 8, 9), np.uint8), {}, r"\(3, 8, 9\).*moveaxis"),
        (np.zeros(8, np.uint8), {}, r"1-D array"),
        (np.zeros((0, 8), np.uint8), {}, r"empty array"),
        ([[1]], {}, r"list is not a numpy array"),
        (7, {}, r"int is not an image: pass a path"),
        (io.StringIO("a"), {}, r"str, not bytes.*'rb'"),
    ],
)
def test_other_arguments_are_rejected(image: Any, keys: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        ft.analyze(image, **keys)


def test_keys_of_the_recipe_are_checked() -> None:
    with pytest.raises(ft.FftToolError, match="croop='square': unknown key; known: background"):
        ft.analyze(GREY, croop="square")
    with pytest.raises(ft.FftToolError, match=r"bits='12': should be 8"):
        ft.analyze(GREY, bits="12")
    outputs = ft.analyze(GREY, recipe=ft.Recipe(bits=16, phase=False), crop="square")
    assert [artifact.kind for artifact in outputs] == ["crop", "magnitude"]


def test_limits_are_applied(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png_of(GREY))
    with pytest.raises(ft.FftToolError, match="accepted"):
        ft.analyze(path, limits=ft.Limits(max_bytes=10))
    with pytest.raises(ft.FftToolError, match="accepted"):
        ft.analyze(GREY, limits=ft.Limits(max_pixels=10))


def test_reconstruction_restores_the_image() -> None:
    outputs = ft.analyze(GREY, bits=16, metadata=True)
    assert np.array_equal(ft.reconstruct(outputs), GREY)
    with pytest.raises(ft.FftToolError, match="metadata=True"):
        ft.reconstruct(ft.analyze(GREY))


# Notebooks


@pytest.mark.parametrize("shape", [(1, 1), (5, 8), (2050, 3)])
def test_a_spectrum_shows_itself(shape: tuple[int, int]) -> None:
    spectrum = ft.transform(noise(shape))
    shown = ft.decode(spectrum._repr_png_()).pixels[:, :, 0]
    assert shown.max() == 255
    assert max(shown.shape) <= 1024
    if max(shape) <= 1024:
        levels = np.log1p(ft.magnitude(spectrum))
        np.testing.assert_allclose(shown, levels * 255 / levels.max(), atol=0.51)


def test_a_black_image_has_a_black_spectrum() -> None:
    assert ft.decode(ft.transform(ZEROS)._repr_png_()).pixels.max() == 0


def test_outputs_show_themselves() -> None:
    wave = np.tile(128 + 100 * np.cos(2 * np.pi * np.arange(64) / 8), (64, 1))
    outputs = ft.analyze(wave, value_range=(0, 255), metadata=True, name="<b>.png")
    page = outputs._repr_html_()
    assert page.count("data:image/png;base64,") == 2
    assert "Periods: 8 px at 0°" in page
    assert "<b>" not in page


# compare


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float64"])
@pytest.mark.parametrize("shape", [(7, 7), (23, 40)])
def test_comparison_agrees_with_scikit_image(shape: tuple[int, int], dtype: str) -> None:
    rng = np.random.default_rng(1)
    a = rng.uniform(0, 255, shape).astype(dtype)
    b = (a * 0.8 + 3).astype(dtype)
    span = {"uint8": 255, "uint16": 65535, "float64": 300.0}[dtype]
    given = span if dtype == "float64" else None
    found = ft.compare(a, b, data_range=given)
    reference: Any = metrics
    assert found.psnr == pytest.approx(reference.peak_signal_noise_ratio(a, b, data_range=span))
    assert found.ssim == pytest.approx(
        reference.structural_similarity(a, b, data_range=span), abs=1e-9
    )
    difference = np.abs(a.astype(float) - b)
    assert found.mean_difference == pytest.approx(difference.mean())
    assert found.max_difference == difference.max()
    assert found.correlation == pytest.approx(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def test_identical_and_constant_images() -> None:
    same = ft.compare(GREY, GREY)
    assert same.psnr == math.inf
    assert same.ssim == pytest.approx(1)
    assert same.correlation == pytest.approx(1)
    flat = ft.compare(np.full((3, 3), 4, np.uint8), np.full((3, 3), 9, np.uint8))
    assert flat.correlation is None
    assert flat.ssim is None
    assert flat.max_difference == 5


@pytest.mark.parametrize(
    ("first", "second", "keys", "message"),
    [
        (GREY, GREY[1:], {}, r"\(20, 30\) and \(19, 30\): crop or resize"),
        (ZEROS, ZEROS, {}, r"pass data_range="),
        (ZEROS, ZEROS.astype(np.uint8), {}, r"pass data_range="),
        (ZEROS, ZEROS, {"data_range": 0}, r"positive"),
        (ZEROS, ZEROS * np.nan, {"data_range": 1}, r"NaN"),
    ],
)
def test_images_that_cannot_be_compared_are_rejected(
    first: Any, second: Any, keys: Any, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        ft.compare(first, second, **keys)


@pytest.mark.parametrize(
    "call",
    [
        ft.magnitude,
        ft.phase,
        ft.inverse,
        ft.measure,
        ft.find_peaks,
        ft.radial_profile,
        lambda image: ft.apply_filter(image, "lowpass:8"),
    ],
)
def test_an_image_passed_as_a_spectrum_is_rejected(call: Callable[[Any], object]) -> None:
    with pytest.raises(TypeError, match=r"ndarray is not a spectrum: pass fft_tool\.transform"):
        call(np.zeros((4, 4)))
