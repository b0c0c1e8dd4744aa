"""Who may do what: with the keys of two tenants and of an administrator."""

from __future__ import annotations

from pathlib import Path

import pytest
from httpx import Response

from service.database.tables import MASKS
from service.keys import make_key
from service.parts import Parts
from service.settings import Settings
from tests.support.images import noise, png_bytes
from tests.support.service import TestClient, settings_in
from tests.support.service_assets import rows

IMAGE = png_bytes(noise((16, 16)))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path, AUTHENTICATION="keys", SECRET_KEY="a secret of this test")  # noqa: S106  (of this test)


def bearer(parts: Parts, tenant: str | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {make_key(parts, tenant)}"}


def upload(client: TestClient, headers: dict[str, str], tenant: str) -> Response:
    files, fields = {"file": ("a.png", IMAGE)}, {"tenant_name": tenant}
    answer: Response = client.post("/upload/", files=files, data=fields, headers=headers)
    return answer


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/upload/"),
        ("GET", "/retrieve/asset/1"),
        ("GET", "/retrieve/rendition/1/thumb"),
        ("GET", "/retrieve/artifact/1/phase"),
        ("POST", "/compare/1"),
        ("GET", "/metrics"),
        ("GET", "/metrics/tenant/acme"),
        ("POST", "/purge/"),
        ("GET", "/jobs"),
        ("POST", "/images/manual-crop"),
        ("POST", "/images/smart-crop"),
    ],
)
@pytest.mark.parametrize("key", [None, "Bearer fft_wrong", "Basic YTpi", "Bearer", "nonsense"])
def test_without_a_valid_key_nothing_is_answered(
    client: TestClient, method: str, path: str, key: str | None
) -> None:
    answer = client.request(method, path, headers={"Authorization": key} if key else {})
    assert (answer.status_code, answer.json()["code"]) == (401, "not-authenticated")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/metrics"), ("POST", "/purge/"), ("GET", "/jobs")]
)
def test_what_concerns_all_needs_an_administrator(
    client: TestClient, parts: Parts, method: str, path: str
) -> None:
    assert client.request(method, path, headers=bearer(parts, "acme")).status_code == 403
    assert client.request(method, path, headers=bearer(parts, None)).status_code == 200


def test_health_needs_no_key(client: TestClient) -> None:
    assert client.get("/healthz").status_code == client.get("/readyz").status_code == 200


def test_a_tenant_uploads_only_for_itself(client: TestClient, parts: Parts) -> None:
    acme = bearer(parts, "acme")
    assert upload(client, acme, "acme").status_code == 200
    for other in ("bolt", "nobody"):
        answer = upload(client, acme, other)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
        assert answer.json()["detail"] == "tenant_name: this key belongs to another tenant"


@pytest.mark.parametrize(
    "path", ["/retrieve/asset/{}", "/retrieve/rendition/{}/thumb", "/retrieve/artifact/{}/phase"]
)
def test_what_is_anothers_looks_like_what_does_not_exist(
    client: TestClient, parts: Parts, path: str
) -> None:
    acme, bolt = bearer(parts, "acme"), bearer(parts, "bolt")
    number = upload(client, acme, "acme").json()["asset_id"]
    theirs = client.get(path.format(number), headers=bolt).json()
    missing = client.get(path.format(number + 1), headers=bolt).json()
    assert theirs["status"] == 404
    assert theirs["detail"].replace(str(number), "N") == missing["detail"].replace(
        str(number + 1), "N"
    )
    assert client.get(path.format(number), headers=acme).status_code == 200


def test_the_same_bytes_of_two_tenants_are_two_assets(client: TestClient, parts: Parts) -> None:
    one = upload(client, bearer(parts, "acme"), "acme").json()
    two = upload(client, bearer(parts, "bolt"), "bolt").json()
    assert one["asset_id"] != two["asset_id"]
    assert one["content_hash"] == two["content_hash"]
    assert two["status"] == "queued"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/assets/{}/studio"),
        ("GET", "/pages/studio/{}"),
        ("POST", "/pages/masks/{}"),
        ("GET", "/pages/masks/{}/" + 64 * "0"),
    ],
)
def test_the_studio_of_anothers_image_looks_like_what_does_not_exist(
    client: TestClient, parts: Parts, method: str, path: str
) -> None:
    number = upload(client, bearer(parts, "acme"), "acme").json()["asset_id"]
    bolt = bearer(parts, "bolt")
    files = {"mask": ("mask.png", IMAGE)} if method == "POST" else None
    theirs, missing = (
        client.request(method, path.format(each), headers=bolt, files=files)
        for each in (number, number + 1)
    )
    assert theirs.status_code == missing.status_code == 404
    if method == "POST":
        assert rows(parts, MASKS) == []
