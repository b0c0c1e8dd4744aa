"""The catalogue knows nothing of HTTP: routes, pages and commands are clients of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import service.catalogue

HTTP = {"fastapi", "starlette", "pydantic", "uvicorn", "python_multipart"}
MODULES = sorted(path.stem for path in Path(service.catalogue.__file__).parent.glob("[a-z]*.py"))

# Each line names a module, and what has been loaded when it is.
PROGRAM = """
import importlib, sys
for module in sys.argv[1:]:
    importlib.import_module(f"service.catalogue.{module}")
    print(module, *sys.modules)
"""


def test_the_modules_of_the_catalogue_load_nothing_of_http() -> None:
    words = [sys.executable, "-c", PROGRAM, *MODULES]
    done = subprocess.run(words, capture_output=True, check=True, text=True)
    loaded = {module: names for module, *names in map(str.split, done.stdout.splitlines())}
    assert set(loaded) == set(MODULES)
    for module, names in loaded.items():
        assert not {name.partition(".")[0] for name in names} & HTTP, module
