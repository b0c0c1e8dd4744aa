"""The argument parser: argparse, with shorter and more helpful errors."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from fft_tool.cli.output import put
from fft_tool.printable import printable
from fft_tool.spelling import british, did_you_mean


class Parser(argparse.ArgumentParser):
    """A parser whose errors take one line, followed by a line on usage.

    ``commands`` holds the parsers of the commands by name.
    """

    commands: dict[str, Parser]

    def error(self, message: str) -> NoReturn:
        """Report an error and exit."""
        # File names, as a shell expands ``*``, may contain anything.
        text = printable(re.sub(r"^argument (\S+/)?", "", message))
        self.exit(2, f"{self.prog}: {text}\n{self.format_usage()}")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        """Exit, after printing the message if standard error is open."""
        if message and sys.stderr is not None:
            sys.stderr.write(message)
        sys.exit(status)

    def _print_message(self, message: str, file: Any = None) -> None:
        # argparse itself ignores that help cannot be written.
        if file is sys.stderr:
            super()._print_message(message, file)
        else:
            put(message.encode("utf-8", "backslashreplace"))

    def shorten_usage(self) -> None:
        """Show only required arguments in the usage line; help lists the options anyway."""
        words = []
        for action in self._actions:
            name = str(action.metavar or action.dest)
            if action.option_strings:
                words += [f"{action.option_strings[0]} {name}"] if action.required else []
            else:
                words.append(f"{name} [{name} ...]" if action.nargs == "+" else name)
        self.usage = " ".join(["%(prog)s", *words, "[options]"])

    def check_flags(self, words: Sequence[str]) -> None:
        """Report an unknown flag, before argparse reports what is missing."""
        known = [name for action in self._actions for name in action.option_strings]
        for word in words:
            if word == "--":
                return
            flag = word.partition("=")[0]
            if flag.startswith("--") and not any(name.startswith(flag) for name in known):
                near = did_you_mean(flag.strip("-"), [name.strip("-") for name in known], "--")
                self.error(f"unknown option {flag}{near}")


def spelled(words: Sequence[str]) -> list[str]:
    """Change American flags such as ``--color`` to British spelling.

    >>> spelled(["analyze", "--color", "my color.png"])
    ['analyze', '--colour', 'my color.png']
    """
    ends = words.index("--") if "--" in words else len(words)
    flags = [_spelled(word) if word.startswith("--") else word for word in words[:ends]]
    return [*flags, *words[ends:]]


def _spelled(word: str) -> str:
    flag, equals, value = word.partition("=")
    return british(flag) + equals + value
