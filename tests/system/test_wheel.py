"""The wheel: built from the working tree, installed elsewhere, complete."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import fft_tool

ROOT = Path(fft_tool.__file__).resolve().parents[1]
PACKAGES = ("fft_tool", "handler", "service")

pytestmark = pytest.mark.slow


def tracked(*places: str) -> list[str]:
    """Files that are tracked by git, or not ignored."""
    words = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *places]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, check=True, text=True)
    return [name for name in done.stdout.splitlines() if (ROOT / name).exists()]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder that the wheel is installed in, without its dependencies."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in tracked():  # not the tree itself: setuptools leaves its files in it
        copy = folder / "source" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes((ROOT / name).read_bytes())
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    build = ["wheel", "--no-deps", "--no-build-isolation", f"--wheel-dir={folder}"]
    subprocess.run([*pip, *build, folder / "source"], check=True)
    (wheel,) = folder.glob("*.whl")
    target = folder / "installed"
    subprocess.run([*pip, "install", "--no-deps", "--target", target, wheel], check=True)
    return target


def test_the_wheel_contains_exactly_the_modules_and_data_files(installed: Path) -> None:
    files = {
        path.relative_to(installed).as_posix()
        for path in installed.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    described = {name for name in files if ".dist-info/" in name}
    modules = {*tracked(*PACKAGES)} - {"service/requirements.txt"}  # for `make serve`
    assert files - described == {*modules, "bin/fft-service", "bin/fft-tool"}
    assert any(name.endswith("/LICENSE") for name in described)


def test_every_module_can_be_imported_from_the_wheel(installed: Path) -> None:
    code = """
import importlib, pathlib, pkgutil, sys
root = pathlib.Path(sys.argv[1])
for package in sys.argv[2:]:
    for module in pkgutil.walk_packages([str(root / package)], f"{package}."):
        if not module.name.endswith("__main__"):
            found = importlib.import_module(module.name)
            assert root in pathlib.Path(found.__file__).parents, found
            print(module.name)
"""
    words = ["-c", code, str(installed), *PACKAGES]
    done = started(installed, *words)
    names = done.stdout.split()
    assert {"fft_tool.cli.main", "fft_tool.spectrum.kernel", "handler.entry"} <= set(names)


def test_the_command_runs_from_the_wheel(installed: Path) -> None:
    done = started(installed, str(installed / "bin" / "fft-tool"), "--version")
    assert done.stdout == f"fft-tool {fft_tool.__version__}\n"


def started(installed: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run Python outside the repository, with the installed wheel first."""
    return subprocess.run(
        [sys.executable, *words],
        cwd=installed.parent,
        env={"PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        check=True,
        text=True,
    )
