"""Whether the service lives, and whether it can work."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from service.access import PartsHere
from service.health import missing_parts

ROUTER = APIRouter(tags=["health"])


class Healthy(BaseModel):
    """The service answers."""

    status: Literal["healthy"] = "healthy"


class Readiness(BaseModel):
    """Whether the service can work, and what it is missing if not."""

    status: Literal["ready", "not-ready"]
    missing: Annotated[list[str], Field(examples=[["database"]])] = []


@ROUTER.get("/healthz", operation_id="health", summary="Whether the service answers")
async def health() -> Healthy:
    """Answer without using the database or the storage."""
    return Healthy()


@ROUTER.get(
    "/readyz",
    operation_id="readiness",
    summary="Whether the service can work",
    response_model_exclude_defaults=True,
    responses={503: {"model": Readiness, "description": "Something is missing"}},
)
def readiness(parts: PartsHere, response: Response) -> Readiness:
    """Ask the database and the storage, and name those that do not answer."""
    missing = missing_parts(parts)
    if missing:
        response.status_code = 503
        return Readiness(status="not-ready", missing=missing)
    return Readiness(status="ready")
