"""The text of operations: the round trip, other spellings, and every fault at once."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fft_tool.errors import OperationFault, OperationsError
from fft_tool.operations.operation import Operation
from fft_tool.operations.registry import (
    MOST_CHARACTERS,
    MOST_OPERATIONS,
    OPERATIONS,
    format_operations,
    parse_operations,
    registry,
)
from fft_tool.operations.tones import Invert
from tests.support.operations import ANY_OPERATION, one


@settings(deadline=None)
@given(chain=st.lists(ANY_OPERATION, min_size=1, max_size=12))
def test_operations_survive_the_round_trip_through_text(chain: list[Operation]) -> None:
    text = format_operations(chain)
    if len(text) <= MOST_CHARACTERS:
        assert parse_operations(text) == tuple(chain)
        assert format_operations(parse_operations(text)) == text


@settings(deadline=None)
@given(text=st.text(st.sampled_from("blursepia:,.-+%#0123456789 rotat\n"), max_size=40))
def test_any_text_is_either_parsed_or_refused_with_a_reason(text: str) -> None:
    try:
        chain = parse_operations(text)
    except OperationsError as error:
        problems = [fault.problem for fault in error.faults]
    else:
        assert parse_operations(format_operations(chain)) == chain
        return
    assert problems
    assert all(problems)


def test_the_operations_are_those_of_the_documentation_in_its_order() -> None:
    assert list(OPERATIONS) == [
        *("grayscale", "sepia", "invert", "contrast", "brightness", "gamma", "posterize"),
        *("equalise", "blur", "sharpen", "edges", "rotate", "flip", "crop", "resize"),
        *("lowpass", "highpass", "bandpass", "notch", "destripe"),
    ]


def test_a_name_cannot_be_registered_twice() -> None:
    with pytest.raises(ValueError, match="same name"):
        registry(Invert, Invert)


@pytest.mark.parametrize("kind", OPERATIONS.values(), ids=list(OPERATIONS))
def test_every_operation_is_documented_and_has_an_example(kind: type[Operation]) -> None:
    assert kind.form.startswith(kind.name)
    assert kind.help
    assert kind.help[-1] != "."
    assert kind.details.endswith(".")
    assert kind.examples
    assert all(type(one(text)) is kind for text in kind.examples)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("grayscale,blur:3,crop:10,10,50,50,flip:horizontal", None),
        (" Greyscale ,  BLUR : 3.0 , equalize ", "grayscale,blur:3,equalise"),
        ("posterise:8,Crop: center: 5 , 6", "posterize:8,crop:centre:5,6"),
        ("sharpen:1,sharpen:2,sharpen:1,2", "sharpen,sharpen:2,sharpen:1,2"),
        ("blur:2,posterize:4,flip", "blur,posterize,flip:horizontal"),
        ("crop:pct:25,25,50,50,crop:square", None),
        ("resize:50 %,resize:640 , 480,resize:7", "resize:50%,resize:640,480,resize:7"),
        ("brightness:+20%,brightness:-5,contrast:1e0", "brightness:20,brightness:-5,contrast:1"),
        ("rotate:-90,rotate:370:gray", "rotate:270,rotate:10:grey"),
        ("rotate:0.5:#A0b1C2", "rotate:0.5:#a0b1c2"),
        ("destripe:90,destripe:0,destripe:90,32", "destripe,destripe:0,destripe:90,32"),
        ("notch:8,-90,notch:8,90,0.2", "notch:8,90,notch:8,90,0.2"),
        ("lowpass:8,0.5,bandpass:4,32,1\n", "lowpass:8,bandpass:4,32,1"),
    ],
)
def test_texts_are_parsed_as_documented(text: str, canonical: str | None) -> None:
    assert format_operations(parse_operations(text)) == (canonical or text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("blurr", "unknown operation; known: grayscale, .*, destripe; did you mean blur\\?"),
        ("posterice", "did you mean posteri[sz]e\\?"),
        ("blur3", "parameters follow a colon; the form is blur\\[:SIGMA\\]"),
        ("blur,3", "parameters follow a colon"),
        ("blur,", "an operation is missing"),
        (",blur", "an operation is missing"),
        ("blur,,sepia", "an operation is missing"),
        (":3", "an operation is missing"),
        ("blur=3", "parameters follow a colon"),
        ("rotate:abc", "ANGLE should be a number, not 'abc'; the form is rotate:ANGLE\\[:FILL\\]"),
        ("rotate", "1 number expected, none given"),
        ("rotate:inf", "ANGLE should be a number"),
        ("rotate:1e999", "ANGLE should be a number"),
        ("rotate:45:pink", "FILL should be white, black, grey or #rrggbb"),
        ("rotate:45:", "FILL should be white"),
        ("sepia:3", "no parameters expected, 1 given"),
        ("blur:0", "SIGMA should be above 0, at most 1000 px"),
        ("blur:1001", "SIGMA should be above 0"),
        ("blur:-1", "SIGMA should be above 0"),
        ("blur:1,2", "0 to 1 numbers? expected, 2 given"),
        ("blur:0x10", "SIGMA should be a number"),
        ("sharpen:101", "AMOUNT should be from 0 to 100"),
        ("contrast", "1 number expected, none given"),
        ("contrast:-1", "FACTOR should be from 0 to 100"),
        ("brightness:101", "PERCENT should be from -100 to 100"),
        ("gamma:0", "GAMMA should be from 0.01 to 100"),
        ("posterize:1", "LEVELS should be from 2 to 256"),
        ("posterize:2.5", "LEVELS should be a whole number, not 2.5"),
        ("flip:up", "should be horizontal or vertical, not 'up'"),
        ("flip:vertikal", "did you mean vertical\\?"),
        ("crop", "a region expected"),
        ("crop:1,2", "should be x,y,w,h"),
        ("crop:0,0,0,5", "w and h at least 1"),
        ("resize", "a size expected"),
        ("resize:0", "from 1 to 1,000,000"),
        ("resize:0%", "P should be above 0"),
        ("resize:5,", "whole numbers of pixels"),
        ("resize:1,2,3", "whole numbers of pixels"),
        ("resize:50.5", "whole numbers of pixels"),
        ("lowpass", "1 to 2 numbers expected, none given; the form is lowpass:PERIOD\\[,EDGE\\]"),
        ("lowpass:1", "PERIOD must be from 2 px"),
        ("lowpass:3+notch:8,90", "PERIOD should be a number"),
        ("bandpass:9,4", "SHORTEST must be less than LONGEST"),
        ("notch:8", "2 to 3 numbers expected, 1 given"),
        ("destripe:90,1,2", "0 to 2 numbers expected, 3 given; the form is destripe"),
    ],
)  # fmt: skip
def test_faults_say_what_is_wrong_and_what_is_allowed(text: str, problem: str) -> None:
    with pytest.raises(OperationsError, match=problem) as caught:
        parse_operations(text)
    assert caught.value.permanent
    assert len(caught.value.faults) == 1


def test_every_fault_is_listed_at_once_with_its_place() -> None:
    with pytest.raises(OperationsError) as caught:
        parse_operations("blurr,sepia,rotate:abc,gamma:-1")
    assert [(fault.place, fault.text) for fault in caught.value.faults] == [
        *((1, "blurr"), (3, "rotate:abc"), (4, "gamma:-1")),
    ]
    assert str(caught.value).count("; operation ") == 2


@pytest.mark.parametrize("text", ["", "  ", "\n"])
def test_an_empty_list_is_refused_with_the_known_names(text: str) -> None:
    with pytest.raises(OperationsError, match=r"no operations: .* grayscale, .*, destripe"):
        parse_operations(text)


def test_a_hundred_operations_are_refused_and_twenty_are_not() -> None:
    assert len(parse_operations(",".join(["invert"] * MOST_OPERATIONS))) == 20
    with pytest.raises(OperationsError, match=r"^100 operations, at most 20 are accepted$"):
        parse_operations(",".join(["no such thing"] * 100))


def test_errors_stay_short_whatever_is_given() -> None:
    for text in (f"rotate:{'9' * 1900}x", f"flip:{'f' * 1900}", f"posterize:2.{'1' * 1900}"):
        with pytest.raises(OperationsError) as caught:
            parse_operations(text)
        assert len(str(caught.value)) < 300
    for text in ("x" * 10**7, "x" * MOST_CHARACTERS, "\x1b[31m" * 99, ",".join(["y" * 90] * 20)):
        with pytest.raises(OperationsError) as caught:
            parse_operations(text)
        assert len(str(caught.value)) < 20 * 500
        assert re.fullmatch(r"[ -~]+", str(caught.value))


def test_faults_are_values() -> None:
    assert OperationFault(1, "a", "b") == OperationFault(1, "a", "b")
