"""Interpretation of ``-o``: a folder or store for all results, or one file, pipe or device."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from fft_tool.errors import AmbiguousSources, NotFound, UsageError
from fft_tool.operations.naming import COMBINED
from fft_tool.recipe import KEYS
from fft_tool.results.naming import EXTENSIONS
from fft_tool.runs.sources import SourceRef
from fft_tool.spelling import did_you_mean
from fft_tool.stores.folder import is_file, is_folder
from fft_tool.stores.opening import open_store
from fft_tool.stores.special import is_special

STDOUT = "-"

# A name that ends in one of these is taken for a file rather than a folder.
_OTHERS = "bmp csv gif htm html jp2 jpeg jpg npy parquet pdf svg tif tiff tsv txt webp xlsx"
# Extensions of what can be written to one file.
_EXTENSIONS = {**EXTENSIONS, COMBINED: "png"}

FILES = {*EXTENSIONS.values(), *_OTHERS.split()}

# Artifacts requested by a flag of the same name.
_ASKED_FOR = {key.name for key in KEYS} & set(EXTENSIONS)

_BY_ENDING = {"json": "metadata", "npz": "spectrum"}


def is_stream(location: str) -> bool:
    """Whether ``-o`` names standard output, a pipe or a device, none of which has an ending."""
    return location == STDOUT or is_special(location)


def is_one_file(location: str) -> bool:
    """Whether ``-o`` names a single file, pipe or device rather than a folder."""
    if is_stream(location):
        return True
    return not _is_folder(location) and _ending(location) in FILES


def check_folder(location: str) -> None:
    """Raise an error if results cannot be written below ``location``."""
    if not location or location.startswith("memory:"):
        raise UsageError(f"-o {location!r}: should be a folder, s3://bucket/prefix, a file or -")
    if "://" in location:
        _check_store(location)
    elif is_file(Path(location)):
        raise UsageError(f"-o {location}: is a file, name a folder")


def check_file(location: str, *endings: str) -> None:
    """Raise an error if ``location`` does not name a file with one of these endings."""
    if is_stream(location):
        return
    if "://" in location:
        _check_store(location)
    first = f".{endings[0]}"
    if not location or _is_folder(location):
        raise UsageError(f"-o {location}: is a folder, name a file that ends in {first}")
    if _ending(location) not in ("", *endings):
        listed = " or ".join(f".{ending}" for ending in endings)
        raise UsageError(
            f"-o {location}: a file that ends in {listed} can be written, "
            f"for instance {_with_ending(location, endings[0])}"
        )


def chosen_kind(location: str, asked: str | None, wanted: Sequence[str]) -> str:
    """Choose which of the ``wanted`` kinds of artifact to write to a single file."""
    if asked is not None and asked not in EXTENSIONS:
        near = did_you_mean(asked, EXTENSIONS)
        raise UsageError(f"--artifact {asked}: should be one of {', '.join(EXTENSIONS)}{near}")
    default = "magnitude" if "magnitude" in wanted else wanted[0]
    kind = asked or _BY_ENDING.get(_ending(location), default)
    if kind not in wanted:
        made = f"there is no {kind} among the artifacts: {', '.join(wanted)}"
        remedy = f"; add --{kind}" if kind in _ASKED_FOR else ""
        raise UsageError(f"-o {location}: {made}{remedy}")
    extension = _EXTENSIONS[kind]
    if not is_stream(location) and _ending(location) != extension:
        raise UsageError(
            f"-o {location}: the {kind} is a .{extension} file: name it "
            f"{_with_ending(location, extension)}, or end the name in / to make a folder"
        )
    return kind


def refuse_overwriting_file(ref: SourceRef, location: str) -> None:
    """Raise an error if ``location`` is the source itself."""
    if ref.pipe or location == STDOUT:
        return
    same = str(ref) == location
    if "://" not in str(ref) + location:
        with contextlib.suppress(OSError):  # if one of them does not exist
            same = Path(str(ref)).samefile(location)
    if same:
        raise AmbiguousSources(f"-o {location} would overwrite the source")


def _check_store(location: str) -> None:
    try:
        open_store(location)
    except NotFound as exc:
        raise UsageError(f"-o {exc}") from exc


def _is_folder(location: str) -> bool:
    if location.endswith("/"):
        return True
    if "://" in location:
        return "/" not in location.partition("://")[2]  # a bucket
    return is_folder(Path(location))


def _ending(location: str) -> str:
    return PurePosixPath(location).suffix.removeprefix(".").lower()


def _with_ending(location: str, ending: str) -> str:
    return location.removesuffix(PurePosixPath(location).suffix) + f".{ending}"
