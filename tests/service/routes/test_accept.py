"""What a client would rather have, by its Accept header."""

from __future__ import annotations

import pytest

from service.routes.accept import Accept

OFFERED = ("image/avif", "image/webp")
DEFAULT = ("image/jpeg", "image/png")

CHROME = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"
FIREFOX_OF_2020 = "image/webp,*/*"
SAFARI_OF_2015 = "image/png,image/svg+xml,image/*;q=0.8,video/*;q=0.8,*/*;q=0.5"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("", None),
        ("*/*", None),
        ("image/*", None),
        (CHROME, "image/avif"),
        (FIREFOX_OF_2020, "image/webp"),
        (SAFARI_OF_2015, None),
        ("image/webp", "image/webp"),
        ("IMAGE/WEBP", "image/webp"),
        ("image/webp;q=0", None),
        ("image/webp;q=0.5, image/jpeg;q=0.9", None),
        ("image/webp;q=0.9, image/jpeg;q=0.9", "image/webp"),
        ("image/webp;q=0.9, image/avif;q=0.3", "image/webp"),
        ("image/avif;q=0.3, image/webp;q=0.3, */*;q=0.1", "image/avif"),
        ("image/webp, image/jpeg;q=0, image/png;q=0", "image/webp"),
        ("text/html", None),
        ("image/webp;level=1;q=1.0", "image/webp"),
        ("image/webp;q=high", None),
        ("image/webp;q=2", None),
        (";;,,=/q", None),
        ("image/webp," * 10_000, "image/webp"),
    ],
)
def test_a_picture_is_of_the_type_that_the_client_names_and_likes_best(
    header: str | None, expected: str | None
) -> None:
    assert Accept.parse(header).best_named(OFFERED, DEFAULT) == expected


@pytest.mark.parametrize(
    ("header", "weight"),
    [
        (None, 1.0),
        ("text/plain;q=0.2,*/*;q=0.1", 0.2),
        ("text/*;q=0.4, */*;q=0.9", 0.4),
        ("text/plain;q=0, text/*", 0.0),
        ("application/json", 0.0),
        ("text/plain; q=0.25", 0.25),
    ],
)
def test_the_most_specific_range_decides(header: str | None, weight: float) -> None:
    assert Accept.parse(header).weight("text/plain") == weight
