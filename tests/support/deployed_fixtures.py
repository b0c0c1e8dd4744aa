"""Fixtures of :mod:`tests.support.deployed`, for modules that name this one in ``pytest_plugins``.

They last for the whole session, as a process in Lambda lasts for many events.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cloud import Bucket
from tests.support.command import tool
from tests.support.deployed import SOURCES, Deployed
from tests.support.gateway import Gateway
from tests.support.runtime import Function
from tests.system.chaos.proxy import proxy


@pytest.fixture(scope="session")
def gateway(s3_endpoint: str) -> Iterator[tuple[Gateway, str]]:
    """The gateway, and its URL."""
    gateway = Gateway()
    with proxy(s3_endpoint, gateway.meet) as url:
        yield gateway, url


@pytest.fixture(scope="session")
def environ(gateway: tuple[Gateway, str]) -> dict[str, str]:
    """What a function needs to find S3, by way of the gateway."""
    return {"AWS_ENDPOINT_URL": gateway[1]}


@pytest.fixture(scope="session")
def process(environ: dict[str, str]) -> Iterator[Function]:
    """The process, the same for all tests, as in Lambda; all that it writes is to be JSON."""
    with Function(environ=environ) as function:
        yield function
        function.process.terminate()
        function.process.wait()
        assert not function.text.strip()


@pytest.fixture
def deployed(bucket: Bucket, gateway: tuple[Gateway, str], process: Function) -> Deployed:
    """The function with an empty bucket, and a gateway that passes everything on."""
    gateway[0].reset()
    return Deployed(bucket, gateway[0], process)


@pytest.fixture(scope="session")
def by_command_line(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What the command line makes of the sources, by name."""
    folder = tmp_path_factory.mktemp("command line")
    for name, data in SOURCES.items():
        path = folder / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    done = tool("analyze", "in", "-o", "out", "--metadata", cwd=folder)
    assert done.code == 0, done.err
    return contents(folder / "out")


def contents(folder: Path) -> dict[str, bytes]:
    """All files below a folder, by name."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
