"""Purging, for administrators."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from service.access import AdministratorHere, PartsHere
from service.catalogue import purge as catalogue
from service.problems import responses
from service.routes import models

ROUTER = APIRouter(tags=["operation"])

LONGEST = 36_500  # days


@ROUTER.post(
    "/purge/",
    operation_id="purge",
    summary="Purge what nobody has asked for",
    responses=responses(401, 403, 422, 503),
)
def purge(
    parts: PartsHere,
    _: AdministratorHere,
    days: Annotated[
        int | None,
        Query(ge=0, le=LONGEST, description="days without a request; default: PURGE_DAYS"),
    ] = None,
    *,
    dry_run: Annotated[bool, Query(description="only count what would go")] = False,
) -> models.Purged:
    """Delete renditions and artifacts that nobody has asked for in so many days.

    They are made again when somebody asks. Images themselves stay, and so does everything of an
    image that is being worked on.
    """
    days = parts.settings.purge_days if days is None else days
    found = catalogue.purge(parts, days=days, dry_run=dry_run)
    return models.Purged.of(found, days=days, dry_run=dry_run)
