"""ministack as a process in the background, and the folder with everything that it keeps."""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from tools.local_aws.errors import LocalError
from tools.local_aws.front import KEY

HOST = "127.0.0.1"
REGION = "eu-central-1"
FRONT = Path(__file__).with_name("front.py")
PATIENCE = 30.0  # seconds that it is given to start

# In the environment of its processes, the function's among them, to tell them from all others.
MARK = "LOCAL_AWS"

# What it may see of the developer's environment: nothing that could lead to a real account, to a
# proxy, to Docker or to another configuration. The function inherits all that it sees.
KEPT = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


def credentials(key: str) -> dict[str, str]:
    """Credentials of a run: its key, and a secret that is none.

    The key is the session token, too. The emulator hands it on to the function, whose access key is
    the number of the account, and takes presigned links only from who has the same.
    """
    secret = "local"  # noqa: S105
    return {
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_SESSION_TOKEN": key,
    }


@dataclass(frozen=True, slots=True)
class Running:
    """An emulator that runs: its process, the port at which it answers, and to whom."""

    pid: int
    port: int
    key: str  # without which it answers nobody

    @property
    def endpoint(self) -> str:
        """The address of all its services."""
        return f"http://{HOST}:{self.port}"


class Emulator:
    """At most one ministack, with its log, its temporary files and its state in ``folder``.

    The state is written when everything has been made and removed with the process; what cannot
    be trusted (no such process, another program's process, no answer) counts as not running.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.log = self.folder / "ministack.log"
        self._state = self.folder / "state.json"
        self._temporary = self.folder / "tmp"

    def running(self) -> Running | None:
        """Tell what runs, has everything made in it, and answers."""
        try:
            state = Running(**json.loads(self._state.read_bytes()))
        except (OSError, ValueError, TypeError):
            return None
        alive = state.pid in (process.pid for process in self.processes())
        return state if alive and _answers(state.port, state.key) else None

    def processes(self) -> list[psutil.Process]:
        """All processes of it that live: those that run the function, and what these have started.

        One that has ended has no environment any more, whether or not it has been waited for. The
        function's own children, which decode images, never had the mark in theirs.
        """
        marked = [
            process
            for process in psutil.process_iter(["environ"])
            if (process.info["environ"] or {}).get(MARK) == str(self.folder)
        ]
        return list({*marked, *(child for process in marked for child in _children(process))})

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Wait until nobody else starts or stops it, and let nobody do so meanwhile."""
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.folder.parent, os.O_RDONLY)  # the folder itself comes and goes
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    @contextlib.contextmanager
    def starting(self, port: int) -> Iterator[Running]:
        """Start it, to have things made in it; if that fails, nothing stays behind."""
        self.stop()  # what a former run may have left, which may be what takes the port
        _refuse_taken(port)
        try:
            running = self._start(port)
            yield running
            self._state.touch(mode=0o600)
            self._state.write_text(json.dumps(asdict(running)))
        except BaseException:
            self.stop(keep_log=True)
            raise

    def stop(self, *, keep_log: bool = False) -> bool:
        """End all its processes and remove all its files; tells whether any process was there.

        They are killed: there is nothing that they could want to save.
        """
        found: set[psutil.Process] = set()  # with those whose parent has ended before them
        deadline = time.monotonic() + PATIENCE
        while living := [process for process in found | {*self.processes()} if _lives(process)]:
            found.update(living)
            for process in living:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
            if time.monotonic() > deadline:
                pids = ", ".join(str(process.pid) for process in living)
                raise LocalError(f"cannot be stopped: end process {pids} by hand")
            time.sleep(0.02)
        self._remove(keep_log=keep_log)
        return bool(found)

    def _remove(self, *, keep_log: bool) -> None:
        shutil.rmtree(self._temporary, ignore_errors=True)
        self._state.unlink(missing_ok=True)
        if not keep_log:
            self.log.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # not there, or not empty
            self.folder.rmdir()

    def _start(self, port: int) -> Running:
        # Nobody else on this machine is to read the key, or what is kept.
        self.folder.mkdir(mode=0o700, exist_ok=True)
        if self.folder.stat().st_uid != os.geteuid():
            raise LocalError(f"{self.folder} is somebody else's: take another one, with --state")
        self.folder.chmod(0o700)
        self._temporary.mkdir()
        key = f"LOCAL{secrets.token_hex(8).upper()}"  # links with it fit a line
        self.log.touch(mode=0o600)
        with self.log.open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-P", str(FRONT)],
                cwd=self.folder,
                env=self._environment(port, key),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C in this terminal is not meant for it
                umask=0o077,
            )
        self._wait(process, port, key)
        process.returncode = 0  # it outlives this one, which need not warn of that
        return Running(process.pid, port, key)

    def _wait(self, process: subprocess.Popen[bytes], port: int, key: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not _answers(port, key):
            if process.poll() is not None or time.monotonic() > deadline:
                lines = self.log.read_text(errors="replace").strip().splitlines()
                raise LocalError(
                    f"ministack does not start on port {port}: "
                    f"{lines[-1] if lines else 'it says nothing'} (all of it: {self.log})"
                )
            time.sleep(0.05)

    def _environment(self, port: int, key: str) -> dict[str, str]:
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        temporary = str(self._temporary)
        return {
            **kept,
            MARK: str(self.folder),
            "BIND_HOST": HOST,  # else it listens on all interfaces
            "GATEWAY_PORT": str(port),
            KEY: key,
            **credentials(key),  # the function gets the token, and presigned links are checked
            "MINISTACK_HOST": HOST,
            "MINISTACK_REGION": REGION,
            "IOT_MTLS_ENABLED": "0",  # else it listens on port 8883 too
            "SFTP_ENABLED": "0",
            "DOCKER_HOST": f"unix://{temporary}/no-docker",  # else it removes containers of others
            "HOME": temporary,
            "TMPDIR": temporary,
            "STATE_DIR": temporary,
            "S3_DATA_DIR": temporary,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "PYTHONUTF8": "1",
        }


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return list(process.children(recursive=True))
    except psutil.NoSuchProcess:
        return []


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _answers(port: int, key: str) -> bool:
    """Whether a ministack with this key answers at a port."""
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/_ministack/health", headers={"X-Amz-Security-Token": key})
        answer: Any = json.loads(connection.getresponse().read())
    except (OSError, ValueError, http.client.HTTPException):
        return False
    else:
        return isinstance(answer, dict) and "edition" in answer
    finally:
        connection.close()


def _refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        if probe.connect_ex((HOST, port)):
            return
    raise LocalError(
        f"port {port} is taken{_owner(port)}: end that, or take another one, such as "
        f"`make up PORT={port + 1 if port < 65535 else port - 1}`"
    )


def _owner(port: int) -> str:
    """Who listens at a port, where the operating system tells."""
    with contextlib.suppress(psutil.Error, OSError):
        for connection in psutil.net_connections("tcp"):
            listens = connection.status == psutil.CONN_LISTEN
            if listens and connection.laddr.port == port and connection.pid:
                return f" by {psutil.Process(connection.pid).name()} (process {connection.pid})"
    return ""
