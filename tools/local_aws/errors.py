"""What people are told when the local AWS does not do what they want."""

from __future__ import annotations

from fft_tool.errors import FftToolError


class LocalError(FftToolError):
    """The local AWS is not up, cannot be, or has not answered."""

    code = "local"
