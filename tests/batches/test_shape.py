"""Settings of a job."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fft_tool.batches.shape import MOST_IMAGES, JobShape
from fft_tool.errors import BadJob
from fft_tool.recipe import Recipe


def from_file(value: Any) -> JobShape:
    return JobShape().overridden_by_file(json.dumps(value).encode())


def test_a_job_has_five_batches_of_twenty_images_unless_its_settings_say_otherwise() -> None:
    assert (JobShape().batches, JobShape().images) == (5, 20)
    shape = from_file({"batches": 2, "threshold": "otsu"})
    assert (shape.batches, shape.images, shape.recipe.threshold) == (2, 20, "otsu")
    assert from_file({}) == JobShape()


def test_settings_override_those_that_hold_for_all_jobs() -> None:
    general = JobShape(7, 9, Recipe(threshold=100, channel="red"))
    shape = general.overridden({"images": 8, "threshold": 50})
    assert shape == JobShape(7, 8, Recipe(threshold=50, channel="red"))


@given(st.integers(1, 900), st.integers(1, 900), st.sampled_from(["mid", "otsu", 7]))
def test_a_shape_is_read_back_from_what_it_says(batches: int, images: int, cut: Any) -> None:
    shape = JobShape(batches, images, Recipe(threshold=cut, crop="square"))
    assert JobShape().overridden(json.loads(json.dumps(shape.to_json()))) == shape


def test_all_faults_are_reported_at_once_each_with_what_is_allowed() -> None:
    with pytest.raises(BadJob) as caught:
        from_file({"batches": 0, "images": "20", "treshold": 1, "threshold": "high", "bits": 8})
    told = caught.value.faults
    assert len(told) == 5
    assert all(fault.startswith("job.json: ") for fault in told)
    text = str(caught.value)
    assert "batches=0: should be a whole number from 1" in text
    assert "images='20': should be a whole number" in text
    assert "did you mean threshold?" in text
    assert "threshold='high': should be mid, otsu or a grey level" in text
    assert "bits: unknown setting" in text
    assert caught.value.permanent
    assert pickle.loads(pickle.dumps(caught.value)).faults == told  # noqa: S301


@pytest.mark.parametrize("value", [True, 1.0, -1, None, [1], MOST_IMAGES + 1])
def test_numbers_are_whole_and_positive(value: Any) -> None:
    with pytest.raises(BadJob, match="batches="):
        JobShape().overridden({"batches": value})


def test_a_job_cannot_be_larger_than_anybody_could_mean() -> None:
    with pytest.raises(BadJob, match="at most 1,000,000 images"):
        JobShape(batches=2000, images=2000)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"{", "is not JSON"),
        (b"\xff", "is not JSON"),
        (b"[" * 100_000, "at most 65,536 are read"),
        (b"[" * 60_000, "is not JSON"),
        (b"[5, 20]", "should be an object such as"),
        (b'{"batches": 1, "batches": 2}', "batches: given twice"),
        (b'{"threshold": "mid", "images": 1e400}', "whole number"),
    ],
)
def test_a_file_that_holds_no_settings_is_refused(data: bytes, told: str) -> None:
    with pytest.raises(BadJob, match=told):
        JobShape().overridden_by_file(data)


def test_keys_that_have_no_part_in_counting_are_refused() -> None:
    with pytest.raises(BadJob, match="window: has no part in counting"):
        JobShape(recipe=Recipe(window="hann"))
