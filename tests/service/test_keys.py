"""Keys: made once, hashed at rest, good for one tenant or for all, invalid when revoked."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import sqlalchemy as sa

from service.database.tables import API_KEYS
from service.errors import BadRequest, Forbidden, NotAuthenticated, NotHere
from service.keys import Caller, caller_of, check_tenant, list_keys, make_key, revoke_key
from service.parts import Parts, make_parts
from service.settings import Settings
from tests.support.service import FixedClock, settings_in


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path, AUTHENTICATION="keys", SECRET_KEY="a secret of this test")  # noqa: S106  (of this test)


def test_a_key_of_a_tenant_is_good_for_it_alone(parts: Parts) -> None:
    caller = caller_of(parts, make_key(parts, "acme"))
    assert caller == Caller("acme", administrator=False)
    assert caller.act_for("acme") == "acme"
    assert caller.sees_only == "acme"
    with pytest.raises(Forbidden, match="belongs to another tenant"):
        caller.act_for("other")
    with pytest.raises(Forbidden, match="administrator"):
        caller.check_administrator()


def test_a_key_of_an_administrator_is_good_for_all(parts: Parts) -> None:
    caller = caller_of(parts, make_key(parts, None))
    assert caller == Caller(None, administrator=True)
    assert caller.act_for("acme") == "acme"
    assert caller.sees_only is None
    caller.check_administrator()


def test_every_key_is_another(parts: Parts) -> None:
    keys = {make_key(parts, "acme") for _ in range(5)}
    assert len(keys) == 5
    assert all(key.startswith("fft_") and len(key) > 40 for key in keys)


@pytest.mark.parametrize("wrong", ["", "fft_", "Bearer", "ключ", "a" * 10_000, "\0", "%27 OR 1=1"])
def test_what_is_no_key_is_refused(parts: Parts, wrong: str) -> None:
    make_key(parts, None)
    with pytest.raises(NotAuthenticated, match="not valid"):
        caller_of(parts, wrong)


def test_a_request_without_key_is_told_how_to_give_one(parts: Parts) -> None:
    with pytest.raises(NotAuthenticated, match="Authorization: Bearer KEY"):
        caller_of(parts, None)


def test_a_revoked_key_is_not_valid_any_more(parts: Parts, clock: FixedClock) -> None:
    first, second = make_key(parts, "acme"), make_key(parts, "acme")
    revoked = clock.now()
    revoke_key(parts, 1)
    clock.advance(60)
    revoke_key(parts, 1)
    with pytest.raises(NotAuthenticated):
        caller_of(parts, first)
    assert caller_of(parts, second).tenant == "acme"
    assert [key.revoked_at for key in list_keys(parts)] == [revoked, None]


def test_only_a_key_that_exists_can_be_revoked(parts: Parts) -> None:
    with pytest.raises(NotHere, match="no key 7"):
        revoke_key(parts, 7)


def test_the_list_tells_whose_keys_there_are(parts: Parts) -> None:
    make_key(parts, "acme", "web shop")
    make_key(parts, None)
    assert [(key.key_id, key.tenant, key.label) for key in list_keys(parts)] == [
        (1, "acme", "web shop"),
        (2, None, ""),
    ]


def test_the_database_holds_no_key(parts: Parts, tmp_path: Path) -> None:
    key = make_key(parts, "acme", "label")
    with parts.database.read() as session:
        (digest,) = session.scalars(sa.select(API_KEYS.c.digest))
    assert digest != hashlib.sha256(key.encode()).hexdigest(), "anybody could compute it"
    parts.database.close()
    assert all(key.encode() not in file.read_bytes() for file in tmp_path.glob("service.db*"))


def test_a_database_that_was_copied_is_of_no_use_with_another_secret(
    parts: Parts, tmp_path: Path
) -> None:
    key = make_key(parts, "acme")
    other = make_parts(settings_in(tmp_path, AUTHENTICATION="keys", SECRET_KEY="another"))  # noqa: S106  (of this test)
    with pytest.raises(NotAuthenticated):
        caller_of(other, key)
    other.close()


def test_without_authentication_everybody_is_an_administrator(tmp_path: Path) -> None:
    parts = make_parts(settings_in(tmp_path))
    assert caller_of(parts, None) == caller_of(parts, "any") == Caller(None, administrator=True)
    parts.close()


@pytest.mark.parametrize("name", ["", " ", " acme", "acme\n", "a\0b", "\u202eacme", "a" * 201])
def test_a_name_that_could_mislead_is_not_that_of_a_tenant(name: str) -> None:
    with pytest.raises(BadRequest, match="tenant_name"):
        check_tenant(name)


@pytest.mark.parametrize("name", ["acme", "Acme Ltd.", "Ærø/Ünïted", "木", "a" * 200])
def test_other_names_are(name: str) -> None:
    assert check_tenant(name) == name
