"""The arguments of every command."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any

from fft_tool import __version__
from fft_tool.cli import values
from fft_tool.cli.parser import Parser, spelled
from fft_tool.limits import FORMATS
from fft_tool.spelling import british, did_you_mean

_READING = ("frame", "range")  # keys of the recipe that say how a file is read

EPILOG = """examples:
  fft-tool analyze scans/ -o out --bits 16 --metadata
  fft-tool reconstruct out/leaf_metadata.json -o leaf.png
  fft-tool process scans/ --operations destripe:90,sharpen -o out
  fft-tool filter striped.png --filter stripe:90 -o out
  fft-tool compare leaf.png leaf.jpg
  fft-tool stats scans/*.png --csv
  fft-tool radial leaf.png -o leaf.csv
  fft-tool batch job/ --batches 5 --images 20 -o stats.csv
  fft-tool report out --sources scans -o out/index.html

Inputs are files, folders, globs, - (standard input) and s3://bucket/prefix, at
AWS_ENDPOINT_URL if that is set. Exit code: 0 all done, 1 something failed (the
rest is done), 2 wrong usage, 70 a bug, 130 interrupted. American spellings of
flags and values are accepted too.
"""


def make_parser(only: str | None = None) -> Parser:
    """Build the parser; with ``only``, add the options of that command alone, which is faster."""
    parser = Parser(
        prog="fft-tool",
        usage="%(prog)s COMMAND [options]",
        description="2-D Fourier analysis of images.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"fft-tool {__version__}")
    subparsers = parser.add_subparsers(
        title="commands", dest="command", metavar="COMMAND", prog="fft-tool", required=True
    )
    parser.commands = {}
    for name, (summary, fill) in COMMANDS.items():
        command = subparsers.add_parser(name, help=summary, description=f"{summary}.")
        parser.commands[name] = command
        if only not in COMMANDS or only == name:
            fill(command)
            command.add_argument("--debug", action="store_true", help="show the traceback of a bug")
            command.shorten_usage()
    return parser


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Parse a command line; exits with code 2 if it is invalid."""
    words = spelled(words)
    if words[:1] == ["help"]:
        words = [*words[1:2], "--help"]
    name = british(words[0]) if words else ""
    parser = make_parser(only=name)
    if name in COMMANDS:
        parser.commands[name].check_flags(words[1:])
    elif name and not name.startswith("-"):
        near = did_you_mean(name, COMMANDS)
        parser.error(f"{words[0]!r} is not a command; known: {', '.join(COMMANDS)}{near}")
    options, unknown = parser.parse_known_args([name, *words[1:]] if words else words)
    if unknown:
        parser.commands[name].error(f"unexpected {' '.join(unknown)}")
    return options


def _add_recipe(parser: argparse.ArgumentParser, *names: str) -> None:
    """Add recipe keys as flags: all of them, or only ``names``."""
    from fft_tool.recipe import KEYS  # noqa: PLC0415  (not needed for --version)

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
        type=values.one_of("all"),
        metavar="all",
        help="analyse each frame or page on its own, as NAME_p0001, NAME_p0002, …",
    )


def _add_inputs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "inputs", nargs="+", metavar="IMG", help="file, folder, glob, - or s3://bucket/prefix"
    )
    _add_reading_limits(_add_limits(parser))


def _add_reading_limits(limits: argparse._ArgumentGroup) -> None:
    limits.add_argument(
        "--formats",
        type=values.formats,
        metavar="NAMES",
        help=f"accepted formats, detected from the content (default: {','.join(FORMATS)})",
    )
    limits.add_argument(
        "--timeout", type=values.seconds, metavar="S", help="time limit per image, in seconds"
    )


def _add_limits(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    limits = parser.add_argument_group("limits")
    limits.add_argument(
        "--max-pixels",
        type=values.positive,
        metavar="N",
        help="maximum number of pixels",
    )
    limits.add_argument(
        "--max-memory",
        type=values.size,
        metavar="SIZE",
        help="memory limit per image: 2GiB, 500MB, or a number of MiB",
    )
    return limits


def _add_batch(parser: argparse.ArgumentParser) -> None:
    _add_inputs(parser)
    _add_output(parser, "folder or s3://bucket/prefix; NAME.png or - for one artifact of one image")
    _add_jobs(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object per line")
    parser.add_argument("--dry-run", action="store_true", help="check the inputs, write nothing")
    parser.add_argument("--quiet", action="store_true", help="print errors only")


def _add_jobs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--jobs",
        type=values.positive,
        metavar="N",
        help="number of processes (default: one per core)",
    )


def _add_output(parser: argparse.ArgumentParser, text: str) -> None:
    parser.add_argument("-o", "--output", required=True, metavar="OUT", help=text)


def _fill_analyze(parser: argparse.ArgumentParser) -> None:
    _add_batch(parser)
    parser.add_argument(
        "--artifact",
        metavar="KIND",
        help="artifact to write with -o NAME.png or -o -: magnitude, phase, crop, … "
        "(default: magnitude)",
    )
    _add_skip_existing(parser)
    _add_frames(parser)
    _add_recipe(parser)


def _add_skip_existing(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--skip-existing",
        action="store_true",
        help="skip sources whose results exist, from the same recipe and version",
    )


def _fill_crop(parser: argparse.ArgumentParser) -> None:
    _add_batch(parser)
    _add_frames(parser)
    _add_recipe(parser, *_READING, "crop", "smart-crop", "channel", "background")


def _fill_filter(parser: argparse.ArgumentParser) -> None:
    _add_batch(parser)
    _add_frames(parser)
    _add_recipe(
        parser,
        *("filter", "offset", *_READING),
        *("crop", "smart-crop", "channel", "background", "precision"),
    )


def _fill_process(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--operations",
        required=True,
        metavar="LIST",
        help="operations in sequence, as in grayscale,blur:3,rotate:90",
    )
    _add_batch(parser)
    _add_skip_existing(parser)
    _add_recipe(parser)


def _fill_compare(parser: argparse.ArgumentParser) -> None:
    for name, letter in (("first", "A"), ("second", "B")):
        parser.add_argument(name, metavar=letter, help="image: file, - or s3://bucket/key")
    parser.add_argument(
        "--fit", action="store_true", help="scale images of different sizes down to a common one"
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="OUT",
        help="folder or s3://bucket/prefix for the record, a picture of the differences and a plot",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quiet", action="store_true", help="print errors only")
    _add_limits(parser)
    _add_recipe(parser, *_READING, "crop", "smart-crop", "channel", "background")


def _fill_stats(parser: argparse.ArgumentParser) -> None:
    _add_inputs(parser)
    _add_jobs(parser)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one JSON object per line")
    form.add_argument("--csv", action="store_true", help="print CSV, one line per channel")
    parser.add_argument("--quiet", action="store_true", help="print errors only")
    _add_frames(parser)
    _add_recipe(parser, *_READING, "crop", "smart-crop", "channel", "background", "threshold")


def _fill_radial(parser: argparse.ArgumentParser) -> None:
    _add_inputs(parser)
    _add_output(parser, "file.csv, s3://bucket/key.csv, or -")
    _add_jobs(parser)
    parser.add_argument("--quiet", action="store_true", help="print errors only")
    _add_frames(parser)
    _add_recipe(
        parser,
        *_READING,
        *("crop", "smart-crop", "channel", "background", "detrend", "window", "periodic"),
        *("precision", "pixel-size"),
    )


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
    parser.add_argument("input", metavar="OUT", help="folder or store that contains records")
    parser.add_argument("--sources", metavar="DIR", help="folder or store with the sources to show")
    parser.add_argument("--title", default="Spectra", help="heading of the page (default: Spectra)")
    parser.add_argument(
        "--split",
        action="store_true",
        help="give each image a page of its own, in a folder beside the page",
    )
    parser.add_argument("--quiet", action="store_true", help="print errors only")
    _add_output(parser, "HTML file, s3://bucket/key, or -")


def _fill_table(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("input", metavar="OUT", help="folder or store that contains records")
    _add_output(parser, "file.csv, file.parquet, or - for CSV")


def _fill_batch(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "input",
        metavar="JOB",
        help="folder or s3://bucket/prefix with the folders batch_1, batch_2, …",
    )
    shape = parser.add_argument_group("job")
    for name, count, what in (("batches", 5, "of the job"), ("images", 20, "of each batch")):
        shape.add_argument(
            f"--{name}",
            type=values.positive,
            metavar="N",
            help=f"number of {name} {what} (default: {count}, or as in its job.json)",
        )
    shape.add_argument(
        "--partial", action="store_true", help="count what is there although images are missing"
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="file.csv, file.parquet, or - for CSV"
    )
    parser.add_argument("--plot", metavar="PAGE", help="HTML file with plots, or -")
    parser.add_argument(
        "--database",
        metavar="URL",
        help="write the rows to sqlite:///FILE or postgresql://USER@HOST/NAME, too",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quiet", action="store_true", help="print errors only")
    _add_jobs(parser)
    _add_reading_limits(_add_limits(parser))
    _add_recipe(parser, *_READING, "crop", "smart-crop", "channel", "background", "threshold")


def _fill_upload(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("inputs", nargs="+", metavar="IMG", help="file, folder or glob")
    parser.add_argument("target", metavar="s3://BUCKET/PREFIX", help="store to upload to")
    parser.add_argument("--quiet", action="store_true", help="print errors only")
    _add_recipe(parser)


def _fill_backfill(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "input", metavar="s3://BUCKET/PREFIX", help="what to run over; or: status, to look at a run"
    )
    parser.add_argument("id", nargs="?", metavar="ID", help="run to look at, after status")
    parser.add_argument(
        "--engine",
        type=values.one_of("batch", "map", "dask"),
        default="map",
        metavar="NAME",
        help="batch (S3 Batch Operations), map (Distributed Map), dask (default: map)",
    )
    parser.add_argument(
        "--recipe",
        default="",
        metavar="TEXT",
        help='what to do, as "key=value key=value"; overrides the metadata of objects',
    )
    parser.add_argument(
        "--table",
        metavar="FILE",
        help="scan only, and gather one row for each image in a .parquet file or object",
    )
    parser.add_argument(
        "--skip-existing",
        action="store_true",
        help="leave out objects whose record has the same ETag, recipe and version",
    )
    parser.add_argument("--keys", metavar="FILE", help="run only these keys, one a line")
    parser.add_argument(
        "--failures",
        metavar="FILE",
        help="where to write the keys that failed (default: fft-backfill-RUN-failed.txt)",
    )
    parser.add_argument("--dry-run", action="store_true", help="print the estimate and stop")
    parser.add_argument("--yes", action="store_true", help="start without asking")
    parser.add_argument("--run", metavar="NAME", help="name of the run, to run the same again")
    parser.add_argument("--quiet", action="store_true", help="print errors only")
    _add_engines(parser)


def _add_engines(parser: argparse.ArgumentParser) -> None:
    where = parser.add_argument_group("engines")
    where.add_argument("--state-machine", metavar="ARN", help="what the engine map starts")
    where.add_argument("--function", metavar="ARN", help="what the engine batch invokes")
    where.add_argument("--role", metavar="ARN", help="what the engine batch runs as")
    where.add_argument(
        "--terraform", metavar="DIR", help="read these ARNs from the outputs of a deployment"
    )
    where.add_argument(
        "--concurrency", type=values.positive, metavar="N", help="invocations at a time (map)"
    )
    where.add_argument(
        "--per-invocation", type=values.positive, metavar="N", help="images in each (map, dask)"
    )
    where.add_argument("--cluster", metavar="URL", help="scheduler of the engine dask: tcp://…")
    where.add_argument("-o", "--output", metavar="OUT", help="where the engine dask writes results")


def _fill_completion(parser: argparse.ArgumentParser) -> None:
    shells = ("bash", "zsh", "fish")
    parser.add_argument(
        "shell", type=values.one_of(*shells), metavar="SHELL", help=", ".join(shells)
    )


COMMANDS: dict[str, tuple[str, Callable[[argparse.ArgumentParser], None]]] = {
    "analyze": ("make spectrum pictures of images and, on request, records", _fill_analyze),
    "reconstruct": ("reconstruct images from their artifacts", _fill_reconstruct),
    "process": ("apply operations to images, and compare before and after", _fill_process),
    "filter": ("filter images by frequency", _fill_filter),
    "crop": ("crop images, to a given or to the most salient region", _fill_crop),
    "compare": ("compare two images: PSNR, SSIM, hash, shift, resolution", _fill_compare),
    "stats": ("print pixel statistics", _fill_stats),
    "radial": ("write radial profiles of spectra as CSV", _fill_radial),
    "report": ("make an HTML page, or pages, of results", _fill_report),
    "table": ("collect records into CSV or Parquet", _fill_table),
    "batch": ("count black and white pixels of a job of batches", _fill_batch),
    "backfill": ("run the analysis over all that a bucket holds", _fill_backfill),
    "upload": ("upload images to a store, with the recipe as metadata", _fill_upload),
    "completion": ("print a completion script for a shell", _fill_completion),
}
