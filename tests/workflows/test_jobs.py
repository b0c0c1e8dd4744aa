"""Workflows of many sources, in folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fft_tool.errors import CropOutside, OperationsError, TookTooLong
from fft_tool.operations.registry import parse_operations
from fft_tool.runs.many import run_batch, run_one
from fft_tool.runs.one import Outcome
from fft_tool.runs.sources import find_sources
from fft_tool.stores.folder import FolderStore
from fft_tool.workflows.jobs import WorkflowJob
from fft_tool.workflows.plan import parse_recipe
from tests.support.images import png_bytes
from tests.support.workflows import ASKED, FOLDER, NAME, PHOTO, files, photo, sources_with, worked


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in/plants").mkdir(parents=True)
    (tmp_path / f"in/{NAME}").write_bytes(PHOTO)
    (tmp_path / "in/bad.png").write_bytes(PHOTO[:100])
    (tmp_path / "in/other.jpg").write_bytes(png_bytes(photo(seed=3)))
    return tmp_path


def job(folder: Path, operations: str = ASKED["operations"], **options: Any) -> WorkflowJob:
    recipe = parse_recipe(options.pop("recipe", {}))
    target = str(folder / "out")
    return WorkflowJob(recipe, operations=parse_operations(operations), target=target, **options)


def run(folder: Path, *, processes: int = 1, **options: Any) -> list[Outcome]:
    refs = find_sources([str(folder / "in")], stdin=None)
    return list(run_batch(refs, job(folder, **options), processes=processes))


def contents(folder: Path) -> dict[str, bytes]:
    out = folder / "out"
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file()
    }


def test_results_equal_those_of_the_workflow_in_a_bucket(folder: Path) -> None:
    results = [outcome.result for outcome in run(folder)]
    assert results == ["rejected", "done", "done"]
    expected, _ = worked(sources_with())
    made = contents(folder)
    assert {name: made[name] for name in files(expected)} == files(expected)
    assert b'"rejected"' in made["bad/manifest.json"]
    assert "other.jpg/combined.png" in made


def test_several_processes_give_the_same_files(folder: Path) -> None:
    run(folder)
    alone = contents(folder)
    for path in (folder / "out").rglob("*.*"):
        if path.is_file():
            path.unlink()
    run(folder, processes=2)
    assert contents(folder) == alone


def test_existing_results_are_skipped_if_they_are_whole_and_of_the_same_plan(
    folder: Path,
) -> None:
    (folder / "in/bad.png").unlink()
    run(folder)

    def results(**options: Any) -> list[str]:
        return [each.result for each in run(folder, skip_existing=True, **options)]

    assert results() == ["skipped", "skipped"]
    out = FolderStore(folder / "out")
    place = f"{FOLDER}/independent/2-blur.png"
    whole = out.read(place).data
    out.write(place, whole[:-1])
    assert sorted(results()) == ["done", "skipped"]
    assert out.read(place).data == whole
    (folder / "out" / place).unlink()
    assert sorted(results()) == ["done", "skipped"]
    assert results() == ["skipped", "skipped"]
    assert results(operations="blur:3") == ["done", "done"]
    assert results(operations="blur:3", recipe={"window": "hann"}) == ["done", "done"]
    (folder / f"in/{NAME}").write_bytes(png_bytes(photo(seed=7)))
    assert sorted(results(operations="blur:3", recipe={"window": "hann"})) == ["done", "skipped"]
    (folder / "out" / FOLDER / "manifest.json").write_bytes(b"[]")
    assert sorted(results(operations="blur:3", recipe={"window": "hann"})) == ["done", "skipped"]


def test_a_dry_run_names_the_files_and_writes_none(folder: Path) -> None:
    (folder / "in/bad.png").unlink()
    planned = run(folder, dry_run=True)
    assert [outcome.result for outcome in planned] == ["planned", "planned"]
    assert not (folder / "out").exists()
    names = [name for outcome in planned for name in outcome.outputs]
    run(folder)
    assert sorted(names) == sorted(contents(folder))


@pytest.mark.parametrize(
    ("operations", "recipe", "error"),
    [
        ("crop:30,0,40,10", {}, CropOutside),
        ("resize:0.1%", {}, OperationsError),
        ("crop:0,0,8,8", {"crop": "0,0,20,20"}, CropOutside),
    ],
)
def test_a_dry_run_finds_what_can_be_known_before_decoding(
    folder: Path, operations: str, recipe: dict[str, str], error: type[Exception]
) -> None:
    (ref,) = find_sources([str(folder / f"in/{NAME}")], stdin=None)
    planned = run_one(ref, job(folder, operations, recipe=recipe, dry_run=True))
    done = run_one(ref, job(folder, operations, recipe=recipe))
    assert isinstance(planned.error, error)
    assert str(planned.error) == str(done.error)


@pytest.mark.slow
def test_an_image_that_takes_too_long_is_given_up(folder: Path) -> None:
    found = {each.result for each in run(folder, timeout=0.001)}
    assert found == {"failed"}
    (outcome, *_) = run(folder, timeout=0.001)
    assert isinstance(outcome.error, TookTooLong)
