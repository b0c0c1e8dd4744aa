"""Errors under the names that a state machine matches, and what it passes on of them."""

from __future__ import annotations

import json

import pytest

from fft_tool import errors
from fft_tool.errors import CorruptImage, FftToolError, NotAllowed, StoreUnavailable
from handler.errors import OutOfTime, Overwritten
from handler.states import LONGEST_MESSAGE, as_states, caught


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (CorruptImage("broken"), "Rejected"),
        (StoreUnavailable("slow down"), "Transient"),
        (OutOfTime("late"), "Transient"),
        (Overwritten("later"), "Superseded"),
        (errors.Superseded("later"), "Superseded"),
        (NotAllowed("may not"), "NotAllowed"),
    ],
)
def test_an_error_is_raised_under_the_name_of_what_to_do(error: FftToolError, name: str) -> None:
    with pytest.raises(Exception, match=str(error)) as raised, as_states():
        raise error
    assert type(raised.value).__name__ == name


def test_a_bug_passes_unchanged() -> None:
    with pytest.raises(ZeroDivisionError), as_states():
        _ = 1 / 0


def test_code_and_message_come_back_from_what_a_state_has_caught() -> None:
    with pytest.raises(Exception, match="broken") as raised, as_states():
        raise CorruptImage("broken: at byte 3\nand later")
    cause = {"errorMessage": str(raised.value), "errorType": "Rejected", "stackTrace": ["…"]}
    error = caught({"Error": "Rejected", "Cause": json.dumps(cause)}).error()
    assert (error.code, str(error)) == ("corrupt-image", "broken: at byte 3\nand later")
    assert error.permanent


def test_a_cause_that_is_not_of_a_function_is_kept_as_it_is() -> None:
    fault = caught({"Error": "States.Timeout", "Cause": "Took too long"})
    assert (fault.code, fault.message) == ("States.Timeout", "Took too long")


def test_long_messages_are_cut() -> None:
    with pytest.raises(Exception, match="corrupt-image") as raised, as_states():
        raise CorruptImage("x" * 100_000)
    assert len(str(raised.value)) == LONGEST_MESSAGE
