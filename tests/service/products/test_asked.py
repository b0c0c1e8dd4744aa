"""What a client asks for as JSON: all faults are told at once, and nothing else is accepted."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fft_tool.cropping import AtMost
from fft_tool.image.region import Box
from service.errors import BadRequest
from service.products.asked import parse_manual, parse_smart

INFO = '{"product_id": "ABC-123"}'
BOX = '{"x": 10, "y": 20, "width": 30, "height": 40}'


def faults_of(info: str = INFO, box: str = BOX) -> tuple[str, ...]:
    with pytest.raises(BadRequest) as refused:
        parse_manual(info, box)
    return refused.value.faults


def box(**values: Any) -> str:
    return json.dumps({"x": 10, "y": 20, "width": 30, "height": 40, **values})


def test_what_is_asked_for_is_understood() -> None:
    asked = parse_manual(INFO, BOX)
    assert (asked.product_id, asked.box) == ("ABC-123", Box(10, 20, 30, 40))


def test_every_fault_is_told_at_once() -> None:
    info, wrong = '{"product_id": 7, "size": 1}', '{"x": -1, "y": 2.5, "width": 0, "depth": true}'
    assert faults_of(info, wrong) == (
        "product_info.size: is not known here, only product_id",
        "crop_box.depth: is not known here, only x, y, width, height",
        "crop_box.height: is missing",
        "product_info.product_id: should be text, not 7",
        "crop_box.x: should be a whole number from 0 to 1,000,000,000, not -1",
        "crop_box.y: should be a whole number from 0 to 1,000,000,000, not 2.5",
        "crop_box.width: should be a whole number from 1 to 1,000,000,000, not 0",
    )


@pytest.mark.parametrize(
    "value", ["10", None, True, 1.0, -1, [1], {"a": 1}, 10**9 + 1, 1e300, -0.0]
)
def test_sides_are_whole_numbers(value: Any) -> None:
    (fault,) = faults_of(box=box(width=value))
    assert fault.startswith("crop_box.width: should be a whole number from 1 to 1,000,000,000, not")


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 5000])
def test_numbers_that_are_not_finite_or_endless_are_faults_of_their_side(text: str) -> None:
    (fault,) = faults_of(box=BOX.replace("30", text))
    assert fault.startswith("crop_box.width: should be a whole number")
    assert len(fault) < 150


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Expecting value"),
        ("{", "Expecting property name"),
        ("x=1", "Expecting value"),
        ("[" * 10_000, "nested too deeply"),
        ('{"x":' * 3_000, "nested too deeply"),
        ('{"x": 1, "x": 2}', "x is given twice"),
        ('{"x": {"a": 1, "a": 2}}', "a is given twice"),
        ("[1, 2, 3, 4]", "should be an object"),
        ("null", "should be an object"),
        ("7", "should be an object"),
        ('"{}"', "should be an object"),
    ],
)
def test_what_is_not_an_object_is_told(text: str, said: str) -> None:
    (fault,) = faults_of(box=text)
    assert fault.startswith("crop_box: should be")
    assert said in fault
    assert '{"x": 0, "y": 0, "width": 640, "height": 480}' in fault


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("", "printable"),
        ("  ", "printable"),
        ("a\0b", "printable"),
        ("a\nb", "printable"),
        ("\ud800", "printable"),
        ("\u202egpj", "printable"),
        ("x" * 201, "at most 200 characters, not 201"),
        (7, "should be text, not 7"),
        (None, "should be text, not null"),
        (["a"], "should be text"),
    ],
)
def test_ids_are_printable_text(value: Any, said: str) -> None:
    (fault,) = faults_of(json.dumps({"product_id": value}))
    assert fault.startswith("product_info.product_id: should")
    assert said in fault


def test_what_a_fault_shows_is_short_and_printable() -> None:
    (unknown, *_) = faults_of(json.dumps({"product_id": "a", "\x1b[31m" + "y" * 5000: 1}))
    assert unknown.isprintable()
    assert len(unknown) < 150


@given(st.text(max_size=200), st.text(max_size=200))
def test_no_text_is_a_bug(info: str, wrong: str) -> None:
    with pytest.raises(BadRequest):
        parse_manual(info, wrong)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(["x", "y", "width", "a"]), inner)
    ),
)


@given(JSON)
def test_no_json_is_a_bug(value: Any) -> None:
    with pytest.raises(BadRequest):
        parse_manual(json.dumps(value), json.dumps(value))


# Smart crops.


def test_a_smart_crop_has_the_size_of_the_setting_unless_it_says_its_own() -> None:
    assert parse_smart(INFO, (800, 600)).size == AtMost(800, 600)
    own = '{"product_id": "a", "width": 300, "height": 200}'
    assert parse_smart(own, (800, 600)).size == AtMost(300, 200)


def test_sizes_of_smart_crops_are_bounded() -> None:
    with pytest.raises(BadRequest) as refused:
        parse_smart('{"product_id": "a", "width": 10001, "height": 0}', (800, 600))
    assert [fault.partition(":")[0] for fault in refused.value.faults] == [
        "product_info.width",
        "product_info.height",
    ]
