"""``infra``: what the HTTP service needs of AWS, deployed to the local AWS by Terraform.

The Terraform files are those of real deployments, copied, so that neither a developer's variables
nor the state of a real deployment are touched. The copy and its state last as long as the local
AWS.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tools.deploy.program import FOLDER, Terraform
from tools.errors import ToolError
from tools.local_aws.clients import LocalAws
from tools.local_aws.emulator import Emulator
from tools.local_aws.package import ROOT
from tools.local_aws.up import require_running, up
from tools.say import say

NAME = "fft-local"
"""Variable ``name`` of the deployment, which all names of resources begin with."""

TABLE = f"{NAME}-rate-limit"

TARGETS = ("aws_dynamodb_table.rate_limit",)
CACHE = ROOT / "build" / "terraform"  # of the provider, which has 600 MB

NEXT = """\
  export {variables} \\
    RATE_TABLE={table}
  make serve                              serve with this table
  make down                               stop the local AWS and delete everything
"""


def infra(emulator: Emulator, port: int | None, code: Path, plugins: Path | None) -> None:
    """Deploy the table of the rate limit; starts the local AWS if it is not running.

    ``plugins`` is a folder of providers, used in place of the one that is pinned.
    """
    Terraform.find()
    if emulator.running() is None or port is not None:
        up(emulator, port, code)
    aws = LocalAws.of(require_running(emulator))
    folder = _copied(emulator, plugins)
    say(f"local AWS: Terraform deploys {TABLE}")
    _terraform(folder, aws, "init", *_provider(plugins))
    targets = [f"-target={address}" for address in TARGETS]
    variables = [f"-var=name={NAME}", "-var=service_enabled=true"]
    unprotected = "-var=service_deletion_protection=false"
    _terraform(folder, aws, "apply", "-auto-approve", *targets, *variables, unprotected)
    _check(aws)
    exports = " \\\n    ".join(f"{name}={value}" for name, value in aws.variables.items())
    say(f"local AWS: the table {TABLE} is there")
    say()
    say(NEXT.format(variables=exports, table=TABLE).rstrip())


def _copied(emulator: Emulator, plugins: Path | None) -> Path:
    """A folder with the Terraform files, and the state of what was deployed before."""
    folder = emulator.temporary / "terraform"
    folder.mkdir(exist_ok=True)
    lock = FOLDER / ".terraform.lock.hcl"
    for path in [*FOLDER.glob("*.tf"), *([] if plugins else [lock])]:
        if path.name != "backend.tf":
            shutil.copy(path, folder)
    shutil.copytree(FOLDER / "state_machines", folder / "state_machines", dirs_exist_ok=True)
    return folder


def _provider(plugins: Path | None) -> Sequence[str]:
    if plugins:
        return [f"-plugin-dir={plugins.resolve()}"]
    return ["-lockfile=readonly"]


def _terraform(folder: Path, aws: LocalAws, *words: str) -> None:
    CACHE.mkdir(parents=True, exist_ok=True)
    given = {name: text for name, text in os.environ.items() if not name.startswith("TF_VAR_")}
    own = {
        **aws.variables,
        "CHECKPOINT_DISABLE": "1",
        "TF_PLUGIN_CACHE_DIR": os.environ.get("TF_PLUGIN_CACHE_DIR", str(CACHE)),
    }
    done = subprocess.run(
        ["terraform", *words, "-input=false", "-no-color"],
        cwd=folder,
        env={**given, **own},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ToolError(f"terraform {words[0]} failed:\n{(done.stderr or done.stdout).strip()}")


def _check(aws: LocalAws) -> None:
    """Ask for the table itself: an exit code alone proves nothing."""
    table: dict[str, Any] = aws.dynamodb.describe_table(TableName=TABLE)["Table"]
    keys = [(key["AttributeName"], key["KeyType"]) for key in table["KeySchema"]]
    if table["TableStatus"] != "ACTIVE" or keys != [("ip_address", "HASH")]:
        raise ToolError(f"the table {TABLE} is {table['TableStatus']}, with the keys {keys}")
