"""Build the documentation site in ``build/docs``: ``python docs/build_site.py``.

The pages are the Markdown files of the repository, staged under their own names, so that links
between them work both on the site and in the repository. Two pages are generated: the library
reference, from the docstrings of the public names, and the command line, from its parser.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build"
STAGE, SITE = BUILD / "docs-source", BUILD / "docs"

# The sections of the site, with each page's path in the repository. Other files are not pages.
SECTIONS = {
    "Guides": (
        *("docs/reading-a-spectrum.md", "docs/library.md", "docs/record.md"),
        *(
            "docs/compare.md",
            "docs/workflow.md",
            "docs/manifest.md",
            "docs/batches.md",
            "docs/scan.md",
        ),
    ),
    "The service": (
        "docs/pages.md",
        "docs/service.md",
        "docs/service-products.md",
        "docs/service-jobs.md",
        "docs/service-security.md",
        "docs/service-hosting.md",
    ),
    "Reference": ("docs/reference.md", "docs/command-line.md", "docs/operations.md"),
    "Operation": (
        *("docs/lambda.md", "docs/workflow-aws.md", "docs/batches-aws.md", "docs/backfill.md"),
        *("docs/image.md", "terraform/README.md", "docs/cost.md", "docs/scale.md", "SECURITY.md"),
    ),
    "Project": (
        *("docs/benchmarks.md", "docs/benchmarks-lambda.md", "docs/benchmarks-batches.md"),
        *("docs/benchmarks-service.md", "docs/benchmarks-pages.md"),
        "input_images/README.md",
        *("CONTRIBUTING.md", "CHANGELOG.md", "docs/decisions/index.md"),
    ),
}
DECISIONS = "docs/decisions"

_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)#\s]+)(#[^)\s]*)?\)")
_WIDTH = "90"  # columns of the command-line help

OPTIONS = {
    "project": "fft-pipeline",
    "extensions": ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"],
    "root_doc": "index",
    "html_theme": "furo",
    "html_title": "fft-pipeline",
    "html_copy_source": False,
    "html_show_sphinx": False,
    "myst_heading_anchors": 4,
    "napoleon_google_docstring": False,
    "autodoc_member_order": "bysource",
    "autodoc_typehints": "signature",
    "add_module_names": False,
    "python_use_unqualified_type_names": True,
    "exclude_patterns": ["tests", ".github"],
}


def stage() -> None:
    """Copy the repository's files, and add the generated pages."""
    shutil.rmtree(STAGE, ignore_errors=True)
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout.split("\0")
    for name in filter(None, listed):
        if (ROOT / name).is_file() and not name.startswith("tests/"):
            (STAGE / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, STAGE / name)
    (STAGE / "docs/reference.md").write_text(reference(), "utf-8")
    (STAGE / "docs/command-line.md").write_text(command_line(), "utf-8")
    decisions = sorted(path.name for path in (STAGE / DECISIONS).glob("2*.md"))
    contents = ["# Decisions\n", "```{toctree}", ":maxdepth: 1\n", *decisions, "```\n"]
    (STAGE / DECISIONS / "index.md").write_text("\n".join(contents), "utf-8")
    for page in STAGE.rglob("*.md"):
        page.write_text(with_links_of_the_site(page.read_text("utf-8"), page), "utf-8")
    start = (STAGE / "README.md").read_text("utf-8")
    (STAGE / "README.md").unlink()
    (STAGE / "index.md").write_text(f"{start}\n{''.join(map(_toctree, SECTIONS))}", "utf-8")


def _toctree(section: str) -> str:
    pages = "\n".join(SECTIONS[section])
    return f"```{{toctree}}\n:hidden:\n:caption: {section}\n\n{pages}\n```\n\n"


def with_links_of_the_site(text: str, page: Path) -> str:
    """Adapt links that do not lead to a page: links to the README (the start page) and folders."""

    def adapted(found: re.Match[str]) -> str:
        label, target, anchor = found[1], found[2], found[3] or ""
        if "://" in target:
            return found[0]
        place = Path(os.path.normpath(page.parent / target))
        if place == STAGE / "README.md":
            return f"[{label}]({target.removesuffix('README.md')}index.md{anchor})"
        if place == STAGE / DECISIONS:
            return f"[{label}]({target}/index.md)"
        return label if place.is_dir() else found[0]

    return _LINK.sub(adapted, text)


def reference() -> str:
    """Page of the library: every public name, from its docstring."""
    import fft_tool  # noqa: PLC0415  (not needed for checking links)

    parts = ["# Library reference\n", "`import fft_tool as ft` gives these names.\n"]
    for title, classes in (("Functions", False), ("Classes", True)):
        parts.append(f"## {title}\n")
        for name in vars(fft_tool)["__all__"]:
            if isinstance(getattr(fft_tool, name), type) is not classes:
                continue
            directive = "autoclass" if classes else "autofunction"
            options = "\n   :members:" if classes else ""
            parts.append(f"```{{eval-rst}}\n.. {directive}:: fft_tool.{name}{options}\n```\n")
    return "\n".join(parts)


def command_line() -> str:
    """Page of the command line: the help of every command."""
    os.environ["COLUMNS"] = _WIDTH
    from fft_tool.cli.arguments import COMMANDS, make_parser  # noqa: PLC0415  (as above)

    parser = make_parser()
    # argparse offers no public access to the parsers of commands.
    (commands,) = (action for action in parser._actions if action.dest == "command")  # noqa: SLF001  (see above)
    parts = ["# The command line\n", f"```text\n{parser.format_help()}```\n"]
    for name, (summary, _) in COMMANDS.items():
        text = dict(commands.choices or {})[name].format_help()
        parts.append(f"## fft-tool {name}\n\n{summary.capitalize()}.\n\n```text\n{text}```\n")
    return "\n".join(parts)


def build() -> int:
    """Run Sphinx with warnings as errors; return its exit code."""
    from sphinx.application import Sphinx  # noqa: PLC0415  (not needed for checking links)

    pages = [page for names in SECTIONS.values() for page in names]
    shutil.rmtree(SITE, ignore_errors=True)
    app = Sphinx(
        STAGE,
        None,
        SITE,
        BUILD / "doctrees",
        "html",
        confoverrides=OPTIONS | {"include_patterns": ["index.md", *pages, f"{DECISIONS}/2*.md"]},
        status=None,
        freshenv=True,
        warningiserror=True,
    )
    app.build()
    code: int = app.statuscode
    return code


class _Page(HTMLParser):
    """The links, loaded resources and anchors of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.anchors: set[str] = {""}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if "href" in given:
            (self.links if tag == "a" else self.loads).append(given["href"])
        if "src" in given:
            self.loads.append(given["src"])


def problems(site: Path) -> Iterator[str]:
    """Yield the problems of a site: broken links, and resources loaded from the network."""
    pages = {path: _read(path) for path in sorted(site.rglob("*.html"))}
    for path, page in pages.items():
        for link in [*page.links, *page.loads]:
            parts = urlsplit(link)
            if parts.scheme == "data" or (parts.scheme and link in page.links):
                continue
            if parts.scheme or parts.netloc:
                yield f"{path.relative_to(site)}: loads {link}"
                continue
            target = path if not parts.path else path.parent / unquote(parts.path)
            target = Path(os.path.normpath(target))
            anchors = pages[target].anchors if target in pages else {"", parts.fragment}
            if not target.is_file() or unquote(parts.fragment) not in anchors:
                yield f"{path.relative_to(site)}: {link} leads nowhere"


def _read(path: Path) -> _Page:
    page = _Page()
    page.feed(path.read_text("utf-8"))
    return page


def main() -> int:
    """Build and check the site; return an exit code."""
    stage()
    code = build()
    found = list(problems(SITE))
    for problem in found:
        sys.stderr.write(f"{problem}\n")
    if not code and not found:
        sys.stdout.write(f"open {(SITE / 'index.html').relative_to(ROOT)}\n")
    return code or int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
