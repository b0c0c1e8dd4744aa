"""The function as it is deployed: a process of its own, a bucket, and a gateway between the two.

Its fixtures are in :mod:`tests.support.deployed_fixtures`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from PIL import Image

import fft_tool
from tests.support.cloud import Bucket
from tests.support.deliveries import direct, handed_back, notification, queued
from tests.support.gateway import Gateway
from tests.support.images import noise, pink_noise, png_bytes, saved
from tests.support.runtime import Function, strict_json

Json = dict[str, Any]

IMAGE = png_bytes(pink_noise((24, 32)))
OTHER = png_bytes(pink_noise((31, 17), seed=1))
SOURCES = {
    "forest.png": IMAGE,
    "plants/Wiesengrün 100%+😀.png": OTHER,
    "a/b/c/colour.png": png_bytes(noise((9, 8, 3), "uint16")),
    "photo.jpg": saved(Image.fromarray(noise((40, 30))), "JPEG"),
}
NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Deployed:
    """The function with its surroundings."""

    bucket: Bucket
    gateway: Gateway
    function: Function

    def upload(self, key: str, data: bytes = IMAGE, metadata: Mapping[str, str] = NOTHING) -> None:
        """Put a source, past the gateway."""
        self.bucket.put(key, data, **metadata)

    def send(self, event: Any, **options: float) -> Any:
        """Have an event answered that does not come to an error."""
        return self.function.invoke(event, **options).returned

    def do(self, key: str, **more: Any) -> Json:
        """Have one object done, at a caller's request."""
        document: Json = self.send(direct(self.bucket.name, key, **more))
        return document

    def outputs(self) -> dict[str, bytes]:
        """All that is below ``output/``, by name."""
        keys = [key for key in self.bucket.keys() if key.startswith("output/")]  # noqa: SIM118  (not a mapping)
        return {key.removeprefix("output/"): self.bucket.get(key) for key in keys}

    def outputs_of_all(self) -> dict[str, bytes]:
        """Upload all sources and have them done, as the queue brings them; what comes of it."""
        keys = [f"input/{name}" for name in SOURCES]
        for key, data in zip(keys, SOURCES.values(), strict=True):
            self.upload(key, data)
        assert handed_back(self.send(queued(notification(self.bucket.name, *keys)))) == []
        return self.outputs()

    def record(self, name: str) -> Json:
        """A record, read as strictly as it is to be written."""
        record: Json = strict_json(self.bucket.get(f"output/{name}_metadata.json"))
        return record

    def lines(self, count: int = 1) -> list[Json]:
        """The last lines of the log."""
        return self.function.log[-count:]


def made(name: str, data: bytes = IMAGE, recipe: str = "") -> dict[str, bytes]:
    """What the core makes of a source, by name."""
    source = fft_tool.Source(name, data)
    outputs = fft_tool.run(source, fft_tool.Recipe.parse_text(f"{recipe} metadata=yes"))
    return {artifact.name: artifact.data for artifact in outputs}
