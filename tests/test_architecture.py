"""The architecture, held by tests: who may import whom, and what importing may cost.

Modules that are not placed below are pure, which is the strictest place: a new module needs an
entry only if it has to do with stores, terminals or the like.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import fft_tool

ROOT = Path(fft_tool.__file__).parents[1]

PLACES = {
    "pipeline": "__init__ artifacts examine pipeline subject",
    "stores": "s3 s3_boto3 s3_errors s3_obstore sources store",
    "reports": "gather report",
    "contained": "child child_program machine process",
    "command line": "__main__ batch cli commands seal terminal",
}

# Who may import whom, beside those in the same place. Arrows point inward, to what is pure.
ARROWS = {
    "pure": "",
    "pipeline": "pure",
    "stores": "pure",
    "reports": "pure, stores",
    "contained": "pure, pipeline",
    "command line": "pure, pipeline, stores, reports, contained",
    "handler": "pure, pipeline, stores, reports, contained, command line",
    "local AWS": "pure, pipeline, stores, reports, contained, command line, handler",
    "service": "pure, pipeline, stores, reports, contained, command line",
}

# Libraries, and the clock and the environment, each with the only modules that may use it.
USERS = {
    "boto3": "s3_boto3",
    "botocore": "s3_boto3",
    "cv2": "",
    "isal": "png pngwrite zlibstream",
    "matplotlib": "",
    "obstore": "s3_boto3 s3_obstore",
    "PIL": "decoders exif histogram pipeline thumbnail",
    "pyarrow": "table",
    "rich": "terminal",
    "scipy": "kernel",
    "shtab": "commands",
    "skimage": "",
    # A result depends on source and recipe alone: not on time, chance, machine or settings.
    "datetime": "s3_obstore",  # a length of time, for retries
    "os": "child_program cli commands interrupts machine process store",
    "platform": "",
    "random": "",
    "secrets": "",
    "socket": "",
    "time": "process s3_boto3",  # how long it has been tried
    "uuid": "",
}
DOORS = ("handler", "service")
MODULES = sorted(path.stem for path in (ROOT / "fft_tool").glob("*.py"))


def place_of(module: str) -> str:
    """Place of a module, given as it is imported: ``fft_tool.store``, ``handler.main``."""
    package, _, name = module.partition(".")
    if module.startswith("handler.local"):
        return "local AWS"
    if package != "fft_tool":
        return package
    name = name.partition(".")[0] or "__init__"
    return next((place for place, names in PLACES.items() if name in names.split()), "pure")


def imports(tree: ast.AST) -> Iterator[str]:
    """Full names of all that is imported anywhere in a module, at its top or later."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are written out in full"
            names = [alias for alias in node.names if alias.name != "__version__"]
            for alias in names:
                below = node.module == "fft_tool" and alias.name in MODULES
                yield f"{node.module}.{alias.name}" if below else str(node.module)


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


def files() -> list[Path]:
    return [path for package in ("fft_tool", *DOORS) for path in (ROOT / package).rglob("*.py")]


def test_every_placed_module_exists() -> None:
    placed = {name for names in PLACES.values() for name in names.split()}
    used = {name for names in USERS.values() for name in names.split()}
    assert placed | used <= set(MODULES)
    assert set(ARROWS) == {"pure", *PLACES, *DOORS, "local AWS"}


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_arrows_point_inward(path: Path) -> None:
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    place = place_of(module)
    allowed = {place, *ARROWS[place].split(", ")}
    own = ("fft_tool", *DOORS)
    reached = {name for name in imports(parsed(path)) if name.partition(".")[0] in own}
    wrong = sorted(name for name in reached if place_of(name) not in allowed)
    assert not wrong, f"{module} ({place}) imports {', '.join(wrong)}"


@pytest.mark.parametrize("module", MODULES)
def test_libraries_clock_and_environment_are_used_where_the_table_says(module: str) -> None:
    used = {name.partition(".")[0] for name in imports(parsed(ROOT / "fft_tool" / f"{module}.py"))}
    wrong = sorted(name for name in used & set(USERS) if module not in USERS[name].split())
    assert not wrong, f"{module} imports {', '.join(wrong)}"


@pytest.mark.parametrize(
    "path", sorted((ROOT / "handler").glob("*.py")), ids=lambda path: path.stem
)
def test_the_lambda_needs_nothing_but_the_core(path: Path) -> None:
    """Whatever else it imported, every cold start would pay for."""
    used = {name.partition(".")[0] for name in imports(parsed(path))}
    assert used <= {"fft_tool", "handler", *sys.stdlib_module_names}


@pytest.mark.parametrize("module", MODULES)
def test_no_module_draws_random_numbers(module: str) -> None:
    tree = parsed(ROOT / "fft_tool" / f"{module}.py")
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert "random" not in names


# What importing costs: modules loaded by a fresh interpreter that runs a line of code.

HEAVY = {"boto3", "cv2", "matplotlib", "obstore", "rich", "scipy.special", "skimage"}


def loaded_by(code: str) -> set[str]:
    program = f"import sys\n{code}\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True, cwd=ROOT
    )
    return set(done.stdout.split())


@pytest.mark.parametrize("code", ["import fft_tool", "import fft_tool.pipeline"])
def test_importing_the_core_loads_nothing_heavy(code: str) -> None:
    loaded = loaded_by(code)
    assert "fft_tool" in loaded
    assert not loaded & HEAVY


def test_importing_the_package_loads_not_even_numpy() -> None:
    assert "numpy" not in loaded_by("import fft_tool")


def test_starting_the_lambda_loads_nothing_heavy() -> None:
    """Its child decodes and transforms: the process that it is part of needs not even numpy."""
    assert not loaded_by("import handler.entry") & ((HEAVY | {"numpy", "PIL"}) - {"obstore"})


def test_analysing_an_image_loads_nothing_heavy() -> None:
    """``scipy.special`` alone costs 200 ms: the compiled kernel does without it."""
    code = """
import numpy, fft_tool
from fft_tool import pngwrite
image = fft_tool.Source("a.png", pngwrite.encode(numpy.zeros((8, 8), numpy.uint8)))
for wish in ({"window": "hann"}, {"periodic": True}):
    fft_tool.run(image, fft_tool.Recipe(metadata=True, bits=16, spectrum=True, **wish))
"""
    assert not loaded_by(code) & HEAVY


# The public names.

PUBLIC = [
    *("Artifact", "FftToolError", "Limits", "Outputs", "Raster", "Recipe", "Source", "Spectrum"),
    *("decode", "forward", "inverse", "paint", "run"),
]


def test_public_names_are_pinned() -> None:
    assert fft_tool.__all__ == PUBLIC


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_resolves_and_is_documented(name: str) -> None:
    value = getattr(fft_tool, name)
    assert not isinstance(value, ModuleType)
    assert value.__name__ == name
    assert value.__doc__
    assert name in dir(fft_tool)


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"fft_tool.*'spectrogram'"):
        _ = fft_tool.spectrogram
