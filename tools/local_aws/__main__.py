"""``python -m tools.local_aws``: arguments and exit codes."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from pathlib import Path

from fft_tool.cli.output import forget_stdout
from fft_tool.errors import FftToolError
from fft_tool.recipe import KEYS
from tools.errors import ToolError
from tools.local_aws.clients import LocalAws, forget_accounts
from tools.local_aws.drop import Bucket
from tools.local_aws.drop_workflow import WorkflowBucket
from tools.local_aws.emulator import Emulator
from tools.local_aws.logs import show
from tools.local_aws.package import ROOT
from tools.local_aws.redrive import redrive
from tools.local_aws.up import PORT, down, require_running, status, up
from tools.say import say

OK, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130
STATE = ".local-aws"

NOT_OF_A_RECIPE = ("BIN", "IMG", "MAKEFLAGS", "PORT", "PYTHON", "VENV")


def main(words: Sequence[str]) -> int:
    """Run a command. Exit codes: 0, 1 failure, 2 wrong usage, 130 interrupted."""
    forget_accounts(os.environ)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    parser = _parser()
    options = parser.parse_args(_with_flags(_with_variables(words)))
    if options.command == "drop" and options.operations and not options.workflow:
        parser.error("operations are for the workflow: make drop WORKFLOW=1 OPERATIONS=… IMG=…")
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  (not needed for help)

    try:
        ok: bool = options.run(Emulator(options.state), options)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        forget_stdout()  # the reader has closed the pipe
    except (ToolError, FftToolError) as exc:
        say(f"local AWS: {exc}")
    except (BotoCoreError, ClientError) as exc:
        say(f"local AWS: {exc}; if this happens again, run `make down` and `make up`")
    else:
        return OK if ok else FAILED
    return FAILED


def _up(emulator: Emulator, options: argparse.Namespace) -> bool:
    up(emulator, options.port, options.code)
    return True


def _infra(emulator: Emulator, options: argparse.Namespace) -> bool:
    from tools.local_aws.infra import infra  # noqa: PLC0415  (only this needs Terraform)

    infra(emulator, options.port, options.code, options.plugins)
    return True


def _down(emulator: Emulator, _: argparse.Namespace) -> bool:
    down(emulator)
    return True


def _status(emulator: Emulator, _: argparse.Namespace) -> bool:
    status(emulator)
    return True


def _drop(emulator: Emulator, options: argparse.Namespace) -> bool:
    aws = LocalAws.of(require_running(emulator))
    values = vars(options)
    recipe = {key.name: values[key.field] for key in KEYS if values[key.field] is not None}
    if options.workflow:
        bucket = WorkflowBucket(aws)
        return bucket.drop(options.files, options.operations, recipe, options.seconds)
    return Bucket(aws).drop(options.files, recipe, options.seconds)


def _batch_demo(emulator: Emulator, options: argparse.Namespace) -> bool:
    from tools.local_aws.batch_demo import demo  # noqa: PLC0415  (it loads numpy and Pillow)

    return demo(LocalAws.of(require_running(emulator)), options.seconds)


def _redrive(emulator: Emulator, _: argparse.Namespace) -> bool:
    count = redrive(LocalAws.of(require_running(emulator)))
    letters = "1 dead letter is" if count == 1 else f"{count or 'no'} dead letters are"
    say(f"local AWS: {letters} back in the queue")
    return True


def _logs(emulator: Emulator, options: argparse.Namespace) -> bool:
    show(LocalAws.of(require_running(emulator)), raw=options.json, once=options.once)
    return True


def _fill_up(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=_port, help=f"port on loopback (default: {PORT})")
    parser.add_argument(
        "--code", type=Path, default=ROOT, metavar="DIR", help="folder of fft_tool and handler"
    )


def _fill_infra(parser: argparse.ArgumentParser) -> None:
    _fill_up(parser)
    parser.add_argument(
        "--plugins",
        type=Path,
        metavar="DIR",
        help="folder of Terraform providers, instead of the pinned one from Terraform's registry",
    )


def _fill_drop(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", type=_named, metavar="IMG", help="file, folder or glob")
    parser.add_argument(
        "--seconds", type=float, default=60.0, help="how long to wait for each result (default: 60)"
    )
    workflow = parser.add_argument_group("workflow")
    workflow.add_argument(
        "--workflow", type=_yes, default=False, metavar="1", help="put it through the workflow"
    )
    workflow.add_argument(
        "--operations", default="", metavar="LIST", help="its operations: grayscale,blur:3"
    )
    recipe = parser.add_argument_group("recipe, in upper or lower case")
    for key in KEYS:
        metavar = "|".join(key.value_type.choices) or key.value_type.metavar
        text = key.help.replace("%", "%%")
        recipe.add_argument(f"--{key.name}", dest=key.field, metavar=metavar, help=text)


def _fill_batch_demo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--seconds", type=float, default=180.0, help="how long to wait for the rows (default: 180)"
    )


def _fill_logs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--once", action="store_true", help="print the existing lines, then exit")
    parser.add_argument("--json", action="store_true", help="print only JSON lines, unchanged")


def _fill_nothing(_: argparse.ArgumentParser) -> None:
    pass


Run = Callable[[Emulator, argparse.Namespace], bool]
Fill = Callable[[argparse.ArgumentParser], None]
COMMANDS: dict[str, tuple[str, Run, Fill]] = {
    "up": ("start it, or update the function's code", _up, _fill_up),
    "infra": ("deploy what the HTTP service needs, by Terraform", _infra, _fill_infra),
    "drop": ("upload images and wait for the results", _drop, _fill_drop),
    "batch-demo": (
        "upload a job of 5 × 20 images, and show its rows",
        _batch_demo,
        _fill_batch_demo,
    ),
    "logs": ("follow the function's log", _logs, _fill_logs),
    "redrive": ("send the dead letters back to the queue", _redrive, _fill_nothing),
    "status": ("print its address and the lengths of its queues", _status, _fill_nothing),
    "down": ("stop it and delete its files", _down, _fill_nothing),
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.local_aws", description="A local AWS to try the function in."
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
            help=f"folder for its files (default: {STATE} in the repository)",
        )
        command.set_defaults(run=run)
    return parser


def _with_variables(words: Sequence[str]) -> list[str]:
    """Replace ``--variables "IMG CROP"`` with flags that hold the values of these variables."""
    if "--variables" not in words:
        return list(words)
    at = words.index("--variables")
    names = [name for name in words[at + 1].split() if name not in NOT_OF_A_RECIPE]
    _refuse_unknown(names)
    return [
        *words[:at],
        *(f"--{name}={os.environ.get(name, '')}" for name in names),
        *words[at + 2 :],
    ]


def _refuse_unknown(names: Sequence[str]) -> None:
    """End with a usage error if a make variable is neither a key of a recipe nor a flag."""
    keys = (key.name.upper().replace("-", "_") for key in KEYS)
    known = [*keys, "SECONDS", "WORKFLOW", "OPERATIONS"]
    for name in names:
        if name.upper().replace("-", "_") not in known:
            near = get_close_matches(name.upper(), known, n=1)
            meant = f", did you mean {near[0]}?" if near else "."
            say(f"local AWS: {name}: unknown{meant} Known: {', '.join(sorted(known))}")
            raise SystemExit(USAGE)


def _with_flags(words: Sequence[str]) -> list[str]:
    """Turn names of make variables into flags, except after ``--``."""
    end = words.index("--") if "--" in words else len(words)
    return [*map(_flag, words[:end]), *words[end:]]


def _flag(word: str) -> str:
    """Turn ``--SMART_CROP=64,64`` into ``--smart-crop=64,64``."""
    if not word.startswith("--"):
        return word
    name, equals, value = word.partition("=")
    return name.lower().replace("_", "-") + equals + value


def _yes(text: str) -> bool:
    if text.lower() not in ("1", "yes", "true", "0", "no", "false"):
        raise argparse.ArgumentTypeError(f"{text!r} should be 1 or 0")
    return text.lower() in ("1", "yes", "true")


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
