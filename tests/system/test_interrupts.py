"""Interrupts of a worker process that writes several times."""

from __future__ import annotations

import signal
import subprocess
import sys

PROGRAM = """
import os, signal, sys
from fft_tool.runs.interrupts import begin_worker, finishing
begin_worker()
with finishing() as on_step:
    for step in sys.argv[1:]:
        if step == "SIGTERM":
            os.kill(os.getpid(), signal.SIGTERM)
        else:
            on_step(step)
        print(step, flush=True)
"""


def worked(*steps: str) -> tuple[int, list[str]]:
    """Exit code of a worker that takes these steps, and those that it has taken."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *steps], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    return done.returncode, done.stdout.split()


def test_what_is_being_written_is_finished_and_nothing_else_begun() -> None:
    code, steps = worked("read", "write", "SIGTERM", "read", "write")
    assert code == 128 + signal.SIGTERM
    assert steps == ["read", "write", "SIGTERM"]


def test_between_two_writes_a_worker_ends_at_once() -> None:
    code, steps = worked("write", "read", "SIGTERM", "write")
    assert code == 128 + signal.SIGTERM
    assert steps == ["write", "read"]


def test_without_a_signal_all_steps_are_taken() -> None:
    assert worked("read", "write", "read", "write") == (0, ["read", "write", "read", "write"])
