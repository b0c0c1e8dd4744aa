"""The job of an asset: its renditions in all presets, and its analysis by the usual recipe."""

from __future__ import annotations

import sqlalchemy as sa

from fft_tool.rendering import DEFAULT
from fft_tool.runs.child import Child
from service.catalogue.artifacts import ANALYSIS, keep_artifacts
from service.catalogue.assets import source_of
from service.catalogue.measures import keep_measures
from service.catalogue.renditions import keep_renditions
from service.database.tables import ASSETS
from service.jobs.table import Job
from service.parts import Parts


def make_asset(parts: Parts, job: Job, child: Child) -> None:
    """Do the job of an asset. Done twice, it leaves the same rows and blobs as done once.

    Renditions are kept first: an image that is too large to be analysed can still be shown.
    """
    if job.asset_id is None:
        raise ValueError(f"job {job.id} has no asset")
    source = source_of(parts, job.asset_id, None)
    settings, limits = parts.settings, parts.settings.limits

    def patience(_: int) -> float:
        return settings.image_seconds

    made = child.render(source, settings.presets, DEFAULT, limits, patience=patience)
    keep_renditions(parts, job.asset_id, made)
    analysed = child.run(source, ANALYSIS, limits, patience=patience)
    keep_artifacts(parts, job.asset_id, ANALYSIS, analysed.artifacts)
    keep_measures(parts, job.asset_id, analysed.artifacts)
    with parts.database.begin(lasting=False) as session:
        of_asset = sa.update(ASSETS).where(ASSETS.c.id == job.asset_id)
        session.execute(of_asset.values(width=analysed.width, height=analysed.height))
