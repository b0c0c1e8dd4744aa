"""The scan: one row for each image, one object for each batch."""

from __future__ import annotations

import json
from typing import Any

import pytest

import fft_tool
from fft_tool import Recipe, Source
from fft_tool.backfill.parts import SCAN, Line, from_part, rows_of
from fft_tool.errors import StoreUnavailable
from fft_tool.results.table import COLUMNS, rows
from handler.scan import Scan
from handler.settings import Settings
from tests.handler.test_items import batch_of
from tests.support.images import noise, png_bytes
from tests.support.samples import Context, NotedStore, child, lines

IMAGE = png_bytes(noise((40, 50)))


def scan(store: NotedStore, event: dict[str, Any], context: Context | None = None) -> Any:
    settings = Settings.from_environ({})
    made = Scan(settings, child=child(), open_bucket=lambda *_: store)
    return made(event, context or Context())


def part_in(store: NotedStore) -> list[Line]:
    ((name, data),) = store.outputs().items()
    return list(from_part(data, name))


def test_a_row_holds_what_the_record_of_the_image_would() -> None:
    store = NotedStore({"input/plants/a.png": IMAGE})
    assert scan(store, batch_of("input/plants/a.png", recipe={"window": "hann"})) == {"done": 1}
    recipe = Recipe.parse({"window": "hann", "metadata": "yes", **SCAN})
    outputs = fft_tool.run(Source("plants/a.png", IMAGE), recipe)
    assert outputs.record is not None
    assert rows_of(part_in(store)) == rows([outputs.record])


def test_nothing_but_one_part_is_written_for_a_batch() -> None:
    names = [f"input/{number}.png" for number in range(12)]
    store = NotedStore(dict.fromkeys(names, IMAGE))
    scan(store, batch_of(*names))
    written = [call for call in store.calls if call.startswith("write")]
    assert len(written) == 1
    assert [call for call in store.calls if call.startswith("stat")] == []
    assert [line.key for line in part_in(store)] == names


def test_a_bad_image_is_a_row_with_its_error_and_the_others_go_on() -> None:
    store = NotedStore({"input/a.png": IMAGE, "input/bad.png": IMAGE[:200], "input/z.png": IMAGE})
    keys = ("input/a.png", "input/bad.png", "input/gone.png", "input/z.png")
    assert scan(store, batch_of(*keys)) == {"done": 2, "rejected": 1, "missing": 1}
    found = {str(row["name"]): row for row in rows_of(part_in(store))}
    assert list(found) == ["a.png", "bad.png", "gone.png", "z.png"]
    assert found["bad.png"].keys() == {column.name for column in COLUMNS}
    assert found["bad.png"]["error_code"] == "corrupt-image"
    assert found["bad.png"]["bytes"] == 200
    assert found["gone.png"]["outcome"] == "missing"
    assert found["a.png"]["outcome"] == found["z.png"]["outcome"] == "done"


def test_an_object_may_not_ask_for_pictures() -> None:
    store = NotedStore()
    store.upload("input/a.png", IMAGE, spectrum="yes", phase="yes", crop="square")
    scan(store, batch_of("input/a.png"))
    (line,) = part_in(store)
    assert line.row
    assert line.row["recipe"] == "crop=square magnitude=no phase=no metadata=yes"


def test_a_store_that_fails_is_a_failure_of_its_image_alone() -> None:
    store = NotedStore({"input/a.png": IMAGE, "input/b.png": IMAGE})

    def meddle(call: str) -> None:
        if call == "read input/a.png":
            raise StoreUnavailable("slow")

    store.meddle = meddle
    assert scan(store, batch_of("input/a.png", "input/b.png")) == {"failed": 1, "done": 1}
    first, second = part_in(store)
    assert (first.code, first.message, second.outcome) == ("store-unavailable", "slow", "done")


def test_what_there_is_no_time_for_is_told_and_can_be_run_again() -> None:
    store = NotedStore({"input/a.png": IMAGE, "input/b.png": IMAGE})
    context = Context()

    def meddle(call: str) -> None:
        if call == "read input/b.png":
            context.remaining = 3000  # no time for another image, but for the rows

    store.meddle = meddle
    assert scan(store, batch_of("input/a.png", "input/b.png"), context) == {"done": 1, "failed": 1}
    first, second = part_in(store)
    assert (first.outcome, second.code) == ("done", "out-of-time")


def test_what_a_listing_names_beside_the_images_has_no_row() -> None:
    store = NotedStore({"input/a.png": IMAGE})
    keys = ("input/a.png", "input/notes.txt", "output/a_magnitude.png")
    assert scan(store, batch_of(*keys)) == {"done": 1}
    assert [line.key for line in part_in(store)] == ["input/a.png"]


def test_one_line_is_logged_for_a_batch(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    store = NotedStore({"input/a.png": IMAGE, "input/b.png": IMAGE[:99]})
    scan(store, batch_of("input/a.png", "input/b.png"))
    (line,) = lines(capsysbinary.readouterr().out)
    assert (line["run"], line["images"]) == ("run-1", 2)
    assert line["outcomes"] == {"done": 1, "rejected": 1}
    assert json.dumps(line)
