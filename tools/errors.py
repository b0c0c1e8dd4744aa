"""What stops a tool."""

from __future__ import annotations


class ToolError(Exception):
    """The tool cannot go on: the message says why, and what to do about it."""
