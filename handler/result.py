"""The outcome of one part of a message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from fft_tool.errors import FftToolError
from handler.events import Part

Outcome = Literal["done", "rejected", "missing", "superseded", "ignored", "failed"]


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of one part.

    done: the outputs are written. superseded: a later version has been uploaded, and the event of
    that upload leads to its outputs. ignored: there is nothing to do, for the given ``reason``.
    With an ``error``, rejected: a permanent fault, and the record says so; missing: the object does
    not exist; failed: to be retried.
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
        """Machine-readable name of the error; ``bug`` for an unexpected exception."""
        return self.error.code if isinstance(self.error, FftToolError) else "bug"

    @property
    def message(self) -> str:
        """The error or the reason, as one sentence."""
        return str(self.error) if self.error else self.reason

    def to_json(self) -> dict[str, Any]:
        """The result as it is returned to a caller."""
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
        """Code and message of the error, if there is one."""
        return {"code": self.code, "message": self.message} if self.error else None
