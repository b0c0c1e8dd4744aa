"""What is asked for an image in a bucket: by its metadata, or by a file beside it.

S3 keeps at most 2 KB of metadata with an object. Longer lists of operations go into a *sidecar*,
which is uploaded before the image: ``plants/forest.png.operations.json`` for
``plants/forest.png``, as in ``{"operations": "grayscale,blur:3", "window": "hann"}``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fft_tool.errors import NotFound, OperationFault, OperationsError, TooManyBytes
from fft_tool.limits import Limits
from fft_tool.recipe import key_name
from fft_tool.runs.fetch import read_within
from fft_tool.stores.base import Stat, Store

SIDECAR = ".operations.json"
"""What the name of a sidecar adds to the name of its image."""

OPERATIONS = "operations"
"""Key of the operations; all other keys are those of the recipe."""

_LARGEST = 64 << 10  # bytes of a sidecar
_MOST_METADATA = 2048  # bytes of keys and values, the limit of S3


@dataclass(frozen=True, slots=True)
class Request:
    """The text of the operations, which may be empty, and keys of the recipe with their values."""

    operations: str
    recipe: Mapping[str, Any]


def is_sidecar(name: str) -> bool:
    """Whether a name is that of a sidecar, which is never an image."""
    return name.endswith(SIDECAR)


def placed(asked: Mapping[str, str]) -> tuple[Mapping[str, str], bytes | None]:
    """Where to put what is asked for an image: its metadata, and the content of its sidecar.

    There is a sidecar if the metadata of S3 cannot hold everything.

    >>> placed({"operations": "blur:3"})
    ({'operations': 'blur:3'}, None)
    >>> metadata, sidecar = placed({"operations": ",".join(["blur:3"] * 300)})
    >>> metadata, len(sidecar or b"")
    ({}, 2117)
    """
    if sum(len(key) + len(text.encode()) for key, text in asked.items()) <= _MOST_METADATA:
        return dict(asked), None
    return {}, json.dumps(dict(asked)).encode()


def read_request(sources: Store, name: str, stat: Stat) -> Request:
    """Read what is asked for the image ``name``, of which the store knows ``stat``.

    Where there is a sidecar, its entries override those of the metadata. A sidecar that is not a
    JSON object of texts, numbers and booleans raises :class:`~fft_tool.errors.OperationsError`.
    """
    asked: dict[str, Any] = {key_name(key): text for key, text in stat.metadata.items()}
    asked |= _sidecar(sources, name)
    operations = asked.pop(OPERATIONS, "")
    return Request(str(operations), asked)


def _sidecar(sources: Store, name: str) -> dict[str, Any]:
    place = name + SIDECAR
    try:
        data = read_within(sources, place, Limits(max_bytes=_LARGEST))
    except NotFound:
        return {}
    except TooManyBytes as exc:
        raise _malformed(place, f"it has more than {_LARGEST:,} bytes") from exc
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as exc:
        raise _malformed(place, "it is not JSON") from exc
    if not isinstance(found, dict) or not isinstance(found.get(OPERATIONS), str):
        raise _malformed(place, f"it is not an object with a text called {OPERATIONS!r}")
    nested = [key for key, value in found.items() if isinstance(value, dict | list)]
    if nested:
        raise _malformed(place, f"the value of {nested[0]!r} is not a text, number or boolean")
    return {key_name(key): value for key, value in found.items()}


def _malformed(place: str, why: str) -> OperationsError:
    example = '{"operations": "grayscale,blur:3"}'
    return OperationsError([OperationFault(0, "", f"{place}: {why}; write it as {example}")])
