"""Usage: of one tenant, and of all, also in the format that Prometheus reads."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from service.access import AdministratorHere, CallerHere, PartsHere
from service.catalogue import usage
from service.latency import BOUNDS
from service.problems import responses
from service.routes import models
from service.routes.accept import Accept

ROUTER = APIRouter(tags=["operation"])

PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"


@ROUTER.get(
    "/metrics/tenant/{tenant_name}",
    operation_id="retrieve_usage",
    summary="What a tenant keeps, and its jobs",
    responses=responses(401, 404, 422, 503),
)
def retrieve_usage(
    parts: PartsHere,
    caller: CallerHere,
    tenant_name: Annotated[str, Path(description="name of the tenant", examples=["acme"])],
) -> models.Usage:
    """Tell how much a tenant keeps, and how its jobs went; tenants see only their own."""
    return models.Usage.of(usage.usage_of(parts, tenant_name, caller.sees_only))


@ROUTER.get(
    "/metrics",
    operation_id="retrieve_usage_of_all",
    summary="What all tenants keep, and how long requests took",
    response_model=models.UsageOfAll,
    responses={
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}},
        **responses(401, 403, 503),
    },
)
def retrieve_usage_of_all(request: Request, parts: PartsHere, _: AdministratorHere) -> Response:
    """Tell the usage of all tenants, as JSON or, if `Accept` prefers it, as text for Prometheus."""
    found = usage.usage_of_all(parts)
    accept = Accept.parse(request.headers.get("accept"))
    headers = {"Vary": "Accept"}
    if accept.weight("text/plain") > accept.weight("application/json"):
        return Response(exposition(found), headers=headers, media_type=PROMETHEUS)
    body = models.UsageOfAll.of(found).model_dump_json()
    return Response(body, headers=headers, media_type="application/json")


def exposition(found: usage.UsageOfAll) -> bytes:
    """Usage as the text that Prometheus reads."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(found))
    return generate_latest(registry)


class _Collector(Collector):
    def __init__(self, found: usage.UsageOfAll) -> None:
        self._found = found

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics of all tenants, and of the requests of this process."""
        yield from self._usage()
        yield self._requests()

    def _usage(self) -> Iterator[Metric]:
        files = GaugeMetricFamily(
            "fft_service_files", "Files that are kept", labels=["tenant", "what"]
        )
        size = GaugeMetricFamily(
            "fft_service_bytes", "Bytes of these files", labels=["tenant", "what"]
        )
        jobs = GaugeMetricFamily("fft_service_jobs", "Jobs by state", labels=["tenant", "state"])
        for each in self._found.tenants:
            tenant = each.tenant or ""
            spaces = (each.assets, each.renditions, each.artifacts)
            for what, space in zip(("source", "rendition", "artifact"), spaces, strict=True):
                files.add_metric([tenant, what], space.count)
                size.add_metric([tenant, what], space.bytes)
            for state, count in each.jobs.items():
                jobs.add_metric([tenant, state], count)
        yield from (files, size, jobs)
        seconds = GaugeMetricFamily(
            "fft_service_job_seconds",
            "Times within which that share of the last jobs was done",
            labels=["share"],
        )
        times = self._found.total.times
        for share, value in (("0.5", times.p50), ("0.95", times.p95)):
            if value is not None:
                seconds.add_metric([share], value)
        yield seconds

    def _requests(self) -> Metric:
        requests = HistogramMetricFamily(
            "fft_service_request_seconds",
            "Time from the first byte of a request to the last one of its answer",
            labels=["method", "route", "status"],
        )
        bounds = [*map(str, BOUNDS), "+Inf"]
        for kind, times in self._found.requests.items():
            labels = [kind.method, kind.route, str(kind.status)]
            buckets = list(zip(bounds, map(float, accumulate(times.counts)), strict=True))
            requests.add_metric(labels, buckets, times.seconds)
        return requests
