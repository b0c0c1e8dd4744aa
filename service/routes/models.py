"""What the routes of the catalogue answer, as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from urllib.parse import quote, urlencode

from pydantic import BaseModel, ConfigDict, Field

from fft_tool.recipe import Recipe
from service.catalogue import artifacts, assets, purge, usage

State = Literal["queued", "running", "done", "failed"]
_SHA256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def _example(**values: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [values]})


class Uploaded(BaseModel):
    """An asset, and the job that makes its renditions and its analysis."""

    model_config = _example(asset_id=1, status="queued", content_hash=_SHA256, job_id=1)

    asset_id: int = Field(description="number of the asset, by which all of it is retrieved")
    status: State = Field(description="state of the job")
    content_hash: str = Field(description="SHA-256 of the bytes, in hexadecimal")
    job_id: int

    @classmethod
    def of(cls, found: assets.Uploaded) -> Uploaded:
        """Model of what the catalogue returns."""
        return cls(
            asset_id=found.asset_id,
            status=_state(found.status),
            content_hash=found.content_hash,
            job_id=found.job_id,
        )


class JobError(BaseModel):
    """Why the last attempt failed."""

    code: str = Field(description="the kind of problem, for programs", examples=["corrupt-image"])
    message: str = Field(description="what is wrong, and what to do")


class AssetJob(BaseModel):
    """The job that makes the renditions and the analysis of an asset."""

    job_id: int
    state: State
    attempts: int = Field(description="attempts that have begun")
    error: JobError | None = Field(description="null if no attempt has failed")


class Rendition(BaseModel):
    """A copy of the image in the size of a preset."""

    preset: str = Field(examples=["thumb"])
    width: int = Field(description="in pixels")
    height: int = Field(description="in pixels")
    bytes: int
    content_type: str = Field(examples=["image/jpeg"])
    url: str = Field(description="where it is retrieved", examples=["/retrieve/rendition/1/thumb"])


class Artifact(BaseModel):
    """A result of the analysis."""

    kind: str = Field(examples=["magnitude"])
    recipe: str = Field(
        description="what was asked for, as the command line and the record write it",
        examples=["histogram=yes metadata=yes"],
    )
    name: str = Field(description="file name", examples=["forest_magnitude.png"])
    bytes: int
    content_type: str = Field(examples=["image/png"])
    url: str = Field(
        description="where it is retrieved", examples=["/retrieve/artifact/1/magnitude"]
    )


class Asset(BaseModel):
    """An image, and what is kept of it. What was purged is made again when it is retrieved."""

    asset_id: int
    tenant_name: str
    name: str = Field(description="file name that the image came with", examples=["forest.png"])
    content_hash: str = Field(description="SHA-256 of the bytes, in hexadecimal")
    content_type: str = Field(description="by content, not by name", examples=["image/png"])
    bytes: int
    width: int | None = Field(description="of the upright image in pixels; null until it was read")
    height: int | None = Field(description="as `width`")
    created_at: datetime
    url: str = Field(
        description="where the image itself is retrieved", examples=["/retrieve/source/1"]
    )
    status: State = Field(description="state of the job")
    job: AssetJob
    renditions: list[Rendition]
    artifacts: list[Artifact]

    @classmethod
    def of(cls, found: assets.Asset) -> Asset:
        """Model of what the catalogue returns."""
        job, number = found.job, found.asset_id
        error = None
        if job.error_code is not None:
            error = JobError(code=job.error_code, message=job.error_message or "")
        state = _state(job.state)
        return cls(
            asset_id=number,
            tenant_name=found.tenant_name,
            name=found.name,
            content_hash=found.content_hash,
            content_type=found.content_type,
            bytes=found.bytes,
            width=found.width,
            height=found.height,
            created_at=found.created_at,
            url=source_url(number),
            status=state,
            job=AssetJob(job_id=job.job_id, state=state, attempts=job.attempts, error=error),
            renditions=[_rendition(number, each) for each in found.renditions],
            artifacts=[_artifact(number, each) for each in found.artifacts],
        )


class Space(BaseModel):
    """Number of files, and their bytes. What is kept once for several is counted for each."""

    count: int
    bytes: int


class JobTimes(BaseModel):
    """Seconds from beginning to end of the last 1,000 jobs that were done, or of fewer."""

    count: int = Field(description="jobs that were looked at")
    mean: float | None = Field(description="in seconds; null if no job was done")
    p50: float | None = Field(description="seconds within which half of them were done")
    p95: float | None = Field(description="seconds within which 95 of 100 were done")


class Usage(BaseModel):
    """What a tenant keeps, and its jobs."""

    tenant_name: str | None = Field(description="null for all together", examples=["acme"])
    assets: int = Field(description="number of assets")
    bytes: int = Field(description="bytes of sources, renditions and artifacts")
    sources: Space
    renditions: Space
    artifacts: Space = Field(description="with files that operations made, and masks")
    jobs: dict[State, int] = Field(description="number of jobs by state")
    failures: int = Field(description="jobs that have failed for good, and were not redriven")
    job_seconds: JobTimes

    @classmethod
    def of(cls, found: usage.Usage) -> Usage:
        """Model of what the catalogue returns."""
        return cls(
            tenant_name=found.tenant,
            assets=found.assets.count,
            bytes=found.bytes,
            sources=_space(found.assets),
            renditions=_space(found.renditions),
            artifacts=_space(found.artifacts),
            jobs={_state(state): count for state, count in found.jobs.items()},
            failures=found.jobs["failed"],
            job_seconds=JobTimes(
                count=found.times.count,
                mean=found.times.mean,
                p50=found.times.p50,
                p95=found.times.p95,
            ),
        )


class Requests(BaseModel):
    """Requests of one kind that this process has answered since it started."""

    method: str = Field(examples=["GET"])
    route: str = Field(examples=["/retrieve/asset/{asset_id}"])
    status: int = Field(description="HTTP status; 0 if the client had gone", examples=[200])
    count: int
    mean_seconds: float


class UsageOfAll(BaseModel):
    """Usage of all tenants, and the requests that this process has answered."""

    total: Usage
    tenants: list[Usage]
    requests: list[Requests]

    @classmethod
    def of(cls, found: usage.UsageOfAll) -> UsageOfAll:
        """Model of what the catalogue returns."""
        return cls(
            total=Usage.of(found.total),
            tenants=[Usage.of(each) for each in found.tenants],
            requests=[
                Requests(
                    method=kind.method,
                    route=kind.route,
                    status=kind.status,
                    count=times.count,
                    mean_seconds=times.seconds / times.count,
                )
                for kind, times in found.requests.items()
            ],
        )


class Purged(BaseModel):
    """What was purged, or with `dry_run` would be."""

    model_config = _example(dry_run=True, days=30, renditions=12, artifacts=7, bytes=5_120_000)

    dry_run: bool
    days: int
    renditions: int
    artifacts: int
    bytes: int = Field(description="bytes that this frees: equal files are kept once")

    @classmethod
    def of(cls, found: purge.Purged, *, days: int, dry_run: bool) -> Purged:
        """Model of what the catalogue returns."""
        return cls(
            dry_run=dry_run,
            days=days,
            renditions=found.renditions,
            artifacts=found.artifacts,
            bytes=found.bytes,
        )


def _state(text: str) -> State:
    states: Mapping[str, State] = {
        "queued": "queued",
        "running": "running",
        "done": "done",
        "failed": "failed",
    }
    return states[text]


def _space(found: usage.Space) -> Space:
    return Space(count=found.count, bytes=found.bytes)


def _rendition(number: int, found: assets.RenditionEntry) -> Rendition:
    return Rendition(
        preset=found.preset,
        width=found.width,
        height=found.height,
        bytes=found.bytes,
        content_type=found.content_type,
        url=f"/retrieve/rendition/{number}/{quote(found.preset, '')}",
    )


def _artifact(number: int, found: assets.ArtifactEntry) -> Artifact:
    return Artifact(
        kind=found.kind,
        recipe=found.recipe,
        name=found.name,
        bytes=found.bytes,
        content_type=found.content_type,
        url=artifact_url(number, found.kind, found.recipe),
    )


def source_url(asset_id: int) -> str:
    """Address of the image of an asset, as it was uploaded.

    >>> source_url(1)
    '/retrieve/source/1'
    """
    return f"/retrieve/source/{asset_id}"


def artifact_url(number: int, kind: str, recipe: str) -> str:
    """Where an artifact is retrieved: its query has the keys that differ from the usual recipe."""
    usual = artifacts.ANALYSIS.texts()
    texts = Recipe.parse_text(recipe).texts()
    other = {name: text for name, text in texts.items() if text != usual[name]}
    query = f"?{urlencode(other)}" if other else ""
    return f"/retrieve/artifact/{number}/{kind}{query}"
