"""Settings from the environment, validated together when the function starts.

The table of variables is their only list: parsing, messages and documentation are based on it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from fft_tool.admission import largest_output
from fft_tool.errors import RecipeError, RecipeFault, SettingsError
from fft_tool.limits import FORMATS, MIB, Limits, parse_formats
from fft_tool.mask_files import no_masks, resolve_masks
from fft_tool.recipe import KEYS, Recipe, key_name
from fft_tool.results.outputs import output_kinds
from fft_tool.stores.opening import BUCKET_NAME
from fft_tool.variables import Variable, read, whole
from handler.patience import MB_PER_CPU

OWN_MEMORY = 32 * MIB  # used by the function's own process, without the child that holds the images

# Names that begin so belong to functions of their own, whose settings are in another module.
PARTS = ("FFT_BATCHES",)

EVERY_KEY = "*"  # value of FFT_METADATA_KEYS that allows all keys

# Metadata that other tools set on objects that they upload.
FOREIGN_METADATA = (
    "mtime,ctime,atime,mode,uid,gid,btime,"  # rclone, s3fs
    "md5chksum,content-md5,sha256,"  # rclone, copies with a checksum
    "s3cmd-attrs,s3b-last-modified,"  # s3cmd, S3 Browser
    "file-*,user-agent*,codebuild-*,"  # DataSync, Storage Gateway, CodeBuild
    "x-amz-*,original-filename,filename"  # client-side encryption, web uploads
)


def folder(text: str) -> str:
    """Parse a folder; the result ends in a slash, unless it is empty."""
    found = text.rstrip("/") + "/" if text else ""
    plain = text.isprintable() and "//" not in text and not text.startswith("/")
    if not plain or len(found.encode()) > 512:
        raise ValueError("should be a folder such as input/, or folders such as scans/raw/")
    return found


def _recipe(text: str) -> Recipe:
    try:
        return accepted(Recipe.parse_text(text, Recipe(metadata=True)))
    except RecipeError as exc:
        raise ValueError(str(exc)) from exc


def _globs(text: str) -> tuple[str, ...]:
    globs = tuple(word.strip().lower() for word in text.split(",") if word.strip())
    for glob in globs:
        hidden = [key.name for key in KEYS if fnmatchcase(key.name, glob)]
        if hidden:
            raise ValueError(f"{glob!r} should not match keys of the recipe: {', '.join(hidden)}")
    return globs


def _metadata_keys(text: str) -> frozenset[str]:
    known = {key.name for key in KEYS}
    keys = {word.strip().lower() for word in text.split(",") if word.strip()}
    if text.strip() == EVERY_KEY:
        return frozenset(known)
    unknown = sorted(keys - known)
    if unknown:
        raise ValueError(
            f"should be {EVERY_KEY} for all, or keys of the recipe separated by commas; "
            f"unknown: {', '.join(unknown)}; known: {', '.join(sorted(known))}"
        )
    return frozenset(keys)


def _output_bytes(text: str) -> int | None:
    return whole(1, 10**12 - 1)(text) if text else None


def _bucket(text: str) -> frozenset[str]:
    names = _buckets(text)
    if len(names) > 1:
        raise ValueError("should be the name of one bucket; several belong in FFT_BUCKETS")
    return names


def _buckets(text: str) -> frozenset[str]:
    names = frozenset(name.strip() for name in text.split(",") if name.strip())
    strange = sorted(name for name in names if not BUCKET_NAME.fullmatch(name))
    if strange or (text and not names):
        raise ValueError("should be names of buckets separated by commas, not ARNs or URLs")
    return names


def _namespace(text: str) -> str:
    if not re.fullmatch(r"(?!:)[A-Za-z0-9_.#:/-]{1,255}", text) or text.startswith("AWS/"):
        raise ValueError(
            "should be 1 to 255 letters, digits and ._#:/- and not begin with : or AWS/"
        )
    return text


VARIABLES = (
    Variable(
        "FFT_INPUT_PREFIX",
        "input_prefix",
        "input/",
        folder,
        "folder of the sources; subfolders are kept in the output",
    ),
    Variable("FFT_OUTPUT_PREFIX", "output_prefix", "output/", folder, "folder of the results"),
    Variable(
        "FFT_WORKFLOW_PREFIX",
        "workflow_prefix",
        "workflow/",
        folder,
        "folder of the bucket whose images go through the workflow",
    ),
    Variable(
        "FFT_RECIPE",
        "recipe",
        "",
        _recipe,
        "default recipe, for keys that an object's metadata does not set: `bits=16 window=hann`",
    ),
    Variable(
        "FFT_MAX_PIXELS",
        "max_pixels",
        str(Limits().max_pixels),
        whole(1, 10**10),
        "largest accepted image, in pixels; the function's memory may limit it further",
    ),
    Variable(
        "FFT_FORMATS",
        "formats",
        ",".join(FORMATS),
        parse_formats,
        "accepted formats, detected by content, separated by commas",
    ),
    Variable(
        "FFT_FOREIGN_METADATA",
        "foreign_metadata",
        FOREIGN_METADATA,
        _globs,
        "metadata of other tools, to be ignored; any other unknown key is an error",
    ),
    Variable(
        "FFT_METADATA_KEYS",
        "metadata_keys",
        EVERY_KEY,
        _metadata_keys,
        "keys of the recipe that an object's metadata may set; *: all; empty: none",
    ),
    Variable(
        "FFT_MAX_OUTPUT_BYTES",
        "max_output_bytes",
        "",
        _output_bytes,
        "largest total size of the outputs of one source, in bytes; empty: what an image of "
        "FFT_MAX_PIXELS takes with FFT_RECIPE",
    ),
    Variable(
        "FFT_BUCKET",
        "bucket",
        "",
        _bucket,
        "the bucket that events may name; if both this and FFT_BUCKETS are empty: any",
    ),
    Variable(
        "FFT_BUCKETS",
        "several_buckets",
        "",
        _buckets,
        "the buckets that events may name, if there are several",
    ),
    Variable(
        "FFT_METRICS_NAMESPACE",
        "namespace",
        "fft-pipeline",
        _namespace,
        "CloudWatch namespace of the metrics",
    ),
    Variable(
        "FFT_RESERVE_MS",
        "reserve_ms",
        "2000",
        whole(100, 800_000),
        "milliseconds reserved at the end of an invocation; no step is started in them",
    ),
)

FOLDERS = ("input", "output", "workflow")  # of the bucket; none may be inside another

# Set by Lambda itself; without it, memory is not limited.
MEMORY = Variable(
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "memory_mb",
    "0",
    whole(0, 1 << 20),
    "the function's memory in MB",
)


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of the function. Prefixes end in ``/``; ``memory_mb`` 0 means no limit."""

    input_prefix: str
    output_prefix: str
    workflow_prefix: str
    recipe: Recipe
    max_pixels: int
    formats: tuple[str, ...]
    foreign_metadata: tuple[str, ...]
    metadata_keys: frozenset[str]
    max_output_bytes: int | None
    bucket: frozenset[str]
    several_buckets: frozenset[str]
    namespace: str
    reserve_ms: int
    memory_mb: int

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        """Read the settings; :class:`SettingsError` reports all faults at once."""
        values, wrong = read((*VARIABLES, MEMORY), environ)
        faults = [*_unknown(environ), *wrong, *_overlaps(values)]
        if values.get("bucket") and values.get("several_buckets"):
            faults.append("FFT_BUCKET and FFT_BUCKETS are both set: only one of them should be")
        if faults:
            raise SettingsError(faults)
        return cls(**values)

    @property
    def limits(self) -> Limits:
        """Limits for sources and outputs."""
        most = self.max_output_bytes
        if most is None:
            most = largest_output(self.max_pixels, self.recipe, output_kinds(self.recipe))
        return Limits(
            max_pixels=self.max_pixels,
            max_memory=self.child_memory,
            formats=self.formats,
            max_output_bytes=most,
        )

    @property
    def buckets(self) -> frozenset[str]:
        """Buckets that events may name; empty if any bucket is allowed."""
        return self.bucket | self.several_buckets

    def threads(self, cores: int) -> int:
        """Number of threads: one for each vCPU that the memory setting pays for."""
        paid = -(-self.memory_mb // MB_PER_CPU) or cores
        return max(1, min(cores, paid))

    def limits_beside(self, size: int) -> Limits:
        """Limits for the child while the function's own process holds ``size`` bytes."""
        limits, memory = self.limits, self.child_memory
        return replace(limits, max_memory=memory and max(1, memory - size))

    @property
    def child_memory(self) -> int | None:
        """Bytes that the child may use; None means no limit."""
        return max(1, self.memory_mb * MIB - OWN_MEMORY) if self.memory_mb else None

    @property
    def processors(self) -> float:
        """Share of one vCPU that the memory setting pays for, at most 1."""
        return min(1.0, self.memory_mb / MB_PER_CPU) if self.memory_mb else 1.0

    def recipe_of(self, metadata: Mapping[str, str], overrides: Mapping[str, Any]) -> Recipe:
        """Recipe of one object: the defaults, overridden by its metadata, then by the event."""
        own = self.own_metadata(metadata)
        self.check_allowed(own)
        return accepted(Recipe.parse(overrides, base=Recipe.parse(own, base=self.recipe)))

    def own_metadata(self, metadata: Mapping[str, str]) -> dict[str, str]:
        """Metadata of an object without that of other tools."""
        return {key: text for key, text in metadata.items() if not self._is_foreign(key)}

    def check_allowed(self, metadata: Mapping[str, Any]) -> None:
        """Refuse keys that metadata may not set; the recipe's parser refuses unknown keys."""
        withheld = {key.name for key in KEYS} - self.metadata_keys
        rule = "may not be set by an object's metadata here (FFT_METADATA_KEYS)"
        faults = [
            RecipeFault(name, str(text), rule)
            for key, text in metadata.items()
            if (name := key_name(key)) in withheld
        ]
        if faults:
            raise RecipeError(faults)

    def _is_foreign(self, key: str) -> bool:
        return any(fnmatchcase(key.lower(), glob) for glob in self.foreign_metadata)


def accepted(recipe: Recipe) -> Recipe:
    """Refuse a recipe without a record, the only trace of a rejection here, or with a mask."""
    if not recipe.metadata:
        raise RecipeError(
            [RecipeFault("metadata", "no", "should be yes: the record states the outcome")]
        )
    return resolve_masks(recipe, no_masks)


def _unknown(environ: Mapping[str, str]) -> list[str]:
    known = {variable.name for variable in VARIABLES}
    return [
        f"{name}={environ[name]!r}: unknown setting; known: {', '.join(sorted(known))}"
        for name in sorted(environ)
        if name.startswith("FFT_") and not name.startswith(PARTS) and name not in known
    ]


def _overlaps(values: Mapping[str, Any]) -> list[str]:
    """Report folders that overlap: results would be taken for sources, or uploads used twice."""
    given = {name: values[f"{name}_prefix"] for name in FOLDERS if f"{name}_prefix" in values}
    overlapping = [
        f"FFT_{name.upper()}_PREFIX={folder!r}"
        for name, folder in given.items()
        if any(
            folder.startswith(other) or other.startswith(folder)
            for another, other in given.items()
            if another != name
        )
    ]
    if not overlapping:
        return []
    both = " and ".join(overlapping)
    what = "results would be taken for sources, or uploads processed twice"
    return [f"{both} overlap: {what}; should be separate folders"]
