"""Operations on an image as pages: the form, its faults, and runs."""

from __future__ import annotations

import html
import json
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from service.catalogue.purge import purge
from service.database.tables import JOBS, POISON_JOBS, RUN_FILES
from service.operations.runs import ask_run, find_run, note_progress
from service.parts import Parts
from service.references import delete_unreferenced
from tests.support.service import TestClient, work_off
from tests.support.service_assets import add_asset, add_done, photo, rows

HOSTILE = '"><img src=x onerror=alert(1)>.png'


def press(client: TestClient, do: str, **fields: str) -> httpx.Response:
    given = {"do": do, **{name.replace("_", "-"): text for name, text in fields.items()}}
    files = {name: (None, text) for name, text in given.items()}
    answer: httpx.Response = client.post(
        "/assets/1/operations", files=files, follow_redirects=False
    )
    return answer


def text_after(answer: httpx.Response) -> str:
    assert answer.status_code == 303, answer.text
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    return query.get("operations", [""])[0]


def run(client: TestClient, parts: Parts, *texts: tuple[str, str]) -> str:
    """Run operations; return the address of the run."""
    fields: dict[str, str] = {}
    for place, (name, value) in enumerate(texts, 1):
        fields |= {f"name_{place}": name, f"value_{place}_0": value}
    answer = press(client, "run", **fields)
    assert answer.status_code == 303, answer.text
    work_off(parts)
    return answer.headers["location"]


def test_buttons_change_the_text_in_the_address(client: TestClient, parts: Parts) -> None:
    add_done(parts)
    two = {"name_1": "blur", "value_1_0": "3", "name_2": "sepia"}
    assert text_after(press(client, "add", kind="rotate", **two)) == "blur:3,sepia,rotate:90"
    assert text_after(press(client, "down-1", **two)) == "sepia,blur:3"
    assert text_after(press(client, "up-2", **two)) == "sepia,blur:3"
    assert text_after(press(client, "remove-1", **two)) == "sepia"
    assert text_after(press(client, "show", **two)) == "blur:3,sepia"


def test_a_run_shows_its_steps_while_it_is_going_on(client: TestClient, parts: Parts) -> None:
    asset_id = add_done(parts)
    run_id = ask_run(parts, asset_id, "sepia", None)
    address = f"/assets/{asset_id}/operations/{run_id}"
    assert "It is in the queue" in client.get(address).text
    started = {"name": "Start the workflow", "status": "done", "detail": "<b>an-execution"}
    note_progress(parts, run_id, [started, {"name": "Plan", "status": "running"}])
    page = client.get(address).text
    assert "<code>&lt;b&gt;an-execution</code>" in page
    assert 'data-status="running">Plan' in page


def test_fields_are_those_of_the_registry(client: TestClient, parts: Parts) -> None:
    add_done(parts)
    page = client.get("/assets/1/operations", params={"operations": "sharpen:2,crop:0,0,9,8"}).text
    assert 'name="value-1-0" value="2"' in page
    assert 'name="value-1-1" value="1" placeholder="1"' in page
    assert "AMOUNT should" not in page
    assert 'value="0,0,9,8"' in page
    assert "9 × 8 px" in page


@pytest.mark.parametrize(
    ("text", "says", "typed"),
    [
        ("blur:x", "SIGMA should be a number", "x"),
        ("sepia,nope:3", "unknown operation", "nope:3"),
        ("crop:0,0,900,900", "the image has 200 x 150 pixels", "0,0,900,900"),
        ("crop:square,crop:0,0,160,20", "the image has 150 x 150 pixels", "0,0,160,20"),
    ],
)
def test_faults_are_told_at_their_operation_and_nothing_is_lost(
    client: TestClient, parts: Parts, text: str, says: str, typed: str
) -> None:
    add_done(parts)
    page = client.get("/assets/1/operations", params={"operations": text}).text
    assert says in page.split('class="step wrong"')[1]
    assert f'value="{typed}"' in page
    assert "/preview?" not in page


def test_a_run_with_faults_is_refused_with_what_was_typed(client: TestClient, parts: Parts) -> None:
    add_done(parts)
    answer = press(client, "run", name_1="blur", value_1_0='x"<b>')
    assert answer.status_code == 422
    assert 'value="x&#34;&lt;b&gt;"' in answer.text
    assert len(rows(parts, JOBS)) == 1


def test_files_of_a_run_are_those_of_the_command_line_and_of_python(
    client: TestClient, parts: Parts, tmp_path: Path
) -> None:
    add_done(parts)
    address = run(client, parts, ("blur", "3"), ("sepia", ""))
    page = client.get(address).text
    assert "fft-tool process photo.png --operations blur:3,sepia -o results" in page
    run_id = int(address.rpartition("/")[2])
    manifest = client.get(f"{address}/files/manifest.json")
    python = page.split("data-python>")[1].split("</code>")[0]

    words = ["-m", "fft_tool", "process", "photo.png", "--operations", "blur:3,sepia"]
    for name, command in (("a", [*words, "-o", "results"]), ("b", ["-c", html.unescape(python)])):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "photo.png").write_bytes(photo())
        subprocess.run([sys.executable, *command], cwd=folder, check=True, capture_output=True)
        made = folder / "results" / "photo"
        assert (made / "manifest.json").read_bytes() == manifest.content
        for each in json.loads(manifest.content)["files"]:
            sent = client.get(f"{address}/files/{each['name']}").content
            assert sent == (made / each["name"]).read_bytes(), each["name"]
    assert find_run(parts, 1, run_id, None).state == "done"


def test_the_same_operations_are_run_once(client: TestClient, parts: Parts) -> None:
    add_done(parts)
    first = run(client, parts, ("blur", "2"))
    assert run(client, parts, ("blur", "")) == first
    assert len(rows(parts, JOBS)) == 2


def test_files_are_kept_until_they_are_purged_and_made_again(
    client: TestClient, parts: Parts
) -> None:
    add_done(parts)
    address = run(client, parts, ("invert", ""))
    before = client.get(f"{address}/files/combined.png").content
    kept = rows(parts, RUN_FILES)
    assert not any(delete_unreferenced(parts, each["sha256"]) for each in kept)
    purge(parts, days=0, dry_run=False)
    assert "The results were purged" in client.get(address).text
    assert run(client, parts, ("invert", "")) == address
    assert client.get(f"{address}/files/combined.png").content == before


def test_hostile_names_are_text(client: TestClient, parts: Parts) -> None:
    add_done(parts, name=HOSTILE)
    address = run(client, parts, ("flip", "horizontal"))
    for page in ("/assets/1/operations?operations=sepia", address):
        text = client.get(page).text
        assert "<img src=x" not in text
        assert " style=" not in text


def test_what_fails_for_good_is_poison_and_told(client: TestClient, parts: Parts) -> None:
    add_done(parts)
    run_id = ask_run(parts, 1, "crop:0,0,900,900", None)  # the form would have refused it
    work_off(parts)
    assert [each["reason_code"] for each in rows(parts, POISON_JOBS)] == ["crop-outside"]
    page = client.get(f"/assets/1/operations/{run_id}").text
    assert "the image has 200 x 150 pixels" in page.split('role="alert"')[1]


def test_previews_are_pictures_and_refusals_are_problems(client: TestClient, parts: Parts) -> None:
    add_done(parts)
    made = client.get("/pages/operations/1/preview", params={"operations": "rotate:90"})
    assert made.headers["content-type"] == "image/jpeg"
    refused = client.get("/pages/operations/1/preview", params={"operations": "blurr"})
    assert (refused.status_code, refused.json()["code"]) == (422, "bad-operations")


def test_an_image_that_is_not_analysed_waits(client: TestClient, parts: Parts) -> None:
    add_asset(parts)
    assert "not analysed yet" in client.get("/assets/1/operations").text
    assert client.get("/assets/2/operations").status_code == 404
    assert client.get("/assets/1/operations/7").status_code == 404
