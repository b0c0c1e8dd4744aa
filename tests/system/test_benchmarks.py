"""The benchmarks: harness, peers, tables, and the reporting of missing peers."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"
DOCUMENT = FOLDER.parent / "docs" / "benchmarks.md"

# The folder is not a package: its scripts import each other from the folder they are started in.
with mock.patch.object(sys, "path", [str(FOLDER), *sys.path]):
    admission = import_module("admission")
    contenders = import_module("contenders")
    images = import_module("images")
    in_process = import_module("in_process")
    likeness = import_module("likeness")
    machine = import_module("machine")
    measure = import_module("measure")
    plan = import_module("plan")
    programs = import_module("programs")
    reference = import_module("reference")
    rows = import_module("rows")
    run = import_module("run")
    table = import_module("table")
    whole_process = import_module("whole_process")

ONCE = measure.Effort(repeats=1, fill=0)
TINY = replace(
    plan.QUICK,
    effort=ONCE,
    picture_sides=(32,),
    transform_shapes=((16, 15),),
    process_side=32,
    compared_sides=(32,),
)


# The harness


def test_contenders_are_called_in_turn() -> None:
    calls: list[str] = []
    contenders_ = {name: lambda name=name: calls.append(name) for name in "ABC"}
    measure.side_by_side(contenders_, measure.Effort(repeats=3, fill=0))
    assert "".join(calls) == "ABCABCABC"


@pytest.mark.parametrize(
    ("effort", "tick", "rounds"),
    [
        pytest.param(measure.Effort(5, fill=0, budget=100), 1, 5, id="as often as asked"),
        pytest.param(measure.Effort(5, fill=8, budget=100), 1, 8, id="more of what is quick"),
        pytest.param(measure.Effort(5, fill=0, budget=100), 60, 3, id="fewer of what is slow"),
        pytest.param(measure.Effort(1, fill=0, budget=100), 60, 1, id="never more than asked"),
        pytest.param(measure.Effort(5, fill=8).at_most(2), 1, 2, id="held back"),
    ],
)
def test_number_of_rounds_follows_the_effort(effort: Any, tick: int, rounds: int) -> None:
    now = 0

    def contender() -> None:
        nonlocal now
        now += tick

    found = measure.side_by_side({"A": contender}, effort, clock=lambda: now)
    assert len(found["A"]) == rounds


def test_best_and_median_are_of_all_rounds() -> None:
    times = measure.Times((3.0, 1.0, 8.0))
    assert (times.best, times.median) == (1.0, 3.0)


def test_process_is_given_with_what_it_printed() -> None:
    found = measure.run_process([sys.executable, "-c", "print('hello')"])
    assert found.stdout == "hello\n"
    assert found.seconds > 0


def test_process_imports_the_library_under_test() -> None:
    found = measure.run_process([sys.executable, "-c", "import fft_tool; print(fft_tool.__file__)"])
    assert Path(found.stdout.strip()) == Path(sys.modules["fft_tool"].__file__ or "")


def test_peak_memory_excludes_the_parent_process() -> None:
    held = np.ones(100 << 20, np.uint8)
    bare = measure.run_process([sys.executable, "-c", "pass"]).peak
    more = measure.run_process([sys.executable, "-c", "b'x' * (50 << 20)"]).peak
    assert bare < held.size / 2
    assert more - bare == pytest.approx(50 << 20, rel=0.1)


@pytest.mark.parametrize("command", [[sys.executable, "-c", "exit('why')"], ["no-such-program"]])
def test_process_that_fails_is_not_timed(command: list[str]) -> None:
    with pytest.raises(measure.CommandFailed, match=r"why|no-such-program"):
        measure.run_process(command)


# The table


@pytest.mark.parametrize(
    ("goal", "value", "met"),
    [
        (table.Goal("≥", 10), 10.0, True),
        (table.Goal("≥", 10), 9.99, False),
        (table.Goal(">", 1), 1.0, False),
        (table.Goal(">", 1), 1.01, True),
        (table.Goal("≤", 1.25), 1.25, True),
        (table.Goal("≤", 1.25), 1.26, False),
    ],
)
def test_goal_is_met_or_missed(goal: Any, value: float, met: bool) -> None:
    assert goal.met(value) is met
    assert table.Row("", "", value=value, goal=goal).verdict == ("met" if met else "missed")


def test_speed_is_the_peers_time_over_ours_and_cost_the_inverse() -> None:
    ours, peer = measure.Times((0.5, 0.25)), measure.Times((1.0,))
    assert rows.speed_row("", ours, "", peer).value == 4
    assert rows.cost_row("", ours, "", peer).value == 0.25


SECTION = table.Section(
    "Title",
    "How.",
    (
        table.Row("512²", "6 ms", "script", "60 ms", 10.0, "× as fast", table.Goal("≥", 4)),
        table.Row("512²", "6 ms", "rival", "not installed", goal=table.Goal("≥", 2)),
    ),
)


def test_text_is_aligned() -> None:
    assert table.as_text(SECTION).splitlines()[3:] == [
        "what  ours  peer    its            ratio            goal   verdict",
        "512²  6 ms  script  60 ms          10.00 × as fast  ≥ 4 ×  met",
        "512²  6 ms  rival   not installed  –                ≥ 2 ×  –",
    ]


def test_markdown_is_a_table_of_the_same_cells() -> None:
    title, _, how, _, *lines = table.as_markdown(SECTION).splitlines()
    cells = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines]
    assert (title, how) == ("## Title", "How.")
    assert [cells[0], *cells[2:]] == [table.COLUMNS, *(row.cells for row in SECTION.rows)]
    assert all(re.fullmatch("-+", cell) for cell in cells[1])
    assert len({len(line) for line in lines}) == 1


def test_only_measured_figures_are_judged() -> None:
    assert table.tally([SECTION]) == "1 of 1 goals met."
    assert table.tally([SECTION.without_goals()]) == "No goals were judged."


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.000_534, "0.53 ms"), (0.0061, "6.10 ms"), (0.337, "337 ms"), (4.307, "4.31 s")],
)
def test_times_have_about_three_digits(seconds: float, text: str) -> None:
    assert rows.seconds_text(seconds) == text


@pytest.mark.parametrize(("count", "text"), [(5 << 20, "5.00 MiB"), (3 << 29, "1.50 GiB")])
def test_memory_has_about_three_digits(count: int, text: str) -> None:
    assert rows.bytes_text(count) == text


def test_page_describes_measurements_and_machine() -> None:
    page = run.document([SECTION], [("processor", "Fast One"), ("numpy", "2.0")])
    assert page.startswith("# Benchmarks\n")
    assert "1 of 1 goals met." in page
    assert table.as_markdown(SECTION) in page
    assert "- processor: Fast One\n- numpy: 2.0\n" in page


def test_machine_is_described_without_paths() -> None:
    facts = dict(machine.describe(2))
    assert facts["processor"]
    assert facts["numpy"] == np.__version__
    assert facts["cores used"].startswith("2 of ")
    assert not any(str(place) in str(facts) for place in (Path.home(), Path.cwd()))


# The images


def test_pink_noise_falls_like_one_over_the_frequency() -> None:
    pixels = images.pink(256)
    modulus = np.abs(np.fft.rfft2(pixels))[1:100, 1:100]
    frequency = np.hypot(*np.mgrid[1:100, 1:100])
    slope, _ = np.polyfit(np.log(frequency).ravel(), np.log(modulus).ravel(), 1)
    assert (pixels.dtype, pixels.min(), pixels.max()) == (np.uint8, 0, 255)
    assert slope == pytest.approx(-1, abs=0.1)


def test_large_image_has_no_period_and_no_seams() -> None:
    pixels = images.large(256).astype(int)
    assert pixels.shape == (256, 256)
    assert not np.array_equal(pixels[:128], pixels[128:])
    steps = np.abs(np.diff(pixels, axis=0)).mean(axis=1)
    assert steps[63::64].max() < 3 * steps.mean()


# Peers


def _there(peers: Any) -> list[Any]:
    """The installed peers; in the peers' environment (`make test-peers`), all of them."""
    return [
        pytest.param(peer, id=peer.name)
        for peer in peers
        if os.environ.get("PEERS") or contenders.installed(peer.module)
    ]


@pytest.mark.parametrize("peer", _there(contenders.PAINTERS))
def test_painter_gives_the_pictures_that_numpy_gives(peer: Any) -> None:
    data = images.pink_file(64)
    codes = contenders.codes_of(*peer.paint(data))
    truth = reference.Reference.of(images.decoded(data))
    reference.check_pictures(codes, truth, peer.look)


@pytest.mark.parametrize("shape", [(8, 8), (7, 9), (8, 9), (9, 8), (1, 6), (6, 1), (2, 2), (1, 1)])
@pytest.mark.parametrize("peer", _there(contenders.TRANSFORMERS))
def test_transformer_gives_the_spectrum_that_numpy_gives(peer: Any, shape: tuple[int, int]) -> None:
    image = np.random.default_rng(0).random(shape, dtype=np.float32)
    found = peer.unpack(peer.prepare(image)())
    reference.check_transform(found, np.fft.rfft2(image.astype(np.float64)))


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda codes: reference.Codes(codes.magnitude + 2, codes.phase), id="levels"),
        pytest.param(lambda codes: reference.Codes(codes.magnitude, 255 - codes.phase), id="sign"),
        pytest.param(lambda codes: codes.at(np.s_[::-1]), id="upside down"),
        pytest.param(lambda codes: codes.at(np.s_[:, :-1]), id="shape"),
    ],
)
def test_wrong_pictures_are_noticed(spoil: Callable[[Any], Any]) -> None:
    data = images.pink_file(64)
    truth = reference.Reference.of(images.decoded(data))
    codes = contenders.codes_of(*contenders.paint_ours(data))
    with pytest.raises(reference.WrongResult):
        reference.check_pictures(spoil(codes), truth, reference.fixed)


def test_middle_row_and_column_are_those_of_the_whole_picture() -> None:
    pixels = images.pink(32)[:, :27]
    whole = reference.Reference.of(pixels)
    row, column = reference.Reference.middle_row(pixels), reference.Reference.middle_column(pixels)
    np.testing.assert_allclose(row.modulus, whole.modulus[16], rtol=1e-9)
    np.testing.assert_allclose(column.modulus, whole.modulus[:, 13], rtol=1e-9)


def test_wrong_spectrum_is_noticed() -> None:
    right = np.fft.rfft2(images.pink(32))
    with pytest.raises(reference.WrongResult):
        reference.check_transform(right.conj(), right)
    with pytest.raises(reference.WrongResult):
        reference.check_transform(right * np.nan, right)


def test_missing_wrong_and_failing_peers_are_reported() -> None:
    def raising(error: Exception) -> Callable[[], None]:
        return mock.Mock(side_effect=error)

    found = admission.refused(
        [
            admission.Candidate("right", True, lambda: None),
            admission.Candidate("missing", False, raising(ImportError())),
            admission.Candidate("wrong", True, raising(reference.WrongResult("by far"))),
            admission.Candidate("failing", True, raising(measure.CommandFailed("at once"))),
        ]
    )
    assert found == {"missing": "not installed", "wrong": "wrong result", "failing": "failed"}


def test_wrong_result_of_our_own_ends_the_run() -> None:
    wrong = mock.Mock(side_effect=reference.WrongResult("by far"))
    with pytest.raises(reference.WrongResult):
        admission.refused([admission.Candidate(contenders.OURS, True, wrong)])


def test_missing_painters_and_transformers_have_rows_that_say_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(in_process, "installed", lambda name: name in ("fft_tool", "numpy"))
    painted, transformed = in_process.pictures(TINY), in_process.transforms(TINY)
    assert _missing(painted) == {"OpenCV"}
    assert _missing(transformed) == {"ducc0", "MKL", "FFTW", "OpenCV", "scipy.fft"}
    assert _measured(painted) >= {"plain script", "floor"}
    assert _measured(transformed) == {"numpy.fft"}


def test_missing_programs_have_rows_that_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, *peers = programs.all_programs()
    absent = [replace(peer, installed=False) for peer in peers]
    monkeypatch.setattr(whole_process, "all_programs", lambda: (ours, *absent))
    section = whole_process.process(TINY)
    assert _missing(section) == {peer.name for peer in peers}


def test_two_images_are_compared_beside_peers_that_give_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    section = likeness.likeness(TINY)
    assert [row.peer for row in section.rows if row.value is None] == []
    assert {row.what for row in section.rows} == {f"{each.name}, 32²" for each in likeness.MEASURES}
    monkeypatch.setattr(likeness, "installed", lambda name: name == "numpy")
    assert _missing(likeness.likeness(TINY)) == {"scikit-image", "imagehash"}


def _missing(section: Any) -> set[str]:
    return {row.peer for row in section.rows if row.its == admission.NOT_INSTALLED}


def _measured(section: Any) -> set[str]:
    return {row.peer for row in section.rows if row.value is not None}


@pytest.mark.parametrize(
    ("says", "exit_code", "real"),
    [
        ("Version: ImageMagick 7.1.1-43 Q16-HDRI", 0, True),
        ("convert: ImageMagick is not installed here", 1, False),
        ("convert: ImageMagick is not installed here", 0, False),
        ("Converts file systems", 0, False),
    ],
)
def test_imagemagick_is_distinguished_from_programs_of_the_same_name(
    tmp_path: Path, says: str, exit_code: int, real: bool
) -> None:
    command = tmp_path / "convert"
    command.write_text(f"#!/bin/sh\necho '{says}'\nexit {exit_code}\n")
    command.chmod(0o755)
    assert programs.is_imagemagick(str(command)) is real
    assert not programs.is_imagemagick(str(tmp_path / "no-such-program"))


# Complete runs


@pytest.mark.slow
def test_quick_run_measures_everything_and_writes_only_the_given_file(tmp_path: Path) -> None:
    before = DOCUMENT.read_bytes() if DOCUMENT.exists() else None
    page = tmp_path / "page.md"
    command = [sys.executable, str(FOLDER / "run.py"), "--quick", "--repeats", "1"]
    subprocess.run([*command, "--out", str(page)], check=True, capture_output=True)
    text = page.read_text("utf-8")
    assert text.count("\n## ") == len(run.SECTIONS) + 1
    assert "wrong result" not in text
    assert "failed" not in text
    assert "No goals were judged." in text
    assert (DOCUMENT.read_bytes() if DOCUMENT.exists() else None) == before
