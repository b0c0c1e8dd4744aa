"""The error of the tools."""

from __future__ import annotations


class ToolError(Exception):
    """A tool cannot continue; the message says why, and what to do about it."""
