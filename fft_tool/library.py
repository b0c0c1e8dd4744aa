"""Public functions for arrays that combine several packages of the core."""

from __future__ import annotations

import dataclasses
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fft_tool import pipeline
from fft_tool.arrays import FloatArray, check_array, check_finite, check_real, check_unsigned
from fft_tool.codec import image_file, png_encode
from fft_tool.codec.raster import channels_last, full_range
from fft_tool.errors import NotInvertible, RecipeError, RecipeFault
from fft_tool.limits import Limits
from fft_tool.mask_files import read_file, resolve_masks
from fft_tool.operations.operation import Layout, Operation
from fft_tool.operations.prediction import layout_of, layouts
from fft_tool.operations.registry import check_operations, parse_operations
from fft_tool.operations.run import apply_all, remarks_on
from fft_tool.recipe import KEYS, Recipe, unknown_key
from fft_tool.results.naming import RECORD
from fft_tool.results.outputs import Outputs, Source
from fft_tool.results.reconstruct import reconstruct as reconstruct_file
from fft_tool.spectrum.filtering import apply_filters
from fft_tool.spectrum.filters import Filter, parse_filters
from fft_tool.spectrum.half import Spectrum, centred, check_spectrum
from fft_tool.spectrum.masks import Mask
from fft_tool.spectrum.transform import PRECISIONS, forward
from fft_tool.spelling import british

_MODES = ("L", "LA", "RGB", "RGBA", "I;16", "I;16L", "I;16B")


def transform(image: Any, *, precision: str = "single", threads: int = 1) -> Spectrum:
    """Transform a real image, shape (h, w), to its spectrum.

    >>> import numpy as np
    >>> x = np.arange(64)
    >>> grey = np.tile(100 + 50 * np.cos(2 * np.pi * x / 8), (48, 1))
    >>> spectrum = transform(grey)
    >>> spectrum.shape
    (48, 64)
    >>> round(spectrum.dc / grey.size, 3)
    100.0

    The transform is unscaled (numpy's "backward" norm) and the image is not padded.

    Parameters
    ----------
    image : ndarray
        Any real dtype, any strides; not modified. NaN and infinity are rejected.
    precision : {"single", "double"}
        Precision of the result: complex64 or complex128.
    threads : int
        Number of threads; the result does not depend on it.
    """
    array = check_real(image)
    if precision not in PRECISIONS:
        raise ValueError(f"precision={precision!r}: should be 'single' or 'double'")
    largest = max(abs(float(array.min())), abs(float(array.max())))
    if largest * array.size > float(np.finfo(PRECISIONS[precision][0]).max):
        remedy = "pass precision='double' or divide" if precision == "single" else "divide"
        raise ValueError(
            f"values up to {largest:.3g} are too large for {precision} precision: "
            f"{remedy} the image by a constant"
        )
    return forward(array, precision=precision, threads=threads)


def magnitude(spectrum: Spectrum) -> FloatArray:
    """Magnitude ``|F|`` of the full spectrum, shape (h, w), with DC at ``[h // 2, w // 2]``.

    >>> import numpy as np
    >>> magnitude(transform(np.full((3, 4), 5.0)))[1, 2]
    np.float32(60.0)

    Units are grey levels times pixels: a cosine of amplitude A has two peaks of height A·h·w / 2.
    """
    check_spectrum(spectrum)
    return np.abs(centred(spectrum))


def phase(spectrum: Spectrum) -> FloatArray:
    """Phase of the full spectrum in radians, from -π to π, shape (h, w).

    >>> import numpy as np
    >>> wave = np.tile(np.sin(2 * np.pi * np.arange(16) / 4), (16, 1))
    >>> round(float(phase(transform(wave))[8, 8 + 4]), 4)
    -1.5708

    DC is at ``[h // 2, w // 2]``. Where the magnitude is mere rounding error, the phase is
    meaningless.
    """
    check_spectrum(spectrum)
    # Adding zero turns -0.0 into 0.0, so negative real coefficients have phase π, never -π.
    full = centred(spectrum)
    angles: FloatArray = np.arctan2(full.imag + 0.0, full.real + 0.0)
    return angles


def apply_filter(
    spectrum: Spectrum,
    what: str | Filter | tuple[Filter, ...] | NDArray[Any],
    *,
    threads: int = 1,
) -> Spectrum:
    """Filter a spectrum; the one that is passed in is not changed.

    >>> import numpy as np
    >>> from fft_tool import inverse
    >>> image = np.tile(100 + 20 * np.cos(np.arange(64)), (48, 1))  # a period of 6.28 px
    >>> spectrum = transform(image)
    >>> float(np.ptp(inverse(apply_filter(spectrum, "notch:6.28,0")))) < 0.5
    True
    >>> black = np.zeros((48, 64))  # a mask that keeps only the mean
    >>> float(np.ptp(inverse(apply_filter(spectrum, black)))) < 1e-3
    True

    Parameters
    ----------
    spectrum : Spectrum
        What to filter: that of an image as it is, neither windowed nor otherwise prepared.
    what : str, filters or ndarray
        One or more filters, as text such as ``"notch:8,90+lowpass:3"`` or as values. Periods are
        in pixels, angles in degrees; the files of masks are read from the working directory. Or a
        mask, shape (h, w): booleans, uint8, uint16, or real numbers from 0 (removes) to 1 (keeps),
        with DC at ``[h // 2, w // 2]`` as in :func:`magnitude`. The smaller one of the values at
        a frequency and at its mirror image counts for both, and the mean is always kept.
    threads : int
        Number of threads; the result does not depend on it.
    """
    check_spectrum(spectrum)
    if isinstance(what, np.ndarray):
        mask = Mask.of(what)
        mask.check_shape(spectrum.shape)
        return apply_filters(spectrum, (mask,), threads=threads)
    filters = parse_filters(what) if isinstance(what, str) else what
    recipe = Recipe(filter=filters if isinstance(filters, tuple) else (filters,))
    filters = resolve_masks(recipe, read_file).filter or ()
    return apply_filters(spectrum, filters, threads=threads)


def analyze(
    image: Any,
    *,
    recipe: Recipe | None = None,
    name: str | None = None,
    value_range: tuple[float, float] | None = None,
    limits: Limits | None = None,
    threads: int = 1,
    **keys: Any,
) -> Outputs:
    """Analyse an image as the command line does, and return the artifacts and the record.

    >>> import numpy as np
    >>> grey = np.tile(np.arange(64, dtype=np.uint8), (48, 1))
    >>> outputs = analyze(grey, crop="square", bits=16, metadata=True)
    >>> [artifact.kind for artifact in outputs]
    ['crop', 'phase', 'magnitude', 'metadata']
    >>> outputs.record["certificate"]["exact"]
    True

    Parameters
    ----------
    image : path, bytes, file, Pillow image or ndarray
        Arrays have shape (h, w), or (h, w, channels) for 2 channels (grey, alpha), 3 (RGB) or 4
        (RGBA). They are uint8 or uint16, or floating-point with a ``value_range``. Pillow images
        are turned upright as files are, by their EXIF orientation.
    recipe : Recipe, optional
        Recipe to which ``keys`` are applied; by default ``Recipe()``.
    name : str, optional
        Name of the source, from which the names of the artifacts are derived. By default the name
        of the file, or ``image.png``.
    value_range : (float, float), optional
        Values of black and white in a floating-point array, which is quantised to 16 bits.
    limits : Limits, optional
        Limits on the source and its artifacts.
    threads : int
        Number of threads; the bytes do not depend on it.
    **keys
        Keys of the recipe, such as ``crop="square"``, as texts or values. The files of masks are
        read from the working directory.

    Raises
    ------
    RecipeError
        If the recipe is invalid; lists every invalid entry.
    FftToolError
        If the image is damaged, exceeds a limit or is not supported.
    TypeError, ValueError
        If ``image`` is not one of the above; the message says how to fix it.
    """
    made = _recipe(recipe or Recipe(), keys)
    limits = limits or Limits()
    source = _source(image, name, value_range, limits, threads)
    outputs = pipeline.run(source, made, limits, threads=threads)
    for remark in outputs.remarks:
        warnings.warn(f"{source.name}: {remark.text}", stacklevel=2)
    return outputs


def apply_operations(
    image: Any,
    operations: str | Operation | Sequence[Operation],
    *,
    frame: int | None = None,
    value_range: tuple[float, float] | None = None,
    limits: Limits | None = None,
    threads: int = 1,
) -> NDArray[np.unsignedinteger[Any]]:
    """Apply operations to an image, one after the other.

    >>> import numpy as np
    >>> grey = np.tile(np.arange(64, dtype=np.uint8), (48, 1))
    >>> apply_operations(grey, "crop:0,0,32,24,resize:200%").shape
    (48, 64)
    >>> apply_operations(grey, "blur:3,sepia").shape
    (48, 64, 3)

    Parameters
    ----------
    image : path, bytes, file, Pillow image or ndarray
        As for :func:`analyze`; not modified.
    operations : str or operations
        Text such as ``"grayscale,blur:3,rotate:90"``, or values.
    frame : int, optional
        Frame or page of a file, counted from 1; by default the first, with a warning if there are
        more.
    value_range : (float, float), optional
        Values of black and white in a floating-point array, which is quantised to 16 bits.
    limits : Limits, optional
        Limits on the source, and on the pixels of every image that is made.
    threads : int
        Number of threads; the result does not depend on it.

    Returns
    -------
    ndarray
        uint8 or uint16 as the image, shape (h, w) if it is grey, otherwise (h, w, channels). Levels
        go from 0 to the largest value of the type, as in a PNG file.

    Raises
    ------
    OperationsError
        If the operations are invalid or do not suit the image; lists every invalid one.
    FftToolError
        If the image is damaged, exceeds a limit or is not supported.
    TypeError, ValueError
        If ``image`` is not one of the above; the message says how to fix it.
    """
    if isinstance(operations, str):
        chain = parse_operations(operations)
    else:
        chain = (operations,) if isinstance(operations, Operation) else tuple(operations)
        check_operations(chain)
    limits = limits or Limits()
    levels = _levels_of(image, value_range)
    if levels is None:
        source = _file(image, None, value_range, limits)
        opened = image_file.open_image(source.data, limits, frame=frame or 1)
        layouts(layout_of(opened.header), chain, limits)
        for remark in remarks_on(opened.header, frame):
            warnings.warn(f"{source.name}: {remark.text}", stacklevel=2)
        raster = opened.decode()
        pixels, white = raster.pixels, raster.white
    else:
        pixels = levels if levels.ndim == 3 else levels[:, :, None]
        white = int(np.iinfo(levels.dtype).max)
        height, width, channels = pixels.shape
        limits.check_pixels(width, height)
        layouts(Layout(height, width, channels, pixels.itemsize), chain, limits)
    result = full_range(apply_all(pixels, white, chain, threads=threads), white)
    return result[:, :, 0] if result.shape[2] == 1 else result


def reconstruct(outputs: Outputs, *, threads: int = 1) -> NDArray[np.unsignedinteger[Any]]:
    """Reconstruct the grey image, shape (h, w), from the outputs of :func:`analyze`.

    >>> import numpy as np
    >>> grey = np.arange(48, dtype=np.uint8).reshape(6, 8)
    >>> back = reconstruct(analyze(grey, bits=16, metadata=True))
    >>> bool((back == grey).all())
    True

    The dtype is uint8 or uint16, as in the source. The outputs must have been made with
    ``metadata=True``, and with ``bits=16`` or ``spectrum=True`` for an exact result; the
    certificate in the record says whether it is exact.
    """
    files = {artifact.name: artifact.data for artifact in outputs}
    records = [artifact.name for artifact in outputs if artifact.kind == RECORD]
    if not records:
        raise NotInvertible("the outputs have no record: analyze with metadata=True")
    restored = reconstruct_file(records[0], files.__getitem__, threads=threads)
    return image_file.decode(restored.data).pixels[:, :, 0]


def _recipe(base: Recipe, keys: dict[str, Any]) -> Recipe:
    known = {key.field for key in KEYS}
    keys = {british(name): value for name, value in keys.items()}
    faults = [
        RecipeFault(name, str(value), unknown_key(name, sorted(known)))
        for name, value in keys.items()
        if name not in known
    ]
    if faults:
        raise RecipeError(faults)
    return resolve_masks(dataclasses.replace(base, **keys), read_file)


def _source(
    image: Any,
    name: str | None,
    value_range: tuple[float, float] | None,
    limits: Limits,
    threads: int,
) -> Source:
    levels = _levels_of(image, value_range)
    if levels is None:
        return _file(image, name, value_range, limits)
    return Source(name or "image.png", png_encode.encode(levels, threads=threads))


def _levels_of(
    image: Any, value_range: tuple[float, float] | None
) -> NDArray[np.unsignedinteger[Any]] | None:
    """Pixels of an array or a Pillow image; None if it is neither."""
    if isinstance(image, np.ndarray):
        return _levels(check_array(image), value_range)
    if not _is_pillow_image(image):
        return None
    _check_no_range(value_range)
    return _pillow_levels(image)


def _check_no_range(value_range: tuple[float, float] | None) -> None:
    if value_range is not None:
        raise ValueError("value_range= is for floating-point arrays: leave it out")


def _file(
    image: Any, name: str | None, value_range: tuple[float, float] | None, limits: Limits
) -> Source:
    _check_no_range(value_range)
    if isinstance(image, str) or hasattr(image, "__fspath__"):
        path = Path(image)
        limits.check_bytes(path.stat().st_size)
        return Source(name or path.name, path.read_bytes())
    if isinstance(image, bytes | bytearray | memoryview):
        return Source(name or "image.png", bytes(image))
    if hasattr(image, "read"):
        return _file_source(image, name)
    if isinstance(image, list | tuple):
        check_array(image)
    raise TypeError(
        f"{type(image).__name__} is not an image: "
        "pass a path, bytes, a file opened in binary mode, a Pillow image or a numpy array"
    )


def _file_source(file: Any, name: str | None) -> Source:
    data = file.read()
    if not isinstance(data, bytes):
        raise TypeError(f"the file gives {type(data).__name__}, not bytes: open it with mode 'rb'")
    opened = getattr(file, "name", None)
    own = Path(opened).name if isinstance(opened, str | PurePath) else "image.png"
    return Source(name or own, data)


def _is_pillow_image(image: Any) -> bool:
    # A caller who has a Pillow image has imported Pillow; for others it is not imported here.
    module = sys.modules.get("PIL.Image")
    return module is not None and isinstance(image, module.Image)


def _pillow_levels(image: Any) -> NDArray[np.unsignedinteger[Any]]:
    from PIL import ImageOps  # noqa: PLC0415  (the caller has imported Pillow, others need not)

    # Upright, as the same image is when it comes from a file.
    image = ImageOps.exif_transpose(image)
    if image.mode == "1":
        image = image.convert("L")
    elif image.mode in ("P", "PA"):
        transparent = image.mode == "PA" or "transparency" in image.info
        image = image.convert("RGBA" if transparent else "RGB")
    if image.mode not in _MODES:
        raise TypeError(
            f"Pillow image of mode {image.mode}: convert it, for instance with "
            "image.convert('RGB'), or pass numpy.asarray(image) with value_range= for mode F"
        )
    return _levels(check_array(channels_last(image)), None)


def _levels(
    array: NDArray[Any], value_range: tuple[float, float] | None
) -> NDArray[np.unsignedinteger[Any]]:
    """Convert an array to pixels that a PNG can hold."""
    if not (array.ndim == 2 or (array.ndim == 3 and 1 <= array.shape[2] <= 4)):
        raise ValueError(
            f"{array.ndim}-D array of shape {array.shape}: pass an image of shape (h, w), or "
            "(h, w, channels) with 1 to 4 channels; numpy.moveaxis(image, 0, -1) puts channels last"
        )
    if array.dtype.kind != "f":
        if value_range is not None:
            raise ValueError(
                f"value_range= is for floating-point arrays, this one is {array.dtype}: "
                "leave it out or pass image.astype(numpy.float64)"
            )
        return check_unsigned(array)
    check_finite(array)
    if value_range is None:
        raise ValueError(
            f"array of type {array.dtype} without a range: pass value_range=(low, high), the "
            "values of black and white, for instance value_range=(0.0, 1.0)"
        )
    low, high = value_range
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise ValueError(f"value_range={value_range}: should be two finite numbers, low < high")
    if array.min() < low or array.max() > high:
        raise ValueError(
            f"values from {array.min():.6g} to {array.max():.6g} exceed value_range="
            f"({low:g}, {high:g}): widen it, or pass numpy.clip(image, {low:g}, {high:g})"
        )
    scaled = (array.astype(np.float64) - low) * (65535 / (high - low))
    return np.rint(scaled).clip(0, 65535).astype(np.uint16)
