"""Terraform, run as a program."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fft_tool.errors import FftToolError
from handler.settings import MEMORY, Settings
from tools.errors import ToolError
from tools.say import say

FOLDER = Path(__file__).resolve().parents[2] / "terraform"
OLDEST = (1, 9)
GET = "https://developer.hashicorp.com/terraform/install"

# The variables that this tool needs, evaluated by Terraform.
VARIABLES = """base64encode(jsonencode({
  name = var.name, architecture = var.architecture, memory_mb = var.memory_mb,
  force_destroy = var.force_destroy, environment = local.environment
}))"""


@dataclass(frozen=True, slots=True)
class Variables:
    """Values of Terraform variables."""

    name: str
    architecture: str
    memory_mb: int
    force_destroy: bool
    environment: Mapping[str, str]

    def check(self) -> None:
        """Refuse settings with which the function would not start."""
        try:
            Settings.from_environ({**self.environment, MEMORY.name: str(self.memory_mb)})
        except FftToolError as exc:
            raise ToolError(f"the function would not start with these settings: {exc}") from exc


class Terraform:
    """The terraform program, run in the folder of the Terraform files."""

    @classmethod
    def find(cls) -> Terraform:
        """Find the program, and check its version."""
        if not shutil.which("terraform"):
            raise ToolError(f"Terraform is not installed: {GET}")
        text = _ask("version", "-json")
        version = json.loads(text)["terraform_version"]
        if tuple(map(int, re.findall(r"\d+", version)[:2])) < OLDEST:
            raise ToolError(f"Terraform {version} is installed, 1.9 or newer is needed: {GET}")
        return cls()

    def begin(self) -> Variables:
        """Install the provider and open the state; returns the checked variables."""
        say("Terraform is installing its provider and opening the state.")
        _ask("init", "-input=false", "-no-color", "-lockfile=readonly")
        variables = Variables(**json.loads(base64.b64decode(_evaluate(VARIABLES))))
        variables.check()
        return variables

    def run(self, command: str, *flags: str, **variables: str | None) -> None:
        """Run a command and show its output; variables that are None are not set."""
        words = [command, "-input=false", *flags]
        words += ["-no-color"] * (not sys.stdout.isatty())
        words += ["-auto-approve"] * (command in ("apply", "destroy"))
        words += [f"-var={name}={value}" for name, value in variables.items() if value is not None]
        _run(words)

    def apply_plan(self, path: Path) -> None:
        """Apply a saved plan; Terraform refuses it if anything has changed since."""
        if not path.is_file():
            raise ToolError(f"{path}: no such file: make plan OUT={path.name}")
        _run(["apply", "-input=false", *["-no-color"] * (not sys.stdout.isatty()), str(path)])

    def outputs(self) -> dict[str, Any]:
        """Outputs of the deployment (outputs.tf); empty before the first one."""
        found = json.loads(_ask("output", "-json"))
        return {name: output["value"] for name, output in found.items()}


def _run(words: Sequence[str]) -> None:
    code = _exit_code(subprocess.Popen(["terraform", *words], cwd=FOLDER))
    if code:
        raise ToolError(f"terraform {words[0]} failed with exit code {code}, see above")


def _evaluate(expression: str) -> str:
    """Evaluate an expression whose value is a single word; raises if a variable is invalid."""
    text = _ask("console", "-no-color", stdin=" ".join(expression.split()))
    return text.strip().strip('"')


def _ask(*words: str, stdin: str = "") -> str:
    done = subprocess.run(
        ["terraform", *words], cwd=FOLDER, input=stdin, capture_output=True, text=True, check=False
    )
    # The console exits with 0 even if a variable is invalid.
    if done.returncode or "Error: " in done.stderr:
        raise ToolError(f"terraform {words[0]}:\n{done.stderr.strip()}")
    return done.stdout


def _exit_code(process: subprocess.Popen[bytes]) -> int:
    """Wait for a process, also after Ctrl-C: Terraform then records what it has done so far."""
    interrupted = False
    while process.poll() is None:
        try:
            process.wait()
        except KeyboardInterrupt:
            interrupted = True
    if interrupted:
        raise KeyboardInterrupt
    return process.returncode
