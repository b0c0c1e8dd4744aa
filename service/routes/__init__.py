"""Routes: what the service does, over HTTP."""

from __future__ import annotations

from fastapi import APIRouter

from service.routes import catalogue, compare, health, jobs, metrics, products, purge

ROUTERS: tuple[APIRouter, ...] = (
    health.ROUTER,
    catalogue.ROUTER,
    compare.ROUTER,
    products.ROUTER,
    metrics.ROUTER,
    purge.ROUTER,
    jobs.ROUTER,
)
"""All routes. The order counts where the addresses of two overlap."""
