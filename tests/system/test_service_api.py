"""The service keeps to its OpenAPI description, whatever is sent to it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.images import noise, png_bytes
from tests.support.running_service import RunningService, finished_asset, running_service

pytestmark = pytest.mark.slow

SECONDS = 300  # after which the run is stuck

# Besides a 500, schemathesis reports statuses, media types, headers and bodies that the description
# does not have, invalid requests that are accepted, valid ones that are refused, requests that
# succeed without a key, and more.
CHECKS = """
# Of an image, the description can only say that it is a file; of a recipe's values, that they are
# text; it names one way to write a value where several are understood, such as yes and true.
[[operations]]
include-operation-id = ["upload", "compare", "crop_manually", "crop_smartly", "retrieve_artifact"]
checks.positive_data_acceptance.enabled = false

[[operations]]
include-operation-id = ["retrieve_artifact"]
checks.negative_data_rejection.enabled = false

# These addresses are also among those of /images/{image_path}, so they take GET.
[[operations]]
include-operation-id = ["crop_manually", "crop_smartly"]
checks.allow_header_conformance.enabled = false
"""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """A service with keys, in which there is one asset and one product image."""
    with running_service(tmp_path_factory.mktemp("service"), AUTHENTICATION="keys") as running:
        yield running


@pytest.fixture(scope="module")
def key(service: RunningService) -> str:
    """The key of an administrator."""
    return service.command("keys", "make", "--administrator").lines[0]


@pytest.fixture(scope="module")
def description(service: RunningService, key: str) -> dict[str, Any]:
    """The description, while there is an asset and a product image."""
    image = ("a.png", png_bytes(noise((32, 48))))
    with service.client(key) as client:
        uploaded = client.post(
            "/upload/", files={"file": image}, data={"tenant_name": "acme"}
        ).raise_for_status()
        assert finished_asset(client, uploaded.json()["asset_id"])["status"] == "done"
        box = {"x": 0, "y": 0, "width": 16, "height": 16}
        fields = {"product_info": '{"product_id": "ABC-123"}', "crop_box": json.dumps(box)}
        client.post(
            "/images/manual-crop", files={"source_image": image}, data=fields
        ).raise_for_status()
        found: dict[str, Any] = client.get("/openapi.json").raise_for_status().json()
        return found


def operations_of(description: dict[str, Any]) -> list[dict[str, Any]]:
    return [operation for path in description["paths"].values() for operation in path.values()]


def test_every_operation_is_described(description: dict[str, Any]) -> None:
    for operation in operations_of(description):
        assert operation["operationId"].isidentifier()
        assert operation["summary"]
        assert operation["description"]
        assert operation["tags"]
        for parameter in operation.get("parameters", ()):
            assert parameter.get("description"), (operation["operationId"], parameter["name"])


def test_every_refusal_is_a_problem(description: dict[str, Any]) -> None:
    for operation in operations_of(description):
        refusals = {s: r for s, r in operation["responses"].items() if int(s) >= 400}
        if operation["operationId"] == "readiness":
            refusals.pop("503")  # tells what is missing
        for status, response in refusals.items():
            assert list(response["content"]) == ["application/problem+json"], status


def test_answers_are_those_of_the_description(
    service: RunningService, description: dict[str, Any], key: str, tmp_path: Path
) -> None:
    config, report = tmp_path / "schemathesis.toml", tmp_path / "report.ndjson"
    config.write_text(CHECKS)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run"),
            f"{service.url}/openapi.json",
            *("--header", f"Authorization: Bearer {key}"),
            *("--seed", "1", "--max-examples", "6", "--workers", "2", "--no-color"),
            *("--generation-database", "none", "--report-ndjson-path", str(report)),
        ],
        cwd=tmp_path,
        env=service.environ,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    count = len(operations_of(description))
    assert f"Selected: {count}/{count}" in done.stdout
    assert f"Tested: {count}" in done.stdout
    assert "Traceback" not in service.log
