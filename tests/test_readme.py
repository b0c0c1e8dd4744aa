"""The examples in the README work.

In ``sh`` blocks, each line is a command (a trailing backslash continues it). In other blocks, lines
that begin with ``$ `` are commands, and the rest is their output. Commands of programs in
``NOT_RUN``, and those that need a bucket, are not run. ``python`` blocks are run, or checked as
doctests if they contain ``>>>``. Examples run in the order of the page, in one folder that
initially contains a copy of ``input_images``.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.command import SECONDS, environment

NOT_RUN = {"make", "git", "cd", "pip", "aws", "docker", "terraform", "curl", "open"}
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```[ ]*$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block: its content and its position."""

    language: str
    text: str
    line: int

    def commands(self) -> Iterator[str]:
        """Commands for the shell."""
        for line in self.text.replace("\\\n", " ").splitlines():
            if line.startswith("$ "):
                yield line[2:]
            elif self.language == "sh" and line.strip() and not line.startswith("#"):
                yield line


@pytest.fixture(scope="module")
def page(repository: Path) -> str:
    readme = repository / "README.md"
    if not readme.exists():
        pytest.fail("there is no README.md")
    return readme.read_text("utf-8")


@pytest.fixture(scope="module")
def blocks(page: str) -> list[Block]:
    found = [
        Block(match[1], match[2], page[: match.start()].count("\n") + 1)
        for match in FENCE.finditer(page)
    ]
    assert any(list(block.commands()) for block in found), "README.md shows no command"
    return found


@pytest.fixture
def folder(tmp_path: Path, repository: Path) -> Path:
    """A folder with the sample images, and ``fft-tool`` on the path."""
    shutil.copytree(repository / "input_images", tmp_path / "work" / "input_images")
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, words in {"fft-tool": "-m fft_tool", "python": ""}.items():
        (programs / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {words} "$@"\n')
        (programs / name).chmod(0o755)
    return tmp_path / "work"


def is_run(command: str) -> bool:
    """Whether a command is run here; others need a user's own machine or account."""
    return "s3://" not in command and not NOT_RUN.intersection(shlex.split(command, comments=True))


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    home = environment()
    return subprocess.run(
        words,
        cwd=folder,
        env={**home, "PATH": f"{folder.parent / 'bin'}:{home['PATH']}"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def run_block(folder: Path, block: Block) -> Iterator[str]:
    """Run a block; return what went wrong."""
    if block.language == "python":
        doctest = ["-m", "doctest"] if ">>>" in block.text else []
        script = folder.parent / ("block.txt" if doctest else "block.py")
        script.write_text(block.text, "utf-8")
        attempts = [(block.text, [sys.executable, "-W", "error", *doctest, str(script)])]
    else:
        attempts = [
            (command, ["bash", "-euc", command]) for command in block.commands() if is_run(command)
        ]
    for text, words in attempts:
        ended = run(folder, *words)
        if ended.returncode or "fft-tool: " in ended.stderr:
            said = ended.stdout * (block.language == "python") + ended.stderr
            yield f"README.md:{block.line}: exit code {ended.returncode} of:\n{text}\n{said}"


@pytest.mark.slow
def test_what_the_readme_shows_works(blocks: list[Block], folder: Path) -> None:
    failures = [failure for block in blocks for failure in run_block(folder, block)]
    assert not failures, "\n".join(failures)


def test_make_has_the_targets_that_the_readme_names(blocks: list[Block], repository: Path) -> None:
    makefile = (repository / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z][\w-]*):", makefile, re.MULTILINE))
    words = [
        shlex.split(command, comments=True) for block in blocks for command in block.commands()
    ]
    wanted = {word for first, *rest in words if first == "make" for word in rest}
    assert {word for word in wanted if "=" not in word and word[0] != "-"} <= targets


def test_links_of_the_readme_lead_somewhere(page: str, repository: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", page)
    missing = [link for link in links if "://" not in link and not (repository / link).exists()]
    assert not missing


@pytest.mark.slow
def test_what_the_page_on_the_library_shows_works(folder: Path, repository: Path) -> None:
    """Its blocks depend on each other, so they are run as one program."""
    page = (repository / "docs" / "library.md").read_text("utf-8")
    program = "".join(match[2] for match in FENCE.finditer(page) if match[1] == "python")
    assert "ft.analyze(" in program
    assert not list(run_block(folder, Block("python", program, 1)))
