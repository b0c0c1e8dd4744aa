"""Operations that the state machine runs: uploaded to the local AWS, followed, and shown."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from fft_tool.limits import Limits
from fft_tool.stores.memory import MemoryStore
from fft_tool.workflows.run import run_workflow
from tests.support.browser import check_accessible, visiting
from tests.support.local_cloud import Laptop, started
from tests.support.running_service import RunningService
from tests.support.sample_service import SAMPLES, asset_of, sample_service
from tools.local_aws.resource import NAME as BUCKET
from tools.local_aws.state_machines import state_machine_arn
from tools.local_aws.workflow import WORKFLOW

pytestmark = pytest.mark.slow

IMAGE = "grating.png"
OPERATIONS = "invert,blur:2"


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    with started(tmp_path_factory.mktemp("aws") / "state") as running:
        yield running


@pytest.fixture(scope="module")
def service(laptop: Laptop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    aws = {
        "AWS_ENDPOINT_URL": laptop.aws.endpoint,
        "AWS_ACCESS_KEY_ID": laptop.key,
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "eu-central-1",
        "WORKFLOW_STATE_MACHINE": state_machine_arn(WORKFLOW),
        "WORKFLOW_INPUT": f"s3://{BUCKET}/workflow/",
        "WORKFLOW_OUTPUT": f"s3://{BUCKET}/output/workflow/",
    }
    with sample_service(tmp_path_factory.mktemp("service"), **aws) as running:
        yield running


def expected() -> dict[str, bytes]:
    """Images that one run of the core leaves, by their names in the folder of the results."""
    sources, target = MemoryStore(), MemoryStore()
    asked = {"operations": OPERATIONS}
    sources.write(IMAGE, (SAMPLES / IMAGE).read_bytes(), metadata=asked)
    run_workflow(sources, target, IMAGE, Limits())
    found = {entry.name.removeprefix("grating/"): entry.name for entry in target.entries()}
    return {name: target.read(at).data for name, at in found.items() if name.endswith(".png")}


def test_the_page_follows_the_execution_and_shows_the_results_of_the_core(
    browser: Browser, service: RunningService, laptop: Laptop
) -> None:
    number = asset_of(service, IMAGE)
    with visiting(browser, service) as page:
        page.goto(f"/assets/{number}/operations?operations={OPERATIONS}")
        page.get_by_role("button", name="Run", exact=True).click()
        states = page.locator("[data-states] li")
        expect(states.filter(has_text="Start the workflow")).to_be_visible()
        assert "Analyse combined" in states.all_inner_texts()[4]
        check_accessible(page)
        named = states.locator("code").inner_text()
        expect(page.locator(".two-by-two figure")).to_have_count(4)
        address = page.url
    (arn,) = (
        each["executionArn"]
        for each in laptop.aws.states.list_executions(stateMachineArn=state_machine_arn(WORKFLOW))[
            "executions"
        ]
    )
    assert arn.endswith(f":{named}"), "EventBridge has started it, and nothing else"
    with service.client() as client:
        path = address.removeprefix(service.url)
        for name, data in expected().items():
            assert client.get(f"{path}/files/{name}").content == data, name
        manifest = client.get(f"{path}/files/manifest.json").json()
    assert manifest["outcome"] == "done"
