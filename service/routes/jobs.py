"""Jobs, for administrators: what they do, why they failed, and trying them again."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from service.access import AdministratorHere, PartsHere
from service.jobs import administration, table
from service.problems import responses
from service.routes.models import JobError, State

ROUTER = APIRouter(prefix="/jobs", tags=["operation"])

LARGEST_ID = (1 << 63) - 1

JobId = Annotated[int, Path(ge=1, le=LARGEST_ID, description="number of the job", examples=[1])]
Before = Annotated[
    int | None,
    Query(
        ge=1, le=LARGEST_ID, description="only numbers below this one: that of the last one shown"
    ),
]
Limit = Annotated[int, Query(ge=1, le=administration.MOST, description="how many at most")]


class Job(BaseModel):
    """A piece of work in the background."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "job_id": 7,
                    "kind": "asset",
                    "state": "failed",
                    "attempts": 1,
                    "asset_id": 3,
                    "image_id": None,
                    "created_at": "2026-12-01T12:00:00Z",
                    "due_at": "2026-12-01T12:00:00Z",
                    "started_at": "2026-12-01T12:00:01Z",
                    "finished_at": "2026-12-01T12:00:02Z",
                    "error": {"code": "corrupt-image", "message": "the file ends too early"},
                }
            ]
        }
    )

    job_id: int
    kind: str = Field(description="what there is to do", examples=["asset", "smart-crop"])
    state: State
    attempts: int = Field(description="attempts that have begun since it was last queued afresh")
    asset_id: int | None = Field(description="the asset that it works on, if any")
    image_id: int | None = Field(description="the product image that it makes, if any")
    created_at: datetime
    due_at: datetime = Field(description="when the next attempt may begin, while it is queued")
    started_at: datetime | None = Field(description="when the last attempt began")
    finished_at: datetime | None
    error: JobError | None = Field(description="why the last attempt failed; null if none has")

    @classmethod
    def of(cls, job: table.Job) -> Job:
        """Model of a job of the table."""
        error = None
        if job.error_code is not None:
            error = JobError(code=job.error_code, message=job.error_message or "")
        return cls.model_validate(
            {
                "job_id": job.id,
                "error": error,
                **{
                    name: getattr(job, name)
                    for name in cls.model_fields
                    if name not in ("job_id", "error")
                },
            }
        )


class PoisonJob(BaseModel):
    """Why a job has failed for good."""

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "id": 1,
                    "job_id": 7,
                    "kind": "asset",
                    "reason_code": "corrupt-image",
                    "reason": "the file ends too early",
                    "attempts": 1,
                    "created_at": "2026-12-01T12:00:02Z",
                }
            ]
        },
    )

    id: int
    job_id: int
    kind: str
    reason_code: str = Field(description="the kind of problem, for programs")
    reason: str = Field(description="what is wrong")
    attempts: int
    created_at: datetime


@ROUTER.get(
    "",
    operation_id="list_jobs",
    summary="Jobs, the latest first",
    responses=responses(401, 403, 422, 503),
)
def list_jobs(
    parts: PartsHere,
    _: AdministratorHere,
    state: Annotated[State | None, Query(description="only jobs in this state")] = None,
    before: Before = None,
    limit: Limit = 100,
) -> list[Job]:
    """List jobs, page by page."""
    found = administration.list_jobs(parts, state=state, before=before, limit=limit)
    return [Job.of(job) for job in found]


@ROUTER.get(
    "/poison",
    operation_id="list_poison_jobs",
    summary="Jobs that have failed for good, the latest first",
    responses=responses(401, 403, 422, 503),
)
def list_poison_jobs(
    parts: PartsHere, _: AdministratorHere, before: Before = None, limit: Limit = 100
) -> list[PoisonJob]:
    """List the failures of jobs that were not queued again since, page by page."""
    found = administration.list_poison(parts, before=before, limit=limit)
    return [PoisonJob.model_validate(job) for job in found]


@ROUTER.get(
    "/{job_id}",
    operation_id="retrieve_job",
    summary="A job",
    responses=responses(401, 403, 404, 422, 503),
)
def retrieve_job(parts: PartsHere, _: AdministratorHere, job_id: JobId) -> Job:
    """Tell the state of a job, and why its last attempt failed, if it did."""
    return Job.of(administration.find_job(parts, job_id))


@ROUTER.post(
    "/{job_id}/redrive",
    operation_id="redrive_job",
    summary="Queue a failed job again",
    responses=responses(401, 403, 404, 409, 422, 503),
)
def redrive_job(parts: PartsHere, _: AdministratorHere, job_id: JobId) -> Job:
    """Queue a job again that has failed for good, with all of its attempts."""
    return Job.of(administration.redrive_job(parts, job_id))
