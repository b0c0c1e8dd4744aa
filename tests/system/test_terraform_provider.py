"""The Terraform files with the real provider: validation, plans, and a deployment to the local AWS.

Needs the provider, 600 MB: either installed on this machine or from Terraform's registry.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.local_cloud import Laptop, started
from tests.system.terraform.files import FOLDER
from tests.system.terraform.program import MISSING_PROVIDER, provider_is_available, run

pytestmark = pytest.mark.slow

DIGEST = f"sha256:{64 * 'd'}"

# The local AWS returns alarms without most of their fields, and state machines without tracing, so
# a second plan would set them again.
FORGOTTEN = ("aws_cloudwatch_metric_alarm.", "aws_sfn_state_machine.")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the files, with the provider initialised."""
    ignored = shutil.ignore_patterns(".terraform*", "*.tfstate*", "*.tfvars", "backend.tf")
    made = tmp_path_factory.mktemp("provider") / "terraform"
    shutil.copytree(FOLDER, made, ignore=ignored)
    if not provider_is_available(made):
        pytest.xfail(MISSING_PROVIDER)
    return made


@pytest.fixture
def laptop(tmp_path: Path) -> Iterator[Laptop]:
    with started(tmp_path / "state") as place:
        yield place


# Refused values need no provider, without which they are tested faster: test_terraform_values.py.
WITH_PROVIDER = [
    f"-filter=tests/{path.name}"
    for path in sorted((FOLDER / "tests").glob("*.tftest.hcl"))
    if path.name != "refused.tftest.hcl"
]


@pytest.mark.parametrize("command", [["validate"], ["test", *WITH_PROVIDER]], ids=lambda it: it[0])
def test_validation_and_tests_pass_with_the_provider(folder: Path, command: list[str]) -> None:
    done = run(folder, *command, "-no-color")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_deployment_is_complete_after_one_apply_and_leaves_nothing_when_destroyed(
    folder: Path, laptop: Laptop
) -> None:
    variables = {
        **laptop.aws.variables,
        "TF_VAR_image_digest": DIGEST,
        "TF_VAR_name": "made-by-terraform",
        "TF_VAR_alarm_emails": json.dumps(["keeper@example.org"]),
        "TF_VAR_workflow_enabled": "true",
        "TF_VAR_workflow_emails": json.dumps(["keeper@example.org"]),
        "TF_VAR_batches_enabled": "true",
        "TF_VAR_batches_emails": json.dumps(["keeper@example.org"]),
        "TF_VAR_service_enabled": "true",
        "TF_VAR_service_deletion_protection": "false",
        "TF_VAR_service_api_enabled": "true",
        "TF_VAR_service_image_digest": DIGEST,
        "TF_VAR_service_secret_arn": "arn:aws:secretsmanager:eu-central-1:000000000000:secret:x-1",
    }

    def terraform(*words: str) -> str:
        done = run(folder, *words, **variables)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def planned() -> dict[str, list[str]]:
        """Planned actions, by resource."""
        terraform("plan", "-out=plan")
        changes = json.loads(terraform("show", "-json", "plan"))["resource_changes"]
        return {change["address"]: change["change"]["actions"] for change in changes}

    before = laptop.aws.s3.list_buckets()["Buckets"]
    first = planned()
    assert {tuple(actions) for actions in first.values()} == {("create",)}
    terraform("apply", "plan")
    mapping = laptop.aws.functions.list_event_source_mappings(FunctionName="made-by-terraform")
    assert len(mapping["EventSourceMappings"]) == 1
    machines = laptop.aws.states.list_state_machines()["stateMachines"]
    made = {f"made-by-terraform-{part}" for part in ("workflow", "batches")}
    assert made <= {machine["name"] for machine in machines}
    schedule = laptop.aws.scheduler.get_schedule(Name="made-by-terraform-batches")
    assert schedule["ScheduleExpression"] == "rate(15 minutes)"
    targets = laptop.aws.events.list_targets_by_rule(Rule="made-by-terraform-workflow")
    assert len(targets["Targets"]) == 1
    second = planned()
    assert second.keys() == first.keys()
    changed = {address for address, actions in second.items() if actions != ["no-op"]}
    assert {address for address in changed if not address.startswith(FORGOTTEN)} == set()
    # RDS needs a container engine there, so a database is only planned.
    variables["TF_VAR_database_enabled"] = "true"
    assert planned()["aws_db_instance.rows[0]"] == ["create"]
    del variables["TF_VAR_database_enabled"]
    terraform("destroy", "-auto-approve")
    assert laptop.aws.s3.list_buckets()["Buckets"] == before
    assert "values" not in json.loads(terraform("show", "-json"))
