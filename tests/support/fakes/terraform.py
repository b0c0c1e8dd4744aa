"""A Terraform that notes what it is told, and makes no more than a deployment looks at.

The folder in ``FAKES`` has ``variables.json``, what the variables say, ``state.json``, the outputs,
and ``calls``, one line a call; ``flags`` has all words of those that are shown.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

FOLDER = Path(os.environ["FAKES"])
STATE = FOLDER / "state.json"


def main(command: str, *words: str) -> int:
    """Do a command."""
    variables = told(command, words)
    shown = [f"{name}={value}" for name, value in variables.items()]
    with (FOLDER / "calls").open("a") as calls:
        calls.write(" ".join(["terraform", command, *shown]) + "\n")
    if command == "version":
        sys.stdout.write(
            json.dumps({"terraform_version": os.environ.get("TERRAFORM_VERSION", "1.11.4")})
        )
    elif command == "console":
        assert "local.environment" in sys.stdin.read()
        sys.stdout.write(
            json.dumps(base64.b64encode(json.dumps(given_variables()).encode()).decode())
        )
        sys.stderr.write(os.environ.get("CONSOLE_SAYS", ""))
    elif command == "output":
        sys.stdout.write(json.dumps({name: {"value": value} for name, value in state().items()}))
    elif command == "apply":
        if "SLOW" in os.environ:
            wait_for_interrupt()
        apply(variables)
    elif command == "destroy":
        STATE.unlink(missing_ok=True)
    return int(os.environ.get("FAILING", "") == command)


def told(command: str, words: Sequence[str]) -> dict[str, str]:
    """Variables that a command is given, by a saved plan if it has one; saves a plan likewise."""
    variables = dict(word.removeprefix("-var=").split("=", 1) for word in words if "-var=" in word)
    if command == "apply" and not words[-1].startswith("-"):
        variables = json.loads(Path(words[-1]).read_text())
    for word in words:
        if word.startswith("-out="):
            Path(word.removeprefix("-out=")).write_text(json.dumps(variables))
    if command in ("plan", "apply", "destroy"):
        with (FOLDER / "flags").open("a") as flags:
            flags.write(" ".join(words) + "\n")
    return variables


def wait_for_interrupt() -> None:
    """Take some time to come to an end when it is interrupted, as the real one does."""

    def stop(*_: Any) -> None:
        time.sleep(1)
        (FOLDER / "put-down").touch()
        sys.exit(1)

    signal.signal(signal.SIGINT, stop)
    (FOLDER / "waiting").touch()
    time.sleep(60)


def given_variables() -> dict[str, Any]:
    """What the variables say."""
    found: dict[str, Any] = json.loads((FOLDER / "variables.json").read_text())
    return found


def state() -> dict[str, Any]:
    """Outputs."""
    found: dict[str, Any] = json.loads(STATE.read_text()) if STATE.exists() else {}
    return found


def apply(variables: dict[str, str]) -> None:
    """Make the repository, and remember the digest."""
    name = given_variables()["name"]
    if state().get("repository") != name:
        import boto3  # noqa: PLC0415  (takes half a second, and most calls do without)

        registry = boto3.client("ecr", region_name=os.environ["AWS_REGION"])
        registry.create_repository(repositoryName=name)
    digest = variables.get("image_digest")
    outputs = {
        "repository": name,
        "repository_url": f"123456789012.dkr.ecr.eu-central-1.amazonaws.com/{name}",
        "bucket": name,
        "log_group": f"/aws/lambda/{name}",
        "image_digest": digest,
        "function": name if digest else None,
        "dashboard_url": "https://console.example/dashboard",
        "drop_command": f"aws s3 cp input_images/text.png s3://{name}/input/",
        "results_command": f"aws s3 ls s3://{name}/output/",
        "tail_command": f"aws logs tail /aws/lambda/{name}",
    }
    STATE.write_text(json.dumps({key: value for key, value in outputs.items() if value}))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
