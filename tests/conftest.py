"""Fixtures for all tests: a clean environment and an S3 server; in CI, skipped tests fail."""

from __future__ import annotations

import logging
import os
import uuid
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from tests.support.cloud import REGION, Bucket

# No test asserts a time: examples may take long on a busy machine.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, Any, Any]:
    """Count a skipped test as failed if ``NO_SKIPS`` is set, as in CI."""
    return _not_skipped((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, Any, Any]:
    """Count a skipped file likewise."""
    return _not_skipped((yield))


def _not_skipped(report: Any) -> Any:
    expected = hasattr(report, "wasxfail")
    if report.skipped and os.environ.get("NO_SKIPS") and not expected:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"skipping is not allowed (NO_SKIPS is set): {reason}"
    return report


@pytest.fixture(autouse=True)
def _no_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Isolate tests from the developer's AWS account and from the network."""
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def aws_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials and a region in the environment, for a server that does not check them."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_REGION", REGION)


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """URL of an S3 that runs for the whole session: moto's, over HTTP, on a free port."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415  (costs a second)

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3_endpoint: str, aws_keys: None, monkeypatch: pytest.MonkeyPatch) -> Bucket:  # noqa: ARG001  (sets the environment)
    """An empty bucket, with the environment set up to reach it."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_endpoint)
    made = Bucket(f"test-{uuid.uuid4().hex}", s3_endpoint)
    made.create()
    return made


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A temporary folder that all processes of pytest-xdist have in common."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root folder of this repository."""
    return Path(__file__).resolve().parents[1]
