"""``fft-service``: serves, works and looks after a service; the environment holds its settings."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import NoReturn

import fft_tool
from fft_tool.errors import FftToolError, SettingsError
from fft_tool.printable import printable
from service.settings import Settings

OK, FAILED, USAGE, BUG, INTERRUPTED = 0, 1, 2, 70, 130

EPILOG = """\
The settings are environment variables, see docs/service.md. `fft-service serve` needs none on a
machine of your own: it listens on http://127.0.0.1:10000 and keeps everything in service_data/.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code.

    >>> main(["keys", "make", "--tenant", ""])
    2
    """
    options = _parser().parse_args(arguments)
    try:
        return int(options.command(options) or OK)
    except SettingsError as exc:
        _say("\n".join(["the settings are wrong:", *(f"  {fault}" for fault in exc.faults)]))
        return USAGE
    except FftToolError as exc:
        _say(str(exc))
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Nothing more can be written, not even when Python flushes its streams at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as exc:
        if options.debug:
            raise
        _say(f"this is a bug ({type(exc).__name__}: {exc}); please report it with --debug")
        return BUG


def script() -> NoReturn:
    """Run as a program."""
    sys.exit(main())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="fft-service", description="The HTTP service of fft-pipeline.", epilog=EPILOG
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {fft_tool.__version__}")
    parser.add_argument("--debug", action="store_true", help="show the traceback of a bug")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for name, command, text in (
        ("serve", _serve, "answer requests, and do the jobs unless WORKER=none"),
        ("worker", _worker, "do the jobs, in a process of its own"),
        ("sweep", _sweep, "find lost jobs and delete files that nothing refers to, once"),
        ("migrate", _migrate, "bring the tables of the database up to date"),
    ):
        commands.add_parser(name, help=text, description=f"{text}.").set_defaults(command=command)
    _add_keys(commands)
    _add_seed(commands)
    return parser


def _add_keys(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    text = "make, list and revoke the keys of tenants and administrators"
    keys = commands.add_parser("keys", help=text, description=f"{text}.")
    actions = keys.add_subparsers(title="actions", required=True, metavar="ACTION")
    make = actions.add_parser("make", help="make a key and print it, this once")
    whose = make.add_mutually_exclusive_group(required=True)
    whose.add_argument("--tenant", metavar="NAME", help="a key that is good for one tenant")
    whose.add_argument("--administrator", action="store_true", help="a key that is good for all")
    make.add_argument("--label", default="", metavar="TEXT", help="what the key is for")
    make.set_defaults(command=_make_key)
    actions.add_parser("list", help="list all keys").set_defaults(command=_list_keys)
    revoke = actions.add_parser("revoke", help="make a key invalid")
    revoke.add_argument("key", type=int, metavar="ID", help="number of the key in the list")
    revoke.set_defaults(command=_revoke_key)


def _add_seed(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    text = "upload the sample images to a running service, and wait for their jobs"
    seed = commands.add_parser("seed", help=text, description=f"{text}.")
    seed.add_argument("url", metavar="URL", help="address of the service: http://127.0.0.1:10000")
    seed.add_argument(
        "--images",
        type=Path,
        default=Path("input_images"),
        metavar="FOLDER",
        help="folder of the images (default: %(default)s)",
    )
    seed.add_argument(
        "--tenant", default="samples", metavar="NAME", help="whose images (default: %(default)s)"
    )
    seed.add_argument("--key", metavar="KEY", help="key of that tenant, or of an administrator")
    seed.set_defaults(command=_seed)


def _settings() -> Settings:
    return Settings.from_environ(os.environ)


def _serve(_: argparse.Namespace) -> None:
    settings = _settings()
    from service.log import log_to  # noqa: PLC0415  (help needs no libraries)
    from service.serving import serve  # noqa: PLC0415  (as above)

    log_to(sys.stderr)
    serve(settings)


def _worker(_: argparse.Namespace) -> None:
    settings = _settings()
    from service.jobs.worker import run_worker  # noqa: PLC0415  (as above)
    from service.log import log_to  # noqa: PLC0415  (as above)
    from service.parts import make_parts  # noqa: PLC0415  (as above)
    from service.work import WORK  # noqa: PLC0415  (as above)

    log_to(sys.stderr)
    with closing(make_parts(settings)) as parts:
        run_worker(parts, WORK)


def _sweep(_: argparse.Namespace) -> None:
    from service.jobs.sweep import sweep  # noqa: PLC0415  (as above)
    from service.parts import make_parts  # noqa: PLC0415  (as above)

    with closing(make_parts(_settings())) as parts:
        _write(str(sweep(parts)))


def _migrate(_: argparse.Namespace) -> None:
    from service.database.engine import Database  # noqa: PLC0415  (as above)

    with closing(Database.open(_settings().database_url)) as database:
        database.migrate()
        _write(f"{database.place}: the tables are up to date")


def _make_key(options: argparse.Namespace) -> None:
    from service.keys import make_key  # noqa: PLC0415  (as above)
    from service.parts import make_parts  # noqa: PLC0415  (as above)

    with closing(make_parts(_settings())) as parts:
        _write(make_key(parts, options.tenant, options.label))
    _say("keep it well: it is not shown again")


def _list_keys(_: argparse.Namespace) -> None:
    from service.keys import list_keys  # noqa: PLC0415  (as above)
    from service.parts import make_parts  # noqa: PLC0415  (as above)

    with closing(make_parts(_settings())) as parts:
        for key in list_keys(parts):
            whose = "administrator" if key.tenant is None else f"tenant {key.tenant}"
            state = f"revoked {key.revoked_at:%Y-%m-%d %H:%M}" if key.revoked_at else "valid"
            made = f"made {key.created_at:%Y-%m-%d %H:%M}"
            words = (str(key.key_id), whose, state, made, printable(key.label))
            _write("\t".join(words).rstrip())


def _revoke_key(options: argparse.Namespace) -> None:
    from service.keys import revoke_key  # noqa: PLC0415  (as above)
    from service.parts import make_parts  # noqa: PLC0415  (as above)

    with closing(make_parts(_settings())) as parts:
        revoke_key(parts, options.key)
    _write(f"key {options.key} is not valid any more")


def _seed(options: argparse.Namespace) -> int:
    from service.samples import images_in  # noqa: PLC0415  (as above)
    from service.seed import seed  # noqa: PLC0415  (as above)

    states = []
    for seeded in seed(options.url, images_in(options.images), options.tenant, options.key):
        _write(str(seeded))
        states.append(seeded.state)
    failed = states.count("failed")
    _write(f"{len(states) - failed} done, {failed} failed")
    return FAILED if failed else OK


def _write(line: str) -> None:
    print(line, flush=True)  # noqa: T201  (what the command was asked for)


def _say(message: str) -> None:
    for line in message.splitlines():
        print(f"fft-service: {printable(line)}", file=sys.stderr)  # noqa: T201  (for the operator)
