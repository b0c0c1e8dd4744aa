"""The command line as people meet it: a process of its own."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fft_tool

TOOL = (sys.executable, "-W", "error", "-m", "fft_tool")
SECONDS = 300  # of any program; long enough for slow and busy machines


@dataclass(frozen=True)
class Finished:
    """A command that has ended: its exit code and what it wrote."""

    code: int
    out: bytes
    err: str

    @property
    def lines(self) -> list[str]:
        """Lines of stdout."""
        return self.out.decode().splitlines()

    @property
    def messages(self) -> list[str]:
        """Lines of stderr."""
        return self.err.splitlines()

    @property
    def objects(self) -> list[dict[str, Any]]:
        """Lines of stdout, each of which is to be a JSON object."""
        return [json.loads(line) for line in self.lines]


Run = Callable[..., Finished]
"""Runs the command line with some words."""


def tool(
    *words: str | Path,
    cwd: Path,
    stdin: bytes = b"",
    before: Callable[[], None] | None = None,
    **variables: str,
) -> Finished:
    """Run ``fft-tool`` with these words, in a folder; ``before`` is called in the new process."""
    finished = subprocess.run(
        [*TOOL, *map(str, words)],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        env=environment(**variables),
        preexec_fn=before,
        timeout=SECONDS,
        check=False,
    )
    err = finished.stderr.decode(errors="backslashreplace")
    return Finished(finished.returncode, finished.stdout, err)


def start(
    *words: str | Path,
    cwd: Path,
    stdout: Any = subprocess.PIPE,
    stderr: Any = subprocess.PIPE,
    **variables: str,
) -> subprocess.Popen[bytes]:
    """Start ``fft-tool`` in a process group of its own, and leave it running."""
    return subprocess.Popen(
        [sys.executable, "-m", "fft_tool", *map(str, words)],
        cwd=cwd,
        stdout=stdout,
        stderr=stderr,
        env=environment(**variables),
        start_new_session=True,
        preexec_fn=_listen_to_interrupts,  # noqa: PLW1509  (no other way to set the handler)
    )


def end(process: subprocess.Popen[bytes]) -> Finished:
    """Wait for the end of a command that was started; if it hangs, end it with all its workers."""
    try:
        out, err = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise
    return Finished(process.returncode, out or b"", (err or b"").decode(errors="backslashreplace"))


def environment(**variables: str) -> dict[str, str]:
    """Environment of a command: this one's, without what would change how text is shown."""
    changing = ("FORCE_COLOR", "TTY_", "COLUMNS", "LINES", "PYTHON")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(changing)}
    home = str(Path(fft_tool.__file__).resolve().parents[1])
    path = os.pathsep.join(filter(None, (home, os.environ.get("PYTHONPATH"))))
    return {**kept, "PYTHONPATH": path, "TERM": "xterm", **variables}


def said_of_file(script: str, data: bytes, *words: str, folder: Path) -> str:
    """What a Python program prints that is given a file of ``data``, and ``words``."""
    path = folder / "image"
    path.write_bytes(data)
    done = subprocess.run(
        [sys.executable, "-c", script, str(path), *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
        cwd=Path(fft_tool.__file__).parents[1],
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def what_make_runs(folder: Path, target: str, *given: str, **variables: str) -> list[list[str]]:
    """Arguments of the Python programs that ``make`` runs for a target, with what it is ``given``.

    In place of Python is a program, in ``folder``, that notes its arguments.
    """
    notes, python = folder / "notes", folder / "python"
    python.write_text(
        f"#!{sys.executable}\nimport json, sys\n"
        f"print(json.dumps(sys.argv[1:]), file=open({str(notes)!r}, 'a'))\n"
    )
    python.chmod(0o755)
    outer = {name: text for name, text in os.environ.items() if "MAKE" not in name}
    subprocess.run(
        ["make", "--no-print-directory", f"BIN={folder}", f"PYTHON={python}", target, *given]
        + [f"--old-file={name}" for name in (".venv/.local", ".venv/.dev", ".venv/.run")],
        cwd=Path(fft_tool.__file__).resolve().parents[1],
        env={**outer, **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    lines = notes.read_text("utf-8").splitlines()
    notes.unlink()
    return [json.loads(line) for line in lines]


def obey_permissions() -> None:
    """Have the process respect permission bits even if it is root's (for ``before``)."""
    if os.geteuid() == 0:
        drop_bound, override, read_search = 24, 1, 2  # linux/prctl.h and linux/capability.h
        for capability in (override, read_search):
            ctypes.CDLL(None).prctl(drop_bound, capability, 0, 0, 0)


def disk_of(size: int) -> Callable[[], None]:
    """Let no file of the process grow beyond ``size`` bytes (for ``before``)."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def _listen_to_interrupts() -> None:
    # Tests that run in the background inherit a deaf ear for Ctrl-C.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
