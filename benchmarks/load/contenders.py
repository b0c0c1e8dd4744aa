"""The service, a plain one, and thumbor: how each is started, and which requests it takes."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from measure import CommandFailed

from load.clients import Request

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "benchmarks" / "scripts"
STARTING = 30  # seconds
PRESETS = {"thumb": 100, "card": 400, "zoom": 1200}
_BOUNDARY = "benchmark-d41d8cd98f00b204"
_FORM = (("Content-Type", f"multipart/form-data; boundary={_BOUNDARY}"),)


class Contender(Protocol):
    """A server, as the load needs it."""

    name: str

    def command(self, folder: Path, port: int) -> Sequence[str]:
        """What starts it, to listen on a port of 127.0.0.1 and keep everything in a folder."""
        ...

    def upload(self, data: bytes) -> Request:
        """What uploads an image."""
        ...

    def renditions(self, answer: bytes, headers: Mapping[str, str]) -> list[Request]:
        """What retrieves the renditions of an image, by the answer to its upload."""
        ...


class Service:
    """Ours, as `fft-service serve` starts it, with embedded parts."""

    name = "ours"

    def command(self, folder: Path, port: int) -> Sequence[str]:
        """Settings that keep everything in the folder."""
        settings = {
            "PORT": str(port),
            "DATABASE_URL": f"sqlite:///{folder}/service.db",
            "STORAGE_PATH": f"{folder}/storage",
            "PROCESSED_IMAGES": f"{folder}/processed_images",
            "TEMPORARY_PATH": f"{folder}/temporary",
        }
        given = [f"{name}={text}" for name, text in settings.items()]
        return ["env", *given, sys.executable, "-m", "service", "serve"]

    def upload(self, data: bytes) -> Request:
        """A form with the tenant."""
        return _form(data, {"tenant_name": "benchmark"})

    def renditions(self, answer: bytes, _: Mapping[str, str]) -> list[Request]:
        """Addresses with the number of the asset."""
        number = json.loads(answer)["asset_id"]
        return [Request("GET", f"/retrieve/rendition/{number}/{name}") for name in PRESETS]


class Plain:
    """FastAPI and Pillow, as in `benchmarks/scripts/plain_service.py`."""

    name = "plain FastAPI"

    def command(self, folder: Path, port: int) -> Sequence[str]:
        """One process of uvicorn, as for ours."""
        run = [sys.executable, "-m", "uvicorn", "--app-dir", str(SCRIPTS), "--log-level", "warning"]
        keep = ["env", f"IMAGES={folder}"]
        return [*keep, *run, "--no-access-log", "--port", str(port), "plain_service:app"]

    def upload(self, data: bytes) -> Request:
        """The same form."""
        return _form(data, {"tenant_name": "benchmark"})

    def renditions(self, answer: bytes, _: Mapping[str, str]) -> list[Request]:
        """Addresses with the hash of the image."""
        name = json.loads(answer)["asset_id"]
        return [Request("GET", f"/retrieve/rendition/{name}/{preset}") for preset in PRESETS]


class Thumbor:
    """thumbor, a thumbnail server: uploading stores, and the first retrieval makes a rendition."""

    name = "thumbor"

    def __init__(self, program: Path) -> None:
        self._program = program

    def command(self, folder: Path, port: int) -> Sequence[str]:
        """Uploads and results are kept in the folder."""
        settings = {
            "UPLOAD_ENABLED": True,
            "FILE_STORAGE_ROOT_PATH": f"{folder}/storage",
            "RESULT_STORAGE": "thumbor.result_storages.file_storage",
            "RESULT_STORAGE_FILE_STORAGE_ROOT_PATH": f"{folder}/results",
            "RESULT_STORAGE_STORES_UNSAFE": True,
        }
        config = folder / "thumbor.conf"
        config.write_text("".join(f"{name} = {value!r}\n" for name, value in settings.items()))
        return [str(self._program), "-c", str(config), "-i", "127.0.0.1", "-p", str(port)]

    def upload(self, data: bytes) -> Request:
        """The image is the body."""
        kind = (("Content-Type", "image/jpeg"), ("Slug", "image.jpg"))
        return Request("POST", "/image", data, kind, (201,))

    def renditions(self, _: bytes, headers: Mapping[str, str]) -> list[Request]:
        """Addresses with the size, and the name that the upload was given."""
        name = headers["Location"].split("/")[2]
        sizes = PRESETS.values()
        return [Request("GET", f"/unsafe/fit-in/{size}x{size}/{name}") for size in sizes]


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers at ``url``."""

    url: str
    process: subprocess.Popen[bytes]

    def memory(self) -> tuple[int, int]:
        """Bytes of its processes, what they share counted once, and their number."""
        shares = [_share(pid) for pid in _family(self.process.pid)]
        return sum(shares), len(shares)


@contextmanager
def running(contender: Contender, folder: Path) -> Iterator[Running]:
    """Run a contender while the ``with`` statement lasts."""
    folder.mkdir()
    port = _free_port()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            contender.command(folder, port), cwd=ROOT, stdout=log, stderr=log, env=_environment()
        )
    try:
        _wait(contender, port, process, folder / "log")
        yield Running(f"http://127.0.0.1:{port}", process)
    finally:
        process.terminate()
        try:
            process.wait(STARTING)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _form(data: bytes, fields: Mapping[str, str]) -> Request:
    texts = "".join(
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'
        for name, text in fields.items()
    )
    head = 'Content-Disposition: form-data; name="file"; filename="image.jpg"\r\n'
    start = f"{texts}--{_BOUNDARY}\r\n{head}Content-Type: image/jpeg\r\n\r\n"
    body = b"".join((start.encode(), data, f"\r\n--{_BOUNDARY}--\r\n".encode()))
    return Request("POST", "/upload/", body, _FORM)


def _wait(contender: Contender, port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + STARTING
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise CommandFailed(f"{contender.name} does not start: {log.read_text('utf-8')[-500:]}")


def _free_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port: int = unused.getsockname()[1]
        return port


def _environment() -> dict[str, str]:
    """Ours, without the settings of a service that the developer may have set."""
    kept = ("PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH")
    found = {name: os.environ[name] for name in kept if name in os.environ}
    return found | {"PYTHONPATH": str(ROOT)}


def _family(pid: int) -> Iterator[int]:
    """A process and all below it."""
    yield pid
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text("ascii").split():
            yield from _family(int(child))


def _share(pid: int) -> int:
    text = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii")
    found = re.search(r"^Pss:\s+(\d+) kB$", text, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0
