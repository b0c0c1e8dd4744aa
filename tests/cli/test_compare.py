"""``fft-tool compare A B``."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

import fft_tool as ft
from tests.support.command import Run
from tests.support.images import noise, pink_noise, png_bytes

SCENE = pink_noise((90, 120))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The working folder, with two images of a scene."""
    monkeypatch.chdir(tmp_path)
    Path("a.png").write_bytes(png_bytes(SCENE))
    Path("b.png").write_bytes(png_bytes(np.roll(SCENE, (3, -5), axis=(0, 1))))
    Path("small.png").write_bytes(png_bytes(SCENE[:60, :60]))


def told(run: Run, words: str) -> dict[str, str]:
    finished = run(words)
    assert (finished.code, finished.messages) == (0, [])
    return {line.split()[0]: line.split(maxsplit=1)[1] for line in finished.lines}


def test_each_measure_has_a_line(run: Run) -> None:
    found = told(run, "compare a.png b.png")
    expected = ft.compare(SCENE, np.roll(SCENE, (3, -5), axis=(0, 1)))
    assert found["size"] == "120 × 90"
    assert found["PSNR"] == f"{expected.psnr:.2f} dB, of white 255"
    assert found["SSIM"] == f"{expected.ssim:.4f}"
    assert found["shift"].startswith("−5.0")
    assert "px to the right, 3.0" in found["shift"]
    assert found["resolution"].endswith(", of images that are not aligned")


def test_what_does_not_exist_is_said(run: Run) -> None:
    found = told(run, "compare a.png a.png")
    assert found["PSNR"] == "none: the grey levels are equal"
    assert found["resolution"].startswith("Nyquist, 0.500 cycles/px, 2.00 px (0.143)")
    Path("flat.png").write_bytes(png_bytes(np.full((3, 3), 9, np.uint8)))
    found = told(run, "compare flat.png flat.png")
    assert found["SSIM"] == "none: a side is too short"
    assert found["correlation"] == found["shift"] == "none: an image is constant"
    assert found["resolution"] == "none (0.143); none (half-bit)"
    for name, seed in (("x.png", 1), ("y.png", 2)):
        Path(name).write_bytes(png_bytes(noise((64, 64), seed=seed)))
    assert told(run, "compare x.png y.png")["shift"].startswith("none found: a peak of")


def test_json_is_one_object(run: Run) -> None:
    finished = run("compare a.png b.png --json --crop square")
    assert finished.code == 0
    (line,) = finished.lines
    record = json.loads(line, parse_constant=pytest.fail)
    assert record["first"]["name"] == "a.png"
    assert record["recipe"] == "crop=square"
    assert (record["width"], record["height"]) == (90, 90)
    assert len(record["ring_correlation"]["correlation"]) == 45


def test_a_folder_gets_record_picture_and_plot(run: Run) -> None:
    finished = run("compare a.png b.png -o out")
    assert finished.lines[-3:] == [
        "out/a_b_difference.png",
        "out/a_b_rings.svg",
        "out/a_b_comparison.json",
    ]
    record = json.loads(Path("out/a_b_comparison.json").read_text("utf-8"))
    assert record == json.loads(run("compare a.png b.png --json").out)
    difference = np.abs(SCENE - np.roll(SCENE, (3, -5), axis=(0, 1)).astype(int))
    picture = ft.decode(Path("out/a_b_difference.png").read_bytes()).pixels[:, :, 0]
    assert (picture == np.rint(difference * (255 / difference.max()))).all()
    plot = ET.fromstring(Path("out/a_b_rings.svg").read_text("utf-8"))  # noqa: S314  (ours)
    assert plot.tag == "{http://www.w3.org/2000/svg}svg"
    assert "resolution in cycles per pixel" in plot.attrib["aria-label"]


def test_different_sizes_are_refused_unless_they_are_to_fit(run: Run) -> None:
    finished = run("compare a.png small.png")
    assert finished.code == 1
    (message,) = finished.messages
    for part in ("a.png and small.png", "120 x 90", "60 x 60", "--fit"):
        assert part in message
    assert told(run, "compare a.png small.png --fit")["size"].startswith("60 × 60, scaled down")
    assert "none" in told(run, "compare a.png small.png --crop 0,0,60,60")["PSNR"]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ("a.png", 2, "required: B"),
        ("a.png missing.png", 1, "missing.png: no such file"),
        ("a.png bad.png", 1, "bad.png: not an image in a known format"),
        ("a.png .", 2, "has 3 images, name one of them"),
        ("a.png b.png -o -", 2, "several files are written, name a folder"),
        ("a.png b.png -o a.png", 2, "a.png: is a file, name a folder"),
        ("a.png b.png --crop 0,0,500,5", 1, "a.png: the crop 0,0,500,5 extends"),
        ("a.png b.png --channel red", 1, "a.png: --channel red: should be luma"),
    ],
)
def test_what_is_wrong_is_said(run: Run, words: str, code: int, message: str) -> None:
    Path("bad.png").write_bytes(b"no image")
    if words.endswith(" ."):
        Path("bad.png").unlink()
    finished = run(f"compare {words}")
    assert finished.code == code
    assert message in finished.err
