"""The examples in the docstrings of all public names, and of the package, give what they say."""

from __future__ import annotations

import doctest
from importlib import import_module

import pytest

import fft_tool

NAMES: list[str] = vars(fft_tool)["__all__"]
PUBLIC = [(name, getattr(fft_tool, name)) for name in NAMES]
NO_EXAMPLE = {"Artifact", "FftToolError", "Limits", "Outputs", "Raster", "Source"}


@pytest.mark.parametrize(("name", "value"), PUBLIC, ids=NAMES)
def test_examples_of_docstrings_are_right(name: str, value: object) -> None:
    finder = doctest.DocTestFinder(recurse=False)
    module = import_module(str(value.__module__))
    examples = [test for test in finder.find(value, name, module) if test.examples]
    assert examples or name in NO_EXAMPLE, f"{name} has no example"
    for test in examples:
        assert doctest.DocTestRunner().run(test).failed == 0


def test_example_of_the_package_is_right() -> None:
    assert doctest.testmod(fft_tool).failed == 0
