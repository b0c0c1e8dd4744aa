"""The order of the system tests."""

from __future__ import annotations

import pytest

# Files that take minutes come first, so that none of them keeps one process busy at the end while
# the others have nothing left to do.
LONG = (
    "test_terraform_provider.py",
    "test_poison.py",
    "test_chaos.py",
    "test_stack.py",
    "test_image_build.py",
    "test_memory.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of long files first, all others in their order."""
    items.sort(key=lambda item: item.path.name not in LONG)
