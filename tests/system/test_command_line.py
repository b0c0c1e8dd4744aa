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

from tests.support.command import SECONDS, end, environment, obey_permissions, start, tool
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


def test_a_folder_behind_one_that_is_closed_is_told(folder: Path) -> None:
    for words in (
        "analyze in/secret -o out",
        "analyze in/secret/b.png -o out",
        "table in/secret -o -",
    ):
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
