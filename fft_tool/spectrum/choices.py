"""Names of detrending methods, scales and windows, available without importing numpy."""

from __future__ import annotations

DETRENDS = ("none", "mean", "linear")
SCALES = ("log", "linear", "power", "db")
WINDOWS = ("none", "hann", "hamming", "blackman", "tukey")

MAX_JUMPS = 1 << 18
"""Maximum number of border pixels (height plus width) whose jumps are kept in a record."""
