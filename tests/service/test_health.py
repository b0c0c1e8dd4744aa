"""Health: whether the service lives, and what it is missing."""

from __future__ import annotations

import shutil
from pathlib import Path

from service.parts import Parts
from tests.support.service import TestClient


def test_a_service_that_answers_is_healthy(client: TestClient) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "healthy"})


def test_a_service_with_all_of_its_parts_is_ready(client: TestClient) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready"})


def test_readiness_names_the_part_that_is_missing(
    client: TestClient, parts: Parts, tmp_path: Path
) -> None:
    parts.database.close()
    for file in tmp_path.glob("service.db*"):
        file.unlink()
    (tmp_path / "service.db").mkdir()
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (
        503,
        {"status": "not-ready", "missing": ["database"]},
    )
    assert client.get("/healthz").status_code == 200
    shutil.rmtree(tmp_path / "service.db")
