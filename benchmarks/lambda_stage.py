"""The functions that are compared, run by Amazon's own runtime client, and the S3 they share."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import reference
from contenders import OURS
from images import decoded, pink, pink_file
from lambda_plan import Share
from measure import CommandFailed
from reference import Codes, Look, Reference, check_pictures

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT))  # for this module and for those that import it

from tests.support.runtime import Answer, Function  # noqa: E402  (lies beside this folder)

PLAIN = "plain handler"
BUCKET = "bucket"
YARDSTICK = "benchmarks.scripts.yardstick.handle"
LOOPBACK_S3 = ROOT / "benchmarks" / "scripts" / "loopback_s3.py"


def notification(key: str) -> dict[str, Any]:
    """S3's notification of an upload."""
    record = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "us-east-1",
        "eventTime": "2026-11-20T12:00:00.000Z",
        "eventName": "ObjectCreated:Put",
        "userIdentity": {"principalId": "AWS:AIDAEXAMPLE"},
        "requestParameters": {"sourceIPAddress": "192.0.2.1"},
        "responseElements": {"x-amz-request-id": "D82B88E5F771F645"},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "images",
            "bucket": {"name": BUCKET, "arn": f"arn:aws:s3:::{BUCKET}"},
            "object": {"key": quote(key), "sequencer": "0A1B2C3D4E5F678901"},
        },
    }
    return {"Records": [record]}


def message(key: str) -> dict[str, Any]:
    """The same notification in a message of a queue."""
    record = {
        "messageId": "059f36b4-87a3-44ab-83d2-661975830a7d",
        "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
        "body": json.dumps(notification(key)),
        "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1795089600000"},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:images",
        "awsRegion": "us-east-1",
    }
    return {"Records": [record]}


@dataclass(frozen=True, slots=True)
class Contender:
    """A handler, its events, and the look of its pictures; ``slug`` is a prefix of its objects.

    The events are those it would receive: ours through a queue, the plain one from S3 itself.
    """

    name: str
    slug: str
    handler: str
    event: Callable[[str], dict[str, Any]]
    look: Look

    def stem(self, side: int) -> str:
        """Prefix of the names of its objects of this size."""
        return f"{self.slug}{side}"

    def call(self, function: Function, stem: str) -> Answer:
        """Have it process an image."""
        answer = function.invoke(self.event(f"input/{stem}.png"))
        if answer.error or (answer.result or {}).get("batchItemFailures"):
            raise CommandFailed(f"{self.name}, {stem}: {answer.error or answer.result}")
        return answer


CONTENDERS = (
    Contender(OURS, "ours", "handler.entry.handle", message, reference.fixed),
    Contender(
        PLAIN,
        "plain",
        "benchmarks.scripts.plain_handler.handle",
        notification,
        reference.stretched,
    ),
)


@dataclass(frozen=True, slots=True)
class LoopbackS3:
    """The server of ``scripts/loopback_s3.py``."""

    port: int

    @property
    def url(self) -> str:
        """Value of ``AWS_ENDPOINT_URL``."""
        return f"http://127.0.0.1:{self.port}"

    def put(self, key: str, data: bytes, headers: Mapping[str, str]) -> None:
        """Put an object."""
        self._ask("PUT", f"/{BUCKET}/{key}", data, headers)

    def get(self, key: str) -> bytes:
        """Get an object."""
        return self._ask("GET", f"/{BUCKET}/{key}")

    def requests(self) -> dict[str, int]:
        """Number of requests by method since the last call."""
        counts: dict[str, int] = json.loads(self._ask("GET", "/"))
        return counts

    def _ask(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, dict(headers or {}))
            response = connection.getresponse()
            data = response.read()
        finally:
            connection.close()
        if response.status != http.client.OK:
            raise CommandFailed(f"{method} {path}: {response.status}")
        return data


@dataclass(frozen=True, slots=True)
class Stage:
    """The environment: functions run on the first of ``cores``, S3 and this process on the last."""

    s3: LoopbackS3
    cores: tuple[int, ...]

    def place(self, contender: Contender, side: int, **metadata: str) -> str:
        """Upload an image for a contender; returns the prefix of the names of its objects."""
        stem = contender.stem(side) + "".join(metadata.values())
        headers = {f"x-amz-meta-{name}": text for name, text in metadata.items()}
        self.s3.put(f"input/{stem}.png", pink_file(side), {"Content-Type": "image/png", **headers})
        return stem

    @contextmanager
    def running(self, handler: str, share: Share) -> Iterator[Function]:
        """Run a handler as a function for as long as the context lasts."""
        environ = {"AWS_ENDPOINT_URL": self.s3.url}
        with Function(handler, memory=share.memory, environ=environ) as function:
            # The function has just started and has one thread. Starting it on its cores directly
            # would mean moving this process there and back, with all of its threads.
            os.sched_setaffinity(function.process.pid, self.cores[: share.cores])
            yield function

    def check(self, contender: Contender, function: Function, side: int) -> None:
        """Compare a contender's pictures with numpy's."""
        stem = self.place(contender, side)
        contender.call(function, stem)
        pictures = (
            decoded(self.s3.get(f"output/{stem}_{kind}.png")) for kind in ("magnitude", "phase")
        )
        check_pictures(Codes(*pictures), Reference.of(pink(side)), contender.look)


@contextmanager
def open_stage() -> Iterator[Stage]:
    """Start S3, and restrict it and this process to the last core."""
    before = os.sched_getaffinity(0)
    cores = tuple(sorted(before)[:3])
    os.sched_setaffinity(0, cores[-1:])
    command = [sys.executable, str(LOOPBACK_S3)]
    try:
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as server:
            assert server.stdout is not None  # noqa: S101  (a pipe was asked for)
            yield Stage(LoopbackS3(int(server.stdout.readline())), cores)
    finally:
        os.sched_setaffinity(0, before)
