"""What the command line says: flags by their names, suggestions, tables in narrow terminals."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from fft_tool.cli import terminal
from fft_tool.cli.messages import sentence
from fft_tool.cli.parser import spelled
from fft_tool.cli.values import size
from fft_tool.errors import StoreUnavailable
from tests.support.command import Run
from tests.support.images import noise, png_bytes


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("a.png").write_bytes(png_bytes(noise((24, 32))))
    return tmp_path


def test_no_arguments_show_help(run: Run) -> None:
    finished = run("")
    assert (finished.code, finished.err) == (0, "")
    assert finished.out == run("--help").out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("analyse-all a.png", "did you mean analyze?"),
        ("stat a.png", "did you mean stats?"),
        ("analyze a.png --ouput OUT", "unknown option --ouput; did you mean --output?"),
        ("analyze a.png -o OUT --windw=hann", "unknown option --windw; did you mean --window?"),
        ("completion fsh", "should be one of bash, zsh, fish; did you mean fish?"),
        ("analyze a.png -o OUT --jobs 0", "--jobs: '0' should be a whole number above 0"),
    ],
)
def test_wrong_words_are_answered_with_the_right_ones(run: Run, words: str, told: str) -> None:
    finished = run(words)
    assert finished.code == 2
    assert told in finished.messages[0]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("--window han", "--window han: should be one of none, hann, hamming, blackman, tukey"),
        ("--colour --bits 16", "--colour: requires --bits 8"),
        (
            "--crop 1,2,3,4 --smart-crop 8,8",
            "--smart-crop 8,8: cannot be combined with --crop 1,2,3,4",
        ),
        (
            "--crop square --smart-crop 8,8",
            "--smart-crop 8,8: cannot be combined with --crop square",
        ),
        (
            "--periodic --window hann",
            "--periodic: cannot be combined with --window hann, which also",
        ),
    ],
)
def test_faults_of_the_recipe_name_flags(run: Run, options: str, told: str) -> None:
    finished = run(f"analyze a.png -o OUT {options}")
    assert (finished.code, len(finished.messages)) == (2, 1)
    assert finished.err.startswith(f"fft-tool: {told}")


def test_so_do_those_that_an_image_shows(run: Run) -> None:
    finished = run("analyze a.png -o OUT --threshold 300")
    assert finished.code == 1
    assert finished.messages == [
        "fft-tool: a.png: --threshold 300: should be at most 255, the white of this image"
    ]


def test_a_store_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    error = StoreUnavailable("s3://bucket/a.png: S3 does not answer")
    assert sentence(error) == str(error)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9000")
    assert sentence(error) == f"{error} (the endpoint is http://127.0.0.1:9000)"


@pytest.mark.parametrize("words", ["analyze a.png", "analyse a.png"])
def test_flags_and_commands_may_be_american_or_british(run: Run, words: str) -> None:
    american = run(f"{words} -o a --color --background gray --crop center:8,8 --metadata")
    assert (american.code, american.err) == (0, "")
    assert b"colour" in Path("a/a_metadata.json").read_bytes()


def test_what_is_no_flag_keeps_its_spelling() -> None:
    words = ["analyze", "my color.png", "--no-color", "--title=color", "--", "--color"]
    assert spelled(words) == [
        *("analyze", "my color.png", "--no-colour", "--title=color", "--", "--color"),
    ]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("512", 512 << 20),
        ("2GiB", 2 << 30),
        ("2gib", 2 << 30),
        ("1.5 GiB", 3 << 29),
        ("500MB", 500_000_000),
        ("2G", 2 << 30),
        ("64k", 64 << 10),
        ("1TiB", 1 << 40),
        ("100B", 100),
    ],
)
def test_amounts_of_memory_have_units(text: str, count: int) -> None:
    assert size(text) == count


@pytest.mark.parametrize("text", ["", "0", "-1", "2GX", "GiB", "1e9", "inf", "0.0001B", "9" * 40])
def test_what_is_no_amount_of_memory_is_wrong_usage(run: Run, text: str) -> None:
    finished = run(f"analyze a.png -o OUT --max-memory={text}")
    assert finished.code == 2
    assert "2GiB" in finished.messages[0]


def test_a_table_does_not_repeat_what_was_an_error(run: Run) -> None:
    Path("bad.png").write_bytes(b"text")
    for options in ("", "--metadata"):
        finished = run(f"analyze a.png bad.png missing.png -o OUT {options}")
        assert [message.split(":")[1].strip() for message in finished.messages] == [
            "bad.png",
            "missing.png",
        ]
        assert [line.split()[0] for line in finished.lines] == ["image", "a.png", "1"]
        assert finished.lines[-1] == "1 done, 1 rejected, 1 missing"


@pytest.mark.parametrize("width", [20, 40, 60, 80, 120])
def test_numbers_are_whole_at_any_width(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [("in/a rather long name of an image.png", "grey", *["123.45"] * 7)] * 2
    console = Console(width=width, markup=False)
    monkeypatch.setattr(terminal, "_console", lambda: console)
    terminal._print_table(console, terminal.STATISTICS, rows)  # noqa: SLF001
    shown = capsys.readouterr().out
    assert shown.count("123.45") == 14
    assert all(len(line.rstrip()) <= width for line in shown.splitlines())
