"""Usage of tenants, now and over time; a tenant sees its own."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from service.access import CallerHere, PartsHere
from service.catalogue import history, usage
from service.errors import NotHere
from service.keys import Caller
from service.pages.charts import days_chart
from service.pages.rendering import render
from service.parts import Parts

ROUTER = APIRouter(include_in_schema=False)


@ROUTER.get("/tenants")
def show_tenants(request: Request, parts: PartsHere, caller: CallerHere) -> Response:
    """Show what each tenant keeps, and how it grew."""
    entries = _usages(parts, caller)
    days = history.by_day(parts, caller.sees_only)
    return render(
        request,
        caller,
        "tenants.html",
        entries=_with_history(entries, days),
        days=history.DAYS,
    )


def _usages(parts: Parts, caller: Caller) -> tuple[usage.Usage, ...]:
    if caller.tenant is None:
        return usage.usage_of_all(parts).tenants
    try:
        return (usage.usage_of(parts, caller.tenant, caller.tenant),)
    except NotHere:  # its key is there, but no image yet
        return ()


def _with_history(
    entries: tuple[usage.Usage, ...], days: dict[str, tuple[history.Day, ...]]
) -> list[dict[str, object]]:
    """Each usage with its charts; without any in a tenant that has been quiet."""
    shown = []
    for entry in entries:
        past = days.get(entry.tenant or "", ())
        charts = {}
        if past:
            charts["Images"] = days_chart([(each.day, each.images) for each in past], "images")
            charts["Bytes"] = days_chart([(each.day, each.bytes) for each in past], "bytes")
            failed = [(each.day, each.failed) for each in past]
            if any(count for _, count in failed):
                charts["Failures"] = days_chart(failed, "failures")
        shown.append({"usage": entry, "charts": charts})
    return shown
