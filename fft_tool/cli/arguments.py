"""The arguments of every command."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any, NoReturn

from fft_tool import __version__
from fft_tool.limits import FORMATS, parse_formats
from fft_tool.printable import printable

_READING = ("frame", "range")  # keys of the recipe that say how a file is read
_LONGEST_TIMEOUT = 86_400.0  # seconds


EPILOG = """examples:
  fft-tool analyze scans/ -o out --bits 16 --metadata
  fft-tool reconstruct out/leaf_metadata.json -o leaf.png
  fft-tool filter striped.png --filter stripe:90 -o out
  fft-tool stats scans/*.png --json
  fft-tool report out --sources scans -o out/index.html

Inputs are files, folders, globs, - (standard input) and s3://bucket/prefix;
AWS_ENDPOINT_URL is honoured. Exit code: 0 all done, 1 something failed (the rest
is done), 2 wrong usage, 70 a bug, 130 interrupted.
"""


class Parser(argparse.ArgumentParser):
    """A parser that complains of names of files, as a shell's ``*`` gives them, printably."""

    def error(self, message: str) -> NoReturn:
        """Tell what is wrong, and exit."""
        super().error(printable(message))


def make_parser(only: str | None = None) -> argparse.ArgumentParser:
    """Build the parser; with ``only``, the options of that command alone, which is faster."""
    parser = Parser(
        prog="fft-tool",
        description="2-D Fourier analysis of images.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"fft-tool {__version__}")
    subparsers = parser.add_subparsers(title="commands", dest="command", required=True)
    for name, (summary, fill) in COMMANDS.items():
        command = subparsers.add_parser(name, help=summary, description=f"{summary}.")
        if only not in COMMANDS or only == name:
            fill(command)
            command.add_argument("--debug", action="store_true", help="show tracebacks of bugs")
    return parser


def _add_recipe(parser: argparse.ArgumentParser, *names: str) -> None:
    """Add the recipe's keys as flags: all of them, or those named."""
    from fft_tool.recipe import KEYS  # noqa: PLC0415

    group = parser.add_argument_group("recipe")
    for key in KEYS:
        if names and key.name not in names:
            continue
        default = key.value_type.format(key.default)
        text = f"{key.help} (default: {default})".replace("%", "%%")
        if key.value_type.flag:
            action: Any = argparse.BooleanOptionalAction
            group.add_argument(f"--{key.name}", action=action, help=text)
        else:
            metavar = "|".join(key.value_type.choices) or key.value_type.metavar
            group.add_argument(f"--{key.name}", metavar=metavar, help=text)


def _add_frames(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--frames",
        choices=("all",),
        help="analyse each frame or page on its own, as NAME_p0001, NAME_p0002, …",
    )


def _add_inputs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "inputs", nargs="+", metavar="IMG", help="file, folder, glob, - or s3://bucket/prefix"
    )
    limits = _add_limits(parser)
    limits.add_argument(
        "--formats",
        type=_formats,
        metavar="NAMES",
        help=f"formats that are accepted, told by content (default: {','.join(FORMATS)})",
    )
    limits.add_argument(
        "--timeout", type=_seconds, metavar="S", help="most seconds of work on an image"
    )


def _add_limits(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    limits = parser.add_argument_group("limits")
    limits.add_argument("--max-pixels", type=_positive, metavar="N", help="largest image accepted")
    limits.add_argument(
        "--max-memory", type=_positive, metavar="MIB", help="most memory that an image may take"
    )
    return limits


def _add_batch(parser: argparse.ArgumentParser) -> None:
    _add_inputs(parser)
    _add_output(parser, "folder, s3://bucket/prefix, or - for one artifact")
    parser.add_argument(
        "--jobs", type=_positive, metavar="N", help="processes (default: one for each core)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line on stdout")
    parser.add_argument("--dry-run", action="store_true", help="check the inputs, write nothing")
    parser.add_argument("--quiet", action="store_true", help="print errors only")


def _add_output(parser: argparse.ArgumentParser, text: str) -> None:
    parser.add_argument("-o", "--output", required=True, metavar="OUT", help=text)


def _formats(text: str) -> tuple[str, ...]:
    try:
        return parse_formats(text)
    except ValueError as exc:
        raise argparse.ArgumentTypeError(f"{text!r} {exc}") from exc


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not 0 < seconds <= _LONGEST_TIMEOUT:
        raise argparse.ArgumentTypeError(f"{text!r} should be a number of seconds above 0")
    return seconds


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} should be a whole number above 0")
    return int(text)


def _fill_analyze(parser: argparse.ArgumentParser) -> None:
    _add_batch(parser)
    parser.add_argument(
        "--artifact",
        default="magnitude",
        metavar="KIND",
        help="which one -o - writes: magnitude, phase, crop, … (default: magnitude)",
    )
    parser.add_argument(
        "--skip-existing",
        action="store_true",
        help="leave out sources that have been analysed by the same recipe and version",
    )
    _add_frames(parser)
    _add_recipe(parser)


def _fill_crop(parser: argparse.ArgumentParser) -> None:
    _add_batch(parser)
    _add_frames(parser)
    _add_recipe(parser, *_READING, "crop", "smart-crop", "channel", "background")


def _fill_filter(parser: argparse.ArgumentParser) -> None:
    _add_batch(parser)
    _add_frames(parser)
    _add_recipe(
        parser, "filter", *_READING, "crop", "smart-crop", "channel", "background", "precision"
    )


def _fill_stats(parser: argparse.ArgumentParser) -> None:
    _add_inputs(parser)
    parser.add_argument(
        "--jobs", type=_positive, metavar="N", help="processes (default: one for each core)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line on stdout")
    parser.add_argument("--quiet", action="store_true", help="print errors only")
    _add_frames(parser)
    _add_recipe(parser, *_READING, "crop", "smart-crop", "channel", "background", "threshold")


def _fill_reconstruct(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "inputs",
        nargs="+",
        metavar="RECORD",
        help="NAME_metadata.json, NAME_spectrum.npz, or a folder or store with records",
    )
    _add_output(parser, "PNG file or - for one image; folder or s3://bucket/prefix for any number")
    _add_limits(parser)
    parser.add_argument(
        "--from",
        dest="way",
        choices=("pictures", "spectrum"),
        help="which artifacts to use (default: the spectrum if it was saved)",
    )
    parser.add_argument(
        "--force", action="store_true", help="use artifacts that are not those that a record lists"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line on stdout")
    parser.add_argument("--quiet", action="store_true", help="print warnings and errors only")


def _fill_report(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("input", metavar="OUT", help="folder or store with records")
    parser.add_argument("--sources", metavar="DIR", help="folder or store of the sources, to show")
    parser.add_argument("--title", default="Spectra", help="heading of the page")
    _add_output(parser, "HTML file, s3://bucket/key, or -")


def _fill_table(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("input", metavar="OUT", help="folder or store with records")
    _add_output(parser, "file.csv, file.parquet, or - for CSV")


def _fill_upload(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("inputs", nargs="+", metavar="IMG", help="file, folder or glob")
    parser.add_argument("target", metavar="s3://BUCKET/PREFIX", help="where the images go")
    parser.add_argument("--quiet", action="store_true", help="print errors only")
    _add_recipe(parser)


def _fill_completion(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=("bash", "zsh", "tcsh"), help="which shell")


COMMANDS: dict[str, tuple[str, Callable[[argparse.ArgumentParser], None]]] = {
    "analyze": ("make the pictures, and on request the record, of images", _fill_analyze),
    "reconstruct": ("reconstruct images from their artifacts", _fill_reconstruct),
    "filter": ("filter images by frequency", _fill_filter),
    "crop": ("crop images, or find their salient region", _fill_crop),
    "stats": ("print pixel statistics", _fill_stats),
    "report": ("make one HTML page of any results", _fill_report),
    "table": ("gather records into CSV or Parquet", _fill_table),
    "upload": ("put images, with recipes as metadata, into a store", _fill_upload),
    "completion": ("print a completion script for a shell", _fill_completion),
}
