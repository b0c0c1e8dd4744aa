"""Which deployment a backfill uses: flags, then the environment, then Terraform's outputs."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
from typing import TYPE_CHECKING

from fft_tool.errors import MissingExtra, UsageError

if TYPE_CHECKING:
    from fft_tool.backfill.batch_operations import BatchOperations
    from fft_tool.backfill.distributed_map import DistributedMap

Options = argparse.Namespace


def engine_of(options: Options, *, profile: bool) -> DistributedMap | BatchOperations:
    """Engine of a run, which its ID tells."""
    _check_boto3()
    from fft_tool.backfill.batch_operations import JOB, BatchOperations  # noqa: PLC0415  (needs boto3)
    from fft_tool.backfill.distributed_map import DistributedMap  # noqa: PLC0415  (likewise)

    if JOB.fullmatch(options.id):
        return BatchOperations.of_job(options.id, profile=profile)
    return DistributedMap.of_run(options.id, profile=profile)


def chosen(options: Options, *, profile: bool) -> DistributedMap | BatchOperations:
    """Engine that the options name."""
    _check_boto3()
    from fft_tool.backfill.batch_operations import BatchOperations  # noqa: PLC0415  (needs boto3)
    from fft_tool.backfill.distributed_map import DistributedMap  # noqa: PLC0415  (likewise)

    if options.engine == "map":
        return DistributedMap(_arn(options, "state_machine"), profile=profile)
    return BatchOperations(_arn(options, "function"), _arn(options, "role"), profile=profile)


def _arn(options: Options, name: str) -> str:
    """ARN of a part of the deployment."""
    variable, flag = f"BACKFILL_{name.upper()}", f"--{name.replace('_', '-')}"
    given = getattr(options, name) or os.environ.get(variable)
    if given:
        return str(given)
    if options.terraform:
        return _terraform_outputs(options.terraform)[name]
    raise UsageError(
        f"which {name.replace('_', ' ')}? Name it with {flag} ARN or {variable}, or the folder of "
        "the deployment with --terraform terraform (backfill_enabled = true)"
    )


def _terraform_outputs(folder: str) -> dict[str, str]:
    import subprocess  # noqa: PLC0415  (only this needs it)

    try:
        done = subprocess.run(  # noqa: S603  (the user's own program and folder)
            ["terraform", f"-chdir={folder}", "output", "-json", "backfill"],  # noqa: S607  (found by PATH)
            capture_output=True,
            text=True,
            check=False,
        )
        found = json.loads(done.stdout or "null")
    except (OSError, ValueError) as exc:
        raise UsageError(f"--terraform {folder}: {exc}") from exc
    if not isinstance(found, dict):
        reason = done.stderr.strip().partition("\n")[0] or "no backfill there: backfill_enabled?"
        raise UsageError(f"--terraform {folder}: {reason}")
    return {str(key): str(value) for key, value in found.items()}


def _check_boto3() -> None:
    if importlib.util.find_spec("boto3") is None:
        raise MissingExtra("backfill on AWS needs boto3: pip install 'fft-pipeline[aws]'")
