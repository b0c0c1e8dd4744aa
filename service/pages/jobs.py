"""Jobs for administrators: what is done, what failed, and trying it again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from service.access import AdministratorHere, PartsHere
from service.database.tables import STATES
from service.errors import BadRequest, NotFailed
from service.jobs import administration
from service.pages.rendering import render
from service.routes.jobs import LARGEST_ID
from service.uploads import Form, form_of

ROUTER = APIRouter(include_in_schema=False)

PAGE = 50
"""Jobs on a page."""

JobForm = Annotated[Form, form_of(files=(), fields=("job",))]
Number = Annotated[int | None, Query(ge=1, le=LARGEST_ID)]


@ROUTER.get("/jobs/all")
def show_jobs(
    request: Request,
    parts: PartsHere,
    caller: AdministratorHere,
    state: Annotated[str, Query()] = "",
    before: Number = None,
    redriven: Annotated[int | None, Query(ge=0, le=LARGEST_ID)] = None,
) -> Response:
    """Show what failed for good, and all jobs or those in one state."""
    chosen = state if state in STATES else None
    jobs = administration.list_jobs(parts, state=chosen, before=before, limit=PAGE + 1)
    return render(
        request,
        caller,
        "jobs.html",
        counts=administration.count_jobs(parts),
        poison=administration.list_poison(parts, limit=PAGE),
        jobs=jobs[:PAGE],
        older=jobs[PAGE - 1].id if len(jobs) > PAGE else None,
        state=chosen or "",
        before=before,
        redriven=redriven,
    )


@ROUTER.post("/jobs/all")
def redrive(parts: PartsHere, _: AdministratorHere, form: JobForm) -> Response:
    """Queue a failed job again, or all of them, and tell how many that were."""
    asked = form.fields["job"]
    if asked == "all":
        numbers = [each.job_id for each in administration.list_poison(parts)]
    elif asked.isascii() and asked.isdecimal() and int(asked) <= LARGEST_ID:
        numbers = [int(asked)]
    else:
        raise BadRequest("job: should be the number of a job, or all")
    count = 0
    for number in dict.fromkeys(numbers):
        try:
            administration.redrive_job(parts, number)
        except NotFailed:
            continue  # somebody else was first
        count += 1
    return RedirectResponse(f"/jobs/all?redriven={count}", 303)
