"""The function in this process: what it is called with, the store it meets, and what it writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

from fft_tool.recipe import Recipe
from fft_tool.runs.child import Child
from fft_tool.stores.base import Handle, Stat, Store
from fft_tool.stores.memory import MemoryStore
from handler.function import Function
from handler.settings import Settings
from tests.support.deliveries import SAMPLES, batch, direct, notification
from tests.support.runtime_api import strict_json

NAMES = tuple(sorted(path.stem for path in SAMPLES.glob("*.json")))
BUCKET = "herbarium-scans"  # the one that all samples speak of
FUNCTION = "spectra"
REQUEST = "8476a536-e9f4-11e8-9739-2dfe598c3fcd"

put = partial(notification, BUCKET)
call = partial(direct, BUCKET)
job = partial(batch, BUCKET)


class Context:
    """What Lambda gives with each event; a test may change what time is left."""

    aws_request_id = REQUEST
    function_name = FUNCTION

    def __init__(self, remaining: int = 60_000) -> None:
        self.remaining = remaining

    def get_remaining_time_in_millis(self) -> int:
        return self.remaining


class NotedStore(MemoryStore):
    """Objects in memory, and what was asked of them in ``calls``.

    ``meddle`` is told each call as it comes, ``write output/a.png``, before anything is done: it
    may change what is stored, or raise what a store raises. ``read`` is noted when an object is
    opened, ``fetch`` when its content is read.
    """

    def __init__(self, sources: Mapping[str, bytes] | None = None) -> None:
        super().__init__()
        for name, data in (sources or {}).items():
            super().write(name, data)
        self.calls: list[str] = []
        self.content_types: dict[str, str] = {}
        self.meddle: Callable[[str], None] = lambda _: None

    def upload(self, name: str, data: bytes, **metadata: str) -> None:
        """Write an object as somebody else would, without a note."""
        super().write(name, data, metadata=metadata)

    def outputs(self, prefix: str = "output") -> dict[str, bytes]:
        """All objects below a folder, by their names."""
        return {name: self.objects[name].data for name, _ in self.list(prefix)}

    def open(self, name: str) -> Handle:
        self._note(f"read {name}")
        return _NotedHandle(super().open(name), lambda: self.calls.append(f"fetch {name}"))

    def stat(self, name: str) -> Stat:
        self._note(f"stat {name}")
        return super().stat(name)

    def write(
        self,
        name: str,
        data: bytes,
        *,
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        self._note(f"write {name}")
        self.content_types[name] = content_type
        super().write(name, data, content_type=content_type, metadata=metadata)

    def _note(self, call: str) -> None:
        self.calls.append(call)
        self.meddle(call)


class _NotedHandle(Handle):
    def __init__(self, handle: Handle, note: Callable[[], None]) -> None:
        self._handle, self._note, self.stat = handle, note, handle.stat

    def read(self, most: int | None = None) -> bytes:
        self._note()
        return self._handle.read(most)

    def close(self) -> None:
        self._handle.close()


@cache
def child(threads: int = 1) -> Child:
    """The process that analyses images for all tests."""
    made = Child()
    made.prepare(Recipe(metadata=True), threads=threads)
    return made


def function(store: Store, **variables: str) -> Function:
    """The function with these settings; every bucket is ``store``."""
    return Function(Settings.from_environ(variables), child=child(), open_bucket=lambda *_: store)


def lines(written: bytes) -> list[dict[str, Any]]:
    """What the function has logged: JSON in the strict sense, an object on each line."""
    text = written.decode()
    assert not text or text.endswith("\n")
    return [strict_json(line) for line in text.split("\n")[:-1]]
