"""Files whose structure would cost far more than their pixels are rejected before decoding."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import fft_tool
from fft_tool.codec import containers, image_file
from fft_tool.errors import BadArtifact, CorruptImage, TooCostly
from fft_tool.limits import Limits
from fft_tool.measures.measure import measure
from fft_tool.measures.polar import polar_power
from fft_tool.measures.taper import tapered
from fft_tool.results.spectrum_file import load_spectrum, save_spectrum
from fft_tool.runs.many import Job, run_one
from fft_tool.runs.sources import SourceRef
from fft_tool.spectrum.preparation import Preparation
from fft_tool.spectrum.transform import forward
from tests.support.images import noise, ramp, saved

COLOUR = Image.fromarray(ramp(64, 64, 3))


def tiff(*directories: list[tuple[int, int, int, int]], order: str = "<") -> bytes:
    """A plain TIFF of directories of entries (tag, type, count, value), without any pixels."""
    data = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8)
    for place, entries in enumerate(directories, 1):
        data += struct.pack(f"{order}H", len(entries))
        for tag, kind, count, value in entries:
            data += struct.pack(f"{order}HHI", tag, kind, count)
            form = "HH" if kind == 3 else "I"
            data += struct.pack(f"{order}{form}", *((value, 0) if kind == 3 else (value,)))
        data += struct.pack(f"{order}I", len(data) + 4 if place < len(directories) else 0)
    return data


SIZE = [(256, 3, 1, 64), (257, 3, 1, 64)]


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_tile_far_larger_than_its_image_is_rejected(order: str) -> None:
    # 1.9 MB with one tile of 44,032 x 44,032 behind 64 x 64 pixels took 1.9 GiB.
    data = tiff([*SIZE, (322, 4, 1, 44_032), (323, 4, 1, 44_032)], order=order)
    with pytest.raises(TooCostly, match=r"tiles of 44,032 x 44,032 pixels in an image of 64 x 64"):
        image_file.open_image(data)


def test_more_strips_than_an_image_can_have_are_rejected() -> None:
    with pytest.raises(TooCostly, match="tags claim more than"):
        image_file.open_image(tiff([*SIZE, (273, 4, 2_500_000, 8), (278, 4, 1, 64)]))


def test_directories_are_counted_and_bounded() -> None:
    # 100,000 directories took 51 s: Pillow searches for each in a list of all previous ones.
    assert containers.choose_tiff_page(tiff(*[SIZE] * 20_000)).count == 20_000
    with pytest.raises(TooCostly, match="more than 100,000 directories"):
        containers.choose_tiff_page(tiff([], *[[]] * 100_000))


def test_directories_in_a_loop_are_counted_once() -> None:
    data = tiff(SIZE, SIZE)
    circle = data[:-4] + struct.pack("<I", 8)
    assert containers.choose_tiff_page(circle).count == 2


@pytest.mark.parametrize("size", range(4, 36))
def test_a_truncated_tiff_is_corrupt(size: int) -> None:
    with pytest.raises(CorruptImage):
        image_file.decode(tiff(SIZE)[:size])


def test_the_pages_of_a_valid_stack_are_counted() -> None:
    pages = [Image.fromarray(noise((8, 8))) for _ in range(30)]
    buffer = io.BytesIO()
    pages[0].save(buffer, "TIFF", save_all=True, append_images=pages[1:])
    assert image_file.decode(buffer.getvalue()).header.frames == 30


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "jpeg", "packbits"])
def test_valid_tiffs_are_accepted(compression: str) -> None:
    data = saved(COLOUR, "TIFF", compression=compression)
    assert image_file.decode(data).pixels.shape == (64, 64, 3)


def test_a_jpeg_with_too_many_scans_is_rejected() -> None:
    # 12,000 empty scans in 1.9 MB took 88 s.
    data = saved(COLOUR, "JPEG", progressive=True)
    assert image_file.decode(data).pixels.shape == (64, 64, 3)
    scan = data[data.rindex(b"\xff\xda") : -2]
    with pytest.raises(TooCostly, match=r"JPEG has 12,0\d\d scans, at most 64 are accepted"):
        image_file.open_image(data[:-2] + 12_000 * scan + data[-2:])


def run_length_bmp(width: int, height: int) -> bytes:
    """A BMP of run-length encoded pixels, all of one colour."""
    rows = b"".join(
        struct.pack("BB", min(255, width - left), 0)
        for left in range(0, width, 255)
    ) + b"\0\0"  # fmt: skip
    pixels = rows * height + b"\0\1"
    palette = bytes(range(256)) * 4
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(pixels), 0, 0, 256, 0)
    start = 14 + len(info) + len(palette)
    return struct.pack("<2sIHHI", b"BM", start + len(pixels), 0, 0, start) + info + palette + pixels


def test_a_large_run_length_encoded_bmp_is_rejected() -> None:
    assert image_file.decode(run_length_bmp(300, 20)).pixels.shape == (20, 300, 3)
    # Pillow decodes it in Python: 14 kB took 11.5 s.
    with pytest.raises(
        TooCostly, match=r"1025 x 1024 = 1,049,600 pixels, at most 1,048,576 are accepted"
    ):
        image_file.open_image(run_length_bmp(1025, 1024))


def test_a_spectrum_that_would_inflate_too_much_is_rejected_first() -> None:
    # 1.2 MB became 1.4 GB.
    buffer = io.BytesIO()
    np.savez_compressed(buffer, half=np.zeros((3000, 3001), np.complex64), shape=[3000, 6000])
    with pytest.raises(BadArtifact, match=r"would inflate to 72,02\d,\d{3}, at most 67,108,864"):
        load_spectrum(buffer.getvalue())


def test_a_spectrum_that_claims_more_than_it_holds_is_rejected() -> None:
    # A header that claimed 14.6 TiB raised an unexpected exception.
    header = io.BytesIO()
    claim = {"descr": "<c16", "fortran_order": False, "shape": (1_000_000, 1_000_000)}
    np.lib.format.write_array_header_1_0(header, claim)
    sound = save_spectrum(forward(noise((8, 8))), Preparation(255))
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(sound)) as source, zipfile.ZipFile(buffer, "w") as target:
        for name in source.namelist():
            target.writestr(name, header.getvalue() if name == "half.npy" else source.read(name))
    with pytest.raises(BadArtifact, match="not a spectrum"):
        load_spectrum(buffer.getvalue())


def test_a_file_with_too_many_bytes_is_rejected_before_it_is_read(tmp_path: Path) -> None:
    # A sparse file of 6 GB was read whole.
    with (tmp_path / "sparse.png").open("wb") as file:
        file.truncate(6 << 30)
    ref = SourceRef(str(tmp_path), "sparse.png")
    outcome = run_one(ref, Job(fft_tool.Recipe(), limits=Limits()))
    assert outcome.error is not None
    assert outcome.error.code == "too-many-bytes"


@pytest.mark.parametrize(
    "shape", [(1, 40_000), (40_000, 1), (9, 70_001), (70_001, 9), (3, 150_000)]
)
def test_the_measures_of_a_narrow_image_count_every_coefficient_once(
    shape: tuple[int, int],
) -> None:
    spectrum = forward(noise(shape), precision="double")
    polar = polar_power(tapered(spectrum, taper=False))
    fy, fx = np.meshgrid(np.fft.fftfreq(shape[0]), np.fft.fftfreq(shape[1]), indexing="ij")
    power = np.abs(np.fft.fft2(noise(shape))) ** 2 / np.prod(shape)
    power[0, 0] = 0.0
    inside = (np.hypot(fy, fx) <= 0.5) & (power > 0)
    assert polar.count.sum() == pytest.approx(np.count_nonzero(inside), abs=1)
    assert polar.power.sum() == pytest.approx(power[inside].sum(), rel=1e-9)
    assert polar.total == pytest.approx(power.sum(), rel=1e-9)
    # The number of rings is bounded, so that the profile does not outgrow the image.
    assert len(polar.count) == min(max(shape), 32_768) // 2


@pytest.mark.parametrize("shape", [(1, 100_000), (100_000, 1), (4, 100_000)])
def test_a_wave_in_a_narrow_image_is_found(shape: tuple[int, int]) -> None:
    y, x = np.indices(shape)
    along = x if shape[1] > shape[0] else y
    wave = np.rint(128 + 50 * np.cos(2 * np.pi * along / 16)).astype(np.uint8)
    (peak, *_) = measure(forward(wave)).peaks
    assert peak.period == pytest.approx(16, rel=1e-4)
