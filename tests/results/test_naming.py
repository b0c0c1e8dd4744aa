from __future__ import annotations

import posixpath

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fft_tool.results.naming import EXTENSIONS, base_of, output_base, output_name, output_of
from fft_tool.results.values import Source

# Names made of the pieces that the rule looks at meet each other far more often than random ones.
pieces = st.sampled_from(
    ["photo", "a", "B2", "7", "é", "_", "-", " ", ".", "..", "/", ".png", ".PNG", ".jpg", ".p7",
     ".7", "_magnitude", "_magnitude.png", "_metadata.json", "\n", "%2F"]
)  # fmt: skip
names = st.one_of(
    st.lists(pieces, max_size=6).map("".join), st.text(max_size=12), st.text(".png/_a7", max_size=7)
)


def outputs(source: str) -> set[str]:
    return {output_name(source, artifact) for artifact in EXTENSIONS}


@given(names, names)
@example("photo", "photo.")
@example("photo.", "photo..png")
@example("photo.png", "photo.png.png")
@example("photo.jpg", "photo.jpg.png")
@example("a/.png", "a/")
@example("", ".png")
@example("photo_magnitude.png", "photo.png")
@example("photo\n", "photo")
@settings(max_examples=1000, deadline=None)
def test_no_two_sources_share_an_output(one: str, other: str) -> None:
    if one != other:
        assert not outputs(one) & outputs(other)


@given(st.lists(names, unique=True, min_size=2, max_size=60))
@settings(max_examples=200, deadline=None)
def test_a_folder_of_sources_has_as_many_outputs_as_it_should(sources: list[str]) -> None:
    made = [name for source in sources for name in outputs(source)]
    assert len(set(made)) == len(sources) * len(EXTENSIONS)


def test_all_short_names_have_outputs_of_their_own() -> None:
    short = {""}
    for _ in range(3):
        short |= {
            start + piece
            for start in short
            for piece in ("a", "7", ".", "/", "_", ".png", ".jpg", ".PNG")
        }
    assert len({output_base(source) for source in short}) == len(short)


@given(names)
@settings(max_examples=500, deadline=None)
def test_outputs_stay_in_the_folder_of_the_source(source: str) -> None:
    for name in outputs(source):
        assert posixpath.dirname(name) == posixpath.dirname(source)


@pytest.mark.parametrize(
    ("source", "artifact", "name"),
    [
        ("plants/forest.png", "magnitude", "plants/forest_magnitude.png"),
        ("plants/forest.png", "phase", "plants/forest_phase.png"),
        ("plants/forest.png", "metadata", "plants/forest_metadata.json"),
        ("plants/forest.png", "crop", "plants/forest_crop.png"),
        ("plants/forest.png", "spectrum", "plants/forest_spectrum.npz"),
        ("plants/forest.png", "histogram", "plants/forest_histogram.png"),
        ("plants/forest.png", "filtered", "plants/forest_filtered.png"),
        ("photo.jpg", "magnitude", "photo.jpg_magnitude.png"),
        ("photo.jpg.png", "magnitude", "photo.jpg.png_magnitude.png"),
        ("photo.PNG", "magnitude", "photo.PNG_magnitude.png"),
        ("photo", "magnitude", "photo._magnitude.png"),
        ("scan 1.5.png", "phase", "scan 1.5_phase.png"),
        ("a.b/photo.png", "phase", "a.b/photo_phase.png"),
        (".png", "phase", ".png_phase.png"),
        ("Ünï/cödé.png", "phase", "Ünï/cödé_phase.png"),
    ],
)
def test_names_are_as_documented(source: str, artifact: str, name: str) -> None:
    assert output_name(source, artifact) == name


def test_an_unknown_artifact_has_no_name() -> None:
    with pytest.raises(KeyError):
        output_name("photo.png", "hologram")


def test_a_source_may_have_outputs_of_another_name() -> None:
    plain = Source("plants/forest.png", b"", page=2)
    named = Source("plants/forest.png", b"", base="plants/forest/original")
    assert output_of(plain, "magnitude") == output_name("plants/forest.png", "magnitude", 2)
    assert output_of(named, "metadata") == "plants/forest/original_metadata.json"
    assert base_of(named) == "plants/forest/original"
