"""The registry of artifacts: adding a kind takes only one entry."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pytest

import fft_tool
from fft_tool import Artifact, Limits, Recipe
from fft_tool.admission import memory_needed, output_size
from fft_tool.codec import image_file
from fft_tool.errors import TooMuchOutput
from fft_tool.image.statistics import describe
from fft_tool.pipeline import plan
from fft_tool.report.page import render
from fft_tool.results import registry
from fft_tool.results.analysis import Analysis
from fft_tool.results.naming import output_name
from fft_tool.results.outputs import output_kinds
from fft_tool.results.parts import computed
from fft_tool.results.registry import ARTIFACT_KINDS, RECORD, ArtifactKind, Shown
from fft_tool.results.values import Made, provenance
from fft_tool.runs.completeness import is_complete
from fft_tool.runs.reading import read_entries
from fft_tool.stores.memory import MemoryStore
from tests.support.images import noise
from tests.support.planes import source
from tests.support.runs import EVERYTHING, record_of

IMAGE = source(noise((40, 60)))
WITH, WITHOUT = Recipe(histogram=True, metadata=True), Recipe(metadata=True)


def negative(analysis: Analysis, _made: Sequence[Artifact], threads: int) -> bytes:
    """The grey plane with inverted levels."""
    computed(analysis.spectrum)
    selection = analysis.selection
    return image_file.encode_image(
        selection.white - selection.plane,
        selection.white,
        text=provenance(analysis.source, analysis.recipe),
        threads=threads,
    )


NEGATIVE = ArtifactKind(
    "negative",
    "png",
    wanted=lambda recipe: recipe.histogram,
    needs=lambda _recipe: frozenset({"spectrum"}),
    make=negative,
    max_bytes=lambda extent, _recipe: 2 * extent.height * extent.width + 1000,
    memory=lambda _recipe, _half: 3,
    shown=Shown("Negative", lambda _values: "black for white", "photo", 5),
)


@pytest.fixture
def _with_another_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    record = ARTIFACT_KINDS[RECORD]
    monkeypatch.delitem(ARTIFACT_KINDS, RECORD)  # which stays the last one
    monkeypatch.setitem(ARTIFACT_KINDS, "negative", NEGATIVE)
    monkeypatch.setitem(ARTIFACT_KINDS, RECORD, record)


@pytest.mark.usefixtures("_with_another_kind")
def test_a_new_kind_is_named_planned_made_and_recorded() -> None:
    assert output_name("a/b.png", "negative") == "a/b_negative.png"
    assert output_kinds(WITH) == ("histogram", "phase", "magnitude", "negative", "metadata")
    assert "negative" not in output_kinds(WITHOUT)
    outputs = fft_tool.run(IMAGE, WITH)
    assert tuple(artifact.name for artifact in outputs) == plan(IMAGE, WITH)
    listed = [entry["artifact"] for entry in record_of(outputs)["artifacts"]]
    assert listed == ["histogram", "phase", "magnitude", "negative"]


@pytest.mark.usefixtures("_with_another_kind")
def test_a_new_kind_is_included_in_admission() -> None:
    header = image_file.open_image(IMAGE.data).header
    more = dataclasses.replace(WITHOUT, histogram=True)
    assert memory_needed(header, more) - memory_needed(header, WITHOUT) == 3 * 40 * 60
    size = output_size(header, WITH, ["negative"])
    assert output_size(header, WITH, output_kinds(WITH)) > size > 2 * 40 * 60
    with pytest.raises(TooMuchOutput):
        plan(IMAGE, WITH, Limits(max_output_bytes=size))


@pytest.mark.usefixtures("_with_another_kind")
def test_a_new_kind_is_complete_only_if_it_exists_and_is_intact() -> None:
    store = MemoryStore()
    for artifact in fft_tool.run(IMAGE, WITH):
        store.write(artifact.name, artifact.data, content_type=artifact.content_type)
    assert is_complete(store, IMAGE, WITH)
    name = output_name(IMAGE.name, "negative")
    data = store.read(name).data
    store.write(name, data[:-20], content_type="image/png")
    assert not is_complete(store, IMAGE, WITH)


@pytest.mark.usefixtures("_with_another_kind")
def test_a_new_kind_is_shown_on_the_page() -> None:
    store = MemoryStore()
    for artifact in fft_tool.run(IMAGE, WITH):
        store.write(artifact.name, artifact.data, content_type=artifact.content_type)
    (entry,) = read_entries(store, None)
    assert entry.pictures.keys() == {"magnitude", "phase", "negative"}
    page = render([entry])
    assert "black for white" in page
    assert page.index("Phase") < page.index("Negative")


def test_kinds_have_distinct_names_and_known_formats() -> None:
    with pytest.raises(ValueError, match="the same name"):
        registry.registry(NEGATIVE, NEGATIVE)
    with pytest.raises(ValueError, match="svg is not a known format"):
        dataclasses.replace(NEGATIVE, extension="svg")


def test_the_last_artifact_is_the_record_or_else_the_magnitude_picture() -> None:
    assert list(ARTIFACT_KINDS)[-2:] == ["magnitude", RECORD]
    assert output_kinds(EVERYTHING) == tuple(ARTIFACT_KINDS)
    assert output_kinds(Recipe())[-1] == "magnitude"


# The analysis from which all artifacts are made.


def recorded(monkeypatch: pytest.MonkeyPatch, recipe: str) -> list[tuple[str, Analysis]]:
    """Kinds in the order in which they are made, each with the analysis passed to it."""
    seen: list[tuple[str, Analysis]] = []

    def watched(kind: ArtifactKind) -> ArtifactKind:
        def make(analysis: Analysis, made: Sequence[Artifact], threads: int) -> bytes | Made:
            seen.append((kind.name, analysis))
            return kind.make(analysis, made, threads)

        return dataclasses.replace(kind, make=make)

    for name, kind in list(ARTIFACT_KINDS.items()):
        monkeypatch.setitem(ARTIFACT_KINDS, name, watched(kind))
    fft_tool.run(IMAGE, Recipe.parse_text(recipe))
    return seen


@pytest.mark.parametrize(
    ("recipe", "last"),
    [
        ("metadata=yes crop=square", None),
        ("spectrum=yes metadata=yes", "spectrum"),
        ("filter=lowpass:4", None),
        ("filter=lowpass:4 spectrum=yes periodic=yes", "spectrum"),
    ],
)
def test_the_spectrum_is_released_as_soon_as_nothing_needs_it(
    recipe: str, last: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = recorded(monkeypatch, recipe)
    kinds = [kind for kind, _ in seen]
    have = [analysis.spectrum is not None for _, analysis in seen]
    until = kinds.index(last) + 1 if last else 0
    assert have == [True] * until + [False] * (len(kinds) - until)
    assert seen[-1][1].pictures is None or kinds[-1] == "magnitude"


def test_statistics_are_computed_once_for_histogram_and_record(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls = []

    def counted(*args: object, **options: object) -> object:
        calls.append(args)
        return describe(*args, **options)  # type: ignore[arg-type]  # passed on as they are

    monkeypatch.setattr("fft_tool.image.statistics.describe", counted)
    fft_tool.run(IMAGE, WITH)
    assert len(calls) == 1


def test_a_part_that_was_not_computed_is_an_error() -> None:
    with pytest.raises(LookupError, match="not computed"):
        computed(None)
