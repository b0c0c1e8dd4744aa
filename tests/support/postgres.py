"""A PostgreSQL server of the tests' own: its own port, folder and unprivileged user."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

PASSWORD = "s3cret-of-the-tests"  # noqa: S105  (of a server that ends with the tests)
USER, NAME = "fft", "stats"
SECONDS = 60  # after which a server is stuck


@dataclass
class Postgres:
    """A server with a database, and what is needed to stop and start it again."""

    binaries: Path
    folder: Path
    port: int
    settings: Sequence[str] = field(default_factory=tuple)

    def url(self, host: str = "127.0.0.1", *, password: str = PASSWORD, options: str = "") -> str:
        """Address of the database."""
        return f"postgresql://{USER}:{password}@{host}:{self.port}/{NAME}{options}"

    @property
    def socket_url(self) -> str:
        """Address of the database through a socket."""
        return f"postgresql://{USER}:{PASSWORD}@/{NAME}?host={self.folder}&port={self.port}"

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        words = [f"-p {self.port}", f"-k {self.folder}", "-c fsync=off", *self.settings]
        self._control("start", "-w", "-l", str(self.folder / "log"), "-o", " ".join(words))

    def stop(self) -> None:
        """Stop the server at once, as a crash would."""
        self._control("stop", "-m", "immediate")

    def query(self, text: str) -> str:
        """What ``psql`` answers to a query."""
        words = ["psql", "-X", "-A", "-t", self.url(), "-c", text]
        return subprocess.check_output(words, text=True, cwd=self.folder).strip()

    def _control(self, *words: str) -> None:
        run_as_nobody(str(self.binaries / "pg_ctl"), "-D", str(self.folder / "data"), *words)


@contextlib.contextmanager
def postgres(*settings: str) -> Iterator[Postgres]:
    """Run a server while the ``with`` statement lasts; skip the test where there is none."""
    binaries = _binaries()
    # Not below pytest's folder, which other users may not enter; and sockets need short paths.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, *_nobody())
        secret = folder / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        run_as_nobody(
            str(binaries / "initdb"),
            *("-D", str(folder / "data"), "-U", USER, "-A", "scram-sha-256"),
            *("--pwfile", str(secret), "-E", "UTF8", "--locale", "C", "--no-sync"),
        )
        server = Postgres(binaries, folder, _free_port(), settings)
        server.start()
        try:
            admin = server.url().removesuffix(NAME) + "postgres"
            words = ["psql", "-X", "-q", admin, "-c", f"CREATE DATABASE {NAME}"]
            subprocess.run(words, check=True, cwd=folder)
            yield server
        finally:
            with contextlib.suppress(subprocess.CalledProcessError):  # a test may have stopped it
                server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run_as_nobody(*words: str) -> None:
    """Run a program that refuses to be run by root."""
    user, group = _nobody() if os.geteuid() == 0 else (None, None)
    subprocess.run(
        words,
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        timeout=SECONDS,
        user=user,
        group=group,
    )


def _nobody() -> tuple[str, int]:
    """Name and group of a user without rights: PostgreSQL's own, if there is one."""
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return name, pwd.getpwnam(name).pw_gid
    pytest.skip("there is no user to run PostgreSQL as")


def _binaries() -> Path:
    """Folder of the newest PostgreSQL that is installed."""
    debian = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    found = sorted((path.parent for path in debian), key=lambda path: int(path.parent.name))
    if found:
        return found[-1]
    if not (initdb := shutil.which("initdb")):
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    return Path(initdb).parent


def _free_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port: int = unused.getsockname()[1]
        return port
