"""What people are told, and told all at once."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any


class Fault(Exception):
    """Something that people can mend: what, and what to do."""


def all_of(*finders: Callable[[], Any]) -> list[Any]:
    """Find everything that a command needs; all that is missing is told together."""
    found, missing = [], []
    for find in finders:
        try:
            found.append(find())
        except Fault as exc:
            missing.append(str(exc))
    if missing:
        told = "\n".join(f"- {text}" for text in missing)
        raise Fault(f"something is missing, and nothing has been changed.\n{told}")
    return found


def say(text: str) -> None:
    """Tell people something; stdout is Terraform's."""
    print(text, file=sys.stderr, flush=True)
