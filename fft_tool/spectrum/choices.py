"""What a recipe may choose by name: known without loading what does it."""

from __future__ import annotations

DETRENDS = ("none", "mean", "linear")
SCALES = ("log", "linear", "power", "db")
WINDOWS = ("none", "hann", "hamming", "blackman", "tukey")

MOST_JUMPS = 1 << 18
"""Most border pixels, height and width together, whose jumps a record has room for."""
