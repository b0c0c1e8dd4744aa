"""Pages for people: one more client of the functions of the catalogue and of the products."""

from __future__ import annotations

from fastapi import APIRouter

from service.pages import (
    batches,
    compare,
    crop,
    events,
    gallery,
    image,
    jobs,
    operations,
    signing_in,
    statics,
    studio,
    tenants,
)

ROUTERS: tuple[APIRouter, ...] = (
    statics.ROUTER,
    events.ROUTER,
    gallery.ROUTER,
    image.ROUTER,
    studio.ROUTER,
    operations.ROUTER,
    crop.ROUTER,
    compare.ROUTER,
    signing_in.ROUTER,
    jobs.ROUTER,
    tenants.ROUTER,
    batches.ROUTER,
)
"""All pages."""
