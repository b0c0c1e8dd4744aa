"""Purging: what goes, what stays, and that all of it comes back."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from fft_tool.rendering import DEFAULT
from service.catalogue.artifacts import find_artifact
from service.catalogue.purge import Purged, purge
from service.catalogue.renditions import find_rendition
from service.database.tables import ARTIFACTS, ASSETS, JOBS, RENDITIONS
from service.parts import Parts
from tests.support.images import pink_noise, png_bytes
from tests.support.service import FixedClock
from tests.support.service_assets import TENANT, add_asset, add_done, blobs, photo, rows

DAY = 86_400


def both(parts: Parts, days: int) -> Purged:
    """Purge, after seeing that a dry run says the same and changes nothing."""
    before = blobs(parts), rows(parts, RENDITIONS), rows(parts, ARTIFACTS)
    size = sum(entry.size for entry in parts.blobs.entries())
    told = purge(parts, days=days, dry_run=True)
    assert (blobs(parts), rows(parts, RENDITIONS), rows(parts, ARTIFACTS)) == before
    found = purge(parts, days=days, dry_run=False)
    assert found == told
    assert size - sum(entry.size for entry in parts.blobs.entries()) == found.bytes
    return found


def test_what_nobody_asks_for_goes_and_the_image_stays(parts: Parts, clock: FixedClock) -> None:
    add_done(parts)
    clock.advance(30 * DAY)
    found = both(parts, 30)
    assert (found.renditions, found.artifacts) == (3, 4)
    assert (rows(parts, RENDITIONS), rows(parts, ARTIFACTS)) == ([], [])
    assert blobs(parts) == {row["content_hash"] for row in rows(parts, ASSETS)}
    assert both(parts, 30) == Purged(0, 0, 0)


def test_what_was_purged_is_made_again_with_the_same_bytes(parts: Parts) -> None:
    add_done(parts)
    rendition = find_rendition(parts, 1, "card", DEFAULT, TENANT)
    artifact = find_artifact(parts, 1, "record", {}, TENANT)
    both(parts, 0)
    assert find_rendition(parts, 1, "card", DEFAULT, TENANT) == rendition
    assert find_artifact(parts, 1, "record", {}, TENANT) == artifact
    assert parts.blobs.exists(rendition.sha256)
    assert parts.blobs.exists(artifact.sha256)


def test_what_was_asked_for_in_between_stays(parts: Parts, clock: FixedClock) -> None:
    add_done(parts)
    clock.advance(20 * DAY)
    find_rendition(parts, 1, "thumb", DEFAULT, TENANT)
    find_artifact(parts, 1, "phase", {}, TENANT)
    clock.advance(20 * DAY)
    found = both(parts, 30)
    assert (found.renditions, found.artifacts) == (2, 3)
    assert [row["preset"] for row in rows(parts, RENDITIONS)] == ["thumb"]
    assert [row["kind"] for row in rows(parts, ARTIFACTS)] == ["phase"]


def test_a_day_less_is_too_early(parts: Parts, clock: FixedClock) -> None:
    add_done(parts)
    clock.advance(29 * DAY)
    assert both(parts, 30) == Purged(0, 0, 0)


@pytest.mark.parametrize("state", ["queued", "running"])
def test_nothing_of_an_asset_that_is_being_worked_on_goes(parts: Parts, state: str) -> None:
    add_done(parts)
    with parts.database.begin() as session:
        session.execute(sa.update(JOBS).values(state=state))
    assert both(parts, 0) == Purged(0, 0, 0)
    with parts.database.begin() as session:
        session.execute(sa.update(JOBS).values(state="failed"))
    assert both(parts, 0).renditions == 3


def test_bytes_that_another_asset_still_needs_are_not_freed(
    parts: Parts, clock: FixedClock
) -> None:
    """Two files of the same pixels have equal renditions, kept once."""
    pixels = pink_noise((40, 40))
    add_done(parts, png_bytes(pixels, filtering=0))
    clock.advance(40 * DAY)
    add_done(parts, png_bytes(pixels, filtering=1))
    found = both(parts, 30)
    assert found.renditions == 3
    for row in rows(parts, RENDITIONS):
        assert parts.blobs.exists(row["sha256"])
    assert both(parts, 0).renditions == 3


def test_a_rendition_that_is_an_image_of_somebody_stays(parts: Parts) -> None:
    add_done(parts)
    kept = find_rendition(parts, 1, "thumb", DEFAULT, TENANT)
    add_done(parts, parts.blobs.read(kept.sha256), tenant="other")
    both(parts, 0)
    assert parts.blobs.exists(kept.sha256)


def test_more_rows_than_fit_into_one_transaction_go_all(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.catalogue.purge.AT_ONCE", 2)
    add_done(parts)
    found = both(parts, 0)
    assert (found.renditions, found.artifacts) == (3, 4)


def test_a_purge_that_ends_half_way_is_finished_by_the_next(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_done(parts)
    with monkeypatch.context() as patch:
        patch.setattr(parts.blobs, "delete", _end)
        with pytest.raises(KeyboardInterrupt):
            purge(parts, days=0, dry_run=False)
    for table in (RENDITIONS, ARTIFACTS):
        for row in rows(parts, table):
            assert parts.blobs.exists(row["sha256"])
    purge(parts, days=0, dry_run=False)
    assert (rows(parts, RENDITIONS), rows(parts, ARTIFACTS)) == ([], [])


def test_an_asset_without_a_job_that_ended_is_not_touched(parts: Parts) -> None:
    add_asset(parts, photo(1))
    find_rendition(parts, 1, "thumb", DEFAULT, TENANT)  # made while the job waits
    assert both(parts, 0) == Purged(0, 0, 0)


def _end(_: str) -> None:
    raise KeyboardInterrupt
