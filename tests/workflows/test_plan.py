"""Plans: what is to be done, checked before anything is read."""

from __future__ import annotations

import json

import pytest

from fft_tool.errors import NotFound, OperationsError, RecipeError, StoreUnavailable, Superseded
from fft_tool.operations.registry import OPERATIONS, parse_operations
from fft_tool.stores.base import Stat
from fft_tool.workflows.plan import (
    Plan,
    file_names,
    folder_of,
    is_latest,
    make_plan,
    manifest_name,
    parse_recipe,
)

STAT = Stat(100, etag='"abc"')
PLAN = make_plan("plants/forest.png", "blur:3,sepia", {}, STAT)


def test_a_plan_survives_its_json() -> None:
    operations = ",".join(each.examples[0] for each in OPERATIONS.values())
    recipe = {"crop": "pct:0,0,50,50", "window": "hann", "filter": "notch:8,90+lowpass:3"}
    plan = make_plan("ä/\udcff b.png", operations, recipe, STAT, key="other.png")
    text = json.dumps(plan.to_json())
    assert Plan.from_json(json.loads(text)) == plan
    assert len(text) < 4_000, "it goes from state to state"


def test_the_analysis_has_a_record_and_a_histogram_but_no_phase_unless_asked_otherwise() -> None:
    assert str(PLAN.recipe) == "phase=no histogram=yes metadata=yes"
    asked = make_plan("a.png", "blur", {"phase": "yes", "histogram": "no", "bits": "16"}, STAT)
    assert str(asked.recipe) == "bits=16 metadata=yes"


def test_faults_are_found_before_anything_is_read() -> None:
    with pytest.raises(OperationsError, match="did you mean blur"):
        make_plan("a.png", "blurr:3", {}, STAT)
    with pytest.raises(OperationsError, match="no operations"):
        make_plan("a.png", "", {}, STAT)
    with pytest.raises(RecipeError, match="did you mean window"):
        make_plan("a.png", "blur", {"windw": "hann"}, STAT)
    with pytest.raises(RecipeError, match="the manifest compares the records"):
        make_plan("a.png", "blur", {"metadata": "no"}, STAT)


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("forest.png", "forest"),
        ("plants/forest.png", "plants/forest"),
        ("photo.jpg", "photo.jpg"),
        ("photo.jpg.png", "photo.jpg.png"),
        ("photo", "photo."),
    ],
)
def test_results_have_a_folder_of_their_own(name: str, folder: str) -> None:
    assert folder_of(name) == folder
    assert manifest_name(name) == f"{folder}/manifest.json"


def test_no_two_sources_share_a_file() -> None:
    names = [
        *("a.png", "a", "a.jpg", "a.png.png", "a.jpg.png", "a/combined.png", "a/independent.png"),
        *("a/original.png", "a/independent/1-blur.png", "b/a.png", "A.png"),
    ]
    made = [
        file
        for name in names
        for file in file_names(name, parse_operations("blur"), parse_recipe({}))
    ]
    assert len(set(made)) == len(made)


def test_another_version_is_recognised_by_etag_and_size() -> None:
    PLAN.check_version(Stat(100, {"operations": "sepia"}, '"abc"'))
    for other in (Stat(100, etag='"abd"'), Stat(101, etag='"abc"'), Stat(100)):
        with pytest.raises(Superseded, match=r"plants/forest\.png: overwritten"):
            PLAN.check_version(other)


def test_the_latest_version_is_the_one_that_leads_to_the_same_plan() -> None:
    def refuse() -> Plan:
        return make_plan("plants/forest.png", "blurr", {}, STAT)

    def vanish() -> Plan:
        raise NotFound("gone")

    def fail() -> Plan:
        raise StoreUnavailable("slow")

    with pytest.raises(OperationsError) as refusal:
        refuse()
    other = make_plan("plants/forest.png", "sepia", {}, STAT)
    assert is_latest(PLAN, lambda: PLAN)
    assert not is_latest(PLAN, lambda: other), "the same image, and other operations"
    assert not is_latest(PLAN, refuse)
    assert is_latest(PLAN, vanish), "a deleted source has no later version"
    assert is_latest(refusal.value, refuse)
    assert not is_latest(refusal.value, lambda: PLAN)
    with pytest.raises(StoreUnavailable):
        is_latest(PLAN, fail)
