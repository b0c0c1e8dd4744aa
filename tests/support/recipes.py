"""Strategies that draw crops, filters and whole recipes, of every form that the grammar has."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from fft_tool import Recipe
from fft_tool.image.region import Box, Centre, Crop, Percent, Square
from fft_tool.spectrum.filters import BandPass, Filter, HighPass, LowPass, Notch, Stripe
from fft_tool.spectrum.masks import MaskFile

SIZES = st.integers(1, 999_999_999)
OFFSETS = st.integers(0, 999_999_999)


@st.composite
def percents(draw: st.DrawFn) -> Percent:
    """Per cent with as many digits as a float has."""
    starts = [draw(st.floats(0, 99)) for _ in range(2)]
    extents = [draw(st.floats(1e-6, 99.999999 - start)) for start in starts]
    return Percent(starts[0], starts[1], extents[0], extents[1])


def crops(room: int | None = None) -> st.SearchStrategy[Crop]:
    """Crops of all four forms, anywhere, or within every image of at least ``room`` pixels."""
    size = SIZES if room is None else st.integers(1, max(1, room // 2))
    offset = OFFSETS if room is None else st.integers(0, room // 2)
    return st.one_of(
        st.builds(Box, offset, offset, size, size),
        percents(),
        st.just(Square()),
        st.builds(Centre, size, size),
    )


PERIODS = st.floats(2, 1e6)
ANGLES = st.floats(-360, 360)

FILTERS: st.SearchStrategy[Filter] = st.one_of(
    st.builds(LowPass, PERIODS, st.floats(0, 10)),
    st.builds(HighPass, PERIODS),
    st.builds(BandPass, st.floats(2, 50), st.floats(51, 1e6)),
    st.builds(Notch, PERIODS, ANGLES),
    st.builds(Stripe, ANGLES),
)

FILE_NAMES = st.text(
    st.characters(exclude_characters=",+ /\\", min_codepoint=33, max_codepoint=126),
    min_size=1,
    max_size=60,
).filter(lambda name: name not in (".", ".."))

MASKS: st.SearchStrategy[MaskFile] = st.builds(
    MaskFile,
    st.lists(FILE_NAMES, min_size=1, max_size=3).map("/".join),
    st.none() | st.text("0123456789abcdef", min_size=64, max_size=64),
)
"""Masks whose files do not exist: a recipe with one can be written and read, but not run."""


@st.composite
def recipes(draw: st.DrawFn, room: int | None = None) -> Recipe:
    """Recipes with any values that go together.

    With ``room``, those that suit every 8-bit image with at least so many pixels each way.
    """
    levels = 65535 if room is None else 255
    size = SIZES if room is None else st.integers(1, room)
    filters = FILTERS | MASKS if room is None else FILTERS
    values: dict[str, Any] = {
        "channel": draw(st.sampled_from(("luma", "red", "green", "blue", "alpha"))),
        "background": draw(st.tuples(*[st.integers(0, 255)] * 3)),
        "detrend": draw(st.sampled_from(("none", "mean", "linear"))),
        "precision": draw(st.sampled_from(("single", "double"))),
        "scale": draw(st.sampled_from(("log", "linear", "power", "db"))),
        "filter": draw(st.none() | st.lists(filters, min_size=1, max_size=3).map(tuple)),
        "offset": draw(st.just("mid") | st.integers(-levels, levels)),
        "threshold": draw(st.sampled_from(("mid", "otsu")) | st.integers(0, levels)),
        "pixel_size": draw(st.none() | st.floats(1e-3, 1e6)),
    }
    for key in ("magnitude", "phase", "spectrum", "histogram", "metadata"):
        values[key] = draw(st.booleans())
    region = draw(st.sampled_from(("whole", "crop", "smart")))
    if region == "crop":
        values["crop"] = draw(crops(room))
    elif region == "smart":
        values["smart_crop"] = draw(st.tuples(size, size))
    values |= draw(
        st.fixed_dictionaries({"periodic": st.just(value=True)})
        | st.fixed_dictionaries(
            {"window": st.sampled_from(("none", "hann", "hamming", "blackman", "tukey"))}
        )
    )
    values |= draw(
        st.fixed_dictionaries({"colour": st.just(value=True)})
        | st.fixed_dictionaries({"bits": st.sampled_from((8, 16))})
    )
    asked = ("magnitude", "phase", "spectrum", "histogram", "metadata", "filter", "crop")
    if not any(values.get(key) for key in (*asked, "smart_crop")):
        values["metadata"] = True  # there has to be something to make
    return Recipe(**values)
