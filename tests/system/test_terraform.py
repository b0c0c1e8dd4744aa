"""What the Terraform files promise, read from the files themselves."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from fft_tool.recipe import KEYS
from handler.settings import VARIABLES
from tests.system.terraform.files import FOLDER, Block, all_of, blocks, text, the

RESOURCES = all_of("resource")
INPUTS = all_of("variable")
README = (FOLDER / "README.md").read_text("utf-8")
TESTS = blocks(FOLDER / "tests", "refused.tftest.hcl")


def named(block: Block) -> str:
    return block.address


# Variables.


@pytest.mark.parametrize("variable", INPUTS, ids=named)
def test_a_variable_has_a_type_a_description_and_rules(variable: Block) -> None:
    body, name = variable.body, variable.labels[0]
    assert re.fullmatch(r"string|number|bool|\$\{(set|list|map)\(string\)\}", body["type"])
    assert text(body["description"]).endswith(".")
    assert "default" in body, "`make deploy` needs nothing but an account"
    assert body.get("nullable", True) == (body["default"] is None)
    assert body["type"] == "bool" or body["validation"]
    for rule in body.get("validation", ()):
        assert name.rstrip("es") in text(rule["error_message"]).lower()
        assert "try(" not in rule["condition"], "a rule that swallows what it is about"


def test_each_rule_is_tested_with_what_it_refuses() -> None:
    runs = [block.body for block in TESTS if block.kind == "run"]
    refused = [run["expect_failures"][0] for run in runs]
    for variable in INPUTS:
        rules = len(variable.body.get("validation", ()))
        assert refused.count(f"${{var.{variable.labels[0]}}}") >= rules, variable.address


@pytest.mark.parametrize("variable", INPUTS, ids=named)
def test_the_readme_has_every_variable_with_its_default(variable: Block) -> None:
    found = re.search(rf"^\| `{variable.labels[0]}` \| (.*?) ?\|", README, re.MULTILINE)
    assert found, "not in terraform/README.md"
    default = variable.body["default"]
    if isinstance(default, (bool, int)):
        assert found[1] == f"`{str(default).lower()}`"
    elif isinstance(default, str):
        assert found[1] == (f"`{default}`" if default else "")


def test_the_readme_has_no_other_variables() -> None:
    table = README.partition("| variable |")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE)) == {
        variable.labels[0] for variable in INPUTS
    }


@pytest.mark.parametrize("output", all_of("output"), ids=named)
def test_an_output_is_described(output: Block) -> None:
    assert text(output.body["description"]).endswith(".")


# The function and what it is told.


def test_the_environment_is_what_the_settings_read() -> None:
    (environment,) = (
        block.body["environment"] for block in all_of("locals") if "environment" in block.body
    )
    (given,) = the("aws_lambda_function", "analyse")["environment"]
    merged = "${merge(local.environment,{FFT_BUCKET=aws_s3_bucket.images.id})}"
    assert given["variables"].replace(" ", "") == merged
    one = {"FFT_BUCKET"} | set(environment)
    assert one == {variable.name for variable in VARIABLES} - {"FFT_BUCKETS"}, "it has one bucket"


def test_the_function_is_an_image_by_its_digest() -> None:
    function = the("aws_lambda_function", "analyse")
    assert function["package_type"] == "Image"
    assert function["image_uri"].endswith("@${var.image_digest}")


def test_what_nobody_waits_for_is_not_lost_when_it_fails() -> None:
    (destinations,) = the("aws_lambda_function_event_invoke_config")["destination_config"]
    (on_failure,) = destinations["on_failure"]
    assert on_failure["destination"] == "${aws_sqs_queue.failed_calls.arn}"


def test_the_log_is_json_and_metrics_are_not_filtered_out() -> None:
    (logging,) = the("aws_lambda_function", "analyse")["logging_config"]
    assert logging["log_format"] == "JSON"
    assert logging["application_log_level"] == "INFO"
    assert logging["log_group"] == "${aws_cloudwatch_log_group.function.name}"
    assert "retention_in_days" in the("aws_cloudwatch_log_group")


def test_every_permission_to_call_names_its_source_and_account() -> None:
    """There is none now: who calls it comes with a role, or is Lambda with the function's."""
    for permission in all_of("resource", "aws_lambda_permission"):
        assert permission.body["source_arn"]
        assert permission.body["source_account"] == "${local.account}"


# The queue.


def test_the_queue_hands_back_only_what_has_failed() -> None:
    mapping = the("aws_lambda_event_source_mapping")
    assert mapping["function_response_types"] == ["ReportBatchItemFailures"]
    assert mapping["scaling_config"] == [{"maximum_concurrency": "${var.maximum_concurrency}"}]


def test_a_message_is_hidden_for_six_timeouts() -> None:
    queue = the("aws_sqs_queue", "work")
    assert queue["visibility_timeout_seconds"] == "${6 * var.timeout_seconds}"
    assert the("aws_lambda_function", "analyse")["timeout"] == "${var.timeout_seconds}"


def test_every_queue_is_encrypted() -> None:
    for queue in all_of("resource", "aws_sqs_queue"):
        assert queue.body["sqs_managed_sse_enabled"] is True


def test_every_queue_is_reached_over_tls_alone() -> None:
    queues = {queue.labels[1] for queue in all_of("resource", "aws_sqs_queue")}
    policies = all_of("resource", "aws_sqs_queue_policy")
    assert {policy.labels[1] for policy in policies} == queues
    for policy in policies:
        assert policy.body["queue_url"] == f"${{aws_sqs_queue.{policy.labels[1]}.id}}"


def test_every_role_has_the_boundary_that_is_given() -> None:
    roles = all_of("resource", "aws_iam_role")
    assert roles
    for role in roles:
        assert role.body["permissions_boundary"] == "${var.permissions_boundary}"


def test_a_record_can_be_forged_by_nobody_who_may_only_upload() -> None:
    """The function's role is named by reference: what it is called cannot run away from it."""
    (writers,) = (block.body["writers"] for block in all_of("locals") if "writers" in block.body)
    assert "aws_iam_role.function.arn" in str(writers)


def test_keys_that_metadata_may_set_are_those_of_the_recipe() -> None:
    (variable,) = all_of("variable", "metadata_keys")
    (rule,) = variable.body["validation"]
    listed = re.findall(r'\\?"([a-z-]+)\\?"', rule["condition"])
    assert listed == [key.name for key in KEYS]


def test_s3_tells_of_objects_below_the_input_prefix_alone() -> None:
    notification = the("aws_s3_bucket_notification")
    ((rule,),) = (dynamic["queue"]["content"] for dynamic in notification["dynamic"])
    assert rule["filter_prefix"] == "${var.input_prefix}"
    assert rule["events"] == ["s3:ObjectCreated:*"]
    assert notification["depends_on"] == ["${aws_sqs_queue_policy.work}"]


# The bucket.


def test_nothing_is_public() -> None:
    access = the("aws_s3_bucket_public_access_block")
    flags = ("block_public_acls", "block_public_policy", "ignore_public_acls")
    assert all(access[flag] is True for flag in (*flags, "restrict_public_buckets"))
    types = {block.labels[0] for block in RESOURCES}
    assert not types & {
        "aws_s3_bucket_acl",
        "aws_s3_bucket_website_configuration",
        "aws_lambda_function_url",
        "aws_ecrpublic_repository",
    }


def test_the_bucket_belongs_to_its_owner_and_is_encrypted_and_versioned() -> None:
    (ownership,) = the("aws_s3_bucket_ownership_controls")["rule"]
    assert ownership["object_ownership"] == "BucketOwnerEnforced"
    (encryption,) = the("aws_s3_bucket_server_side_encryption_configuration")["rule"]
    (default,) = encryption["apply_server_side_encryption_by_default"]
    assert default["sse_algorithm"] == "AES256"
    (versioning,) = the("aws_s3_bucket_versioning")["versioning_configuration"]
    assert versioning["status"] == "Enabled"


def test_the_bucket_is_kept_unless_somebody_says_otherwise() -> None:
    assert the("aws_s3_bucket")["force_destroy"] == "${var.force_destroy}"
    (variable,) = all_of("variable", "force_destroy")
    assert variable.body["default"] is False


def test_broken_off_uploads_and_old_versions_do_not_stay() -> None:
    bucket = the("aws_s3_bucket_lifecycle_configuration")
    found = {key for rule in bucket["rule"] for key in rule}
    assert {"abort_incomplete_multipart_upload", "noncurrent_version_expiration"} <= found
    ((expiry,),) = (dynamic["rule"]["content"] for dynamic in bucket["dynamic"])
    assert expiry["filter"] == [{"prefix": "${var.output_prefix}"}]


# The registry.


def test_tags_are_immutable_and_images_are_scanned() -> None:
    repository = the("aws_ecr_repository")
    assert repository["image_tag_mutability"] == "IMMUTABLE"
    assert repository["image_scanning_configuration"] == [{"scan_on_push": True}]


# The files.


def test_everything_that_can_have_tags_has_them() -> None:
    without = {
        block.address
        for block in RESOURCES
        if block.labels[0] in TAGGED and block.body.get("tags") != "${local.tags}"
    }
    assert not without


TAGGED = {
    "aws_budgets_budget",
    "aws_cloudwatch_log_group",
    "aws_cloudwatch_metric_alarm",
    "aws_ecr_repository",
    "aws_iam_role",
    "aws_lambda_event_source_mapping",
    "aws_lambda_function",
    "aws_s3_bucket",
    "aws_sns_topic",
    "aws_sqs_queue",
}


def test_versions_are_pinned_alike_everywhere() -> None:
    files = [FOLDER / "versions.tf", *FOLDER.glob("examples/*/main.tf")]
    assert len(files) == 3
    for path in files:
        code = path.read_text("utf-8")
        assert 'required_version = ">= 1.9"' in code
        assert 'version = ">= 5.100, < 7.0"' in code


def test_region_account_and_endpoint_are_never_written_down() -> None:
    """All of them come from the environment, AWS_ENDPOINT_URL among them."""
    assert not all_of("provider")
    for path in FOLDER.glob("*.tf"):
        code = re.sub(r"<<-EOT.*?EOT", "", path.read_text("utf-8"), flags=re.DOTALL)
        code = re.sub(r"#.*", "", code)
        assert not re.search(r"\b\d{12}\b|endpoints? *\{", code), path.name
        assert not re.search(r"[a-z]{2}-(central|east|west|north|south)\w*-\d", code), path.name


@pytest.mark.parametrize("name", ["terraform.tfstate", "terraform.tfvars", ".terraform/x"])
def test_git_leaves_alone_what_belongs_to_one_account(repository: Path, name: str) -> None:
    if not (repository / ".git").exists():
        pytest.skip("not a git repository")
    words = ["git", "-C", str(repository), "check-ignore", "--quiet", f"terraform/{name}"]
    assert subprocess.run(words, check=False).returncode == 0


def test_the_page_on_costs_knows_how_many_alarms_there_are(repository: Path) -> None:
    (alarms,) = (block.body["alarms"] for block in all_of("locals") if "alarms" in block.body)
    page = (repository / "docs" / "cost.md").read_text("utf-8")
    assert f"| {len(alarms)} alarms (`alarms`) | 0.10 each | {0.1 * len(alarms):.2f} |" in page


def test_links_of_the_readme_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#\s]+)", README)
    assert links
    assert all((FOLDER / link).exists() for link in links if "://" not in link)
