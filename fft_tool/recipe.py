"""The recipe: what to do with a source, as a frozen value with one text grammar.

The same keys and values are used in command-line flags, S3 object metadata, form fields and JSON.
The fields of :class:`Recipe` are the single definition: parsing, formatting, help texts and flags
are derived from them.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from fft_tool.errors import RecipeError, RecipeFault
from fft_tool.image import region as crops
from fft_tool.spectrum.choices import DETRENDS, SCALES, WINDOWS
from fft_tool.spelling import british, did_you_mean

if TYPE_CHECKING:
    from fft_tool.spectrum.filters import Filter

CHANNELS = ("luma", "red", "green", "blue", "alpha")
BACKGROUNDS = {"white": (255, 255, 255), "black": (0, 0, 0), "grey": (128, 128, 128)}
MICROMETRES = {"nm": 1e-3, "um": 1.0, "mm": 1e3, "m": 1e6}


@dataclass(frozen=True, slots=True)
class ValueType:
    """How the values of a key are parsed and formatted; ``form`` says what is allowed.

    With ``verbatim``, values contain names of files, whose spelling is left alone.
    """

    form: str
    parse: Callable[[str], Any]
    format: Callable[[Any], str] = str
    choices: tuple[str, ...] = ()
    metavar: str = ""
    verbatim: bool = False

    def read(self, text: str) -> Any:
        """Parse a value that may be in American spelling, unless it may contain a name."""
        return self.parse(text if self.verbatim else british(text))

    @property
    def flag(self) -> bool:
        """Whether the values are just yes and no."""
        return self.choices == ("no", "yes")


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the recipe: its name in text, its field, value type, default and help text."""

    name: str
    field: str
    value_type: ValueType
    default: Any
    help: str


def _one_of(*choices: str) -> ValueType:
    def parse(text: str) -> str:
        if text not in choices:
            near = did_you_mean(text, choices)
            raise ValueError(f"should be one of {', '.join(choices)}{near}")
        return text

    return ValueType("|".join(choices), parse, choices=choices)


def _yes_or_no() -> ValueType:
    words = {"yes": True, "no": False, "true": True, "false": False, "1": True, "0": False}

    def parse(text: str) -> bool:
        if text.lower() not in words:
            raise ValueError("should be yes or no")
        return words[text.lower()]

    return ValueType("yes|no", parse, lambda value: "yes" if value else "no", ("no", "yes"))


def _or_none(value_type: ValueType) -> ValueType:
    return ValueType(
        f"{value_type.form} or none",
        lambda text: None if text == "none" else value_type.parse(text),
        lambda value: "none" if value is None else value_type.format(value),
        metavar=value_type.metavar,
        verbatim=value_type.verbatim,
    )


def _parse_bits(text: str) -> int:
    if text not in ("8", "16"):
        raise ValueError("should be 8 (to look at) or 16 (to invert)")
    return int(text)


def _parse_threshold(text: str) -> str | int:
    if text in ("mid", "otsu"):
        return text
    if not re.fullmatch(r"\d{1,5}", text, re.ASCII) or int(text) > 65535:
        raise ValueError("should be mid, otsu or a grey level from 0 to 65535")
    return int(text)


def _parse_offset(text: str) -> str | int:
    if text == "mid":
        return text
    if not re.fullmatch(r"[+-]?\d{1,5}", text, re.ASCII) or abs(int(text)) > 65535:
        raise ValueError("should be mid or grey levels to add, from -65535 to 65535")
    return int(text)


def _parse_background(text: str) -> tuple[int, int, int]:
    if text in BACKGROUNDS:
        return BACKGROUNDS[text]
    match = re.fullmatch(r"#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})", text.lower())
    if match is None:
        raise ValueError(f"should be {', '.join(BACKGROUNDS)} or #rrggbb")
    red, green, blue = (int(digits, 16) for digits in match.groups())
    return red, green, blue


def _format_background(colour: tuple[int, int, int]) -> str:
    names = {value: name for name, value in BACKGROUNDS.items()}
    return names.get(colour) or "#{:02x}{:02x}{:02x}".format(*colour)


def _parse_pixel_size(text: str) -> float:
    match = re.fullmatch(r"([0-9.]+(?:e[+-]?\d+)?)\s*(nm|um|mm|m)", text.lower(), re.ASCII)
    try:
        size = float(match[1]) * MICROMETRES[match[2]] if match else 0.0
    except ValueError:
        size = 0.0
    if not 1e-9 <= size <= 1e12:  # micrometres: from far below an atom to beyond the Moon
        raise ValueError("should be a length such as 65nm, 0.5um, 0.1mm or 1m")
    return size


def _parse_frame(text: str) -> int:
    if not re.fullmatch(r"[1-9]\d{0,8}", text, re.ASCII):
        raise ValueError("should be a whole number: frames are counted from 1")
    return int(text)


def _parse_range(text: str) -> tuple[float, float]:
    number = r"\s*([+-]?[0-9.]+(?:e[+-]?\d+)?)\s*"
    match = re.fullmatch(f"{number},{number}", text.lower(), re.ASCII)
    try:
        low, high = (float(match[1]), float(match[2])) if match else (0.0, 0.0)
    except ValueError:
        low, high = 0.0, 0.0
    if not -math.inf < low < high < math.inf:
        raise ValueError("should be two numbers such as 0,1 or -0.5,2e3, the smaller one first")
    return low, high


def _parse_filters(text: str) -> tuple[Filter, ...]:
    from fft_tool.spectrum.filters import parse_filters  # noqa: PLC0415  (few recipes have one)

    return parse_filters(text)


def _format_filters(value: tuple[Filter, ...]) -> str:
    from fft_tool.spectrum.filters import format_filters  # noqa: PLC0415  (few recipes have one)

    return format_filters(value)


def _key(value_type: ValueType, default: Any, text: str) -> Any:
    return field(default=default, metadata={"value_type": value_type, "help": text})


_SIZE = ValueType("w,h", crops.parse_size, lambda size: f"{size[0]},{size[1]}", metavar="w,h")
_CROP = ValueType(crops.FORM, crops.parse_crop, metavar="CROP")
_FRAME = ValueType("a whole number from 1", _parse_frame, metavar="N")
_RANGE = ValueType(
    "lo,hi",
    _parse_range,
    lambda ends: f"{float(ends[0])!r},{float(ends[1])!r}",
    metavar="lo,hi",
)
_COLOUR = ValueType(
    "white|black|grey|#rrggbb", _parse_background, _format_background, metavar="COLOUR"
)
_FILTER = ValueType(
    "lowpass:P, highpass:P, bandpass:P1,P2, notch:P,ANGLE, stripe:ANGLE or mask:FILE, joined by +",
    _parse_filters,
    _format_filters,
    metavar="FILTER",
    verbatim=True,
)
_THRESHOLD = ValueType("mid, otsu or a grey level", _parse_threshold, metavar="mid|otsu|LEVEL")
_OFFSET = ValueType("mid or grey levels to add", _parse_offset, metavar="mid|LEVELS")
_LENGTH = ValueType(
    "a length such as 65nm", _parse_pixel_size, lambda size: f"{float(size)!r}um", metavar="LENGTH"
)


@dataclass(frozen=True)
class Recipe:
    """What to do with a source. Every field has a default; values are validated on construction.

    >>> recipe = Recipe.parse({"bits": "16", "crop": "square"})
    >>> str(recipe)
    'crop=square bits=16'

    Every field also accepts its value as text, written as on the command line:

    >>> Recipe(crop="square", filter="notch:8,90", pixel_size="65nm") == Recipe.parse(
    ...     {"crop": "square", "filter": "notch:8,90", "pixel-size": "65nm"}
    ... )
    True
    """

    frame: int | None = _key(
        _or_none(_FRAME),
        None,
        "frame or page to analyse, counted from 1; none is the first, with a warning if there are "
        "more",
    )
    range: tuple[float, float] | None = _key(
        _or_none(_RANGE),
        None,
        "values of black and white in floating-point, signed and 32-bit images, written "
        "range=-1,1; none is their minimum and maximum",
    )
    crop: crops.Crop | None = _key(_or_none(_CROP), None, f"analyse only this region: {crops.FORM}")
    smart_crop: tuple[int, int] | None = _key(
        _or_none(_SIZE), None, "analyse the most salient region of this size"
    )
    channel: Literal["luma", "red", "green", "blue", "alpha"] = _key(
        _one_of(*CHANNELS), "luma", "what to analyse of a colour image; luma is ITU-R BT.601"
    )
    background: tuple[int, int, int] = _key(
        _COLOUR, BACKGROUNDS["white"], "what shows through transparent pixels"
    )
    detrend: Literal["none", "mean", "linear"] = _key(
        _one_of(*DETRENDS), "none", "subtract the mean or a fitted plane first"
    )
    window: Literal["none", "hann", "hamming", "blackman", "tukey"] = _key(
        _one_of(*WINDOWS), "none", "taper the borders against leakage"
    )
    periodic: bool = _key(
        _yes_or_no(), False, "remove the smooth component, which causes the bright cross"
    )
    precision: Literal["single", "double"] = _key(
        _one_of("single", "double"), "single", "floating-point precision of the transform"
    )
    scale: Literal["log", "linear", "power", "db"] = _key(
        _one_of(*SCALES), "log", "scale of the magnitude picture"
    )
    bits: Literal[8, 16] = _key(
        ValueType("8|16", _parse_bits, choices=("8", "16")),
        8,
        "depth of the pictures; 16 to invert",
    )
    colour: bool = _key(_yes_or_no(), False, "colour the pictures (8 bits, not invertible)")
    magnitude: bool = _key(_yes_or_no(), True, "make the magnitude picture")
    phase: bool = _key(_yes_or_no(), True, "make the phase picture")
    spectrum: bool = _key(_yes_or_no(), False, "save the half spectrum as .npz")
    histogram: bool = _key(_yes_or_no(), False, "draw the histogram")
    filter: tuple[Filter, ...] | None = _key(
        _or_none(_FILTER),
        None,
        "filter the image, in all its colours unless channel names one; lengths are periods in "
        "pixels, FILE is a grey PNG drawn over the magnitude picture (white keeps, black "
        "removes): " + _FILTER.form,
    )
    offset: Literal["mid"] | int = _key(
        _OFFSET, 0, "grey levels to add to the filtered image; mid moves its mean to middle grey"
    )
    threshold: Literal["mid", "otsu"] | int = _key(
        _THRESHOLD, "mid", "level that separates black from white"
    )
    pixel_size: float | None = _key(
        _or_none(_LENGTH), None, "pixel size; overrides the one stated in the source"
    )
    metadata: bool = _key(
        _yes_or_no(), False, "write the record: statistics, measures and certificate"
    )

    if TYPE_CHECKING:  # the constructor accepts values, or the texts that represent them

        def __init__(
            self,
            *,
            frame: int | str | None = None,
            range: tuple[float, float] | str | None = None,  # noqa: A002  (a key of the recipe)
            crop: crops.Crop | str | None = None,
            smart_crop: tuple[int, int] | str | None = None,
            channel: str = "luma",
            background: tuple[int, int, int] | str = "white",
            detrend: str = "none",
            window: str = "none",
            periodic: bool | str = False,
            precision: str = "single",
            scale: str = "log",
            bits: int | str = 8,
            colour: bool | str = False,
            magnitude: bool | str = True,
            phase: bool | str = True,
            spectrum: bool | str = False,
            histogram: bool | str = False,
            filter: tuple[Filter, ...] | str | None = None,  # noqa: A002  (a key of the recipe)
            offset: int | str = 0,
            threshold: int | str = "mid",
            pixel_size: float | str | None = None,
            metadata: bool | str = False,
        ) -> None: ...

    def __post_init__(self) -> None:
        faults = []
        for key in KEYS:
            value = getattr(self, key.field)
            if isinstance(value, str):
                try:
                    value = key.value_type.read(value.strip())
                except ValueError as exc:
                    faults.append(RecipeFault(key.name, value, str(exc)))
                    continue
                object.__setattr__(self, key.field, value)
            if fault := _fault(key, value):
                faults.append(fault)
        faults += _conflicts(self) if not faults else []
        if faults:
            raise RecipeError(faults)

    @classmethod
    def parse(cls, mapping: Mapping[str, Any], base: Recipe | None = None) -> Recipe:
        """Parse a recipe from texts; keys that are not given take their values from ``base``.

        Keys may be written with ``-`` or ``_``, and keys and values in American spelling
        (``color``, ``center:64,64``). Numbers, true, false and null from JSON are treated as the
        corresponding texts. All invalid entries are reported together in one
        :class:`~fft_tool.errors.RecipeError`.
        """
        values: dict[str, Any] = {}
        faults: list[RecipeFault] = []
        known = {key.name: key for key in KEYS}
        for name, value in mapping.items():
            text = _as_text(value)
            key = known.get(key_name(str(name)))
            if key is None:
                faults.append(RecipeFault(str(name), text, unknown_key(str(name), known)))
                continue
            if key.field in values:
                faults.append(RecipeFault(key.name, text, "given twice"))
            try:
                values[key.field] = key.value_type.read(text)
            except ValueError as exc:
                faults.append(RecipeFault(key.name, text, str(exc)))
        if faults:
            raise RecipeError(faults)
        return dataclasses.replace(base or cls(), **values)

    @classmethod
    def parse_text(cls, text: str, base: Recipe | None = None) -> Recipe:
        """Parse ``key=value key=value …``, the inverse of ``str(recipe)``."""
        return cls.parse(entries(text), base)

    def texts(self) -> dict[str, str]:
        """Every key with its value as text."""
        return {key.name: key.value_type.format(getattr(self, key.field)) for key in KEYS}

    def __str__(self) -> str:
        """Every key that differs from its default, as ``key=value …``."""
        defaults = {key.name: key.value_type.format(key.default) for key in KEYS}
        return " ".join(f"{k}={v}" for k, v in self.texts().items() if v != defaults[k])

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the canonical text: every key, including defaults, in a fixed order."""
        canonical = " ".join(f"{key}={value}" for key, value in self.texts().items())
        return hashlib.sha256(canonical.encode()).hexdigest()


def entries(text: str) -> dict[str, str]:
    """Split ``key=value key=value …`` into keys and values, without validating them."""
    words = [word.partition("=") for word in text.split()]
    faults = [RecipeFault(word[0], "", "should be key=value") for word in words if not word[1]]
    names = [name for name, _, _ in words]
    faults += [
        RecipeFault(name, value, "given twice")
        for index, (name, _, value) in enumerate(words)
        if name in names[:index]
    ]
    if faults:
        raise RecipeError(faults)
    return {name: value for name, _, value in words}


def key_name(text: str) -> str:
    """Canonical name of a key.

    Case, surrounding white space, underscores and American spelling do not matter.
    """
    return british(text.strip().lower().replace("_", "-"))


def unknown_key(name: str, known: Iterable[str]) -> str:
    """Fault of a key that does not exist: the known keys, and the most similar one."""
    names = list(known)
    return f"unknown key; known: {', '.join(names)}{did_you_mean(name, names)}"


def _keys() -> Iterator[Key]:
    for entry in dataclasses.fields(Recipe):
        meta = entry.metadata
        yield Key(
            entry.name.replace("_", "-"),
            entry.name,
            meta["value_type"],
            entry.default,
            meta["help"],
        )


KEYS: tuple[Key, ...] = tuple(_keys())


def _fault(key: Key, value: Any) -> RecipeFault | None:
    """Check that a value survives formatting and parsing unchanged."""
    try:
        if key.value_type.parse(key.value_type.format(value)) == value:
            return None
    except (ValueError, TypeError, AttributeError, IndexError):
        pass
    return RecipeFault(key.name, str(value), f"should be {key.value_type.form}")


def _conflicts(recipe: Recipe) -> list[RecipeFault]:
    """Find keys that contradict each other."""
    faults = []
    if recipe.crop is not None and recipe.smart_crop is not None:
        value = recipe.texts()["smart-crop"]
        allowed = f"cannot be combined with crop={recipe.crop}"
        faults.append(RecipeFault("smart-crop", value, allowed))
    if recipe.periodic and recipe.window != "none":
        allowed = f"cannot be combined with window={recipe.window}, which also removes the cross"
        faults.append(RecipeFault("periodic", "yes", allowed))
    if recipe.colour and recipe.bits != 8:
        faults.append(RecipeFault("colour", "yes", "requires bits=8"))
    if not _asks_for_anything(recipe):
        allowed = "leaves nothing to make; metadata=yes makes the record"
        faults.append(RecipeFault("magnitude", "no", allowed))
    return faults


def _asks_for_anything(recipe: Recipe) -> bool:
    """Whether there is anything to write, be it only the record."""
    regions = recipe.crop or recipe.smart_crop or recipe.filter
    pictures = recipe.magnitude or recipe.phase or recipe.histogram
    return bool(regions or pictures or recipe.spectrum or recipe.metadata)


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "none"
    return str(value).strip()
