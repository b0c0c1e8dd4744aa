"""Print the size that an image adds to its base, by layer and by package.

    python3 -m tools.image.size                      the function's image, by its default tag
    python3 -m tools.image.size REPOSITORY:TAG
    python3 -m tools.image.size image.tar            as written by ``docker save``

Sizes are in MB of unpacked files; ``packed`` is the gzip size, which a registry stores and Lambda
downloads.
"""

from __future__ import annotations

import json
import re
import sys
import tarfile
import zlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from tools.errors import ToolError
from tools.image.build import default_tag
from tools.image.builders import archived

FIRST = "compileall"  # occurs in the first instruction of the Dockerfile that adds to the base
PACKAGES = re.compile(r"opt/venv/lib/python3\.\d+/site-packages/(.+)")
LIBRARY = re.compile(r"usr/(local/)?lib/python3(\.\d+)?/")
DESCRIPTION = re.compile(r"([^/]+)-([^-/]+)\.dist-info/RECORD")
KINDS = {".so": "machine code", ".pyc": "bytecode"}


@dataclass
class Layer:
    """The result of one instruction: sizes in bytes by path."""

    made_by: str
    files: dict[str, int] = field(default_factory=dict)
    records: dict[str, str] = field(default_factory=dict)  # RECORD files of packages, by path
    packed: int = 0
    is_added: bool = True  # False for layers of the base

    @property
    def size(self) -> int:
        """Bytes in all files."""
        return sum(self.files.values())


@dataclass
class Part:
    """A package, or another group of files."""

    version: str = ""
    size: int = 0
    kinds: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, path: str, size: int) -> None:
        """Count a file."""
        self.size += size
        suffix = ".so" if ".so" in Path(path).suffixes else Path(path).suffix
        self.kinds[KINDS.get(suffix, "the rest")] += size


def read(archive: Path) -> list[Layer]:
    """Read the layers of an image, base first, from an archive made by ``docker save``."""
    with tarfile.open(archive) as image:
        (manifest,) = json.load(_member(image, "manifest.json"))
        config = json.load(_member(image, manifest["Config"]))
        made_by: list[str] = []
        below = None
        for entry in config["history"]:
            if FIRST in entry.get("created_by", ""):
                below = len(made_by)
            if not entry.get("empty_layer"):
                made_by.append(entry.get("created_by", ""))
        if below is None or len(made_by) != len(manifest["Layers"]):
            raise ToolError("this image was not built from docker/Dockerfile")
        return [
            _layer(_member(image, name), Layer(made_by[number], is_added=number >= below))
            for number, name in enumerate(manifest["Layers"])
        ]


def _member(image: tarfile.TarFile, name: str) -> IO[bytes]:
    found = image.extractfile(name)
    assert found is not None, name  # noqa: S101  (a file, in every such archive)
    return found


def _layer(packed: IO[bytes], layer: Layer) -> Layer:
    with tarfile.open(fileobj=packed) as entries:
        for entry in entries:
            if entry.isfile():
                layer.files[entry.name.removeprefix("./")] = entry.size
                if DESCRIPTION.search(entry.name):
                    layer.records[entry.name] = _member(entries, entry.name).read().decode()
    if layer.is_added:
        packed.seek(0)
        layer.packed = _packed(packed)
    return layer


def _packed(file: IO[bytes]) -> int:
    gzip = zlib.compressobj(6)
    blocks = iter(lambda: file.read(1 << 20), b"")
    return sum(len(gzip.compress(block)) for block in blocks) + len(gzip.flush())


def parts(layers: list[Layer]) -> dict[str, Part]:
    """Group the files by package or kind."""
    found: dict[str, Part] = defaultdict(Part)
    owners: dict[str, str] = {}  # by top-level name in site-packages
    for layer in layers:
        for path, record in layer.records.items():
            name, version = DESCRIPTION.findall(path)[0]
            found[name].version = version
            owners |= dict.fromkeys(_tops(record), name)
    for layer in layers:
        for path, size in layer.files.items():
            found[_part_of(path, owners)].add(path, size)
    return found


def _tops(record: str) -> Iterator[str]:
    """Top-level names in site-packages that a package has installed."""
    for line in record.splitlines():
        yield line.partition(",")[0].partition("/")[0]


def _part_of(path: str, owners: dict[str, str]) -> str:
    package = PACKAGES.fullmatch(path)
    if package:
        top, _, rest = package[1].partition("/")
        if top == "__pycache__":
            top = f"{rest.partition('.')[0]}.py"
        return owners.get(top, "other packages")
    if path.startswith("var/task/"):
        return "this project"
    return "the standard library, compiled" if LIBRARY.match(path) else "other files"


def report(layers: list[Layer]) -> Iterator[str]:
    """The tables, in Markdown."""
    base = [layer for layer in layers if not layer.is_added]
    added = [layer for layer in layers if layer.is_added]
    yield "| layer | MB | packed |"
    yield "| --- | ---: | ---: |"
    yield _row("the base image", base)
    for layer in added:
        if layer.size:
            yield _row(_shortened(layer.made_by), [layer])
    yield _row("**added to the base**", added)
    yield ""
    yield "| part | version | MB | machine code | bytecode | the rest |"
    yield "| --- | --- | ---: | ---: | ---: | ---: |"
    for name, part in sorted(parts(added).items(), key=lambda item: -item[1].size):
        kinds = (part.kinds[kind] for kind in (*KINDS.values(), "the rest"))
        cells = (name, part.version, *map(_mb, (part.size, *kinds)))
        yield f"| {' | '.join(cells)} |"


def _row(name: str, layers: list[Layer]) -> str:
    size, packed = (sum(getattr(layer, key) for layer in layers) for key in ("size", "packed"))
    return f"| {name} | {_mb(size)} | {_mb(packed)} |"


def _shortened(made_by: str) -> str:
    """An instruction of the Dockerfile, shortened for the table."""
    text = re.sub(r"^/bin/sh -c (#\(nop\) )?|# buildkit$|\w+:[0-9a-f]{64} in ", "", made_by)
    text = " ".join(text.replace("|", "/").split())
    return f"`{text[:60]}…`" if len(text) > 60 else f"`{text}`"


def _mb(size: int) -> str:
    return f"{size / 1e6:.1f}" if size else ""


def measure(image: str) -> list[Layer]:
    """Read the layers of an image in the builder's store, or of an archive."""
    with archived(image) as archive:
        return read(archive)


if __name__ == "__main__":
    try:
        print(*report(measure(*sys.argv[1:2] or [default_tag("lambda")])), sep="\n")
    except ToolError as exc:
        sys.exit(f"size.py: {exc}")
