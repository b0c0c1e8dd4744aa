"""A service with the sample images of the project, all of them analysed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import httpx

from tests.support.running_service import RunningService, finished_asset, running_service

SAMPLES = Path(__file__).parents[2] / "input_images"


@contextlib.contextmanager
def sample_service(folder: Path, **variables: str) -> Iterator[RunningService]:
    """Run it while the ``with`` statement lasts."""
    with running_service(folder, SAMPLES=str(SAMPLES), **variables) as service:
        with service.client() as client:
            client.post("/pages/samples", files={"tenant_name": (None, "default")})
            for number in range(1, 1 + len(list(SAMPLES.glob("*.png")))):
                finished_asset(client, number)
        yield service


def asset_of(service: RunningService, name: str) -> int:
    """The number of a sample image."""
    with service.client() as client:
        for number in range(1, 1 + len(list(SAMPLES.glob("*.png")))):
            if _asset(client, number)["name"] == name:
                return number
    raise LookupError(name)


def _asset(client: httpx.Client, number: int) -> dict[str, str]:
    found: dict[str, str] = client.get(f"/retrieve/asset/{number}").raise_for_status().json()
    return found
