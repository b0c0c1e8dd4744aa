"""``fft-tool process``: the workflow on the command line."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import fft_tool as ft
from tests.support.cloud import Bucket
from tests.support.command import Run, tool
from tests.support.images import noise, png_bytes
from tests.support.workflows import PHOTO, files, sources_with, worked

OPERATIONS = "grayscale,blur:3,sepia"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a colour and a grey image."""
    monkeypatch.chdir(tmp_path)
    Path("in/plants").mkdir(parents=True)
    Path("in/plants/forest.png").write_bytes(PHOTO)
    Path("in/grey.png").write_bytes(png_bytes(noise((24, 32))))
    return tmp_path


def made(where: str = "out") -> set[str]:
    root = Path(where)
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


def test_names_and_bytes_are_those_of_the_workflow_in_a_bucket(run: Run) -> None:
    finished = run(f"process in --operations {OPERATIONS} -o out")
    assert (finished.code, finished.messages) == (0, [])
    expected, _ = worked(sources_with())
    for name, data in files(expected).items():
        assert Path("out", name).read_bytes() == data
    assert "grey/manifest.json" in made()


def test_one_image_is_listed_with_its_files_and_what_has_changed(run: Run) -> None:
    finished = run("process in/plants/forest.png --operations blur:1 -o out")
    lines = finished.lines
    assert lines[0] == "out/forest/independent/1-blur.png"
    assert "out/forest/manifest.json" in lines
    found = dict(line.split(maxsplit=1) for line in lines[lines.index("") + 1 :])
    manifest = json.loads(Path("out/forest/manifest.json").read_bytes())
    assert found["size"] == "56 × 40 → 56 × 40"
    assert found["PSNR"] == f"{manifest['psnr_db']:.2f} dB"
    assert re.fullmatch(r"[\d.]+ → [\d.]+", found["std"])


def test_several_images_make_a_table(run: Run) -> None:
    finished = run("process in --operations crop:0,0,16,16 -o out")
    text = finished.out.decode()
    for part in ("in/plants/forest.png", "in/grey.png", "PSNR", "differ in size", "2 done"):
        assert part in text


def test_json_has_one_object_for_each_image(run: Run) -> None:
    finished = run("process in --operations invert -o out --json")
    assert [each["outcome"] for each in finished.objects] == ["done", "done"]
    assert {name for each in finished.objects for name in each["outputs"]} == made()


def test_quiet_prints_nothing(run: Run) -> None:
    assert run("process in --operations invert -o out --quiet").out == b""


def test_a_dry_run_writes_nothing(run: Run) -> None:
    finished = run("process in --operations invert -o out --dry-run --json")
    assert [each["outcome"] for each in finished.objects] == ["planned", "planned"]
    assert not Path("out").exists()


def test_existing_results_are_skipped(run: Run) -> None:
    words = "process in --operations invert -o out --json --skip-existing"
    assert [each["outcome"] for each in run(words).objects] == ["done", "done"]
    assert [each["outcome"] for each in run(words).objects] == ["skipped", "skipped"]


@pytest.mark.parametrize(
    ("operations", "told"),
    [
        ("grascale", "unknown operation; known: grayscale, .*did you mean grayscale"),
        ("rotate:abc", "ANGLE should be a number, not 'abc'; the form is rotate"),
        ("blur:x,rotate:y", "operation 1, 'blur:x'.*operation 2, 'rotate:y'"),
        (",".join(["blur"] * 100), "100 operations, at most 20"),
        ("crop:10,10,0,5", "operation 1, 'crop:10,10,0,5'"),
    ],
)
def test_operations_that_do_not_exist_end_it_before_anything_is_read(
    run: Run, operations: str, told: str
) -> None:
    finished = run("process", "missing.png", "--operations", operations, "-o", "out")
    assert finished.code == 2
    (message,) = finished.messages
    assert re.search(told, message)
    assert "missing.png" not in message


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("process in/grey.png -o out", "--operations"),
        ("process in/grey.png --operations blur -o out --no-metadata", "--no-metadata: should be"),
        ("process in/grey.png --operations blur -o out --windw hann", "did you mean --window"),
        ("process in/grey.png --operations blur -o out.jpg", "the combined is a .png file"),
        ("process in --operations blur -o out.png", "takes one source, not 2"),
    ],
)
def test_wrong_usage(run: Run, words: str, told: str) -> None:
    finished = run(words)
    assert finished.code == 2
    assert told in finished.err


def test_operations_that_do_not_suit_one_image_do_not_stop_the_others(run: Run) -> None:
    finished = run("process in --operations crop:20,20,30,20 -o out")
    assert finished.code == 1
    (message,) = finished.messages
    assert message.startswith("fft-tool: in/grey.png: ")
    assert "operation 1, crop:20,20,30,20" in message
    assert json.loads(Path("out/grey/manifest.json").read_bytes())["outcome"] == "rejected"
    assert json.loads(Path("out/plants/forest/manifest.json").read_bytes())["outcome"] == "done"


def test_one_file_holds_the_combined_image(run: Run) -> None:
    finished = run("process in/plants/forest.png --operations blur:3,sepia -o one.png")
    assert finished.lines == ["one.png"]
    assert made(".") == {"in/plants/forest.png", "in/grey.png", "one.png"}
    run("process in/plants/forest.png --operations blur:3,sepia -o out")
    assert Path("one.png").read_bytes() == Path("out/forest/combined.png").read_bytes()


def test_the_combined_image_goes_through_a_pipe(folder: Path) -> None:
    words = ("process", "-", "--operations", "flip", "-o", "-")
    finished = tool(*words, cwd=folder, stdin=PHOTO)
    assert (finished.code, finished.err) == (0, "")
    flipped = ft.decode(finished.out).pixels
    assert (flipped[:, ::-1] == ft.decode(PHOTO).pixels).all()


def test_a_source_is_not_overwritten_by_results_of_another(run: Run) -> None:
    Path("in/grey").mkdir()
    Path("in/grey/combined.png").write_bytes(PHOTO)
    finished = run("process in --operations blur -o in")
    assert finished.code == 2
    assert "would overwrite the source" in finished.err
    assert Path("in/grey/combined.png").read_bytes() == PHOTO


def test_results_in_the_same_folder_are_not_taken_for_sources(run: Run) -> None:
    words = "process in --operations blur -o in/out --json"
    assert len(run(words).objects) == len(run(words).objects) == 2


def test_results_go_from_bucket_to_bucket(run: Run, bucket: Bucket) -> None:
    expected, _ = worked(sources_with())
    for name, data in files(sources_with()).items():
        bucket.put(f"in/{name}", data)
    url = f"s3://{bucket.name}"
    finished = run(f"process {url}/in --operations {OPERATIONS} -o {url}/out")
    assert (finished.code, finished.messages) == (0, [])
    for name, data in files(expected).items():
        assert bucket.get(f"out/{name}") == data


def test_the_records_make_a_report_and_a_table(run: Run) -> None:
    run(f"process in --operations {OPERATIONS} -o out")
    reported = run("report out --sources in -o out.html")
    assert (reported.code, reported.messages) == (0, []), "it finds the combined images, too"
    finished = run("table out -o out.csv")
    assert finished.code == 0
    assert len(Path("out.csv").read_text("utf-8").splitlines()) == 5
