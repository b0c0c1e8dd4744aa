"""Renditions: sizes, turning, opacity, depths, colours and formats, against known answers."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fft_tool.codec import image_file
from fft_tool.errors import CorruptImage, TooMuchMemory, TooMuchOutput, UnknownFormat
from fft_tool.image.presets import Preset, Rendition, parse_presets
from fft_tool.limits import Limits
from fft_tool.rendering import memory_needed, render
from fft_tool.results.outputs import Source
from tests.support.images import Pixels, noise, pink_noise, png_bytes
from tests.support.profiles import BLUE, GREEN, RED, profile_of_inks, profile_of_screen

PRESETS = parse_presets("thumb=100x100 card=400x400 zoom=1200")
SMALL = Preset("small", 16, 16)
ROOT = Path(__file__).parents[1]


def made(data: bytes, preset: Preset = SMALL, picture_format: str = "png") -> Rendition:
    [rendition] = render(Source("a", data), [preset], picture_format)
    return rendition


def pixels_of(rendition: Rendition) -> Pixels:
    pixels: Pixels = np.asarray(Image.open(io.BytesIO(rendition.data)))
    return pixels


def saved(image: Image.Image, container: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, container, **options)
    return stream.getvalue()


# Sizes


@pytest.mark.parametrize(
    "size", [(1000, 600), (600, 1000), (1001, 999), (100, 100), (3, 2), (1, 1)]
)
def test_every_rendition_has_the_size_of_its_preset(size: tuple[int, int]) -> None:
    data = png_bytes(np.zeros(size[::-1], np.uint8))
    for preset, rendition in zip(PRESETS, render(Source("a", data), PRESETS), strict=True):
        found = Image.open(io.BytesIO(rendition.data))
        expected = Image.new("L", size)
        expected.thumbnail((preset.width, preset.height))
        assert rendition.preset == preset.name
        assert found.size == (rendition.width, rendition.height) == expected.size


@pytest.mark.parametrize("size", [(1, 3000), (3000, 1), (1, 1), (2, 5000)])
def test_images_of_one_pixel_in_width_or_height_are_no_exception(size: tuple[int, int]) -> None:
    rendition = made(png_bytes(np.full(size[::-1], 90, np.uint8)), PRESETS[0])
    assert (pixels_of(rendition) == 90).all()
    assert max(rendition.width, rendition.height) == min(100, max(size))


def test_an_image_that_fits_keeps_every_pixel() -> None:
    pixels = noise((16, 12, 3))
    assert np.array_equal(pixels_of(made(png_bytes(pixels))), pixels)


def test_scaling_is_that_of_pillow_where_nothing_else_is_to_be_done() -> None:
    pixels = pink_noise((90, 120))
    expected = Image.fromarray(pixels).resize((16, 12), Image.Resampling.LANCZOS, reducing_gap=3.0)
    assert np.array_equal(pixels_of(made(png_bytes(pixels))), np.asarray(expected))


def test_a_mean_level_stays_what_it_was() -> None:
    pixels = np.zeros((256, 256), np.uint8)
    pixels[:, ::2] = 200
    found = pixels_of(made(png_bytes(pixels)))
    assert (found[:, 1:-2] == 100).all()  # stripes are averaged, no moiré; edges lack neighbours


# Turning


@pytest.mark.parametrize("orientation", range(1, 9))
def test_images_are_turned_as_exif_says(orientation: int) -> None:
    """One quarter of the upright image is bright: the top left one."""
    upright = np.full((64, 96), 40, np.uint8)
    upright[:32, :48] = 220
    stored = Image.fromarray(upright)
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    if orientation > 1:
        stored = stored.transpose(undo[orientation])
    exif = Image.Exif()
    exif[274] = orientation
    rendition = made(saved(stored, "jpeg", exif=exif, quality=95), Preset("p", 48, 48))
    assert (rendition.width, rendition.height) == (48, 32)
    pixels = pixels_of(rendition)
    assert pixels[4:12, 4:20].min() > 205
    assert pixels[20:, :].max() < 55
    assert pixels[:, 28:].max() < 55


# Opacity


def test_what_cannot_be_seen_does_not_shine_through_at_edges() -> None:
    """Opaque red beside green that is fully transparent: every edge pixel is red."""
    pixels = np.zeros((64, 64, 4), np.uint8)
    pixels[:, :29] = (255, 0, 0, 255)
    pixels[:, 29:] = (0, 255, 0, 0)
    found = pixels_of(made(png_bytes(pixels)))
    visible = found[found[:, :, 3] > 0]
    assert (visible[:, 0] >= 250).all()
    assert (visible[:, 1] <= 5).all()
    edge = found[:, 7, 3]  # columns 28 to 31 of the source, one of which is opaque
    assert ((edge > 20) & (edge < 110)).all()


def test_opacity_is_kept_in_every_format_that_has_it() -> None:
    pixels = np.full((32, 32, 4), 200, np.uint8)
    pixels[:16, :, 3] = 0
    for name in ("png", "webp", "avif"):
        found = np.asarray(
            Image.open(io.BytesIO(made(png_bytes(pixels), picture_format=name).data)).convert(
                "RGBA"
            )
        )
        assert found[2, 8, 3] < 5
        assert found[13, 8, 3] > 195


def test_an_opacity_that_hides_nothing_is_dropped() -> None:
    pixels = noise((16, 16, 4))
    pixels[:, :, 3] = 255
    rendition = made(png_bytes(pixels))
    assert np.array_equal(pixels_of(rendition), pixels[:, :, :3])


def test_grey_with_opacity_stays_grey() -> None:
    pixels = np.full((64, 64, 2), 100, np.uint8)
    pixels[:, 32:, 1] = 0
    rendition = made(png_bytes(pixels))
    assert Image.open(io.BytesIO(rendition.data)).mode == "LA"


# Depths


def test_colours_of_16_bits_look_like_their_copy_of_8() -> None:
    deep = noise((16, 16, 3), np.uint16)
    found = pixels_of(made(png_bytes(deep)))
    assert np.array_equal(found, np.rint(deep / 257).astype(np.uint8))


def test_deep_grey_is_stretched_from_its_darkest_to_its_brightest_level() -> None:
    deep = np.tile(np.linspace(1000, 3000, 16).astype(np.uint16), (16, 1))
    found = pixels_of(made(png_bytes(deep)))
    assert (found[:, 0] == 0).all()
    assert (found[:, -1] == 255).all()
    expected = np.rint(255 * (deep - 1000.0) / 2000)
    assert np.abs(found - expected).max() <= 1


def test_few_outliers_do_not_darken_a_deep_image() -> None:
    deep = noise((100, 100), np.uint16, white=4000)
    deep[0, 0] = 65_535
    found = pixels_of(made(png_bytes(deep), Preset("p", 100, 100)))
    assert np.median(found) == pytest.approx(127, abs=5)


def test_a_constant_deep_image_keeps_its_level() -> None:
    assert (pixels_of(made(png_bytes(np.full((4, 4), 32_896, np.uint16)))) == 128).all()


def test_only_what_can_be_seen_counts_for_stretching() -> None:
    deep = np.zeros((16, 16, 2), np.uint16)
    deep[:, :8, 0] = np.linspace(1000, 3000, 8)
    deep[:, :8, 1] = 65_535
    found = pixels_of(made(png_bytes(deep)))
    assert (found[:, 0, 0].max(), found[:, 7, 0].min()) == (0, 255)
    assert np.array_equal(
        found[:, :, 1], np.where(np.arange(16) < 8, 255, 0)[None, :].repeat(16, 0)
    )


def test_floating_point_values_are_shown_from_minimum_to_maximum() -> None:
    values = np.linspace(-2, 5, 256, dtype=np.float32).reshape(16, 16)
    stream = io.BytesIO()
    np.save(stream, values)
    found = pixels_of(made(stream.getvalue()))
    assert np.abs(found - np.linspace(0, 255, 256).reshape(16, 16)).max() <= 1


# Kinds of files


def test_palettes_become_their_colours() -> None:
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, 250, 120, 10])
    for container in ("png", "gif"):
        found = Image.open(io.BytesIO(made(saved(image, container)).data)).convert("RGB")
        assert found.getpixel((3, 3)) == (250, 120, 10)


def test_a_transparent_colour_of_a_palette_stays_transparent() -> None:
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, 250, 120, 10])
    image.putpixel((0, 0), 0)
    found = Image.open(io.BytesIO(made(saved(image, "png", transparency=0)).data)).convert("RGBA")
    assert found.getchannel("A").getpixel((0, 0)) == 0
    assert found.getpixel((3, 3)) == (250, 120, 10, 255)


def test_black_and_white_is_shown_as_such() -> None:
    image = Image.new("1", (8, 8), 1)
    assert (pixels_of(made(saved(image, "png"))) == 255).all()


@pytest.mark.parametrize("container", ["gif", "webp", "png"])
def test_the_first_frame_of_an_animation_is_shown(container: str) -> None:
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "lime")]
    data = saved(frames[0], container, save_all=True, append_images=frames[1:])
    red, green, _ = pixels_of(made(data))[8, 8].astype(int)
    assert red > 245
    assert green < 10


def test_inks_without_a_profile_are_mixed_by_rule_of_thumb() -> None:
    data = saved(Image.new("CMYK", (16, 16), (255, 0, 0, 0)), "jpeg", quality=95)
    red, green, blue = pixels_of(made(data))[8, 8].astype(int)
    assert red < 10
    assert min(green, blue) > 245


@pytest.mark.parametrize("container", ["jpeg", "tiff"])
def test_inks_with_a_profile_look_as_printed(container: str) -> None:
    inks = profile_of_inks(full=(136, 208, 195))  # whose cyan is red
    data = saved(Image.new("CMYK", (16, 16), (255, 0, 0, 0)), container, icc_profile=inks)
    red, green, blue = pixels_of(made(data))[8, 8].astype(int)
    assert red > 235
    assert max(green, blue) < 20


@pytest.mark.parametrize("container", ["png", "jpeg", "webp", "tiff"])
def test_colours_are_converted_to_srgb_and_the_profile_is_left_out(container: str) -> None:
    swapped = profile_of_screen((GREEN, RED, BLUE))
    data = saved(Image.new("RGB", (64, 64), (255, 0, 0)), container, icc_profile=swapped)
    rendition = made(data)
    red, green, blue = pixels_of(rendition)[8, 8].astype(int)
    assert green > 245
    assert max(red, blue) < 10
    assert "icc_profile" not in Image.open(io.BytesIO(rendition.data)).info


@pytest.mark.parametrize("name", ["jpeg", "webp", "avif", "png"])
def test_no_metadata_of_the_source_is_carried_over(name: str) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8825)[2] = (48.0, 51.0, 29.0)  # where the photo was taken
    exif[270] = "private remark"
    data = saved(Image.new("RGB", (64, 64)), "jpeg", exif=exif, comment=b"private remark")
    assert b"private remark" in data
    rendition = made(data, picture_format=name)
    found = Image.open(io.BytesIO(rendition.data))
    assert b"private" not in rendition.data
    assert not found.getexif()


# Formats by default


def test_photos_become_jpeg() -> None:
    photo = np.stack([pink_noise((120, 120), seed=seed) for seed in range(3)], axis=2)
    stream = saved(Image.fromarray(photo), "jpeg")
    for data in (png_bytes(photo), stream):
        assert made(data, PRESETS[1], "default").format == "jpeg"


def test_drawings_and_what_is_transparent_become_png() -> None:
    drawing = np.full((300, 300), 255, np.uint8)
    drawing[100:103] = 0
    glass = np.stack([pink_noise((64, 64), seed=seed) for seed in range(4)], axis=2)
    for data in (png_bytes(drawing), png_bytes(glass)):
        assert made(data, PRESETS[1], "default").format == "png"


# Guarantees


def test_the_same_arguments_give_the_same_bytes_whichever_presets_are_asked_for() -> None:
    data = (ROOT / "input_images" / "colour.png").read_bytes()
    together = render(Source("a", data), PRESETS, threads=2)
    alone = tuple(render(Source("b", data), [preset])[0] for preset in PRESETS)
    assert together == alone


def test_memory_is_checked_before_decoding() -> None:
    data = png_bytes(np.zeros((1000, 1000), np.uint8))
    needed = memory_needed(image_file.open_image(data).header, PRESETS)
    corrupt = data[:-30] + bytes(30)
    with pytest.raises(TooMuchMemory):
        render(Source("a", data), PRESETS, limits=Limits(max_memory=needed - 1))
    assert render(Source("a", data), PRESETS, limits=Limits(max_memory=needed))
    with pytest.raises(CorruptImage):
        render(Source("a", corrupt), PRESETS)


def test_the_size_of_all_files_is_limited() -> None:
    data = png_bytes(noise((300, 300)))
    with pytest.raises(TooMuchOutput):
        render(Source("a", data), PRESETS, limits=Limits(max_output_bytes=1000))


def test_what_is_no_image_is_refused() -> None:
    with pytest.raises(UnknownFormat):
        render(Source("a", b"no image"), PRESETS)
