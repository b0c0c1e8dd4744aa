"""``make serve-stack``: what it says and does, with a Docker that notes what it is asked for."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import tools.stack
from tests.support.image_builds import ROOT

DOCKER = f"""#!{sys.executable}
import json, os, re, sys
words = sys.argv[1:]
print(json.dumps(words), file=open(os.environ["NOTES"], "a"))
failing = os.environ.get("FAILING")
if failing and re.search(failing, " ".join(words)):
    print("it failed for a reason", file=sys.stderr)
    sys.exit(1)
if "port" in words:
    print("127.0.0.1:10000")
"""


@dataclass
class Docker:
    """A folder of programs, with a Docker that notes its arguments in a file."""

    folder: Path

    def run(self, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run ``tools.stack`` on a copy of what it needs."""
        return subprocess.run(
            [sys.executable, "-m", "tools.stack"],
            cwd=self.folder,
            env={
                "PATH": str(self.folder / "bin"),
                "NOTES": str(self.folder / "notes"),
                **variables,
            },
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def asked(self) -> list[list[str]]:
        """What Docker was asked for, call by call."""
        notes = self.folder / "notes"
        return [json.loads(line) for line in notes.read_text().splitlines()]


@pytest.fixture
def docker(tmp_path: Path) -> Docker:
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "docker"
    program.write_text(DOCKER)
    program.chmod(0o755)
    (tmp_path / "docker").mkdir()
    (tmp_path / "fft_tool").symlink_to(ROOT / "fft_tool")
    for path in (ROOT / "tools").rglob("*.py"):
        copy = tmp_path / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    return Docker(tmp_path)


def test_the_first_run_makes_secrets_that_later_ones_keep(docker: Docker) -> None:
    done = docker.run()
    assert done.returncode == 0, done.stderr
    path = docker.folder / "docker" / ".env"
    text = path.read_text()
    given = dict(line.split("=") for line in text.splitlines())
    assert set(given) == set(tools.stack.REQUIRED)
    assert all(len(secret) >= 32 for secret in given.values())
    assert given["SECRET_KEY"] != given["POSTGRES_PASSWORD"]
    assert path.stat().st_mode & 0o777 == 0o600
    assert not any(secret in done.stdout + done.stderr for secret in given.values())
    assert docker.run().returncode == 0
    assert path.read_text() == text


def test_what_is_set_already_is_kept(docker: Docker) -> None:
    path = docker.folder / "docker" / ".env"
    path.write_text("PORT=80\nSECRET_KEY=mine")
    assert docker.run(POSTGRES_PASSWORD="given").returncode == 0  # noqa: S106  (for a test)
    assert path.read_text() == "PORT=80\nSECRET_KEY=mine"


def test_it_waits_until_everything_is_healthy_and_tells_the_address(docker: Docker) -> None:
    done = docker.run()
    (up,) = [words for words in docker.asked if "up" in words]
    assert up[0] == "compose"
    assert {"--build", "--detach", "--wait"} <= set(up)
    assert "the service is healthy at http://127.0.0.1:10000" in done.stderr
    assert "fft-service keys make" in done.stderr


def test_without_docker_it_says_what_to_do(docker: Docker) -> None:
    (docker.folder / "bin" / "docker").unlink()
    done = docker.run()
    assert done.returncode == 1
    assert "Docker is not installed" in done.stderr
    assert "make serve" in done.stderr
    assert "https://docs.docker.com/" in done.stderr
    assert not (docker.folder / "docker" / ".env").exists()


@pytest.mark.parametrize(
    ("failing", "told"),
    [
        ("^compose version", "not its Compose plugin"),
        ("^version", "Docker does not answer: it failed for a reason"),
        (" up ", "the stack is not healthy"),
        (" port ", "the service's port is not published: it failed for a reason"),
    ],
)
def test_a_failure_is_told_and_is_a_failure(docker: Docker, failing: str, told: str) -> None:
    done = docker.run(FAILING=failing)
    assert done.returncode == 1
    assert told in done.stderr
    assert "healthy at" not in done.stderr
    assert "Traceback" not in done.stderr


def test_secrets_are_not_committed(repository: Path) -> None:
    words = ["git", "-C", str(repository), "check-ignore", "--quiet", "docker/.env"]
    assert subprocess.run(words, check=False).returncode == 0
