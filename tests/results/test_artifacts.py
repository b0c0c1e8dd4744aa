"""Content of the artifacts: pixels of the crop, colours, depth and provenance."""

from __future__ import annotations

import hashlib
import io

import numpy as np
import pytest

import fft_tool
from fft_tool import Recipe
from fft_tool.codec import image_file
from fft_tool.image.region import Box
from fft_tool.results.spectrum_file import load_spectrum
from fft_tool.spectrum.colourmap import cyclic, sequential
from fft_tool.spectrum.inversion import restore_plane
from tests.support.images import noise, opened
from tests.support.planes import read_png, source
from tests.support.runs import EVERYTHING, record_of, run


def test_pictures_state_their_provenance() -> None:
    image = source(noise((20, 30)))
    for artifact in fft_tool.run(image, EVERYTHING):
        if artifact.name.endswith(".png"):
            text = getattr(opened(artifact.data), "text")  # noqa: B009  (Image lacks it)
            assert text == {
                "Software": f"fft-tool {fft_tool.__version__}",
                "Source-SHA256": hashlib.sha256(image.data).hexdigest(),
                "Recipe": str(EVERYTHING),
            }


def test_provenance_is_enough_to_reproduce_a_picture() -> None:
    image = source(noise((20, 30)))
    picture = fft_tool.run(image, EVERYTHING)["magnitude"].data
    text = getattr(opened(picture), "text")  # noqa: B009  (as above)
    again = fft_tool.run(image, Recipe.parse_text(text["Recipe"]))
    assert again["magnitude"].data == picture


def test_crop_is_the_source_s_pixels_and_the_spectrum_is_the_crop_s() -> None:
    pixels = noise((20, 30, 3))
    outputs = run(pixels, crop="3,4,11,7", metadata="yes", bits="16")
    region = pixels[4:11, 3:14]
    assert np.array_equal(read_png(outputs["crop"].data), region)
    alone = run(region, bits="16")
    for kind in ("magnitude", "phase"):
        assert np.array_equal(read_png(outputs[kind].data), read_png(alone[kind].data))
    assert record_of(outputs)["region"] == {
        "x": 3,
        "y": 4,
        "width": 11,
        "height": 7,
        "method": "given",
    }


def test_smart_crop_is_recorded_as_the_box_that_was_cut() -> None:
    pixels = np.full((60, 80), 128, np.uint8)
    pixels[40:50, 50:64] = noise((10, 14))
    outputs = run(pixels, smart_crop="30,20", metadata="yes")
    region = record_of(outputs)["region"]
    assert (region["width"], region["height"]) == (30, 20)
    assert region["method"] == "phase spectrum"
    box = Box(region["x"], region["y"], 30, 20).resolve(80, 60)
    cut = pixels[box.y : box.y + 20, box.x : box.x + 30]
    assert np.array_equal(read_png(outputs["crop"].data), cut)
    again = run(pixels, crop=str(box))
    assert (
        read_png(again["magnitude"].data).tolist() == read_png(outputs["magnitude"].data).tolist()
    )


def test_16_bit_colour_keeps_its_depth_and_channels() -> None:
    pixels = noise((12, 15, 3), white=65535)
    outputs = run(pixels, crop="0,0,15,12", metadata="yes", spectrum="yes")
    decoded = image_file.decode(outputs["crop"].data)
    assert np.array_equal(decoded.pixels, pixels)
    record = record_of(outputs)
    assert record["image"] | {"frames": 1} == {
        "format": "png",
        "width": 15,
        "height": 12,
        "channels": ["red", "green", "blue"],
        "depth": 16,
        "sample_type": "uint",
        "values": None,
        "white": 65535,
        "frames": 1,
        "frame": 1,
        "orientation": 1,
        "pixel_size": None,
    }
    assert record["certificate"]["exact"]
    luma = pixels.astype(float) @ [0.299, 0.587, 0.114]
    restored = restore_plane(*load_spectrum(outputs["spectrum"].data))
    assert np.abs(restored - luma).max() <= 0.5 + 65535 * 2e-5  # rounded, and weights of 16 bits


@pytest.mark.parametrize(
    ("channel", "index"), [("red", 0), ("green", 1), ("blue", 2), ("alpha", 3)]
)
def test_one_channel_is_analysed_as_if_it_were_the_image(channel: str, index: int) -> None:
    pixels = noise((14, 17, 4))
    if channel != "alpha":
        pixels[:, :, 3] = 255  # opaque: nothing shines through
    outputs = run(pixels, channel=channel, bits="16")
    alone = run(np.ascontiguousarray(pixels[:, :, index]), bits="16")
    for kind in ("magnitude", "phase"):
        assert np.array_equal(read_png(outputs[kind].data), read_png(alone[kind].data))


def test_filtered_image_has_the_depth_of_its_source_and_keeps_its_mean() -> None:
    for white in (255, 65535):
        plane = noise((32, 48), white=white)
        filtered = read_png(run(plane, filter="lowpass:8")["filtered"].data)
        assert filtered.dtype == plane.dtype
        assert filtered.shape == plane.shape
        assert filtered.mean() == pytest.approx(plane.mean(), abs=0.01 * white)
        assert filtered.std() < plane.std() / 2


def test_coloured_pictures_are_the_grey_ones_through_the_tables() -> None:
    """The cyclic table for the phase, the sequential one for the magnitude."""
    plane = noise((14, 17))
    grey, coloured = run(plane), run(plane, colour="yes")
    for kind, table in (("magnitude", sequential()), ("phase", cyclic())):
        codes = read_png(grey[kind].data)
        assert np.array_equal(read_png(coloured[kind].data), table[codes])


def test_a_saved_spectrum_is_a_plain_npz_file() -> None:
    outputs = run(noise((9, 14)), spectrum="yes", precision="double")
    with np.load(io.BytesIO(outputs["spectrum"].data), allow_pickle=False) as file:
        assert sorted(file.files) == ["half", "preparation", "shape", "text"]
        assert file["shape"].tolist() == [9, 14]
        np.testing.assert_allclose(file["half"], np.fft.rfft2(noise((9, 14))), atol=1e-8)
