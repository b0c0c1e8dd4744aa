"""How much one image differs from another, as the manifest of a workflow states it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from fft_tool.validate import Json, number, whole

_LONGEST = 200  # characters of a note


@dataclass(frozen=True, slots=True)
class Compared:
    """Peak signal-to-noise ratio of the grey plane of one image with regard to that of another.

    Attributes
    ----------
    psnr_db
        ``10·log10(white² / mean squared difference)`` in dB; None if there is none.
    white
        The largest grey level of both images; None if they cannot be compared.
    note
        Why there is no ratio; None if there is one.
    """

    psnr_db: float | None = None
    white: int | None = None
    note: str | None = None

    def to_json(self) -> Json:
        """Return plain values."""
        return {"psnr_db": self.psnr_db, "white": self.white, "note": self.note}

    @classmethod
    def from_json(cls, values: Json) -> Self:
        """Read the values of :meth:`to_json`; raise an error if they have another form."""
        psnr, white, note = (values[name] for name in ("psnr_db", "white", "note"))
        return cls(
            None if psnr is None else number(psnr),
            None if white is None else whole(white, 1, 65535),
            None if note is None else str(note)[:_LONGEST],
        )
