"""What a client asks for, as JSON in the fields of a form: every fault is told at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from fft_tool.cropping import AtMost
from fft_tool.image.region import Box
from service.errors import BadRequest
from service.products.names import LONGEST_ID
from service.settings import LARGEST_SIDE

INFO, BOX = "product_info", "crop_box"
"""Names of the two fields."""

LARGEST = 10**9  # pixels: no image has a longer side
_DIGITS = 18  # of a number that is read as one
_SHOWN = 40  # characters of a wrong value that are shown

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ManualCrop:
    """A region of a product's image."""

    product_id: str
    box: Box


@dataclass(frozen=True, slots=True)
class SmartCrop:
    """The size of a region of a product's image that is to be found."""

    product_id: str
    size: AtMost


def parse_manual(product_info: str, crop_box: str) -> ManualCrop:
    """Parse what a manual crop is asked for with.

    >>> info, box = '{"product_id": "ABC-123"}', '{"x": 0, "y": 10, "width": 640, "height": 480}'
    >>> parse_manual(info, box).box
    Box(x=0, y=10, width=640, height=480)
    >>> parse_manual("{}", box.replace("640", "0"))
    Traceback (most recent call last):
        ...
    service.errors.BadRequest: product_info.product_id: is missing; crop_box.width: ...
    """
    fields = _Fields()
    with_info = fields.object(INFO, product_info, '{"product_id": "ABC-123"}', ("product_id",))
    form = '{"x": 0, "y": 0, "width": 640, "height": 480}'
    with_box = fields.object(BOX, crop_box, form, ("x", "y", "width", "height"))
    product_id = fields.take(INFO, with_info, "product_id", _product_id, "")
    least = {"x": 0, "y": 0, "width": 1, "height": 1}
    sides = [
        fields.take(BOX, with_box, name, _whole(low, LARGEST), 1) for name, low in least.items()
    ]
    fields.check()
    return ManualCrop(product_id, Box(*sides))


def parse_smart(product_info: str, size: tuple[int, int]) -> SmartCrop:
    """Parse what a smart crop is asked for with; ``size`` is that of those who do not say one.

    >>> parse_smart('{"product_id": "ABC-123", "width": 300}', (800, 600)).size
    AtMost(width=300, height=600)
    """
    fields = _Fields()
    form = '{"product_id": "ABC-123", "width": 800, "height": 800}'
    found = fields.object(INFO, product_info, form, ("product_id",), ("width", "height"))
    product_id = fields.take(INFO, found, "product_id", _product_id, "")
    side = _whole(1, LARGEST_SIDE)
    width = fields.take(INFO, found, "width", side, size[0])
    height = fields.take(INFO, found, "height", side, size[1])
    fields.check()
    return SmartCrop(product_id, AtMost(width, height))


class _Fields:
    """Objects of a form, and the faults that were found in them."""

    def __init__(self) -> None:
        self._faults: list[str] = []

    def object(
        self,
        field: str,
        text: str,
        form: str,
        required: tuple[str, ...],
        optional: tuple[str, ...] = (),
    ) -> Mapping[str, Any]:
        """Parse an object with these keys and no others; empty if it cannot be read."""
        try:
            found = _parse(text)
        except ValueError as exc:
            self._faults.append(f"{field}: should be JSON such as {form}: {exc}")
            return {}
        if not isinstance(found, dict):
            self._faults.append(f"{field}: should be an object such as {form}")
            return {}
        known = (*required, *optional)
        for key in found:
            if key not in known:
                told = f"{field}.{_shown(key)}: is not known here, only {', '.join(known)}"
                self._faults.append(told)
        self._faults += [f"{field}.{key}: is missing" for key in required if key not in found]
        return found

    def take(
        self, field: str, found: Mapping[str, Any], key: str, read: Callable[[Any], T], default: T
    ) -> T:
        """Read a value; the ``default`` if there is none, or a wrong one."""
        if key not in found:
            return default
        try:
            return read(found[key])
        except ValueError as exc:
            self._faults.append(f"{field}.{key}: {exc}")
            return default

    def check(self) -> None:
        """Raise if there were any faults."""
        if self._faults:
            raise BadRequest(*self._faults)


def _parse(text: str) -> Any:
    """Parse JSON; ``ValueError`` says what is wrong."""
    try:
        return json.loads(
            text,
            object_pairs_hook=_unique,
            # Python takes long to read numbers of thousands of digits, which no value has.
            parse_int=lambda digits: int(digits) if len(digits) <= _DIGITS else float(digits[:400]),
        )
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"{_shown(twice)} is given twice")
    return found


def _product_id(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"should be text, not {_shown(value)}")  # noqa: TRY004  (a fault of many)
    if not value.isprintable() or not value.strip():
        raise ValueError("should be printable text")
    if len(value) > LONGEST_ID:
        raise ValueError(f"should have at most {LONGEST_ID} characters, not {len(value):,}")
    return value


def _whole(least: int, most: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if type(value) is not int or not least <= value <= most:
            raise ValueError(
                f"should be a whole number from {least} to {most:,}, not {_shown(value)}"
            )
        return value

    return read


def _shown(value: Any) -> str:
    """A value as text that is safe to show, not too long."""
    text = value if isinstance(value, str) else json.dumps(value, allow_nan=True)
    text = "".join(character if character.isprintable() else "?" for character in text)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
