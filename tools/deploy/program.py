"""Terraform, as a program that is told what to do and asked what there is."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fft_tool.errors import FftToolError
from handler.settings import MEMORY, Settings
from tools.deploy.faults import Fault, say

FOLDER = Path(__file__).resolve().parents[2] / "terraform"
OLDEST = (1, 9)
GET = "https://developer.hashicorp.com/terraform/install"

# What of the variables is needed here, as Terraform understands them.
WISHES = """base64encode(jsonencode({
  name = var.name, architecture = var.architecture, memory_mb = var.memory_mb,
  force_destroy = var.force_destroy, environment = local.environment
}))"""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the variables say."""

    name: str
    architecture: str
    memory_mb: int
    force_destroy: bool
    environment: Mapping[str, str]

    def check(self) -> None:
        """Refuse, before it is deployed, what would keep the function from starting."""
        try:
            Settings.from_environ({**self.environment, MEMORY.name: str(self.memory_mb)})
        except FftToolError as exc:
            raise Fault(f"the function would not start with these settings: {exc}") from exc


class Terraform:
    """The program, in the folder of these files."""

    @classmethod
    def find(cls) -> Terraform:
        """Find it, new enough."""
        if not shutil.which("terraform"):
            raise Fault(f"Terraform is not installed: {GET}")
        text = _ask("version", "-json")
        version = json.loads(text)["terraform_version"]
        if tuple(map(int, re.findall(r"\d+", version)[:2])) < OLDEST:
            raise Fault(f"Terraform is {version}, 1.9 or newer is needed: {GET}")
        return cls()

    def begin(self) -> Wishes:
        """Get the provider and open the state; tells what is wished, found to be possible."""
        say("Terraform gets its provider and opens the state.")
        _ask("init", "-input=false", "-no-color", "-lockfile=readonly")
        wishes = Wishes(**json.loads(base64.b64decode(_evaluate(WISHES))))
        wishes.check()
        return wishes

    def run(self, command: str, **variables: str | None) -> None:
        """Run a command, its output for people to see; what is None is left to the files."""
        words = [command, "-input=false"]
        words += ["-auto-approve"] * (command in ("apply", "destroy"))
        words += [f"-var={name}={value}" for name, value in variables.items() if value is not None]
        code = _ended(subprocess.Popen(["terraform", *words], cwd=FOLDER))
        if code:
            raise Fault(f"terraform {command} ended with exit code {code}, see above")

    def outputs(self) -> dict[str, Any]:
        """Tell what has been deployed: nothing yet, or the values of outputs.tf."""
        found = json.loads(_ask("output", "-json"))
        return {name: output["value"] for name, output in found.items()}


def _evaluate(expression: str) -> str:
    """Evaluate an expression whose value is a plain word; variables that are wrong are told."""
    text = _ask("console", "-no-color", stdin=" ".join(expression.split()))
    return text.strip().strip('"')


def _ask(*words: str, stdin: str = "") -> str:
    done = subprocess.run(
        ["terraform", *words], cwd=FOLDER, input=stdin, capture_output=True, text=True, check=False
    )
    # The console ends with 0 even if variables are wrong.
    if done.returncode or "Error: " in done.stderr:
        raise Fault(f"terraform {words[0]}:\n{done.stderr.strip()}")
    return done.stdout


def _ended(process: subprocess.Popen[bytes]) -> int:
    """Wait until it has ended. Ctrl-C is its own affair: it puts down what it has done so far."""
    interrupted = False
    while process.poll() is None:
        try:
            process.wait()
        except KeyboardInterrupt:
            interrupted = True
    if interrupted:
        raise KeyboardInterrupt
    return process.returncode
