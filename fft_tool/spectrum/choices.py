"""What a recipe may choose by name: known without loading what does it."""

from __future__ import annotations

DETRENDS = ("none", "mean", "linear")
SCALES = ("log", "linear", "power", "db")
WINDOWS = ("none", "hann", "hamming", "blackman", "tukey")
