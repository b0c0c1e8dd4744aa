"""Finding assets by their names, by what their records say, and by their state."""

from __future__ import annotations

import numpy as np
import pytest

from service.catalogue.searching import PAGE, Search, changed_since, find_assets
from service.errors import BadRequest
from service.parts import Parts
from tests.support.images import png_bytes
from tests.support.service import FixedClock, work_off
from tests.support.service_assets import add_asset


def waves(period: float, height: int = 64) -> bytes:
    """Vertical stripes of a period in pixels, 128 wide."""
    x = np.arange(128)
    row = np.rint(127 + 100 * np.sin(2 * np.pi * x / period)).astype(np.uint8)
    return png_bytes(np.tile(row, (height, 1)))


@pytest.fixture
def three(parts: Parts) -> Parts:
    """Stripes of 4, 8 and 16 pixels; the last one of another tenant."""
    add_asset(parts, waves(4), name="Fine_100%.png")
    add_asset(parts, waves(8, 32), name="middle.png")
    add_asset(parts, waves(16), name="coarse.png", tenant="rival")
    assert work_off(parts) == 3
    return parts


def names(parts: Parts, text: str = "", tenant: str | None = None, order: str = "newest") -> str:
    found = find_assets(parts, tenant, Search.parse(text), order=order)
    assert found.total == len(found.cards)
    return " ".join(card.name.partition(".")[0] for card in found.cards)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "coarse middle Fine_100%"),
        ("FINE", "Fine_100%"),
        ("100%", "Fine_100%"),
        ("_", "Fine_100%"),
        ("%", "Fine_100%"),
        ("e fin", "Fine_100%"),
        ("period<10", "middle Fine_100%"),
        ("period<10 height>40", "Fine_100%"),
        ("angle=0 period>=15.9 period<=16.1", "coarse"),
        ("PERIOD>1e1", "coarse"),
        ("is:done", "coarse middle Fine_100%"),
        ("is:failed", ""),
        ("nothing like this", ""),
    ],
)
def test_all_words_and_conditions_have_to_hold(three: Parts, text: str, expected: str) -> None:
    assert names(three, text) == expected


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("newest", "coarse middle Fine_100%"),
        ("name", "coarse Fine_100% middle"),
        ("period", "Fine_100% middle coarse"),
        ("pixels", "coarse Fine_100% middle"),
        ("sharpness", "Fine_100% middle coarse"),
    ],
)
def test_assets_are_sorted(three: Parts, order: str, expected: str) -> None:
    assert names(three, order=order) == expected


def test_what_was_not_measured_comes_last(three: Parts) -> None:
    add_asset(three, waves(32), name="new.png")
    assert names(three, order="period") == "Fine_100% middle coarse new"


def test_a_tenant_finds_only_its_own(three: Parts) -> None:
    assert names(three, tenant="rival") == "coarse"
    assert names(three, "middle", tenant="rival") == ""


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("perod<3", "perod<3: perod cannot be compared, only slope.*did you mean period"),
        ("period<x", "period<x: 'x' is not a number"),
        ("period<nan", "period<nan: 'nan' is not a finite number"),
        ("is:broken", "is:broken: should be is:queued, is:running, is:done, is:failed"),
        ("a" * 201, "more than 200 characters"),
    ],
)
def test_a_search_that_cannot_be_read_is_told(text: str, fault: str) -> None:
    with pytest.raises(BadRequest, match=fault):
        Search.parse(text)


def test_all_faults_of_a_search_are_told_together() -> None:
    with pytest.raises(BadRequest) as caught:
        Search.parse("period<x is:y fine")
    assert len(caught.value.faults) == 2


def test_pages_follow_each_other_without_gaps(parts: Parts) -> None:
    for number in range(PAGE + 2):
        add_asset(parts, waves(4, 16 + number), name=f"{number}.png")
    first, second = (find_assets(parts, None, page=page) for page in (1, 2))
    assert (first.total, first.pages) == (PAGE + 2, 2)
    ids = [card.asset_id for card in (*first.cards, *second.cards)]
    assert ids == list(range(PAGE + 2, 0, -1))


def test_changes_are_told_since_a_moment(parts: Parts, clock: FixedClock) -> None:
    add_asset(parts, waves(4))
    began = clock.now()
    assert changed_since(parts, began, None) == [(1, "queued")]
    clock.advance(60)
    work_off(parts)
    assert changed_since(parts, began, None) == [(1, "done")]
    assert changed_since(parts, clock.now(), "somebody else") == []
    clock.advance(60)
    assert changed_since(parts, clock.now(), None) == []
