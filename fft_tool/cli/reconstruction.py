"""The reconstruct command: which records it is given, and where the images go."""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from fft_tool.cli import targets
from fft_tool.cli.messages import Faults
from fft_tool.cli.output import print_line, say
from fft_tool.errors import (
    AmbiguousSources,
    ChangedArtifact,
    FftToolError,
    LimitExceeded,
    NotAllowed,
    NotFound,
    UsageError,
)
from fft_tool.limits import Limits
from fft_tool.printable import printable
from fft_tool.results import record as records
from fft_tool.results.naming import EXTENSIONS
from fft_tool.results.reconstruct import Reconstruction, reconstruct
from fft_tool.runs import interrupts
from fft_tool.runs.fetch import read_within
from fft_tool.runs.machine import usable_cores
from fft_tool.runs.reading import SUFFIX, record_names
from fft_tool.runs.sources import followed
from fft_tool.stores.base import Store, as_folder
from fft_tool.stores.folder import is_file, is_folder

_SPECTRUM = f"_spectrum.{EXTENSIONS['spectrum']}"
_FAILED, _USAGE = 1, 2


@dataclass(frozen=True, slots=True)
class Access:
    """How this command reaches stores and files: what it shares with the other commands."""

    store: Callable[[str], Store]
    file: Callable[[str], tuple[Store, str]]
    write: Callable[[str, bytes, str], None]
    message: Callable[[str, FftToolError], str]
    limits: Limits


@dataclass(frozen=True, slots=True)
class Given:
    """A record or saved spectrum: its ``name`` in a store, and its ``location`` for messages.

    ``image`` is the name of the reconstructed image below the output folder. ``link`` is where
    ``location`` leads if it is a symbolic link; the artifacts are beside the link.
    """

    location: str
    store: Store
    name: str
    image: str
    link: Path | None = None


def reconstruct_all(options: argparse.Namespace, access: Access) -> int:
    """Reconstruct every image that the options name; return the exit code."""
    _check_output(options)
    one_file = _is_one_file(options.output)
    faults = Faults()
    if one_file and (len(options.inputs) > 1 or _is_folder(options.inputs[0])):
        raise UsageError(f"-o {options.output} takes one record: name a folder for several images")
    given = _find(options.inputs, access, faults)
    _refuse_shared_names(given)
    return max(
        [faults.exit_code, *(_one(each, options, access, one_file=one_file) for each in given)]
    )


def _check_output(options: argparse.Namespace) -> None:
    output = options.output
    if not output or output.startswith("memory:"):
        raise UsageError(f"-o {output!r}: should be a PNG file, a folder, s3://bucket/prefix or -")
    if options.json and output == "-":
        raise UsageError("--json and -o - both write to standard output: name a file or a folder")
    ending = PurePosixPath(output).suffix
    if _is_one_file(output) and ending.lower().removeprefix(".") in targets.FILES - {"png"}:
        raise UsageError(
            f"-o {output}: images are written as PNG, "
            f"for instance {output.removesuffix(ending)}.png"
        )


def _is_one_file(output: str) -> bool:
    return targets.is_one_file(output) or ("://" not in output and is_file(Path(output)))


def _find(arguments: Iterable[str], access: Access, faults: Faults) -> list[Given]:
    """Find the records that are named, and those in folders that are named."""
    found: dict[str, Given] = {}  # by location, so that duplicates are dropped
    for argument in arguments:
        try:
            if _is_folder(argument):
                given = _in_folder(argument, access, faults)
            else:
                given = [_named(argument, access)]
        except FftToolError as exc:
            faults(exc, argument)
        else:
            found |= {as_folder(each.store.url) + each.name: each for each in given}
    return list(found.values())


def _is_folder(argument: str) -> bool:
    if "://" in argument:
        return not argument.endswith((".json", ".npz"))
    return argument.endswith("/") or is_folder(Path(argument))


def _named(argument: str, access: Access) -> Given:
    store, name = access.file(argument)
    link = None if "://" in argument else followed(Path(argument))
    return Given(argument, store, name, _image_name(name), link)


def _in_folder(argument: str, access: Access, faults: Faults) -> list[Given]:
    store = access.store(argument)
    names = record_names(store, faults)
    if not names:
        raise NotFound(f"{argument}: no records found: analyse with --metadata first")
    return [Given(as_folder(argument) + name, store, name, _image_name(name)) for name in names]


def _image_name(name: str) -> str:
    """Name of the image that is reconstructed from a record or a saved spectrum.

    >>> _image_name("plants/leaf_metadata.json"), _image_name("photo.jpg_spectrum.npz")
    ('plants/leaf.png', 'photo.jpg.png')
    """
    for suffix in (SUFFIX, _SPECTRUM):
        if name.endswith(suffix):
            return f"{name.removesuffix(suffix)}.png"
    return str(PurePosixPath(name).with_suffix(".png"))


def _refuse_shared_names(given: Sequence[Given]) -> None:
    owners: dict[str, Given] = {}
    for each in given:
        other = owners.setdefault(each.image, each)
        if other is not each:
            raise AmbiguousSources(
                f"{other.location} and {each.location} would both be written as {each.image}: "
                "name their common folder, or take them one at a time"
            )


def _one(given: Given, options: argparse.Namespace, access: Access, *, one_file: bool) -> int:
    """Reconstruct one image, and report on it; return the exit code."""
    interrupts.check()
    place = options.output if one_file else as_folder(options.output) + given.image
    try:
        result = _reconstructed(given, options, access)
        _refuse_source(place, result, access)
        access.write(place, result.data, "image/png")
    except FftToolError as exc:
        message = access.message(given.location, exc)
        if isinstance(exc, ChangedArtifact):
            message += "; --force uses it nevertheless"
        say(message)
        if options.json:
            error = {"code": exc.code, "message": str(exc)}
            print_line(json.dumps({"input": given.location, "output": None, "error": error}))
        return _USAGE if isinstance(exc, UsageError) else _FAILED
    for warning in result.warnings:
        say(f"warning: {given.location}: {warning}")
    if options.json:
        told = {"input": given.location, "output": place, "error": None, **result.to_json()}
        print_line(json.dumps(told))
    elif not one_file and not options.quiet:
        print_line(printable(place))
    return 0


def _reconstructed(given: Given, options: argparse.Namespace, access: Access) -> Reconstruction:
    folder = given.name[: given.name.rfind("/") + 1]
    own = given.name[len(folder) :]

    def read(name: str) -> bytes:
        most = records.LONGEST if name.endswith(".json") else access.limits.max_bytes
        limits = replace(access.limits, max_bytes=most)
        if name == own and given.link:
            store, key = access.file(str(given.link))
            return read_within(store, key, limits)
        return read_within(given.store, folder + name, limits)

    return reconstruct(
        own,
        read,
        way=options.way,
        force=options.force,
        limits=access.limits,
        threads=usable_cores(),
    )


def _refuse_source(place: str, result: Reconstruction, access: Access) -> None:
    """Refuse to overwrite the source, which may hold more than its grey levels."""
    if place == "-" or result.source_sha256 is None:
        return
    if "://" not in place and not is_file(Path(place)):
        return
    try:
        store, name = access.file(place)
        there = read_within(store, name, access.limits)
    except (NotFound, NotAllowed, LimitExceeded):
        return
    if hashlib.sha256(there).hexdigest() == result.source_sha256 and there != result.data:
        raise UsageError(f"{place} is the source, which would be overwritten: choose another name")
