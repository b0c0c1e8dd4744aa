"""Sessions of browsers: what a key is exchanged for when somebody signs in.

A browser keeps a random token in a cookie that scripts cannot read; the database holds its hash
alone. A session ends when it is not used for :data:`IDLE`, after :data:`LONGEST` in any case, when
somebody signs out, and when its key is revoked. Tokens are random and long, so nothing has to slow
down guessing them.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

import sqlalchemy as sa

from service.database.tables import API_KEYS, SESSIONS, TENANTS
from service.keys import Caller, find_key
from service.parts import Parts

COOKIE = "fft_session"
IDLE = timedelta(hours=12)
LONGEST = timedelta(days=7)

_NOTED = timedelta(minutes=5)  # how old a note of the last use may be before it is renewed
_BYTES = 32  # of randomness


def begin_session(parts: Parts, key: str) -> str:
    """Begin a session for whoever has a key; returns its token.

    Raises :class:`~service.errors.NotAuthenticated` if the key is not valid.
    """
    found, token, now = find_key(parts, key), secrets.token_urlsafe(_BYTES), parts.clock.now()
    row = {"key_id": found.key_id, "digest": _digest(token), "created_at": now, "seen_at": now}
    with parts.database.begin() as session:
        session.execute(sa.insert(SESSIONS).values(row))
    return token


def caller_of_session(parts: Parts, token: str) -> Caller | None:
    """Who has a session; None if it has ended, or never began."""
    now = parts.clock.now()
    found = (
        sa.select(SESSIONS.c.id, SESSIONS.c.seen_at, API_KEYS.c.tenant_id, TENANTS.c.name)
        .select_from(SESSIONS.join(API_KEYS).outerjoin(TENANTS))
        .where(
            SESSIONS.c.digest == _digest(token),
            SESSIONS.c.seen_at > now - IDLE,
            SESSIONS.c.created_at > now - LONGEST,
            API_KEYS.c.revoked_at.is_(None),
        )
    )
    with parts.database.read() as session:
        row = session.execute(found).one_or_none()
    if row is None:
        return None
    if now - row.seen_at >= _NOTED:
        with parts.database.begin(lasting=False) as session:
            session.execute(sa.update(SESSIONS).where(SESSIONS.c.id == row.id).values(seen_at=now))
    return Caller(row.name, administrator=row.tenant_id is None, signed_in=True)


def end_session(parts: Parts, token: str) -> None:
    """End a session, if there is one."""
    with parts.database.begin() as session:
        session.execute(sa.delete(SESSIONS).where(SESSIONS.c.digest == _digest(token)))


def delete_ended(parts: Parts) -> int:
    """Delete the rows of sessions that have ended by themselves; return how many there were."""
    now = parts.clock.now()
    ended = sa.or_(SESSIONS.c.seen_at <= now - IDLE, SESSIONS.c.created_at <= now - LONGEST)
    with parts.database.begin(lasting=False) as session:
        return session.execute(sa.delete(SESSIONS).where(ended)).rowcount


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
