"""Effects of the commands on files, buckets, tables and pages, and their error messages."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest

from fft_tool.recipe import Recipe
from tests.support.cloud import Bucket
from tests.support.command import Run, disk_of, obey_permissions, tool
from tests.support.faulty import FAULTY, SOUND, Faulty
from tests.support.images import noise, opened, png_bytes

PIXELS = noise((24, 32))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with images ``in/a.png`` and ``in/plants/ä b.png``."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in" / "plants").mkdir(parents=True)
    for name in ("a.png", "plants/ä b.png"):
        (tmp_path / "in" / name).write_bytes(SOUND)
    return tmp_path


def pixels(path: str) -> Any:
    return np.asarray(opened(Path(path).read_bytes()))


def made(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


# Faults


@pytest.mark.parametrize("faulty", FAULTY, ids=lambda faulty: faulty.name)
@pytest.mark.usefixtures("folder")
def test_a_bad_image_is_reported_in_one_line_with_name_and_fault(run: Run, faulty: Faulty) -> None:
    Path(faulty.name).write_bytes(faulty.data)
    for words in (["analyze", "-o", "out"], ["stats"]):
        finished = run(*words, faulty.name)
        assert finished.code == 1
        (message,) = finished.messages
        assert message.startswith(f"fft-tool: {faulty.name}: ")
        assert re.search(faulty.told, message)
    assert not Path("out").exists()


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_bad_images_among_many_are_reported_and_the_others_done(folder: Path, jobs: str) -> None:
    for faulty in FAULTY:
        (folder / "in" / faulty.name).write_bytes(faulty.data)
    finished = tool("analyze", "in", "-o", "out", "--jobs", jobs, cwd=folder)
    assert finished.code == 1
    names = [message.split(": ")[1] for message in finished.messages]
    assert names == [f"in/{faulty.name}" for faulty in sorted(FAULTY, key=lambda f: f.name)]
    assert finished.lines[-1] == f"2 done, {len(FAULTY)} rejected"
    assert len(made(folder / "out")) == 4


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("--crop 20,20,20,20", "crop 20,20,20,20 .* the image has 32 x 24"),
        ("--crop centre:99,1", "centre:99,1 is larger .* 32 x 24"),
        ("--smart-crop 33,1", "larger than the image.* 32 x 24"),
        ("--max-pixels 100", "32 x 24 = 768 pixels, at most 100 are accepted"),
        ("--max-memory 1", "takes about .* MiB, at most 1 MiB are allowed"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_a_region_that_does_not_fit_is_reported_with_name_and_size(
    run: Run, options: str, told: str
) -> None:
    finished = run("analyze", "in/a.png", "-o", "out", *options.split())
    (message,) = finished.messages
    assert finished.code == 1
    assert re.match(f"fft-tool: in/a.png: .*{told}", message)
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("analyze missing.png -o out", "missing.png: no such file"),
        ("analyze missing/*.png -o out", "missing/*.png: no file matches"),
        ("analyze empty -o out", "empty: no images found (.png, "),
        ("analyze ftp://host/a.png -o out", "ftp://host"),
        ("analyze s3://bucket/a.png -o out", "no AWS credentials: set AWS_ACCESS_KEY_ID"),
        ("analyze in/a.png -o s3://bucket", "no AWS credentials: set AWS_ACCESS_KEY_ID"),
        ("upload in s3://bucket", "no AWS credentials: set AWS_ACCESS_KEY_ID"),
        ("reconstruct missing.json -o back.png", "missing.json: no such file"),
        ("reconstruct empty -o back", "empty: no records found"),
        ("reconstruct in/a.png -o back.png", "in/a.png: not a record"),
        ("reconstruct empty/ -o back", "empty/: no records found"),
        ("report empty -o page.html", "empty: no records found"),
        ("table missing -o -", "missing: no such folder"),
    ],
)
def test_every_other_fault_is_reported_in_one_line_with_its_place(
    folder: Path, run: Run, words: str, told: str
) -> None:
    (folder / "empty").mkdir()
    finished = run(*words.split())
    assert (finished.code, finished.out) == (1, b"")
    (message,) = finished.messages
    assert told in message
    assert made(folder) == {"in/a.png", "in/plants/ä b.png"}


@pytest.mark.parametrize("output", ["", "memory:"])
def test_an_output_that_would_be_discarded_is_refused(folder: Path, run: Run, output: str) -> None:
    finished = run("analyze", "in/a.png", "-o", output)
    assert finished.code in (1, 2)
    assert len(finished.messages) == 1
    assert made(folder) == {"in/a.png", "in/plants/ä b.png"}


def test_a_bucket_is_not_the_name_of_a_file(folder: Path, run: Run) -> None:
    run("analyze", "in/a.png", "-o", "out", "--spectrum")
    finished = run("reconstruct", "out/a_spectrum.npz", "-o", "s3://bucket")
    assert finished.code in (1, 2)
    assert not (folder / "s3:").exists()


def test_no_source_is_ever_overwritten(folder: Path, run: Run) -> None:
    (folder / "in" / "a_phase.png").write_bytes(png_bytes(noise((8, 8))))
    before = (folder / "in" / "a_phase.png").read_bytes()
    finished = run("analyze", "in", "-o", "in")
    assert (folder / "in" / "a_phase.png").read_bytes() == before
    assert finished.code != 0


def test_no_source_is_overwritten_through_a_link(folder: Path, run: Run) -> None:
    (folder / "a_phase.png").symlink_to("in/a.png")
    finished = run("analyze", "in/a.png", "-o", ".")
    assert finished.code == 2
    assert "would overwrite the source in/a.png" in finished.err
    assert (folder / "in" / "a.png").read_bytes() == SOUND


@pytest.mark.usefixtures("folder")
def test_results_within_the_folder_of_sources_are_not_taken_for_sources(run: Run) -> None:
    assert run("analyze", ".", "-o", "out", "--quiet").code == 0
    before = made(Path())
    assert run("analyze", ".", "-o", "out", "--quiet").code == 0
    assert made(Path()) == before


def test_unreadable_files_are_reported(folder: Path) -> None:
    (folder / "in" / "secret.png").write_bytes(SOUND)
    (folder / "in" / "secret.png").chmod(0)
    finished = tool("analyze", "in", "-o", "out", cwd=folder, before=obey_permissions)
    assert finished.code == 1
    assert finished.messages == ["fft-tool: in/secret.png: permission denied"]
    assert len(made(folder / "out")) == 4


def test_a_read_only_output_is_reported(folder: Path) -> None:
    (folder / "out").mkdir(mode=0o555)
    finished = tool("analyze", "in/a.png", "-o", "out", cwd=folder, before=obey_permissions)
    assert finished.code == 1
    (message,) = finished.messages
    assert "out/a_phase.png: permission denied" in message


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_full_disk_is_reported_and_leaves_no_partial_files(folder: Path, jobs: str) -> None:
    (folder / "in" / "large.png").write_bytes(png_bytes(noise((300, 300))))
    words = ("analyze", "in", "-o", "out", "--jobs", jobs)
    finished = tool(*words, cwd=folder, before=disk_of(30_000))
    assert finished.code == 1
    (message,) = finished.messages
    assert "in/large.png" in message
    assert re.search("out/large_phase.png: (file too large|no space left)", message)
    assert made(folder / "out") == {
        "a_magnitude.png",
        "a_phase.png",
        "plants/ä b_magnitude.png",
        "plants/ä b_phase.png",
    }


# Names that are hard to print


def test_a_link_is_followed_if_named_and_skipped_if_found_in_a_folder(
    folder: Path, run: Run
) -> None:
    (folder / "elsewhere.png").write_bytes(SOUND)
    (folder / "in" / "link.png").symlink_to(folder / "elsewhere.png")
    assert run("analyze", "in", "-o", "found").code == 0
    assert not [name for name in made(folder / "found") if "link" in name]
    assert run("analyze", "in/link.png", "-o", "named", "--metadata").code == 0
    assert "link_magnitude.png" in made(folder / "named")


def test_a_record_may_be_a_link_but_its_artifacts_may_not(folder: Path, run: Run) -> None:
    assert run("analyze", "in/a.png", "-o", "out", "--metadata", "--bits", "16").code == 0
    (folder / "other").mkdir()
    for kind in ("metadata.json", "magnitude.png", "phase.png"):
        (folder / "other" / f"a_{kind}").symlink_to(folder / "out" / f"a_{kind}")
    refused = run("reconstruct", "other/a_metadata.json", "-o", "back.png")
    assert refused.code == 1
    assert re.search(r"other/a_\w+\.png: leads out of other", refused.err)
    (folder / "out" / "record.json").symlink_to("a_metadata.json")
    assert run("reconstruct", "out/record.json", "-o", "back.png").code == 0
    assert (pixels("back.png") == pixels("in/a.png")).all()


def test_a_circular_link_is_reported_and_does_not_stop_the_others(folder: Path, run: Run) -> None:
    (folder / "circle.png").symlink_to("circle.png")
    finished = run("analyze", "circle.png", "in/a.png", "-o", "out")
    assert finished.code == 1
    assert finished.err.startswith("fft-tool: circle.png: ")
    assert "a_magnitude.png" in made(folder / "out")


def test_names_are_shown_as_they_are(folder: Path) -> None:
    names = ["[red]a.png", "[1].png", ":smile:.png", "100%.png", "{x}.png", "x[/b].png"]
    (folder / "in" / "x[").mkdir()
    for name in names:
        (folder / "in" / name).write_bytes(SOUND)
    for command in (["analyze", "in", "-o", "out"], ["stats", "in"]):
        finished = tool(*command, cwd=folder)
        assert (finished.code, finished.err) == (0, "")
        assert [name for name in names if f"in/{name} " not in finished.out.decode()] == []


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_an_encoding_without_unicode_is_supported(folder: Path, encoding: str) -> None:
    for command in (
        ["analyze", "in", "-o", "out", "--metadata"],
        ["analyze", "in/a.png", "-o", "π"],
    ):
        finished = tool(*command, cwd=folder, PYTHONIOENCODING=f"{encoding}:strict")
        assert (finished.code, finished.err) == (0, "")


@pytest.mark.skipif(os.name != "posix", reason="other systems have only Unicode names")
@pytest.mark.parametrize("options", [[], ["--metadata"], ["--json"]])
def test_names_need_not_be_unicode(folder: Path, options: list[str]) -> None:
    (folder / "odd").mkdir()
    (folder / "odd" / os.fsdecode(b"\xff.png")).write_bytes(SOUND)
    words = ("analyze", "odd", "-o", "out", *options)
    finished = tool(*words, cwd=folder, PYTHONIOENCODING="utf-8:strict")
    assert (finished.code, finished.err) == (0, "")
    assert len(os.listdir(folder / "out")) == 2 + ("--metadata" in options)  # noqa: PTH208


# Crop, filter, stats


def test_crop_gives_the_pixels_themselves(folder: Path, run: Run) -> None:
    colours = noise((24, 32, 3))
    (folder / "c.png").write_bytes(png_bytes(colours))
    finished = run("crop", "c.png", "--crop", "2,3,8,6", "-o", "out")
    assert finished.lines == ["out/c_crop.png"]
    assert np.array_equal(pixels("out/c_crop.png"), colours[3:9, 2:10])


@pytest.mark.usefixtures("folder")
def test_smart_crop_gives_the_size_asked_for(run: Run) -> None:
    assert run("crop", "in", "--smart-crop", "8,6", "-o", "out", "--quiet").code == 0
    assert pixels("out/plants/ä b_crop.png").shape == (6, 8)


def test_filter_removes_stripes(folder: Path, run: Run) -> None:
    rows = np.arange(32)[:, None]
    striped = (100 + 20 * np.cos(np.pi * rows / 2) + np.zeros((32, 32))).astype(np.uint8)
    (folder / "s.png").write_bytes(png_bytes(striped))
    assert run("filter", "s.png", "--filter", "notch:4,90", "-o", "out").code == 0
    assert np.ptp(pixels("out/s_filtered.png")) <= 2


def write_masks(folder: Path) -> None:
    """White but for a wave of 4 px at 90 degrees; and masks that are refused."""
    levels = np.full((24, 32), 255, np.uint8)
    levels[12 + 6, 16] = 0
    (folder / "color.png").write_bytes(png_bytes(levels))
    (folder / "small.png").write_bytes(png_bytes(levels[1:]))
    (folder / "rgb.png").write_bytes(png_bytes(np.stack([levels] * 3, axis=2)))


def test_a_mask_filters_every_image_of_a_folder(folder: Path, run: Run) -> None:
    write_masks(folder)
    rows = np.arange(24)[:, None]
    striped = np.rint(100 + 20 * np.cos(np.pi * rows / 2) + np.zeros((24, 32))).astype(np.uint8)
    for name in ("a.png", "plants/ä b.png"):
        (folder / "in" / name).write_bytes(png_bytes(striped))
    (folder / "in" / "other.png").write_bytes(png_bytes(striped[:20]))
    finished = run("analyze", "in", "--filter", "mask:color.png", "--metadata", "-o", "out")
    assert finished.code == 1
    (message,) = finished.messages
    assert message.startswith("fft-tool: in/other.png: --filter mask:color.png,")
    assert "the mask has 32 x 24 pixels, but what is filtered has 32 x 20" in message
    assert np.ptp(pixels("out/plants/ä b_filtered.png")) == 0
    record = json.loads((folder / "out/a_metadata.json").read_bytes())
    digest = hashlib.sha256((folder / "color.png").read_bytes()).hexdigest()
    assert record["recipe"]["values"]["filter"] == f"mask:color.png,{digest}"
    again = ["analyze", "in/a.png", "--metadata", "-o", "again"]
    assert run(*again, "--filter", record["recipe"]["values"]["filter"]).code == 0
    for name in ("a_filtered.png", "a_metadata.json"):
        assert Path("again", name).read_bytes() == (folder / "out" / name).read_bytes()


def test_results_of_another_mask_are_made_again(folder: Path, run: Run) -> None:
    write_masks(folder)
    words = [
        "analyze",
        "in/a.png",
        "--filter",
        "mask:color.png",
        "--metadata",
        "-o",
        "out",
        "--json",
    ]
    skip = [*words, "--skip-existing"]
    assert [run(*each).objects[0]["outcome"] for each in (words, skip)] == ["done", "skipped"]
    (folder / "color.png").write_bytes(png_bytes(np.zeros((24, 32), np.uint8)))
    assert run(*skip).objects[0]["outcome"] == "done"
    assert np.ptp(pixels("out/a_filtered.png")) == 0


@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        ("mask:nowhere.png", 2, "--filter mask:nowhere.png: there is no such file"),
        ("mask:in", 2, "--filter mask:in: it is not a file"),
        ("mask:my mask.png", 2, "has white space, .* rename it"),
        (f"mask:color.png,{'0' * 64}", 2, "it is not the mask that is asked for"),
        ("mask:small.png", 1, "a.png: .*the mask has 32 x 23 pixels, .* has 32 x 24"),
        ("mask:rgb.png", 1, "a.png: .*the mask, 32 x 24 pixels, has colour"),
    ],
)
def test_masks_that_cannot_be_used_are_refused(
    folder: Path, run: Run, text: str, code: int, told: str
) -> None:
    write_masks(folder)
    for command in (["analyze"], ["filter"], ["process", "--operations", "invert"]):
        finished = run(*command, "in/a.png", "--filter", text, "-o", "out")
        assert finished.code == code
        (message,) = finished.messages
        assert re.search(told, message)
        assert not list(folder.glob("out/**/*filtered*"))


def test_a_workflow_filters_before_and_after_with_one_mask(folder: Path, run: Run) -> None:
    write_masks(folder)
    words = ["--operations", "invert", "--filter", "mask:color.png", "-o", "out"]
    assert run("process", "in/a.png", *words).code == 0
    before, after = (pixels(f"out/a/{name}_filtered.png") for name in ("original", "combined"))
    assert np.abs(before.astype(int) + after - 255).max() <= 1


def test_clipping_is_reported_with_the_flag_that_helps(folder: Path, run: Run) -> None:
    dark = np.random.default_rng(1).integers(0, 40, (32, 32)).astype(np.uint8)
    (folder / "s.png").write_bytes(png_bytes(dark))
    for command in ("filter", "analyze"):
        finished = run(command, "s.png", "--filter", "highpass:8", "-o", "out")
        assert finished.code == 0
        assert "warning: s.png: " in finished.err
        assert "clipped" in finished.err
        assert "--offset mid" in finished.err
        assert finished.err.count("\n") == 1
    assert not run("filter", "s.png", "--filter", "highpass:8", "--offset", "mid", "-o", "out").err
    line = json.loads(run("filter", "s.png", "--filter", "highpass:8", "-o", "out", "--json").out)
    assert "clipped" in line["remarks"][0]


@pytest.mark.parametrize("command", ["crop --crop square", "filter --filter lowpass:4"])
def test_crop_and_filter_can_be_piped(folder: Path, command: str) -> None:
    finished = tool(*command.split(), "-", "-o", "-", cwd=folder, stdin=SOUND)
    assert opened(finished.out).size[1] == 24


@pytest.mark.usefixtures("folder")
def test_stats_prints_a_table(run: Run) -> None:
    finished = run("stats", "in")
    heading, *rows = finished.lines
    assert heading.split()[:3] == ["image", "channel", "mean"]
    assert [row.split("  ")[0] for row in rows] == ["in/a.png", "in/plants/ä b.png"]
    assert f"{PIXELS.mean():.5g}" in rows[0]


# Buckets


def test_upload_sends_the_recipe_as_metadata(folder: Path, bucket: Bucket, run: Run) -> None:
    options = ["--crop", "2,3,8,6", "--bits", "16", "--window", "none", "--metadata"]
    finished = run("upload", "in", f"{bucket.url}/new", *options)
    assert finished.code == 0
    assert finished.lines == [f"{bucket.url}/new/a.png", f"{bucket.url}/new/plants/ä b.png"]
    assert bucket.keys() == ["new/a.png", "new/plants/ä b.png"]
    told = bucket.head("new/plants/ä b.png")
    headers = told["ResponseMetadata"]["HTTPHeaders"]
    assert headers["x-amz-meta-crop"] == "2,3,8,6"
    given = {"crop": "2,3,8,6", "bits": "16", "window": "none", "metadata": "yes"}
    assert told["Metadata"] == given  # including defaults, which may differ on the other side
    assert told["ContentType"] == "image/png"
    assert bucket.get("new/a.png") == (folder / "in" / "a.png").read_bytes()


def test_a_mask_cannot_be_uploaded_with_an_image(folder: Path, bucket: Bucket, run: Run) -> None:
    write_masks(folder)
    finished = run("upload", "in/a.png", bucket.url, "--filter", "mask:color.png")
    assert finished.code == 2
    assert "masks are not accepted here" in finished.err
    assert bucket.keys() == []


@pytest.mark.usefixtures("folder")
def test_uploaded_metadata_parses_back_to_the_recipe(bucket: Bucket, run: Run) -> None:
    texts = {
        "crop": "pct:10,10,50,50",
        "filter": "lowpass:8+notch:6,45",
        "background": "#102030",
        "pixel-size": "65nm",
        "phase": "no",
    }
    words = [word for key, text in texts.items() for word in (f"--{key}", text)]
    words[words.index("--phase") :] = ["--no-phase"]
    assert run("upload", "in/a.png", bucket.url, *words).code == 0
    assert Recipe.parse(bucket.head("a.png")["Metadata"]) == Recipe.parse(texts)


@pytest.mark.usefixtures("folder")
def test_upload_goes_on_after_a_missing_file(bucket: Bucket, run: Run) -> None:
    finished = run("upload", "missing.png", "in/a.png", bucket.url)
    assert finished.code == 1
    assert finished.messages == ["fft-tool: missing.png: no such file or directory"]
    assert bucket.keys() == ["a.png"]


def test_a_recipe_with_a_folder_as_target_is_refused(folder: Path, run: Run) -> None:
    finished = run("upload", "in/a.png", "elsewhere", "--crop", "square")
    assert (finished.code, len(finished.messages)) == (2, 1)
    assert not (folder / "elsewhere").exists()


@pytest.mark.parametrize("jobs", ["1", pytest.param("2", marks=pytest.mark.slow)])
def test_analyze_goes_from_bucket_to_bucket(folder: Path, bucket: Bucket, jobs: str) -> None:
    for name in ("a.png", "plants/ä b.png"):
        bucket.put(f"in/{name}", SOUND)
    options = ["--bits", "16", "--metadata", "--jobs", jobs]
    target = f"{bucket.url}/out"
    finished = tool("analyze", f"{bucket.url}/in", "-o", target, *options, cwd=folder)
    assert (finished.code, finished.err) == (0, "")
    assert tool("analyze", "in", "-o", "out", *options, cwd=folder).code == 0
    local = made(folder / "out")
    assert set(bucket.keys()) == {
        "in/a.png",
        "in/plants/ä b.png",
        *(f"out/{name}" for name in local),
    }
    for name in local:
        assert bucket.get(f"out/{name}") == (folder / "out" / name).read_bytes()
    assert bucket.head("out/a_metadata.json")["ContentType"] == "application/json"
    assert bucket.head("out/a_phase.png")["ContentType"] == "image/png"


@pytest.mark.usefixtures("folder")
def test_results_in_a_bucket_can_be_used_there(bucket: Bucket, run: Run) -> None:
    target = f"{bucket.url}/out"
    finished = run("analyze", "in/a.png", "-o", target, "--bits", "16", "--metadata")
    assert f"{target}/a_magnitude.png" in finished.lines
    assert run("reconstruct", f"{target}/a_metadata.json", "-o", f"{target}/back.png").code == 0
    assert np.array_equal(np.asarray(opened(bucket.get("out/back.png"))), PIXELS)
    assert run("table", target, "-o", f"{target}/table.csv").code == 0
    assert bucket.head("out/table.csv")["ContentType"] == "text/csv; charset=utf-8"
    assert run("report", target, "-o", f"{target}/index.html", "--sources", "in").code == 0
    assert bucket.head("out/index.html")["ContentType"] == "text/html; charset=utf-8"


@pytest.mark.usefixtures("folder")
def test_a_missing_bucket_is_reported(bucket: Bucket, run: Run) -> None:
    for words in (["analyze", "in/a.png", "-o"], ["upload", "in/a.png"]):
        finished = run(*words, f"{bucket.url}-other/out")
        assert finished.code == 1
        (message,) = finished.messages
        assert f"{bucket.url}-other: the bucket does not exist" in message


# Tables and pages


@pytest.fixture
def results(folder: Path, run: Run) -> Path:
    """A folder of results, one of a good image and one of a constant one."""
    (folder / "in" / "black.png").write_bytes(png_bytes(np.zeros((8, 8), np.uint8)))
    assert run("analyze", "in", "-o", "out", "--bits", "16", "--metadata", "--quiet").code == 0
    return folder / "out"


NAMES = ["a.png", "black.png", "plants/ä b.png"]


@pytest.mark.usefixtures("results")
def test_a_table_has_a_row_for_every_record(run: Run) -> None:
    finished = run("table", "out", "-o", "-")
    assert (finished.code, finished.err) == (0, "")
    rows = list(csv.DictReader(io.StringIO(finished.out.decode("utf-8-sig"))))
    assert [row["name"] for row in rows] == NAMES
    assert run("table", "out", "-o", "table.csv").code == 0
    assert Path("table.csv").read_bytes() == finished.out


@pytest.mark.usefixtures("results")
def test_a_table_can_be_parquet(run: Run) -> None:
    assert run("table", "out", "-o", "table.parquet").code == 0
    table = pyarrow.parquet.read_table("table.parquet")
    assert table.column("name").to_pylist() == NAMES


@pytest.mark.usefixtures("results")
def test_parquet_without_pyarrow_says_how_to_get_it(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    finished = run("table", "out", "-o", "table.parquet")
    assert finished.code in (1, 2)
    (message,) = finished.messages
    assert "pip install 'fft-pipeline[parquet]'" in message
    assert "bug" not in message
