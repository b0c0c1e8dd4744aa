"""The names by which the service may be asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.app import create_app
from service.origins import known_hosts
from service.parts import make_parts
from tests.support.service import FixedClock, TestClient, settings_in

ANYWHERE = "0.0.0.0"  # noqa: S104  (nothing listens there)
SAFE = {"SECRET_KEY": "x" * 40, "AUTHENTICATION": "keys"}


@pytest.fixture
def named(tmp_path: Path) -> Iterator[TestClient]:
    """A service on loopback that is also known by a name."""
    parts = make_parts(settings_in(tmp_path, ALLOWED_HOSTS="fft.example, 10.0.0.7"), FixedClock())
    with TestClient(create_app(parts), base_url="http://127.0.0.1") as client:
        yield client
    parts.close()


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:10000", 200),
        ("localhost", 200),
        ("LOCALHOST:80", 200),
        ("[::1]:10000", 200),
        ("fft.example:8443", 200),
        ("10.0.0.7", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost.evil.example:10000", 421),
        ("", 421),
    ],
)
def test_a_service_on_loopback_is_asked_by_its_own_names(
    named: TestClient, host: str, status: int
) -> None:
    answer = named.get("/", headers={"Host": host})
    assert answer.status_code == status
    if status == 421:
        assert answer.json()["code"] == "misdirected"
        assert "ALLOWED_HOSTS" in answer.json()["detail"]


def test_load_balancers_may_ask_for_health_by_any_name(named: TestClient) -> None:
    assert named.get("/healthz", headers={"Host": "10.9.8.7"}).status_code == 200


def test_elsewhere_any_name_will_do_unless_the_settings_limit_them(tmp_path: Path) -> None:
    assert known_hosts(settings_in(tmp_path, HOST=ANYWHERE, **SAFE)) is None
    limited = settings_in(tmp_path, HOST=ANYWHERE, ALLOWED_HOSTS="FFT.example", **SAFE)
    assert known_hosts(limited) == frozenset({"fft.example"})
