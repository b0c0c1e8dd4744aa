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
    """One block at the top of a file; expressions are text in ``${…}``, as they stand there."""

    kind: str
    labels: tuple[str, ...]
    body: Json
    file: str

    @property
    def address(self) -> str:
        """How Terraform names it."""
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
                ((label, block),) = block.items()  # noqa: PLW2901  (peeled like an onion)
                labels.append(label)
            yield Block(kind, tuple(labels), block, name)


def plain(value: Any) -> Any:
    """What python-hcl2 gives, without its quotes, marks and comments."""
    if isinstance(value, dict):
        entries = ((plain(key), plain(inner)) for key, inner in value.items())
        return {key: inner for key, inner in entries if not key.startswith("__")}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    if isinstance(value, str) and len(value) > 1 and value[0] == value[-1] == '"':
        return value[1:-1]
    return value


def all_of(kind: str, *labels: str) -> list[Block]:
    """Blocks of a kind, and of a type if that is given."""
    return [
        block for block in blocks() if block.kind == kind and block.labels[: len(labels)] == labels
    ]


def the(*labels: str) -> Json:
    """Body of the one resource with these labels."""
    (block,) = all_of("resource", *labels)
    return block.body


def text(value: str) -> str:
    """A text that may stand in a heredoc, as one line."""
    heredoc = re.fullmatch(r"<<-?(\w+)\n(.*)\n\s*\1", value, re.DOTALL)
    return " ".join((heredoc[2] if heredoc else value).split())
