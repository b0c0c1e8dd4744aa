"""ministack as a background process, and the folder of its files."""

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

from tools.errors import ToolError
from tools.local_aws.front import KEY

HOST = "127.0.0.1"
REGION = "eu-central-1"
FRONT = Path(__file__).with_name("front.py")
PATIENCE = 30.0  # seconds that starting or stopping may take

# This variable identifies its processes, including those of the function, by their environment.
MARK = "LOCAL_AWS"

# Variables that the emulator and the function inherit from the developer's environment: none that
# could lead to a real account, a proxy, Docker or a different configuration.
KEPT = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


def credentials(key: str) -> dict[str, str]:
    """Credentials of a run: its key, and a dummy secret.

    The key also serves as the session token: the emulator passes the token on to the function,
    whose access key is the account number, and accepts presigned links only with this token.
    """
    secret = "local"  # noqa: S105
    return {
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_SESSION_TOKEN": key,
    }


@dataclass(frozen=True, slots=True)
class Running:
    """A running emulator: its process, its port, and the key of its clients."""

    pid: int
    port: int
    key: str  # requests without it are refused

    @property
    def endpoint(self) -> str:
        """Address of all its services."""
        return f"http://{HOST}:{self.port}"


class Emulator:
    """At most one ministack, with its log, its temporary files and its state in ``folder``.

    The state file is written once all resources exist, and removed with the process. The emulator
    counts as stopped if the state file does not match a running process that answers.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.log = self.folder / "ministack.log"
        self._state = self.folder / "state.json"
        self.temporary = self.folder / "tmp"

    def running(self) -> Running | None:
        """The emulator, if it is running, has all its resources and answers."""
        try:
            state = Running(**json.loads(self._state.read_bytes()))
        except (OSError, ValueError, TypeError):
            return None
        alive = state.pid in (process.pid for process in self.processes())
        return state if alive and _answers(state.port, state.key) else None

    def died(self) -> str | None:
        """The last log line of a run that did not end by :meth:`stop`; None if there was none."""
        if not self._state.exists() or self.running():
            return None
        try:
            lines = self.log.read_text(errors="replace").split("\n")
        except OSError:
            lines = []
        return next((line.strip() for line in reversed(lines) if line.strip()), "nothing")

    def processes(self) -> list[psutil.Process]:
        """Its living processes: the emulator, those that run the function, and their children.

        A process that has ended no longer has an environment, even before its parent has waited
        for it. The function's children, which decode images, do not inherit the variable.
        """
        marked = [
            process
            for process in psutil.process_iter(["environ"])
            if (process.info["environ"] or {}).get(MARK) == str(self.folder)
        ]
        return list({*marked, *(child for process in marked for child in _children(process))})

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold a lock, so that two commands never start or stop it at the same time."""
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.folder.parent, os.O_RDONLY)  # the folder itself may not exist
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    @contextlib.contextmanager
    def starting(self, port: int) -> Iterator[Running]:
        """Start it so that its resources can be created; if either fails, clean up."""
        self.stop()  # a previous run may have left a process that holds the port
        _check_port_is_free(port)
        try:
            running = self._start(port)
            yield running
            self._state.touch(mode=0o600)
            self._state.write_text(json.dumps(asdict(running)))
        except BaseException:
            self.stop(keep_log=True)
            raise

    def stop(self, *, keep_log: bool = False) -> bool:
        """Kill its processes, which have no data to save, and remove its files.

        Returns whether there were any processes.
        """
        found: set[psutil.Process] = set()  # includes processes whose parent ended first
        deadline = time.monotonic() + PATIENCE
        while living := [process for process in found | {*self.processes()} if _is_alive(process)]:
            found.update(living)
            for process in living:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
            if time.monotonic() > deadline:
                pids = ", ".join(str(process.pid) for process in living)
                raise ToolError(f"cannot be stopped: end process {pids} yourself")
            time.sleep(0.02)
        self._remove(keep_log=keep_log)
        return bool(found)

    def _remove(self, *, keep_log: bool) -> None:
        shutil.rmtree(self.temporary, ignore_errors=True)
        self._state.unlink(missing_ok=True)
        if not keep_log:
            self.log.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # missing or not empty
            self.folder.rmdir()

    def _start(self, port: int) -> Running:
        # No other user of this machine may read the key or the files.
        self.folder.mkdir(mode=0o700, exist_ok=True)
        if self.folder.stat().st_uid != os.geteuid():
            raise ToolError(
                f"{self.folder} belongs to another user: choose another folder with --state"
            )
        self.folder.chmod(0o700)
        self.temporary.mkdir()
        key = f"LOCAL{secrets.token_hex(8).upper()}"  # short, so that a link fits on a line
        self.log.touch(mode=0o600)
        with self.log.open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-P", str(FRONT)],
                cwd=self.folder,
                env=self._environment(port, key),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C in this terminal must not reach it
                umask=0o077,
            )
        self._wait(process, port, key)
        process.returncode = 0  # it outlives this process; this avoids a ResourceWarning
        return Running(process.pid, port, key)

    def _wait(self, process: subprocess.Popen[bytes], port: int, key: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not _answers(port, key):
            if process.poll() is not None or time.monotonic() > deadline:
                lines = self.log.read_text(errors="replace").strip().splitlines()
                raise ToolError(
                    f"ministack does not start on port {port}: "
                    f"{lines[-1] if lines else 'its log is empty'} (log: {self.log})"
                )
            time.sleep(0.05)

    def _environment(self, port: int, key: str) -> dict[str, str]:
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        temporary = str(self.temporary)
        return {
            **kept,
            MARK: str(self.folder),
            "BIND_HOST": HOST,  # the default is all interfaces
            "GATEWAY_PORT": str(port),
            KEY: key,
            # The token reaches the function, and presigned links are checked against it.
            **credentials(key),
            "MINISTACK_HOST": HOST,
            "MINISTACK_REGION": REGION,
            "IOT_MTLS_ENABLED": "0",  # would also listen on port 8883
            "SFTP_ENABLED": "0",
            "DOCKER_HOST": f"unix://{temporary}/no-docker",  # it would remove unrelated containers
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


def _is_alive(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _answers(port: int, key: str) -> bool:
    """Whether a ministack with this key answers on a port."""
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


def _check_port_is_free(port: int) -> None:
    with socket.socket() as probe:
        if probe.connect_ex((HOST, port)):
            return
    raise ToolError(
        f"port {port} is in use{_owner(port)}: end that process, or choose another port: "
        f"`make up PORT={port + 1 if port < 65535 else port - 1}`"
    )


def _owner(port: int) -> str:
    """The process that listens on a port, if the operating system reveals it."""
    with contextlib.suppress(psutil.Error, OSError):
        for connection in psutil.net_connections("tcp"):
            listens = connection.status == psutil.CONN_LISTEN
            if listens and connection.laddr.port == port and connection.pid:
                return f" by {psutil.Process(connection.pid).name()} (process {connection.pid})"
    return ""
