"""A fast S3 server on loopback for benchmarks: objects in memory, over HTTP/1.1.

``python loopback_s3.py`` prints its port and serves until its stdin ends. It supports GET,
HEAD and PUT with metadata, multipart uploads, and path-style addresses; signatures are not checked.
``GET /`` returns, as JSON, the number of requests by method since the last such request.

The ETag identifies the content but is not its MD5, which no client checks and which would take
longer than the transfer: 5 ms for 3 MB.
"""

from __future__ import annotations

import io
import json
import socketserver
import sys
import threading
import uuid
from collections import Counter
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from io import BufferedIOBase
from urllib.parse import parse_qsl, unquote

from isal import isal_zlib

Headers = dict[str, str]
Body = bytes | bytearray

_REASONS = {200: "OK", 404: "Not Found", 501: "Not Implemented"}
_KEPT = "content-type"
_USERS_OWN = "x-amz-meta-"
_NO_SUCH_KEY = b"<Error><Code>NoSuchKey</Code><Message>no such key</Message></Error>"
_NOT_HERE = b"<Error><Code>NotImplemented</Code><Message>not implemented</Message></Error>"
_STARTED = "<InitiateMultipartUploadResult><UploadId>{}</UploadId></InitiateMultipartUploadResult>"
_COMPLETE = "<CompleteMultipartUploadResult><ETag>{}</ETag></CompleteMultipartUploadResult>"


@dataclass(frozen=True, slots=True)
class Answer:
    """A status with headers and a body; ``shown`` says whether the body is sent."""

    status: int
    body: Body = b""
    headers: Headers = field(default_factory=dict)
    shown: bool = True

    @property
    def head(self) -> bytes:
        """Everything before the body."""
        entries = {"Content-Length": str(len(self.body)), **self.headers}
        lines = [f"HTTP/1.1 {self.status} {_REASONS[self.status]}"]
        lines += [f"{name}: {value}" for name, value in entries.items()]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


@dataclass(frozen=True, slots=True)
class Upload:
    """A multipart upload in progress: parts by number."""

    headers: Headers
    parts: dict[int, Body] = field(default_factory=dict)


class Objects:
    """The stored objects by path, and counts of requests."""

    def __init__(self) -> None:
        self._kept: dict[str, Answer] = {}
        self._uploads: dict[str, Upload] = {}
        self._asked: Counter[str] = Counter()
        self._lock = threading.Lock()

    def answer(self, method: str, target: str, headers: Headers, body: Body) -> Answer:
        """Process a request."""
        path, _, question = target.partition("?")
        path, query = unquote(path), dict(parse_qsl(question, keep_blank_values=True))
        if path == "/":
            return self._counts()
        with self._lock:
            self._asked[method] += 1
        if method in ("GET", "HEAD"):
            found = self._kept.get(path) or Answer(404, _NO_SUCH_KEY)
            return replace(found, shown=method == "GET")
        if method == "PUT" and not query:
            return self._keep(path, headers, body)
        return self._in_parts(method, path, query, headers, body)

    def _in_parts(
        self, method: str, path: str, query: dict[str, str], headers: Headers, body: Body
    ) -> Answer:
        """Start a multipart upload, store a part, or complete the upload."""
        match method, query:
            case "POST", {"uploads": _}:
                return self._begin(headers)
            case "PUT", {"uploadId": upload, "partNumber": number}:
                self._uploads[upload].parts[int(number)] = body
                return Answer(200, headers={"ETag": tag_of(body)})
            case "POST", {"uploadId": upload}:
                return self._complete(path, self._uploads.pop(upload))
        return Answer(501, _NOT_HERE)

    def _keep(self, path: str, headers: Headers, body: Body) -> Answer:
        tag = tag_of(body)
        own = {k: v for k, v in headers.items() if k == _KEPT or k.startswith(_USERS_OWN)}
        dated = {"ETag": tag, "Last-Modified": formatdate(usegmt=True)}
        self._kept[path] = Answer(200, body, {**own, **dated})
        return Answer(200, headers={"ETag": tag})

    def _begin(self, headers: Headers) -> Answer:
        upload = uuid.uuid4().hex
        self._uploads[upload] = Upload(headers)
        return Answer(200, _STARTED.format(upload).encode())

    def _complete(self, path: str, upload: Upload) -> Answer:
        body = b"".join(part for _, part in sorted(upload.parts.items()))
        kept = self._keep(path, upload.headers, body)
        return Answer(200, _COMPLETE.format(kept.headers["ETag"]).encode())

    def _counts(self) -> Answer:
        with self._lock:
            counts, self._asked = self._asked, Counter()
        return Answer(200, json.dumps(counts).encode())


class Connection(socketserver.StreamRequestHandler):
    """One client's requests, one after the other."""

    rbufsize = 1 << 16
    disable_nagle_algorithm = True
    server: Server

    def handle(self) -> None:
        """Answer requests until the client disconnects."""
        try:
            while line := self.rfile.readline():
                self._answer(line)
        except ConnectionError:
            pass  # the client was killed

    def _answer(self, line: bytes) -> None:
        method, target, _ = line.decode("latin-1").split(" ", 2)
        headers = read_headers(self.rfile)
        if headers.get("expect", "").lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = read_body(self.rfile, headers)
        answer = self.server.objects.answer(method, target, headers, body)
        self.connection.sendall(answer.head)
        if answer.shown:
            self.connection.sendall(answer.body)


class Server(socketserver.ThreadingTCPServer):
    """One thread per connection; connections are persistent."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Connection)
        self.objects = Objects()


def read_headers(stream: BufferedIOBase) -> Headers:
    """Read header lines up to the empty one; names are converted to lower case."""
    headers: Headers = {}
    while line := stream.readline().decode("latin-1").strip():
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return headers


def read_body(stream: BufferedIOBase, headers: Headers) -> Body:
    """Read the body, and decode HTTP's and AWS's chunked encodings."""
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = read_chunks(stream)
    else:
        body = bytearray(int(headers.get("content-length", 0)))
        stream.readinto(body)
    if "aws-chunked" in headers.get("content-encoding", ""):
        return read_chunks(io.BytesIO(body))
    return body


def read_chunks(stream: BufferedIOBase) -> bytearray:
    """Read chunks up to the empty one, and skip the trailers after it, such as a checksum."""
    whole = bytearray()
    while size := int(stream.readline().partition(b";")[0], 16):
        whole += stream.read(size)
        stream.readline()
    while stream.readline().strip():
        pass
    return whole


def tag_of(body: Body) -> str:
    """ETag of some bytes."""
    return f'"{isal_zlib.crc32(body):08x}{len(body):08x}"'


def main() -> None:
    """Serve until the process that started this one closes its stdin."""
    with Server() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(server.server_address[1], flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
