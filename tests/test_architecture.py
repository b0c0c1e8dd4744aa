"""Rules of the architecture: which packages may import which, and the cost of imports."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import fft_tool

ROOT = Path(fft_tool.__file__).parents[1]

# Packages and modules of the core, lowest first, each with those that it may import.
# A top-level module of the core counts as a package.
ARROWS = {
    "__init__": "",
    "arrays": "",
    "errors": "",
    "parallel": "",
    "printable": "",
    "spelling": "",
    "validate": "",
    "limits": "errors",
    "variables": "",
    "codec": "arrays, errors, limits, parallel, validate",
    "stores": "errors",
    "image": "arrays, codec",
    "spectrum": "arrays, codec, spelling",
    "measures": "spectrum",
    "recipe": "image, spectrum, spelling",
    "mask_files": "recipe",
    "results": "recipe, measures",
    "admission": "results, mask_files",
    "pipeline": "admission",
    "comparing": "admission",
    "operations": "admission",
    "library": "pipeline, operations",
    "databases": "errors",
    "rendering": "admission",
    "cropping": "admission",
    "runs": "pipeline, comparing, operations, rendering, cropping, stores",
    "report": "results, printable",
    "workflows": "runs",
    "batches": "databases, runs, report",
    "backfill": "runs",
    "cli": "backfill, batches, workflows",
    "__main__": "cli",
    # Entry points, which must not import each other, and programs for developers.
    "handler": "backfill, batches, workflows, variables",
    "service": "backfill, batches, workflows, variables",
    "tools": "handler, cli",
}

# Libraries, clock and environment, each with the only modules that may use it.
USERS = {
    "boto3": "batches.aws stores.s3_boto3",
    "botocore": "backfill.aws batches.aws stores.s3_boto3",
    "cv2": "",
    "dask": "",
    "distributed": "backfill.cluster",
    "isal": "codec.png_file codec.png_encode codec.deflate",
    "matplotlib": "",
    "obstore": "stores.s3_boto3 stores.s3_obstore",
    "alembic": "databases.migrating databases.environment.env "
    "batches.migrations.versions.rev_0001_batch_stats",
    "psycopg": "",
    "sqlalchemy": "databases.addresses databases.engines databases.faults databases.migrating "
    "batches.engine batches.tables batches.migrations.versions.rev_0001_batch_stats",
    "PIL": "codec.exif codec.picture_encode codec.pillow_decode codec.png_decode codec.profile "
    "image.matching image.renditions measures.perceptual_hash results.histogram report.thumbnails "
    "pipeline library",
    "pyarrow": "results.table",
    "rich": "cli.terminal",
    "scipy": "spectrum.kernel",
    "skimage": "",
    # Results depend only on source and recipe: not on time, randomness, machine or settings.
    # A length of time, for retries; a time as a column of a database; and the clock of a door.
    "datetime": "stores.s3_obstore batches.tables cli.batches",
    "os": "cli.commands cli.deployment cli.main cli.output databases.engines runs.child_process "
    "runs.child_program runs.interrupts runs.machine stores.endpoint stores.folder stores.memory "
    "stores.s3 stores.special",
    "platform": "",
    "random": "",
    "secrets": "",
    "socket": "stores.endpoint",  # whether anybody answers there
    # How long it has been tried, and pauses.
    "time": "cli.backfill databases.patience runs.child_process stores.s3_boto3",
    "uuid": "",
}
DOORS = ("handler", "service")


def name_of(path: Path) -> str:
    """Name of a module, as it is imported."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 2 else parts)


FILES = [
    path for top in ("fft_tool", *DOORS, "tools") for path in sorted((ROOT / top).rglob("*.py"))
]
MODULES = {name_of(path): path for path in FILES}
CORE = {name.partition(".")[2]: path for name, path in MODULES.items() if name[:3] == "fft"}


def package_of(module: str) -> str:
    """Package of a module that is given as it is imported: ``fft_tool.stores.s3``."""
    top, _, rest = module.partition(".")
    if top == "fft_tool":
        return rest.partition(".")[0] or "__init__"
    return top


def imports(path: Path) -> Iterator[str]:
    """Full names of everything imported anywhere in a module, including inside functions."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"), str(path))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are written out in full"
            for alias in node.names:
                below = f"{node.module}.{alias.name}"
                yield below if below in MODULES else str(node.module)


def own_imports(path: Path) -> set[str]:
    """Imports of a module from this project; the version alone does not count."""
    return {name for name in imports(path) if name in MODULES or name == "fft_tool"}


def reachable(package: str) -> set[str]:
    """Packages that a package may import, directly or indirectly."""
    direct = {name for name in ARROWS[package].split(", ") if name}
    return direct.union(*map(reachable, direct))


def test_every_package_has_a_place() -> None:
    assert {package_of(module) for module in MODULES} | {"service"} == set(ARROWS)
    used = {name for names in USERS.values() for name in names.split()}
    assert used <= set(CORE)


@pytest.mark.parametrize("module", [name for name in MODULES if name != "fft_tool.__init__"])
def test_packages_import_only_lower_ones(module: str) -> None:
    package = package_of(module)
    allowed = {package, "__init__"} | reachable(package)
    wrong = sorted(n for n in own_imports(MODULES[module]) if package_of(n) not in allowed)
    assert not wrong, f"{module} ({package}) imports {', '.join(wrong)}"


def test_there_are_no_circular_imports() -> None:
    """Includes imports within a package and inside functions."""
    graph = {name: own_imports(path) - {"fft_tool"} for name, path in MODULES.items()}
    graph["fft_tool.__init__"] = set()  # its names are loaded on first use
    while leaves := [name for name, needed in graph.items() if not needed & set(graph)]:
        for leaf in leaves:
            del graph[leaf]
    assert not graph, f"in a circle, or above one: {', '.join(sorted(graph))}"


@pytest.mark.parametrize("module", CORE)
def test_libraries_clock_and_environment_are_used_only_where_allowed(module: str) -> None:
    used = {name.partition(".")[0] for name in imports(CORE[module])}
    wrong = sorted(name for name in used & set(USERS) if module not in USERS[name].split())
    assert not wrong, f"{module} imports {', '.join(wrong)}"


@pytest.mark.parametrize(
    "path", sorted((ROOT / "handler").glob("*.py")), ids=lambda path: path.stem
)
def test_the_lambda_imports_only_the_core(path: Path) -> None:
    """Any other import would slow down every cold start."""
    used = {name.partition(".")[0] for name in imports(path)}
    assert used <= {"fft_tool", "handler", *sys.stdlib_module_names}


@pytest.mark.parametrize("module", CORE)
def test_no_module_draws_random_numbers(module: str) -> None:
    tree = ast.parse(CORE[module].read_text("utf-8"))
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert "random" not in names


# BLAS starts its own threads, which contend with those that work on row blocks, and the last digits
# of its sums depend on their number. Each exception states why it is harmless.
BLAS = {"dot", "vdot", "vecdot", "inner", "matmul", "tensordot", "lstsq", "polyfit", "linalg"}
WITHOUT_HARM = {
    "image.saliency": "@ on a map of 64 pixels a side",
    "image.sharpness": "vecdot of short rows of whole numbers: no threads, and exact",
    "spectrum.colourmap": "@ and linalg on tables, once a process",
}


def blas_calls(path: Path) -> Iterator[str]:
    """Calls in a module that may use BLAS; einsum does so only with ``optimize``."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"), str(path))):
        match node:
            case ast.BinOp(op=ast.MatMult()) | ast.AugAssign(op=ast.MatMult()):
                yield "@"
            case ast.Attribute(attr=name) if name in BLAS:
                yield name
            case ast.keyword(arg="optimize"):
                yield "optimize"


@pytest.mark.parametrize(
    "module",
    [
        module
        for module in CORE
        if module.partition(".")[0]
        in ("codec", "image", "measures", "operations", "results", "spectrum")
    ],
)
def test_row_blocks_do_not_call_blas(module: str) -> None:
    found = set(blas_calls(CORE[module]))
    assert bool(found) == (module in WITHOUT_HARM), f"{module}: {', '.join(sorted(found))}"


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


def test_importing_the_package_does_not_load_numpy() -> None:
    assert "numpy" not in loaded_by("import fft_tool")


def test_parsing_operations_and_predicting_their_sizes_does_not_load_numpy() -> None:
    code = """
from fft_tool.codec.header import Header
from fft_tool.limits import Limits
from fft_tool.operations import prediction, registry
chain = registry.parse_operations("grayscale,blur:3,rotate:12.5,crop:square,resize:50%,equalise")
prediction.predict(Header("png", 100, 100, 3, 8), chain, Limits())
"""
    assert "numpy" not in loaded_by(code)


@pytest.mark.parametrize("entry", ["entry", "workflow_entry"])
def test_starting_the_lambda_loads_nothing_heavy(entry: str) -> None:
    """Decoding and transforming happen in a child process; the main process needs no numpy."""
    assert not loaded_by(f"import handler.{entry}") & ((HEAVY | {"numpy", "PIL"}) - {"obstore"})


def test_starting_the_function_for_uploads_loads_no_models() -> None:
    loaded = loaded_by("import handler.entry")
    assert not loaded & {"fft_tool.results.analysis", "fft_tool.results.record_model"}


def test_planning_a_workflow_loads_nothing_heavy() -> None:
    """Nor does passing operations on to a child process; only spectral ones take filters."""
    code = """
import fft_tool.runs.child, fft_tool.workflows.run
from fft_tool.operations.naming import plan_operations
from fft_tool.operations.registry import parse_operations
plan_operations(parse_operations("blur:3,crop:square,sepia"))
"""
    assert not loaded_by(code) & (HEAVY | {"numpy", "PIL"})


def test_analysing_an_image_loads_nothing_heavy() -> None:
    """``scipy.special`` alone takes 200 ms, and the compiled kernel does not need it."""
    code = """
import numpy, fft_tool
from fft_tool.codec import png_encode
image = fft_tool.Source("a.png", png_encode.encode(numpy.zeros((8, 8), numpy.uint8)))
for wish in ({"window": "hann"}, {"periodic": True}):
    fft_tool.run(image, fft_tool.Recipe(metadata=True, bits=16, spectrum=True, **wish))
"""
    assert not loaded_by(code) & HEAVY


# The public names.

PUBLIC = [
    *("Artifact", "FftToolError", "Limits", "Outputs", "Raster", "Recipe", "Source", "Spectrum"),
    *("analyze", "apply_filter", "apply_operations", "compare", "decode", "describe"),
    *(
        "find_peaks",
        "find_shift",
        "inverse",
        "magnitude",
        "measure",
        "perceptual_hash",
        "phase",
        "radial_profile",
        "reconstruct",
        "ring_correlation",
        "run",
        "saliency_map",
    ),
    *("sharpness", "transform"),
]


def test_public_names_are_pinned() -> None:
    assert vars(fft_tool)["__all__"] == PUBLIC


def test_the_stub_declares_the_same_names() -> None:
    stub = ast.parse((ROOT / "fft_tool/__init__.pyi").read_text("utf-8"))
    told = {
        alias.name: f"{node.module}"
        for node in stub.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert told == {name: f"fft_tool.{home}" for name, home in vars(fft_tool)["_MODULES"].items()}


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_resolves_and_is_documented(name: str) -> None:
    value = getattr(fft_tool, name)
    assert not isinstance(value, ModuleType)
    assert value.__name__ == name
    assert value.__doc__
    assert name in dir(fft_tool)


def test_unknown_name_is_an_attribute_error() -> None:
    module: Any = fft_tool
    with pytest.raises(AttributeError, match=r"fft_tool.*'spectrogram'"):
        _ = module.spectrogram
