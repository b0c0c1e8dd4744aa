"""The application: routes, problems and headers around the parts of the service."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

import fft_tool
from service import pages, problems
from service.middleware import Envelope
from service.origins import KnownHosts, SameOrigin, known_hosts
from service.pages.problem import tell
from service.parts import Parts
from service.products.limiter import make_limiter
from service.routes import ROUTERS

DESCRIPTION = """\
A catalogue of images with renditions and 2-D Fourier analysis, and product crops.

Errors are problems (RFC 9457, `application/problem+json`) with a `code` for programs.
"""

TAGS = [
    {"name": "catalogue", "description": "images, their renditions and the artifacts of analysis"},
    {"name": "comparison", "description": "how far an image is from an asset"},
    {"name": "products", "description": "crops of product images"},
    {"name": "operation", "description": "usage, jobs and purging, for administrators"},
    {"name": "health", "description": "for load balancers and supervisors"},
]


def create_app(parts: Parts, *, any_host: bool = False) -> FastAPI:
    """Make the application; whoever made the ``parts`` also closes them.

    ``any_host`` is for where no host can be reached but by the names that lead to it.

    Raises :class:`~fft_tool.errors.UsageError` if the settings do not say in which region the table
    of the rate limit is.
    """
    app = FastAPI(
        title="fft-pipeline",
        version=fft_tool.__version__,
        description=DESCRIPTION,
        openapi_tags=TAGS,
        docs_url=None,  # the interactive pages load their scripts from other hosts
        redoc_url=None,
        redirect_slashes=False,  # redirects would be built from the Host that the client says
    )
    app.state.parts = parts
    app.state.limiter = make_limiter(parts.settings, parts.clock)
    for router in (*pages.ROUTERS, *ROUTERS):  # /jobs/all is no number of a job
        app.include_router(router)
    problems.install(app, tell)
    app.add_middleware(SameOrigin)
    hosts = None if any_host else known_hosts(parts.settings)
    if hosts is not None:
        app.add_middleware(KnownHosts, hosts=hosts)
    app.add_middleware(Envelope, times=parts.times)
    app.openapi = lambda: _described(app)  # type: ignore[method-assign]
    return app


def _described(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI description; all errors in it are problems."""
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            tags=app.openapi_tags,
            routes=app.routes,
        )
        app.openapi_schema = problems.describe(schema)
    return app.openapi_schema
