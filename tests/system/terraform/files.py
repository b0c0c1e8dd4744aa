"""The Terraform files as data: blocks, read with python-hcl2."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import hcl2

FOLDER = Path(__file__).resolve().parents[3] / "terraform"

Json = dict[str, Any]


@dataclass(frozen=True)
class Block:
    """One top-level block; expressions are unevaluated text in ``${…}``."""

    kind: str
    labels: tuple[str, ...]
    body: Json
    file: str

    @property
    def address(self) -> str:
        """Terraform's address of the block."""
        return ".".join(self.labels if self.kind == "resource" else (self.kind, *self.labels))


@cache
def blocks(folder: Path = FOLDER, pattern: str = "*.tf") -> tuple[Block, ...]:
    """All blocks of a folder's files."""
    return tuple(
        block
        for path in sorted(folder.glob(pattern))
        for block in read(path.read_text("utf-8"), path.name)
    )


def read(text: str, name: str = "text") -> Iterator[Block]:
    """Blocks of one file."""
    for kind, found in plain(hcl2.loads(text)).items():
        for block in found:
            labels = []
            count = {"resource": 2, "data": 2, "locals": 0, "terraform": 0}.get(kind, 1)
            for _ in range(count):
                ((label, block),) = block.items()  # noqa: PLW2901  (unwraps one label at a time)
                labels.append(label)
            yield Block(kind, tuple(labels), block, name)


def plain(value: Any) -> Any:
    """The output of python-hcl2 without its quotes, markers and comments."""
    if isinstance(value, dict):
        entries = ((plain(key), plain(inner)) for key, inner in value.items())
        return {key: inner for key, inner in entries if not key.startswith("__")}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    if isinstance(value, str) and len(value) > 1 and value[0] == value[-1] == '"':
        return value[1:-1]
    return value


def blocks_of(kind: str, *labels: str) -> list[Block]:
    """Blocks of a kind, optionally of one type and name."""
    return [
        block for block in blocks() if block.kind == kind and block.labels[: len(labels)] == labels
    ]


def resource(*labels: str) -> Json:
    """Body of the one resource with these labels."""
    (block,) = blocks_of("resource", *labels)
    return block.body


def text(value: str) -> str:
    """A text or heredoc as one line."""
    heredoc = re.fullmatch(r"<<-?(\w+)\n(.*)\n\s*\1", value, re.DOTALL)
    return " ".join((heredoc[2] if heredoc else value).split())
