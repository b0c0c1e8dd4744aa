"""How the images are built: for which machines, by whom, and what is said when it cannot be."""

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
    """A registry that nobody has to log in at."""
    with Registry() as registry:
        yield registry


def test_what_is_pushed_is_one_image_rather_than_an_index(
    image_builds: ImageBuilds, context: Path, registry: Registry, tmp_path: Path
) -> None:
    """Lambda takes nothing else."""
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
def test_a_scipy_that_has_moved_its_transforms_stops_the_build(
    image_builds: ImageBuilds, context: Path, tmp_path: Path, target: str
) -> None:
    """An image has nothing that could take their place: the function would fail every time."""
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
    assert "scipy: the compiled transforms are not where" in done.stderr


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_there_are_wheels_of_every_package_for_both_architectures(
    machine: str, tmp_path: Path
) -> None:
    words = [sys.executable, "-m", "uv", "pip", "install", "--dry-run", "--no-deps"]
    words += ["--require-hashes", "--only-binary=:all:", "--python-version=3.13"]
    words += [f"--python-platform={machine}-unknown-linux-gnu", f"--target={tmp_path}"]
    words += [*pip_settings.index(), "--requirement=docker/requirements.txt"]
    call(words, os.environ)


def test_nothing_in_the_recipe_names_an_architecture() -> None:
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
    ],
)
def test_make_passes_on_what_it_is_told(
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
def test_what_make_is_given_is_an_argument_whatever_it_is(
    target: str, variable: str, place: list[str], text: str, tmp_path: Path
) -> None:
    """Neither make nor a shell finds anything to run in it."""
    here = tmp_path / "here"
    text = text.replace("HERE", str(here))
    (words,) = what_make_runs(tmp_path, target, f"{variable}={text}")
    assert not here.exists()
    *before, last = place
    expected = [*before, f"{last}{text}"] if last.endswith("=") else [*place, text]
    assert words[: len(expected)] == expected


def test_one_flag_alone_is_a_flag_of_the_builder() -> None:
    """Although it looks like one of the script's own."""
    done = script("-m", "tools.image.build", "--flags=--no-cache", PATH="", BUILDER="")
    assert "no program that can build images works here" in done.stderr


@pytest.mark.parametrize("text", [*HOSTILE, "--seconds=1", "--"])
def test_the_image_that_make_drops_is_a_name_whatever_it_is(text: str, tmp_path: Path) -> None:
    here = tmp_path / "here"
    text = text.replace("HERE", str(here))
    (words,) = what_make_runs(tmp_path, "drop", f"IMG={text}", "CROP=square; touch x")
    assert not here.exists()
    assert words[:4] == ["-m", "tools.local_aws", "drop", "--variables"]
    assert {"IMG", "CROP"} <= set(words[4].split())
    assert words[5:] == ["--", text]


def test_flags_are_told_apart_as_a_shell_does() -> None:
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


def test_without_a_builder_it_is_said_what_is_missing_and_how_to_get_it(tmp_path: Path) -> None:
    done = script("-m", "tools.image.build", PATH=str(tmp_path), BUILDER="")
    assert done.returncode == 1
    for name in ("docker", "podman", "buildah"):
        assert f"{name}: not installed" in done.stderr
    assert "https://docs.docker.com/engine/install/" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_daemon_that_does_not_answer_is_told_of(tmp_path: Path) -> None:
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
