"""Draw ``docs/images/local_aws.svg``, a terminal session with the local AWS, by running it."""

from __future__ import annotations

import io
import os
import pty
import re
import shlex
import subprocess
import sys
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "images" / "local_aws.svg"
WIDTH = 104

# The window of rich, without its web fonts.
FORMAT = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL).replace(
    "font-family: Fira Code, monospace",
    'font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace',
)

COMMANDS = (
    "make drop IMG=input_images/text.png CROP=pct:0,0,50,50",
    "make drop IMG=README.md",
    "make logs",
)


def main() -> int:
    """Run the commands with a fresh local AWS, and draw their output."""
    subprocess.run(["make", "up"], cwd=ROOT, check=True, stdout=sys.stderr)
    try:
        screens = [(command, shown(command)) for command in COMMANDS]
    finally:
        subprocess.run(["make", "down"], cwd=ROOT, check=True, stdout=sys.stderr)
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    for command, screen in screens:
        console.print(Text.assemble(("$ ", "dim"), (command, "bold")))
        console.print(Text.from_ansi(screen.rstrip()))
        console.print()
    PICTURE.write_text(console.export_svg(title="", code_format=FORMAT, unique_id="t"), "utf-8")
    return 0


def shown(command: str) -> str:
    """Run a command on a terminal and return its output, including colours."""
    controller, terminal = pty.openpty()
    environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": str(WIDTH)}
    words = ["make", "--silent", *shlex.split(command)[1:]]
    if command == "make logs":  # runs until it is interrupted otherwise
        words = [sys.executable, "-m", "tools.local_aws", "logs", "--once"]
    process = subprocess.Popen(words, cwd=ROOT, stdout=terminal, stderr=terminal, env=environment)
    os.close(terminal)
    parts = []
    try:
        while part := os.read(controller, 4096):
            parts.append(part)
    except OSError:  # on Linux, this means that the other end was closed
        pass
    os.close(controller)
    process.wait()
    return b"".join(parts).decode().replace("\r\n", "\n")


if __name__ == "__main__":
    sys.exit(main())
