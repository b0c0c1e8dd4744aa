"""Recipes that leave pictures out: what is made, what the record says, and what reads it."""

from __future__ import annotations

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

import fft_tool
from fft_tool import Recipe, Source
from fft_tool.errors import NotInvertible, RecipeError
from fft_tool.report.layout import Layout
from fft_tool.report.page import assemble, show
from fft_tool.results.entry import Entry
from fft_tool.results.reconstruct import reconstruct
from fft_tool.results.record import schema
from fft_tool.results.table import rows
from fft_tool.runs.completeness import is_complete
from fft_tool.stores.memory import MemoryStore
from tests.support.images import noise, png_bytes

SOURCE = Source("plants/a.png", png_bytes(noise((40, 50))))
SCAN = Recipe(magnitude=False, phase=False, metadata=True)


def record_of(recipe: Recipe) -> dict[str, object]:
    record = fft_tool.run(SOURCE, recipe).record
    assert record is not None
    return dict(record)


def test_a_scan_makes_the_record_and_nothing_else() -> None:
    outputs = fft_tool.run(SOURCE, SCAN)
    assert [artifact.name for artifact in outputs] == ["plants/a_metadata.json"]


def test_the_record_says_that_there_are_no_pictures() -> None:
    record = fft_tool.run(SOURCE, SCAN).record
    assert record is not None
    Draft202012Validator(schema()).validate(record)
    assert record["artifacts"] == []
    assert record["certificate"] is None
    assert record["spectrum"]["largest_magnitude"] is None
    assert record["recipe"]["text"] == "magnitude=no phase=no metadata=yes"


def test_measurements_do_not_depend_on_the_pictures() -> None:
    whole, scan = record_of(Recipe(metadata=True)), record_of(SCAN)
    for section in ("image", "region", "statistics", "sharpness", "measures"):
        assert scan[section] == whole[section]
    pictures = {"recipe", "exact", "max_abs_error", "psnr_db", "parseval_ratio"}
    (one,), (other,) = rows([whole]), rows([scan])
    assert {k: v for k, v in one.items() if k not in pictures} == {
        k: v for k, v in other.items() if k not in pictures
    }


@pytest.mark.parametrize("kind", ["magnitude", "phase"])
def test_one_picture_may_be_left_out(kind: str) -> None:
    recipe = Recipe.parse({kind: "no", "metadata": "yes"})
    outputs = fft_tool.run(SOURCE, recipe)
    kept = {"magnitude", "phase"} - {kind}
    assert {artifact.kind for artifact in outputs} == {*kept, "metadata"}
    whole = fft_tool.run(SOURCE, Recipe())
    pixels = fft_tool.decode(outputs[kept.copy().pop()].data).pixels
    assert (pixels == fft_tool.decode(whole[kept.pop()].data).pixels).all()
    assert outputs.record
    assert outputs.record["certificate"] is None


def test_a_saved_spectrum_gives_the_image_back_without_any_picture() -> None:
    recipe = Recipe(magnitude=False, phase=False, spectrum=True, metadata=True)
    outputs = fft_tool.run(SOURCE, recipe)
    files = {artifact.name.rpartition("/")[2]: artifact.data for artifact in outputs}
    back = reconstruct("a_metadata.json", files.__getitem__)
    assert back.exact
    with pytest.raises(NotInvertible, match=r"lists no magnitude: .* without --no-magnitude"):
        reconstruct("a_metadata.json", files.__getitem__, way="pictures")


def test_a_scan_cannot_be_inverted_and_says_what_would_help() -> None:
    files = {"a_metadata.json": fft_tool.run(SOURCE, SCAN)["metadata"].data}
    with pytest.raises(NotInvertible, match=r"lists no magnitude: .* without --no-magnitude"):
        reconstruct("a_metadata.json", files.__getitem__)


def test_a_recipe_that_makes_nothing_is_a_fault() -> None:
    with pytest.raises(RecipeError, match="magnitude='no': leaves nothing to make; metadata=yes"):
        Recipe(magnitude=False, phase=False)
    for asked in (
        "metadata=yes",
        "spectrum=yes",
        "histogram=yes",
        "crop=square",
        "filter=lowpass:3",
    ):
        assert Recipe.parse_text(f"magnitude=no phase=no {asked}")


def test_a_scan_is_complete_once_its_record_is_there() -> None:
    target = MemoryStore()
    assert not is_complete(target, SOURCE, SCAN)
    for artifact in fft_tool.run(SOURCE, SCAN):
        target.write(artifact.name, artifact.data)
    assert is_complete(target, SOURCE, SCAN)
    assert not is_complete(target, SOURCE, Recipe(metadata=True))


def test_a_report_shows_what_there_is() -> None:
    record = fft_tool.run(SOURCE, SCAN).record
    assert record is not None
    page = assemble_one(Entry(dict(record), {}, source=SOURCE.data))
    assert "no pictures were made" in page
    assert "<b>Magnitude</b>" not in page
    whole = fft_tool.run(SOURCE, Recipe(metadata=True))
    assert whole.record is not None
    pictures = {kind: whole[kind].data for kind in ("magnitude", "phase")}
    assert "<b>Magnitude</b>" in assemble_one(Entry(dict(whole.record), pictures, source=None))


def assemble_one(entry: Entry) -> str:
    return assemble([show(entry, 1, Layout())], title="Spectra", layout=Layout())
