"""Renditions that are kept, made on demand, and made again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from fft_tool.errors import CorruptImage
from fft_tool.image.presets import parse_presets
from fft_tool.rendering import DEFAULT, render
from fft_tool.results.outputs import Source
from service.catalogue.renditions import OFFERED, find_rendition
from service.database.tables import RENDITIONS
from service.errors import NotHere
from service.parts import Parts
from tests.support.service import FixedClock
from tests.support.service_assets import TENANT, add_asset, add_done, photo, rows


@pytest.mark.parametrize("picture_format", [DEFAULT, *OFFERED])
def test_a_rendition_that_is_not_kept_is_made_at_once_and_kept(
    parts: Parts, picture_format: str
) -> None:
    add_asset(parts)  # whose job has not begun
    kept = find_rendition(parts, 1, "thumb", picture_format, TENANT)
    [expected] = render(Source("photo.png", photo()), parts.settings.presets[:1], picture_format)
    assert parts.blobs.read(kept.sha256) == expected.data
    assert (kept.bytes, kept.name) == (len(expected.data), f"photo_thumb.{_ending(kept.name)}")
    assert find_rendition(parts, 1, "thumb", picture_format, TENANT) == kept
    assert len(rows(parts, RENDITIONS)) == 1


def test_a_rendition_that_is_kept_is_not_made_again(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_done(parts)
    monkeypatch.delattr(type(parts.workbench), "run")
    assert find_rendition(parts, 1, "card", DEFAULT, TENANT).content_type == "image/jpeg"


def test_a_preset_that_was_set_anew_is_made_anew(parts: Parts) -> None:
    add_done(parts)
    old = find_rendition(parts, 1, "thumb", DEFAULT, TENANT)
    other = replace(parts, settings=replace(parts.settings, presets=parse_presets("thumb=50")))
    new = find_rendition(other, 1, "thumb", DEFAULT, TENANT)
    assert new.sha256 != old.sha256
    [row] = [row for row in rows(parts, RENDITIONS) if row["preset"] == "thumb"]
    assert (row["width"], row["height"], row["sha256"]) == (50, 38, new.sha256)


def test_a_request_is_noted_but_not_each_time(parts: Parts, clock: FixedClock) -> None:
    add_done(parts)
    began = clock.now()

    def asked() -> set[timedelta]:
        find_rendition(parts, 1, "thumb", DEFAULT, TENANT)
        return {
            row["asked_at"] - began for row in rows(parts, RENDITIONS) if row["preset"] == "thumb"
        }

    clock.advance(60)
    assert asked() == {timedelta(0)}
    clock.advance(3600)
    assert asked() == {timedelta(seconds=3660)}


def test_an_unknown_preset_is_answered_with_those_that_there_are(parts: Parts) -> None:
    add_asset(parts)
    with pytest.raises(NotHere, match="only thumb, card, zoom; did you mean thumb"):
        find_rendition(parts, 1, "tumb", DEFAULT, TENANT)


def test_what_others_have_is_not_here(parts: Parts) -> None:
    add_done(parts)
    with pytest.raises(NotHere, match="there is no asset 1"):
        find_rendition(parts, 1, "thumb", DEFAULT, "other")


def test_a_damaged_image_has_no_renditions(parts: Parts) -> None:
    add_asset(parts, photo()[:-40])
    with pytest.raises(CorruptImage, match="truncated"):
        find_rendition(parts, 1, "thumb", DEFAULT, TENANT)
    with parts.database.read() as session:
        assert not session.scalar(sa.select(sa.func.count()).select_from(RENDITIONS))


def _ending(name: str) -> str:
    return name.rpartition(".")[2]
