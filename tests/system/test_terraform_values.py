"""Rules, policies and settings as Terraform evaluates them, without a provider."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import Route

from fft_tool.admission import memory_needed
from fft_tool.codec.header import Header
from fft_tool.limits import MIB
from fft_tool.recipe import Recipe
from fft_tool.runs.sources import SUFFIXES
from handler import batches_settings
from handler.batches_settings import BatchesSettings
from handler.log import COUNTED
from handler.settings import OWN_MEMORY, VARIABLES, Settings
from service.lambda_entry import settings_of
from service.routes import ROUTERS
from service.settings import VARIABLES as SERVICE_VARIABLES
from tests.system.terraform.files import FOLDER
from tests.system.terraform.program import WithoutProvider, run

Json = dict[str, Any]

BUCKET = "<aws_s3_bucket.images.arn>"


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> WithoutProvider:
    return WithoutProvider.made_in(tmp_path_factory.mktemp("bare"))


@pytest.fixture(scope="module")
def values(bare: WithoutProvider) -> Json:
    return bare.values()


def statements(values: Json, name: str) -> list[Json]:
    found: list[Json] = json.loads(values[name])["Statement"]
    return found


def as_list(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


# Settings.


def test_the_function_accepts_its_environment(values: Json) -> None:
    assert Settings.from_environ(values["environment"])


def test_defaults_are_those_of_the_function(values: Json) -> None:
    """Except for the pixels, which the function limits only by Lambda's memory."""
    own = {variable.name: variable.default for variable in VARIABLES}
    differing = {name for name, value in values["environment"].items() if value != own[name]}
    assert differing == {"FFT_MAX_PIXELS"}


def test_pages_show_the_limit_on_outputs_of_one_source(values: Json, repository: Path) -> None:
    most = Settings.from_environ(values["environment"]).limits.max_output_bytes
    assert most is not None
    for page in ("cost.md", "lambda.md"):
        assert f"{most / 1e6:.0f} MB" in (repository / "docs" / page).read_text("utf-8")


def test_limits_on_metadata_and_outputs_reach_the_function(bare: WithoutProvider) -> None:
    told = bare.values(metadata_keys=["channel", "pixel-size"], max_output_bytes=123_456_789)
    settings = Settings.from_environ(told["environment"])
    assert settings.metadata_keys == {"channel", "pixel-size"}
    assert settings.limits.max_output_bytes == 123_456_789
    nothing = bare.values(metadata_keys=[])["environment"]
    assert Settings.from_environ(nothing).metadata_keys == set()


def test_suffixes_match_those_of_the_command_line(values: Json) -> None:
    expected = {*SUFFIXES, *(suffix.upper() for suffix in SUFFIXES)}
    assert set(values["suffixes"]) == expected


@pytest.mark.parametrize("recipe", ["", "window=hann bits=16"])
@pytest.mark.parametrize("side", [1000, 20_000])
def test_the_required_memory_matches_the_estimate_of_the_core(
    bare: WithoutProvider, recipe: str, side: int
) -> None:
    """To within 2 MB, for an incompressible grey image."""
    told = bare.values(
        recipe=recipe, max_pixels=side**2, memory_mb=10240, timeout_seconds=900, **PATIENT
    )
    header = Header("png", side, side, channels=1, depth=8, file_bytes=side**2)
    child = memory_needed(header, Recipe.parse_text(f"{recipe} metadata=yes"))
    needed = (child + header.file_bytes + OWN_MEMORY) / MIB
    assert needed <= told["memory_needed_mb"] <= needed + 2


PATIENT = {"oldest_message_seconds": 5400}


# Permissions.


def test_the_function_has_only_the_permissions_that_it_needs(values: Json) -> None:
    rights = {
        (action, resource)
        for statement in statements(values, "aws_iam_role_policy_function")
        for action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    }
    assert rights == {
        ("s3:GetObject", f"{BUCKET}/input/*"),
        ("s3:ListBucket", BUCKET),
        ("s3:PutObject", f"{BUCKET}/output/*"),
        ("s3:AbortMultipartUpload", f"{BUCKET}/output/*"),
        ("sqs:ReceiveMessage", "<aws_sqs_queue.work.arn>"),
        ("sqs:DeleteMessage", "<aws_sqs_queue.work.arn>"),
        ("sqs:GetQueueAttributes", "<aws_sqs_queue.work.arn>"),
        ("sqs:SendMessage", "<aws_sqs_queue.failed_calls.arn>"),
        ("logs:CreateLogStream", "<aws_cloudwatch_log_group.function.arn>:log-stream:*"),
        ("logs:PutLogEvents", "<aws_cloudwatch_log_group.function.arn>:log-stream:*"),
    }


def test_each_step_of_the_workflow_has_only_its_own_rights(bare: WithoutProvider) -> None:
    policies = bare.values(workflow_enabled=True)["aws_iam_role_policy_workflow"]
    sources, results = f"{BUCKET}/workflow/*", f"{BUCKET}/output/workflow/*"
    expected = {
        "plan": ({sources}, set()),
        "process": ({sources}, {results}),
        "analyse": ({sources, results}, {results}),
        "finish": ({sources, results}, {results}),
        "reject": ({sources}, {results}),
    }
    assert policies.keys() == expected.keys()
    for step, policy in policies.items():
        rights = {
            (action, resource)
            for statement in json.loads(policy)["Statement"]
            for action in as_list(statement["Action"])
            for resource in as_list(statement["Resource"])
        }
        read = {resource for action, resource in rights if action == "s3:GetObject"}
        written = {resource for action, resource in rights if action == "s3:PutObject"}
        assert (read, written) == expected[step]
        assert {action for action, _ in rights} <= {
            *("s3:GetObject", "s3:ListBucket", "s3:PutObject", "s3:AbortMultipartUpload"),
            *("logs:CreateLogStream", "logs:PutLogEvents"),
        }


def test_the_workflow_s_folder_may_not_overlap_with_another(bare: WithoutProvider) -> None:
    done = bare.run("plan", "-no-color", workflow_prefix="input/new/")
    assert done.returncode != 0
    said = " ".join(done.stderr.split())
    assert "workflow_prefix = input/new/ overlaps with input_prefix or output_prefix" in said


def test_listing_is_allowed_without_a_condition(values: Json) -> None:
    """S3 does not document a prefix for requests of one object, so no condition relies on it."""
    (listing,) = (
        statement
        for statement in statements(values, "aws_iam_role_policy_function")
        if statement["Action"] == "s3:ListBucket"
    )
    assert "Condition" not in listing


def test_only_lambda_can_assume_the_role(values: Json) -> None:
    (statement,) = statements(values, "aws_iam_role_function")
    assert statement["Principal"] == {"Service": "lambda.amazonaws.com"}


@pytest.mark.parametrize(
    ("policy", "service", "source"),
    [
        ("aws_sqs_queue_policy_work", "s3", BUCKET),
        (
            "aws_sns_topic_policy_alarms",
            "cloudwatch",
            "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:fft-pipeline-*",
        ),
    ],
)
def test_a_service_is_allowed_for_one_source_in_this_account(
    values: Json, policy: str, service: str, source: str
) -> None:
    (statement,) = (one for one in statements(values, policy) if one["Effect"] == "Allow")
    assert statement["Principal"] == {"Service": f"{service}.amazonaws.com"}
    assert not any("*" in action for action in as_list(statement["Action"]))
    conditions = {
        key: value for test in statement["Condition"].values() for key, value in test.items()
    }
    assert conditions == {"aws:SourceArn": source, "aws:SourceAccount": "123456789012"}


def test_the_bucket_policy_requires_tls_and_grants_nothing(
    values: Json,
) -> None:
    found = statements(values, "aws_s3_bucket_policy_images")
    assert {statement["Effect"] for statement in found} == {"Deny"}
    assert found[0]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert set(found[0]["Resource"]) == {BUCKET, f"{BUCKET}/*"}


def test_only_the_function_and_administrators_write_and_delete_results(
    bare: WithoutProvider,
) -> None:
    keeper = "arn:aws:iam::123456789012:role/keeper"
    values = bare.values(output_prefix="spectra/", administrators=[keeper])
    _, statement = statements(values, "aws_s3_bucket_policy_images")
    assert (statement["Effect"], statement["Principal"]) == ("Deny", "*")
    assert {"s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion"} <= set(statement["Action"])
    assert statement["Resource"] == f"{BUCKET}/spectra/*", "uploads are left alone"
    root = "arn:aws:iam::123456789012:root"
    assert statement["Condition"] == {
        "ArnNotLike": {"aws:PrincipalArn": ["<aws_iam_role.function.arn>", root, keeper]}
    }


def test_the_bucket_policy_does_not_deny_changes_to_itself(values: Json) -> None:
    """An explicit deny of everything would lock out the administrators permanently."""
    _, statement = statements(values, "aws_s3_bucket_policy_images")
    assert not any("Policy" in action or "*" in action for action in statement["Action"])


@pytest.mark.parametrize("queue", ["work", "dead_letters", "failed_calls"])
def test_queue_policies_require_tls(values: Json, queue: str) -> None:
    (statement,) = (
        one
        for one in statements(values, f"aws_sqs_queue_policy_{queue}")
        if one["Effect"] == "Deny"
    )
    assert statement["Principal"] == "*"
    assert statement["Action"] == "sqs:*"
    assert statement["Resource"] == f"<aws_sqs_queue.{queue}.arn>"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


# Batches.


def test_functions_of_batches_accept_their_environment(values: Json) -> None:
    given = {**values["environment"], **values["batch_environment"]}
    settings = BatchesSettings.from_environ(given)
    assert settings.state_machine.endswith(":stateMachine:fft-pipeline-batches")
    known = {variable.name: variable.default for variable in batches_settings.VARIABLES}
    own = values["batch_environment"]
    assert known.keys() - own.keys() == {
        *("DATABASE_URL", "DATABASE_SECRET_ARN", "DATABASE_CA_SECRET_ARN")
    }
    differing = {name for name, value in own.items() if value != known[name]}
    assert differing == {"BATCHES_STATE_MACHINE"}


def test_each_function_of_batches_has_only_the_permissions_that_it_needs(values: Json) -> None:
    jobs, results = f"{BUCKET}/batches/*", f"{BUCKET}/output/batches/*"
    machine = "arn:aws:states:eu-central-1:123456789012:{}:fft-pipeline-batches"
    reads = {("s3:ListBucket", BUCKET), ("s3:GetObject", results)}
    writes = {("s3:PutObject", results), ("s3:AbortMultipartUpload", results)}
    assert rights_of(values, "detect") == reads | writes | {("s3:GetObject", jobs)}
    assert rights_of(values, "count") == reads | writes | {("s3:GetObject", jobs)}
    assert rights_of(values, "publish") == reads | writes
    queue = "<aws_sqs_queue.batches.arn>"
    assert rights_of(values, "sweep") == reads | {
        ("s3:GetObject", jobs),
        ("states:StartExecution", machine.format("stateMachine")),
        ("states:DescribeExecution", machine.format("execution") + ":*"),
        *((f"sqs:{what}", queue) for what in ("ReceiveMessage", "DeleteMessage")),
        ("sqs:GetQueueAttributes", queue),
    }


def rights_of(
    values: Json, function: str, functions: str = "batch_functions"
) -> set[tuple[str, str]]:
    return {
        (action, resource)
        for statement in values[functions][function]["statements"]
        for action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    }


def test_alarms_of_batches_are_about_metrics_that_exist(values: Json, repository: Path) -> None:
    written = (repository / "handler" / "batches_sweep.py").read_text("utf-8")
    own = [alarm for alarm in values["batch_alarms"].values() if alarm["namespace"][:4] != "AWS/"]
    assert {alarm["metric"] for alarm in own} == {"JobsOverdue", "JobsGivenUp"}
    assert all(f'"{alarm["metric"]}"' in written for alarm in own)


# The service.


def test_functions_of_the_service_accept_their_environment(bare: WithoutProvider) -> None:
    found = bare.values(**SERVICE)["service_environment"]
    given = {name: re.sub("<.*?>", "made-by-aws", text) for name, text in found.items()}
    secret = {"SECRET_KEY": 32 * "k", "DATABASE_URL": "postgresql://db.example/service"}
    settings = settings_of(given, lambda _: json.dumps(secret))
    assert settings.storage_path == "s3://made-by-aws/service"
    assert settings.max_upload_bytes * 4 / 3 < 6 * MIB, "base64 in an event of at most 6 MB"
    own = {variable.name for variable in SERVICE_VARIABLES}
    assert given.keys() - own == {"SERVICE_SECRET_ARN", "SERVICE_WORK_FUNCTION"}


def test_each_function_of_the_service_has_only_the_permissions_that_it_needs(
    bare: WithoutProvider,
) -> None:
    values = bare.values(**SERVICE)
    work = "arn:aws:lambda:eu-central-1:123456789012:function:fft-pipeline-service-work"
    common = {
        *((f"s3:{what}", f"{BUCKET}/service/*") for what in ("GetObject", "PutObject")),
        *(
            (f"s3:{what}", f"{BUCKET}/service/*")
            for what in ("DeleteObject", "AbortMultipartUpload")
        ),
        ("s3:ListBucket", BUCKET),
        ("secretsmanager:GetSecretValue", SERVICE["service_secret_arn"]),
    }
    assert rights_of(values, "work", "service_functions") == common
    assert rights_of(values, "api", "service_functions") == common | {
        ("dynamodb:GetItem", "<aws_dynamodb_table.rate_limit.arn>"),
        ("dynamodb:UpdateItem", "<aws_dynamodb_table.rate_limit.arn>"),
        ("lambda:InvokeFunction", work),
    }


def test_the_http_api_has_the_routes_of_the_application(bare: WithoutProvider) -> None:
    """A route that it lacks would be answered with 404 by API Gateway."""
    access_point = "arn:aws:elasticfilesystem:eu-central-1:123456789012:access-point/fsap-1"
    network = {"service_subnet_ids": ["subnet-1"], "service_security_group_ids": ["sg-1"]}
    values = bare.values(**SERVICE, **network, service_access_point_arn=access_point)
    keys = [key.removeprefix("ANY ") for key in values["service_routes"]]
    patterns = [re.escape(key).replace(r"\{proxy\+\}", ".+") for key in keys]
    paths = {
        route.path for router in ROUTERS for route in router.routes if isinstance(route, Route)
    }
    assert len(paths) > 10
    unserved = {path for path in paths if not any(re.fullmatch(each, path) for each in patterns)}
    assert unserved == set()
    unused = {each for each in patterns if not any(re.fullmatch(each, path) for path in paths)}
    assert unused == {re.escape("/openapi.json")}


SERVICE = {
    "service_enabled": True,
    "service_api_enabled": True,
    "service_image_digest": f"sha256:{64 * 'd'}",
    "service_secret_arn": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:service-AbCdEf",
}


# Queue, registry, alarms, dashboard.


def test_dead_letters_are_retained_longer_than_messages(values: Json) -> None:
    assert values["seven_days"] < values["fourteen_days"] == 1_209_600
    redrive = json.loads(values["aws_sqs_queue_work"])
    assert redrive == {
        "deadLetterTargetArn": "<aws_sqs_queue.dead_letters.arn>",
        "maxReceiveCount": 5,
    }


def test_tagged_images_never_expire(values: Json) -> None:
    """The deployed image has a tag, and keeps it in an immutable repository."""
    rules = json.loads(values["aws_ecr_lifecycle_policy_function"])["rules"]
    assert {rule["selection"]["tagStatus"] for rule in rules} == {"untagged"}


def test_there_is_an_alarm_for_everything_that_needs_attention(values: Json) -> None:
    watched = {(alarm["namespace"], alarm["metric"]) for alarm in values["alarms"].values()}
    assert watched >= {
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible"),
        ("AWS/SQS", "ApproximateAgeOfOldestMessage"),
        ("AWS/Lambda", "Errors"),
        ("AWS/Lambda", "Throttles"),
        ("fft-pipeline", "Failed"),
        ("fft-pipeline", "BytesWritten"),
    }
    queues = [alarm["dimensions"].get("QueueName") for alarm in values["alarms"].values()]
    assert "<aws_sqs_queue.dead_letters.name>" in queues
    assert "<aws_sqs_queue.failed_calls.name>" in queues


def graphs(values: Json) -> dict[str, Json]:
    found = (widget["properties"] for widget in values["widgets"] if widget["type"] == "metric")
    return {properties["title"]: properties for properties in found}


def test_the_dashboard_shows_the_counters_of_the_function(values: Json) -> None:
    (images,) = (graph for title, graph in graphs(values).items() if "minute" in title)
    assert images["period"] == 60
    assert images["metrics"][0][:4] == ["fft-pipeline", "Processed", "FunctionName", "fft-pipeline"]
    shown = {metric[1] for metric in images["metrics"]}
    assert shown == {*COUNTED.values(), "Retried", "BrokenOff"}


def test_the_dashboard_shows_median_and_99th_percentile(values: Json) -> None:
    (times,) = (graph for title, graph in graphs(values).items() if "Milliseconds" in title)
    assert {metric[-1]["stat"] for metric in times["metrics"]} >= {"p50", "p99"}


def test_the_dashboard_shows_the_drivers_of_cost(bare: WithoutProvider) -> None:
    found = json.dumps(bare.values(memory_mb=3072)["widgets"])
    for word in ("ms / 1000 * 3072 / 1024", "Invocations", "IncomingBytes"):
        assert word in found


def test_widgets_fill_the_width_without_overlap(values: Json) -> None:
    taken = [
        (widget["x"] + x, widget["y"] + y)
        for widget in values["widgets"]
        for x in range(widget["width"])
        for y in range(widget["height"])
    ]
    assert len(taken) == len(set(taken))
    assert max(x for x, _ in taken) == 23


# Outputs.


def test_commands_can_be_pasted(values: Json, repository: Path) -> None:
    words = values["drop_command"].split()
    assert words[:3] == ["aws", "s3", "cp"]
    assert (repository / words[3]).is_file()
    assert words[4] == "s3://<aws_s3_bucket.images.id>/input/"
    assert values["tail_command"].startswith("aws logs tail <aws_cloudwatch_log_group.function")
    for name in ("drop_command", "results_command", "tail_command", "redrive_command"):
        assert values[name].endswith("--region eu-central-1")


# Terraform's own checks.


@pytest.mark.slow
def test_every_invalid_value_is_refused(bare: WithoutProvider, tmp_path: Path) -> None:
    """The runs of refused.tftest.hcl, without the provider, which they do not need."""
    folder = shutil.copytree(bare.folder, tmp_path / "refused")
    (folder / "tests").mkdir()
    tests = (FOLDER / "tests" / "refused.tftest.hcl").read_text("utf-8")
    runs = tests.replace('mock_provider "aws" {}\n', "")
    assert runs != tests
    (folder / "tests" / "refused.tftest.hcl").write_text(runs, "utf-8")
    done = run(folder, "test", "-no-color")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{runs.count('expect_failures')} passed" in done.stdout


def test_a_refusal_names_the_fault_and_a_remedy(bare: WithoutProvider) -> None:
    done = bare.run("plan", "-no-color", max_pixels=300_000_000, architecture="amd64")
    said = " ".join(done.stderr.split())
    assert done.returncode != 0
    assert "architecture should be x86_64 or arm64." in said
    assert "max_pixels = 300000000: a grey image of that many pixels takes 4119 MB" in said


def test_the_files_are_formatted_as_by_terraform_fmt() -> None:
    done = run(FOLDER, "fmt", "-check", "-diff", "-recursive")
    assert done.returncode == 0, done.stdout + done.stderr
