"""Sources and artifacts: named bytes that go into and come out of the pipeline."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property

from fft_tool import __version__
from fft_tool.recipe import Recipe
from fft_tool.results.formats import FORMATS
from fft_tool.validate import Json


@dataclass(frozen=True)
class Source:
    """A source image: its name within the store of sources, and its bytes.

    >>> source = Source("plants/forest.png", b"abc")
    >>> source.size, source.sha256[:8]
    (3, 'ba7816bf')

    ``page`` is set if each page of the file is analysed on its own: it is part of the names of the
    outputs. ``base`` is what their names begin with, if that is not derived from the source's name.
    """

    name: str
    data: bytes
    page: int | None = None
    base: str | None = None

    @cached_property
    def sha256(self) -> str:
        """Hash of the bytes, in hexadecimal."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def size(self) -> int:
        """Number of bytes."""
        return len(self.data)

    def at_page(self, page: int | None) -> Source:
        """Return one page of the same file, which is not hashed again."""
        other = replace(self, page=page)
        other.__dict__["sha256"] = self.sha256
        return other


@dataclass(frozen=True, slots=True)
class OversizedSource:
    """A source that was rejected for its size alone, before it was fetched."""

    name: str
    size: int
    sha256: None = None
    page: int | None = None
    base: str | None = None


@dataclass(frozen=True, slots=True)
class Remark:
    """What the person who asked for an artifact should know of it.

    ``key`` and ``value`` are those of the recipe that would help, and ``effect`` what they do.
    """

    text: str
    key: str = ""
    value: str = ""
    effect: str = ""


@dataclass(frozen=True, slots=True)
class Made:
    """Bytes of a file, what the record says of it beyond that, and remarks for people."""

    data: bytes
    details: Json | None = None
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True)
class Artifact:
    """One named output, such as the magnitude picture: its ``kind``, full ``name`` and bytes.

    ``details`` are what the record says of it beyond that, ``remarks`` are for people.

    >>> artifact = Artifact("magnitude", "plants/forest_magnitude.png", b"...")
    >>> artifact.content_type
    'image/png'
    """

    kind: str
    name: str
    data: bytes
    details: Json | None = None
    remarks: tuple[Remark, ...] = ()

    @property
    def content_type(self) -> str:
        """Media type of the bytes."""
        return FORMATS[self.name.rpartition(".")[2]].content_type

    @cached_property
    def sha256(self) -> str:
        """Hash of the bytes, in hexadecimal."""
        return hashlib.sha256(self.data).hexdigest()


def provenance(source: Source, recipe: Recipe) -> dict[str, str]:
    """Texts stored in every artifact: the program, the source and the recipe that it comes from."""
    return {
        "Software": f"fft-tool {__version__}",
        "Source-SHA256": source.sha256,
        "Recipe": str(recipe),
    }
