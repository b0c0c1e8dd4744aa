"""``make serve-stack``: the service with PostgreSQL, Redis and a local AWS, by Docker's Compose.

    python3 -m tools.stack

The first run writes docker/.env, with secrets made at random; docs/service-hosting.md describes
what else it may hold. The stack runs until ``docker compose down``, and its data longer.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
from pathlib import Path

from tools.errors import ToolError
from tools.image.builders import ROOT
from tools.say import say

FILE = "docker/compose.yaml"
ENV = ROOT / "docker" / ".env"
COMPOSE = ("docker", "compose", "--file", FILE)
REQUIRED = ("SECRET_KEY", "POSTGRES_PASSWORD")
SECONDS = 300  # until everything has to be healthy

NO_DOCKER = """Docker is not installed.
  Install Docker with its Compose plugin: https://docs.docker.com/engine/install/
  Without Docker, `make serve` runs the same service with SQLite and folders."""
NO_COMPOSE = """Docker is installed, but not its Compose plugin, version 2 or newer.
  Install it: https://docs.docker.com/compose/install/linux/"""
NO_DAEMON = """Docker does not answer: {reason}
  Start it (Docker Desktop, or `sudo systemctl start docker`), and see that you may use it."""

FAILED = """the stack is not healthy. What its services say:
  {compose} ps --all
  {compose} logs --tail 50"""

NEXT = """\
make a key, see the log, stop, and delete all data:
  {compose} exec service fft-service keys make --tenant NAME
  {compose} logs --follow service worker
  {compose} down
  {compose} down --volumes"""


def main() -> None:
    """Start the stack, and tell how to use it; exit with 1 unless it is healthy."""
    try:
        find_docker()
        if write_env(ENV):
            say(f"stack: {ENV.relative_to(ROOT)} has new secrets: keep it, the data needs them")
        say("stack: building and starting; the first time takes some minutes")
        start()
        say(f"stack: the service is healthy at {address()}")
        say(NEXT.format(compose=" ".join(COMPOSE)))
    except ToolError as exc:
        sys.exit(f"stack.py: {exc}")
    except KeyboardInterrupt:
        sys.exit(130)


def find_docker() -> None:
    """See that Docker, its Compose plugin and its daemon can be used."""
    if not shutil.which("docker"):
        raise ToolError(NO_DOCKER)
    if _try("docker", "compose", "version").returncode:
        raise ToolError(NO_COMPOSE)
    tried = _try("docker", "version")
    if tried.returncode:
        lines = tried.stderr.strip().splitlines() or ["no reason given"]
        raise ToolError(NO_DAEMON.format(reason=lines[-1]))


def write_env(path: Path) -> bool:
    """Add the required variables that neither the file nor the environment has; whether any was."""
    text = path.read_text("utf-8") if path.exists() else ""
    there = {line.partition("=")[0].strip() for line in text.splitlines()}
    new = [name for name in REQUIRED if name not in there and not os.environ.get(name)]
    if not new:
        return False
    if text and not text.endswith("\n"):
        text += "\n"
    text += "".join(f"{name}={secrets.token_hex(24)}\n" for name in new)
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(text, "utf-8")
    return True


def start() -> None:
    """Build what is ours, start everything, and wait until it is healthy."""
    words = [*COMPOSE, "up", "--build", "--detach", "--wait", "--wait-timeout", str(SECONDS)]
    if subprocess.run(words, cwd=ROOT, check=False).returncode:
        raise ToolError(FAILED.format(compose=" ".join(COMPOSE)))


def address() -> str:
    """Address at which Compose has published the service."""
    asked = _try(*COMPOSE, "port", "service", "10000")
    if asked.returncode:
        raise ToolError(f"the service's port is not published: {asked.stderr.strip()}")
    return f"http://{asked.stdout.strip()}"


def _try(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)


if __name__ == "__main__":
    main()
