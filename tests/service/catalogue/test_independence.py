"""The catalogue knows nothing of HTTP: routes, pages and commands are clients of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import service.catalogue

HTTP = {"fastapi", "starlette", "pydantic", "uvicorn", "python_multipart"}
MODULES = sorted(path.stem for path in Path(service.catalogue.__file__).parent.glob("[a-z]*.py"))


@pytest.mark.parametrize("module", MODULES)
def test_a_module_of_the_catalogue_loads_nothing_of_http(module: str) -> None:
    program = f"import sys, service.catalogue.{module}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )
    assert not {name.partition(".")[0] for name in done.stdout.split()} & HTTP
