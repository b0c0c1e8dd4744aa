"""Sources, artifacts and outputs: the input and output of the pipeline."""

from __future__ import annotations

import hashlib
from dataclasses import FrozenInstanceError

import pytest

from fft_tool.results.naming import EXTENSIONS, output_name
from fft_tool.results.outputs import Artifact, Outputs, Source

MAGNITUDE = Artifact("magnitude", "a_magnitude.png", b"picture")
PHASE = Artifact("phase", "a_phase.png", b"other picture")


@pytest.mark.parametrize("data", [b"", b"data"])
def test_sources_and_artifacts_know_their_hash(data: bytes) -> None:
    expected = hashlib.sha256(data).hexdigest()
    assert Source("a.png", data).sha256 == expected
    assert Artifact("phase", "a_phase.png", data).sha256 == expected


@pytest.mark.parametrize("kind", EXTENSIONS)
def test_every_kind_of_artifact_has_a_content_type(kind: str) -> None:
    known = {"png": "image/png", "npz": "application/x-npz", "json": "application/json"}
    name = output_name("scan.v2/photo.jpg", kind)
    assert Artifact(kind, name, b"").content_type == known[EXTENSIONS[kind]]


def test_outputs_are_accessible_by_kind_and_in_the_order_of_writing() -> None:
    outputs = Outputs((PHASE, MAGNITUDE), None)
    assert list(outputs) == [PHASE, MAGNITUDE]
    assert outputs["magnitude"] is MAGNITUDE


def test_an_artifact_that_was_not_made_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="spectrum"):
        Outputs((PHASE, MAGNITUDE), None)["spectrum"]


def test_values_are_immutable() -> None:
    with pytest.raises(FrozenInstanceError):
        MAGNITUDE.data = b""  # type: ignore[misc]
