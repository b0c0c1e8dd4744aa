"""The local AWS as tests meet it: its commands as processes, and its services through boto3."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import psutil

from tests.support.command import SECONDS, Finished, environment
from tools.local_aws.clients import LocalAws
from tools.local_aws.emulator import Emulator
from tools.local_aws.resource import LOG_GROUP, NAME
from tools.log_tail import Json, Tail

# What a developer's machine may hold, none of which may ever be used.
REAL_KEY = "AKIAREALREALREALREAL"
NOWHERE = "http://127.0.0.1:1"
HOSTILE = {
    "AWS_PROFILE": "not-to-be-found",
    "AWS_ACCESS_KEY_ID": REAL_KEY,
    "AWS_SECRET_ACCESS_KEY": REAL_KEY,
    "AWS_SESSION_TOKEN": REAL_KEY,
    "AWS_ENDPOINT_URL": NOWHERE,
    "AWS_ENDPOINT_URL_S3": NOWHERE,
    "AWS_REGION": "mars-north-1",
    "AWS_USE_FIPS_ENDPOINT": "true",
    "HTTP_PROXY": NOWHERE,
    "http_proxy": NOWHERE,
    "NO_PROXY": "",
    "no_proxy": "",
    "SERVICES": "dynamodb",
    "PERSIST_STATE": "1",
}


@dataclass(frozen=True)
class Laptop:
    """A place for one local AWS: the folder of its state, and the port that it is to use."""

    state: Path
    port: int

    def run(self, command: str, *words: str | Path, **variables: str) -> Finished:
        """Run a command as ``make`` does, on a machine that is full of traps."""
        port = (
            ("--port", str(self.port))
            if command in ("up", "infra") and "--port" not in words
            else ()
        )
        finished = subprocess.run(
            [*_PROGRAM, command, *map(str, words), *port, "--state", str(self.state)],
            capture_output=True,
            env=environment(**{**HOSTILE, **variables}),
            timeout=SECONDS,
            check=False,
        )
        return Finished(finished.returncode, finished.stdout, finished.stderr.decode())

    def start(self, command: str, *words: str) -> subprocess.Popen[str]:
        """Start a command, to be read from and interrupted."""
        return subprocess.Popen(
            [*_PROGRAM, command, *words, "--state", str(self.state)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(**HOSTILE),
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509  (no other way to set the handler)
        )

    @property
    def emulator(self) -> Emulator:
        """What runs here."""
        return Emulator(self.state)

    def processes(self) -> list[psutil.Process]:
        """What runs here, told by its files rather than by its own mark."""
        return [
            process
            for process in psutil.process_iter(["cwd", "environ"])
            if str(process.info["cwd"]).startswith(str(self.state))
            or str((process.info["environ"] or {}).get("TMPDIR")).startswith(str(self.state))
        ]

    @property
    def key(self) -> str:
        """The access key of the run."""
        key: str = json.loads((self.state / "state.json").read_bytes())["key"]
        return key

    @property
    def aws(self) -> LocalAws:
        """Clients of its services."""
        return _clients(f"http://127.0.0.1:{self.port}", self.key)

    def put(self, key: str, data: bytes, **metadata: str) -> None:
        """Put an object as any program does."""
        self.aws.s3.put_object(Bucket=NAME, Key=key, Body=data, Metadata=metadata)

    def get(self, key: str) -> bytes:
        """Get an object."""
        data: bytes = self.aws.s3.get_object(Bucket=NAME, Key=key)["Body"].read()
        return data

    def record(self, key: str) -> dict[str, Any]:
        """Get a record."""
        record: dict[str, Any] = json.loads(self.get(key))
        return record

    def names(self, prefix: str = "") -> set[str]:
        """Names of all objects that begin so."""
        pages = self.aws.s3.get_paginator("list_objects_v2").paginate(Bucket=NAME, Prefix=prefix)
        return {entry["Key"] for page in pages for entry in page.get("Contents", [])}

    def wait_for_names(self, names: Iterable[str]) -> None:
        """Wait until all these objects are there."""
        wanted = set(names)
        wait_until(lambda: wanted <= self.names(), lambda: f"missing: {wanted - self.names()}")

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Let nothing go from the queue to the function meanwhile."""
        functions = self.aws.functions
        (mapping,) = functions.list_event_source_mappings(FunctionName=NAME)["EventSourceMappings"]
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
        try:
            yield
        finally:
            functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)

    def log(self, line: Json) -> None:
        """Write a line into the function's log in its place, as of a moment from now."""
        stream = {"logGroupName": LOG_GROUP, "logStreamName": uuid.uuid4().hex}
        event = {"timestamp": round(1000 * time.time()) + 2000, "message": json.dumps(line)}
        self.aws.logs.create_log_stream(**stream)
        self.aws.logs.put_log_events(**stream, logEvents=[event])

    def summaries(self) -> list[Json]:
        """All that the function has said of objects, in the order of time."""
        lines = (line.summary for line in Tail(self.aws.logs, LOG_GROUP).read())
        return [summary for summary in lines if summary]


@contextlib.contextmanager
def started(state: Path) -> Iterator[Laptop]:
    """Run a local AWS with its files in ``state``, none of which stays."""
    place = Laptop(state, free_port())
    try:
        done = place.run("up")
        assert done.code == 0, done.err
        yield place
    finally:
        place.emulator.stop()


@cache
def _clients(endpoint: str, key: str) -> LocalAws:
    return LocalAws(endpoint, key)


_PROGRAM = (sys.executable, "-W", "error", "-m", "tools.local_aws")


def wait_until(
    happens: Callable[[], bool], tell: Callable[[], str] = str, *, seconds: float = SECONDS
) -> None:
    """Wait for a condition, and fail with what ``tell`` says if it does not come about."""
    deadline = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < deadline, tell()
        time.sleep(0.05)


def free_port() -> int:
    """A port at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
