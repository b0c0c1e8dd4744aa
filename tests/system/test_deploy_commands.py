"""``make plan``, ``destroy`` and ``tail``, and checks that precede any change."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from handler.settings import VARIABLES
from tests.support.cloud import Request, begin, serving
from tests.support.command import what_make_runs
from tests.support.deployment import DIGEST, SECONDS, Deployment, hear_interrupts

pytest_plugins = ["tests.support.deployment_fixtures"]
pytestmark = pytest.mark.slow


# Checks that precede any change.


def test_all_missing_prerequisites_are_reported_at_once_with_remedies(
    deployment: Deployment,
) -> None:
    for name in ("terraform", "docker"):
        (deployment.folder / "bin" / name).unlink()
    for name in ("AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        del deployment.environment[name]
    done = deployment.run("deploy")
    assert done.returncode == 1
    assert "nothing has been changed" in done.stderr
    assert "Terraform is not installed: https://" in done.stderr
    assert "no region is set: export AWS_REGION=" in done.stderr
    assert "no AWS credentials are set: aws configure" in done.stderr
    assert "docker: not installed" in done.stderr
    assert "https://docs.docker.com" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"TERRAFORM_VERSION": "1.8.5"}, "Terraform 1.8.5 is installed, 1.9 or newer is needed"),
        ({"AWS_PROFILE": "nobody"}, "nobody"),
        ({"AWS_ENDPOINT_URL_STS": "http://127.0.0.1:9"}, "AWS cannot be reached: "),
        ({"CONSOLE_SAYS": "Error: architecture should be x86_64 or arm64."}, "x86_64 or arm64"),
        ({"FAILING": "version"}, "docker version"),
        ({"BUILDER": "kaniko"}, "should be one of docker, podman, buildah"),
    ],
)
def test_obstacles_are_reported_before_anything_is_changed(
    deployment: Deployment, variables: dict[str, str], said: str
) -> None:
    done = deployment.run("deploy", AWS_MAX_ATTEMPTS="1", **variables)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert deployment.calls() == []


@pytest.mark.parametrize(
    ("status", "told"),
    [(403, "AWS does not accept the credentials: "), (503, "AWS cannot be reached: ")],
)
def test_whether_it_is_the_credentials_is_told_by_what_aws_answers(
    deployment: Deployment, status: int, told: str
) -> None:
    body = b"""<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error>
        <Type>Sender</Type><Code>InvalidClientTokenId</Code><Message>The security token included in
        the request is invalid.</Message></Error></ErrorResponse>"""

    def answer(request: Request) -> None:
        begin(request, len(body), {"Content-Type": "text/xml"}, status=status)
        request.wfile.write(body)

    with serving(answer) as url:
        done = deployment.run("plan", AWS_MAX_ATTEMPTS="1", AWS_ENDPOINT_URL_STS=url)
    assert done.returncode == 1
    assert told in done.stderr
    assert deployment.calls() == []


def test_settings_with_which_the_function_would_not_start_are_refused(
    deployment: Deployment,
) -> None:
    environment = {variable.name: variable.default for variable in VARIABLES}
    deployment.configure(environment={**environment, "FFT_RECIPE": "windw=hann"})
    done = deployment.run("deploy")
    assert done.returncode == 1
    assert "FFT_RECIPE='windw=hann'" in done.stderr
    assert deployment.calls() == []


def test_wrong_usage_is_reported() -> None:
    words = [sys.executable, "-m", "tools.deploy", "undeploy"]
    done = subprocess.run(words, capture_output=True, check=False, timeout=SECONDS)
    assert done.returncode == 2


# plan


def test_a_plan_uses_the_deployed_image(deployed: Deployment) -> None:
    assert deployed.run("plan").returncode == 0
    assert deployed.calls() == [f"terraform plan image_digest={DIGEST}"]


def test_a_plan_before_the_first_deployment_uses_a_placeholder_digest(
    deployment: Deployment,
) -> None:
    done = deployment.run("plan")
    assert done.returncode == 0, done.stderr
    assert deployment.calls() == [f"terraform plan image_digest=sha256:{64 * '0'}"]
    assert "There is no image yet" in done.stderr


def test_a_plan_needs_no_docker(deployment: Deployment) -> None:
    (deployment.folder / "bin" / "docker").unlink()
    assert deployment.run("plan").returncode == 0


def test_a_plan_that_is_not_shown_on_a_terminal_has_no_colours(deployed: Deployment) -> None:
    deployed.run("plan")
    deployed.run("destroy")
    flags = (deployed.folder / "fakes" / "flags").read_text().splitlines()
    assert len(flags) == 2
    assert all("-no-color" in line.split() for line in flags)


def test_a_plan_that_was_saved_is_what_is_applied(deployment: Deployment, tmp_path: Path) -> None:
    assert deployment.run("deploy").returncode == 0
    deployment.calls()
    deployment.touch("handler/answers.py")
    saved = tmp_path / "new.tfplan"
    planned = deployment.run("plan", "--out", str(saved))
    assert planned.returncode == 0, planned.stderr
    assert f"make deploy PLAN={saved}" in planned.stderr
    *built, plan = deployment.calls()
    assert [call.split()[1] for call in built] == ["login", "buildx", "push"]
    deployment.touch("handler/answers.py")  # what is deployed is what was planned
    applied = deployment.run("deploy", "--plan", str(saved))
    assert applied.returncode == 0, applied.stderr
    digest = plan.removeprefix("terraform plan image_digest=")
    assert digest.startswith("sha256:")
    assert deployment.calls() == [f"terraform apply image_digest={digest}"]
    assert "The pipeline is deployed." in applied.stderr


def test_before_there_is_a_repository_no_plan_can_be_saved(deployment: Deployment) -> None:
    done = deployment.run("plan", "--out", "first.tfplan")
    assert done.returncode == 1
    assert "no repository yet" in done.stderr
    assert "make deploy" in done.stderr
    assert deployment.calls() == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--plan", "none.tfplan"], "none.tfplan: no such file: make plan OUT=none.tfplan"),
        (["--plan", "none.tfplan", "--rebuild"], "belong to make plan"),
    ],
)
def test_a_plan_that_cannot_be_applied_is_refused(
    deployed: Deployment, words: list[str], told: str
) -> None:
    done = deployed.run("deploy", *words)
    assert done.returncode == 1
    assert told in done.stderr
    assert deployed.calls() == []


# destroy


def fill(deployment: Deployment) -> None:
    """Put two objects, an old version and a delete marker into the bucket."""
    s3 = deployment.client("s3")
    enabled = {"Status": "Enabled"}
    s3.put_bucket_versioning(Bucket=deployment.name, VersioningConfiguration=enabled)
    for key in ("input/a.png", "input/a.png", "output/a_phase.png", "input/b.png"):
        s3.put_object(Bucket=deployment.name, Key=key, Body=b"image")
    s3.delete_object(Bucket=deployment.name, Key="input/b.png")


def test_a_bucket_that_is_not_empty_is_not_destroyed(deployed: Deployment) -> None:
    fill(deployed)
    done = deployed.run("destroy")
    assert done.returncode == 1
    assert f"the bucket {deployed.name} is not empty" in done.stderr
    assert "2 objects, 2 old versions, 1 delete marker" in done.stderr
    assert "make destroy DATA=delete" in done.stderr
    assert deployed.calls() == []


def test_an_empty_bucket_is_destroyed_with_everything_else(deployed: Deployment) -> None:
    assert deployed.run("destroy").returncode == 0
    assert deployed.calls() == [f"terraform destroy image_digest={DIGEST}"]


@pytest.mark.parametrize("said_by", ["command", "variable"])
def test_the_contents_of_the_bucket_are_deleted_on_request(
    deployed: Deployment, said_by: str
) -> None:
    fill(deployed)
    deployed.configure(force_destroy=said_by == "variable")
    done = deployed.run("destroy", *(["--data", "delete"] if said_by == "command" else []))
    assert done.returncode == 0, done.stderr
    assert deployed.calls() == [
        f"terraform apply image_digest={DIGEST} force_destroy=true",
        f"terraform destroy image_digest={DIGEST}",
    ]


def test_destroy_without_a_deployment_succeeds(deployment: Deployment) -> None:
    assert deployment.run("destroy").returncode == 0
    assert deployment.calls() == ["terraform destroy"]


# tail


def test_tail_follows_the_log(deployed: Deployment) -> None:
    logs, group = deployed.client("logs"), f"/aws/lambda/{deployed.name}"
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="s")
    words = [sys.executable, "-m", "tools.deploy", "tail"]
    tail = subprocess.Popen(
        words,
        cwd=deployed.folder,
        env=deployed.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=hear_interrupts,  # noqa: PLW1509  (no other way to change the process itself)
    )
    assert tail.stdout is not None
    assert tail.stderr is not None
    try:
        while "from now on" not in tail.stderr.readline():
            assert tail.poll() is None
        line = json.dumps({"outcome": "done", "key": "input/forest.png", "total_ms": 79.2})
        event = {"timestamp": round(1000 * time.time()), "message": line}
        logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=[event])
        shown = tail.stdout.readline()
        assert "done" in shown
        assert "input/forest.png" in shown
        assert "79 ms" in shown
        tail.send_signal(signal.SIGINT)
        assert tail.wait(SECONDS) == 130
    finally:
        tail.kill()
        tail.communicate()


def test_tail_without_a_deployment_is_an_error(deployment: Deployment) -> None:
    done = deployment.run("tail")
    assert done.returncode == 1
    assert "make deploy" in done.stderr


# make


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (["plan"], ["plan"]),
        (["plan", "OUT=my.tfplan"], ["plan", "--out", "my.tfplan"]),
        (["plan", "OUT=p", "BASE=a/python:3"], ["plan", "--out", "p", "--base", "a/python:3"]),
        (["deploy", "PLAN=my.tfplan"], ["deploy", "--plan", "my.tfplan"]),
        (
            ["deploy", "BASE=a/python:3", "REBUILD=1"],
            ["deploy", "--base", "a/python:3", "--rebuild"],
        ),
        (["deploy", "FLAGS=--secret id=ca"], ["deploy", "--flags=--secret id=ca"]),
        (["tail"], ["tail"]),
        (["destroy"], ["destroy"]),
        (["destroy", "DATA=delete"], ["destroy", "--data", "delete"]),
    ],
)
def test_make_passes_variables_on_as_arguments(
    target: list[str], words: list[str], tmp_path: Path
) -> None:
    assert what_make_runs(tmp_path, *target) == [["-m", "tools.deploy", *words]]


def test_no_environment_variable_makes_make_delete_data(tmp_path: Path) -> None:
    assert what_make_runs(tmp_path, "destroy", DATA="delete") == [["-m", "tools.deploy", "destroy"]]
