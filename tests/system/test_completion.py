"""Completion in the shells themselves, on a terminal, as people use it."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.support.command import SECONDS, environment, tool

BASH_COMPLETION = Path("/usr/share/bash-completion/bash_completion")

# What is typed before Tab, and the words that are then there.
COMPLETED = [
    ("fft-tool ana", ["analyze"]),
    ("fft-tool analyze --win", ["analyze", "--window"]),
    ("fft-tool analyze --window han", ["analyze", "--window", "hann"]),
    ("fft-tool analyze --window=tu", ["analyze", "--window=tukey"]),
    ("fft-tool analyze in/te", ["analyze", "in/text.png"]),
    ("fft-tool analyze in/two", ["analyze", "in/two words.png"]),
    ("fft-tool analyze --bits 16 in/te", ["analyze", "--bits", "16", "in/text.png"]),
    ("fft-tool analyze in/text.png -o ou", ["analyze", "in/text.png", "-o", "out/"]),
    ("fft-tool analyze --filter str", ["analyze", "--filter", "stripe:"]),
    ("fft-tool analyze --filter notch:8,90+str", ["analyze", "--filter", "notch:8,90+stripe:"]),
    ("fft-tool analyze --crop ce", ["analyze", "--crop", "centre:"]),
    ("fft-tool analyze --formats png,ti", ["analyze", "--formats", "png,tiff"]),
    ("fft-tool analyze --artifact ph", ["analyze", "--artifact", "phase"]),
    ("fft-tool analyze --no-ph", ["analyze", "--no-phase"]),
    ("fft-tool pro", ["process"]),
    ("fft-tool process --oper", ["process", "--operations"]),
    ("fft-tool process --operations gra", ["process", "--operations", "grayscale"]),
    (
        "fft-tool process --operations grayscale,crop:1,1,9,9,des",
        ["process", "--operations", "grayscale,crop:1,1,9,9,destripe"],
    ),
    ("fft-tool process --operations rota", ["process", "--operations", "rotate:"]),
    ("fft-tool stats --cs", ["stats", "--csv"]),
    ("fft-tool reconstruct out/te", ["reconstruct", "out/text_metadata.json"]),
    ("fft-tool report out --so", ["report", "out", "--sources"]),
    ("fft-tool completion f", ["completion", "fish"]),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with images, results, and the scripts."""
    folder = tmp_path_factory.mktemp("shell")
    for name in ("in/text.png", "in/two words.png", "out/text_metadata.json"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    for shell in ("bash", "zsh", "fish"):
        finished = tool("completion", shell, cwd=folder)
        assert (finished.code, finished.err) == (0, "")
        (folder / f"completion.{shell}").write_bytes(finished.out)
    return folder


def typed(shell: list[str], first: str, line: str, folder: Path) -> list[str]:
    """Words on an interactive shell's command line after typing ``line`` and Tab."""
    main, terminal = pty.openpty()
    process = subprocess.Popen(
        shell,
        cwd=folder,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env=environment(INPUTRC="/dev/null", HOME=str(folder), HISTFILE="/dev/null", PS1="$ "),
        start_new_session=True,
    )
    os.close(terminal)
    try:
        # What is on the line becomes the arguments of a function, which writes them to a file.
        words = folder / f"words-{shell[0]}"
        words.unlink(missing_ok=True)
        os.write(
            main, f"{first}\nshow() {{ printf '%s\\n' \"$@\" >part; mv part {words}; }}\n".encode()
        )
        os.write(main, f"{line}\t\x01show \x05\n".encode())
        os.set_blocking(main, False)
        deadline, screen = time.monotonic() + SECONDS, b""
        while not words.exists():
            assert time.monotonic() < deadline, screen.decode(errors="replace")
            try:
                screen += os.read(main, 65536)
            except BlockingIOError:
                time.sleep(0.01)
        return words.read_text("utf-8").splitlines()
    finally:
        process.kill()
        process.wait()
        os.close(main)


@pytest.mark.slow
@pytest.mark.parametrize(("line", "words"), COMPLETED)
@pytest.mark.parametrize("library", ["", str(BASH_COMPLETION)], ids=["plain", "bash-completion"])
def test_bash_completes(folder: Path, library: str, line: str, words: list[str]) -> None:
    first = "source completion.bash"
    if library:
        if not BASH_COMPLETION.exists():
            pytest.skip("bash-completion is not installed")
        first = f"source {library}; {first}"
    shown = typed(["bash", "--norc", "--noprofile", "-i"], first, line, folder)
    assert shown == ["fft-tool", *words]


@pytest.mark.slow
@pytest.mark.parametrize(("line", "words"), COMPLETED)
def test_zsh_completes(folder: Path, line: str, words: list[str]) -> None:
    if not shutil.which("zsh"):
        pytest.skip("zsh is not installed")
    first = "bindkey -e; autoload -U compinit; compinit -u -D; source ./completion.zsh"
    shown = typed(["zsh", "-f", "-i"], first, line, folder)
    # zsh takes away the slash of a folder again when the line ends there.
    assert [*shown[:-1], shown[-1].rstrip("/")] == ["fft-tool", *words[:-1], words[-1].rstrip("/")]


@pytest.mark.slow
@pytest.mark.parametrize(("line", "words"), COMPLETED)
def test_fish_completes(folder: Path, line: str, words: list[str]) -> None:
    if not shutil.which("fish"):
        pytest.skip("fish is not installed")
    done = subprocess.run(
        ["fish", "--no-config", "-c", "source completion.fish; complete -C $argv[1]", line],
        cwd=folder,
        env=environment(HOME=str(folder)),
        capture_output=True,
        text=True,
        check=True,
        timeout=SECONDS,
    )
    offered = [candidate.partition("\t")[0] for candidate in done.stdout.splitlines()]
    assert done.stderr == ""
    assert any(candidate.startswith(words[-1]) for candidate in offered), offered
