"""The program: it reads the arguments, calls the command, and gives an exit code."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from fft_tool.cli.arguments import make_parser
from fft_tool.cli.output import forget_stdout, say
from fft_tool.errors import AmbiguousSources, FftToolError, StoreFull, UsageError
from fft_tool.printable import printable_lines
from fft_tool.runs.interrupts import end_workers, interruptible

OK, FAILED, USAGE, BUG, INTERRUPTED = 0, 1, 2, 70, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    # BLAS is not used: its threads would cost time to start, and do not survive a fork.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name or a sign that it lacks is no failure
            stream.reconfigure(errors="backslashreplace")
    with interruptible():
        try:
            options = make_parser(only=next(iter(words), None)).parse_args(words)
            return run(options)
        except KeyboardInterrupt:
            end_workers()
            say("interrupted; everything that is written is whole")
            return INTERRUPTED


def script() -> NoReturn:
    """Run as a program."""
    code = main()
    if code == INTERRUPTED:
        # Threads may still be busy in compiled code, which does not survive a regular end.
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def run(options: argparse.Namespace) -> int:
    """Call the chosen command; every error becomes one line and an exit code."""
    from fft_tool.cli import commands  # noqa: PLC0415  (numpy is not needed to print help)

    try:
        command: Callable[[argparse.Namespace], int] = getattr(commands, options.command)
        return command(options)
    except BrokenPipeError:
        forget_stdout()  # its reader has closed the pipe
        return FAILED
    except FftToolError as exc:
        if isinstance(exc, StoreFull):
            forget_stdout()  # it may be what is full
        say(str(exc))
        wrong_usage = isinstance(exc, AmbiguousSources | UsageError)
        return USAGE if wrong_usage else FAILED
    except Exception as exc:  # noqa: BLE001  (the last line of defence)
        if options.debug:
            import traceback  # noqa: PLC0415  (it should not be needed)

            print(printable_lines(traceback.format_exc()), file=sys.stderr)  # noqa: T201
        kind = type(exc).__name__
        say(f"this is a bug ({kind}: {exc}); please report it with the output of --debug")
        return BUG
