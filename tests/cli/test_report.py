"""The report command, and what ``analyze`` says of one image."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import numpy as np
import pytest

from fft_tool.cli import findings
from fft_tool.errors import StoreUnavailable
from fft_tool.report import sentences
from fft_tool.results import record as records
from fft_tool.runs.reading import EntryRef, find_entries
from fft_tool.stores.opening import open_store
from tests.support.command import Run, tool
from tests.support.faulty import SOUND
from tests.support.images import png_bytes

NAMES = ["a.png", "black.png", "plants/ä b.png"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run) -> Path:
    """The working folder, with images in ``in`` and their results in ``out``."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in" / "plants").mkdir(parents=True)
    for name in NAMES:
        (tmp_path / "in" / name).write_bytes(SOUND)
    (tmp_path / "in" / "black.png").write_bytes(png_bytes(np.zeros((8, 8), np.uint8)))
    words = "analyze in -o out --bits 16 --metadata --quiet --jobs 1"
    assert run(*words.split()).code == 0
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_a_report_is_one_page_that_shows_every_image(run: Run) -> None:
    finished = run(
        "report", "out", "--sources", "in", "-o", "page/index.html", "--title", "My <set>"
    )
    assert (finished.code, finished.err) == (0, "")
    page = Path("page/index.html").read_text("utf-8")
    assert "My &lt;set&gt;" in page
    for name in NAMES:
        assert name in page
    assert not re.search(r"""(src|href)=["']?(https?:|//)""", page)
    assert [path.name for path in Path("page").iterdir()] == ["index.html"]


@pytest.mark.usefixtures("folder")
def test_a_report_says_what_it_wrote(run: Run) -> None:
    (line,) = run("report", "out", "-o", "page/index.html").lines
    assert re.fullmatch(r"page/index\.html: 3 images, \d[\d.]+ kB", line)
    quiet = run("report", "out", "-o", "page/index.html", "--quiet")
    assert (quiet.code, quiet.out, quiet.err) == (0, b"", "")
    piped = run("report", "out", "-o", "-")
    assert piped.out == Path("page/index.html").read_bytes()


@pytest.mark.usefixtures("folder")
def test_a_split_report_is_a_page_and_a_folder_of_small_files(run: Run) -> None:
    finished = run("report", "out", "--sources", "in", "-o", "page/index.html", "--split")
    assert (finished.code, finished.err) == (0, "")
    files = [path for path in Path("page/index_files").iterdir() if path.is_file()]
    first, second = finished.lines
    assert first.startswith("page/index.html: 3 images, ")
    assert second.startswith(f"page/index_files/: {len(files)} files, ")
    names = {path.name for path in files}
    assert {"0001.html", "0002.html", "0003.html", "style.css"} < names
    linked = set(re.findall(r'index_files/([\w.]+)"', Path("page/index.html").read_text("utf-8")))
    pages = (Path("page/index_files", name) for name in linked if name.endswith(".html"))
    for page in pages:
        linked = linked | set(re.findall(r'src="([\w.]+)"', page.read_text("utf-8")))
    assert linked == names
    assert all(path.stat().st_size < 60_000 for path in files)


@pytest.mark.usefixtures("folder")
def test_a_split_report_needs_the_name_of_a_file(run: Run) -> None:
    finished = run("report", "out", "-o", "-", "--split")
    assert (finished.code, finished.out) == (2, b"")
    assert "--split: several files are made, so -o should name an .html file" in finished.err


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        ("nowhere", "--sources nowhere: no such folder"),
        ("in/a.png", "--sources in/a.png: no such folder"),
        ("empty", "--sources empty: there are no files"),
    ],
)
def test_sources_that_do_not_exist_are_an_error(
    folder: Path, run: Run, sources: str, message: str
) -> None:
    (folder / "empty").mkdir()
    finished = run("report", "out", "--sources", sources, "-o", "page.html")
    assert (finished.code, finished.out) == (1, b"")
    assert finished.messages == [f"fft-tool: {message}"]
    assert not Path("page.html").exists()


def test_sources_that_are_missing_are_counted(folder: Path, run: Run) -> None:
    (folder / "in" / "a.png").unlink()
    finished = run("report", "out", "--sources", "in", "-o", "page.html")
    expected = "fft-tool: warning: --sources in: 1 of 3 of the images analysed is not there"
    assert (finished.code, finished.messages) == (0, [expected])
    finished = run("report", "out", "--sources", "out", "-o", "page.html")
    expected = "fft-tool: warning: --sources out: none of the 3 images analysed is there"
    assert (finished.code, finished.messages) == (0, [expected])


def test_what_cannot_be_read_is_named_and_shown_and_the_rest_done(
    folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "out" / "a_metadata.json").write_text("{")
    read = EntryRef.read

    def failing(ref: EntryRef) -> object:
        if ref.name.startswith("black"):
            raise StoreUnavailable("out/black_metadata.json: input/output error")
        return read(ref)

    monkeypatch.setattr(EntryRef, "read", failing)
    finished = run("report", "out", "-o", "page.html")
    assert finished.code == 1
    first, second = finished.messages
    assert first.startswith("fft-tool: out/a_metadata.json: ")
    assert second == "fft-tool: out/black_metadata.json: input/output error"
    assert finished.lines[0].startswith("page.html: 3 images, ")
    page = Path("page.html").read_text("utf-8")
    assert "1 image analysed, 1 given back bit for bit by the artifacts, 2 damaged." in page


@pytest.mark.usefixtures("folder")
def test_the_same_results_give_the_same_report(run: Run) -> None:
    for words in (("one.html",), ("two.html",)):
        assert run("report", "out", "--sources", "in", "-o", *words).code == 0
    assert Path("one.html").read_bytes() == Path("two.html").read_bytes()


@pytest.mark.usefixtures("folder")
def test_results_are_found_in_order_before_they_are_read() -> None:
    refs = find_entries(open_store("out"), open_store("in"))
    assert [ref.name for ref in refs] == [
        "a_metadata.json",
        "black_metadata.json",
        "plants/ä b_metadata.json",
    ]
    assert [ref.read().record["source"]["name"] for ref in refs] == NAMES


# What analyze says of one image


def told(name: str) -> str:
    """The sentences on an image, on one line."""
    record = records.from_bytes(Path("out", f"{name}_metadata.json").read_bytes())
    return " ".join(f"{each.topic} {each.text}" for each in sentences.findings(record))


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("columns", [30, 60, 200])
def test_one_image_with_a_record_is_described(
    run: Run, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    finished = run("analyze", "in/a.png", "-o", "out", "--bits", "16", "--metadata")
    assert (finished.code, finished.err) == (0, "")
    names, _, text = finished.out.decode().partition("\n\n")
    assert sorted(names.splitlines()) == [
        f"out/a_{kind}" for kind in ("magnitude.png", "metadata.json", "phase.png")
    ]
    assert " ".join(text.split()) == " ".join(told("a").split())
    assert max(map(len, text.splitlines())) <= min(max(columns - 1, 40), 100)
    assert textwrap.dedent(text) == text


@pytest.mark.usefixtures("folder")
def test_only_names_are_printed_without_a_record(run: Run) -> None:
    finished = run("analyze", "in/a.png", "-o", "new")
    assert sorted(finished.lines) == ["new/a_magnitude.png", "new/a_phase.png"]


@pytest.mark.usefixtures("folder")
def test_data_on_stdout_is_not_mixed_with_sentences(run: Run) -> None:
    words = ("analyze", "in/a.png", "--metadata")
    assert run(*words, "-o", "new", "--quiet").out == b""
    (outcome,) = run(*words, "-o", "new", "--json").objects
    assert outcome["outcome"] == "done"
    piped = tool(*words, "-o", "-", cwd=Path.cwd())
    assert (piped.out, piped.err) == (Path("new/a_magnitude.png").read_bytes(), "")
    assert b"Waves" not in run("analyze", "in", "--metadata", "-o", "new").out


@pytest.mark.usefixtures("folder")
def test_one_image_in_one_file_is_described_too(run: Run) -> None:
    finished = run("analyze", "in/a.png", "--metadata", "-o", "record.json")
    assert finished.lines[:2] == ["record.json", ""]
    assert "Waves" in finished.lines[2]


@pytest.mark.usefixtures("folder")
def test_sentences_are_plain_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    record = records.from_bytes(Path("out/black_metadata.json").read_bytes())
    assert list(findings.lines(record)) == [
        "Constant   All pixels have the value 0: beside their sum, the spectrum is empty.",
        "Inversion  The 16-bit pictures give the source back bit for bit.",
    ]
