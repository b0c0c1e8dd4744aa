"""The reconstruct command: inputs, outputs, and what it says when something is not exact."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.command import Run
from tests.support.images import noise, opened, png_bytes

GREY, COLOUR = noise((24, 32)), noise((20, 16, 3), seed=1)
ALL = {"back/a.png", "back/plants/b.png", "back/plants/c.jpg.png"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run) -> Path:
    """The working folder, with three images in ``in`` and their results in ``out``."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in" / "plants").mkdir(parents=True)
    for name, pixels in (("a.png", GREY), ("plants/b.png", COLOUR), ("plants/c.jpg", GREY)):
        (tmp_path / "in" / name).write_bytes(png_bytes(pixels))
    words = ["--bits", "16", "--metadata", "--spectrum", "--quiet"]
    assert run("analyze", "in", "-o", "out", *words).code == 0
    return tmp_path


def pixels(path: str) -> Any:
    return np.asarray(opened(Path(path).read_bytes()))


def made(folder: Path) -> set[str]:
    """Files beside the sources and their results."""
    files = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {path.as_posix() for path in files if path.parts[0] not in ("in", "out")}


# Inputs and outputs


def test_a_folder_gives_every_image_back(folder: Path, run: Run) -> None:
    finished = run("reconstruct", "out", "-o", "back")
    assert (finished.code, finished.err) == (0, "")
    assert set(finished.lines) == made(folder) == ALL
    assert np.array_equal(pixels("back/a.png"), GREY)
    assert np.array_equal(pixels("back/plants/c.jpg.png"), GREY)
    assert pixels("back/plants/b.png").shape == COLOUR.shape[:2]


def test_several_records_and_spectra_go_to_a_folder(folder: Path, run: Run) -> None:
    names = ["out/a_metadata.json", "out/plants/b_spectrum.npz", "out/./a_metadata.json"]
    assert run("reconstruct", *names, "-o", "back/").code == 0
    assert made(folder) == {"back/a.png", "back/b.png"}


def test_quiet_prints_nothing(folder: Path, run: Run) -> None:
    finished = run("reconstruct", "out", "-o", "back", "--quiet")
    assert (finished.code, finished.out, finished.err) == (0, b"", "")
    assert made(folder) == ALL


@pytest.mark.parametrize("output", ["back.png", "back.PNG", "new/back.png"])
def test_one_record_goes_to_a_file(folder: Path, run: Run, output: str) -> None:
    finished = run("reconstruct", "out/a_metadata.json", "-o", output)
    assert (finished.code, finished.out, finished.err) == (0, b"", "")
    assert made(folder) == {output}


@pytest.mark.parametrize("output", ["back", "back/", "back.v2"])
def test_one_record_may_go_to_a_folder(folder: Path, run: Run, output: str) -> None:
    assert run("reconstruct", "out/a_metadata.json", "-o", output).code == 0
    assert made(folder) == {f"{output.rstrip('/')}/a.png"}


@pytest.mark.parametrize("output", ["r.jpg", "r.tif", "r.json", "s3://bucket/r.webp", "R.JPEG"])
def test_an_ending_that_is_not_png_is_refused(folder: Path, run: Run, output: str) -> None:
    finished = run("reconstruct", "out/a_metadata.json", "-o", output)
    assert (finished.code, finished.out) == (2, b"")
    (message,) = finished.messages
    named = f"{output.rpartition('.')[0]}.png"
    assert message == (f"fft-tool: -o {output}: images are written as PNG, for instance {named}")
    assert made(folder) == set()


@pytest.mark.parametrize("inputs", [["out"], ["out/a_metadata.json", "out/plants/b_metadata.json"]])
@pytest.mark.parametrize("output", ["back.png", "-"])
def test_several_images_do_not_fit_one_file(
    folder: Path, run: Run, inputs: list[str], output: str
) -> None:
    finished = run("reconstruct", *inputs, "-o", output)
    assert (finished.code, finished.out) == (2, b"")
    assert "name a folder for several images" in finished.err
    assert made(folder) == set()


def test_two_images_of_one_name_are_refused(folder: Path, run: Run) -> None:
    shutil.copytree("out", "other")
    before = made(folder)
    finished = run("reconstruct", "out", "other", "-o", "back")
    assert finished.code == 2
    assert "would both be written as a.png" in finished.err
    assert made(folder) == before


def test_one_bad_record_stops_no_other(folder: Path, run: Run) -> None:
    Path("out/plants/b_metadata.json").write_text("{}")
    finished = run("reconstruct", "out", "missing", "gone.json", "-o", "back")
    assert finished.code == 1
    assert made(folder) == ALL - {"back/plants/b.png"}
    assert len(finished.messages) == 3
    for name in ("out/plants/b_metadata.json", "missing", "gone.json"):
        assert any(f"fft-tool: {name}: " in message for message in finished.messages)


def test_a_source_is_not_overwritten(folder: Path, run: Run) -> None:
    before = Path("in/plants/b.png").read_bytes()
    finished = run("reconstruct", "out", "-o", "in")
    assert finished.code == 2
    assert "in/plants/b.png is the source, which would be overwritten" in finished.err
    assert Path("in/plants/b.png").read_bytes() == before
    assert run("reconstruct", "out/a_metadata.json", "-o", "in/a.png").code == 2
    assert made(folder) == set()


# What is said


def test_json_tells_whether_each_image_is_exact(folder: Path, run: Run) -> None:
    assert run("analyze", "in/a.png", "-o", "out", "--metadata", "--quiet").code == 0  # 8 bits
    Path("out/plants/b_metadata.json").unlink()
    Path("out/plants/c.jpg_spectrum.npz").write_bytes(b"")
    finished = run("reconstruct", "out", "-o", "back", "--json")
    assert finished.code == 1
    inexact, failed = finished.objects
    assert inexact["input"] == "out/a_metadata.json"
    assert inexact["output"] == "back/a.png"
    assert (inexact["exact"], inexact["from"], inexact["error"]) == (False, "pictures", None)
    error = np.abs(pixels("back/a.png").astype(int) - GREY).max()
    assert inexact["max_abs_error"] == error > 0
    assert failed["error"]["code"] == "changed-artifact"
    assert made(folder) == {"back/a.png"}


def test_an_inexact_image_comes_with_a_warning(folder: Path, run: Run) -> None:
    assert run("analyze", "in/a.png", "-o", "out", "--metadata", "--quiet").code == 0
    finished = run("reconstruct", "out/a_metadata.json", "-o", "back.png")
    error = np.abs(pixels("back.png").astype(int) - GREY).max()
    assert finished.code == 0
    assert finished.err == (
        "fft-tool: warning: out/a_metadata.json: "
        f"not exact: grey levels are off by up to {error} of 255\n"
    )
    assert made(folder) == {"back.png"}


def test_the_table_of_analyses_tells_what_is_not_exact(folder: Path, run: Run) -> None:
    finished = run("analyze", "in", "-o", "out", "--metadata")
    assert folder.exists()
    assert finished.out.decode().count("not exact, ± ") == 3
    finished = run("analyze", "in", "-o", "out", "--metadata", "--json")
    assert [line["exact"] for line in finished.objects] == [False] * 3
    finished = run("analyze", "in", "-o", "out", "--json")
    assert [line["exact"] for line in finished.objects] == [None] * 3


def test_swapped_pictures_are_an_error_unless_forced(folder: Path, run: Run) -> None:
    words = ["reconstruct", "out/a_metadata.json", "--from", "pictures", "-o", "back.png"]
    shutil.copy("out/a_phase.png", "out/a_magnitude.png")
    finished = run(*words)
    assert finished.code == 1
    (message,) = finished.messages
    assert message == (
        "fft-tool: out/a_metadata.json: a_magnitude.png is not the file that the record lists: "
        "it was changed, or belongs to another image; --force uses it nevertheless"
    )
    assert made(folder) == set()
    finished = run(*words, "--force")
    assert finished.code == 0
    assert finished.messages[-1].endswith("not exact: the image differs from the one analysed")
    assert made(folder) == {"back.png"}


def test_json_and_the_image_do_not_share_standard_output(folder: Path, run: Run) -> None:
    finished = run("reconstruct", "out/a_metadata.json", "-o", "-", "--json")
    assert (finished.code, finished.out) == (2, b"")
    assert made(folder) == set()


@pytest.mark.parametrize(
    "data", [b"", b"text", b"PK\3\4", b"\x93NUMPY\1\0v\0", png_bytes(noise((2, 2)))]
)
def test_what_is_not_a_spectrum_is_told_in_plain_words(folder: Path, run: Run, data: bytes) -> None:
    Path("odd.npz").write_bytes(data)
    finished = run("reconstruct", "odd.npz", "-o", "back.png")
    assert finished.code == 1
    (message,) = finished.messages
    assert message.startswith("fft-tool: odd.npz: not a spectrum saved by fft-tool: ")
    assert "pickle" not in message
    assert made(folder) == {"odd.npz"}


def test_an_object_array_is_told_in_plain_words(folder: Path, run: Run) -> None:
    values = {name: np.array([None]) for name in ("half", "shape", "preparation")}
    np.savez("odd.npz", **values)  # type: ignore[arg-type]
    finished = run("reconstruct", "odd.npz", "-o", "back.png")
    assert finished.code == 1
    assert "pickle" not in finished.err
    assert json.dumps(finished.err).count("\\n") == 1
    assert made(folder) == {"odd.npz"}
