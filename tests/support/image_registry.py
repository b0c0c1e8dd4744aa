"""A container registry on loopback, which takes what is pushed to it and keeps it in memory.

Manifests can be fetched; with ``token``, only with that token, which it gives to whoever asks.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

from tests.support.server import LoopbackServer

BLOB = re.compile(r"/v2/.+/blobs/(sha256:[0-9a-f]{64})")
UPLOAD = re.compile(r"/v2/.+/blobs/uploads/(\w*)")
MANIFEST = re.compile(r"/v2/.+/manifests/(.+)")


class Registry(LoopbackServer):
    """Serves from the moment it is made until it is closed."""

    def __init__(self, token: str = "") -> None:
        self.token = token
        self.digest = ""  # said of every manifest, in place of its own
        self.blobs: dict[str, bytes] = {}
        self.manifests: dict[str, tuple[str, bytes]] = {}  # type and text, by tag or digest
        self.uploads: dict[str, bytes] = {}
        super().__init__(_Connection)


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Registry

    def do_GET(self) -> None:
        """Tell that this is a registry, or give a token or a manifest."""
        path, _, query = self.path.partition("?")
        token = self.server.token
        manifest = MANIFEST.fullmatch(path)
        if path == "/token" and "scope=repository%3A" in query:
            self._answer(200, json.dumps({"token": token}).encode())
        elif token and self.headers["Authorization"] != f"Bearer {token}":
            realm = f"http://{self.server.address}/token"
            challenge = f'Bearer realm="{realm}",service="test",scope="repository:team/x:pull"'
            self._answer(401, b"", **{"WWW-Authenticate": challenge})
        elif manifest and manifest[1] in self.server.manifests:
            kind, body = self.server.manifests[manifest[1]]
            digest = self.server.digest or f"sha256:{hashlib.sha256(body).hexdigest()}"
            self._answer(200, body, **{"Content-Type": kind, "Docker-Content-Digest": digest})
        else:
            self._answer(200 if path == "/v2/" else 404)

    def do_HEAD(self) -> None:
        """Tell whether a blob is there already."""
        found = BLOB.fullmatch(self.path)
        self._answer(200 if found and found[1] in self.server.blobs else 404)

    def do_POST(self) -> None:
        """Begin an upload."""
        name = uuid.uuid4().hex  # several are under way at once
        self.server.uploads[name] = b""
        self._answer(202, Location=f"{urlsplit(self.path).path}{name}", Range="0-0")

    def do_PATCH(self) -> None:
        """Take a piece of an upload."""
        name = self._upload()
        self.server.uploads[name] += self._body()
        last = len(self.server.uploads[name]) - 1
        self._answer(202, Location=self.path, Range=f"0-{last}")

    def do_PUT(self) -> None:
        """Take the end of an upload, or a manifest."""
        manifest = MANIFEST.fullmatch(self.path)
        body = self._body()
        digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
        if manifest:
            for name in (manifest[1], digest):
                self.server.manifests[name] = (self.headers["Content-Type"], body)
        else:
            (digest,) = parse_qs(urlsplit(self.path).query)["digest"]
            data = self.server.uploads.pop(self._upload()) + body
            if digest != f"sha256:{hashlib.sha256(data).hexdigest()}":
                self._answer(400)
                return
            self.server.blobs[digest] = data
        self._answer(201, b"", **{"Docker-Content-Digest": digest})

    def _upload(self) -> str:
        found = UPLOAD.fullmatch(urlsplit(self.path).path)
        assert found is not None, self.path
        return found[1]

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        pieces = []
        while size := int(self.rfile.readline(), 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def _answer(self, status: int, /, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep requests out of the tests' own output."""
