"""S3 as the tests meet it: a bucket seen through boto3, and a server with canned answers."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

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

    def put(self, key: str, data: bytes) -> None:
        """Put an object."""
        self.client.put_object(Bucket=self.name, Key=key, Body=data)

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
def answering(*statuses: int) -> Iterator[str]:
    """Run a server that answers with these statuses in turn, the last one for ever; its URL."""
    todo = list(statuses)

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(todo.pop(0) if len(todo) > 1 else todo[0])
            for name, value in _HEADERS.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(b"data")

        do_GET = do_PUT = do_HEAD = answer  # noqa: N815  (the names that http.server calls)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


_HEADERS = {
    "Content-Length": "4",
    "ETag": '"0"',
    "Last-Modified": "Fri, 20 Nov 2026 00:00:00 GMT",
}
