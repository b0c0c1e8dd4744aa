"""A copy of the repository with an account and programs of its own, to deploy from.

The account is moto's. Terraform and Docker are programs that note what they are told; that the
Terraform files themselves are right is held by tests/system/test_terraform*.py.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3

from tests.support.cloud import REGION

SECONDS = 300
DIGEST = f"sha256:{64 * 'd'}"

QUESTIONS = (
    "docker version",
    "docker buildx version",
    "docker image inspect",
    "terraform console",
    "terraform init",
    "terraform output",
    "terraform version",
)


@dataclass
class Answer:
    """What the function answers, and what it was asked."""

    url: str = ""
    says: str = '{"results": []}'
    fails: bool = False
    asked: list[tuple[str, Any]] = field(default_factory=list)


@dataclass
class Deployment:
    """A copy of the repository, with programs and an account of its own."""

    folder: Path
    name: str
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the tool."""
        return subprocess.run(
            [sys.executable, "-m", "tools.deploy", *words],
            cwd=self.folder,
            env={**self.environment, **variables},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    def configure(self, **changes: Any) -> None:
        """Set variables, as terraform.tfvars would."""
        path = self.folder / "fakes" / "variables.json"
        old = json.loads(path.read_text()) if path.exists() else {}
        path.write_text(json.dumps({**old, **changes}))

    def calls(self) -> list[str]:
        """What programs have been told since the last look, without questions."""
        path = self.folder / "fakes" / "calls"
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return [line for line in lines if not line.startswith(QUESTIONS)]

    def client(self, service: str) -> Any:
        """Client of the account."""
        endpoint = self.environment["AWS_ENDPOINT_URL"]
        return boto3.client(service, endpoint_url=endpoint, region_name=REGION)

    def tag(self, **overrides: Any) -> str:
        """Tag of the image that would be built."""
        overrides = {"architecture": "x86_64", "base": None, "rebuild": False, **overrides}
        code = f"from tools.deploy.image import Image; print(Image.of_sources(**{overrides!r}).tag)"
        return subprocess.run(
            [sys.executable, "-c", code],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    def touch(self, name: str) -> None:
        """Change a file, or make it."""
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        with path.open("a") as file:
            file.write("\n# changed\n")

    def digest(self) -> str:
        """Digest of the one image in the registry."""
        (image,) = self.client("ecr").list_images(repositoryName=self.name)["imageIds"]
        digest: str = image["imageDigest"]
        return digest


def hear_interrupts() -> None:
    """Undo the deaf ear that processes in the background inherit."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
