"""Pages for people: one more client of the functions of the catalogue and of the products."""

from __future__ import annotations

from fastapi import APIRouter

from service.pages import events, gallery, image, operations, statics, studio

ROUTERS: tuple[APIRouter, ...] = (
    statics.ROUTER,
    events.ROUTER,
    gallery.ROUTER,
    image.ROUTER,
    studio.ROUTER,
    operations.ROUTER,
)
"""All pages."""
