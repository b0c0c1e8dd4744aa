"""The rate limit of running services with the real table, on the local AWS."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.clock import Clock
from service.products.dynamodb import TableLimiter, make_client
from service.products.rate import Rate
from tests.support.images import noise, png_bytes
from tests.support.limits import asked, check_exact, make_table
from tests.support.local_cloud import Laptop, free_port
from tests.support.running_service import RunningService, running_service, until
from tests.support.service import FixedClock
from tests.system.terraform.program import MISSING_PROVIDER, installed_plugins
from tools.local_aws.clients import LocalAws
from tools.local_aws.emulator import Emulator
from tools.local_aws.infra import TABLE

IMAGE = png_bytes(noise((60, 80, 3)))
FORM = {"product_info": '{"product_id": "ABC-123", "width": 40, "height": 30}'}


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """A local AWS without the pipeline's resources."""
    emulator = Emulator(tmp_path_factory.mktemp("aws") / "state")
    with emulator.locked(), emulator.starting(free_port()) as running:
        made = LocalAws.of(running)
    yield made
    emulator.stop()


@pytest.fixture(scope="module")
def table(aws: LocalAws) -> str:
    return make_table(aws.dynamodb)


def stopped_clock() -> FixedClock:
    """A clock that stands still now: the table deletes by its own clock what is out of date."""
    return FixedClock(Clock().now())


def limiter_of(aws: LocalAws, table: str, rate: Rate, clock: FixedClock) -> TableLimiter:
    return TableLimiter(aws.dynamodb, table, rate, clock, without=None)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pauses=st.lists(st.integers(0, 12), max_size=20))
def test_the_limit_is_exact(aws: LocalAws, table: str, pauses: list[int]) -> None:
    clock, rate = stopped_clock(), Rate(3, 5)
    check_exact(limiter_of(aws, table, rate, clock), clock, rate, pauses)


def test_of_many_at_once_exactly_the_limit_are_accepted(aws: LocalAws, table: str) -> None:
    limiter = limiter_of(aws, table, Rate(20, 3600), stopped_clock())
    with ThreadPoolExecutor(50) as pool:
        waits = list(pool.map(lambda _: asked(limiter, "192.0.2.200"), range(100)))
    assert Counter(waits) == {None: 20, 3600: 80}


def smart_crop(service: RunningService) -> Any:
    with service.client() as client:
        return client.post("/images/smart-crop", files={"source_image": IMAGE}, data=FORM)


def test_of_100_smart_crops_from_one_address_exactly_20_are_accepted_by_two_services(
    aws: LocalAws, tmp_path: Path
) -> None:
    """Two processes with the same table and database, 50 requests each, all at once."""
    variables = {
        **aws.variables,
        "RATE_TABLE": make_table(aws.dynamodb),
        "RATE_LIMIT": "20",
        "RATE_WITHOUT_TABLE": "closed",
        "DATABASE_URL": f"sqlite:///{tmp_path}/shared.db",
        "PROCESSED_IMAGES": str(tmp_path / "processed_images"),
        "STORAGE_PATH": str(tmp_path / "storage"),
    }
    folders = [tmp_path / name for name in ("one", "other")]
    for folder in folders:
        folder.mkdir()
    with (
        running_service(folders[0], **variables) as one,
        running_service(folders[1], **variables) as other,
        ThreadPoolExecutor(100) as pool,
    ):
        answers = list(pool.map(smart_crop, [one, other] * 50))
        assert Counter(answer.status_code for answer in answers) == {202: 20, 429: 80}
        for answer in answers:
            if answer.status_code == 429:
                assert answer.json()["code"] == "too-many-requests"
                assert 0 < int(answer.headers["retry-after"]) <= 3600
        made = [answer.json() for answer in answers if answer.status_code == 202]
        assert len({image["image_id"] for image in made}) == 20
        with one.client() as client:
            for image in made:
                found = until(partial(_ready, client, image["retrieval_url"]))
                assert found.content[:3] == b"\xff\xd8\xff"
    assert len(list((tmp_path / "processed_images").iterdir())) == 20


def _ready(client: httpx.Client, address: str) -> httpx.Response | None:
    answer = client.get(address)
    return answer if answer.status_code == 200 else None


def test_a_service_goes_on_while_dynamodb_is_away(tmp_path: Path) -> None:
    variables = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{free_port()}",
        "AWS_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "RATE_TABLE": "limits",
        "RATE_LIMIT": "3",
    }
    with running_service(tmp_path, **variables) as service:
        statuses = [smart_crop(service).status_code for _ in range(5)]
        assert statuses == [202, 202, 202, 429, 429]
        assert "the table limits of the rate limit cannot be used" in service.log


# What `make infra-local` deploys.


@pytest.fixture
def laptop(tmp_path: Path) -> Iterator[Laptop]:
    place = Laptop(tmp_path / "state", free_port())
    yield place
    place.emulator.stop()


def test_without_terraform_nothing_is_started(
    laptop: Laptop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    done = laptop.run("infra")
    assert done.code == 1
    assert done.err.startswith("local AWS: Terraform is not installed: https://")
    assert not laptop.processes()


@pytest.mark.slow
def test_terraform_deploys_the_table_and_a_failure_is_told(laptop: Laptop) -> None:
    plugins = installed_plugins()
    if plugins is None or not shutil.which("terraform"):
        pytest.xfail(MISSING_PROVIDER)
    failed = laptop.run("infra", "--plugins", laptop.state.parent / "nothing")
    assert failed.code == 1
    assert "local AWS: terraform init failed" in failed.err
    done = laptop.run("infra", "--plugins", plugins)
    assert done.code == 0, done.err
    assert f"local AWS: the table {TABLE} is there" in done.err
    made = laptop.aws.dynamodb.describe_table(TableName=TABLE)["Table"]
    assert made["KeySchema"] == [{"AttributeName": "ip_address", "KeyType": "HASH"}]
    assert made["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    ttl = laptop.aws.dynamodb.describe_time_to_live(TableName=TABLE)["TimeToLiveDescription"]
    assert (ttl["AttributeName"], ttl["TimeToLiveStatus"]) == ("expires_at", "ENABLED")
    client = make_client("eu-central-1", f"http://127.0.0.1:{laptop.port}")
    assert client.meta.endpoint_url.endswith(str(laptop.port))
    limiter = limiter_of(laptop.aws, TABLE, Rate(1, 60), stopped_clock())
    assert [asked(limiter, "192.0.2.1"), asked(limiter, "192.0.2.1")] == [None, 60]
    again = laptop.run("infra", "--plugins", plugins)
    assert again.code == 0, again.err
    assert [asked(limiter, "192.0.2.1")] == [60], "what was counted is kept"
    state = json.loads((laptop.emulator.temporary / "terraform/terraform.tfstate").read_bytes())
    assert len(state["resources"]) == 1
