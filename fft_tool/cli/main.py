"""The program: parses the arguments, runs the command and returns an exit code."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from fft_tool.cli.arguments import parse
from fft_tool.cli.output import forget_stdout, occupy_closed_streams, say
from fft_tool.errors import AmbiguousSources, FftToolError, StoreFull, UsageError
from fft_tool.printable import printable_lines
from fft_tool.runs.interrupts import end_workers, interruptible

OK, FAILED, USAGE, BUG, INTERRUPTED = 0, 1, 2, 70, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    occupy_closed_streams()
    # BLAS is not used: its threads take time to start and do not survive a fork.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # text outside its encoding is escaped
            stream.reconfigure(errors="backslashreplace")
    with interruptible():
        try:
            if not words:
                words = ["--help"]
            return run(parse(words))
        except FftToolError as exc:  # the help could not be written
            return _failed(exc)
        except KeyboardInterrupt:
            end_workers()
            say("interrupted; all files written are complete")
            return INTERRUPTED


def script() -> NoReturn:
    """Run as a program."""
    try:
        code = main()
    except SystemExit as exc:  # raised by the parser
        code = exc.code if isinstance(exc.code, int) else USAGE
    if code == INTERRUPTED:
        # Threads may still be running compiled code, which a normal exit would crash.
        if sys.stderr is not None:
            sys.stderr.flush()
        os._exit(code)
    sys.exit(_flushed(code))


def _flushed(code: int) -> int:
    """Flush stdout and return the exit code, which changes if that fails."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        forget_stdout()
        return FAILED
    except OSError as exc:
        forget_stdout()
        say(f"standard output: {(exc.strerror or str(exc)).lower()}")
        return FAILED
    return code


def _failed(error: FftToolError) -> int:
    """Report an error and return the exit code."""
    if isinstance(error, StoreFull):
        forget_stdout()  # stdout may be what is full
    from fft_tool.cli.messages import sentence  # noqa: PLC0415  (loads the recipe)

    say(sentence(error))
    return USAGE if isinstance(error, AmbiguousSources | UsageError) else FAILED


def run(options: argparse.Namespace) -> int:
    """Run the chosen command; every error becomes one line and an exit code."""
    from fft_tool.cli import commands  # noqa: PLC0415  (numpy is not needed to print help)

    try:
        command: Callable[[argparse.Namespace], int] = getattr(commands, options.command)
        return command(options)
    except BrokenPipeError:
        forget_stdout()  # the reader has closed the pipe
        return FAILED
    except FftToolError as exc:
        return _failed(exc)
    except Exception as exc:  # noqa: BLE001  (the last line of defence)
        if options.debug and sys.stderr is not None:
            import traceback  # noqa: PLC0415  (it should not be needed)

            print(printable_lines(traceback.format_exc()), file=sys.stderr)  # noqa: T201
        kind = type(exc).__name__
        say(f"this is a bug ({kind}: {exc}); please report it with the output of --debug")
        return BUG
