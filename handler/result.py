"""What became of one part of a message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from fft_tool.errors import FftToolError
from handler.events import Part

Outcome = Literal["done", "rejected", "missing", "superseded", "ignored", "failed"]


@dataclass(frozen=True, slots=True)
class Result:
    """How it ended.

    done: the outputs are written. superseded: a later version has been uploaded, whose own event
    will have its outputs written. ignored: nothing to be done; ``reason`` says why. With an
    ``error``, rejected: never possible, and the record says so; missing: the object is not there;
    failed: not possible now, to be handed back.
    """

    part: Part
    outcome: Outcome
    reason: str = ""
    error: Exception | None = None
    outputs: tuple[str, ...] = ()
    size: int | None = None
    sha256: str | None = None
    etag: str | None = None
    width: int | None = None
    height: int | None = None

    @property
    def code(self) -> str:
        """Name of the error for machines; ``bug`` for an unexpected exception."""
        return self.error.code if isinstance(self.error, FftToolError) else "bug"

    @property
    def message(self) -> str:
        """One sentence on how it ended."""
        return str(self.error) if self.error else self.reason

    def to_json(self) -> dict[str, Any]:
        """What a caller is told."""
        return {
            "bucket": self.part.bucket,
            "key": self.part.key,
            "outcome": self.outcome,
            "outputs": list(self.outputs),
            "error": self.problem(),
            "reason": self.reason or None,
            "source": {"bytes": self.size, "sha256": self.sha256, "etag": self.etag},
            "width": self.width,
            "height": self.height,
        }

    def problem(self) -> dict[str, str] | None:
        """Code and message where it did not go well."""
        return {"code": self.code, "message": self.message} if self.error else None
