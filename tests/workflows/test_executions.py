"""Names of executions that are started directly."""

from __future__ import annotations

import re

import pytest

from fft_tool.workflows.executions import execution_name

ETAG = "0cc175b9c0f1b6a831c399e269772661"


@pytest.mark.parametrize("key", ["a.png", "ü/ö.png", "x" * 1024, "a/b c+d%.png", "🌲"])
def test_a_name_is_one_that_step_functions_allows(key: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9-]{1,80}", execution_name(key, ETAG))


def test_the_same_version_has_the_same_name_and_no_other_has() -> None:
    names = [
        execution_name("a.png", ETAG),
        execution_name("a-png", ETAG),
        execution_name("a.png", "other"),
        execution_name("a.png", ETAG, "version"),
    ]
    assert len(set(names)) == len(names)
    assert execution_name("a.png", f'"{ETAG}"') == names[0]
