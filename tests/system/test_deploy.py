"""``make deploy``: the order of its steps, and what changes the tag of the image."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time

import pytest

from tests.support.deployment import SECONDS, Answer, Deployment, hear_interrupts

pytest_plugins = ["tests.support.deployment_fixtures"]
pytestmark = pytest.mark.slow

OTHER_BASE = f"registry.example/python:3.13@sha256:{64 * 'b'}"


def test_a_first_deployment_creates_repository_image_and_function(
    deployment: Deployment,
) -> None:
    done = deployment.run("deploy")
    assert done.returncode == 0, done.stderr
    digest = deployment.digest()
    calls = deployment.calls()
    assert calls[0] == "terraform apply"
    assert calls[1].startswith("docker login --username AWS --password-stdin 123456789012.dkr")
    assert calls[2].startswith("docker buildx build")
    assert "--platform linux/amd64" in calls[2]
    assert calls[3].startswith("docker push")
    assert calls[4:] == [f"terraform apply image_digest={digest}"]
    assert f"aws s3 cp input_images/text.png s3://{deployment.name}/input/" in done.stderr


def test_a_second_deployment_reuses_the_image(deployment: Deployment) -> None:
    assert deployment.run("deploy").returncode == 0
    deployment.calls()
    assert deployment.run("deploy").returncode == 0
    assert deployment.calls() == [f"terraform apply image_digest={deployment.digest()}"]


def test_an_interrupted_deployment_resumes(deployment: Deployment) -> None:
    broken = deployment.run("deploy", FAILING="push")
    assert broken.returncode == 1
    assert "docker push" in broken.stderr
    assert "failed with exit code 1" in broken.stderr
    deployment.calls()
    assert deployment.run("deploy").returncode == 0
    assert deployment.calls()[-1] == f"terraform apply image_digest={deployment.digest()}"


def test_an_image_is_rebuilt_for_another_base_or_on_demand(deployment: Deployment) -> None:
    tags = {deployment.tag(), deployment.tag(base=OTHER_BASE), deployment.tag(rebuild=True)}
    assert len(tags) == 3


def test_a_newer_base_changes_the_tag(deployment: Deployment) -> None:
    before = deployment.tag()
    dockerfile = deployment.folder / "docker" / "Dockerfile"
    text = dockerfile.read_text("utf-8")
    newer = re.sub("@sha256:[0-9a-f]{64}", f"@sha256:{64 * 'b'}", text)
    assert newer != text
    dockerfile.write_text(newer, "utf-8")
    assert deployment.tag() != before


def test_a_base_without_its_digest_is_refused_before_anything_is_changed(
    deployment: Deployment,
) -> None:
    done = deployment.run("deploy", "--base", "registry.example/python:3.13")
    assert done.returncode == 1
    assert "BASE=registry.example/python:3.13@sha256:" in done.stderr
    assert "tools.image.base registry.example/python:3.13" in done.stderr
    assert deployment.calls() == []


@pytest.mark.parametrize(
    "changed", ["handler/answers.py", "fft_tool/limits.py", "docker/Dockerfile", "LICENSE"]
)
def test_a_change_to_the_sources_of_the_image_changes_the_tag(
    deployment: Deployment, changed: str
) -> None:
    before = deployment.tag()
    deployment.touch(changed)
    assert deployment.tag() != before


@pytest.mark.parametrize(
    "changed", ["tools/local_aws/up.py", "terraform/README.md", "fft_tool/__pycache__/x.pyc"]
)
def test_a_change_to_other_files_does_not_change_the_tag(
    deployment: Deployment, changed: str
) -> None:
    before = deployment.tag()
    deployment.touch(changed)
    assert deployment.tag() == before


def test_everything_that_the_dockerfile_copies_is_part_of_the_tag(deployment: Deployment) -> None:
    dockerfile = (deployment.folder / "docker" / "Dockerfile").read_text("utf-8")
    copied = re.findall(r"^COPY (?!.*--from)(?:--\S+ )*(.+) \S+$", dockerfile, re.MULTILINE)
    assert copied
    for path in " ".join(copied).split():
        before = deployment.tag()
        deployment.touch(path if (deployment.folder / path).is_file() else f"{path}/more.py")
        assert deployment.tag() != before, path


def test_the_image_is_built_for_the_architecture_of_the_function(deployment: Deployment) -> None:
    deployment.configure(architecture="arm64")
    assert deployment.run("deploy", "--flags=--no-cache").returncode == 0
    (build,) = (call for call in deployment.calls() if "buildx build" in call)
    assert "--platform linux/arm64" in build
    assert "--no-cache" in build


def test_a_new_name_creates_a_new_repository_first(deployment: Deployment) -> None:
    assert deployment.run("deploy").returncode == 0
    deployment.calls()
    deployment.configure(name=f"{deployment.name}-2")
    assert deployment.run("deploy").returncode == 0
    assert deployment.calls()[0] == "terraform apply"


def test_the_function_is_invoked_once_to_check_that_it_starts(
    deployment: Deployment, function: Answer
) -> None:
    assert deployment.run("deploy").returncode == 0
    ((path, event),) = function.asked
    assert deployment.name in path
    assert event["Event"] == "s3:TestEvent"
    assert event["Bucket"] == deployment.name
    function.fails, function.says = True, '{"errorMessage": "FFT_RECIPE: unknown key"}'
    done = deployment.run("deploy")
    assert done.returncode == 1
    assert "does not start" in done.stderr
    assert "FFT_RECIPE: unknown key" in done.stderr


def test_a_failure_of_terraform_ends_the_deployment(deployment: Deployment) -> None:
    done = deployment.run("deploy", FAILING="apply")
    assert done.returncode == 1
    assert "terraform apply failed with exit code 1" in done.stderr
    assert deployment.calls() == ["terraform apply"]


def test_an_interrupt_lets_terraform_finish(deployment: Deployment) -> None:
    """Terraform has to record what it has done so far, which is lost if it is killed."""
    fakes = deployment.folder / "fakes"
    deploy = subprocess.Popen(
        [sys.executable, "-m", "tools.deploy", "deploy"],
        cwd=deployment.folder,
        env={**deployment.environment, "SLOW": "apply"},
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=hear_interrupts,  # noqa: PLW1509
    )
    try:
        deadline = time.monotonic() + SECONDS
        while not (fakes / "waiting").exists():
            assert deploy.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        os.killpg(deploy.pid, signal.SIGINT)  # as a terminal does
        assert deploy.wait(SECONDS) == 130
        assert (fakes / "put-down").exists()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(deploy.pid, signal.SIGKILL)
        deploy.wait()
