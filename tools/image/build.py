"""Build a container image with Docker, Podman or Buildah, whichever is available.

    python3 -m tools.image.build                                    the Lambda function
    python3 -m tools.image.build --target cli                       the command line
    python3 -m tools.image.build --target service                   the service
    python3 -m tools.image.build --base registry.example/python:3.13-slim-trixie
    python3 -m tools.image.build --tag REPOSITORY:TAG --platform linux/arm64 --push
    python3 -m tools.image.build -- --secret id=ca,src=company.pem  flags for the builder itself

Prints the image's tag or, after a push, REPOSITORY@sha256:…
"""

from __future__ import annotations

import argparse
import re
import shlex
import subprocess
import sys

from tools.errors import ToolError
from tools.image.builders import ROOT, Build, find_builder

NAMES = {
    "lambda": "fft-pipeline",
    "cli": "fft-tool",
    "service": "fft-service",
    "local-aws": "fft-local-aws",
}
PLATFORMS = ("linux/amd64", "linux/arm64")


def main() -> None:
    """Build, and push if asked to."""
    options = parse()
    tag = options.tag or default_tag(options.target)
    build = Build(
        target=options.target,
        tag=tag,
        origin=origin(),
        base=options.base,
        platform=options.platform,
        flags=options.own,
    )
    try:
        builder = find_builder()
        builder.build(build)
        if options.push:
            tag = f"{tag.rpartition(':')[0]}@{builder.push(tag)}"
    except ToolError as exc:
        sys.exit(f"build.py: {exc}")
    print(tag)


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").strip(), formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--target", choices=NAMES, default="lambda", help="what to build")
    parser.add_argument("--tag", help="tag of the image (default: from target and version)")
    parser.add_argument("--base", help="a different base image with Python 3.13")
    parser.add_argument("--platform", choices=PLATFORMS, help="default: this machine's")
    parser.add_argument("--push", action="store_true", help="push it to the registry in its tag")
    parser.add_argument(
        "--flags", metavar="TEXT", help="flags for the builder as one text, quoted as for a shell"
    )
    parser.add_argument("own", nargs="*", metavar="-- FLAG", help="flags for the builder itself")
    options = parser.parse_args()
    try:
        options.own += shlex.split(options.flags or "")
    except ValueError as exc:
        parser.error(f"--flags {options.flags!r}: {exc}")
    if options.push and not re.fullmatch(r".+/.+:[\w.-]+", options.tag or ""):
        parser.error("--push needs a --tag with a registry in it: REGISTRY/REPOSITORY:TAG")
    return options


def default_tag(target: str) -> str:
    """Default tag of an image."""
    return f"{NAMES[target]}:{version()}"


def origin() -> dict[str, str]:
    """Revision, source and version, for the image's labels."""
    changed = "-changed" if git("status", "--porcelain") else ""
    return {
        "revision": git("rev-parse", "HEAD") + changed or "unknown",
        "source": address(git("remote", "get-url", "origin")) or "unknown",
        "version": version(),
    }


def version() -> str:
    """The project's version."""
    found = re.search(r'__version__ = "(.+)"', (ROOT / "fft_tool/__init__.py").read_text("utf-8"))
    assert found is not None  # noqa: S101  (a test checks it)
    return found[1]


def address(remote: str) -> str:
    """Web address of a git remote, without user name and password."""
    found = re.fullmatch(
        r"(?:https://|ssh://)?(?:[^@/]*@)?([^/:]+\.[^/:]+)[:/](.+?)(?:\.git)?", remote
    )
    return f"https://{found[1]}/{found[2]}" if found else ""


def git(*words: str) -> str:
    """Output of git; empty if git or the repository is missing."""
    try:
        done = subprocess.run(
            ["git", "-C", ROOT, *words], capture_output=True, check=True, text=True
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()


if __name__ == "__main__":
    main()
