"""``-o``: a folder, or one file, pipe or device, which is written through."""

from __future__ import annotations

import csv
import io
import json
import os
import stat
import threading
from pathlib import Path

import numpy as np
import pytest

import fft_tool
from tests.support.command import Run, tool
from tests.support.images import noise, png_bytes

IMAGE = png_bytes(noise((24, 32)))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with two images and a record in ``out``."""
    monkeypatch.chdir(tmp_path)
    for name in ("a.png", "b.png"):
        Path(name).write_bytes(IMAGE)
    return tmp_path


def names() -> set[str]:
    return {path.name for path in Path().iterdir()} - {"a.png", "b.png"}


MAGNITUDE = fft_tool.run(fft_tool.Source("a.png", IMAGE), fft_tool.Recipe())["magnitude"].data


# One file


def test_a_file_may_be_named_for_one_image(run: Run) -> None:
    finished = run("analyze a.png -o new/m.png")
    assert (finished.code, finished.lines, finished.err) == (0, ["new/m.png"], "")
    assert [path.name for path in Path("new").iterdir()] == ["m.png"]
    assert Path("new/m.png").read_bytes() == MAGNITUDE


@pytest.mark.parametrize(
    ("words", "magic"),
    [
        ("analyze a.png -o x.png --artifact phase", b"\x89PNG"),
        ("analyze a.png -o x.json --metadata", b"{"),
        ("analyze a.png -o x.npz --spectrum", b"PK"),
        ("crop a.png --crop square -o x.png", b"\x89PNG"),
        ("filter a.png --filter lowpass:4 -o X.PNG", b"\x89PNG"),
    ],
)
def test_the_ending_and_the_artifact_agree(run: Run, words: str, magic: bytes) -> None:
    assert run(words).code == 0
    (name,) = names()
    assert Path(name).read_bytes().startswith(magic)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("analyze a.png -o m.jpg", "name it m.png, or end the name in /"),
        ("analyze a.png -o m.png --metadata --artifact metadata", "name it m.json"),
        ("analyze a.png -o m.json", "no metadata among the artifacts: phase, magnitude; add --met"),
        ("analyze a.png -o m.png --artifact magnitud", "did you mean magnitude?"),
        ("analyze a.png b.png -o m.png", "takes one source, not 2: name a folder"),
        ("analyze . -o m.png", "takes one source, not 2: name a folder"),
        ("analyze a.png -o a.png", "-o a.png would overwrite the source"),
        ("analyze a.png -o ./a.png", "-o ./a.png would overwrite the source"),
        ("analyze a.png -o m.png --skip-existing", "--skip-existing: needs a folder"),
        ("analyze a.png -o - --json", "--json and -o - both write to standard output"),
        ("analyze a.png -o s3://b", "-o s3://b: not a store"),
        ("analyze a.png -o ftp://host/out", "-o ftp://host/out: not a store"),
        ("analyze a.png -o memory:x", "should be a folder"),
        ("crop a.png --crop square -o c.tif", "name it c.png"),
        ("table out -o t.xlsx", "ends in .csv or .parquet can be written, for instance t.csv"),
        ("table out -o out/", "is a folder, name a file that ends in .csv"),
        ("report out -o page.pdf", "ends in .html or .htm"),
        ("radial a.png -o profile.png", "ends in .csv can be written, for instance profile.csv"),
        ("upload a.png ftp://host/in", "ftp://host/in: not a store"),
    ],
)
def test_what_does_not_fit_is_wrong_usage_and_writes_nothing(
    run: Run, words: str, told: str
) -> None:
    finished = run(words)
    assert (finished.code, finished.out) == (2, b"")
    (message,) = finished.messages
    assert told in message
    assert names() == set()
    assert Path("a.png").read_bytes() == IMAGE


def test_a_file_in_the_place_of_a_folder_is_wrong_usage(run: Run) -> None:
    Path("results").write_bytes(b"data")
    finished = run("analyze a.png b.png -o results")
    assert finished.code == 2
    assert "-o results: is a file, name a folder" in finished.err


def test_a_slash_makes_a_folder_whatever_its_name_and_so_does_one_that_is_there(run: Run) -> None:
    for name in ("m.png/", "m.png"):
        assert run(f"analyze a.png -o {name}").code == 0
        assert sorted(os.listdir("m.png")) == ["a_magnitude.png", "a_phase.png"]  # noqa: PTH208


def test_json_and_a_dry_run_tell_of_the_file(run: Run) -> None:
    finished = run("analyze a.png -o m.png --json --dry-run")
    assert (finished.objects[0]["outcome"], finished.objects[0]["outputs"]) == (
        "planned",
        ["m.png"],
    )
    assert names() == set()


def test_a_bad_image_leaves_the_file_as_it_was(run: Run) -> None:
    Path("a.png").write_bytes(b"text")
    Path("m.png").write_bytes(b"old")
    assert run("analyze a.png -o m.png").code == 1
    assert Path("m.png").read_bytes() == b"old"


# What is no regular file


@pytest.mark.parametrize("target", ["target.png", "missing.png"])
def test_a_link_is_written_through(run: Run, target: str) -> None:
    Path("link.png").symlink_to(f"elsewhere/{target}")
    Path("elsewhere").mkdir()
    Path("elsewhere/target.png").write_bytes(b"old")
    assert run("analyze a.png -o link.png").code == 0
    assert Path("link.png").is_symlink()
    assert Path(f"elsewhere/{target}").read_bytes() == MAGNITUDE


def test_a_loop_of_links_is_told(run: Run) -> None:
    Path("loop.png").symlink_to("loop.png")
    finished = run("analyze a.png -o loop.png")
    assert finished.code == 1
    assert finished.messages == ["fft-tool: loop.png: too many levels of symbolic links"]


def test_a_named_pipe_is_written_to_and_stays(run: Run) -> None:
    os.mkfifo("pipe")
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(Path("pipe").read_bytes()))
    reader.start()
    assert run("analyze a.png -o pipe").code == 0
    reader.join()
    assert got == [MAGNITUDE]
    assert stat.S_ISFIFO(Path("pipe").stat().st_mode)


@pytest.mark.parametrize("words", ["analyze a.png -o", "radial a.png -o"])
def test_a_device_is_written_to_and_stays(run: Run, words: str) -> None:
    before = Path("/dev/null").stat()
    assert run(f"{words} /dev/null").code == 0
    after = Path("/dev/null").stat()
    assert (before.st_ino, before.st_rdev) == (after.st_ino, after.st_rdev)
    assert stat.S_ISCHR(after.st_mode)


def test_standard_output_and_open_files_have_names(folder: Path) -> None:
    assert tool("analyze", "a.png", "-o", "/dev/stdout", cwd=folder).out == MAGNITUDE
    (folder / "own").symlink_to("/dev/stdout")
    assert tool("analyze", "a.png", "-o", "own", cwd=folder).out == MAGNITUDE
    (folder / "log").write_bytes(b"before ")
    with (folder / "log").open("ab") as log:

        def on_stderr() -> None:
            os.dup2(log.fileno(), 2)

        tool("analyze", "a.png", "-o", "/dev/fd/2", cwd=folder, before=on_stderr)
    assert (folder / "log").read_bytes() == b"before " + MAGNITUDE


# Tables


def test_statistics_as_csv(run: Run) -> None:
    finished = run("stats a.png b.png --csv")
    rows = list(csv.DictReader(io.StringIO(finished.out.decode())))
    assert [(row["source"], row["channel"]) for row in rows] == [
        ("a.png", "grey"),
        ("b.png", "grey"),
    ]
    assert float(rows[0]["mean"]) == pytest.approx(noise((24, 32)).mean())
    assert float(rows[0]["laplacian_variance"]) > 0


def test_radial_profiles_as_csv(run: Run) -> None:
    wave = 128 + 64 * np.cos(2 * np.pi * np.arange(64) / 8) + np.zeros((64, 1))
    Path("wave.png").write_bytes(png_bytes(np.rint(wave).astype(np.uint8)))
    finished = run("radial a.png wave.png -o profile.csv --pixel-size 0.5um")
    assert (finished.code, finished.lines, finished.err) == (0, ["profile.csv"], "")
    rows = list(csv.DictReader(io.StringIO(Path("profile.csv").read_text("utf-8"))))
    assert [row["source"] for row in rows] == ["a.png"] * 16 + ["wave.png"] * 32
    strongest = max(rows[16:], key=lambda row: float(row["mean_power"]))
    assert (float(strongest["frequency"]), float(strongest["period"])) == (1 / 8, 8.0)
    assert float(strongest["frequency_per_um"]) == 1 / 4
    assert run("radial a.png -o -").out.decode().count("\n") == 17


def test_radial_profiles_are_those_of_the_record(run: Run) -> None:
    assert run("analyze a.png -o m.json --metadata --window hann").code == 0
    assert run("radial a.png -o m.csv --window hann").code == 0
    profile = json.loads(Path("m.json").read_bytes())["measures"]["radial_profile"]
    rows = list(csv.DictReader(io.StringIO(Path("m.csv").read_text("utf-8"))))
    powers = [float(row["mean_power"]) for row in rows]
    assert powers == pytest.approx(profile["mean"], rel=1e-5)


def test_one_bad_image_stops_no_other_profile(run: Run) -> None:
    Path("bad.png").write_bytes(b"text")
    finished = run("radial bad.png a.png -o profile.csv")
    assert finished.code == 1
    assert finished.messages[0].startswith("fft-tool: bad.png: not an image")
    assert Path("profile.csv").read_text("utf-8").count("\n") == 17


# Results that cannot be read


def test_a_damaged_record_is_named_and_the_others_are_in_the_table(run: Run) -> None:
    assert run("analyze . -o out --metadata --quiet").code == 0
    Path("out/a_metadata.json").write_bytes(b"text")
    for words in ("table out -o t.csv", "report out -o t.html"):
        finished = run(words)
        assert finished.code == 1
        assert "out/a_metadata.json: not a record" in finished.err
    assert "b.png" in Path("t.csv").read_text("utf-8")
    assert "b.png" in Path("t.html").read_text("utf-8")
