"""Images made of one source: their names, contents, texts and bytes."""

from __future__ import annotations

import io
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from PIL import Image

import fft_tool
from fft_tool import Source
from fft_tool.codec import image_file, png_file
from fft_tool.errors import CorruptImage, EmptyImage, OperationsError, RecipeError
from fft_tool.operations.naming import plan_operations
from fft_tool.operations.registry import parse_operations
from fft_tool.operations.run import run_operations
from tests.support.images import noise, npy, png_bytes, saved
from tests.support.operations import CHANNELS, DTYPES, applied, random_image

CHAIN = "grayscale,blur:3,sepia,rotate:12.5,crop:square,resize:50%,lowpass:4"


def made(source: Source, text: str, **options: Any) -> fft_tool.Outputs:
    return run_operations(source, parse_operations(text), **options)


def source_of(pixels: Any) -> Source:
    return Source("plants/forest.png", png_bytes(pixels))


def test_there_is_an_image_of_each_operation_alone_and_one_of_all_in_sequence() -> None:
    pixels = random_image((60, 80), 4, np.uint16)
    outputs = made(source_of(pixels), CHAIN)
    names = [artifact.name for artifact in outputs]
    assert names == [
        *("independent/1-grayscale.png", "independent/2-blur.png", "independent/3-sepia.png"),
        *("independent/4-rotate.png", "independent/5-crop.png", "independent/6-resize.png"),
        *("independent/7-lowpass.png", "combined.png"),
    ]
    assert tuple(names) == plan_operations(parse_operations(CHAIN))
    assert [artifact.kind for artifact in outputs] == ["independent"] * 7 + ["combined"]
    assert {artifact.content_type for artifact in outputs} == {"image/png"}
    for artifact, text in zip(outputs, [*CHAIN.split(","), CHAIN], strict=True):
        found = image_file.decode(artifact.data).pixels
        np.testing.assert_array_equal(found, applied(text, pixels))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", CHANNELS)
def test_depth_and_channels_are_kept(dtype: Any, channels: int) -> None:
    pixels = random_image((20, 30), channels, dtype)
    found = image_file.decode(made(source_of(pixels), "blur,flip")["combined"].data)
    assert found.pixels.dtype == dtype
    assert found.pixels.shape == pixels.shape


def test_the_same_operation_twice_gives_two_files() -> None:
    outputs = made(source_of(noise((9, 9))), "blur,blur:1,blur")
    assert len({artifact.name for artifact in outputs}) == 4
    first, _, third, _ = outputs
    assert first.data == third.data


def test_bytes_do_not_depend_on_threads() -> None:
    source = source_of(random_image((150, 700), 4, np.uint8))
    text = "gamma:1.8,equalise,blur:3,sharpen:2,8,rotate:-10,resize:110%,destripe,sepia,edges"
    one, three = (made(source, text, threads=threads) for threads in (1, 3))
    assert [artifact.sha256 for artifact in one] == [artifact.sha256 for artifact in three]


def test_every_image_tells_its_source_and_operations() -> None:
    source = source_of(noise((9, 9, 3)))
    outputs = made(source, " Greyscale, blur:2.0 ")
    texts = [png_file.read_text(artifact.data) for artifact in outputs]
    assert [text["Operations"] for text in texts] == ["grayscale", "blur", "grayscale,blur"]
    for text in texts:
        assert text["Source-SHA256"] == source.sha256
        assert text["Software"] == f"fft-tool {fft_tool.__version__}"
        assert set(text) == {"Software", "Source-SHA256", "Operations"}


def test_12_bits_are_processed_at_their_own_white_and_written_over_the_whole_range() -> None:
    levels = noise((14, 16), white=4095)
    data = b"P5\n16 14\n4095\n" + levels.astype(">u2").tobytes()
    found = image_file.decode(made(Source("a.pgm", data), "invert")["combined"].data)
    np.testing.assert_array_equal(np.rint(found.pixels[:, :, 0] / 65535 * 4095), 4095 - levels)


def test_16_bit_tiffs_with_alpha_keep_both() -> None:
    pixels = random_image((20, 24), 4, np.uint16)
    buffer = io.BytesIO()
    import_module("tifffile").imwrite(
        buffer, pixels, photometric="rgb", extrasamples=["unassalpha"]
    )
    outputs = made(Source("a.tif", buffer.getvalue()), "flip:vertical")
    np.testing.assert_array_equal(image_file.decode(outputs["combined"].data).pixels, pixels[::-1])


def test_turned_images_are_processed_upright() -> None:
    exif = Image.Exif()
    exif[274] = 6
    data = saved(Image.fromarray(noise((16, 40, 3), np.uint8)), "JPEG", exif=exif)
    found = image_file.decode(made(Source("a.jpg", data), "crop:0,0,16,40")["combined"].data)
    np.testing.assert_array_equal(found.pixels, image_file.decode(data).pixels)


def test_pixel_sizes_follow_the_image() -> None:
    data = image_file.encode_image(noise((40, 60)), 255, pixel_size_um=(2.0, 4.0))
    outputs = made(Source("a.png", data), "rotate:90,resize:50%,rotate:10")
    sizes = [image_file.open_image(artifact.data).header.pixel_size_um for artifact in outputs]
    assert sizes[:2] == [pytest.approx((4, 2)), pytest.approx((4, 8))]
    assert sizes[2:] == [None, None]


def test_only_the_first_frame_is_processed_unless_one_is_named() -> None:
    frames = [Image.fromarray(noise((9, 11), np.uint8, seed)) for seed in (1, 2)]
    data = saved(frames[0], "TIFF", save_all=True, append_images=frames[1:])
    outputs = made(Source("a.tif", data), "invert")
    (remark,) = outputs.remarks
    assert "only the first of 2 frames was processed" in remark.text
    second = made(Source("a.tif", data), "invert", frame=2)
    assert second.remarks == ()
    found = image_file.decode(second["combined"].data).pixels[:, :, 0]
    np.testing.assert_array_equal(found, 255 - np.asarray(frames[1]))
    assert png_file.read_text(second["combined"].data)["Frame"] == "2"
    with pytest.raises(RecipeError, match="frame"):
        made(Source("a.tif", data), "invert", frame=3)


def test_values_of_black_and_white_can_be_told() -> None:
    data = npy(np.array([[0.0, 0.5, 1.0]]))
    found = made(Source("a.npy", data), "invert", value_range=(0.0, 2.0))["combined"]
    assert image_file.decode(found.data).pixels.ravel().tolist() == [65535, 49151, 32767]


def test_steps_and_header_are_told_as_they_come() -> None:
    said: list[str] = []
    made(
        source_of(noise((9, 11))),
        "blur,invert",
        on_step=said.append,
        on_header=lambda header: said.append(f"{header.width}"),
    )
    assert said == ["decode", "11", "blur", "invert", "invert"]


@pytest.mark.parametrize(
    ("data", "error"), [(b"", EmptyImage), (png_bytes(noise((9, 9)))[:-20], CorruptImage)]
)
def test_bad_images_are_refused(data: bytes, error: Any) -> None:
    with pytest.raises(error):
        made(Source("a.png", data), "invert")


def test_no_operations_are_refused() -> None:
    with pytest.raises(OperationsError, match="no operations"):
        run_operations(source_of(noise((9, 9))), ())
