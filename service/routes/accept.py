"""What a client would rather have: the ``Accept`` header (RFC 9110, section 12.5.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_LONGEST = 4096  # characters that are looked at
_WEIGHT = re.compile(r"(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)")
_ANY = "*/*"


@dataclass(frozen=True, slots=True)
class Accept:
    """Media types or ranges that a client accepts, each with its weight from 0 to 1.

    >>> accept = Accept.parse("image/avif, image/*;q=0.8, */*;q=0.1")
    >>> accept.weight("image/avif"), accept.weight("image/png"), accept.weight("text/html")
    (1.0, 0.8, 0.1)
    """

    weights: tuple[tuple[str, float], ...]

    @classmethod
    def parse(cls, text: str | None) -> Accept:
        """Parse a header; what cannot be read is left out, and without one anything is accepted."""
        entries = [] if text is None else list(map(_entry, text[:_LONGEST].split(",")))
        return cls(tuple(entry for entry in entries if entry) or ((_ANY, 1.0),))

    def weight(self, media_type: str) -> float:
        """Weight of a media type: that of its most specific range; 0 if it is not accepted."""
        named = dict(self.weights)
        group = f"{media_type.partition('/')[0]}/*"
        for name in (media_type, group, _ANY):
            if name in named:
                return named[name]
        return 0.0

    def names(self, media_type: str) -> bool:
        """Whether the client accepts a type by its own name: clients that say so can read it."""
        return dict(self.weights).get(media_type, 0.0) > 0

    def best_named(self, offered: Iterable[str], default: Iterable[str]) -> str | None:
        """The named type that the client likes best, if it likes it as much as ``default``.

        Of several, the first one. None means the default, also if the client accepts neither.
        """
        least = max(map(self.weight, default))
        named = [name for name in offered if self.names(name) and self.weight(name) >= least]
        return max(named, key=self.weight, default=None)


def _entry(text: str) -> tuple[str, float] | None:
    name, *parameters = (word.strip().lower() for word in text.split(";"))
    if "/" not in name:
        return None
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            value = value.strip()
            return (name, float(value)) if _WEIGHT.fullmatch(value) else None
    return name, 1.0
