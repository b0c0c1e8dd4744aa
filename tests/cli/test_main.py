"""The command line as a process: output formats, streams, exit codes and interrupts."""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import os
import pty
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fft_tool
from fft_tool.cli.arguments import COMMANDS, make_parser
from fft_tool.cli.main import main
from fft_tool.codec import png_file
from fft_tool.recipe import Recipe
from fft_tool.results.outputs import Source
from fft_tool.runs.interrupts import begin_worker, finishing
from fft_tool.runs.many import Job, run_batch
from fft_tool.runs.sources import SourceRef
from tests.support.command import SECONDS, Finished, end, start, tool
from tests.support.images import noise, opened, pink_noise, png_bytes

SHAPE = (24, 32)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two images, ``a.png`` and ``b.png``."""
    for seed, name in enumerate(("a.png", "b.png")):
        (tmp_path / name).write_bytes(png_bytes(noise(SHAPE, seed=seed)))
    return tmp_path


def pixels(path: Path) -> Any:
    return np.asarray(opened(path.read_bytes()))


def made(folder: Path) -> set[str]:
    """Names of all files below a folder, including hidden ones."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def fails(finished: Finished, code: int) -> str:
    """Check that a command has failed with a code; returns its only message."""
    assert (finished.code, finished.out) == (code, b""), finished.err
    (message,) = finished.messages
    assert message.startswith("fft-tool: ")
    return message.removeprefix("fft-tool: ")


# Help


def parser_of(command: str) -> argparse.ArgumentParser:
    (subparsers,) = (a for a in make_parser()._actions if isinstance(a.choices, dict))  # noqa: SLF001
    parser: argparse.ArgumentParser = subparsers.choices[command]  # type: ignore[index]
    return parser


def test_help_names_every_command_and_the_exit_codes(tmp_path: Path) -> None:
    finished = tool("--help", cwd=tmp_path)
    assert (finished.code, finished.err) == (0, "")
    for command, (summary, _) in COMMANDS.items():
        assert command in finished.out.decode()
        assert summary.split(",")[0] in finished.out.decode()
    assert "Exit code: 0" in finished.out.decode()


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_explains_every_option(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "1000")
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    shown, err = capsys.readouterr()
    assert (caught.value.code, err) == (0, "")
    for action in parser_of(command)._actions:  # noqa: SLF001
        assert action.help, action
        assert action.help.replace("%%", "%") in shown
        for option in action.option_strings:
            assert option in shown


def test_the_examples_in_the_help_are_correct() -> None:
    examples = re.findall(r"^  fft-tool (.*)", make_parser().epilog or "", re.MULTILINE)
    assert len(examples) == 9
    for words in examples:
        make_parser().parse_args(words.split())


def test_every_key_of_the_recipe_is_an_option_of_analyze() -> None:
    options = parser_of("analyze")._option_string_actions  # noqa: SLF001
    assert {f"--{key}" for key in Recipe().texts()} <= options.keys()


def test_version(tmp_path: Path) -> None:
    finished = tool("--version", cwd=tmp_path)
    assert (finished.code, finished.lines) == (0, [f"fft-tool {fft_tool.__version__}"])


# Output formats


@pytest.mark.parametrize(
    ("options", "kinds"),
    [
        ("", "magnitude.png phase.png"),
        ("--bits 8 --metadata", "magnitude.png phase.png metadata.json"),
        ("--no-phase --spectrum", "magnitude.png spectrum.npz"),
        ("--crop 2,3,8,6 --window hann", "magnitude.png phase.png crop.png"),
        ("--smart-crop 8,8 --jobs 1", "magnitude.png phase.png crop.png"),
        ("--histogram --filter lowpass:4", "magnitude.png phase.png histogram.png filtered.png"),
    ],
)
def test_analyze_makes_the_requested_artifacts(folder: Path, options: str, kinds: str) -> None:
    finished = tool("analyze", "a.png", "b.png", "-o", "OUT", *options.split(), cwd=folder)
    assert (finished.code, finished.err) == (0, "")
    assert made(folder / "OUT") == {f"{x}_{kind}" for x in "ab" for kind in kinds.split()}


def test_analyze_follows_the_recipe(folder: Path) -> None:
    words = [
        "analyze",
        "a.png",
        "-o",
        "OUT",
        "--bits",
        "16",
        "--crop",
        "2,3,8,6",
        "--window",
        "hann",
        "--metadata",
    ]
    assert tool(*words, cwd=folder).code == 0
    record = json.loads((folder / "OUT" / "a_metadata.json").read_bytes())
    assert record["recipe"]["text"] == "crop=2,3,8,6 window=hann bits=16 metadata=yes"
    picture = opened((folder / "OUT" / "a_magnitude.png").read_bytes())
    assert (picture.size, picture.mode) == ((8, 6), "I;16")


def test_reconstruct_gives_the_image_back(folder: Path) -> None:
    options = ["--bits", "16", "--metadata", "--spectrum"]
    assert tool("analyze", "a.png", "-o", "OUT", *options, cwd=folder).code == 0
    for words in (
        ["OUT/a_metadata.json"],
        ["OUT/a_metadata.json", "--from", "pictures"],
        ["OUT/a_spectrum.npz"],
    ):
        finished = tool("reconstruct", *words, "-o", "back.png", cwd=folder)
        assert (finished.code, finished.out, finished.err) == (0, b"", "")
        assert np.array_equal(pixels(folder / "back.png"), noise(SHAPE))
        (folder / "back.png").unlink()
    finished = tool("reconstruct", "OUT/a_spectrum.npz", "-o", "-", cwd=folder)
    assert np.array_equal(np.asarray(opened(finished.out)), noise(SHAPE))


def test_stats_prints_one_json_object_per_line(folder: Path) -> None:
    finished = tool("stats", "a.png", "b.png", "--json", cwd=folder)
    assert (finished.code, finished.err) == (0, "")
    assert [line["source"] for line in finished.objects] == ["a.png", "b.png"]
    statistics = finished.objects[0]["statistics"]["grey"]
    assert statistics["mean"] == pytest.approx(noise(SHAPE).mean())


def test_analyze_prints_one_json_object_per_line(folder: Path) -> None:
    (folder / "c.png").write_bytes(b"")
    finished = tool("analyze", ".", "-o", "OUT", "--json", cwd=folder)
    assert finished.code == 1
    assert [(line["source"], line["outcome"]) for line in finished.objects] == [
        ("a.png", "done"),
        ("b.png", "done"),
        ("c.png", "rejected"),
    ]
    assert finished.objects[0]["outputs"] == ["a_phase.png", "a_magnitude.png"]
    assert finished.objects[2]["error"]["code"] == "empty-image"


def test_one_image_prints_the_names_of_its_outputs(folder: Path) -> None:
    finished = tool("analyze", "a.png", "-o", "OUT/", cwd=folder)
    assert (finished.lines, finished.err) == (["OUT/a_phase.png", "OUT/a_magnitude.png"], "")


def test_many_images_print_a_table(folder: Path) -> None:
    finished = tool("analyze", ".", "-o", "OUT", "--metadata", cwd=folder)
    assert [line.split()[0] for line in finished.lines] == ["image", "a.png", "b.png", "2"]


def test_quiet_prints_nothing(folder: Path) -> None:
    finished = tool("analyze", ".", "-o", "OUT", "--quiet", cwd=folder)
    assert (finished.code, finished.out, finished.err) == (0, b"", "")


# Pipes


@pytest.mark.parametrize("kind", ["magnitude", "phase", "metadata"])
def test_a_pipe_gives_exactly_the_artifact(folder: Path, kind: str) -> None:
    data = (folder / "a.png").read_bytes()
    words = ["analyze", "-", "-o", "-", "--metadata", "--artifact"]
    finished = tool(*words, kind, cwd=folder, stdin=data)
    expected = fft_tool.run(Source("stdin.png", data), Recipe(metadata=True))[kind].data
    assert (finished.code, finished.out, finished.err) == (0, expected, "")


def test_a_pipe_gives_the_magnitude_by_default(folder: Path) -> None:
    data = (folder / "a.png").read_bytes()
    expected = fft_tool.run(Source("a.png", data), Recipe())["magnitude"].data
    assert tool("analyze", "a.png", "-o", "-", cwd=folder).out == expected


def test_piped_input_can_be_written_to_a_folder(folder: Path) -> None:
    finished = tool("analyze", "-", "-o", "OUT", cwd=folder, stdin=png_bytes(noise(SHAPE)))
    assert finished.code == 0
    assert made(folder / "OUT") == {"stdin_magnitude.png", "stdin_phase.png"}


def test_an_artifact_that_cannot_be_piped_is_refused(folder: Path) -> None:
    assert "one source, not 2" in fails(tool("analyze", ".", "-o", "-", cwd=folder), 2)
    words = ["analyze", "a.png", "-o", "-", "--no-phase", "--artifact", "phase"]
    assert "no phase among the artifacts: magnitude" in fails(tool(*words, cwd=folder), 2)
    assert "standard input" in fails(tool("analyze", "-", "-o", "-", cwd=folder), 1)


def test_a_dry_run_of_a_pipe_writes_nothing(folder: Path) -> None:
    finished = tool("analyze", "a.png", "-o", "-", "--dry-run", cwd=folder)
    assert (finished.code, finished.out) == (0, b"")


@pytest.mark.parametrize("unbuffered", ["", "1"])  # as in many containers
@pytest.mark.parametrize("words", ["analyze big.png -o -", "stats a.png b.png --json"])
def test_a_closed_pipe_prints_no_error(folder: Path, words: str, unbuffered: str) -> None:
    (folder / "big.png").write_bytes(png_bytes(noise((600, 600))))
    process = start(*words.split(), cwd=folder, PYTHONUNBUFFERED=unbuffered)
    assert process.stdout is not None
    process.stdout.read(0 if "stats" in words else 10)
    process.stdout.close()
    finished = end(process)
    assert (finished.code, finished.err) == (1, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a full device")
@pytest.mark.parametrize("words", ["analyze a.png -o -", "stats a.png --json"])
def test_a_full_disk_behind_stdout_is_reported(folder: Path, words: str) -> None:
    with Path("/dev/full").open("wb") as full:
        finished = end(start(*words.split(), cwd=folder, stdout=full))
    assert "no space left" in fails(finished, 1).lower()


# Progress


def on_terminal(*words: str, cwd: Path, stdout_too: bool = False) -> tuple[int, str, str]:
    """Run with stderr on a terminal: exit code, stdout, and what the terminal shows."""
    master, slave = pty.openpty()
    stdout = slave if stdout_too else subprocess.PIPE
    process = start(*words, cwd=cwd, stdout=stdout, stderr=slave)
    os.close(slave)
    shown = b"".join(_until_hangup(master))
    os.close(master)
    finished = end(process)
    return finished.code, finished.out.decode(), shown.decode()


def _until_hangup(terminal: int) -> Iterator[bytes]:
    while True:
        try:
            yield os.read(terminal, 65536)
        except OSError:  # raised by Linux when the last writer has closed the terminal
            return


def test_progress_is_shown_on_a_terminal_and_not_in_the_data(folder: Path) -> None:
    (folder / "c.png").write_bytes(b"")
    code, out, shown = on_terminal("analyze", ".", "-o", "OUT", "--json", cwd=folder)
    assert code == 1
    assert [json.loads(line)["outcome"] for line in out.splitlines()] == [
        "done",
        "done",
        "rejected",
    ]
    assert "3/3" in shown
    assert "c.png: the file is empty" in shown


def test_a_report_shows_its_progress_on_a_terminal(folder: Path) -> None:
    assert tool("analyze", ".", "-o", "OUT", "--metadata", cwd=folder).code == 0
    code, out, shown = on_terminal("report", "OUT", "-o", "page.html", cwd=folder)
    assert code == 0
    assert "2/2" in shown
    assert out.startswith("page.html: 2 images, ")
    quiet = on_terminal("report", "OUT", "-o", "page.html", "--quiet", cwd=folder)
    assert quiet == (0, "", "")


def test_names_in_a_table_are_escaped_on_a_terminal_and_exact_in_a_file(
    folder: Path,
) -> None:
    name = "\x1b[31mred.png"
    (folder / "a.png").rename(folder / name)
    assert tool("analyze", name, "-o", "OUT", "--metadata", cwd=folder).code == 0
    assert name in tool("table", "OUT", "-o", "-", cwd=folder).out.decode()
    shown = on_terminal("table", "OUT", "-o", "-", cwd=folder, stdout_too=True)[2]
    assert r"\x1b[31mred.png" in shown
    assert "\x1b" not in shown


@pytest.mark.parametrize("words", ["analyze a.png -o OUT", "analyze . -o OUT --quiet"])
def test_no_progress_for_one_image_or_if_quiet(folder: Path, words: str) -> None:
    code, _, shown = on_terminal(*words.split(), cwd=folder)
    assert (code, shown) == (0, "")


# Exit codes


@pytest.mark.parametrize(
    "words",
    [
        "transform a.png -o OUT",
        "analyze -o OUT",
        "analyze a.png",
        "analyze a.png -o OUT --colour yes --what",
        "analyze a.png -o OUT --jobs 0",
        "analyze a.png -o OUT --max-pixels many",
        "reconstruct a.json -o b.png --from thin-air",
        "completion tcsh",
        "stats a.png --json --csv",
        "analyze a.png -o OUT --max-memory 2GX",
        "--what",
    ],
)
def test_wrong_usage_exits_with_2(
    folder: Path, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    with pytest.raises(SystemExit) as caught:
        main(words.split())
    assert caught.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    message, usage = err.splitlines()  # nothing hides what is wrong
    assert message.startswith("fft-tool")
    assert usage.startswith("usage: fft-tool")
    assert not (folder / "OUT").exists()


def test_wrong_usage_exits_with_2_in_a_shell(folder: Path) -> None:
    assert tool("analyze", "a.png", cwd=folder).code == 2


def run_here(capsys: pytest.CaptureFixture[str], *words: str) -> Finished:
    """Run the command line in this process."""
    code = main(words)
    out, err = capsys.readouterr()
    return Finished(code, out.encode(), err)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("crop a.png -o OUT", "--crop or --smart-crop"),
        ("filter a.png -o OUT", "--filter"),
        ("analyze a.png x/a.png -o OUT", "would have the same name"),
    ],
)
def test_conflicting_options_exit_with_2(
    folder: Path,
    words: str,
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(folder)
    assert told in fails(run_here(capsys, *words.split()), 2)
    assert not (folder / "OUT").exists()


def test_a_bad_recipe_exits_with_2_and_reports_all_faults(folder: Path) -> None:
    words = ["analyze", "a.png", "-o", "OUT", "--window", "kaiser", "--bits", "12", "--crop", "1,2"]
    message = fails(tool(*words, cwd=folder), 2)
    for fault in ("--window kaiser: ", "hann", "--bits 12: ", "--crop 1,2: ", "x,y,w,h"):
        assert fault in message
    assert not (folder / "OUT").exists()


def test_a_bug_exits_with_70_and_shows_a_traceback_only_on_request(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def have_a_bug(_: Any) -> int:
        raise ZeroDivisionError("division by zero")

    monkeypatch.chdir(folder)
    monkeypatch.setattr("fft_tool.cli.commands.analyze", have_a_bug)
    message = fails(run_here(capsys, "analyze", "a.png", "-o", "OUT"), 70)
    assert "bug (ZeroDivisionError: division by zero)" in message
    assert "--debug" in message
    with_debug = run_here(capsys, "analyze", "a.png", "-o", "OUT", "--debug")
    assert with_debug.code == 70
    assert with_debug.err.startswith("Traceback (most recent call last)")
    assert "in have_a_bug" in with_debug.err


# Interrupts


def test_an_interrupt_before_the_start_exits_with_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(**_: Any) -> argparse.ArgumentParser:
        raise KeyboardInterrupt

    monkeypatch.setattr("fft_tool.cli.arguments.make_parser", interrupted)
    try:
        assert run_here(capsys, "analyze", "a.png", "-o", "OUT").code == 130
    except KeyboardInterrupt:
        pytest.fail("people would see a traceback")


def hang(*_: Any, **__: Any) -> Any:
    """Stand-in for a disk that does not answer: it waits for ever, whatever the signals."""
    Path("begun").touch()
    while True:
        signal.pause()


def test_an_interrupt_abandons_what_is_not_being_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt() -> None:
        wait_for(Path("begun").exists)
        os.kill(os.getpid(), signal.SIGINT)

    def analyze(_: Any) -> int:
        threading.Thread(target=interrupt).start()
        refs = [SourceRef(".", "a.png"), SourceRef(".", "b.png")]
        return len(list(run_batch(refs, Job(Recipe(), operation=hang), processes=2)))

    monkeypatch.chdir(folder)
    monkeypatch.setattr("fft_tool.cli.commands.analyze", analyze)
    assert run_here(capsys, "analyze", "a.png", "-o", "OUT").code == 130
    assert not multiprocessing.active_children()


def test_an_interrupt_waits_for_files_that_workers_are_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    begun, written = tmp_path / "begun", tmp_path / "written"

    def work() -> None:
        begin_worker()
        with finishing() as on_step:
            on_step("write")
            begun.touch()
            time.sleep(0.5)
            written.touch()
        time.sleep(SECONDS)

    def interrupted(_: Any) -> int:
        multiprocessing.get_context("fork").Process(target=work).start()
        wait_for(begun.exists)
        raise KeyboardInterrupt

    monkeypatch.setattr("fft_tool.cli.commands.analyze", interrupted)
    assert run_here(capsys, "analyze", "a.png", "-o", "OUT").code == 130
    assert written.exists()
    assert not multiprocessing.active_children()


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with images that take some seconds."""
    folder = tmp_path_factory.mktemp("many")
    data = png_bytes(pink_noise((512, 512)))
    for number in range(200):
        (folder / f"{number:03}.png").write_bytes(data)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "whom", "jobs"),
    [
        (signal.SIGINT, "group", "2"),  # Ctrl-C
        (signal.SIGTERM, "process", "2"),  # kill
        (signal.SIGTERM, "group", "2"),  # timeout, systemd
        (signal.SIGINT, "process", "1"),
    ],
)
def test_an_interrupt_leaves_only_whole_files(
    many: Path, tmp_path: Path, number: int, whom: str, jobs: str
) -> None:
    out = tmp_path / "out"
    words = ("analyze", many, "-o", out, "--bits", "16", "--metadata", "--jobs", jobs)
    process = start(*words, cwd=tmp_path)
    wait_for(lambda: len(list(out.glob("*.json"))) >= 3)
    (os.killpg if whom == "group" else os.kill)(process.pid, number)
    message = fails(end(process), 130)
    assert message == "interrupted; all files written are complete"
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)  # no worker is left
    check_whole(out)
    assert 3 <= len(list(out.glob("*.json"))) < 200


@pytest.mark.slow
@pytest.mark.parametrize(
    ("numbers", "whom"),
    [
        ([signal.SIGINT] * 3, "group"),
        ([signal.SIGINT, signal.SIGTERM], "process"),
        ([signal.SIGTERM] * 3, "group"),
    ],
)
def test_repeated_interrupts_neither_hang_nor_damage_files(
    tmp_path: Path, numbers: list[signal.Signals], whom: str
) -> None:
    (tmp_path / "in").mkdir()
    data = png_bytes(pink_noise((1200, 1200)))
    for number in range(20):
        (tmp_path / "in" / f"{number}.png").write_bytes(data)
    out = tmp_path / "out"
    process = start("analyze", "in", "-o", out, "--metadata", "--jobs", "2", cwd=tmp_path)
    wait_for(out.exists)
    for number in numbers:
        with contextlib.suppress(ProcessLookupError):  # the process may have ended already
            (os.killpg if whom == "group" else os.kill)(process.pid, number)
        time.sleep(0.05)
    fails(end(process), 130)
    check_whole(out)


def wait_for(condition: Any) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def check_whole(out: Path) -> None:
    """Check that every file is complete, that records have their artifacts, and nothing else."""
    assert not list(out.glob(".*"))
    for path in out.glob("*.png"):
        png_file.parse(path.read_bytes())
    for path in out.glob("*.json"):
        for entry in json.loads(path.read_bytes())["artifacts"]:
            assert (out / entry["name"]).stat().st_size == entry["bytes"]
