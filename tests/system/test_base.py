"""``tools.image.base``: looking up a tag in a registry over HTTP, and using the result."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.image_builds import Ended, script
from tests.support.image_registry import Registry

INDEX = "application/vnd.oci.image.index.v1+json"
OLD = f"sha256:{64 * '0'}"


@pytest.fixture
def registry() -> Iterator[Registry]:
    """A registry that gives tokens to anonymous clients, as public ones do."""
    with Registry(token="for-everybody") as registry:  # noqa: S106  (no secret)
        yield registry


def publish(registry: Registry, *architectures: str, tag: str = "3.13") -> str:
    """Point a tag to an index; returns the digest."""
    entries: list[Any] = [
        {"platform": {"os": "linux", "architecture": architecture}, "digest": OLD}
        for architecture in architectures
    ]
    body = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}).encode()
    registry.manifests[tag] = (INDEX, body)
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def ask(*words: str | Path) -> Ended:
    return script("-m", "tools.image.base", *words, NO_PROXY="127.0.0.1", no_proxy="127.0.0.1")


def dockerfile(folder: Path, base: str) -> Path:
    path = folder / "Dockerfile"
    path.write_text(f"# first\nARG BASE={base}\nFROM ${{BASE}} AS build\n")
    return path


@pytest.mark.parametrize("before", ["", f"@{OLD}"])
def test_the_current_digest_is_written_to_the_dockerfile(
    registry: Registry, tmp_path: Path, before: str
) -> None:
    digest = publish(registry, "amd64", "arm64", "s390x")
    name = f"{registry.address}/library/python:3.13"
    path = dockerfile(tmp_path, f"{name}{before}")
    done = ask("--file", path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{name}{before} is now {name}@{digest}\n"
    assert path.read_text() == f"# first\nARG BASE={name}@{digest}\nFROM ${{BASE}} AS build\n"
    again = ask("--file", path)
    assert again.stdout == f"{name} is up to date\n"


def test_images_of_a_compose_file_are_pinned_except_for_our_own(
    registry: Registry, tmp_path: Path
) -> None:
    digest = publish(registry, "amd64", "arm64", tag="17")
    name = f"{registry.address}/library/postgres:17"
    path = tmp_path / "compose.yaml"
    text = "services:\n  ours:\n    image: ours:1\n  postgres:\n    image: {}\n    user: x\n"
    path.write_text(text.format(f"{name}@{OLD}"))
    done = ask("--file", path)
    assert done.stdout == f"{name}@{OLD} is now {name}@{digest}\n"
    assert path.read_text() == text.format(f"{name}@{digest}")


def test_the_digest_of_another_base_is_printed(registry: Registry) -> None:
    digest = publish(registry, "amd64", "arm64")
    name = f"{registry.address}/team/python:3.13"
    assert ask(name).stdout == f"{name}@{digest}\n"


def test_a_registry_without_tokens_gets_one_request() -> None:
    with Registry() as registry:
        digest = publish(registry, "amd64", "arm64", tag="latest")
        name = f"{registry.address}/python"
        assert ask(name).stdout == f"{name}@{digest}\n"


def test_a_base_without_both_architectures_is_refused(registry: Registry) -> None:
    publish(registry, "amd64")
    done = ask(f"{registry.address}/team/python:3.13")
    assert done.returncode == 1
    assert "does not exist for arm64" in done.stderr


def test_a_manifest_that_does_not_match_its_stated_digest_is_refused(
    registry: Registry, tmp_path: Path
) -> None:
    publish(registry, "amd64", "arm64")
    registry.digest = OLD
    path = dockerfile(tmp_path, f"{registry.address}/team/python:3.13")
    before = path.read_text()
    done = ask("--file", path)
    assert done.returncode == 1
    assert "but sends sha256:" in done.stderr
    assert path.read_text() == before


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("{address}/team/python:none", "does not return a manifest of"),
        ("127.0.0.1:1/team/python:3.13", "does not return a manifest of"),
        ("python@sha256:0", "without a digest"),
        ("A B", "REGISTRY/REPOSITORY:TAG"),
    ],
)
def test_a_failed_lookup_is_reported_in_one_line(registry: Registry, name: str, told: str) -> None:
    done = ask(name.format(address=registry.address))
    assert done.returncode == 1
    assert done.stderr.startswith("base.py: ")
    assert told in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_response_that_is_not_a_manifest_is_reported(registry: Registry) -> None:
    registry.manifests["3.13"] = ("text/html", b"<h1>log in, please</h1>")
    done = ask(f"{registry.address}/team/python:3.13")
    assert "is not a manifest" in done.stderr


def test_a_file_without_the_line_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "Dockerfile"
    path.write_text("FROM scratch\n")
    done = ask("--file", path)
    assert "has no line ARG BASE=" in done.stderr


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("python", "https://registry-1.docker.io/v2/library/python/manifests/latest"),
        ("python:3", "https://registry-1.docker.io/v2/library/python/manifests/3"),
        ("team/python:3", "https://registry-1.docker.io/v2/team/python/manifests/3"),
        (
            "docker.io/library/python:3",
            "https://registry-1.docker.io/v2/library/python/manifests/3",
        ),
        ("registry.example/a/b/c:3", "https://registry.example/v2/a/b/c/manifests/3"),
        ("localhost:5000/python:3", "http://localhost:5000/v2/python/manifests/3"),
    ],
)
def test_names_are_resolved_as_builders_do(name: str, url: str) -> None:
    code = "import sys; from tools.image.base import Tag; print(Tag.parse(sys.argv[1]).url)"
    assert script("-c", code, name).stdout == f"{url}\n"
