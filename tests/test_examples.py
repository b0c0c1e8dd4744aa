"""Every public name and the package have docstring examples, and their output is correct."""

from __future__ import annotations

import doctest
from importlib import import_module

import pytest

import fft_tool

NAMES: list[str] = vars(fft_tool)["__all__"]
PUBLIC = [(name, getattr(fft_tool, name)) for name in NAMES]


@pytest.mark.parametrize(("name", "value"), PUBLIC, ids=NAMES)
def test_every_public_name_has_correct_examples(name: str, value: object) -> None:
    finder = doctest.DocTestFinder(recurse=False)
    module = import_module(str(value.__module__))
    examples = [test for test in finder.find(value, name, module) if test.examples]
    assert examples, f"{name} has no example"
    for test in examples:
        assert doctest.DocTestRunner().run(test).failed == 0


def test_the_example_of_the_package_is_correct() -> None:
    assert doctest.testmod(fft_tool).failed == 0
