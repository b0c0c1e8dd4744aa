"""Sessions of browsers: how they begin, whom they are of, and that they end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from service.app import create_app
from service.database.tables import SESSIONS
from service.errors import NotAuthenticated
from service.jobs.sweep import sweep
from service.keys import list_keys, make_key, revoke_key
from service.pages.signing_in import own_path
from service.parts import Parts, make_parts
from service.sessions import (
    COOKIE,
    IDLE,
    LONGEST,
    begin_session,
    caller_of_session,
    delete_ended,
    end_session,
)
from tests.support.service import FixedClock, TestClient, settings_in
from tests.support.service_assets import add_done, rows

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
HOUR = 3600


@pytest.fixture
def keyed(tmp_path: Path, clock: FixedClock) -> Iterator[Parts]:
    """Parts of a service that requires keys."""
    settings = settings_in(tmp_path, AUTHENTICATION="keys", TRUSTED_PROXIES="10.0.0.0/8")
    made = make_parts(settings, clock)
    yield made
    made.close()


@pytest.fixture
def visitor(keyed: Parts) -> Iterator[TestClient]:
    """A browser that is not signed in."""
    with TestClient(create_app(keyed), base_url="http://127.0.0.1", follow_redirects=False) as made:
        yield made


def sign_in(visitor: TestClient, key: str, wanted: str = "/") -> int:
    form = {"key": (None, key), "next": (None, wanted)}
    status: int = visitor.post("/sign-in", files=form).status_code
    return status


def test_a_session_is_of_whoever_has_the_key(keyed: Parts) -> None:
    tenants = begin_session(keyed, make_key(keyed, "acme"))
    found = caller_of_session(keyed, tenants)
    assert found
    assert (found.tenant, found.administrator, found.signed_in) == ("acme", False, True)
    found = caller_of_session(keyed, begin_session(keyed, make_key(keyed, None)))
    assert found
    assert found.administrator


def test_the_database_does_not_hold_the_token(keyed: Parts) -> None:
    token = begin_session(keyed, make_key(keyed, "acme"))
    assert token not in str(rows(keyed, SESSIONS))


def test_no_session_without_a_valid_key(keyed: Parts) -> None:
    with pytest.raises(NotAuthenticated):
        begin_session(keyed, "fft_wrong")
    assert caller_of_session(keyed, "no token") is None
    assert rows(keyed, SESSIONS) == []


def test_a_session_ends_when_it_is_not_used(keyed: Parts, clock: FixedClock) -> None:
    token = begin_session(keyed, make_key(keyed, "acme"))
    for _ in range(3):
        clock.advance(IDLE.total_seconds() - 1)
        assert caller_of_session(keyed, token)
    clock.advance(IDLE.total_seconds())
    assert caller_of_session(keyed, token) is None


def test_a_session_ends_even_if_it_is_used_all_the_time(keyed: Parts, clock: FixedClock) -> None:
    token = begin_session(keyed, make_key(keyed, "acme"))
    for _ in range(LONGEST // timedelta(hours=1)):
        assert caller_of_session(keyed, token)
        clock.advance(HOUR)
    assert caller_of_session(keyed, token) is None


def test_a_session_ends_with_its_key_and_when_somebody_signs_out(keyed: Parts) -> None:
    first, second = (begin_session(keyed, make_key(keyed, name)) for name in ("acme", "other"))
    revoke_key(keyed, list_keys(keyed)[0].key_id)
    end_session(keyed, second)
    assert caller_of_session(keyed, first) is None
    assert caller_of_session(keyed, second) is None


def test_the_sweep_deletes_sessions_that_have_ended(keyed: Parts, clock: FixedClock) -> None:
    begin_session(keyed, make_key(keyed, "acme"))
    clock.advance(IDLE.total_seconds() + 1)
    fresh = begin_session(keyed, make_key(keyed, "acme"))
    sweep(keyed)
    assert len(rows(keyed, SESSIONS)) == 1
    assert delete_ended(keyed) == 0
    assert caller_of_session(keyed, fresh)


def test_a_page_leads_to_signing_in_and_back(keyed: Parts, visitor: TestClient) -> None:
    add_done(keyed)
    answer = visitor.get("/assets/1?a=b", headers=HTML)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=%2Fassets%2F1%3Fa%3Db"
    page = visitor.get(answer.headers["location"], headers=HTML)
    assert 'name="next" value="/assets/1?a=b"' in page.text
    key = make_key(keyed, "acme")
    form = {"key": (None, key), "next": (None, "/assets/1?a=b")}
    answer = visitor.post("/sign-in", files=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/assets/1?a=b")
    page = visitor.get("/assets/1", headers=HTML)
    assert page.status_code == 200
    assert "Sign out" in page.text
    assert key not in page.text


def test_the_cookie_is_kept_from_scripts_and_other_sites(keyed: Parts, visitor: TestClient) -> None:
    form = {"key": (None, make_key(keyed, "acme")), "next": (None, "/")}
    cookie = visitor.post("/sign-in", files=form).headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    for part in ("HttpOnly", "SameSite=strict", "Path=/", "Max-Age=604800"):
        assert part in cookie
    assert "Secure" not in cookie
    with TestClient(create_app(keyed), base_url="https://127.0.0.1") as client:
        answer = client.post("/sign-in", files=form, follow_redirects=False)
        assert "Secure" in answer.headers["set-cookie"]


@pytest.mark.parametrize(("peer", "secure"), [("10.0.0.7", True), ("192.0.2.1", False)])
def test_only_a_trusted_proxy_says_that_the_browser_came_over_https(
    keyed: Parts, peer: str, secure: bool
) -> None:
    form = {"key": (None, make_key(keyed, "acme")), "next": (None, "/")}
    client = TestClient(create_app(keyed), base_url="http://127.0.0.1", client=(peer, 1))
    headers = {"X-Forwarded-Proto": "https"}
    answer = client.post("/sign-in", files=form, headers=headers, follow_redirects=False)
    assert ("Secure" in answer.headers["set-cookie"]) is secure


def test_a_wrong_key_is_told_and_begins_nothing(visitor: TestClient) -> None:
    form = {"key": (None, "fft_wrong"), "next": (None, "/")}
    answer = visitor.post("/sign-in", files=form)
    assert answer.status_code == 401
    assert "The key is not valid" in answer.text
    assert "set-cookie" not in answer.headers


def test_signing_out_ends_the_session(keyed: Parts, visitor: TestClient) -> None:
    assert sign_in(visitor, make_key(keyed, "acme")) == 303
    token = visitor.cookies[COOKIE]
    assert visitor.get("/", headers=HTML).status_code == 200
    assert visitor.post("/sign-out").headers["location"] == "/sign-in"
    assert visitor.get("/", headers=HTML).status_code == 303
    assert caller_of_session(keyed, token) is None


def test_a_tenant_sees_its_own_images_alone(keyed: Parts, visitor: TestClient) -> None:
    add_done(keyed)
    sign_in(visitor, make_key(keyed, "other"))
    assert visitor.get("/assets/1", headers=HTML).status_code == 404
    assert visitor.get("/jobs/all", headers=HTML).status_code == 403
    assert visitor.get("/batches", headers=HTML).status_code == 403
    assert "acme" not in visitor.get("/tenants", headers=HTML).text


def test_another_site_can_neither_sign_in_nor_out(keyed: Parts, visitor: TestClient) -> None:
    form = {"key": (None, make_key(keyed, "acme")), "next": (None, "/")}
    foreign = {"Sec-Fetch-Site": "cross-site"}
    assert visitor.post("/sign-in", files=form, headers=foreign).status_code == 403
    assert visitor.post("/sign-out", headers=foreign).status_code == 403


def test_without_authentication_there_is_nothing_to_sign_in_to(client: TestClient) -> None:
    answer = client.get("/sign-in?next=/tenants", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/tenants")
    assert "Sign out" not in client.get("/").text


@pytest.mark.parametrize(
    "text",
    ["//evil.example", "/\\evil.example", "https://evil.example", "evil", "", "/a\nb", "/é"],
)
def test_signing_in_leads_to_no_other_site(text: str) -> None:
    assert own_path(text) == "/"


def test_programs_get_problems_as_ever(visitor: TestClient) -> None:
    answer = visitor.get("/retrieve/asset/1")
    assert (answer.status_code, answer.json()["code"]) == (401, "not-authenticated")
