from __future__ import annotations

import copy
import inspect
import pickle
import re

import pytest

from fft_tool import errors
from fft_tool.errors import (
    DatabaseUnavailable,
    EngineUnavailable,
    FftToolError,
    OperationFault,
    OperationsError,
    RecipeError,
    RecipeFault,
    StoreUnavailable,
    Superseded,
)

EVERY = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, FftToolError)
]
LEAVES = [kind for kind in EVERY if not set(kind.__subclasses__()) & set(EVERY)]
FAULTS = (RecipeFault("bits", "12", "should be 8 or 16"), RecipeFault("crop", "", "should be w,h"))
WRONG = (
    OperationFault(0, "", "100 operations, at most 20 are accepted"),
    OperationFault(2, "rotate:abc", "ANGLE should be a number, not 'abc'"),
)


def made(kind: type[FftToolError]) -> FftToolError:
    if kind is RecipeError:
        return RecipeError(FAULTS)
    if kind is OperationsError:
        return OperationsError(WRONG)
    return kind("what, where, what to do")


def test_every_leaf_has_a_code_of_its_own() -> None:
    codes = [kind.code for kind in LEAVES]
    assert len(set(codes)) == len(codes)
    for kind in LEAVES:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", kind.code)
        assert "code" in vars(kind), "inherited from nobody"


def test_the_documented_tree_of_errors_is_complete() -> None:
    drawn = re.findall(r"[├└]── (\w+)(?: +([a-z-]+))?", errors.__doc__ or "")
    assert {name for name, _ in drawn} == {kind.__name__ for kind in EVERY} - {"FftToolError"}
    codes = {kind.__name__: kind.code for kind in LEAVES}
    assert {name: code for name, code in drawn if code} == codes


def test_only_what_may_be_there_again_is_transient() -> None:
    assert {kind for kind in LEAVES if kind.transient} == {
        DatabaseUnavailable,
        EngineUnavailable,
        StoreUnavailable,
        Superseded,
    }


@pytest.mark.parametrize("kind", LEAVES, ids=lambda kind: kind.__name__)
def test_errors_survive_pickling(kind: type[FftToolError]) -> None:
    error = made(kind)
    for back in (pickle.loads(pickle.dumps(error)), copy.copy(error)):  # noqa: S301  (our own)
        assert type(back) is kind
        assert str(back) == str(error)
        assert vars(back) == vars(error)


def test_a_recipe_error_lists_every_fault() -> None:
    error = RecipeError(list(FAULTS))
    assert error.faults == FAULTS
    assert str(error) == "bits='12': should be 8 or 16; crop='': should be w,h"


def test_an_operations_error_lists_every_fault() -> None:
    error = OperationsError(list(WRONG))
    assert error.faults == WRONG
    assert str(error) == (
        "100 operations, at most 20 are accepted; "
        "operation 2, 'rotate:abc': ANGLE should be a number, not 'abc'"
    )


@pytest.mark.parametrize("kind", LEAVES, ids=lambda kind: kind.__name__)
def test_errors_that_may_reveal_locations_have_a_separate_public_message(
    kind: type[FftToolError],
) -> None:
    """Errors about the source itself depend only on its bytes and its recipe."""
    if kind in (RecipeError, OperationsError):
        return
    private = kind("/srv/scans/a.png in s3://herbarium")
    if not kind.permanent or kind in (errors.BadArtifact, errors.ChangedArtifact):
        assert private.public
        assert "/srv" not in private.public
        assert "s3:" not in private.public
    else:
        assert private.public == str(private)


def test_no_error_is_both_permanent_and_transient() -> None:
    assert not [kind for kind in EVERY if kind.permanent and kind.transient]
