"""Keys of tenants and administrators: made and revoked by a command, hashed at rest.

The database holds only the HMAC-SHA256 of a key under the secret of the settings, so that neither a
copy of the database nor of the settings alone lets anybody in. Keys are random and long: they need
no slow hash, which protects passwords that people choose.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from service.database.rows import insert_once
from service.database.tables import API_KEYS, TENANTS
from service.errors import BadRequest, Forbidden, NotAuthenticated, NotHere
from service.parts import Parts

PREFIX = "fft_"  # by which scanners recognise a key that was published by mistake
_BYTES = 32  # of randomness

LONGEST_TENANT = 200  # characters


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a request: a tenant, by its name, or an administrator.

    ``signed_in`` tells that a browser does, in a session.
    """

    tenant: str | None
    administrator: bool
    signed_in: bool = False

    def check_administrator(self) -> None:
        """Refuse a caller who is not an administrator."""
        if not self.administrator:
            raise Forbidden("this needs the key of an administrator")

    def act_for(self, tenant: str) -> str:
        """Name of the tenant to act for; a tenant's key is only good for its own."""
        if not self.administrator and tenant != self.tenant:
            raise Forbidden("tenant_name: this key belongs to another tenant")
        return check_tenant(tenant)

    @property
    def sees_only(self) -> str | None:
        """The tenant whose images the caller may see; None: those of all."""
        return None if self.administrator else self.tenant


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """A key in a listing; the key itself is nowhere."""

    key_id: int
    tenant: str | None
    label: str
    created_at: datetime
    revoked_at: datetime | None


def check_tenant(name: str) -> str:
    """Refuse what is not the name of a tenant.

    >>> check_tenant("acme")
    'acme'
    """
    if not name.strip() or name != name.strip() or not name.isprintable():
        raise BadRequest("tenant_name: should be printable text without spaces around it")
    if len(name) > LONGEST_TENANT:
        raise BadRequest(f"tenant_name: should have at most {LONGEST_TENANT} characters")
    return name


def make_key(parts: Parts, tenant: str | None, label: str = "") -> str:
    """Make a key for a tenant, or for an administrator (None), and return it, this once."""
    key = PREFIX + secrets.token_urlsafe(_BYTES)
    now = parts.clock.now()
    with parts.database.begin() as session:
        tenant_id = None
        if tenant is not None:
            values = {"name": check_tenant(tenant), "created_at": now}
            tenant_id, _ = insert_once(session, TENANTS, ["name"], values)
        session.execute(
            sa.insert(API_KEYS).values(
                tenant_id=tenant_id, label=label, digest=_digest(parts, key), created_at=now
            )
        )
    return key


def list_keys(parts: Parts) -> list[KeyEntry]:
    """All keys, also those that were revoked, in the order in which they were made."""
    found = (
        sa.select(
            API_KEYS.c.id,
            TENANTS.c.name,
            API_KEYS.c.label,
            API_KEYS.c.created_at,
            API_KEYS.c.revoked_at,
        )
        .select_from(API_KEYS.outerjoin(TENANTS))
        .order_by(API_KEYS.c.id)
    )
    with parts.database.read() as session:
        return [KeyEntry(*row) for row in session.execute(found)]


def revoke_key(parts: Parts, key_id: int) -> None:
    """Make a key invalid from now on."""
    with parts.database.begin() as session:
        if not session.scalar(sa.select(API_KEYS.c.id).where(API_KEYS.c.id == key_id)):
            raise NotHere(f"there is no key {key_id}")
        session.execute(
            sa.update(API_KEYS)
            .where(API_KEYS.c.id == key_id, API_KEYS.c.revoked_at.is_(None))
            .values(revoked_at=parts.clock.now())
        )


@dataclass(frozen=True, slots=True)
class FoundKey:
    """A valid key, by its number, and who has it."""

    key_id: int
    caller: Caller


def caller_of(parts: Parts, key: str | None) -> Caller:
    """Who has a key; everybody is an administrator where authentication is off."""
    if parts.settings.authentication == "off":
        return Caller(None, administrator=True)
    if key is None:
        raise NotAuthenticated("this needs a key: Authorization: Bearer KEY")
    return find_key(parts, key).caller


def find_key(parts: Parts, key: str) -> FoundKey:
    """Find a key; raises :class:`~service.errors.NotAuthenticated` if it is not valid."""
    digest = _digest(parts, key)
    found = (
        sa.select(API_KEYS.c.id, API_KEYS.c.digest, API_KEYS.c.tenant_id, TENANTS.c.name)
        .select_from(API_KEYS.outerjoin(TENANTS))
        .where(API_KEYS.c.digest == digest, API_KEYS.c.revoked_at.is_(None))
    )
    with parts.database.read() as session:
        row = session.execute(found).one_or_none()
    # The database compares hashes, which nobody can choose; its answer is compared once more.
    if row is None or not hmac.compare_digest(row.digest, digest):
        raise NotAuthenticated("the key is not valid: it was revoked, or never made here")
    return FoundKey(row.id, Caller(row.name, administrator=row.tenant_id is None))


def _digest(parts: Parts, key: str) -> str:
    secret = parts.settings.secret_key.encode()
    return hmac.new(secret, key.encode(errors="replace"), hashlib.sha256).hexdigest()
