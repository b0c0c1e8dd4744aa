"""The local AWS starts, is isolated from everything else, stops, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import socket
import tempfile
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from tests.support.images import noise, png_bytes
from tests.support.local_cloud import Laptop, free_port, wait_until
from tools.local_aws.package import ROOT, zipped
from tools.log_tail import readable


@pytest.fixture
def laptop(tmp_path: Path) -> Iterator[Laptop]:
    """A folder in which nothing is running, neither before nor after the test."""
    place = Laptop(tmp_path / "state", free_port())
    try:
        yield place
    finally:
        place.emulator.stop()


def up(laptop: Laptop, *words: str | Path, **variables: str) -> str:
    started = laptop.run("up", *words, **variables)
    assert started.code == 0, started.err
    assert not started.out
    return started.err


@pytest.mark.slow
def test_down_leaves_nothing(laptop: Laptop) -> None:
    assert "previous run" not in up(laptop)
    before = laptop.processes()
    assert len(before) >= 2
    stopped = laptop.run("down")
    assert (stopped.code, stopped.err) == (0, "local AWS: stopped\n")
    assert not laptop.processes()
    assert not laptop.state.exists()
    assert not list(Path(tempfile.gettempdir()).glob(f"ministack*{laptop.port}*"))
    again = laptop.run("down")
    assert (again.code, again.err) == (0, "local AWS: was not running\n")


@pytest.mark.slow
def test_it_restarts_after_a_crash(laptop: Laptop) -> None:
    up(laptop)
    laptop.put("input/lost.png", b"")
    laptop.wait_for_names(["output/lost_metadata.json"])
    leader, *workers = sorted(laptop.processes(), key=lambda process: process.pid)
    leader.kill()
    wait_until(lambda: laptop.emulator.running() is None)
    status = laptop.run("status")
    assert (status.code, status.err) == (1, "local AWS: is not running: run `make up` first\n")
    assert "the previous run ended without `make down`, and its contents are lost" in up(laptop)
    assert not laptop.names()
    assert not {leader.pid, *(worker.pid for worker in workers)} & {
        process.pid for process in laptop.processes()
    }


@pytest.mark.slow
def test_a_second_up_updates_the_code(laptop: Laptop, tmp_path: Path) -> None:
    code = tmp_path / "code"
    with zipfile.ZipFile(BytesIO(zipped())) as archive:
        archive.extractall(code)
    up(laptop, "--code", code)
    started = laptop.emulator.running()
    entry = code / "handler" / "entry.py"
    sound = entry.read_text()
    entry.write_text(sound + "\nraise RuntimeError('broken on purpose')\n")
    broken = laptop.run("up", "--code", code)
    assert broken.code == 1
    assert "the function does not start: " in broken.err
    assert "broken on purpose; fix that and run `make up` again" in broken.err
    entry.write_text(sound)
    assert "already running at" in up(laptop, "--code", code)
    assert laptop.emulator.running() == started


@pytest.mark.slow
def test_settings_in_the_environment_reach_the_function(laptop: Laptop, tmp_path: Path) -> None:
    up(laptop, FFT_RECIPE="bits=16", FFT_INPUT_PREFIX="scans/", FFT_OUTPUT_PREFIX="spectra/")
    (tmp_path / "image.png").write_bytes(png_bytes(noise((9, 9))))
    dropped = laptop.run("drop", tmp_path / "image.png", "--window=hann")
    assert dropped.code == 0, dropped.err
    record = laptop.record("spectra/image_metadata.json")
    assert record["recipe"]["text"] == "window=hann bits=16 metadata=yes"


def test_wrong_settings_are_reported_and_nothing_keeps_running(laptop: Laptop) -> None:
    refused = laptop.run("up", FFT_INPUT_PREFIX="same/", FFT_OUTPUT_PREFIX="same/")
    assert refused.code == 1
    assert "FFT_INPUT_PREFIX='same/'" in refused.err
    assert not laptop.processes()


def test_a_port_in_use_is_reported_with_an_alternative(laptop: Laptop) -> None:
    with socket.create_server(("127.0.0.1", laptop.port)):
        refused = laptop.run("up")
    assert refused.code == 1
    assert f"port {laptop.port} is in use by " in refused.err
    assert f"(process {os.getpid()})" in refused.err
    assert f"`make up PORT={laptop.port + 1}`" in refused.err
    assert not laptop.state.exists()


@pytest.mark.slow
def test_two_simultaneous_starts_share_one_emulator(laptop: Laptop) -> None:
    port = str(laptop.port)
    both = [laptop.start("up", "--port", port) for _ in range(2)]
    told = [process.communicate()[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    assert sorted(text.splitlines()[0].split(" at ")[0] for text in told) == [
        "local AWS: already running",
        "local AWS: started",
    ]


@pytest.mark.parametrize(
    "state", [b"", b"{", b"[]", b'{"pid": "x"}', b'{"pid": 1, "port": 1, "key": "x"}', None]
)
def test_the_state_file_of_an_earlier_run_is_ignored(laptop: Laptop, state: bytes | None) -> None:
    other = json.dumps({"pid": os.getpid(), "port": laptop.port, "key": "LOCAL"}).encode()
    laptop.state.mkdir()
    (laptop.state / "state.json").write_bytes(other if state is None else state)
    (laptop.state / "tmp" / "ministack-lambda-old").mkdir(parents=True)
    assert laptop.emulator.running() is None
    assert laptop.emulator.stop() is False
    assert not laptop.state.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_folder_of_another_user_is_refused(laptop: Laptop) -> None:
    laptop.state.mkdir()
    (laptop.state / "theirs.txt").touch()
    os.chown(laptop.state, 65534, 65534)
    refused = laptop.run("up")
    assert refused.code == 1
    assert "belongs to another user: choose another folder with --state" in refused.err


def test_stopping_keeps_unrelated_files(laptop: Laptop) -> None:
    laptop.state.mkdir()
    (laptop.state / "mine.txt").write_text("keep")
    laptop.emulator.stop()
    assert (laptop.state / "mine.txt").read_text() == "keep"


@pytest.mark.parametrize("command", ["drop", "logs", "status"])
def test_commands_that_need_it_say_how_to_start_it(laptop: Laptop, command: str) -> None:
    words = [__file__] if command == "drop" else []
    done = laptop.run(command, *words)
    assert (done.code, done.out) == (1, b"")
    assert done.err == "local AWS: is not running: run `make up` first\n"


def test_the_package_of_the_function_is_complete_and_excludes_the_tools() -> None:
    with zipfile.ZipFile(BytesIO(zipped())) as archive:
        names = set(archive.namelist())
        for name in names:
            assert archive.read(name) == (ROOT / name).read_bytes()
    assert {
        "handler/entry.py",
        "fft_tool/pipeline.py",
        "fft_tool/results/record.schema.json",
    } <= names
    assert not [name for name in names if name.startswith("tools/") or "__pycache__" in name]


def test_control_characters_in_a_key_are_escaped_on_the_terminal() -> None:
    line = readable({"outcome": "done", "key": "input/\x1b[31mrot\ngrün🌲.png", "bytes": 1})
    assert "input/\\x1b[31mrot\\ngrün🌲.png" in line.plain
