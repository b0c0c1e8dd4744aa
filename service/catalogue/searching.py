"""Finding assets: by words of their names, and by what their records say.

A search is words and conditions, all of which have to hold::

    paper period<10 slope>=1.5 is:failed

Words are parts of names. Conditions compare one of :data:`COMPARED` with a number; ``is:STATE`` is
the state of the job.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from fft_tool.spelling import did_you_mean
from service.catalogue.assets import KIND
from service.database.tables import ASSETS, JOBS, MEASURES, RENDITIONS, STATES, TENANTS
from service.errors import BadRequest
from service.parts import Parts

PAGE = 48
"""Assets on a page."""

LONGEST = 200
"""Characters of a search at most."""

COMPARED: Mapping[str, sa.ColumnElement[Any]] = {
    "slope": MEASURES.c.slope,
    "sharpness": MEASURES.c.sharpness,
    "period": MEASURES.c.period,
    "angle": MEASURES.c.angle,
    "width": ASSETS.c.width,
    "height": ASSETS.c.height,
    "bytes": ASSETS.c.bytes,
}
"""What a condition may compare: measures of the record, pixels and bytes."""

ORDERS: Mapping[str, tuple[str, sa.ColumnElement[Any]]] = {
    "newest": ("newest first", ASSETS.c.id.desc()),
    "name": ("name", sa.func.lower(ASSETS.c.name)),
    "slope": ("slope, steepest first", MEASURES.c.slope.desc()),
    "sharpness": ("sharpness, sharpest first", MEASURES.c.sharpness.desc()),
    "period": ("dominant period, shortest first", MEASURES.c.period),
    "pixels": ("pixels, most first", (ASSETS.c.width * ASSETS.c.height).desc()),
}
"""Orders by name: what it says, and the expression; assets without a value come last."""

_CONDITION = re.compile(r"([a-z]+)(<=|>=|<|>|=)(.*)", re.IGNORECASE)
_COMPARISONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
}


@dataclass(frozen=True, slots=True)
class Condition:
    """A number that an asset has to have: ``name``, a comparison, and the limit."""

    name: str
    comparison: str
    limit: float


@dataclass(frozen=True, slots=True)
class Search:
    """What to look for.

    >>> Search.parse("paper period<10 is:done")
    Search(words=('paper',), conditions=(Condition(name='period', comparison='<', limit=10.0),), \
state='done')
    """

    words: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()
    state: str | None = None

    @classmethod
    def parse(cls, text: str) -> Search:
        """Read a search; raises :class:`~service.errors.BadRequest` with every fault."""
        if len(text) > LONGEST:
            raise BadRequest(f"the search has more than {LONGEST} characters")
        words, conditions, faults = [], [], []
        state = None
        for word in text.split():
            try:
                if word.lower().startswith("is:"):
                    state = _state(word[3:].lower())
                elif match := _CONDITION.fullmatch(word):
                    conditions.append(_condition(*match.groups()))
                else:
                    words.append(word)
            except ValueError as exc:
                faults.append(f"{word}: {exc}")
        if faults:
            raise BadRequest(*faults)
        return cls(tuple(words), tuple(conditions), state)


@dataclass(frozen=True, slots=True)
class Card:
    """An asset as the gallery shows it; ``shown`` tells whether there are renditions."""

    asset_id: int
    tenant_name: str
    name: str
    status: str
    error: str | None
    width: int | None
    height: int | None
    bytes: int
    created_at: datetime
    slope: float | None
    sharpness: float | None
    period: float | None
    angle: float | None
    shown: bool


@dataclass(frozen=True, slots=True)
class Found:
    """A page of assets, and how many there are on all pages."""

    cards: tuple[Card, ...]
    total: int
    page: int

    @property
    def pages(self) -> int:
        """Number of pages, at least one."""
        return max(1, math.ceil(self.total / PAGE))


def find_assets(
    parts: Parts,
    tenant: str | None,
    search: Search = Search(),
    *,
    order: str = "newest",
    page: int = 1,
) -> Found:
    """Find the assets of a tenant (None: of all); ``page`` counts from 1.

    Raises :class:`~service.errors.BadRequest` if there is no such order.
    """
    if order not in ORDERS:
        raise BadRequest(f"sort: should be one of {', '.join(ORDERS)}")
    conditions = [*_matching(search)]
    if tenant is not None:
        conditions.append(TENANTS.c.name == tenant)
    places = [ORDERS[order][1].nulls_last(), ASSETS.c.id.desc()]
    found = _cards().where(*conditions).order_by(*places).limit(PAGE).offset((page - 1) * PAGE)
    counted = sa.select(sa.func.count()).select_from(_joined()).where(*conditions)
    with parts.database.read() as session:
        cards = tuple(Card(*row) for row in session.execute(found))
        return Found(cards, int(session.execute(counted).scalar_one()), page)


def find_card(parts: Parts, asset_id: int, tenant: str | None) -> Card | None:
    """One asset of a tenant (None: of any) as the gallery shows it; None if there is none."""
    found = _cards().where(ASSETS.c.id == asset_id)
    if tenant is not None:
        found = found.where(TENANTS.c.name == tenant)
    with parts.database.read() as session:
        row = session.execute(found).one_or_none()
    return None if row is None else Card(*row)


def changed_since(
    parts: Parts, moment: datetime, tenant: str | None, most: int = 200
) -> list[tuple[int, str]]:
    """Assets whose job began, ended or failed at that moment or later, and its state."""
    touched = sa.or_(
        *(column >= moment for column in (JOBS.c.created_at, JOBS.c.started_at, JOBS.c.finished_at))
    )
    found = (
        sa.select(ASSETS.c.id, JOBS.c.state).select_from(_joined()).where(touched).limit(most)
    ).order_by(JOBS.c.id)
    if tenant is not None:
        found = found.where(TENANTS.c.name == tenant)
    with parts.database.read() as session:
        return [(int(number), str(state)) for number, state in session.execute(found)]


def tenants_with_assets(parts: Parts) -> list[tuple[str, int]]:
    """Names of tenants and the number of their assets, by name."""
    found = (
        sa.select(TENANTS.c.name, sa.func.count())
        .join_from(TENANTS, ASSETS)
        .group_by(TENANTS.c.name)
        .order_by(TENANTS.c.name)
    )
    with parts.database.read() as session:
        return [(str(name), int(count)) for name, count in session.execute(found)]


def _cards() -> sa.Select[Any]:
    shown = sa.exists().where(RENDITIONS.c.asset_id == ASSETS.c.id)
    return sa.select(
        ASSETS.c.id,
        TENANTS.c.name,
        ASSETS.c.name,
        JOBS.c.state,
        JOBS.c.error_message,
        ASSETS.c.width,
        ASSETS.c.height,
        ASSETS.c.bytes,
        ASSETS.c.created_at,
        *(MEASURES.c[name] for name in ("slope", "sharpness", "period", "angle")),
        shown,
    ).select_from(_joined())


def _joined() -> sa.FromClause:
    of_asset = sa.and_(JOBS.c.asset_id == ASSETS.c.id, JOBS.c.kind == KIND)
    joined = ASSETS.join(TENANTS).join(JOBS, of_asset)
    return joined.outerjoin(MEASURES, MEASURES.c.asset_id == ASSETS.c.id)


def _matching(search: Search) -> list[sa.ColumnElement[bool]]:
    found = [ASSETS.c.name.icontains(word, autoescape=True) for word in search.words]
    found += [
        _COMPARISONS[each.comparison](COMPARED[each.name], each.limit) for each in search.conditions
    ]
    if search.state is not None:
        found.append(JOBS.c.state == search.state)
    return found


def _condition(name: str, comparison: str, text: str) -> Condition:
    name = name.lower()
    if name not in COMPARED:
        near = did_you_mean(name, COMPARED)
        raise ValueError(f"{name} cannot be compared, only {', '.join(COMPARED)}{near}")
    try:
        limit = float(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a number") from None
    if not math.isfinite(limit):
        raise ValueError(f"{text!r} is not a finite number")
    return Condition(name, comparison, limit)


def _state(text: str) -> str:
    if text not in STATES:
        raise ValueError(f"should be is:{', is:'.join(STATES)}")
    return text
