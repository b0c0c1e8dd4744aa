"""The compiled kernel: found, tested before use, and replaced if the test fails."""

from __future__ import annotations

import textwrap
import tomllib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

from fft_tool.spectrum import kernel as kernels
from fft_tool.spectrum import transform
from fft_tool.spectrum.kernel import BY_SIZE, UNSCALED, PublicKernel
from fft_tool.spectrum.transform import forward, inverse
from tests.support.images import noise
from tests.support.planes import SMALL_SHAPES, Shape


@pytest.fixture(autouse=True)
def _fresh_kernel() -> Iterator[None]:
    kernels.kernel.cache_clear()
    yield
    kernels.kernel.cache_clear()


def use_public_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transform, "kernel", PublicKernel)


def test_compiled_kernel_is_found_in_the_installed_scipy() -> None:
    """If this fails, scipy has moved it: results are still correct, but loading takes 200 ms."""
    assert not isinstance(kernels.kernel(), PublicKernel)


def test_the_installed_scipy_was_tested() -> None:
    assert minor(version("scipy")) in kernels.TRIED


def test_the_requirement_allows_exactly_the_tested_versions() -> None:
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8")
    (found,) = (d for d in tomllib.loads(text)["project"]["dependencies"] if d.startswith("scipy"))
    first, last = kernels.TRIED[0], kernels.TRIED[-1]
    major, _, number = last.partition(".")
    assert found == f"scipy>={first},<{major}.{int(number) + 1}"


def minor(text: str) -> str:
    return ".".join(text.split(".")[:2])


def test_kernel_is_loaded_once() -> None:
    assert kernels.kernel() is kernels.kernel()


@pytest.mark.parametrize("precision", ["single", "double"])
@pytest.mark.parametrize("shape", [*SMALL_SHAPES, (281, 397), (509, 499), (600, 1024)])
def test_public_kernel_gives_the_same_bits_as_the_compiled_one(
    monkeypatch: pytest.MonkeyPatch, shape: Shape, precision: str
) -> None:
    image = noise(shape, white=65535)
    compiled = forward(image, precision=precision)
    back = inverse(compiled)
    use_public_kernel(monkeypatch)
    public = forward(image, precision=precision)
    assert public.half.tobytes() == compiled.half.tobytes()
    assert inverse(public).tobytes() == back.tobytes()


def test_public_kernel_scales_and_works_in_place_as_the_compiled_one() -> None:
    image = noise((6, 9)).astype(np.float32)
    results = []
    for kernel in (kernels.kernel(), PublicKernel()):
        half = np.empty((6, 5), np.complex64)
        kernel.r2c(image, (0, 1), True, 0, half, 1)
        kernel.c2c(half, (0,), False, 2, half, 1)
        kernel.c2c(half, (0,), True, 2, half, 1)
        back = np.empty((6, 9), np.float32)
        kernel.c2r(half, (0, 1), 9, False, 2, back, 1)
        cosines = np.empty((6, 9))
        kernel.dct(image.astype(float), 2, (0, 1), UNSCALED, cosines, 1)
        modes = cosines.tobytes()
        kernel.dct(cosines, 3, (0, 1), BY_SIZE, cosines, 1)
        results.append((half.tobytes(), back.tobytes(), modes, cosines.tobytes()))
    assert results[0] == results[1]


def test_public_functions_are_used_if_the_private_module_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    image = noise((20, 30))
    expected = forward(image).half.copy()
    kernels.kernel.cache_clear()
    monkeypatch.setattr(kernels, "_LOCATIONS", ("fft/_elsewhere/nothing",))
    assert isinstance(kernels.kernel(), PublicKernel)
    assert np.array_equal(forward(image).half, expected)


def test_the_second_location_is_tried_if_the_first_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kernels, "_load", lambda _: None)
    assert isinstance(kernels.kernel(), PublicKernel)


# What a later version of scipy might have in place of today's module.
CHANGED_MODULES = {
    "it cannot be imported": "import nothing_of_that_name",
    "it is built for another interpreter": "raise ImportError('wrong magic')",
    "its functions are gone": "def c2c(*_): ...",
    "a function takes other arguments": "def r2c(a, axes=None, *, norm): ...",
    "a function refuses its arguments": "def r2c(*_): raise ValueError('not like that')",
    "a function breaks": "def r2c(*_): raise RuntimeError('something else')",
    "nothing is written to the output": """
        def r2c(*_): ...
        def c2c(*_): ...
        def c2r(*_): ...
        def dct(*_): ...
        """,
    "it scales otherwise": """
        from fft_tool.spectrum.kernel import PublicKernel
        kernel = PublicKernel()
        c2c, c2r, dct = kernel.c2c, kernel.c2r, kernel.dct
        def r2c(a, axes, forward, scaling, out, threads):
            kernel.r2c(a, axes, forward, scaling, out, threads)
            out /= 2
        """,
    "its inverse is not normed": """
        from fft_tool.spectrum.kernel import PublicKernel
        kernel = PublicKernel()
        r2c, c2c, dct = kernel.r2c, kernel.c2c, kernel.dct
        def c2r(a, axes, lastsize, forward, scaling, out, threads):
            kernel.c2r(a, axes, lastsize, forward, 0, out, threads)
        """,
    "it has no cosine transform": """
        from fft_tool.spectrum.kernel import PublicKernel
        kernel = PublicKernel()
        r2c, c2c, c2r = kernel.r2c, kernel.c2c, kernel.c2r
        """,
    "its cosine transform is orthogonal": """
        from fft_tool.spectrum.kernel import PublicKernel
        kernel = PublicKernel()
        r2c, c2c, c2r = kernel.r2c, kernel.c2c, kernel.c2r
        def dct(a, kind, axes, scaling, out, threads):
            kernel.dct(a, kind, axes, scaling, out, threads)
            out /= 2
        """,
}


@pytest.mark.parametrize("change", CHANGED_MODULES)
def test_a_changed_private_module_is_not_used(tmp_path: Path, change: str) -> None:
    path = tmp_path / "pyduccfft.py"
    path.write_text(textwrap.dedent(CHANGED_MODULES[change]))
    assert kernels._load(path) is None  # noqa: SLF001  (its callers cannot be given a module)


def test_a_module_that_keeps_its_interface_is_used(tmp_path: Path) -> None:
    path = tmp_path / "pyduccfft.py"
    path.write_text(
        "from fft_tool.spectrum.kernel import PublicKernel\n"
        "kernel = PublicKernel()\n"
        "r2c, c2c, c2r, dct = kernel.r2c, kernel.c2c, kernel.c2r, kernel.dct\n"
    )
    assert kernels._load(path) is not None  # noqa: SLF001  (as above)


def test_a_file_that_is_not_a_module_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "pyduccfft.unknown"
    path.write_bytes(b"\x7fELF")
    assert kernels._load(path) is None  # noqa: SLF001  (as above)
