"""Files with several frames: one run each, named after its number, or a remark that more exist."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fft_tool as ft
from fft_tool.cli.main import main
from fft_tool.errors import AmbiguousSources
from fft_tool.limits import Limits
from fft_tool.recipe import Recipe
from fft_tool.report.thumbnails import draw_picture
from fft_tool.runs.many import Job, run_batch
from fft_tool.runs.pages import each_page
from fft_tool.runs.sources import SourceRef
from fft_tool.stores.folder import FolderStore
from tests.support.images import noise, npy, png_bytes

STACK = noise((3, 12, 16))
RECORDED = Recipe(metadata=True, bits=16)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with a stack, a single image and a file that is not an image."""
    monkeypatch.chdir(tmp_path)
    Path("stack.npy").write_bytes(npy(STACK))
    Path("one.png").write_bytes(png_bytes(STACK[0]))
    Path("bad.png").write_bytes(b"bad")
    return tmp_path


def refs() -> list[SourceRef]:
    return [SourceRef(".", name) for name in ("stack.npy", "one.png", "bad.png", "missing.png")]


@pytest.mark.usefixtures("folder")
def test_a_file_becomes_one_source_for_each_frame_and_others_stay() -> None:
    assert [(ref.name, ref.page) for ref in each_page(refs())] == [
        *(("stack.npy", page) for page in (1, 2, 3)),
        *((name, None) for name in ("one.png", "bad.png", "missing.png")),
    ]


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.usefixtures("folder")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")
def test_every_frame_has_its_own_record_and_is_that_frame(processes: int) -> None:
    found = each_page([SourceRef(".", "stack.npy")])
    outcomes = list(run_batch(found, Job(RECORDED, target="out"), processes=processes))
    assert [outcome.result for outcome in outcomes] == ["done"] * 3
    assert [outcome.source for outcome in outcomes] == [
        f"stack.npy, frame {page}" for page in (1, 2, 3)
    ]
    assert not any(outcome.remarks for outcome in outcomes)
    for page in (1, 2, 3):
        record = json.loads(Path(f"out/stack.npy_p000{page}_metadata.json").read_bytes())
        assert (record["image"]["frame"], record["image"]["frames"]) == (page, 3)
        assert record["source"]["name"] == "stack.npy"
        mean = record["statistics"]["grey"]["mean"]
        assert mean == pytest.approx(STACK[page - 1].mean())
    again = run_batch(found, Job(RECORDED, target="out", skip_existing=True))
    assert [outcome.result for outcome in again] == ["skipped"] * 3


@pytest.mark.usefixtures("folder")
def test_the_file_is_read_once_for_all_its_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    found, reads, open_ = each_page([SourceRef(".", "stack.npy")]), [], FolderStore.open

    def noted(store: FolderStore, name: str) -> Any:
        handle = open_(store, name)
        read = handle.read

        def read_noted(most: int | None = None) -> bytes:
            reads.append(name)
            return read(most)

        monkeypatch.setattr(handle, "read", read_noted, raising=False)
        return handle

    monkeypatch.setattr(FolderStore, "open", noted)
    list(run_batch(found, Job(Recipe(), target="out")))
    assert reads == ["stack.npy"]


def test_a_report_shows_the_frame_that_was_analysed() -> None:
    shown = [draw_picture(npy(STACK), "photo", frame=frame) for frame in (1, 2)]
    alone = [draw_picture(npy(STACK[index]), "photo") for index in (0, 1)]
    assert shown == alone
    assert shown[0] != shown[1]


@pytest.mark.usefixtures("folder")
def test_a_file_that_changes_between_frames_is_read_again() -> None:
    found = each_page([SourceRef(".", "stack.npy")])
    first, *rest = found
    list(run_batch([first], Job(RECORDED, target="out")))
    other = noise((3, 12, 16), seed=5)
    Path("stack.npy").write_bytes(npy(other) + b"")
    Path("stack.npy").touch()
    list(run_batch(rest, Job(RECORDED, target="out")))
    record = json.loads(Path("out/stack.npy_p0002_metadata.json").read_bytes())
    assert record["statistics"]["grey"]["mean"] == pytest.approx(other[1].mean())


@pytest.mark.usefixtures("folder")
def test_a_frame_whose_name_is_taken_is_refused() -> None:
    Path("stack.npy_p0002.png").write_bytes(png_bytes(STACK[0]))
    with pytest.raises(AmbiguousSources, match=r"frame 2 and .* would have the same name"):
        each_page([SourceRef(".", "stack.npy_p0002.png"), SourceRef(".", "stack.npy")])


@pytest.mark.usefixtures("folder")
def test_a_rejected_frame_has_a_record_under_its_own_name() -> None:
    stack = np.ones((2, 4, 5))
    stack[1, 2, 2] = np.nan
    Path("stack.npy").write_bytes(npy(stack))
    found = each_page([SourceRef(".", "stack.npy")])
    outcomes = list(run_batch(found, Job(RECORDED, Limits(), target="out")))
    assert [outcome.result for outcome in outcomes] == ["done", "rejected"]
    assert outcomes[1].outputs == ("stack.npy_p0002_metadata.json",)


# --- the command line and the library ---------------------------------------------------------


@pytest.mark.usefixtures("folder")
def test_people_are_told_that_only_the_first_frame_was_analysed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["analyze", "stack.npy", "-o", "out", "--json", "--metadata"]) == 0
    out, err = capsys.readouterr()
    assert "warning: stack.npy: only the first of 3 frames was analysed" in err
    assert "--frame N" in err
    assert "--frames all" in err
    assert json.loads(out)["remarks"] == ["only the first of 3 frames was analysed"]
    record = json.loads(Path("out/stack.npy_metadata.json").read_bytes())
    assert (record["image"]["frames"], record["image"]["frame"]) == (3, 1)
    assert record["recipe"]["values"]["frame"] == "none"


@pytest.mark.usefixtures("folder")
def test_one_frame_is_chosen_without_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stats", "stack.npy", "--frame", "2", "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert json.loads(out)["statistics"]["grey"]["mean"] == pytest.approx(STACK[1].mean())


@pytest.mark.usefixtures("folder")
def test_all_frames_are_analysed_and_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["analyze", "stack.npy", "one.png", "-o", "out", "--frames", "all"]) == 0
    assert capsys.readouterr().err == ""
    assert {path.name for path in Path("out").glob("*magnitude*")} == {
        "one_magnitude.png",
        *(f"stack.npy_p000{page}_magnitude.png" for page in (1, 2, 3)),
    }


@pytest.mark.usefixtures("folder")
def test_a_frame_and_all_frames_exclude_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["analyze", "stack.npy", "-o", "out", "--frames", "all", "--frame", "2"]) == 2
    assert "--frame and --frames exclude each other" in capsys.readouterr().err


@pytest.mark.usefixtures("folder")
def test_the_library_warns_and_takes_the_same_keys() -> None:
    with pytest.warns(UserWarning, match="only the first of 3 frames was analysed"):
        ft.analyze("stack.npy")
    outputs = ft.analyze("stack.npy", frame=3, bits=16, metadata=True)
    np.testing.assert_array_equal(ft.reconstruct(outputs), STACK[2])


@pytest.mark.usefixtures("folder")
def test_clipped_values_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.npy").write_bytes(npy(np.array([[-1.0, 0.25], [0.5, 3.0]])))
    assert main(["stats", "a.npy", "--range=0,1"]) == 0
    assert "2 values outside the range became black or white" in capsys.readouterr().err
