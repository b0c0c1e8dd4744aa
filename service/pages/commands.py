"""What a page has done, as a command line and as Python."""

from __future__ import annotations

import json
import shlex

from fft_tool.image.region import Box
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


def crop_command(name: str, box: Box) -> str:
    """The command that cuts the same pixels out, and analyses them.

    >>> crop_command("scan.png", Box(10, 20, 30, 40))
    'fft-tool analyze scan.png --crop 10,20,30,40 -o results'
    """
    return shlex.join(["fft-tool", "analyze", name, "--crop", str(box), "-o", "results"])


def crop_python(name: str, box: Box) -> str:
    """The same crop in Python, with the same bytes."""
    shown = json.dumps(name, ensure_ascii=False)
    return f"""\
from pathlib import Path

import fft_tool as ft
from fft_tool.cropping import crop
from fft_tool.image.region import Box

source = ft.Source("image", Path({shown}).read_bytes())
made = crop(source, Box({box.x}, {box.y}, {box.width}, {box.height}))
Path("crop.jpg").write_bytes(made.data)"""


def compare_command(first: str, second: str, *, fit: bool) -> str:
    """The command that finds the same numbers.

    >>> compare_command("a.png", "b.png", fit=True)
    'fft-tool compare a.png b.png --fit'
    """
    return shlex.join(["fft-tool", "compare", first, second, *(["--fit"] if fit else [])])


def compare_python(first: str, second: str, *, fit: bool) -> str:
    """The same comparison in Python."""
    one, other = (json.dumps(name, ensure_ascii=False) for name in (first, second))
    return f"""\
from pathlib import Path

import fft_tool as ft
from fft_tool.comparing import compare_sources

first = ft.Source("first", Path({one}).read_bytes())
second = ft.Source("second", Path({other}).read_bytes())
found = compare_sources(first, second{", fit=True" if fit else ""})
print(found.likeness, found.shift, found.rings.resolution)"""


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
