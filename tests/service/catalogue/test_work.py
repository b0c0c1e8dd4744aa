"""The job of an asset: what it makes, and that doing it twice changes nothing."""

from __future__ import annotations

import sqlalchemy as sa

from fft_tool import pipeline
from fft_tool.rendering import render
from fft_tool.results.outputs import Source
from service.catalogue.artifacts import ANALYSIS
from service.catalogue.assets import find_asset
from service.database.tables import ARTIFACTS, JOBS, RENDITIONS
from service.parts import Parts
from tests.support.images import pink_noise, png_bytes
from tests.support.service import work_off
from tests.support.service_assets import TENANT, add_asset, add_done, blobs, photo, rows


def test_the_job_makes_all_renditions_and_the_usual_analysis(parts: Parts) -> None:
    asset = find_asset(parts, add_done(parts), TENANT)
    assert asset.job.state == "done"
    assert (asset.width, asset.height) == (200, 150)
    sizes = {each.preset: (each.width, each.height) for each in asset.renditions}
    assert sizes == {"thumb": (100, 75), "card": (200, 150), "zoom": (200, 150)}
    assert [each.kind for each in asset.artifacts] == ["histogram", "magnitude", "phase", "record"]
    assert {each.recipe for each in asset.artifacts} == {str(ANALYSIS)}


def test_the_files_are_those_that_the_core_makes(parts: Parts) -> None:
    add_done(parts)
    source = Source("photo.png", photo())
    made = render(source, parts.settings.presets)
    kept = {row["preset"]: parts.blobs.read(row["sha256"]) for row in rows(parts, RENDITIONS)}
    assert kept == {each.preset: each.data for each in made}
    outputs = {each.name: each.data for each in pipeline.run(source, ANALYSIS)}
    found = {row["name"]: parts.blobs.read(row["sha256"]) for row in rows(parts, ARTIFACTS)}
    assert found == outputs


def test_a_job_that_is_done_twice_leaves_the_same_rows_and_blobs(parts: Parts) -> None:
    add_done(parts)
    before = rows(parts, RENDITIONS), rows(parts, ARTIFACTS), blobs(parts)
    with parts.database.begin() as session:
        session.execute(sa.update(JOBS).values(state="queued", attempts=0))
    assert work_off(parts) == 1
    assert (rows(parts, RENDITIONS), rows(parts, ARTIFACTS), blobs(parts)) == before


def test_a_damaged_image_fails_for_good_with_the_reason(parts: Parts) -> None:
    add_asset(parts, photo()[:-40])
    work_off(parts)
    asset = find_asset(parts, 1, TENANT)
    assert (asset.job.state, asset.job.attempts) == ("failed", 1)
    assert asset.job.error_code == "corrupt-image"
    assert "PNG is truncated" in str(asset.job.error_message)
    assert (asset.width, asset.renditions, asset.artifacts) == (None, (), ())


def test_equal_renditions_of_two_assets_are_one_blob(parts: Parts) -> None:
    """The same pixels in two files that differ in their compression."""
    pixels = pink_noise((40, 40))
    for filtering in (0, 1):
        add_done(parts, png_bytes(pixels, filtering=filtering))
    first, second = (
        {row["sha256"] for row in rows(parts, RENDITIONS) if row["asset_id"] == asset}
        for asset in (1, 2)
    )
    assert first == second
