"""The command line in real terminals, beside real pipes and folders that cannot be read."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from fft_tool.codec import png_file
from tests.support.command import (
    SECONDS,
    Finished,
    end,
    environment,
    obey_permissions,
    start,
    tool,
)
from tests.support.images import noise, png_bytes

pytestmark = pytest.mark.slow

SOUND = png_bytes(noise((24, 32)))
KINDS = ("magnitude.png", "phase.png", "metadata.json")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder whose subfolder ``in`` holds two images beside all that is difficult."""
    (tmp_path / "in" / "secret").mkdir(parents=True)
    (tmp_path / "in" / "unsearchable").mkdir()
    for name in ("a.png", "z.png", "secret/b.png", "unsearchable/c.png"):
        (tmp_path / "in" / name).write_bytes(SOUND)
    (tmp_path / "in" / "loop.png").symlink_to("loop.png")
    (tmp_path / "in" / "back").symlink_to(".")
    os.mkfifo(tmp_path / "in" / "pipe.png")
    (tmp_path / "in" / "secret").chmod(0)
    (tmp_path / "in" / "unsearchable").chmod(0o444)
    return tmp_path


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("command", ["analyze in -o out --metadata", "stats in --csv"])
def test_what_cannot_be_read_is_named_and_the_rest_is_done(
    folder: Path, command: str, jobs: str
) -> None:
    words = (*command.split(), "--jobs", jobs)
    finished = tool(*words, cwd=folder, before=obey_permissions)
    assert finished.code == 1
    assert finished.messages == [
        "fft-tool: in/loop.png: too many levels of symbolic links",
        "fft-tool: in/secret: permission denied",
        "fft-tool: in/unsearchable/c.png: permission denied",
    ]
    if command.startswith("analyze"):
        made = {path.name for path in (folder / "out").iterdir()}
        assert made == {f"{name}_{kind}" for name in "az" for kind in KINDS}
        assert finished.lines[-1] == "2 done, 3 failed"
    else:
        assert [line.split(",")[0] for line in finished.lines[1:]] == ["in/a.png", "in/z.png"]


@pytest.mark.parametrize("command", ["table in -o t.csv", "report in -o t.html"])
def test_results_that_can_be_read_are_used(folder: Path, command: str) -> None:
    assert tool("analyze", "in/a.png", "-o", "in", "--metadata", cwd=folder).code == 0
    finished = tool(*command.split(), cwd=folder, before=obey_permissions)
    assert (finished.code, finished.messages) == (1, ["fft-tool: in/secret: permission denied"])
    assert b"a.png" in (folder / command.rsplit(maxsplit=1)[-1]).read_bytes()


def test_records_that_can_be_read_are_reconstructed(folder: Path) -> None:
    words = ("analyze", "in/a.png", "-o", "in", "--metadata", "--bits", "16")
    assert tool(*words, cwd=folder).code == 0
    finished = tool("reconstruct", "in", "-o", "back", cwd=folder, before=obey_permissions)
    assert (finished.code, finished.messages) == (1, ["fft-tool: in/secret: permission denied"])
    assert [path.name for path in (folder / "back").iterdir()] == ["a.png"]


def test_a_folder_behind_one_that_is_closed_is_told(folder: Path) -> None:
    commands = (
        "analyze in/secret -o out",
        "stats in/secret/b.png",
        "stats in/unsearchable/*.png",
        "table in/secret -o -",
        "analyze in/a.png -o in/secret/out",
        "analyze in/a.png -o in/secret/x.png",
    )
    for words in commands:
        finished = tool(*words.split(), cwd=folder, before=obey_permissions)
        assert finished.code == 1
        (message,) = finished.messages
        assert message.endswith("permission denied")


@pytest.mark.parametrize("words", ["analyze - -o out", "analyze ready.png - -o out"])
def test_waiting_for_a_pipe_can_be_interrupted(folder: Path, words: str) -> None:
    (folder / "ready.png").write_bytes(SOUND)
    os.mkfifo(folder / "never")
    reader = os.open(folder / "never", os.O_RDWR)  # so that opening it does not wait
    saved = os.dup(0)
    os.dup2(reader, 0)
    try:
        process = start(*words.split(), cwd=folder)
    finally:
        os.dup2(saved, 0)
    wait_until_asleep(process.pid)
    process.send_signal(signal.SIGINT)
    finished = end(process)
    os.close(reader)
    os.close(saved)
    assert finished.code == 130
    assert finished.messages == ["fft-tool: interrupted; all files written are complete"]


def test_waiting_for_the_reader_of_a_pipe_can_be_interrupted(folder: Path) -> None:
    os.mkfifo(folder / "target")
    process = start("analyze", "in/a.png", "-o", "target", cwd=folder)
    wait_until_asleep(process.pid)
    process.send_signal(signal.SIGINT)
    assert end(process).code == 130
    assert (folder / "target").is_fifo()


def wait_until_asleep(process: int) -> None:
    """Wait until a process has slept through ten looks at it, and so is waiting for something."""
    deadline, looks = time.monotonic() + SECONDS, 0
    while looks < 10:
        assert time.monotonic() < deadline
        state = Path(f"/proc/{process}/stat").read_text("ascii").rpartition(")")[2].split()
        used = sum(map(int, state[11:13]))
        looks = looks + 1 if state[0] == "S" and used > 5 else 0
        time.sleep(0.02)


def test_devices_that_never_end_are_refused_by_their_first_bytes(folder: Path) -> None:
    finished = subprocess.run(
        ["sh", "-c", 'exec "$0" -m fft_tool analyze - -o out </dev/zero', sys.executable],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert finished.returncode == 1
    assert finished.stderr.startswith("fft-tool: standard input: not an image in a known format")
    assert tool("analyze", "/dev/zero", "-o", "out", cwd=folder).code == 1


def on_terminal(width: int, *words: str, cwd: Path) -> str:
    """What a terminal of some width shows of a command."""
    main, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
    process = start(*words, cwd=cwd, stdout=terminal, stderr=subprocess.DEVNULL)
    os.close(terminal)
    shown = b""
    while True:
        try:
            shown += os.read(main, 65536)
        except OSError:  # the last writer has gone
            break
    os.close(main)
    end(process)
    return shown.decode()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_narrow_terminal_cuts_no_number(folder: Path, width: int) -> None:
    name = "an image with a rather long name.png"
    (folder / name).write_bytes(SOUND)
    csv = tool("stats", name, "in/a.png", "--csv", cwd=folder).lines[1].split(",")
    shown = on_terminal(width, "stats", name, "in/a.png", cwd=folder)
    assert f"{float(csv[2]):.5g}" in shown.split()
    assert f"{float(csv[3]):.5g}" in shown.split()
    assert all(len(line) <= width for line in shown.splitlines() if "\x1b" not in line)


def test_a_dead_endpoint_is_named(folder: Path) -> None:
    # Nothing listens at the discard port, and nobody but root could.
    for words in ("analyze s3://bucket/a.png -o out", "analyze in/a.png -o s3://bucket/x"):
        finished = tool(*words.split(), cwd=folder, AWS_ENDPOINT_URL="http://127.0.0.1:9")
        assert finished.code == 1
        (message,) = finished.messages
        assert "http://127.0.0.1:9: connection refused: is AWS_ENDPOINT_URL right" in message


# Closed and full streams


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """A folder with two images, ``a.png`` and ``b.png``."""
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(SOUND)
    return tmp_path


def only_message(finished: Finished) -> str:
    assert (finished.code, finished.out) == (1, b"")
    (message,) = finished.messages
    return message.removeprefix("fft-tool: ")


def made(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


STREAMS = ["analyze - -o OUT", "stats a.png", "stats a.png --csv", "--help", "--version"]


@pytest.mark.parametrize("words", STREAMS)
def test_closed_streams_are_told_and_are_no_bugs(images: Path, words: str) -> None:
    number = 0 if " - " in words else 1
    finished = tool(*words.split(), cwd=images, before=lambda: os.close(number))
    told = only_message(finished)
    assert told == f"standard {'output' if number else 'input'} is closed"


def test_without_standard_error_the_work_is_done_and_stdout_has_only_data(images: Path) -> None:
    (images / "bad.png").write_bytes(b"text")
    words = ("analyze", "bad.png", "a.png", "-o", "OUT", "--json")
    finished = tool(*words, cwd=images, before=lambda: os.close(2))
    assert finished.code == 1
    assert [line["outcome"] for line in finished.objects] == ["rejected", "done"]


def test_files_do_not_take_the_numbers_of_closed_streams(images: Path) -> None:
    def close_all() -> None:
        for number in range(3):
            os.close(number)

    assert tool("analyze", ".", "-o", "OUT", "--jobs", "2", cwd=images, before=close_all).code == 1
    assert made(images / "OUT") == {
        f"{x}_{kind}.png" for x in "ab" for kind in ("magnitude", "phase")
    }
    for path in (images / "OUT").iterdir():
        png_file.parse(path.read_bytes())


@pytest.mark.parametrize("words", ["stats a.png", "--help", "table OUT -o -"])
def test_a_full_disk_is_told_of_tables_and_help_too(images: Path, words: str) -> None:
    if "table" in words:
        assert tool("analyze", "a.png", "-o", "OUT", "--metadata", cwd=images).code == 0
    with Path("/dev/full").open("wb") as full:
        finished = end(start(*words.split(), cwd=images, stdout=full))
    assert only_message(finished) == "standard output: no space left on device"
