"""Routes: what the service does, over HTTP."""

from __future__ import annotations

from fastapi import APIRouter

from service.routes import health

ROUTERS: tuple[APIRouter, ...] = (health.ROUTER,)
"""All routes. The order counts where the addresses of two overlap."""
