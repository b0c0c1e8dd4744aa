"""The FFT kernel: scipy's compiled transforms, loaded without the rest of ``scipy.fft``.

``import scipy.fft`` takes 200 ms because it imports ``scipy.special``, which no DFT needs; the
compiled module alone loads in 1 ms. It is private to scipy. If it is not found, or fails a test on
four numbers, the public functions are used instead: the same code, but slower to load. See
docs/decisions/2026-11-20-fft-kernel.md.
"""

from __future__ import annotations

import functools
import importlib.machinery
import importlib.util
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

# Minor versions of scipy with which the compiled module was tested: it gives the same bits as the
# public functions, and both can be used in one process. With 1.14 and 1.15, a process that uses
# both aborts on exit. The requirement in pyproject.toml has the same bounds.
TRIED = ("1.16", "1.17", "1.18")

_LOCATIONS = ("fft/_duccfft/pyduccfft", "fft/_pocketfft/pypocketfft")
UNSCALED, BY_SIZE = 0, 2


class Kernel(Protocol):
    """Transforms along given axes; ``scaling`` 0 leaves the result unscaled, 2 divides it by N."""

    def r2c(
        self, a: Array, axes: tuple[int, ...], forward: bool, scaling: int, out: Array, threads: int
    ) -> Array:
        """Real to half-complex along the last of ``axes``."""
        ...

    def c2c(
        self, a: Array, axes: tuple[int, ...], forward: bool, scaling: int, out: Array, threads: int
    ) -> Array:
        """Complex to complex; ``out`` may be ``a``."""
        ...

    def c2r(
        self,
        a: Array,
        axes: tuple[int, ...],
        lastsize: int,
        forward: bool,
        scaling: int,
        out: Array,
        threads: int,
    ) -> Array:
        """Half-complex to real, ``lastsize`` samples along the last of ``axes``."""
        ...

    def dct(
        self, a: Array, dct_type: int, axes: tuple[int, ...], scaling: int, out: Array, threads: int
    ) -> Array:
        """Cosine transform of type 2, unscaled; or of type 3, divided by size, its inverse."""
        ...


class PublicKernel:
    """The same transforms through ``scipy.fft``."""

    def r2c(
        self, a: Array, axes: tuple[int, ...], forward: bool, scaling: int, out: Array, threads: int
    ) -> Array:
        """Real to half-complex along the last of ``axes``."""
        from scipy import fft  # noqa: PLC0415  (costs 200 ms: only when needed)

        assert forward  # noqa: S101  (the only direction this project uses)
        out[...] = fft.rfftn(a, axes=axes, norm=_norm(forward, scaling), workers=threads)
        return out

    def c2c(
        self, a: Array, axes: tuple[int, ...], forward: bool, scaling: int, out: Array, threads: int
    ) -> Array:
        """Complex to complex; ``out`` may be ``a``."""
        from scipy import fft  # noqa: PLC0415  (as above)

        transform = fft.fftn if forward else fft.ifftn
        out[...] = transform(a, axes=axes, norm=_norm(forward, scaling), workers=threads)
        return out

    def c2r(
        self,
        a: Array,
        axes: tuple[int, ...],
        lastsize: int,
        forward: bool,
        scaling: int,
        out: Array,
        threads: int,
    ) -> Array:
        """Half-complex to real, ``lastsize`` samples along the last of ``axes``."""
        from scipy import fft  # noqa: PLC0415  (as above)

        sizes = [a.shape[axis] for axis in axes[:-1]] + [lastsize]
        norm = _norm(forward, scaling)
        out[...] = fft.irfftn(a, s=sizes, axes=axes, norm=norm, workers=threads)
        return out

    def dct(
        self, a: Array, dct_type: int, axes: tuple[int, ...], scaling: int, out: Array, threads: int
    ) -> Array:
        """Cosine transform of type 2, unscaled; or of type 3, divided by size, its inverse."""
        from scipy import fft  # noqa: PLC0415  (as above)

        assert (dct_type, scaling) in ((2, UNSCALED), (3, BY_SIZE))  # noqa: S101  (the only ones used)
        transform = fft.dctn if dct_type == 2 else fft.idctn
        out[...] = transform(a, axes=axes, workers=threads)
        return out


def _norm(forward: bool, scaling: int) -> str:
    """Return scipy's name for the normalisation."""
    return "forward" if forward == (scaling == BY_SIZE) else "backward"


@functools.cache
def kernel() -> Kernel:
    """Return the fastest kernel available, loaded once."""
    return compiled() or PublicKernel()


def compiled() -> Kernel | None:
    """Load scipy's compiled transforms; None if they have moved or changed."""
    scipy = importlib.util.find_spec("scipy")
    if scipy is None or not scipy.submodule_search_locations:
        return None
    root = Path(next(iter(scipy.submodule_search_locations)))
    for location in _LOCATIONS:
        for suffix in importlib.machinery.EXTENSION_SUFFIXES:
            path = root / (location + suffix)
            if path.exists():
                return _load(path)
    return None


def _load(path: Path) -> Kernel | None:
    name = path.name.partition(".")[0]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        return None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        candidate = cast("Kernel", module)
        return candidate if _works(candidate) else None
    except Exception:  # noqa: BLE001  (any error means that this is not the expected module)
        return None


def _works(candidate: Kernel) -> bool:
    """Whether the private interface still matches :class:`Kernel`."""
    signal = np.array([[1.0, 2.0], [4.0, 8.0]], np.float32)
    half = np.empty((2, 2), np.complex64)
    candidate.r2c(signal, (1,), True, UNSCALED, half, 1)
    candidate.c2c(half, (0,), True, UNSCALED, half, 1)
    seen = np.array_equal(half, [[15, -5], [-9, 3]])
    candidate.c2c(half, (0,), False, BY_SIZE, half, 1)
    back = np.empty_like(signal)
    candidate.c2r(half, (1,), 2, False, BY_SIZE, back, 1)
    cosines = np.empty((1, 2))
    candidate.dct(signal[:1].astype(float), 2, (1,), UNSCALED, cosines, 1)
    seen &= np.allclose(cosines, [[6, -np.sqrt(2)]])
    candidate.dct(cosines, 3, (1,), BY_SIZE, cosines, 1)
    return seen and np.array_equal(back, signal) and np.allclose(cosines, signal[:1])
