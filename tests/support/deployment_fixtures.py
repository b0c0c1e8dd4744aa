"""Fixtures of :mod:`tests.support.deployment`, for modules that name this in ``pytest_plugins``."""

from __future__ import annotations

import json
import os
import shutil
import sys
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from handler.settings import VARIABLES
from tests.support.cloud import REGION
from tests.support.deployment import DIGEST, Answer, Deployment
from tests.support.server import LoopbackServer

COPIED = (
    "docker",
    "fft_tool",
    "handler",
    "service",
    "terraform",
    "tools",
    ".dockerignore",
    "requirements.txt",
)


@pytest.fixture
def function() -> Iterator[Answer]:
    """Lambda, as far as it is called: says what it is told to say."""
    answer = Answer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            answer.asked.append((self.path, json.loads(self.rfile.read(length))))
            body = answer.says.encode()
            self.send_response(200)
            if answer.fails:
                self.send_header("X-Amz-Function-Error", "Unhandled")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with LoopbackServer(Handler) as server:
        answer.url = f"http://{server.address}"
        yield answer


@pytest.fixture
def deployment(
    tmp_path: Path,
    repository: Path,
    s3_endpoint: str,
    aws_keys: None,  # noqa: ARG001  (sets the environment)
    function: Answer,
) -> Deployment:
    folder = tmp_path / "deployment"
    folder.mkdir()
    ignored = shutil.ignore_patterns("__pycache__", ".terraform*", "*.tfstate*", "*.tfvars")
    for name in COPIED:
        source = repository / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=ignored)
        else:
            shutil.copy(source, folder / name)
    (folder / "LICENSE").write_text("Take it.")
    (folder / "fakes").mkdir()
    programs(folder / "bin", repository)
    name = f"test-{uuid.uuid4().hex}"
    deployment = Deployment(folder, name)
    deployment.environment = {
        **os.environ,
        "PATH": str(folder / "bin"),
        "PYTHONPATH": str(folder),
        "FAKES": str(folder / "fakes"),
        "AWS_ENDPOINT_URL": s3_endpoint,
        "AWS_ENDPOINT_URL_LAMBDA": function.url,
    }
    deployment.configure(
        name=name,
        architecture="x86_64",
        memory_mb=1769,
        force_destroy=False,
        environment={variable.name: variable.default for variable in VARIABLES},
    )
    return deployment


def programs(folder: Path, repository: Path) -> None:
    """Put the two programs onto the path, and nothing else."""
    folder.mkdir()
    for name in ("terraform", "docker"):
        path = folder / name
        script = repository / "tests/support/fakes" / f"{name}.py"
        path.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{script}" "$@"\n')
        path.chmod(0o755)


@pytest.fixture
def deployed(deployment: Deployment) -> Deployment:
    where = {"LocationConstraint": REGION}
    deployment.client("s3").create_bucket(Bucket=deployment.name, CreateBucketConfiguration=where)
    outputs = {
        "repository": deployment.name,
        "bucket": deployment.name,
        "image_digest": DIGEST,
        "log_group": f"/aws/lambda/{deployment.name}",
    }
    (deployment.folder / "fakes" / "state.json").write_text(json.dumps(outputs))
    return deployment
