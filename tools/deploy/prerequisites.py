"""Prerequisites of a command, checked before it changes anything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tools.errors import ToolError


def find_all(*finders: Callable[[], Any]) -> list[Any]:
    """Call all finders; a single error reports everything that is missing."""
    found, missing = [], []
    for find in finders:
        try:
            found.append(find())
        except ToolError as exc:
            missing.append(str(exc))
    if missing:
        reasons = "\n".join(f"- {text}" for text in missing)
        raise ToolError(f"prerequisites are missing; nothing has been changed.\n{reasons}")
    return found
