"""Routes: what the service does, over HTTP."""

from __future__ import annotations

from fastapi import APIRouter

from service.routes import health, products

ROUTERS: tuple[APIRouter, ...] = (health.ROUTER, products.ROUTER)
"""All routes. The order counts where the addresses of two overlap."""
