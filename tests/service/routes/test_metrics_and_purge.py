"""Usage and purging over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from service.app import create_app
from service.keys import make_key
from service.parts import Parts, make_parts
from tests.support.service import FixedClock, TestClient, settings_in
from tests.support.service_assets import add_asset, add_done, photo

PROMETHEUS = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.2,*/*;q=0.1"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def test_a_tenant_s_usage_is_told(client: TestClient, parts: Parts) -> None:
    add_done(parts)
    found = client.get("/metrics/tenant/acme").json()
    assert (found["tenant_name"], found["assets"], found["failures"]) == ("acme", 1, 0)
    assert found["sources"] == {"count": 1, "bytes": len(photo())}
    assert found["bytes"] == sum(found[n]["bytes"] for n in ("sources", "renditions", "artifacts"))
    assert found["jobs"] == {"queued": 0, "running": 0, "done": 1, "failed": 0}
    assert found["job_seconds"]["count"] == 1


def test_an_unknown_tenant_is_not_found(client: TestClient) -> None:
    answer = client.get("/metrics/tenant/nobody")
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


@pytest.mark.parametrize("accept", ["*/*", "application/json", BROWSER])
def test_usage_of_all_is_json_unless_text_is_preferred(
    client: TestClient, parts: Parts, accept: str
) -> None:
    add_asset(parts)
    client.get("/healthz")
    answer = client.get("/metrics", headers={"Accept": accept})
    assert answer.headers["content-type"] == "application/json"
    found = answer.json()
    assert [each["tenant_name"] for each in found["tenants"]] == ["acme"]
    assert (found["total"]["tenant_name"], found["total"]["assets"]) == (None, 1)
    [request] = [each for each in found["requests"] if each["route"] == "/healthz"]
    assert (request["method"], request["status"], request["count"]) == ("GET", 200, 1)


@pytest.mark.parametrize("accept", [PROMETHEUS, "text/plain", "text/plain, application/json;q=0.9"])
def test_prometheus_gets_text_that_it_can_read(
    client: TestClient, parts: Parts, accept: str
) -> None:
    add_done(parts, tenant='with "quotes" \\ and ümlauts')
    client.get("/healthz")
    answer = client.get("/metrics", headers={"Accept": accept})
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "Accept" in answer.headers["vary"]
    samples = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    tenant = 'with "quotes" \\ and ümlauts'
    assert samples["fft_service_files", "source", tenant] == 1
    assert samples["fft_service_bytes", "source", tenant] == len(photo())
    assert samples["fft_service_jobs", "done", tenant] == 1
    assert samples["fft_service_request_seconds_count", "/healthz", "200", "GET"] == 1
    assert samples["fft_service_request_seconds_bucket", "+Inf", "/healthz", "200", "GET"] == 1


def test_purging_tells_what_went_and_a_dry_run_the_same(
    client: TestClient, parts: Parts, clock: FixedClock
) -> None:
    add_done(parts)
    clock.advance(40 * 86_400)
    dry = client.post("/purge/?dry_run=true&days=30").json()
    assert (dry["dry_run"], dry["days"], dry["renditions"], dry["artifacts"]) == (True, 30, 3, 4)
    wet = client.post("/purge/?days=30").json()
    assert wet == {**dry, "dry_run": False}
    assert client.get("/retrieve/asset/1").json()["renditions"] == []
    assert client.get("/retrieve/rendition/1/thumb").status_code == 200


def test_the_days_of_purging_are_a_setting(client: TestClient) -> None:
    assert client.post("/purge/").json()["days"] == 30


@pytest.mark.parametrize(
    "query", ["days=-1", "days=1.5", "days=36501", "days=x", "dry_run=perhaps"]
)
def test_a_purge_of_other_values_is_refused(client: TestClient, query: str) -> None:
    answer = client.post(f"/purge/?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, "bad-request")


@pytest.fixture
def keyed(tmp_path: Path) -> Iterator[Parts]:
    """A service where requests need keys."""
    made = make_parts(settings_in(tmp_path, AUTHENTICATION="keys"))
    yield made
    made.close()


def test_only_administrators_purge_and_see_the_usage_of_all(keyed: Parts) -> None:
    tenant, administrator = (
        {"Authorization": f"Bearer {make_key(keyed, name)}"} for name in ("acme", None)
    )
    with TestClient(create_app(keyed), base_url="http://127.0.0.1") as client:
        for method, path in (("GET", "/metrics"), ("POST", "/purge/?dry_run=true")):
            assert client.request(method, path).status_code == 401
            assert client.request(method, path, headers=tenant).status_code == 403
            assert client.request(method, path, headers=administrator).status_code == 200
        assert client.get("/metrics/tenant/acme", headers=tenant).status_code == 200
        make_key(keyed, "other")
        foreign = client.get("/metrics/tenant/other", headers=tenant)
        unknown = client.get("/metrics/tenant/nobody", headers=tenant)
        assert (foreign.status_code, unknown.status_code) == (404, 404)
        assert foreign.json()["detail"].replace("other", "nobody") == unknown.json()["detail"]
        assert client.get("/metrics/tenant/other", headers=administrator).status_code == 200
