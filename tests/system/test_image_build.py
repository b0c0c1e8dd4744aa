"""Building the images: architectures, builders and error messages."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import pip_settings
from tests.support.command import what_make_runs
from tests.support.container import call
from tests.support.image_builds import ROOT, ImageBuilds, script
from tests.support.image_registry import Registry

pytest_plugins = ["tests.support.image_builds_fixtures"]
pytestmark = pytest.mark.slow

ONE_IMAGE = {
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
}


@pytest.fixture
def registry() -> Iterator[Registry]:
    """A registry that needs no login."""
    with Registry() as registry:
        yield registry


def test_a_push_creates_a_single_image_and_not_an_index(
    image_builds: ImageBuilds, context: Path, registry: Registry, tmp_path: Path
) -> None:
    """Lambda accepts nothing else."""
    settings = tmp_path / "registries.conf"
    settings.write_text(f'[[registry]]\nlocation = "{registry.address}"\ninsecure = true\n')
    done = image_builds.try_to_build(
        context,
        *("--tag", f"{registry.address}/team/fft:1", "--push"),
        CONTAINERS_REGISTRIES_CONF=str(settings),
    )
    assert done.returncode == 0, done.stderr
    repository, _, digest = done.stdout.strip().partition("@")
    assert repository == f"{registry.address}/team/fft"
    assert set(registry.manifests) == {"1", digest}
    kind, text = registry.manifests[digest]
    assert kind in ONE_IMAGE
    manifest = json.loads(text)
    parts = [manifest["config"], *manifest["layers"]]
    assert {part["digest"] for part in parts} == set(registry.blobs)
    assert all("gzip" in layer["mediaType"] for layer in manifest["layers"])


def test_a_handler_that_cannot_be_imported_stops_the_build(
    image_builds: ImageBuilds, context: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "context"
    shutil.copytree(context, broken)
    with (broken / "handler" / "entry.py").open("a") as file:
        file.write("\nimport package_that_is_in_no_lock_file\n")
    done = image_builds.try_to_build(broken, "--tag", "localhost/fft-test-broken:1")
    assert done.returncode == 1
    assert "No module named 'package_that_is_in_no_lock_file'" in done.stderr
    assert "build.py: " in done.stderr.splitlines()[-1]


@pytest.mark.parametrize("target", ["lambda", "cli"])
def test_a_scipy_with_moved_transforms_stops_the_build(
    image_builds: ImageBuilds, context: Path, tmp_path: Path, target: str
) -> None:
    """The image has no fallback for them: every invocation would fail."""
    moved = tmp_path / "context"
    shutil.copytree(context, moved)
    kernel = moved / "fft_tool" / "spectrum" / "kernel.py"
    text = kernel.read_text("utf-8")
    assert text.count('/pypocketfft"') == 1
    kernel.write_text(text.replace('/pypocketfft"', '/moved"'), "utf-8")
    done = image_builds.try_to_build(
        moved, "--target", target, "--tag", "localhost/fft-test-moved:1"
    )
    assert done.returncode == 1
    assert "scipy: the compiled transforms have moved or changed" in done.stderr


@pytest.mark.parametrize("lock", ["docker", "service", "tools"])
@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_there_are_wheels_of_every_package_for_both_architectures(
    machine: str, lock: str, tmp_path: Path
) -> None:
    words = [sys.executable, "-m", "uv", "pip", "install", "--dry-run", "--no-deps"]
    words += ["--require-hashes", "--only-binary=:all:", "--python-version=3.13"]
    words += [f"--python-platform={machine}-unknown-linux-gnu", f"--target={tmp_path}"]
    words += [*pip_settings.index(), f"--requirement={lock}/requirements.txt"]
    call(words, os.environ)


def test_the_dockerfile_names_no_architecture() -> None:
    for path in (ROOT / "docker").iterdir():
        if path.suffix in ("", ".sh") or path.name == "prune.py":
            assert not re.search(r"x86|amd64|arm64|aarch64", path.read_text("utf-8"))


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (["image"], ["-m", "tools.image.build"]),
        (
            ["image-cli", "TAG=t/fft:7"],
            ["-m", "tools.image.build", "--tag", "t/fft:7", "--target", "cli"],
        ),
        (["image-service"], ["-m", "tools.image.build", "--target", "service"]),
        (["image", "BASE=a/python:3"], ["-m", "tools.image.build", "--base", "a/python:3"]),
        (
            ["image", "PLATFORM=linux/arm64"],
            ["-m", "tools.image.build", "--platform", "linux/arm64"],
        ),
        (
            ["image", "FLAGS=--no-cache --pull"],
            ["-m", "tools.image.build", "--flags=--no-cache --pull"],
        ),
        (["image-size", "TAG=x.tar"], ["-m", "tools.image.size", "x.tar"]),
        (["image-sbom", "TAG=x.tar"], ["-m", "tools.image.sbom", "image", "x.tar"]),
        (["update-base"], ["-m", "tools.image.base"]),
        (["serve-stack"], ["-m", "tools.stack"]),
    ],
)
def test_make_passes_variables_on_as_arguments(
    target: list[str], words: list[str], tmp_path: Path
) -> None:
    assert what_make_runs(tmp_path, *target, BASE="of-somebody-else") == [words]


HOSTILE = (
    *(
        '"; touch HERE; "',
        "'; touch HERE; '",
        "$(touch HERE)",
        "`touch HERE`",
        "$(shell touch HERE)",
    ),
    *("a\ntouch HERE", "$$(touch HERE)", "${shell touch HERE}", "a b", "#", "\\", "$HOME", "", "ü"),
)


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize(
    ("target", "variable", "place"),
    [
        ("image", "TAG", ["-m", "tools.image.build", "--tag"]),
        ("image-service", "TAG", ["-m", "tools.image.build", "--tag"]),
        ("image-cli", "BASE", ["-m", "tools.image.build", "--base"]),
        ("image", "PLATFORM", ["-m", "tools.image.build", "--platform"]),
        ("image", "FLAGS", ["-m", "tools.image.build", "--flags="]),
        ("image-size", "TAG", ["-m", "tools.image.size"]),
        ("deploy", "BASE", ["-m", "tools.deploy", "deploy", "--base"]),
        ("deploy", "FLAGS", ["-m", "tools.deploy", "deploy", "--flags="]),
        ("destroy", "DATA", ["-m", "tools.deploy", "destroy", "--data"]),
        ("up", "PORT", ["-m", "tools.local_aws", "up", "--port"]),
    ],
)
def test_values_given_to_make_are_never_executed(
    target: str, variable: str, place: list[str], text: str, tmp_path: Path
) -> None:
    """Neither make nor a shell interprets the value."""
    here = tmp_path / "here"
    text = text.replace("HERE", str(here))
    (words,) = what_make_runs(tmp_path, target, f"{variable}={text}")
    assert not here.exists()
    *before, last = place
    expected = [*before, f"{last}{text}"] if last.endswith("=") else [*place, text]
    assert words[: len(expected)] == expected


def test_a_single_flag_is_passed_to_the_builder() -> None:
    """Although it looks like a flag of the script itself."""
    done = script("-m", "tools.image.build", "--flags=--no-cache", PATH="", BUILDER="")
    assert "no program that can build images works here" in done.stderr


@pytest.mark.parametrize("text", [*HOSTILE, "--seconds=1", "--"])
def test_the_image_given_to_make_drop_is_never_executed(text: str, tmp_path: Path) -> None:
    here = tmp_path / "here"
    text = text.replace("HERE", str(here))
    (words,) = what_make_runs(tmp_path, "drop", f"IMG={text}", "CROP=square; touch x")
    assert not here.exists()
    assert words[:4] == ["-m", "tools.local_aws", "drop", "--variables"]
    assert {"IMG", "CROP"} <= set(words[4].split())
    assert words[5:] == ["--", text]


def test_flags_are_split_as_in_a_shell() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools.image.build", "--flags", "--label 'a"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 2
    assert "No closing quotation" in done.stderr


# Bad input


def test_without_a_builder_the_message_says_how_to_get_one(tmp_path: Path) -> None:
    done = script("-m", "tools.image.build", PATH=str(tmp_path), BUILDER="")
    assert done.returncode == 1
    for name in ("docker", "podman", "buildah"):
        assert f"{name}: not installed" in done.stderr
    assert "https://docs.docker.com/engine/install/" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_daemon_that_does_not_answer_is_reported(tmp_path: Path) -> None:
    docker = tmp_path / "docker"
    docker.write_text("#!/bin/sh\necho 'Is the daemon running?' >&2\nexit 1\n")
    docker.chmod(0o755)
    done = script("-m", "tools.image.build", PATH=str(tmp_path), BUILDER="docker")
    assert "docker version: Is the daemon running?" in done.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--target", "gpu"], "choose from"),
        (["--platform", "linux/riscv64"], "choose from"),
        (["--push"], "--push needs a --tag with a registry"),
    ],
)
def test_wrong_usage_is_explained(words: list[str], told: str) -> None:
    done = script("-m", "tools.image.build", *words)
    assert done.returncode == 2
    assert told in done.stderr


def test_an_unknown_builder_is_refused() -> None:
    done = script("-m", "tools.image.build", BUILDER="kaniko")
    assert "BUILDER=kaniko: should be one of docker, podman, buildah" in done.stderr
