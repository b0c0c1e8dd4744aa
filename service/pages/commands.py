"""What a page has done, as a command line and as Python."""

from __future__ import annotations

import json
import shlex

from fft_tool.recipe import Recipe, entries

_FLAG = "yes"


def command_of(name: str, recipe: Recipe) -> str:
    """The command that makes the same artifacts.

    >>> command_of("my scan.png", Recipe.parse({"bits": "16", "metadata": "yes"}))
    "fft-tool analyze 'my scan.png' --bits 16 --metadata -o results"
    """
    words = ["fft-tool", "analyze", name]
    for key, value in _pairs(recipe):
        words += [f"--{key}"] if value == _FLAG else [f"--{key}", value]
    return shlex.join([*words, "-o", "results"])


def python_of(name: str, recipe: Recipe) -> str:
    """The same in Python.

    >>> print(python_of("scan.png", Recipe.parse({"bits": "16"})))
    import fft_tool as ft
    <BLANKLINE>
    outputs = ft.analyze("scan.png", bits=16)
    """
    shown = [json.dumps(name, ensure_ascii=False)]
    for key, value in _pairs(recipe):
        shown.append(f"{key.replace('-', '_')}={_value(value)}")
    return f"import fft_tool as ft\n\noutputs = ft.analyze({', '.join(shown)})"


def command_of_operations(name: str, operations: str) -> str:
    """The command that runs operations on an image as the workflow does.

    >>> command_of_operations("my scan.png", "blur:3,sepia")
    "fft-tool process 'my scan.png' --operations blur:3,sepia -o results"
    """
    path = f"./{name}" if name.startswith("-") else name
    return shlex.join(["fft-tool", "process", path, "--operations", operations, "-o", "results"])


def python_of_operations(name: str, operations: str) -> str:
    """The same in Python."""
    shown = json.dumps(name, ensure_ascii=False)
    return f"""from fft_tool.stores.opening import open_store
from fft_tool.workflows.plan import make_plan
from fft_tool.workflows.run import run_workflow

images, name = open_store("."), {shown}
plan = lambda: make_plan(name, {json.dumps(operations)}, {{}}, images.stat(name))
run_workflow(images, open_store("results"), name, plan=plan)"""


def _pairs(recipe: Recipe) -> list[tuple[str, str]]:
    """Keys that differ from their defaults, with their texts."""
    return list(entries(str(recipe)).items())


def _value(text: str) -> str:
    if text in (_FLAG, "no"):
        return str(text == _FLAG)
    return text if text.isdecimal() else json.dumps(text, ensure_ascii=False)
