"""Live events: states of jobs, as they change, for pages with scripts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from service.access import CallerHere, PartsHere
from service.catalogue.searching import changed_since
from service.keys import Caller
from service.parts import Parts

ROUTER = APIRouter(include_in_schema=False)

LOOKING = 0.5  # seconds between two looks
LASTING = 15.0  # seconds, then the browser asks again: a server that stops need not wait for it
AGAIN = 500  # milliseconds until it does
OVERLAP = timedelta(seconds=2)  # what was committed late is told nevertheless


@ROUTER.get("/events")
async def stream_events(parts: PartsHere, caller: CallerHere) -> StreamingResponse:
    """Stream the states of the caller's images as they change: ``{"asset_id", "status"}``."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(
        _events(parts, caller), headers=headers, media_type="text/event-stream"
    )


async def _events(parts: Parts, caller: Caller) -> AsyncIterator[str]:
    yield f"retry: {AGAIN}\n\n"
    told: set[tuple[int, str]] = set()
    since = parts.clock.now() - timedelta(seconds=LASTING)
    for _ in range(round(LASTING / LOOKING)):
        now = parts.clock.now()
        changed = await run_in_threadpool(changed_since, parts, since, caller.sees_only)
        for asset_id, status in changed:
            if (asset_id, status) not in told:
                told.add((asset_id, status))
                yield f"data: {json.dumps({'asset_id': asset_id, 'status': status})}\n\n"
        since = now - OVERLAP
        await asyncio.sleep(LOOKING)
