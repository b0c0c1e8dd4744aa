"""S3 as the tests meet it: a bucket seen through boto3, and a server with canned answers."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.support.server import LoopbackServer

Request = BaseHTTPRequestHandler
REGION = "eu-central-1"


@dataclass(frozen=True)
class Bucket:
    """A bucket, seen through AWS's own client rather than through the project's."""

    name: str
    endpoint: str

    @cached_property
    def client(self) -> Any:
        """The boto3 client."""
        import boto3  # noqa: PLC0415  (costs half a second, and few tests need it)

        return boto3.client("s3", endpoint_url=self.endpoint, region_name=REGION)

    @property
    def url(self) -> str:
        """How the project's own interfaces name it."""
        return f"s3://{self.name}"

    def create(self) -> None:
        """Make the bucket."""
        where = {"LocationConstraint": REGION}
        self.client.create_bucket(Bucket=self.name, CreateBucketConfiguration=where)

    def put(self, key: str, data: bytes, **metadata: str) -> None:
        """Put an object."""
        self.client.put_object(Bucket=self.name, Key=key, Body=data, Metadata=metadata)

    def get(self, key: str) -> bytes:
        """Give an object's bytes."""
        data: bytes = self.client.get_object(Bucket=self.name, Key=key)["Body"].read()
        return data

    def delete(self, key: str) -> None:
        """Delete an object."""
        self.client.delete_object(Bucket=self.name, Key=key)

    def head(self, key: str) -> dict[str, Any]:
        """Give what S3 keeps beside an object."""
        answer: dict[str, Any] = self.client.head_object(Bucket=self.name, Key=key)
        return answer

    def keys(self) -> list[str]:
        """Give the names of all objects."""
        found = self.client.list_objects_v2(Bucket=self.name).get("Contents", [])
        return [entry["Key"] for entry in found]


@contextlib.contextmanager
def serving(answer: Callable[[Request], None]) -> Iterator[str]:
    """Run a server that has every request answered by ``answer``; its URL."""

    class Handler(BaseHTTPRequestHandler):
        def respond(self) -> None:
            answer(self)

        do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = respond  # noqa: N815  (http.server's)

        def log_message(self, *_: Any) -> None:
            pass

    with LoopbackServer(Handler) as server:
        yield f"http://{server.address}"


@contextlib.contextmanager
def answering(*statuses: int, asked: list[str] | None = None) -> Iterator[str]:
    """Run a server that answers with these statuses in turn, the last one for ever; its URL.

    ``asked`` is given the first line of every request.
    """
    todo = list(statuses)

    def answer(request: Request) -> None:
        if asked is not None:
            asked.append(request.requestline)
        request.rfile.read(int(request.headers.get("Content-Length", 0)))
        body = b"" if request.command == "PUT" else b"data"
        begin(request, len(body), status=todo.pop(0) if len(todo) > 1 else todo[0])
        if request.command != "HEAD":
            request.wfile.write(body)

    with serving(answer) as url:
        yield url


def begin(
    request: Request, size: int, headers: Mapping[str, str] | None = None, *, status: int = 200
) -> None:
    """Answer with the headers of an object, and with others if they are given."""
    request.send_response(status)
    for name, value in (_HEADERS | {"Content-Length": str(size)} | dict(headers or {})).items():
        request.send_header(name, value)
    request.end_headers()


_HEADERS = {
    "ETag": '"0"',
    "Last-Modified": "Fri, 20 Nov 2026 00:00:00 GMT",
}
