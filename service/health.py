"""Whether the parts of the service can be used."""

from __future__ import annotations

import logging
from collections.abc import Callable

import sqlalchemy as sa

from fft_tool.errors import FftToolError
from service.parts import Parts

log = logging.getLogger(__name__)


def missing_parts(parts: Parts) -> list[str]:
    """Names of the parts that do not answer; the reasons are logged."""
    checks: dict[str, Callable[[Parts], object]] = {"database": _database, "storage": _storage}
    return [name for name, check in checks.items() if not _answers(name, check, parts)]


def _answers(name: str, check: Callable[[Parts], object], parts: Parts) -> bool:
    try:
        check(parts)
    except FftToolError as exc:
        log.warning("%s is missing: %s", name, exc)
        return False
    return True


def _database(parts: Parts) -> None:
    with parts.database.read() as session:
        session.execute(sa.select(1))


def _storage(parts: Parts) -> None:
    parts.blobs.store.exists("readiness")
