"""Guarantees of the Terraform files, checked by parsing them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from fft_tool.recipe import KEYS
from handler.settings import VARIABLES
from tests.system.terraform.files import FOLDER, Block, blocks, blocks_of, resource, text

RESOURCES = blocks_of("resource")
INPUTS = blocks_of("variable")
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


def test_each_rule_has_a_test_that_it_refuses() -> None:
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


@pytest.mark.parametrize("output", blocks_of("output"), ids=named)
def test_an_output_is_described(output: Block) -> None:
    assert text(output.body["description"]).endswith(".")


# The function and its settings.


def test_the_environment_is_what_the_settings_read() -> None:
    (environment,) = (
        block.body["environment"] for block in blocks_of("locals") if "environment" in block.body
    )
    (given,) = resource("aws_lambda_function", "analyse")["environment"]
    merged = "${merge(local.environment,{FFT_BUCKET=aws_s3_bucket.images.id})}"
    assert given["variables"].replace(" ", "") == merged
    one = {"FFT_BUCKET"} | set(environment)
    read = {variable.name for variable in VARIABLES} - {"FFT_BUCKETS"}  # it has one bucket
    assert one == {name for name in read if not name.startswith(OF_PARTS)}


def test_functions_of_the_workflow_also_read_its_settings() -> None:
    (given,) = resource("aws_lambda_function", "workflow")["environment"]
    more = re.findall(r"\b(FFT_\w+)\b", str(given["variables"]))
    own = {variable.name for variable in VARIABLES if variable.name.startswith("FFT_WORKFLOW_")}
    assert set(more) == {"FFT_BUCKET"} | own
    assert "local.environment" in given["variables"]


# Beginnings of the settings of parts that have functions of their own.
OF_PARTS = ("FFT_WORKFLOW_",)


def test_the_function_is_an_image_by_its_digest() -> None:
    functions = blocks_of("resource", "aws_lambda_function")
    assert functions
    for function in functions:
        assert function.body["package_type"] == "Image"
        assert re.search(r"@\$\{var\.(service_)?image_digest\}$", function.body["image_uri"])


def test_failed_asynchronous_calls_are_kept() -> None:
    (destinations,) = resource("aws_lambda_function_event_invoke_config", "analyse")[
        "destination_config"
    ]
    (on_failure,) = destinations["on_failure"]
    assert on_failure["destination"] == "${aws_sqs_queue.failed_calls.arn}"


def test_the_log_is_json_and_metrics_are_not_filtered_out() -> None:
    for function in blocks_of("resource", "aws_lambda_function"):
        (logging,) = function.body["logging_config"]
        assert logging["log_format"] == "JSON"
        assert logging["application_log_level"] == "INFO"
        assert logging["log_group"] == "${aws_cloudwatch_log_group.function.name}"
    for group in blocks_of("resource", "aws_cloudwatch_log_group"):
        assert "retention_in_days" in group.body


def test_every_lambda_permission_names_its_source_and_account() -> None:
    """Only the HTTP API has one: other callers have a role of their own."""
    permissions = blocks_of("resource", "aws_lambda_permission")
    assert [permission.labels[1] for permission in permissions] == ["service"]
    for permission in permissions:
        assert permission.body["source_arn"]
        assert permission.body["source_account"] == "${local.account}"


# The queue.


def test_the_queue_retries_only_failed_messages() -> None:
    mapping = resource("aws_lambda_event_source_mapping", "work")
    assert mapping["function_response_types"] == ["ReportBatchItemFailures"]
    assert mapping["scaling_config"] == [{"maximum_concurrency": "${var.maximum_concurrency}"}]


def test_the_visibility_timeout_is_six_timeouts() -> None:
    queue = resource("aws_sqs_queue", "work")
    assert queue["visibility_timeout_seconds"] == "${6 * var.timeout_seconds}"
    assert resource("aws_lambda_function", "analyse")["timeout"] == "${var.timeout_seconds}"


def test_every_queue_is_encrypted() -> None:
    for queue in blocks_of("resource", "aws_sqs_queue"):
        assert queue.body["sqs_managed_sse_enabled"] is True


def test_every_queue_requires_tls() -> None:
    queues = {queue.labels[1] for queue in blocks_of("resource", "aws_sqs_queue")}
    policies = blocks_of("resource", "aws_sqs_queue_policy")
    assert {policy.labels[1] for policy in policies} == queues
    for policy in policies:
        queue = policy.body["queue_url"].replace("[count.index]", "")
        assert queue == f"${{aws_sqs_queue.{policy.labels[1]}.id}}"
        assert "OnlyOverTls" in policy.body["policy"] or "only_over_tls" in policy.body["policy"]


def test_every_role_has_the_permissions_boundary() -> None:
    roles = blocks_of("resource", "aws_iam_role")
    assert roles
    for role in roles:
        assert role.body["permissions_boundary"] == "${var.permissions_boundary}"


def test_an_uploader_cannot_forge_a_record() -> None:
    """The policy refers to the function's role, so the two cannot diverge."""
    (writers,) = (block.body["writers"] for block in blocks_of("locals") if "writers" in block.body)
    assert "aws_iam_role.function.arn" in str(writers)
    assert "local.writing_roles" in str(writers)


def test_keys_that_metadata_may_set_are_those_of_the_recipe() -> None:
    (variable,) = blocks_of("variable", "metadata_keys")
    (rule,) = variable.body["validation"]
    listed = re.findall(r'\\?"([a-z-]+)\\?"', rule["condition"])
    assert listed == [key.name for key in KEYS]


def test_s3_sends_events_only_for_the_input_prefix() -> None:
    notification = resource("aws_s3_bucket_notification")
    ((rule,),) = (dynamic["queue"]["content"] for dynamic in notification["dynamic"])
    assert rule["filter_prefix"] == "${var.input_prefix}"
    assert rule["events"] == ["s3:ObjectCreated:*"]
    assert notification["depends_on"] == ["${aws_sqs_queue_policy.work}"]


# The bucket.


def test_public_access_is_blocked() -> None:
    access = resource("aws_s3_bucket_public_access_block")
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
    (ownership,) = resource("aws_s3_bucket_ownership_controls")["rule"]
    assert ownership["object_ownership"] == "BucketOwnerEnforced"
    (encryption,) = resource("aws_s3_bucket_server_side_encryption_configuration")["rule"]
    (default,) = encryption["apply_server_side_encryption_by_default"]
    assert default["sse_algorithm"] == "AES256"
    (versioning,) = resource("aws_s3_bucket_versioning")["versioning_configuration"]
    assert versioning["status"] == "Enabled"


def test_the_bucket_is_kept_by_default() -> None:
    assert resource("aws_s3_bucket")["force_destroy"] == "${var.force_destroy}"
    (variable,) = blocks_of("variable", "force_destroy")
    assert variable.body["default"] is False


def test_incomplete_uploads_and_old_versions_expire() -> None:
    bucket = resource("aws_s3_bucket_lifecycle_configuration")
    found = {key for rule in bucket["rule"] for key in rule}
    assert {"abort_incomplete_multipart_upload", "noncurrent_version_expiration"} <= found
    ((expiry,),) = (dynamic["rule"]["content"] for dynamic in bucket["dynamic"])
    assert expiry["filter"] == [{"prefix": "${var.output_prefix}"}]


# The registry.


def test_tags_are_immutable_and_images_are_scanned() -> None:
    repository = resource("aws_ecr_repository")
    assert repository["image_tag_mutability"] == "IMMUTABLE"
    assert repository["image_scanning_configuration"] == [{"scan_on_push": True}]


# The files.


def test_all_taggable_resources_have_tags() -> None:
    without = {
        block.address
        for block in RESOURCES
        if block.labels[0] in TAGGED and block.body.get("tags") != "${local.tags}"
    }
    assert not without


TAGGED = {
    "aws_apigatewayv2_api",
    "aws_apigatewayv2_stage",
    "aws_budgets_budget",
    "aws_cloudwatch_event_rule",
    "aws_cloudwatch_log_group",
    "aws_cloudwatch_metric_alarm",
    "aws_ecr_repository",
    "aws_iam_role",
    "aws_lambda_event_source_mapping",
    "aws_lambda_function",
    "aws_s3_bucket",
    "aws_sfn_state_machine",
    "aws_sns_topic",
    "aws_sqs_queue",
}


def test_version_constraints_are_the_same_everywhere() -> None:
    files = [FOLDER / "versions.tf", *FOLDER.glob("examples/*/main.tf")]
    assert len(files) == 3
    for path in files:
        code = path.read_text("utf-8")
        assert 'required_version = ">= 1.9"' in code
        assert 'version = ">= 5.100, < 7.0"' in code


def test_region_account_and_endpoint_are_not_hard_coded() -> None:
    """All of them come from the environment, such as AWS_ENDPOINT_URL."""
    assert not blocks_of("provider")
    for path in FOLDER.glob("*.tf"):
        code = re.sub(r"<<-EOT.*?EOT", "", path.read_text("utf-8"), flags=re.DOTALL)
        code = re.sub(r"#.*", "", code)
        assert not re.search(r"\b\d{12}\b|endpoints? *\{", code), path.name
        assert not re.search(r"[a-z]{2}-(central|east|west|north|south)\w*-\d", code), path.name


@pytest.mark.parametrize("name", ["terraform.tfstate", "terraform.tfvars", ".terraform/x"])
def test_git_ignores_files_of_one_account(repository: Path, name: str) -> None:
    if not (repository / ".git").exists():
        pytest.skip("not a git repository")
    words = ["git", "-C", str(repository), "check-ignore", "--quiet", f"terraform/{name}"]
    assert subprocess.run(words, check=False).returncode == 0


def test_the_page_on_costs_has_the_number_of_alarms(repository: Path) -> None:
    (alarms,) = (block.body["alarms"] for block in blocks_of("locals") if "alarms" in block.body)
    page = (repository / "docs" / "cost.md").read_text("utf-8")
    assert f"| {len(alarms)} alarms (`alarms`) | 0.10 each | {0.1 * len(alarms):.2f} |" in page


def test_links_in_the_readme_exist() -> None:
    links = re.findall(r"\]\(([^)#\s]+)", README)
    assert links
    assert all((FOLDER / link).exists() for link in links if "://" not in link)
