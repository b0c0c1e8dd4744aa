"""``python -m tools.local_aws``: arguments and exit codes; the Makefile calls it."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from fft_tool.cli.output import forget_stdout
from fft_tool.errors import FftToolError
from fft_tool.recipe import KEYS
from tools.local_aws.aws import Aws, forget_accounts
from tools.local_aws.drop import Bucket
from tools.local_aws.emulator import Emulator
from tools.local_aws.logs import show
from tools.local_aws.package import ROOT
from tools.local_aws.say import say
from tools.local_aws.up import PORT, down, status, the_one_that_is_up, up

OK, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130
STATE = ".local-aws"

NO_WISHES = ("BIN", "IMG", "MAKEFLAGS", "PORT", "PYTHON", "VENV")  # but make's own variables


def main(words: Sequence[str]) -> int:
    """Run a command and return its exit code: 0, 1 it failed, 2 wrong usage, 130 interrupted."""
    forget_accounts(os.environ)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    options = _parser().parse_args(_with_flags(_with_variables(words)))
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  (help is quick)

    try:
        ok: bool = options.run(Emulator(options.state), options)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        forget_stdout()  # whoever read it has gone
    except FftToolError as exc:
        say(f"local AWS: {exc}")
    except (BotoCoreError, ClientError) as exc:
        say(f"local AWS: {exc}; if that stays so: `make down`, `make up`")
    else:
        return OK if ok else FAILED
    return FAILED


def _up(emulator: Emulator, options: argparse.Namespace) -> bool:
    up(emulator, options.port, options.code)
    return True


def _down(emulator: Emulator, _: argparse.Namespace) -> bool:
    down(emulator)
    return True


def _status(emulator: Emulator, _: argparse.Namespace) -> bool:
    status(emulator)
    return True


def _drop(emulator: Emulator, options: argparse.Namespace) -> bool:
    aws = Aws.of(the_one_that_is_up(emulator))
    values = vars(options)
    wishes = {key.name: values[key.field] for key in KEYS if values[key.field] is not None}
    return Bucket(aws).drop(options.files, wishes, options.seconds)


def _logs(emulator: Emulator, options: argparse.Namespace) -> bool:
    show(Aws.of(the_one_that_is_up(emulator)), raw=options.json, once=options.once)
    return True


def _fill_up(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--port", type=_port, help=f"where it listens on loopback (default: {PORT})"
    )
    parser.add_argument(
        "--code", type=Path, default=ROOT, metavar="DIR", help="folder of fft_tool and handler"
    )


def _fill_drop(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", type=_named, metavar="IMG", help="file, folder or glob")
    parser.add_argument(
        "--seconds", type=float, default=60.0, help="how long to wait (default: 60)"
    )
    recipe = parser.add_argument_group("recipe, in upper or lower case")
    for key in KEYS:
        metavar = "|".join(key.kind.choices) or key.kind.metavar
        text = key.help.replace("%", "%%")
        recipe.add_argument(f"--{key.name}", dest=key.field, metavar=metavar, help=text)


def _fill_logs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--once", action="store_true", help="print what there is, and end")
    parser.add_argument("--json", action="store_true", help="JSON lines only, as they are")


def _fill_nothing(_: argparse.ArgumentParser) -> None:
    pass


Run = Callable[[Emulator, argparse.Namespace], bool]
Fill = Callable[[argparse.ArgumentParser], None]
COMMANDS: dict[str, tuple[str, Run, Fill]] = {
    "up": ("start it, or give the function its code anew", _up, _fill_up),
    "drop": ("upload images and wait for their spectra", _drop, _fill_drop),
    "logs": ("print what the function says, as it comes", _logs, _fill_logs),
    "status": ("tell where it is and what is in the queues", _status, _fill_nothing),
    "down": ("stop it, and leave nothing behind", _down, _fill_nothing),
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.local_aws", description="A whole AWS on the laptop."
    )
    commands = parser.add_subparsers(title="commands", dest="command", required=True)
    for name, (summary, run, fill) in COMMANDS.items():
        command = commands.add_parser(
            name, help=summary, description=f"{summary}.", allow_abbrev=False
        )
        fill(command)
        command.add_argument(
            "--state",
            type=Path,
            default=ROOT / STATE,
            metavar="DIR",
            help=f"folder that it keeps its files in (default: {STATE} in the repository)",
        )
        command.set_defaults(run=run)
    return parser


def _with_variables(words: Sequence[str]) -> list[str]:
    """Replace ``--variables "IMG CROP"`` by the wishes in make's variables of these names."""
    if "--variables" not in words:
        return list(words)
    at = words.index("--variables")
    names = [name for name in words[at + 1].split() if name not in NO_WISHES]
    return [
        *words[:at],
        *(f"--{name}={os.environ.get(name, '')}" for name in names),
        *words[at + 2 :],
    ]


def _with_flags(words: Sequence[str]) -> list[str]:
    """Make flags of make variables' names, but for what stands behind ``--``."""
    end = words.index("--") if "--" in words else len(words)
    return [*map(_like_a_flag, words[:end]), *words[end:]]


def _like_a_flag(word: str) -> str:
    """Make a flag of a make variable's name: ``--SMART_CROP=64,64``."""
    if not word.startswith("--"):
        return word
    name, equals, value = word.partition("=")
    return name.lower().replace("_", "-") + equals + value


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} should be a number from 1 to 65535")
    return int(text)


def _named(text: str) -> str:
    if not text or text == "-" or "://" in text:
        raise argparse.ArgumentTypeError(
            f"{text!r} should be a file, a folder or a glob: make drop IMG=input_images/text.png"
        )
    return text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
