"""The running images: the function as Lambda would start it, and the command line."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import fft_tool
from tests.support.command import tool
from tests.support.container import Image, Mount
from tests.support.deployed import IMAGE, OTHER, SOURCES, Deployed, made
from tests.support.faulty import BOMB
from tests.support.runtime import Function, environment

pytest_plugins = ["tests.support.deployed_fixtures", "tests.support.image_builds_fixtures"]
pytestmark = pytest.mark.slow

IN_LAMBDA = {"AWS_ENDPOINT_URL", *environment("", "", 0)} - {"PATH", "PYTHONPATH"}


@pytest.fixture(scope="module")
def process(image: Image, environ: dict[str, str]) -> Iterator[Function]:
    """The function, started by the container's entry point, with a read-only root."""
    variables = {**image.surroundings(), **environ, "LAMBDA_TASK_ROOT": "/var/task"}
    with Function(words=image.words(variables=IN_LAMBDA), environ=variables) as function:
        yield function
        function.stop()
        assert not function.text.strip()


# As a function


def test_outputs_are_those_of_the_command_line_byte_for_byte(
    deployed: Deployed, by_command_line: dict[str, bytes]
) -> None:
    assert deployed.outputs_of_all() == by_command_line


@pytest.mark.parametrize(
    "recipe",
    [
        "bits=16 window=hann detrend=linear",
        "bits=16 periodic=yes precision=double",
        "spectrum=yes histogram=yes colour=yes",
        "smart-crop=12,12 filter=lowpass:4",
    ],
)
def test_every_part_of_the_core_gives_the_same_bytes(deployed: Deployed, recipe: str) -> None:
    """Includes every use of scipy: ``periodic`` needs its cosine transform."""
    deployed.upload("input/a.png")
    assert deployed.do("input/a.png", recipe=recipe)["error"] is None
    assert deployed.outputs() == made("a.png", recipe=recipe)


def test_keys_that_need_boto3_are_processed(deployed: Deployed) -> None:
    """The remaining parts of botocore are enough for S3."""
    deployed.upload("input/a//b.png", OTHER)
    assert deployed.do("input/a//b.png")["error"] is None
    assert deployed.outputs() == made("a//b.png", OTHER)


def test_a_hostile_image_is_rejected(deployed: Deployed) -> None:
    deployed.upload("input/a.png", BOMB)
    assert deployed.do("input/a.png")["outcome"] == "rejected"


def test_the_function_does_not_start_with_a_wrong_setting(image: Image) -> None:
    done = image.run(AWS_LAMBDA_RUNTIME_API="127.0.0.1:1", FFT_RECIPE="bits=9")
    assert "FFT_RECIPE='bits=9'" in done.out.decode() + done.err


def test_outside_lambda_the_entry_point_explains_what_is_missing(image: Image) -> None:
    done = image.run()
    assert done.code == 64
    assert "aws-lambda-rie" in done.err
    assert "https://" in done.err


def test_the_emulator_is_given_the_client_and_the_handler(image: Image, tmp_path: Path) -> None:
    emulator = tmp_path / "aws-lambda-rie"
    emulator.write_text('#!/bin/sh\necho "$@"\n')
    emulator.chmod(0o755)
    done = image.run(mounts=[Mount(emulator, "/usr/local/bin/aws-lambda-rie")])
    assert done.lines == ["/opt/venv/bin/python -m awslambdaric handler.entry.handle"]


# As a command line


def test_the_command_line_works_on_pipes(cli: Image, tmp_path: Path) -> None:
    here = tool("analyze", "-", "-o", "-", cwd=tmp_path, stdin=IMAGE)
    there = cli.run("analyze", "-", "-o", "-", stdin=IMAGE)
    assert (there.code, there.out) == (0, here.out)
    assert there.out.startswith(b"\x89PNG")


def test_the_command_line_works_on_a_mounted_folder_as_any_user(
    cli: Image, tmp_path: Path, by_command_line: dict[str, bytes]
) -> None:
    for name, data in SOURCES.items():
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    somebody = 4711
    os.chown(tmp_path, somebody, somebody) if os.geteuid() == 0 else (somebody := os.geteuid())
    mounts = [Mount(tmp_path, "/data", writable=True)]
    words = ("analyze", "in", "-o", "out", "--metadata")
    done = cli.run(*words, user=f"{somebody}:{somebody}", mounts=mounts)
    assert done.code == 0, done.err
    results = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    found = {str(path.relative_to(tmp_path / "out")): path.read_bytes() for path in results}
    assert found == by_command_line
    assert {path.stat().st_uid for path in results} == {somebody}


def test_all_commands_can_be_called(cli: Image) -> None:
    assert "fft-tool" in cli.run().out.decode()  # without arguments: the help
    assert cli.run("completion", "bash").out
    assert cli.run("--version").lines == [f"fft-tool {fft_tool.__version__}"]


def test_modules_are_not_imported_from_the_mounted_folder(cli: Image, tmp_path: Path) -> None:
    (tmp_path / "numpy.py").write_text("raise SystemExit('not this one')")
    tmp_path.chmod(0o755)
    done = cli.run("analyze", "-", "-o", "-", stdin=IMAGE, mounts=[Mount(tmp_path, "/data")])
    assert done.code == 0, done.err
